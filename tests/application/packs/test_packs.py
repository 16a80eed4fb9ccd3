"""Packs of persons and books: what is theirs, all of it and nothing else; figures against a plain count."""

import json
from collections import Counter
from contextlib import closing
from datetime import date, timedelta

import numpy as np
import pytest

from collections_opt.application.evidence.standalone import verify_evidence
from collections_opt.application.packs.days import PackDays
from collections_opt.application.packs.persons import Decision, PersonHead, PersonLease, ProvenEvent
from collections_opt.core.actors import Actor
from collections_opt.core.day.events import Event, EventKind
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.outcomes.terms import Outcome, OutcomeTerms, ProductTerms
from collections_opt.core.scopes import Scope, seeing
from collections_opt.ledger.tables.reads import AccountRead
from collections_opt.reports.packs.person import PersonPage, person_html
from tests.support.day.day_worlds import CALLS, NOON, PORTFOLIO, Clock, asked, call, desk_plan, open_world, rank_held, rows
from tests.support.serving.matured_books import told

COUNT = 400
DAYS = PackDays(date(2026, 11, 1), date(2026, 12, 31))
ANN = Actor("ann", "PLATFORM")
RITA = Actor("rita", "AUDITOR", "", "our-issuer")
TERMS = OutcomeTerms({"CREDIT_CARD": ProductTerms(30, 90)})
VULNERABLE = np.arange(COUNT) % 5 == 0


def tell(workspace, clock):
    """Tell of contacts: of each third account as many as its number says, some of them taken back."""
    events = []
    for row in range(0, COUNT, 3):
        for number in range(row % 13):
            at = NOON - timedelta(minutes=1 + number)
            events.append(call(f"a{row:03d}", at, event_id=f"c-{row}-{number}"))
    taken = [f"c-{row}-0" for row in range(3, COUNT, 9) if row % 13]
    accounts = {event_id: f"a{int(event_id.split('-')[1]):03d}" for event_id in taken}
    events += [Event(f"r-{one}", EventKind.REVERSAL, NOON, account, reverses=one) for one, account in accounts.items()]
    events.append(Event("flag", EventKind.FLAG, NOON, customer_id="p001", flag="vulnerable", is_set=True))
    for first in range(0, len(events), 900):
        workspace.day.events.record(events[first : first + 900], ANN)
    return events


