"""Files of nine make-ups with what each of their columns truly is; the share that a drafted mapping gets right, printed.

    python -m tests.support.books.drafting_files

The first four guided the words that drafting knows; the other five were made afterwards, and nothing was changed for them.
"""

# ruff: noqa: E501 - tables of columns

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from collections_opt.datasets.files.drafting.guessing import guess
from collections_opt.datasets.files.drafting.looking import look
from tests.support.books.spreadsheets import write_xlsx

ROOT = Path(__file__).parents[3]
TODAY = date(2026, 11, 24)
ROWS = 300


@dataclass(frozen=True)
class Sample:
    """A file's name, its lines or rows, and the schema column of each of its columns ("" where nothing should read it)."""

    name: str
    truth: dict[str, str]
    held_out: bool
    rows: tuple[tuple[object, ...], ...] = ()
    delimiter: str = ","
    encoding: str = "utf-8"
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    def write(self, folder: Path) -> Path:
        """Write the file and return its path."""
        if self.name == "book.csv":
            return ROOT / "examples/book.csv"
        path = folder / self.name
        table = [tuple(self.truth), *self.rows]
        if path.suffix == ".xlsx":
            before = [(line,) for line in self.before]
            write_xlsx(path, {"Notes": [("made up",)], "Loans": [*before, *table, *((line,) for line in self.after)]})
            return path
        body = [self.delimiter.join(_cell(one, self.delimiter) for one in row) for row in table]
        path.write_bytes("\r\n".join([*self.before, *body, *self.after, ""]).encode(self.encoding))
        return path


def _cell(value: object, delimiter: str) -> str:
    text = "" if value is None else str(value)
    return f'"{text}"' if delimiter in text else text


def samples() -> list[Sample]:
    """Return all samples, those that guided drafting first."""
    draw = np.random.default_rng(20261124)
    return [_book(), _lending_club(draw), _prosper(draw), _home_credit(draw), *_others(draw)]


def _book() -> Sample:
    plain = {
        "Account": "account_id", "Product": "product", "State": "state", "Zone": "time_zone", "Balance": "balance_minor",
        "Past due": "arrears_minor", "Limit": "credit_limit_minor", "Due since": "days_past_due", "Opened": "months_on_book",
        "Calls 7d": "calls_last_7_days_count", "Attempts 7d": "attempts_last_7_days_count", "Bankrupt": "bankruptcy",
        "Ceased": "cease", "Vulnerable": "vulnerable",
    }  # fmt: skip
    months = {"Status": "status_history", "Balance": "balance_history_minor", "Paid": "payment_history_minor"}
    return Sample("book.csv", plain | {f"{name} {m}": column for name, column in months.items() for m in (1, 2, 3)}, False)


def _money(draw, low=100, high=20_000, count=ROWS):
    return np.round(draw.uniform(low, high, count), 2)


def _days(draw, low, high):
    return [TODAY - timedelta(days=int(one)) for one in draw.integers(low, high, ROWS)]


def _pick(draw, values, shares=None):
    return draw.choice(np.array(values, dtype=object), ROWS, p=shares).tolist()


def _lending_club(draw) -> Sample:
    status = _pick(draw, ["Current", "Late (16-30 days)", "Late (31-120 days)", "In Grace Period", "Fully Paid", "Charged Off"])
    truth = {
        "id": "account_id", "member_id": "customer_id", "loan_amnt": "", "funded_amnt": "", "term": "", "int_rate": "",
        "installment": "arrears_minor", "grade": "", "emp_length": "", "home_ownership": "", "annual_inc": "",
        "issue_d": "months_on_book", "loan_status": "days_past_due", "purpose": "", "zip_code": "", "addr_state": "state",
        "dti": "", "delinq_2yrs": "", "revol_bal": "", "out_prncp": "balance_minor", "total_pymnt": "", "last_pymnt_d": "",
    }  # fmt: skip
    opened = [one.strftime("%b-%Y") for one in _days(draw, 300, 1500)]
    columns = (
        range(68_000, 68_000 + ROWS), [None] * ROWS, draw.integers(10, 350, ROWS) * 100, draw.integers(10, 350, ROWS) * 100,
        _pick(draw, [" 36 months", " 60 months"]), np.round(draw.uniform(5, 25, ROWS), 2), _money(draw, 30, 900),
        _pick(draw, list("ABCDEFG")), _pick(draw, ["10+ years", "< 1 year", "2 years"]), _pick(draw, ["RENT", "OWN", "MORTGAGE"]),
        draw.integers(20, 200, ROWS) * 1000, opened, status, _pick(draw, ["car", "house", "debt_consolidation"]),
        _pick(draw, ["750xx", "021xx"]), _pick(draw, ["TX", "MA", "CA", "NY"]), np.round(draw.uniform(1, 40, ROWS), 2),
        draw.integers(0, 3, ROWS), draw.integers(0, 50_000, ROWS), _money(draw), _money(draw), opened,
    )  # fmt: skip
    after = ("", "Total amount funded in policy code 1: 460296150")
    before = ("Notes offered by Prospectus",)
    return Sample("accepted_loans.csv", truth, False, tuple(zip(*columns, strict=True)), before=before, after=after)


