"""A ranking matures once: sealed, in the log, erased with its accounts, and anew only where something new is known."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from collections_opt.application.records.erasures import ErasureRequest
from collections_opt.core.actors import Actor
from collections_opt.core.day.events import Event, EventKind
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.outcomes.terms import Outcome, OutcomeSource, OutcomeTerms, ProductTerms
from collections_opt.ledger.log.log import LogKind
from tests.support.day.day_worlds import Clock, open_world
from tests.support.serving.matured_books import BOOK, LATER, OLD, TERMS, book, rank_book, told

ANN = Actor("ann")
EARLY = datetime(2026, 9, 10, 12, tzinfo=UTC)
DUE = datetime(2026, 10, 2, 12, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request, tmp_path):
    """Yield a workspace with a ranked book, its ranking and its clock."""
    clock = Clock(EARLY)
    if request.param == "sqlite":
        with closing(open_world(tmp_path, clock)) as workspace:
            yield workspace, rank_book(workspace), clock
    else:
        with (
            request.getfixturevalue("postgres_databases").taken() as url,
            closing(open_world(tmp_path, clock, url)) as workspace,
        ):
            yield workspace, rank_book(workspace), clock


@pytest.fixture
def small(tmp_path):
    """The same over SQLite alone, for what no database decides."""
    clock = Clock(EARLY)
    with closing(open_world(tmp_path, clock)) as workspace:
        yield workspace, rank_book(workspace), clock


def names(workspace):
    return workspace.recorded.portfolio(BOOK).column("account_id")


def pay(workspace, account, at, amount=60_000, event_id="paid"):
    workspace.day.events.record([Event(event_id, EventKind.PAYMENT, at, account.decode(), amount_minor=amount)], ANN)


def broken(workspace):
    """Return what a check of everything finds wrong."""
    return [check.sentence for check in workspace.evidence.verification.verify_log().checks if not check.holds]


def refused(reason, call, *args, **more):
    with pytest.raises(CollectionsError) as caught:
        call(*args, **more)
    assert caught.value.reason is reason, caught.value
    return caught.value


def test_every_source_tells_and_what_it_told_is_sealed_and_in_the_log(world):
    workspace, ranking_id, clock = world
    ids = names(workspace)
    pay(workspace, ids[3], EARLY - timedelta(days=1))
    workspace.monitors.maturities.record_file(BOOK, told(ids, [Outcome.SOLD, Outcome.DIED]), "from the core system", ANN)
    clock.at = DUE + timedelta(days=5)
    late = np.full(12, 63)
    late[5] = 95
    workspace.books.import_portfolio(LATER, book(12, OLD + timedelta(days=33), days_past_due=late))
    workspace.monitors.maturities.mature(ranking_id, TERMS, actor=ANN)
    maturity, found = workspace.monitors.maturities.latest(ranking_id)
    assert [Outcome(one).name for one in found.outcome[:6].tolist()] == ["SOLD", "DIED", "STAYED", "CURED", "STAYED", "DEFAULTED"]
    assert maturity.counts_by_source == {"NOTHING": 0, "PORTFOLIO": 9, "EVENTS": 1, "FILE": 2}
    assert maturity.contradicted_count == 3
    assert maturity.later_portfolio_ids == (LATER,)
    assert sum(maturity.counts.values()) == 12
    assert broken(workspace) == []
    leaf = workspace.ledger.logged_rows.actors(LogKind.OUTCOME, [str(maturity.seq)])
    assert leaf == {str(maturity.seq): ANN}


def test_nothing_matures_while_a_horizon_runs(world):
    workspace, ranking_id, clock = world
    clock.at = datetime(2026, 10, 2, 3, 59, tzinfo=UTC)  # still the first in New York: the thirtieth day has not passed
    error = refused(Reason.RANKING_NOT_MATURE, workspace.monitors.maturities.mature, ranking_id, TERMS)
    assert "2026-10-01" in error.message
    assert workspace.monitors.maturities.mature_due(TERMS) == []
    refused(Reason.RANKING_NOT_MATURE, workspace.monitors.maturities.latest, ranking_id)
    clock.at = datetime(2026, 10, 2, 4, 1, tzinfo=UTC)
    assert [one.ranking_id for one in workspace.monitors.maturities.mature_due(TERMS)] == [ranking_id]
    assert workspace.monitors.maturities.mature_due(TERMS) == []


def test_asked_again_only_what_is_new_is_recorded_and_the_first_answer_stays(world):
    workspace, ranking_id, clock = world
    clock.at = DUE
    first = workspace.monitors.maturities.mature(ranking_id, TERMS)
    again = workspace.monitors.maturities.mature(ranking_id, TERMS)
    assert (again.seq, again.repeated, first.repeated) == (first.seq, True, False)
    pay(workspace, names(workspace)[2], EARLY)
    second = workspace.monitors.maturities.mature(ranking_id, TERMS)
    assert second.seq > first.seq
    assert (first.counts["CURED"], second.counts["CURED"]) == (0, 1)
    pay(workspace, names(workspace)[2], DUE, 5, "after the horizon")
    assert workspace.monitors.maturities.mature(ranking_id, TERMS).repeated
    assert [one.seq for one in workspace.monitors.maturities.after(0, 10)] == [first.seq, second.seq]
    assert workspace.monitors.maturities.latest(ranking_id)[0].seq == second.seq


def test_a_payment_that_bounced_later_is_no_cure_any_more(small):
    workspace, ranking_id, clock = small
    account = names(workspace)[1]
    pay(workspace, account, EARLY)
    clock.at = DUE
    assert workspace.monitors.maturities.mature(ranking_id, TERMS).counts["CURED"] == 1
    workspace.day.events.record([Event("back", EventKind.REVERSAL, DUE, account.decode(), reverses="paid")], ANN)
    assert workspace.monitors.maturities.mature(ranking_id, TERMS).counts["CURED"] == 0


def test_a_death_that_was_told_of_the_person_alone_reaches_all_their_accounts(small):
    workspace, ranking_id, clock = small
    dead = Event("dead", EventKind.FLAG, EARLY, customer_id="p002", flag="deceased", is_set=True)
    workspace.day.events.record([dead], ANN)
    clock.at = DUE
    workspace.monitors.maturities.mature(ranking_id, TERMS)
    _, found = workspace.monitors.maturities.latest(ranking_id)
    assert found.account_id[found.outcome == Outcome.DIED].tolist() == [b"a002", b"a003"]


def test_an_erased_account_takes_its_outcome_with_it(small):
    workspace, ranking_id, clock = small
    ids = names(workspace)
    workspace.monitors.maturities.record_file(BOOK, told(ids, [Outcome.CURED, Outcome.CURED]), "a file", ANN)
    clock.at = DUE
    workspace.monitors.maturities.mature(ranking_id, TERMS)
    clock.at = DUE + timedelta(days=4 * 366)  # the years for which what was worked is kept
    workspace.evidence.erasures.erase([ids[0].decode()], ErasureRequest("asked"), ANN)
    _, found = workspace.monitors.maturities.latest(ranking_id)
    assert found.account_id.tolist() == ids[1:].tolist()
    assert found.source[0] == OutcomeSource.FILE
    assert workspace.monitors.maturities.mature(ranking_id, TERMS).counts["CURED"] == 1
    assert broken(workspace) == []


def test_a_file_is_recorded_once_and_its_faults_are_named(small):
    workspace, _, _ = small
    ids = names(workspace)
    record = workspace.monitors.maturities.record_file
    rows = told(ids, [Outcome.CURED, Outcome.SOLD])
    assert record(BOOK, rows, "a file", validate_only=True) is None
    assert record(BOOK, rows, "a file").seq == record(BOOK, rows, "the same file").seq
    twice = told(np.array([ids[0], ids[0]]), [Outcome.CURED, Outcome.SOLD])
    assert "'a000' is told of twice" in refused(Reason.INVALID_ARGUMENT, record, BOOK, twice, "a file").message
    other = told(np.array([b"nobody"]), [Outcome.CURED])
    assert "'nobody' is not in the portfolio" in refused(Reason.INVALID_ARGUMENT, record, BOOK, other, "a file").message
    refused(Reason.INVALID_ARGUMENT, record, BOOK, told(ids, []), "a file")
    refused(Reason.INVALID_ARGUMENT, record, BOOK, rows, "")
    refused(Reason.NOT_FOUND, record, "no such book", rows, "a file")


def test_later_portfolios_that_are_named_must_be_later_and_in_the_same_currency(small):
    workspace, ranking_id, clock = small
    clock.at = DUE
    error = refused(Reason.INVALID_ARGUMENT, workspace.monitors.maturities.mature, ranking_id, TERMS, [BOOK])
    assert error.violations[0].field == "later_portfolio_ids"
    refused(Reason.NOT_FOUND, workspace.monitors.maturities.mature, ranking_id, TERMS, ["no such book"])
    other = OutcomeTerms({"MORTGAGE": ProductTerms(30, 90)})
    refused(Reason.INVALID_ARGUMENT, workspace.monitors.maturities.mature, ranking_id, other)


def test_the_object_of_a_record_is_missed_when_it_is_gone(small):
    workspace, ranking_id, clock = small
    clock.at = DUE
    workspace.monitors.maturities.mature(ranking_id, TERMS)
    digest = workspace.ledger.outcomes.after(0, 10)[-1].object_digest
    path = next(path for path in workspace.ledger.objects._root.rglob("*") if digest in path.name)
    path.unlink()
    assert ["outcome record" in sentence for sentence in broken(workspace)] == [True]
