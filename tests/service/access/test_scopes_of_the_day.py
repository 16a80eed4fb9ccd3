"""Events and leases under a scope: told and heard of accounts in sight alone, while the law still hangs on all of them."""

from __future__ import annotations

import uuid
from contextlib import closing

import pytest

from collections_opt.application.day import event_book
from collections_opt.application.day.lease_requests import LeaseRequest
from collections_opt.application.workspace import open_workspace
from collections_opt.core.actors import Actor
from collections_opt.core.day.events import Event, EventKind
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.scopes import Scope, seeing
from collections_opt.ledger.events.event_ids import everything
from tests.support.databases import made_database
from tests.support.models.folders import folder_with_people
from tests.support.serving.calls import NOW, WAIT, calling, columns, import_requests, made

ANN = Actor("ann")
NORTH, SOUTH = Scope(portfolios=("north",)), Scope(portfolios=("south",))
MINE, THEIRS = "n-acc-00001", "s-acc-00001"


def book(prefix):
    """Return accounts of a portfolio; each is owed by a person of its own."""
    table = columns(60, seed=3)
    names = table.values["account_id"]
    table.values["account_id"] = names.astype(object) if prefix == "" else (prefix + names).astype(object)
    table.values["customer_id"] = ("p-" + table.values["account_id"]).astype(object)
    return table


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def workspace(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("day-scopes")
    url = ""
    if request.param == "postgresql":
        with made_database(request.getfixturevalue("postgres_server")) as url:
            yield from opened(folder, url)
        return
    yield from opened(folder, url)


def opened(folder, url):
    with closing(open_workspace(folder / "data", folder_with_people(folder), lambda: NOW, url)) as workspace:
        with calling(workspace) as client:
            for name, prefix in (("north", "n-"), ("south", "s-")):
                client.portfolios.ImportPortfolio(import_requests(name, book(prefix)), timeout=WAIT)
        yield workspace


def event(number, account="", customer=""):
    return Event(f"{number}", EventKind.FLAG, NOW, account, customer, flag="dispute", is_set=True)


def refused(call, *args):
    with pytest.raises(CollectionsError) as caught:
        call(*args)
    return caught.value.reason, [violation.field for violation in caught.value.violations]


def test_a_limited_caller_tells_of_accounts_in_sight_alone(workspace):
    events = workspace.day.events
    with seeing(NORTH):
        assert events.record([event("n1", MINE)], ANN)[0].sequence > 0
        for check_only in (False, True):
            told = [event(8, MINE), event(9, THEIRS), event(10, "", "p-x"), event(11, "nobody")]
            found = refused(events.record, told, ANN, check_only)
            assert found == (Reason.PERMISSION_DENIED, [f"events[{index}].account_id" for index in (1, 2, 3)])
    assert [stored.event.event_id for stored in events.after(0, 100) if stored.event] == ["n1"]


def test_a_limited_caller_hears_of_accounts_in_sight_alone(workspace, monkeypatch):
    monkeypatch.setattr(event_book, "_PAGE", 2)
    events = workspace.day.events
    events.record([event("s1", THEIRS), event("p1", "", "p-x"), event("n2", MINE), event("s2", THEIRS), event("n3", MINE)], ANN)
    for scope, prefix in ((NORTH, "n"), (SOUTH, "s"), (Scope(portfolios=("other",)), "?")):
        with seeing(scope):
            heard = [one for one in events.after(0, 100) if one.event]
            assert all(one.event.event_id.startswith(prefix) for one in heard)
            assert bool(heard) == (prefix != "?")
            if heard:
                assert events.after(heard[0].sequence, 1) == heard[1:2]
    with seeing(NORTH):
        assert {one.event.event_id for one in events.of_account(MINE, "", None, 10)} >= {"n2", "n3"}
        assert events.of_account(MINE, f"p-{MINE}", None, 10)
        for account, customer in ((THEIRS, ""), ("nobody", ""), ("", "p-x"), (MINE, "p-x"), (MINE, f"p-{THEIRS}")):
            assert refused(events.of_account, account, customer, None, 10)[0] is Reason.PERMISSION_DENIED


@pytest.fixture(scope="module")
def ranking(workspace):
    with calling(workspace) as client:
        return made(client, portfolio_id="north")


def lease(ranking, number=1):
    return LeaseRequest(str(uuid.UUID(int=number, version=4)), ranking.ranking_id, ranking.queues[0].queue_id, "ann", 2, 600)


def test_leases_of_a_ranking_out_of_sight_are_none_even_where_it_is_in_memory(workspace, ranking):
    day = workspace.day
    with seeing(NORTH):
        held = day.dispatch.lease(lease(ranking))
    assert held
    lease_id = held[0].lease.lease_id
    for scope in (SOUTH, Scope(("*",), ("other",)), Scope(tenants=("north",))):
        with seeing(scope):
            assert refused(day.dispatch.lease, lease(ranking, 2))[0] is Reason.NOT_FOUND
            assert refused(day.worklists.states, ranking.ranking_id)[0] is Reason.NOT_FOUND
            assert refused(day.worklists.page, ranking.ranking_id, ranking.queues[0].queue_id, 0, 5, True)[0] is Reason.NOT_FOUND
            assert refused(day.dispatch.extend, lease_id, "ann", 600) == (Reason.NOT_FOUND, ["lease_id"])
            assert refused(day.dispatch.release, lease_id, "ann", "why") == (Reason.NOT_FOUND, ["lease_id"])
    with seeing(NORTH):
        assert day.dispatch.extend(lease_id, "ann", 600).lease_id == lease_id
        assert not day.dispatch.release(lease_id, "ann", "no headset").lost


def next_accounts(workspace, ranking):
    queues = [queue.queue_id for queue in ranking.queues]
    pages = [workspace.day.worklists.page(ranking.ranking_id, queue, 0, 60, False) for queue in queues]
    return [entry.account_id for page in pages for entry in page]


def told_dead(workspace, account_id):
    stop = Event(f"stop-{account_id}", EventKind.FLAG, NOW, account_id, flag="deceased", is_set=True)
    workspace.day.events.record([stop], ANN)


def test_what_others_told_of_an_account_binds_a_limited_caller(workspace, ranking):
    """Events are out of a limited caller's sight one by one, and the law that hangs on them is not."""
    first = next_accounts(workspace, ranking)[0]
    told_dead(workspace, first)
    with seeing(NORTH):
        assert first not in next_accounts(workspace, ranking)


def test_a_turn_that_sees_only_what_its_caller_sees_is_refused(workspace, ranking, monkeypatch):
    """The planted bug: the turn keeps to the scope of whoever runs it, which would hide the events that forbid."""
    monkeypatch.setattr("collections_opt.application.day.turns.EVERYTHING", NORTH)
    workspace.day.openings._desks.forget()
    with seeing(NORTH):
        assert refused(next_accounts, workspace, ranking)[0] is Reason.PERMISSION_DENIED


def test_ids_of_events_out_of_sight_are_neither_taken_nor_told(workspace):
    """Whoever tries ids learns nothing of others' events: each sight has ids of its own, and the same again is the same."""
    events, other = workspace.day.events, "s-acc-00002"
    with seeing(SOUTH):
        first = events.record([event("shared", THEIRS)], ANN)
    with seeing(NORTH):
        mine = events.record([event("shared", MINE)], ANN)
        assert (mine[0].repeated, mine[0].sequence > first[0].sequence) == (False, True)
        assert events.record([event("shared", MINE)], ANN)[0].sequence == mine[0].sequence
        taken = refused(events.record, [event("shared", "n-acc-00002")], ANN)
        assert taken == (Reason.ALREADY_EXISTS, ["events[0].event_id"])
        twice = refused(events.record, [event("new", MINE), event("new", "n-acc-00002")], ANN)
        assert twice == (Reason.ALREADY_EXISTS, ["events[1].event_id"])
    with seeing(SOUTH):
        assert events.record([event("shared", THEIRS)], ANN)[0].sequence == first[0].sequence
        assert refused(events.record, [event("shared", other)], ANN)[0] is Reason.ALREADY_EXISTS
    assert [events.record([event("shared", who)], ANN)[0].sequence for who in (THEIRS, MINE)] == [
        first[0].sequence,
        mine[0].sequence,
    ]
    assert refused(events.record, [event("shared", other)], ANN)[0] is Reason.ALREADY_EXISTS
    assert workspace.day.events.log.verify() == []


def test_a_reversal_tells_nothing_of_events_out_of_sight(workspace):
    events = workspace.day.events
    with seeing(SOUTH):
        events.record([event("theirs", THEIRS)], ANN)
    with seeing(NORTH):
        back = [Event(f"back-{name}", EventKind.REVERSAL, NOW, MINE, reverses=name) for name in ("theirs", "never told")]
        assert not any(one.repeated for one in events.record(back, ANN))
    assert (
        refused(events.record, [Event("x", EventKind.REVERSAL, NOW, MINE, reverses="theirs")], ANN)[0] is Reason.INVALID_ARGUMENT
    )


def test_ids_that_are_taken_for_everybody_would_be_noticed(workspace, monkeypatch):
    """The planted bug: an id that anybody uses is refused to all, which tells that it is used."""
    events = workspace.day.events
    with seeing(SOUTH):
        events.record([event("guessed", THEIRS)], ANN)
    monkeypatch.setattr(type(events), "in_sight", lambda _: everything)
    with seeing(NORTH):
        assert refused(events.record, [event("guessed", MINE)], ANN)[0] is Reason.ALREADY_EXISTS
