"""Which products an import knows: those of values in force, and those that the sender declares."""

from dataclasses import replace

import pytest

from collections_opt.core.errors import CollectionsError
from tests.support.books.evidence_worlds import PLAN, book, opened, values


@pytest.fixture
def workspace(tmp_path):
    made = opened(tmp_path)
    yield made
    made.close()


def renamed(raw, **codes):
    column = raw.columns["product"].copy()
    for code, name in codes.items():
        column[column == code] = name
    return replace(raw, columns={**raw.columns, "product": column})


def test_products_of_values_in_force_are_known_and_others_must_be_declared(workspace):
    raw = book(40, bad=0)
    undeclared = workspace.books.import_counted("p1", replace(raw, products=None), validate_only=True)
    loans = int((raw.columns["product"] == "LOAN").sum())
    assert undeclared.record.quarantined_count == loans > 0
    assert set(undeclared.quarantine.rule) == {"UNKNOWN_CODE"}
    written = renamed(raw, LOAN="loan", CREDIT_CARD="Credit card")
    found = workspace.books.import_counted("p1", written, validate_only=True)
    assert found.record.accepted_count == 40
    assert {(one.text, one.code) for one in found.normalised} == {("loan", "LOAN"), ("Credit card", "CREDIT_CARD")}
    assert found.record.digest == workspace.books.import_portfolio("p1", raw).digest


def test_scores_know_the_products_of_the_values_that_they_take(workspace):
    few = renamed(book(6, bad=0), LOAN="loan")
    scored = workspace.scores.score(replace(few, products=None), PLAN, values(), with_reasons=False)
    assert set(scored.valued.portfolio.column("product").tolist()) <= {b"LOAN", b"CREDIT_CARD"}
    with pytest.raises(CollectionsError, match="loan"):
        workspace.scores.score(few, PLAN, None, with_reasons=False)
