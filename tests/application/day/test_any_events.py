"""For any events in any order and at any instant: whoever may be leased breaks no rule, and whoever may not has a reason.

COLLECTIONS_OPT_RANDOM_DAYS=5000 looks at so many days.
"""

from __future__ import annotations

import os
from contextlib import closing
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from collections_opt.application.day.gate import CHOSEN_HOURS, Gate, Verdict
from collections_opt.application.day.live_desk import LiveDesk
from collections_opt.core.day.events import Event, EventKind, RecordedEvent
from collections_opt.ledger.events.stored_events import NOBODY, StoredEvent
from tests.support.day.day_facts import AGO, FACTS, OF_PERSONS
from tests.support.day.day_oracle import Oracle, person_of
from tests.support.day.day_worlds import NOON, Clock, copied_world, made_world

K = EventKind
DAYS = int(os.environ.get("COLLECTIONS_OPT_RANDOM_DAYS", "40"))
LIVE = "collections_opt.core.day.live"
BUGS = {
    "a gate that sees no events": (f"{Gate.__module__}.Gate.removed", lambda self, live, at: Verdict()),
    "people who never move": (f"{LIVE}._place", lambda *_: None),
    "calls that no budget counts": (f"{LIVE}.contact_counts", lambda *_: {}),
    "promises that nobody hears of": (f"{LIVE}._promises", lambda *_: None),
    "flags that nobody hears of": (f"{LIVE}._flags", lambda *_: None),
    "balances that nobody hears of": (f"{LIVE}._money", lambda *_: None),
    "persons of one account": (f"{LiveDesk.__module__}.LiveDesk.rows_of_person", lambda self, row: [row]),
    "hours that nobody chose": (f"{Gate.__module__}.Gate.hours_of", lambda *_: None),
}
"""What a bug leaves undone."""


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Return the desk of a morning and its gate."""
    folder = tmp_path_factory.mktemp("any")
    ranking_id = made_world(folder / "made")
    with closing(copied_world(folder / "made", folder / "world", Clock())) as workspace:
        dispatch = workspace.day.dispatch
        return dispatch._turns.look(lambda turn: dispatch._caught_up(turn, ranking_id, NOON))


@st.composite
def told(draw):
    """Draw what was told by an instant of the day, with some of it taken back, and another order in which it came."""
    now = NOON + timedelta(minutes=draw(st.integers(0, 599)))
    events = []
    for number, (fact, ago, of_person) in enumerate(draw(st.lists(st.tuples(FACTS, AGO, st.booleans()), max_size=10))):
        account = f"a{draw(st.integers(0, 7)):03d}"
        subject = {"customer_id": person_of(account)} if of_person and fact["kind"] in OF_PERSONS else {"account_id": account}
        many = fact["kind"] is K.CONTACT and draw(st.booleans())  # a budget is used up by many, of other days
        at = now - (timedelta(days=3) if many else ago)
        events += [Event(event_id=f"e{number}", occurred_at=at, **subject, **fact)] * (1 + draw(st.integers(0, 1)))
        events += [Event(event_id=f"e{number}-{more}", occurred_at=at, **subject, **fact) for more in range(many * 7)]
    for number, event in enumerate(draw(st.lists(st.sampled_from(events), max_size=3)) if events else []):
        subject = {"account_id": event.account_id, "customer_id": event.customer_id}
        events.append(Event(f"back{number}", K.REVERSAL, now, reverses=event.event_id, **subject))
    return now, events, draw(st.permutations(events))


def judged(opened, events, now):
    """Return how accounts are judged at an instant by what was told, in the order in which it came."""
    first, gate = opened
    desk = LiveDesk(first.record, first.plan, first.portfolio, first.key_no, first.entries, first.came)
    number = dict(zip(first.account_id.tolist(), first.key_no.tolist(), strict=True))
    kept = {event.event_id: event for event in events}  # an id is recorded once
    for sequence, event in enumerate(kept.values(), 1):
        account = number[event.account_id.encode()] if event.account_id else NOBODY
        person = NOBODY if event.account_id else 1_000
        desk.take_events([StoredEvent(account, person, RecordedEvent(sequence, now, event))])
    names = [name.decode() for name in desk.account_id.tolist()]
    asked = [range(half, desk.portfolio.account_count, 2) for half in (0, 1)]  # two accounts of one person are not asked together
    seen = Gate(desk, gate.rules)
    return {names[row]: verdict for rows in asked for row, verdict in zip(rows, seen.verdicts(rows, 0, now), strict=True)}


def check(opened, day):
    now, events, another_order = day
    verdicts = judged(opened, events, now)
    oracle = Oracle(told={event.event_id: event for event in events})
    for account, verdict in verdicts.items():
        if not verdict.barred:
            faults = list(oracle.faults(account, now))
            assert not faults, (account, faults)
            assert verdict.attempts > 0
        else:
            assert verdict.rule_id or verdict.event or verdict.barred == CHOSEN_HOURS, verdict
    again = judged(opened, another_order, now)
    assert {name: (one.barred, one.rule_id, one.attempts) for name, one in verdicts.items()} == {
        name: (one.barred, one.rule_id, one.attempts) for name, one in again.items()
    }


def days(opened, count):
    """Look at so many days."""
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    plain = settings(
        max_examples=count, derandomize=True, deadline=None, database=None, phases=(Phase.generate,), suppress_health_check=checks
    )
    plain(given(told())(lambda day: check(opened, day)))()


def test_nobody_may_be_leased_against_a_rule_and_every_removal_has_its_reason(opened):
    days(opened, DAYS)


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_noticed(opened, monkeypatch, bug):
    monkeypatch.setattr(*BUGS[bug])
    with pytest.raises(AssertionError):
        days(opened, 600)  # the first day that fails ends it