def _prosper(draw) -> Sample:
    truth = {
        "LoanNumber": "account_id", "AmountBorrowed": "", "BorrowerRate": "", "ProsperRating": "", "Term": "",
        "AgeInMonths": "", "OriginationDate": "months_on_book", "DaysPastDue": "days_past_due",
        "PrincipalBalance": "balance_minor", "NextPaymentDueAmount": "arrears_minor", "LoanStatusDescription": "",
    }  # fmt: skip
    columns = (
        range(9001, 9001 + ROWS), draw.integers(2, 35, ROWS) * 1000, np.round(draw.uniform(0.05, 0.35, ROWS), 4),
        _pick(draw, ["AA", "A", "B", "C"]), _pick(draw, [36, 60]), draw.integers(1, 60, ROWS),
        [one.strftime("%m/%d/%Y") for one in _days(draw, 30, 1500)], draw.integers(0, 120, ROWS), _money(draw), _money(draw, 30, 900),
        _pick(draw, ["CURRENT", "CHARGEOFF", "COMPLETED"]),
    )  # fmt: skip
    return Sample("prosper_loans.csv", truth, False, tuple(zip(*columns, strict=True)))


def _home_credit(draw) -> Sample:
    truth = {
        "SK_ID_PREV": "account_id", "SK_ID_CURR": "customer_id", "MONTHS_BALANCE": "", "AMT_BALANCE": "balance_minor",
        "AMT_CREDIT_LIMIT_ACTUAL": "credit_limit_minor", "AMT_DRAWINGS_CURRENT": "", "AMT_INST_MIN_REGULARITY": "arrears_minor",
        "AMT_PAYMENT_CURRENT": "", "AMT_TOTAL_RECEIVABLE": "", "CNT_DRAWINGS_CURRENT": "", "NAME_CONTRACT_STATUS": "",
        "SK_DPD": "days_past_due", "SK_DPD_DEF": "",
    }  # fmt: skip
    columns = (
        range(1_803_195, 1_803_195 + ROWS), range(378_900, 378_900 + ROWS), -draw.integers(1, 90, ROWS),
        np.round(draw.uniform(0, 90_000, ROWS), 3), draw.integers(1, 20, ROWS) * 45_000, _money(draw), np.round(_money(draw), 1),
        _money(draw), np.round(draw.uniform(0, 90_000, ROWS), 3), draw.integers(0, 9, ROWS), _pick(draw, ["Active", "Completed"]),
        draw.integers(0, 200, ROWS), draw.integers(0, 20, ROWS),
    )  # fmt: skip
    return Sample("credit_card_balance.csv", truth, False, tuple(zip(*columns, strict=True)))


def _others(draw) -> list[Sample]:
    return [_british(draw), _german(draw), _processor(draw), _servicing(draw), _indian(draw)]


def _british(draw) -> Sample:
    truth = {
        "Agreement Number": "account_id", "Customer Ref": "customer_id", "Product Type": "product",
        "Current Balance": "balance_minor", "Arrears Balance": "arrears_minor", "Days in Arrears": "days_past_due",
        "Start Date": "months_on_book", "Credit Limit": "credit_limit_minor", "Vulnerability Flag": "vulnerable",
        "Deceased": "deceased", "Insolvency": "bankruptcy", "In Dispute": "dispute", "Last Contact": "days_since_conversation",
        "Payment Arrangement": "open_promise", "Postcode": "", "Branch": "",
    }  # fmt: skip
    flags = [_pick(draw, ["Yes", "No"], [0.1, 0.9]) for _ in range(5)]
    columns = (
        [f"AG/{n:06d}" for n in range(ROWS)], [f"C{n:05d}" for n in range(ROWS)], _pick(draw, ["LOAN", "CARD"]),
        [f"£{one:,.2f}" for one in _money(draw)], [f"£{one:,.2f}" for one in _money(draw, 10, 900)], draw.integers(1, 150, ROWS),
        [one.strftime("%d/%m/%Y") for one in _days(draw, 300, 1500)], [f"£{one:,.2f}" for one in _money(draw)], *flags[:4],
        [one.strftime("%d/%m/%Y") for one in _days(draw, 1, 60)], flags[4], _pick(draw, ["LS1 4AP", "M1 1AE"]), _pick(draw, [101, 102]),
    )  # fmt: skip
    before = ("Arrears report", "Run by: ops|24/11/2026", "")
    return Sample(
        "arrears_report.txt", truth, True, tuple(zip(*columns, strict=True)), "|", before=before, after=("End of report",)
    )


