"""Value parameters as stored sets: approved by a second person, by date, shipped and declared, on SQLite and PostgreSQL."""

from dataclasses import replace
from datetime import date

import pytest

from collections_opt.application.resources.approved import ApprovalCommand, ApprovedResources, SavedContent
from collections_opt.application.resources.value_sets import SHIPPED_BY, SHIPPED_ID, VALUE_SETS, ValueSets
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.models.lifecycle import ApprovalMode
from collections_opt.ledger.ledger import open_ledger
from collections_opt.ledger.objects.folder import FolderObjectStore
from tests.support.books.value_set_books import ANN, BEN, CARD, JANUARY, MARCH, SHIPPED, products, values
from tests.support.ledger.ledgers import NOW

BOOK = "book-1"
FEBRUARY = date(2026, 2, 28)


@pytest.fixture
def sets(database_url, tmp_path):
    ledger = open_ledger(database_url, FolderObjectStore(tmp_path / "objects"))
    yield ValueSets(ApprovedResources(ledger, lambda: NOW, lambda: None, VALUE_SETS))
    ledger.close()


def save(sets, content, name="cards", day=JANUARY, etag=None):
    return sets.resources.save(SavedContent(name, day, content, etag), ANN).version


def approve(sets, version, by=BEN):
    return sets.resources.approve(ApprovalCommand(version.resource_id, version.version), by).version


def refused(reason, call, *args):
    with pytest.raises(CollectionsError) as caught:
        call(*args)
    assert caught.value.reason is reason, caught.value
    return caught.value


def chosen(sets, day, *wanted, portfolio=BOOK):
    found = sets.choose(portfolio, products(*wanted), day)
    assert sets.difference(found.parameters, found.choices) == ""
    return {choice.product: choice.name for choice in found.choices}


def test_a_set_holds_once_a_second_person_approved_it_and_only_from_its_day(sets):
    sets.ship(SHIPPED)
    assert chosen(sets, MARCH, "CREDIT_CARD") == {"CREDIT_CARD": f"{SHIPPED_ID}/1"}
    first = save(sets, values("CREDIT_CARD", loss=0.83))
    assert chosen(sets, MARCH, "CREDIT_CARD") == {"CREDIT_CARD": f"{SHIPPED_ID}/1"}
    refused(Reason.PERMISSION_DENIED, approve, sets, first, ANN)
    assert chosen(sets, MARCH, "CREDIT_CARD") == {"CREDIT_CARD": f"{SHIPPED_ID}/1"}
    approve(sets, first)
    assert chosen(sets, MARCH, "CREDIT_CARD") == {"CREDIT_CARD": "cards/1"}
    next_month = save(sets, values("CREDIT_CARD", loss=0.86), day=MARCH, etag=first.etag)
    approve(sets, next_month)
    assert chosen(sets, FEBRUARY, "CREDIT_CARD") == {"CREDIT_CARD": "cards/1"}
    assert chosen(sets, MARCH, "CREDIT_CARD") == {"CREDIT_CARD": "cards/2"}
    assert chosen(sets, date(2005, 8, 1), "CREDIT_CARD") == {"CREDIT_CARD": f"{SHIPPED_ID}/1"}


def test_two_products_two_sets_and_a_portfolio_of_its_own(sets):
    for content, name in (
        (values("CARD", loss=0.83), "cards"),
        (values("LOAN", loss=0.86), "loans"),
        (values("LOAN", loss=0.89, portfolios=(BOOK,)), "book-loans"),
    ):
        approve(sets, save(sets, content, name))
    assert chosen(sets, MARCH, "CARD", "LOAN") == {"CARD": "cards/1", "LOAN": "book-loans/1"}
    assert chosen(sets, MARCH, "CARD", "LOAN", portfolio="book-2") == {"CARD": "cards/1", "LOAN": "loans/1"}
    refused(Reason.VALUES_MISSING, sets.choose, BOOK, products("AUTO"), MARCH)
    approve(sets, save(sets, values("CARD"), "others"))
    error = refused(Reason.RESOURCE_STATE_CONFLICT, sets.choose, BOOK, products("CARD"), MARCH)
    assert "cards/1 and others/1" in error.message


def test_values_out_of_order_are_never_stored(sets):
    content = values("CARD")
    late = {"CARD": replace(CARD, stay_value=(0.99,) * 7)}
    error = refused(Reason.INVALID_ARGUMENT, save, sets, replace(content, parameters=replace(content.parameters, products=late)))
    assert "product CARD, bucket 0" in str(error)
    assert sets.resources.latest("", 5) == []


def test_what_a_server_is_started_with_takes_the_place_of_what_is_shipped_and_yields_to_people(sets):
    for _ in range(2):
        sets.ship(SHIPPED)
        sets.declare(values("CREDIT_CARD", loss=0.83).parameters, ANN)
    (held,) = sets.resources.latest("", 5)
    assert (held.version.name, held.version.approval.mode) == (f"{SHIPPED_ID}/2", ApprovalMode.SELF_APPROVED)
    assert chosen(sets, MARCH, "CREDIT_CARD") == {"CREDIT_CARD": f"{SHIPPED_ID}/2"}
    approve(sets, save(sets, values("CREDIT_CARD", loss=0.86), SHIPPED_ID, etag=held.version.etag))
    sets.ship(SHIPPED)
    assert chosen(sets, MARCH, "CREDIT_CARD") == {"CREDIT_CARD": f"{SHIPPED_ID}/3"}
    refused(Reason.RESOURCE_STATE_CONFLICT, sets.declare, values("CREDIT_CARD", loss=0.89).parameters, ANN)


def test_a_start_that_ended_before_its_set_was_approved_is_made_good_by_the_next(sets, monkeypatch):
    ledger = sets.resources._ledger

    def ends(*_):
        raise RuntimeError("the process ends here")

    with monkeypatch.context() as patched:
        patched.setattr(ledger.resources, "approve", ends)
        with pytest.raises(RuntimeError):
            sets.ship(SHIPPED)
    refused(Reason.VALUES_MISSING, sets.choose, BOOK, products("CREDIT_CARD"), MARCH)
    sets.ship(SHIPPED)
    assert chosen(sets, MARCH, "CREDIT_CARD") == {"CREDIT_CARD": f"{SHIPPED_ID}/1"}


def test_two_servers_that_start_at_once_ship_one_set(sets, monkeypatch):
    ledger = sets.resources._ledger
    approve_as_it_was = ledger.resources.approve
    others = ValueSets(ApprovedResources(ledger, lambda: NOW, lambda: None, VALUE_SETS))

    def approve_after_another(*given):
        monkeypatch.setattr(ledger.resources, "approve", approve_as_it_was)
        others.ship(SHIPPED)
        return approve_as_it_was(*given)

    monkeypatch.setattr(ledger.resources, "approve", approve_after_another)
    sets.ship(SHIPPED)
    (held,) = sets.resources.versions(SHIPPED_ID, None, 5)
    assert (held.version.saved_by, held.version.approval.mode) == (SHIPPED_BY, ApprovalMode.BOOTSTRAP)
