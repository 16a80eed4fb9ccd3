"""Loan files in the public formats of four sources: a made-up sample of each is admitted whole."""

# ruff: noqa: E501 - header lines are as the files have them

from datetime import date

import numpy as np
import pytest

from collections_opt.core.accounts.admission import admit
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.datasets.files.mappings import FileMapping
from collections_opt.datasets.files.portfolio_files import read_portfolio
from collections_opt.datasets.settings_files import read_bundled_settings

DAY = date(2018, 12, 31)

SAMPLES = {
    "lending_club": """id,loan_amnt,installment,grade,issue_d,loan_status,addr_state,out_prncp,last_pymnt_amnt,zip_code
101,10000,330.5,B,Dec-2016,Late (31-120 days),TX,5200.25,330.5,750xx
102,8000,260.1,A,Jun-2017,Current,MA,3100,260.1,021xx
103,5000,160,C,Jan-2015,Fully Paid,NY,0,160,100xx
104,9000,300,D,Mar-2018,Late (16-30 days),CA,8000,,900xx
""",
    "prosper": """LoanNumber,AmountBorrowed,BorrowerRate,ProsperRating,Term,AgeInMonths,OriginationDate,DaysPastDue,PrincipalBalance,NextPaymentDueAmount,LoanStatusDescription
9001,4000,0.15,B,36,20,04/15/2017,45,1900.5,278.2,CURRENT
9002,12000,0.22,D,60,9,03/02/2018,0,10400,345.1,CURRENT
9003,3000,0.11,A,36,36,12/01/2015,0,0,0,COMPLETED
""",
    "freddie_mac": "\n".join(
        "|".join([loan, "201812", upb, status, age, "300", *[""] * 4, "4.5", *[""] * 21])
        for loan, upb, status, age in (("F18Q10000001", "210000.00", "2", "11"), ("F18Q10000002", "99000.50", "0", "10"))
    )
    + "\n",
    "home_credit": """SK_ID_PREV,SK_ID_CURR,MONTHS_BALANCE,AMT_BALANCE,AMT_CREDIT_LIMIT_ACTUAL,AMT_INST_MIN_REGULARITY,AMT_PAYMENT_CURRENT,SK_DPD
2001,1,-1,45000.5,90000,2250,0,37
2001,1,-2,47000,90000,2300,2300,0
2002,2,-1,0,45000,0,,0
""",
}
EXPECTED = {
    "lending_club": {"balance_minor": [520_025, 310_000, 800_000], "days_past_due": [31, 0, 16], "months_on_book": [24, 18, 9]},
    "prosper": {"balance_minor": [190_050, 1_040_000], "days_past_due": [45, 0], "arrears_minor": [27_820, 34_510]},
    "freddie_mac": {"balance_minor": [21_000_000, 9_900_050], "days_past_due": [60, 0], "arrears_minor": [294_000, 0]},
    "home_credit": {"balance_minor": [4_500_050, 0], "days_past_due": [37, 0], "credit_limit_minor": [9_000_000, 4_500_000]},
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_read_and_admitted(tmp_path, name):
    path = tmp_path / ("sample.txt" if name == "freddie_mac" else "sample.csv")
    path.write_text(SAMPLES[name])
    mapping = read_bundled_settings(f"mappings/{name}.toml", FileMapping)
    reading = read_portfolio(path, mapping, DAY)
    admission = admit(reading.raw)
    assert admission.quarantine.row.size == 0
    for column, values in EXPECTED[name].items():
        np.testing.assert_array_equal(admission.portfolio.column(column), values)


@pytest.mark.parametrize("name", [n for n in SAMPLES if n != "freddie_mac"])
def test_a_file_without_a_column_says_which_one_is_needed(tmp_path, name):
    mapping = read_bundled_settings(f"mappings/{name}.toml", FileMapping)
    source = mapping.columns["balance_minor"].source
    path = tmp_path / "sample.csv"
    path.write_text(SAMPLES[name].replace(source, "other"))
    with pytest.raises(CollectionsError) as caught:
        read_portfolio(path, mapping, DAY)
    assert caught.value.reason is Reason.SCHEMA_MISMATCH
    assert source in str(caught.value)


def test_an_unknown_status_is_quarantined_and_never_guessed(tmp_path):
    path = tmp_path / "sample.csv"
    path.write_text(SAMPLES["lending_club"].replace("Late (16-30 days)", "Sleeping"))
    found = admit(read_portfolio(path, read_bundled_settings("mappings/lending_club.toml", FileMapping), DAY).raw).quarantine
    assert (found.rule, found.value, found.column, found.line.tolist()) == (
        ("UNLISTED_CODE",),
        ("Sleeping",),
        ("loan_status",),
        [5],
    )