def _german(draw) -> Sample:
    truth = {
        "Kontonummer": "account_id", "Kundennummer": "customer_id", "Produkt": "product", "Saldo": "balance_minor",
        "Rückstand": "arrears_minor", "Tage überfällig": "days_past_due", "Eröffnet am": "months_on_book",
        "Limit": "credit_limit_minor", "Verstorben": "deceased", "Insolvenz": "bankruptcy", "Bearbeiter": "",
    }  # fmt: skip

    def euro(values):
        return [f"{one:,.2f}".translate(str.maketrans(",.", ".,")) for one in values]

    columns = (
        [f"{n:010d}" for n in range(40_000, 40_000 + ROWS)], [f"K-{n}" for n in range(ROWS)], _pick(draw, ["Karte", "Kredit"]),
        euro(_money(draw)), euro(_money(draw, 10, 900)), draw.integers(1, 150, ROWS),
        [one.strftime("%d.%m.%Y") for one in _days(draw, 300, 1500)], euro(_money(draw)), _pick(draw, ["J", "N"], [0.1, 0.9]),
        _pick(draw, ["J", "N"], [0.1, 0.9]), _pick(draw, ["Müller", "Schäfer"]),
    )  # fmt: skip
    return Sample("rueckstand.csv", truth, True, tuple(zip(*columns, strict=True)), ";", "windows-1252")


def _processor(draw) -> Sample:
    truth = {
        "ACCT_NBR": "account_id", "CUST_NBR": "customer_id", "PROD_CD": "product", "STATE_CD": "state", "CURR_BAL_AMT": "balance_minor",
        "PAST_DUE_AMT": "arrears_minor", "CR_LIMIT_AMT": "credit_limit_minor", "DLQ_DAYS": "days_past_due", "OPEN_DT": "months_on_book",
        "CHGOFF_DT": "days_to_charge_off", "BKR_IND": "bankruptcy", "DECD_IND": "deceased", "CND_IND": "cease", "ATTY_IND": "attorney",
        "FRAUD_IND": "fraud", "SCRA_IND": "scra", "PTP_IND": "open_promise", "CALLS_7D": "calls_last_7_days_count",
        "ATTEMPTS_7D": "attempts_last_7_days_count", "LAST_RPC_DT": "days_since_conversation", "CYCLE_CD": "", "BAL_01": "balance_history_minor",
        "BAL_02": "balance_history_minor", "BAL_03": "balance_history_minor", "PMT_01": "payment_history_minor",
        "PMT_02": "payment_history_minor", "PMT_03": "payment_history_minor",
    }  # fmt: skip

    def trailing(values):
        return [f"{abs(one):.2f}-" if n % 19 == 0 else f"{one:.2f}" for n, one in enumerate(values)]

    flags = [_pick(draw, ["Y", "N"], [0.1, 0.9]) for _ in range(7)]
    columns = (
        [f"{4_000_000_000_000_000 + n}" for n in range(ROWS)], [f"{9_000_000 + n}" for n in range(ROWS)], _pick(draw, ["CC", "HELOC"]),
        _pick(draw, ["TX", "MA", "CA", "NY"]), trailing(_money(draw)), _money(draw, 10, 900), draw.integers(3, 90, ROWS) * 100,
        draw.integers(1, 150, ROWS), [one.strftime("%Y%m%d") for one in _days(draw, 300, 1500)],
        [one.strftime("%Y%m%d") for one in _days(draw, -120, -1)], *flags, draw.integers(0, 8, ROWS), draw.integers(0, 12, ROWS),
        [one.strftime("%Y%m%d") for one in _days(draw, 1, 60)], draw.integers(1, 28, ROWS), *(_money(draw) for _ in range(6)),
    )  # fmt: skip
    return Sample("extract.tsv", truth, True, tuple(zip(*columns, strict=True)), "\t")


