"""Days that differ: each kind does what it says, changes stand on each other, and one that does not fit is named."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_opt.core.desk.capacity_changes import QueueChange
from collections_opt.core.desk.day_changes import DayChange, DayKind, StoredDayChange, changed_on_days, check_day_change
from collections_opt.core.desk.list_changes import READERS, ListChange, ListOperation
from collections_opt.core.desk.plan_differences import PlanDifference, plan_differences
from collections_opt.core.errors import CollectionsError, Reason
from tests.support.factories import plan, queue

FRIDAY, SATURDAY = date(2026, 11, 27), date(2026, 11, 28)
DESK = plan(
    queue("a", agents=6, paid_minutes=480, shrinkage=0.25, states=("US-TX", "US-MA"), buckets=(1,)),
    queue("b", agents=2, paid_minutes=240),
    queue("unpaid", paid_minutes=0),
)


def change(kind, queue_id="a", last=FRIDAY, **given):
    return DayChange(kind, FRIDAY, last, queue_id, **given)


def on(*changes):
    return changed_on_days(DESK, [StoredDayChange(number, each) for number, each in enumerate(changes, start=1)])


def agents(made):
    return {each.queue_id: each.agents for each in made.queues}


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (change(DayKind.SICK, agents=2), {"a": 4}),
        (change(DayKind.HOLIDAY, agents=0.5), {"a": 5.5}),
        (change(DayKind.OVERTIME, agents=3, minutes=120), {"a": 6.75}),
        (change(DayKind.CLOSED), {"a": 0}),
        (change(DayKind.MOVED, agents=1, to_queue_id="b"), {"a": 5, "b": 4}),
        (change(DayKind.OTHER, change=QueueChange("a", agents=9)), {"a": 9}),
    ],
)
def test_each_kind_changes_the_agents_it_says_and_nothing_else(made, expected):
    check_day_change(made)
    changed = on(made)
    assert agents(changed) == {**agents(DESK), **expected}
    assert [replace(q, agents=0) for q in changed.queues] == [replace(q, agents=0) for q in DESK.queues]
    assert changed.version == DESK.version


def test_a_queue_may_be_opened_for_some_days():
    made = change(DayKind.OTHER, "c", change=QueueChange("c", opened=queue("c", agents=2)))
    check_day_change(made)
    assert agents(on(made)) == {**agents(DESK), "c": 2}


def test_overtime_adds_the_paid_minutes_less_breaks():
    more = on(change(DayKind.OVERTIME, agents=3, minutes=120)).queues[0].capacity_minutes - DESK.queues[0].capacity_minutes
    assert more == pytest.approx(3 * 120 * 0.75)


@given(st.floats(0.1, 6))
def test_moved_agents_bring_their_paid_minutes_and_lose_none(moved):
    made = on(change(DayKind.MOVED, agents=moved, to_queue_id="b"))
    paid = [sum(q.agents * q.paid_minutes for q in each.queues) for each in (DESK, made)]
    assert paid[0] == pytest.approx(paid[1])


@given(
    st.permutations(
        [change(DayKind.SICK, agents=2), change(DayKind.OVERTIME, agents=3, minutes=60), change(DayKind.SICK, agents=1)]
    )
)
def test_sick_calls_and_overtime_come_to_the_same_in_any_order(changes):
    assert agents(on(*changes))["a"] == pytest.approx(6 - 3 + 3 * 60 / 480)


@pytest.mark.parametrize(
    ("made", "field"),
    [
        (change(DayKind.SICK), "agents"),
        (change(DayKind.CLOSED, agents=1), "agents"),
        (change(DayKind.OVERTIME, agents=1), "minutes"),
        (change(DayKind.SICK, agents=1, minutes=5), "minutes"),
        (change(DayKind.SICK, agents=float("nan")), "agents"),
        (change(DayKind.MOVED, agents=1), "to_queue_id"),
        (change(DayKind.MOVED, agents=1, to_queue_id="a"), "to_queue_id"),
        (change(DayKind.SICK, agents=1, to_queue_id="b"), "to_queue_id"),
        (change(DayKind.OTHER), "change"),
        (change(DayKind.OTHER, change=QueueChange("b", agents=1)), "change.queue_id"),
        (change(DayKind.OTHER, change=QueueChange("a", opened=queue("c"))), "change.opened.queue_id"),
        (change(DayKind.CLOSED, last=date(2026, 11, 26)), "last_day"),
        (change(DayKind.CLOSED, last=date(2027, 11, 28)), "last_day"),
        (change(DayKind.CLOSED, note="x" * 2_001), "note"),
    ],
)
def test_a_change_that_says_too_little_or_too_much_is_refused_by_its_field(made, field):
    with pytest.raises(CollectionsError) as caught:
        check_day_change(made)
    assert [violation.field for violation in caught.value.violations] == [field]


@pytest.mark.parametrize(
    ("made", "field", "reason"),
    [
        (change(DayKind.SICK, agents=7), "day_changes[1].agents", Reason.INVALID_ARGUMENT),
        (change(DayKind.SICK, "none", agents=1), "day_changes[1].queue_id", Reason.NOT_FOUND),
        (change(DayKind.MOVED, agents=1, to_queue_id="none"), "day_changes[1].to_queue_id", Reason.NOT_FOUND),
        (change(DayKind.OVERTIME, "unpaid", agents=1, minutes=5), "day_changes[1].queue_id", Reason.INVALID_ARGUMENT),
    ],
)
def test_a_change_that_does_not_fit_the_plan_is_named(made, field, reason):
    with pytest.raises(CollectionsError) as caught:
        on(made)
    assert (caught.value.reason, caught.value.violations[0].field) == (reason, field)


def listed(name, operation, *items):
    return on(change(DayKind.OTHER, change=QueueChange("a", lists=(ListChange(name, operation, items),)))).queues[0]


def test_licences_products_skills_and_windows_are_set_added_and_removed():
    assert listed("states", ListOperation.ADD, "US-IL", "US-TX").states == ("US-TX", "US-MA", "US-IL")
    assert listed("states", ListOperation.REMOVE, "US-MA").states == ("US-TX",)
    assert listed("buckets", ListOperation.SET, "2", "3").buckets == (2, 3)
    assert listed("products", ListOperation.SET).products == ()
    windows = listed("windows", ListOperation.ADD, "18:00-24:00", "08:00-12:00").windows
    assert [window.minutes for window in windows] == [(480, 720), (1080, 1440)]
    assert set(READERS) == {"skills", "specialisms", "products", "buckets", "states", "languages", "windows"}


@pytest.mark.parametrize(
    ("name", "operation", "items"),
    [
        ("licences", ListOperation.SET, ("US-TX",)),
        ("windows", ListOperation.SET, ("8 to 12",)),
        ("buckets", ListOperation.SET, ("two",)),
        ("states", ListOperation.REMOVE, ("US-IL",)),
        ("states", ListOperation.REMOVE, ("US-TX", "US-MA")),  # an empty list would license every state
        ("states", ListOperation.SET, ("Texas",)),
    ],
)
def test_lists_that_cannot_be_are_refused(name, operation, items):
    with pytest.raises(CollectionsError) as caught:
        listed(name, operation, *items)
    assert caught.value.reason is Reason.INVALID_ARGUMENT


def test_differences_name_queue_figure_and_both_values():
    sick = on(change(DayKind.SICK, agents=2))
    assert plan_differences(DESK, DESK) == ()
    assert plan_differences(DESK, replace(sick, version=7, effective_from=SATURDAY)) == (
        PlanDifference("a", "agents", "6", "4"),
        PlanDifference("a", "capacity_minutes", "2160", "1440"),
    )
    fewer = replace(DESK, queues=DESK.queues[:1], currency_code="EUR")
    found = plan_differences(DESK, fewer)
    assert found[0] == PlanDifference("", "currency_code", "USD", "EUR")
    assert [(each.queue_id, each.after) for each in found[1:]] == [("b", ""), ("unpaid", "")]
    assert plan_differences(fewer, DESK)[1:] == tuple(replace(e, before=e.after, after=e.before) for e in found[1:])
    taught = replace(
        DESK, queues=(replace(DESK.queues[0], effect=replace(DESK.queues[0].effect, theta_cure=0.9)), *DESK.queues[1:])
    )
    assert plan_differences(DESK, taught) == (PlanDifference("a", "effect.theta_cure", "0.8", "0.9"),)
