"""The form of a desk: who is away, stays longer or works elsewhere for some days, and what its next version says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from collections_opt.core.desk.capacity_changes import QueueChange, changed_plan
from collections_opt.core.desk.day_changes import DayChange, DayKind, check_day_change, queue_changes
from collections_opt.core.desk.queues import CapacityPlan, Queue
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse

MINUTES = 60.0
PER_CENT = 100.0


@dataclass(frozen=True)
class DeskForm:
    """What somebody changed.

    Attributes:
        plan: the plan that the form showed.
        version: changes of the plan itself.
        days: changes that end by themselves.
        shown: what each field says, to be shown again.
    """

    plan: CapacityPlan
    version: tuple[QueueChange, ...]
    days: tuple[DayChange, ...]
    shown: Mapping[str, str]

    @property
    def changes(self) -> tuple[QueueChange, ...]:
        """Every change, in order, as changes of queues: what a what-if is asked."""
        made, plan = list(self.version), changed_plan(self.plan, self.version) if self.version else self.plan
        for change in self.days:
            more = queue_changes(plan, change)
            plan = changed_plan(plan, more)
            made += more
        return tuple(made)

    @property
    def told(self) -> list[str]:
        """Every change in words."""
        return [*(_version_words(change) for change in self.version), *(_day_words(change) for change in self.days)]


def read_form(form: Mapping[str, str], plan: CapacityPlan, day: date) -> DeskForm:
    """Return what a form says of a plan; a field that is empty or says what the plan says changes nothing.

    Raises:
        CollectionsError: INVALID_ARGUMENT with every field that is no number, or that contradicts another.
    """
    reader = _Reader(form, day)
    version: list[QueueChange] = []
    days: list[DayChange] = []
    for index, queue in enumerate(plan.queues):
        version += reader.version(index, queue)
        days += reader.days(index, queue)
    version += reader.opened(plan)
    if reader.faults:
        raise CollectionsError(Reason.INVALID_ARGUMENT, f"{len(reader.faults)} field(s) are at fault.", tuple(reader.faults))
    for change in days:
        check_day_change(change)
    return DeskForm(plan, tuple(version), tuple(days), dict(form))


class _Reader:
    def __init__(self, form: Mapping[str, str], day: date) -> None:
        self._form = form
        self.faults: list[FieldViolation] = []
        self._first = self._day("first_day", day)
        self._last = self._day("last_day", self._first)
        self._note = form.get("note", "").strip()

    def version(self, index: int, queue: Queue) -> list[QueueChange]:
        """Return the change of the plan's own figures of a queue; none where they are as they were."""
        agents = self._number(f"agents.{index}", f"agents of {queue.queue_id}")
        paid = self._number(f"paid.{index}", f"paid hours in {queue.queue_id}")
        lost = self._number(f"lost.{index}", f"lost time in {queue.queue_id}")
        change = QueueChange(
            queue.queue_id,
            agents=_differs(agents, queue.agents),
            paid_minutes=_differs(None if paid is None else paid * MINUTES, queue.paid_minutes),
            shrinkage=_differs(None if lost is None else lost / PER_CENT, queue.shrinkage),
        )
        return [] if change == QueueChange(queue.queue_id) else [change]

    def days(self, index: int, queue: Queue) -> list[DayChange]:
        """Return what differs for some days in a queue."""
        base = DayChange(DayKind.SICK, self._first, self._last, queue.queue_id, note=self._note)
        if self._form.get(f"closed.{index}") or self._form.get("all_closed"):
            return [replace(base, kind=DayKind.CLOSED)]
        found = []
        for name, kind in (
            ("sick", DayKind.SICK),
            ("holiday", DayKind.HOLIDAY),
            ("longer", DayKind.OVERTIME),
            ("moved", DayKind.MOVED),
        ):
            agents = self._number(f"{name}.{index}", f"{name} in {queue.queue_id}")
            if not agents:
                continue
            minutes = self._number(f"minutes.{index}", f"minutes longer in {queue.queue_id}") or 0.0
            to = self._form.get(f"to.{index}", "")
            found.append(
                replace(
                    base,
                    kind=kind,
                    agents=agents,
                    minutes=minutes if kind is DayKind.OVERTIME else 0.0,
                    to_queue_id=to if kind is DayKind.MOVED else "",
                )
            )
        return found

    def opened(self, plan: CapacityPlan) -> list[QueueChange]:
        """Return a queue that is opened as a copy of another."""
        queue_id = self._form.get("open_id", "").strip()
        if not queue_id:
            return []
        like = next((queue for queue in plan.queues if queue.queue_id == self._form.get("open_like")), None)
        agents = self._number("open_agents", "agents of the new queue")
        if like is None or agents is None:
            self.faults.append(FieldViolation("open_like", "is missing.", "Say which queue it is like, and its agents."))
            return []
        name = self._form.get("open_name", "").strip() or queue_id
        return [QueueChange(queue_id, opened=replace(like, queue_id=queue_id, name=name, agents=agents))]

    def _number(self, field: str, name: str) -> float | None:
        text = self._form.get(field, "").strip()
        if not text:
            return None
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not 0.0 <= number <= 1e6:
            self.faults.append(FieldViolation(name, f"is {text[:40]!r}.", "Give a number from 0."))
            return None
        return number

    def _day(self, field: str, otherwise: date) -> date:
        text = self._form.get(field, "").strip()
        try:
            return date.fromisoformat(text) if text else otherwise
        except ValueError:
            self.faults.append(FieldViolation(field, f"{text[:40]!r} is no day.", "Write 2026-11-27."))
            return otherwise


def next_version(form: DeskForm, effective_from: date, note: str) -> CapacityPlan:
    """Return the plan's next version as the form says it, with why.

    Raises:
        CollectionsError: INVALID_ARGUMENT where the form changes nothing of the plan itself.
    """
    if not form.version:
        remedy = "Change agents, hours or lost time, or open a queue; who is away for some days is stored for these days."
        raise refuse(Reason.INVALID_ARGUMENT, "plan", "is not changed by this form.", remedy)
    labels = {**form.plan.labels, **({"note": note} if note else {})}
    return replace(changed_plan(form.plan, form.version), effective_from=effective_from, labels=labels)


def _differs(value: float | None, held: float) -> float | None:
    return None if value is None or abs(value - held) <= 1e-6 * max(abs(held), 1e-3) else value


def _version_words(change: QueueChange) -> str:
    if change.opened is not None:
        return f"{change.opened.queue_id}: opened with {change.opened.agents:g} agents"
    said: Sequence[tuple[str, float | None]] = (
        ("agents", change.agents),
        ("paid hours", None if change.paid_minutes is None else change.paid_minutes / MINUTES),
        ("% of time lost", None if change.shrinkage is None else change.shrinkage * PER_CENT),
    )
    return f"{change.queue_id}: " + ", ".join(f"{value:g} {name}" for name, value in said if value is not None)


def _day_words(change: DayChange) -> str:
    span = f"{change.first_day}" if change.first_day == change.last_day else f"{change.first_day} to {change.last_day}"
    what = {
        DayKind.SICK: f"{change.agents:g} sick",
        DayKind.HOLIDAY: f"{change.agents:g} on holiday",
        DayKind.OVERTIME: f"{change.agents:g} stay {change.minutes:g} minutes longer",
        DayKind.MOVED: f"{change.agents:g} moved to {change.to_queue_id}",
        DayKind.CLOSED: "closed",
    }[change.kind]
    return f"{change.queue_id}, {span}: {what}"