def look(workspace, ranking_id, clock):
    """Review two decisions about one person, long after the days; take the second back. Return what was told."""
    clock.forward(days=200)
    facts = {"ranking_id": ranking_id, "reviewed": "RULES", "note": "<b>Seen</b>."}
    made = [
        Event(f"v{n}", EventKind.REVIEW, clock(), account, review_outcome=outcome, **facts)
        for n, (account, outcome) in enumerate((("a002", "UPHELD"), ("a003", "CHANGED")))
    ]
    workspace.day.reviews.record(made, RITA)
    back = Event("back", EventKind.REVERSAL, clock(), "a003", reverses="v1")
    workspace.day.events.record([back, Event("late", EventKind.PAYMENT, clock(), "a003", amount_minor=5)], ANN)
    clock.forward(days=-200)
    return [*made, back]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Return a workspace over a ranked, contacted and matured book, and what was told."""
    clock = Clock()
    with closing(open_world(tmp_path_factory.mktemp("packs"), clock)) as workspace:
        workspace.books.save_plan(desk_plan(), None)
        raw = rows(COUNT)
        raw.columns["vulnerable"] = VULNERABLE
        workspace.books.import_portfolio(PORTFOLIO, raw)
        ranking_id = rank_held(workspace)
        leases = workspace.day.dispatch.lease(asked(ranking_id, queue_id=CALLS, count=1), ANN)
        events = tell(workspace, clock)
        reviews = look(workspace, ranking_id, clock)
        ids = workspace.recorded.portfolio(PORTFOLIO).column("account_id")
        outcomes = [(Outcome.CURED, Outcome.STAYED, Outcome.STAYED, Outcome.DEFAULTED)[row % 4] for row in range(COUNT)]
        clock.forward(days=40)
        workspace.monitors.maturities.record_file(PORTFOLIO, told(ids, outcomes, date(2026, 12, 24)), "a file")
        workspace.monitors.maturities.mature(ranking_id, TERMS)
        yield workspace, [*events, *reviews], leases


def parts(workspace, account="", customer="", days=DAYS):
    """Return the parts of a pack by their kind."""
    found = list(workspace.packs.persons.parts(account, customer, days))
    assert isinstance(found[0], PersonHead)
    kinds = (PersonHead, Decision, ProvenEvent, PersonLease, AccountRead)
    return {kind: [one for one in found if isinstance(one, kind)] for kind in kinds}


def test_a_pack_holds_all_of_a_person_and_nothing_of_others(world):
    workspace, events, _ = world
    found = parts(workspace, "a003")
    assert found[PersonHead][0].account_ids == ("a002", "a003")
    assert found[PersonHead][0].customer_ids == ("p002",)
    assert [one.answer.proof.answer["account_id"] for one in found[Decision]] == ["a002", "a003"]
    mine = {event.event_id for event in events if event.account_id in ("a002", "a003") or event.customer_id == "p002"}
    assert {one.recorded.event.event_id for one in found[ProvenEvent]} == mine
    assert mine
    assert found[Decision][0].outcomes.outcome[found[Decision][0].row] == Outcome.STAYED
    again = parts(workspace, customer="p002")[Decision]
    assert [one.answer.proof for one in again] == [one.answer.proof for one in found[Decision]]


def test_every_part_is_proven_to_whoever_holds_the_key(world):
    workspace, _, _ = world
    found, key = parts(workspace, "a003"), workspace.evidence.proofs.vkey
    for one in found[Decision]:
        assert verify_evidence.check_proof(one.answer.proof.content, key)
    for one in found[ProvenEvent]:
        (sentence,) = verify_evidence.check_proof(one.proof, key)
        by = "rita as AUDITOR" if one.recorded.event.kind is EventKind.REVIEW else "ann as PLATFORM"
        assert f"by {by}" in sentence


def test_reviews_of_what_was_decided_on_the_days_are_shown_whenever_somebody_looked(world):
    workspace, _, _ = world
    happened = parts(workspace, "a003")[ProvenEvent]
    events = tuple(
        {"event": one.recorded.event.content(), "proof": f"proofs/{one.recorded.sequence}", "erased": False} for one in happened
    )
    shown = person_html(PersonPage("p002", ("a002", "a003"), "2026-11-01", "2026-12-31", "now", 1, 0, events=events))
    for words in (
        "Decisions that people reviewed",
        "rita as AUDITOR, by a token of our-issuer",
        "&lt;b&gt;Seen&lt;/b&gt;.",
        "was changed, taken back since",
    ):
        assert words in shown
    assert "late" not in {one.recorded.event.event_id for one in happened}


def test_an_altered_event_is_found_out(world):
    workspace, _, _ = world
    key = workspace.evidence.proofs.vkey
    proof = json.loads(parts(workspace, "a003")[ProvenEvent][0].proof)
    row = bytes.fromhex(proof["leaf"]["row"]).replace(b"NO_ANSWER", b"BUSY     ")
    for change in (
        {"event": proof["event"].replace("a003", "a004")},
        {"leaf": {**proof["leaf"], "row": row.hex()}, "event": row.decode().rstrip(" ")},
        {"batch": proof["batch"].replace('"event_count":', '"event_count":1')},
    ):
        content = json.dumps({**proof, **change}, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        with pytest.raises((verify_evidence.Refused, ValueError)):
            verify_evidence.check_proof(content, key)


def test_whoever_held_a_lease_and_whoever_read_is_told(world):
    workspace, _, leases = world
    account = leases[0].account_id
    workspace.trail.note("ExplainAssignment", ANN, {}, [account])
    found = parts(workspace, account, days=PackDays(date(2026, 11, 1), date(2027, 2, 1)))
    assert [one.lease.holder_kind for one in found[PersonLease]] == ["PERSON"]
    assert [one.method for one in found[AccountRead]] == ["ExplainAssignment"]


NOBODY = [("", "", "account_id"), ("a", "b", "customer_id"), ("x", "", "account_id")]


@pytest.mark.parametrize(("account", "customer", "field"), NOBODY)
def test_nobody_is_refused(world, account, customer, field):
    with pytest.raises(CollectionsError) as caught:
        parts(world[0], account, customer)
    assert field in {violation.field for violation in caught.value.violations}


def test_a_limited_caller_sees_nothing_beyond_the_scope(world):
    workspace, _, _ = world
    with seeing(Scope(portfolios=("other",))):
        for ask in (lambda: parts(workspace, "a003"), lambda: workspace.packs.portfolios.pack((), DAYS)):
            with pytest.raises(CollectionsError) as caught:
                ask()
            assert caught.value.reason is Reason.NOT_FOUND
    with seeing(Scope(portfolios=(PORTFOLIO,))):
        assert len(parts(workspace, "a003")[ProvenEvent]) == len(parts(workspace, "a003")[ProvenEvent])
        assert workspace.packs.portfolios.pack((), DAYS).contact_count


def test_a_book_is_counted_as_by_hand(world):
    workspace, events, _ = world
    pack = workspace.packs.portfolios.pack((PORTFOLIO,), DAYS)
    person = [f"p{row - (row % 4 == 3):03d}" for row in range(COUNT)]
    vulnerable = {person[row] for row in np.flatnonzero(VULNERABLE)} | {"p001"}
    reversed_ids = {event.reverses for event in events if event.kind is EventKind.REVERSAL}
    contacts = Counter(
        person[int(event.account_id[1:])]
        for event in events
        if event.kind is EventKind.CONTACT and event.event_id not in reversed_ids
    )
    assert (pack.person_count, pack.contact_count) == (len(set(person)), sum(contacts.values()))
    table = next(one for one in pack.tables if one.name == "contacts")
    assert table.groups == ("vulnerable", "others")
    assert table.counts.sum(axis=0).tolist() == [len(vulnerable), len(set(person)) - len(vulnerable)]
    none = [sum(1 for one in set(person) - group if not contacts[one]) for group in (set(person) - vulnerable, vulnerable)]
    assert table.counts[0].tolist() == none
    outcome = next(one for one in pack.tables if one.name == "outcome")
    assert int(outcome.counts.sum()) == len(set(person))
    for one in pack.tables:
        small = (one.counts > 0) & (one.counts < 30)
        assert one.hidden[small].all()
