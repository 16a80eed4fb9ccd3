"""What differs between two plans, queue by queue."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass

from collections_opt.core.desk.day_windows import DayWindow
from collections_opt.core.desk.list_changes import shown_window
from collections_opt.core.desk.queues import CapacityPlan, Queue

_UNSAID = ("plan_id", "version", "queues", "effective_from")


@dataclass(frozen=True)
class PlanDifference:
    """A figure that two plans say differently.

    Attributes:
        queue_id: the queue; "" for the plan's own.
        field: dotted name, such as ``effect.theta_cure``; ``capacity_minutes`` is what the figures come to.
        before: as a person reads it; "" where the queue is new.
        after: likewise; "" where the queue is gone.
    """

    queue_id: str
    field: str
    before: str
    after: str


def plan_differences(before: CapacityPlan, after: CapacityPlan) -> tuple[PlanDifference, ...]:
    """Return what differs: first of the plan, then of its queues in order, those that are gone last.

    Ids, versions and first days are not compared: they are how the two are told apart.
    """
    found = [
        PlanDifference("", f.name, _shown(getattr(before, f.name)), _shown(getattr(after, f.name)))
        for f in fields(CapacityPlan)
        if f.name not in _UNSAID and getattr(before, f.name) != getattr(after, f.name)
    ]
    old, new = ({queue.queue_id: queue for queue in plan.queues} for plan in (before, after))
    for queue_id, queue in new.items():
        if queue_id in old:
            found += _queue_differences(old[queue_id], queue)
        else:
            found.append(PlanDifference(queue_id, "capacity_minutes", "", _shown(queue.capacity_minutes)))
    gone = [queue for queue_id, queue in old.items() if queue_id not in new]
    found += [PlanDifference(queue.queue_id, "capacity_minutes", _shown(queue.capacity_minutes), "") for queue in gone]
    return tuple(found)


def _queue_differences(before: Queue, after: Queue) -> list[PlanDifference]:
    pairs = list(_figures(before, after))
    if before.capacity_minutes != after.capacity_minutes:
        pairs.append(("capacity_minutes", before.capacity_minutes, after.capacity_minutes))
    return [PlanDifference(after.queue_id, name, _shown(old), _shown(new)) for name, old, new in pairs]


def _figures(before: object, after: object, prefix: str = "") -> list[tuple[str, object, object]]:
    found: list[tuple[str, object, object]] = []
    for f in fields(before):  # type: ignore[arg-type]
        old, new = getattr(before, f.name), getattr(after, f.name)
        if old == new:
            continue
        if is_dataclass(old):
            found += _figures(old, new, f"{prefix}{f.name}.")
        else:
            found.append((prefix + f.name, old, new))
    return found


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, tuple):
        return ", ".join(shown_window(item) if isinstance(item, DayWindow) else str(item) for item in value) or "-"
    if isinstance(value, dict):
        return ", ".join(f"{key}={item}" for key, item in sorted(value.items())) or "-"
    return str(value)
