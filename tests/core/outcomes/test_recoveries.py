"""What came back after a default, against a plain count of each account's events; planted faults of counting are seen."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.core.day.event_columns import DAY_ONE, EventColumns, day_number, microseconds
from collections_opt.core.day.events import Event, EventKind, RecordedEvent
from collections_opt.core.outcomes import recoveries as module
from collections_opt.core.outcomes.recoveries import Defaults, Workout, of_rows, recoveries

ZONE = ZoneInfo("America/New_York")
AS_OF = date(2026, 1, 5)
WORKOUT = Workout(30, 0.2, str(ZONE))
COUNT = 4
K = EventKind
DEFAULTS = Defaults(
    np.array([b"a0", b"a1", b"a2", b"a3"]),
    np.array([day_number(AS_OF) + days for days in (5, 9, 9, 12)]),
    np.array([10_000, 8_000, 90_000, 500]),
    np.full(COUNT, microseconds(datetime(2026, 1, 5, tzinfo=ZONE))),
)


def event(number, row, at, kind, **facts):
    return row, RecordedEvent(number, at, Event(f"e{number}", kind, at, f"a{row}", **facts))


@st.composite
def told(draw):
    """Return up to twenty events about four accounts, from days before their defaults to days after their workouts."""
    found = []
    for number in range(draw(st.integers(0, 20))):
        at = datetime(2026, 1, 5, tzinfo=ZONE) + timedelta(hours=draw(st.integers(1, 24 * 50)))
        row = draw(st.integers(0, COUNT - 1))
        kind = draw(st.sampled_from([K.PAYMENT] * 3 + [K.BALANCE, K.OUTCOME, K.REVERSAL]))
        facts = {
            K.PAYMENT: lambda: {"amount_minor": draw(st.integers(1, 4_000))},
            K.BALANCE: lambda: {"balance_minor": draw(st.integers(-50, 9_000)), "arrears_minor": 0},
            K.OUTCOME: lambda: {"outcome": draw(st.sampled_from(["CHARGED_OFF", "SOLD", "RECALLED", "SETTLED"]))},
            K.REVERSAL: lambda: {"reverses": f"e{draw(st.integers(0, 20))}"},
        }[kind]()
        found.append(event(number, row, at, kind, **facts))
    return found


def plainly(row, events):
    """Return exposure, recovered money and whether an account left sight, one event at a time."""
    mine = [one.event for place, one in events if place == row]
    gone = {one.reverses for one in mine if one.kind is K.REVERSAL}
    mine = sorted((one for one in mine if one.event_id not in gone), key=lambda one: (one.occurred_at, one.event_id))
    default = DAY_ONE + timedelta(days=int(DEFAULTS.day[row]))
    owed, back, left = int(DEFAULTS.balance_minor[row]), 0.0, False
    for one in mine:
        days = (one.occurred_at.astimezone(ZONE).date() - default).days
        if one.kind is K.BALANCE and days <= 0 and one.balance_minor > 0:
            owed = one.balance_minor
        if one.kind is K.PAYMENT and days <= 0:
            owed -= one.amount_minor
        if one.kind is K.PAYMENT and 0 < days <= 30:
            back += one.amount_minor * 1.2 ** (-days / 365)
        left |= one.outcome in ("SOLD", "RECALLED") and 0 <= days <= 30
    return owed, back, left


def check(events):
    columns = EventColumns.of([row for row, _ in events], [one for _, one in events])
    made = recoveries(DEFAULTS, columns, WORKOUT)
    wanted = {row: plainly(row, events) for row in range(COUNT)}
    kept = [row for row, (owed, _, left) in wanted.items() if owed > 0 and not left]
    assert made.accounts.account_id.tolist() == [f"a{row}".encode() for row in kept]
    assert made.accounts.exposure_minor.tolist() == [wanted[row][0] for row in kept]
    np.testing.assert_allclose(made.accounts.recovered_minor, [wanted[row][1] for row in kept], atol=0.5)
    assert (made.accounts.workout_days == 30).all()
    assert made.left_out["sold or recalled within the workout"] == sum(left for _, _, left in wanted.values())
    assert sum(made.left_out.values()) == COUNT - len(kept)


@settings(deadline=None, max_examples=60)
@given(told(), st.randoms(use_true_random=False))
def test_recoveries_are_what_a_plain_count_finds_in_any_order(events, random):
    # Two events of one instant have no order: keep the later told.
    events = list({(row, one.event.occurred_at): (row, one) for row, one in events}.values())
    check(events)
    shuffled = list(events)
    random.shuffle(shuffled)
    check(shuffled)


def at(days, hours=12):
    return datetime(2026, 1, 5, hours, tzinfo=ZONE) + timedelta(days=days)


EDGES = [
    event(1, 0, at(5, 23), K.PAYMENT, amount_minor=1_000),
    event(2, 0, at(6, 0), K.PAYMENT, amount_minor=2_000),
    event(3, 0, at(35, 23), K.PAYMENT, amount_minor=3_000),
    event(4, 0, at(36, 0), K.PAYMENT, amount_minor=4_000),
    event(5, 1, at(9), K.BALANCE, balance_minor=0, arrears_minor=0),
    event(6, 1, at(9, 13), K.OUTCOME, outcome="CHARGED_OFF"),
    event(7, 2, at(20), K.OUTCOME, outcome="SOLD"),
    event(8, 3, at(2), K.PAYMENT, amount_minor=700),
]


def test_the_day_of_the_default_is_before_and_the_last_day_of_the_workout_counts():
    check(EDGES)


@pytest.mark.parametrize(
    ("name", "planted"),
    [
        ("delta", lambda days, rate: np.ones(days.size)),
        ("LEFT_SIGHT", ()),
        ("local_days", lambda instants, zones: instants // 86_400_000_000),
        ("_exposure", lambda defaults, events, day: defaults.balance_minor),
    ],
)
def test_planted_faults_of_counting_are_seen(monkeypatch, name, planted):
    monkeypatch.setattr(module, name, planted)
    with pytest.raises(AssertionError):
        check(EDGES)


def test_a_later_portfolio_restates_what_is_owed_until_the_default():
    begin = int(DEFAULTS.stated[0])
    ids, owed = np.array([b"a0", b"a1", b"a9"]), np.array([111, 0, 5])
    by_day = {day: DEFAULTS.restated(ids, owed, day_number(AS_OF) + day, begin + day * 86_400_000_000) for day in (5, 6)}
    assert by_day[5].balance_minor.tolist() == [111, 8_000, 90_000, 500]
    assert by_day[6].balance_minor.tolist() == DEFAULTS.balance_minor.tolist()


def test_events_of_some_rows_are_renumbered():
    columns = EventColumns.of([row for row, _ in EDGES], [one for _, one in EDGES])
    some = of_rows(columns, [2, 0])
    assert some.row.tolist() == [1, 1, 1, 1, 0]
    assert of_rows(columns, [7]).count == 0
