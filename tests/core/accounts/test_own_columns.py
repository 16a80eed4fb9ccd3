"""Columns that a lender declares beside the schema: what is refused, and that the others come through the door as they are."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.own_columns import MISSING, own_columns, read_header
from collections_opt.core.accounts.protected import LISTED_PROXIES, PROTECTED_ATTRIBUTES
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.limits import MAX_OWN_CATEGORIES, MAX_OWN_COLUMNS
from collections_opt.core.ranking.placement import same_inputs
from tests.support.factories import AS_OF, raw_portfolio, text
from tests.support.factories import OWN_DESK as DESK
from tests.support.factories import OWN_SCORE as SCORE


def raw(own=(SCORE, DESK), **columns):
    """Return three accounts, out of order, with own columns."""
    given = {
        "own.bureau_score": np.array([1.5, 2.5, 99.0]),
        "own.desk": text(["web", "", "branch"]),
        **columns,
    }
    made = raw_portfolio(account_id=text(["c", "a", "b"]), **{name: v for name, v in given.items() if v is not None})
    return replace(made, own=own, present={"own.bureau_score": np.array([True, True, False])})


def test_cells_come_through_the_door_sorted_with_their_missing_ones():
    own = admit(raw()).portfolio.own
    assert [one.name for one in own.declared] == ["bureau_score", "desk"]
    np.testing.assert_array_equal(own.values["bureau_score"], [2.5, np.nan, 1.5])
    assert own.values["bureau_score"].dtype == np.float64
    assert (own.vocabulary["desk"], own.values["desk"].tolist()) == (("branch", "web"), [MISSING, 0, 1])
    assert own.values["desk"].dtype == np.int32


def test_a_portfolio_without_own_columns_keeps_its_digest_and_one_with_them_has_another():
    bare = raw_portfolio(account_id=text(["c", "a", "b"]))
    plain = admit(bare).portfolio
    assert plain.own is None
    digests = {plain.digest}
    for other in (
        raw(),
        raw(**{"own.bureau_score": np.array([1.5, 2.75, 99.0])}),
        raw(**{"own.desk": text(["web", "web", "branch"])}),
        raw(own=(SCORE, replace(DESK, meaning="Another meaning."))),
    ):
        digests.add(admit(other).portfolio.digest)
    assert len(digests) == 5


def test_what_stands_in_a_missing_cell_is_nobodys_value():
    one, other = (admit(raw(**{"own.bureau_score": np.array([1.5, 2.5, hidden])})).portfolio for hidden in (99.0, -7.0))
    assert one.digest == other.digest
    assert same_inputs(one, other).all()


def test_columns_for_records_come_back_as_they_were():
    own = admit(raw()).portfolio.own
    back = own_columns(read_header(own.header()), own.plain())
    assert (back.declared, back.vocabulary) == (own.declared, own.vocabulary)
    for name, column in own.values.items():
        np.testing.assert_array_equal(back.values[name], column)


def test_the_same_inputs_are_the_same_cells_under_the_same_declarations():
    mine = admit(raw()).portfolio
    changed = admit(raw(**{"own.desk": text(["web", "web", "branch"])})).portfolio
    assert same_inputs(mine, mine).tolist() == [True, True, True]
    assert same_inputs(mine, changed).tolist() == [False, True, True]
    assert not same_inputs(mine, admit(raw(own=(replace(SCORE, unit="percent"), DESK))).portfolio).any()
    assert not same_inputs(mine, admit(raw_portfolio(account_id=text(["c", "a", "b"]))).portfolio).any()


def test_a_row_without_a_value_is_quarantined_where_none_may_be_missing():
    strict = tuple(replace(one, may_be_missing=False) for one in (SCORE, DESK))
    admission = admit(raw(own=strict))
    found = list(zip(admission.quarantine.row.tolist(), admission.quarantine.field, admission.quarantine.rule, strict=True))
    assert found == [(1, "own.desk", "EMPTY"), (2, "own.bureau_score", "REQUIRED")]
    assert admission.portfolio.column("account_id").tolist() == [b"c"]


@pytest.mark.parametrize(("cell", "rule"), [(np.nan, "NOT_FINITE"), (np.inf, "NOT_FINITE"), (1e16, "OUT_OF_RANGE")])
def test_a_number_that_is_none_is_quarantined(cell, rule):
    admission = admit(raw(**{"own.bureau_score": np.array([cell, 2.5, 99.0])}))
    assert (admission.quarantine.rule, admission.quarantine.field) == ((rule,), ("own.bureau_score",))


def refused(given, reason=Reason.INVALID_ARGUMENT):
    with pytest.raises(CollectionsError) as caught:
        admit(given)
    assert caught.value.reason is reason
    return {violation.field for violation in caught.value.violations}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "Score"),
        ("name", "balance_minor"),
        ("name", "customer_zip_code"),
        ("meaning", " "),
        ("meaning", "a\nb"),
        ("unit", ""),
        ("unit", "x" * 41),
        ("expected_sign", 2),
        ("known_as_of", AS_OF + timedelta(days=1)),
    ],
)
def test_a_declaration_at_fault_is_told_at_its_field(field, value):
    broken = replace(SCORE, **{field: value})
    columns = {"own.bureau_score": None, broken.field: np.array([1.0, 2.0, 3.0])}
    assert refused(replace(raw(**columns, own=(broken, DESK)), present={})) == {f"{broken.field}.{field}"}


@pytest.mark.parametrize("name", sorted(PROTECTED_ATTRIBUTES | LISTED_PROXIES))
def test_every_protected_attribute_and_proxy_is_refused_under_its_name_and_under_another(name):
    assert refused(raw(own=(replace(SCORE, name=name), DESK))) == {f"own.{name}.name"}
    assert refused(replace(raw(), sources={"own.desk": name.upper()})) == {"own.desk.name"}


def test_a_category_has_neither_sign_nor_unit():
    assert refused(raw(own=(SCORE, replace(DESK, expected_sign=1, unit="points")))) == {"own.desk.expected_sign", "own.desk.unit"}


def test_columns_are_declared_once_and_sent():
    assert refused(raw(own=(SCORE, SCORE, DESK))) == {"own.bureau_score.name"}
    assert refused(raw(own=(SCORE,)), Reason.SCHEMA_MISMATCH) == {"own.desk"}
    assert refused(raw(**{"own.desk": None}), Reason.SCHEMA_MISMATCH) == {"own.desk"}
    assert refused(raw(**{"own.desk": np.array([1.0, 2.0, 3.0])}), Reason.SCHEMA_MISMATCH) == {"own.desk"}


def test_more_columns_or_categories_than_the_limit_are_refused():
    many = tuple(replace(SCORE, name=f"c{i}") for i in range(MAX_OWN_COLUMNS + 1))
    assert refused(raw(own=many), Reason.LIMIT_EXCEEDED) == {"own"}
    count = MAX_OWN_CATEGORIES + 1
    ids = text([f"id-{i}" for i in range(count)])
    wide = replace(raw_portfolio(**{"account_id": ids, "own.desk": ids}), own=(DESK,))
    assert refused(wide, Reason.LIMIT_EXCEEDED) == {"own.desk"}
