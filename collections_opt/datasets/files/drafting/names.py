"""What lenders call the columns of the account schema: words in the names of columns, best first."""

from __future__ import annotations

import re

from collections_opt.core.accounts.schema import ACCOUNT_SCHEMA

_ACCOUNT = r"(account|acct|acc|loan|contract|agreement|facility|card|konto|cuenta|prestamo|vertrag|debt|case|lan)"
_NUMBER = r"(id|no|nr|num|number|nbr|ref|reference|key|code|sequence number|nummer|numero)"

NAMES: dict[str, tuple[str, ...]] = {
    "account_id": (
        rf"{_ACCOUNT} {_NUMBER}",
        rf"{_NUMBER} {_ACCOUNT}",
        rf"^{_ACCOUNT}$",
        r"^id$",
        r"sk id prev",
        r"(?<!cust )\bkey$",
    ),
    "customer_id": (
        rf"(customer|cust|client|person|borrower|member|party|cif|debtor|kunde|kunden|cliente|sk id curr|obligor) ?{_NUMBER}?$",
    ),
    "product": (r"^product( (type|code|name))?$", r"(loan|account|acct|portfolio|product) type", r"^prod\b", r"^produkt$"),
    "state": (r"^(state|province|region|jurisdiction|st)$", r"(addr|address|residence|home|mailing|borrower) (state|province)"),
    "time_zone": (r"time ?zone", r"^(zone|tz)$"),
    "balance_minor": (
        r"^(current |outstanding |total |curr |cur )?(balance|bal)( amt| amount| due| outstanding)?$",
        r"(outstanding|current|principal|closing|total) (balance|bal|principal|upb|due|owed|debt)",
        r"out prncp$",
        r"(actual upb|unpaid principal)",
        r"\b(amt|amount) (balance|owed|outstanding)\b",
        r"\b(balance|bal|saldo|owed|outstanding|exposure)\b",
    ),
    "arrears_minor": (
        r"\b(arrears|overdue|delinquent|past due|pastdue|ruckstand|atraso|vencido)( amt| amount| bal| balance)?$",
        r"\b(amt|amount)( of| in)? (arrears|overdue|past due|delinquent|late)\b",
        r"^(next payment due amount|minimum due|min due|min payment due)$",
        r"^(installment|instalment|amt inst min regularity|emi|min payment)$",
    ),
    "credit_limit_minor": (r"\b(credit )?(limit|line|credit line|limite)\b", r"\blimit\b"),
    "days_past_due": (
        r"\b(dpd|days past due|days late|days overdue|days delinquent|days in arrears|delinquency days|delq days|tage)\b",
        r"\b(due|delinquent|overdue|past due|arrears|late) since\b",
        r"\b(first|oldest|earliest) (missed|unpaid|due)( payment)?( due)?( date)?\b",
        r"\b(delinquency date|date of delinquency|dt delinq|delinquent date|vencimiento)\b",
        r"\b(months|mths|cycles) (past due|late|delinquent|in arrears)\b",
        r"^(loan status|delinquency status|current loan delinquency status|status)$",
    ),
    "months_on_book": (
        r"\b(mob|months on book|loan age|age in months|age months|vintage months)\b",
        r"\b(opened|open date|date opened|origination date|orig date|orig dt|issue d(ate)?|start date|funded date|open dt)\b",
        r"\b(disbursal|disbursement|booking|contract|eroffnet|apertura|opening)( date| dt| d)?$",
    ),
    "days_to_charge_off": (r"\b(days to charge ?off|charge ?off (date|in days))\b", r"\b(chargeoff|charge off|co) (dt|date)\b"),
    "loss_given_default": (r"\b(lgd|loss given default|loss severity)\b",),
    "contacts_in_window_count": (r"\bcontacts (in window|this month|mtd|30d)\b",),
    "calls_last_7_days_count": (
        r"\bcalls?( made| placed)?( in| last| past)? ?(7|seven|week)\b",
        r"\bcalls ?7 ?d",
        r"\bcalls\b.*\b7\b",
    ),
    "attempts_last_7_days_count": (
        r"\battempts?( in| last| past)? ?(7|seven|week)\b",
        r"\b(attempts|att|contacts) ?7",
        r"attempts\b.*\b7\b",
    ),
    "calls_today_count": (r"\bcalls? (made |placed )?today\b",),
    "attempts_today_count": (r"\b(attempts|contacts) today\b",),
    "calls_last_2_days_count": (r"\bcalls?( in| last| past)? ?(2 ?d|two days)\b",),
    "calls_this_month_count": (r"\bcalls? (this month|mtd)\b",),
    "attempts_this_month_count": (r"\battempts (this month|mtd)\b",),
    "days_since_conversation": (
        r"\b(last|latest|recent) (conversation|talk|spoke|rpc|right party contact|live contact|contact)\b",
        r"\bdays since (conversation|contact|rpc|talk)\b",
    ),
    "bankruptcy": (r"\b(bankrupt|bankruptcy|bk|bkr|insolvent|insolvency|bankr|quiebra|insolvenz)\b",),
    "deceased": (r"\b(deceased|dead|death|dec|decd|verstorben|fallecido)\b",),
    "cease": (r"\b(cease|ceased|cnd|c d|cease desist|cease and desist|do not contact|dnc|no contact|do not call)\b",),
    "attorney": (r"\b(attorney|atty|lawyer|solicitor|represented|legal rep)\b",),
    "dispute": (r"\b(dispute|disputed|disp|in dispute)\b",),
    "fraud": (r"\b(fraud|id theft|identity theft|fraudulent)\b",),
    "open_promise": (r"\b(open promise|promise|ptp|promise to pay|active ptp|arrangement)\b",),
    "vulnerable": (r"\b(vulnerable|vulnerability|vuln|hardship)\b",),
    "scra": (r"\b(scra|military|servicemember|service member|active duty|mla)\b",),
}
"""Regular expressions over a column's name in lower case, words apart; the first that fits says how surely."""

HISTORIES = {
    "status_history": r"\b(status|stat|delinq|delinquency|dlq|bucket|pay|pay status|dpd|cycle)\b",
    "balance_history_minor": r"\b(balance|bal|bill|bill amt|statement|stmt)\b",
    "payment_history_minor": r"\b(paid|payment|pmt|pay amt|payments|pymnt)\b",
}
"""Words of the names of columns that are numbered by month."""


def words(name: str) -> str:
    """Return a column's name in lower case with its words apart: ``AcctNo_1`` is ``acct no 1``."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    plain = re.sub(r"[^0-9a-z]+", " ", apart.lower().replace("#", " no ").replace("ü", "u").replace("ó", "o").replace("é", "e"))
    return " ".join(plain.split())


def likeness(name: str, column: str) -> float:
    """Return how well a column's name fits a schema column, 0 (not at all) to 1 (its own name)."""
    said = words(name)
    own = column.removesuffix("_minor").removesuffix("_count").replace("_", " ")
    if said in (own, column.replace("_", " ")):
        return 1.0
    patterns = NAMES.get(column, (rf"\b{re.escape(own)}\b",))
    for index, pattern in enumerate(patterns):
        if re.search(pattern, said):
            return 0.9 - 0.08 * index
    return 0.0


def known_columns() -> tuple[str, ...]:
    """Return the schema columns that are drafted from one column each."""
    return tuple(name for name, column in ACCOUNT_SCHEMA.items() if not column.is_history)
