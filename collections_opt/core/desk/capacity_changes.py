"""Changes of a capacity plan: more or fewer agents, minutes, shrinkage, licences; a queue closed or opened."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

from collections_opt.core.desk.list_changes import ListChange, with_list
from collections_opt.core.desk.plan_checks import check_plan
from collections_opt.core.desk.queues import CapacityPlan, Queue
from collections_opt.core.errors import CollectionsError, Reason, refuse

CAPACITY_FIELDS = ("agents", "paid_minutes", "shrinkage", "occupancy", "committed_minutes")
"""Fields of a queue that decide its minutes and nothing else: they never change what an account is worth."""


@dataclass(frozen=True)
class QueueChange:
    """A change of one queue; None leaves a figure as it is. Figures are set first, then the factor applies.

    Attributes:
        queue_id: the queue.
        agents: agents at work that day.
        added_agents: agents more (or, negative, fewer) than ``agents`` or the plan's.
        paid_minutes: paid minutes per agent.
        shrinkage: share of paid minutes lost.
        occupancy: share of the rest that is handling time.
        committed_minutes: minutes already promised.
        capacity_factor: factor on the queue's minutes, reached by more or fewer agents.
        closed: no agent works it.
        opened: a queue that the plan does not have; nothing else may be set.
        lists: changes of skills, specialisms, products, buckets, states, languages and windows, made in order.
        time_zone: IANA zone of its windows; "" is the portfolio's.
    """

    queue_id: str
    agents: float | None = None
    added_agents: float | None = None
    paid_minutes: float | None = None
    shrinkage: float | None = None
    occupancy: float | None = None
    committed_minutes: float | None = None
    capacity_factor: float | None = None
    closed: bool = False
    opened: Queue | None = None
    lists: tuple[ListChange, ...] = ()
    time_zone: str | None = None


def changed_plan(plan: CapacityPlan, changes: Sequence[QueueChange]) -> CapacityPlan:
    """Return the plan with changes made, in order, and version 0; queues keep their places, opened ones come last.

    Raises:
        CollectionsError: NOT_FOUND or INVALID_ARGUMENT with the path in the changes (``changes[2].shrinkage``).
    """
    cause: dict[int, str] = {}
    for index, change in enumerate(changes):
        path = f"changes[{index}]"
        if change.opened is not None:
            cause[len(plan.queues)] = f"{path}.opened"
            plan = _with_opened(plan, change, path)
            continue
        place = next((k for k, queue in enumerate(plan.queues) if queue.queue_id == change.queue_id), -1)
        if place < 0:
            known = ", ".join(queue.queue_id for queue in plan.queues)
            told = f"{change.queue_id!r} is not in the plan."
            raise refuse(Reason.NOT_FOUND, f"{path}.queue_id", told, f"Use one of: {known}.", change.queue_id)
        cause[place] = path
        queues = list(plan.queues)
        queues[place] = _changed(queues[place], change, path)
        plan = replace(plan, queues=tuple(queues))
    plan = replace(plan, version=0)
    try:
        check_plan(plan)
    except CollectionsError as error:
        found = tuple(replace(v, field=_blamed(v.field, cause)) for v in error.violations)
        raise CollectionsError(error.reason, f"The changes make {len(found)} field(s) wrong.", found) from error
    return plan


def _blamed(field: str, cause: Mapping[int, str]) -> str:
    """Return the change that made a field of the plan wrong: ``queues[3].shrinkage`` -> ``changes[0].shrinkage``."""
    parts = re.fullmatch(r"queues\[(\d+)\](.*)", field)
    return cause.get(int(parts[1]), f"queues[{parts[1]}]") + parts[2] if parts else field


def same_cells(first: Queue, second: Queue) -> bool:
    """True when two queues value every account alike: they differ in capacity and words only."""
    worded = replace(first, name=second.name, skills=second.skills)
    return all(getattr(worded, f.name) == getattr(second, f.name) for f in fields(Queue) if f.name not in CAPACITY_FIELDS)


def _with_opened(plan: CapacityPlan, change: QueueChange, path: str) -> CapacityPlan:
    assert change.opened is not None
    if change != QueueChange(change.queue_id, opened=change.opened) or change.queue_id not in {"", change.opened.queue_id}:
        raise refuse(
            Reason.INVALID_ARGUMENT, f"{path}.opened", "goes with no other figure.", "Put every figure into the opened queue."
        )
    if any(queue.queue_id == change.opened.queue_id for queue in plan.queues):
        raise refuse(
            Reason.INVALID_ARGUMENT,
            f"{path}.opened.queue_id",
            f"{change.opened.queue_id!r} is in the plan already.",
            "Change its agents, or open a queue under another id.",
        )
    return replace(plan, queues=(*plan.queues, change.opened))


def _changed(queue: Queue, change: QueueChange, path: str) -> Queue:
    given = {name: value for name in CAPACITY_FIELDS if (value := getattr(change, name)) is not None}
    figured = bool(given) or change.added_agents is not None or change.capacity_factor is not None
    nothing = not figured and not change.lists and change.time_zone is None
    if nothing and not change.closed:
        raise refuse(Reason.INVALID_ARGUMENT, path, f"changes nothing of {queue.queue_id!r}.", "Set at least one figure.")
    if change.closed and not nothing:
        raise refuse(
            Reason.INVALID_ARGUMENT, f"{path}.closed", "goes with no other figure.", "Close the queue, or change its figures."
        )
    if change.closed:
        return replace(queue, agents=0.0)
    queue = replace(queue, **given)
    for index, listed in enumerate(change.lists):
        queue = with_list(queue, listed, f"{path}.lists[{index}]")
    if change.time_zone is not None:
        queue = replace(queue, time_zone=change.time_zone)
    if change.added_agents is not None:
        queue = replace(queue, agents=queue.agents + change.added_agents)
    if change.capacity_factor is None:
        return queue
    if not 0 <= change.capacity_factor <= 100:
        raise refuse(
            Reason.INVALID_ARGUMENT,
            f"{path}.capacity_factor",
            f"{change.capacity_factor:g} is outside 0 to 100.",
            "1.1 is ten per cent more.",
        )
    if not queue.capacity_minutes > 0:
        raise refuse(
            Reason.INVALID_ARGUMENT, f"{path}.capacity_factor", f"{queue.queue_id!r} has no minutes to scale.", "Set its agents."
        )
    return _scaled(queue, change.capacity_factor)


def _scaled(queue: Queue, factor: float) -> Queue:
    """M = agents * paid * (1 - shrinkage) * occupancy - committed, solved for the agents that give factor * M."""
    per_agent = queue.paid_minutes * (1.0 - queue.shrinkage) * queue.occupancy
    return replace(queue, agents=(factor * queue.capacity_minutes + queue.committed_minutes) / per_agent)
