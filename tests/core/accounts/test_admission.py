"""The door: nothing is lost, everything refused says why."""

import unicodedata
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.portfolio import RawPortfolio
from collections_opt.core.accounts.row_faults import RowFaults
from collections_opt.core.errors import CollectionsError, Reason
from tests.support.factories import AS_OF, admitted, raw_portfolio, text


def rules_of(admission):
    return dict(zip(admission.quarantine.row.tolist(), admission.quarantine.rule, strict=True))


def test_rows_are_sorted_by_account_id_and_digest_ignores_row_order():
    first = admitted(account_id=text(["b", "a", "c"]), balance_minor=np.array([2, 1, 3]) * 100_000)
    second = admitted(account_id=text(["c", "b", "a"]), balance_minor=np.array([3, 2, 1]) * 100_000)
    assert first.portfolio.column("account_id").tolist() == [b"a", b"b", b"c"]
    assert first.portfolio.digest == second.portfolio.digest


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("balance_minor", np.nan, "NOT_FINITE"),
        ("balance_minor", np.inf, "NOT_FINITE"),
        ("balance_minor", 1e308, "OUT_OF_RANGE"),
        ("balance_minor", 10.5, "NOT_WHOLE"),
        ("balance_minor", 2_000_000_001, "OUT_OF_RANGE"),
        ("arrears_minor", -1, "OUT_OF_RANGE"),
        ("days_past_due", -3, "OUT_OF_RANGE"),
        ("loss_given_default", 1.5, "OUT_OF_RANGE"),
    ],
)
def test_poison_numbers_are_quarantined_with_field_rule_and_remedy(column, value, rule):
    values = np.array([0.5 if column == "loss_given_default" else 100.0, value])
    admission = admitted(account_id=text(["good", "bad"]), **{column: values})
    assert admission.portfolio.column("account_id").tolist() == [b"good"]
    assert rules_of(admission) == {1: rule}
    assert admission.quarantine.field == (column,)
    assert admission.quarantine.remedy[0]


def test_missing_is_allowed_where_the_schema_says_so_and_quarantined_where_required():
    raw = raw_portfolio(account_id=text(["a", "b"]), credit_limit_minor=np.array([5, 0]))
    masked = RawPortfolio(
        AS_OF,
        raw.time_zone,
        raw.currency_code,
        raw.columns,
        {"credit_limit_minor": np.array([True, False]), "balance_minor": np.array([False, True])},
    )
    admission = admit(masked)
    assert rules_of(admission) == {0: "REQUIRED"}
    assert not admission.portfolio.is_present("credit_limit_minor").any()


def test_ids_compare_in_nfc_and_hidden_characters_are_refused():
    name = "Zoë"
    admission = admitted(
        account_id=text([unicodedata.normalize("NFD", name), unicodedata.normalize("NFC", name), "a\0b", "x" * 200, ""]),
    )
    rules = rules_of(admission)
    assert admission.portfolio.column("account_id").tolist() == [unicodedata.normalize("NFC", name).encode()]
    assert rules[1] == "DUPLICATE_COLLAPSED"
    assert rules[2] == "NUL_CHARACTER"
    assert rules[3] == "TOO_LONG"
    assert rules[4] == "EMPTY"


def test_equal_duplicates_collapse_and_different_ones_are_both_refused():
    admission = admitted(account_id=text(["a", "a", "b", "b"]), balance_minor=np.array([1, 1, 2, 3]) * 100_000)
    assert admission.portfolio.column("account_id").tolist() == [b"a"]
    assert admission.quarantine.count_by_rule() == {"DUPLICATE_COLLAPSED": 1, "DUPLICATE_CONFLICT": 2}


def test_missing_extra_and_retyped_columns_are_refused_as_a_whole():
    raw = raw_portfolio(account_id=text(["a"]))
    without = {k: v for k, v in raw.columns.items() if k != "balance_minor"}
    cases = {
        "balance_minor": without,
        "surprise": {**raw.columns, "surprise": np.array([1])},
        "days_past_due": {**raw.columns, "days_past_due": text(["40"])},
    }
    for field, columns in cases.items():
        with pytest.raises(CollectionsError) as caught:
            admit(RawPortfolio(AS_OF, "UTC", "USD", columns))
        assert caught.value.reason is Reason.SCHEMA_MISMATCH
        assert caught.value.violations[0].field == field


def test_an_empty_portfolio_is_valid():
    admission = admitted(account_id=np.zeros(0, dtype=object))
    assert (admission.row_count, admission.portfolio.account_count, admission.quarantine.row_count) == (0, 0, 0)


balances = st.one_of(st.floats(), st.integers(-(10**10), 10**10).map(float))


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c\0", "d", "é", "e" * 130, ""]), balances), max_size=20))
def test_rows_in_are_accepted_or_quarantined(rows):
    ids, amounts = [r[0] for r in rows], np.array([r[1] for r in rows], dtype=np.float64)
    admission = admitted(account_id=text(ids), balance_minor=amounts)
    assert admission.row_count == len(rows)
    assert admission.row_count == admission.portfolio.account_count + admission.quarantine.row_count


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["", "state", "balance_minor"])), max_size=8))
def test_rows_that_the_reader_found_at_fault_are_refused_and_no_row_is_lost(found):
    raw = raw_portfolio(account_id=text(["a", "b", "c", "d", "e"]))
    found = sorted(found)
    texts = tuple(zip(*((name, "Col", "x", "NOT_A_NUMBER", "Send it.") for _, name in found), strict=True)) or ((),) * 5
    faults = RowFaults(np.array([row for row, _ in found], dtype=np.int64), *texts)
    admission = admit(replace(raw, lines=np.arange(2, 7), faults=faults, sources={"state": "State"}))
    refused = {row for row, _ in found}
    assert admission.portfolio.column("account_id").tolist() == [
        b"abcde"[row : row + 1] for row in range(5) if row not in refused
    ]
    assert admission.row_count == admission.portfolio.account_count + admission.quarantine.row_count
    assert admission.quarantine.line.tolist() == [row + 2 for row, _ in found]