def _servicing(draw) -> Sample:
    truth = {
        "Loan #": "account_id", "Borrower ID": "customer_id", "Property State": "state", "Unpaid Principal Balance": "balance_minor",
        "Amount Past Due": "arrears_minor", "Days Delinquent": "days_past_due", "Origination Date": "months_on_book", "Note Rate": "",
        "Next Due": "", "Attorney Represented": "attorney", "Bankruptcy Flag": "bankruptcy", "SCRA": "scra", "Comments": "",
    }  # fmt: skip
    columns = (
        range(700_100, 700_100 + ROWS), [f"B{n}" for n in range(ROWS)], _pick(draw, ["TX", "MA", "CA", "NY"]),
        _money(draw, 50_000, 400_000).tolist(), _money(draw, 500, 9_000).tolist(), [int(n) for n in draw.integers(1, 150, ROWS)],
        _days(draw, 300, 1500), np.round(draw.uniform(0.03, 0.08, ROWS), 4).tolist(), _days(draw, -30, -1),
        *(_pick(draw, ["Y", "N"], [0.1, 0.9]) for _ in range(3)), _pick(draw, ["", "called"]),
    )  # fmt: skip
    before = ("Monthly servicing report", "As of 11/24/2026")
    return Sample("servicing.xlsx", truth, True, tuple(zip(*columns, strict=True)), before=before)


def _indian(draw) -> Sample:
    truth = {
        "LAN": "account_id", "CIF": "customer_id", "Scheme": "product", "State": "state", "POS": "balance_minor",
        "Overdue Amount": "arrears_minor", "DPD": "days_past_due", "Disbursal Date": "months_on_book", "EMI": "",
        "Sanctioned Limit": "credit_limit_minor", "DNC": "cease", "Language": "", "Bucket": "",
    }  # fmt: skip

    def lakh(one):
        whole, rest = f"{one:.2f}".split(".")
        head, tail = whole[:-3], whole[-3:]
        while len(head) > 2:
            head, tail = head[:-2], f"{head[-2:]},{tail}"
        return f"₹ {head},{tail}.{rest}" if head else f"₹ {tail}.{rest}"

    columns = (
        [f"HL{n:07d}" for n in range(ROWS)], range(880_000, 880_000 + ROWS), _pick(draw, ["GOLD", "AUTO"]),
        _pick(draw, ["IN-MH", "IN-KA"]), [lakh(one) for one in _money(draw, 9_000, 900_000)], [lakh(one) for one in _money(draw, 900, 20_000)],
        draw.integers(1, 150, ROWS), [one.strftime("%d-%b-%Y") for one in _days(draw, 300, 1500)],
        [lakh(one) for one in _money(draw, 900, 20_000)], [lakh(one) for one in _money(draw, 90_000, 900_000)],
        _pick(draw, ["Y", "N"]), _pick(draw, ["Hindi", "Marathi"]), _pick(draw, ["X", "1", "2"]),
    )  # fmt: skip
    return Sample("soa.csv", truth, True, tuple(zip(*columns, strict=True)))


def right_columns(sample: Sample, path: Path) -> tuple[int, int, list[str]]:
    """Return how many columns of a file a draft takes for what they are, how many there are, and the others."""
    found = guess(look(path)).columns
    taken = {source: name for name, one in found.items() for source in one.sources}
    wrong = [
        f"{name}: {taken.get(name, '') or '-'} not {truth or '-'}"
        for name, truth in sample.truth.items()
        if taken.get(name, "") != truth
    ]
    return len(sample.truth) - len(wrong), len(sample.truth), wrong


def main() -> None:
    """Print the share of columns right per file, and over the files that guided drafting and those that did not."""
    sums = {False: [0, 0], True: [0, 0]}
    with tempfile.TemporaryDirectory() as folder:
        for sample in samples():
            right, count, wrong = right_columns(sample, sample.write(Path(folder)))
            sums[sample.held_out][0] += right
            sums[sample.held_out][1] += count
            print(f"{sample.name:26} {right:3} of {count:3} columns right ({right / count:.0%})  {'; '.join(wrong)}")
    for held_out, (right, count) in sums.items():
        print(f"{'made afterwards' if held_out else 'guided drafting':26} {right:3} of {count:3} ({right / count:.0%})")


if __name__ == "__main__":
    main()
