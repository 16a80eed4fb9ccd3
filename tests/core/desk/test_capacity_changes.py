"""Changes of a plan: each does what it says, keeps the rest, and is blamed by its own path."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_opt.core.desk.capacity_changes import QueueChange, changed_plan, same_cells
from collections_opt.core.desk.queues import ContactEffect
from collections_opt.core.errors import CollectionsError, Reason
from tests.support.factories import plan, queue

DESK = plan(queue("a", agents=4, shrinkage=0.25, occupancy=0.8, committed_minutes=100), queue("b"), queue("shut", agents=0))


def test_figures_are_set_then_agents_added_then_minutes_scaled():
    made = changed_plan(DESK, [QueueChange("a", agents=6, added_agents=-1, committed_minutes=0, capacity_factor=1.5)])
    assert made.queues[0].capacity_minutes == pytest.approx(1.5 * 5 * 480 * 0.75 * 0.8)
    assert made.queues[1:] == DESK.queues[1:]
    assert made.version == 0


@given(st.floats(0, 100))
def test_a_factor_scales_the_minutes_exactly_and_keeps_the_commitments(factor):
    made = changed_plan(DESK, [QueueChange("a", capacity_factor=factor)]).queues[0]
    assert made.capacity_minutes == pytest.approx(factor * DESK.queues[0].capacity_minutes)
    assert made.committed_minutes == 100


def test_a_queue_is_closed_or_opened_and_keeps_its_place():
    new = queue("new", effect=ContactEffect(0.2, 0.1, 0.1))
    made = changed_plan(DESK, [QueueChange("b", closed=True), QueueChange("new", opened=new), QueueChange("new", agents=3)])
    assert [q.queue_id for q in made.queues] == ["a", "b", "shut", "new"]
    assert made.queues[1].capacity_minutes == 0
    assert made.queues[3].agents == 3


def test_only_capacity_and_words_leave_the_cells_alike():
    first = DESK.queues[0]
    assert same_cells(first, changed_plan(DESK, [QueueChange("a", agents=1, shrinkage=0.5)]).queues[0])
    assert same_cells(queue("a", skills=("x",)), queue("a"))
    assert not same_cells(queue("a", talk_minutes=7.0), queue("a"))
    assert not same_cells(queue("a", buckets=(1,)), queue("a"))


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        (QueueChange("none", agents=1), "changes[0].queue_id", Reason.NOT_FOUND),
        (QueueChange("a"), "changes[0]", Reason.INVALID_ARGUMENT),
        (QueueChange("a", closed=True, agents=2), "changes[0].closed", Reason.INVALID_ARGUMENT),
        (QueueChange("a", capacity_factor=-1), "changes[0].capacity_factor", Reason.INVALID_ARGUMENT),
        (QueueChange("a", capacity_factor=float("nan")), "changes[0].capacity_factor", Reason.INVALID_ARGUMENT),
        (QueueChange("shut", capacity_factor=1.1), "changes[0].capacity_factor", Reason.INVALID_ARGUMENT),
        (QueueChange("a", shrinkage=2), "changes[0].shrinkage", Reason.INVALID_ARGUMENT),
        (QueueChange("a", added_agents=-9), "changes[0].agents", Reason.INVALID_ARGUMENT),
        (QueueChange("", opened=queue("a")), "changes[0].opened.queue_id", Reason.INVALID_ARGUMENT),
        (QueueChange("x", opened=queue("y")), "changes[0].opened", Reason.INVALID_ARGUMENT),
        (QueueChange("y", agents=1, opened=queue("y")), "changes[0].opened", Reason.INVALID_ARGUMENT),
        (QueueChange("y", opened=queue("y", occupancy=3)), "changes[0].opened.occupancy", Reason.INVALID_ARGUMENT),
    ],
)
def test_a_change_that_cannot_be_made_is_named(change, field, reason):
    with pytest.raises(CollectionsError) as caught:
        changed_plan(DESK, [change])
    assert ([v.field for v in caught.value.violations], caught.value.reason) == ([field], reason)
