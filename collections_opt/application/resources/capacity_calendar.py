"""A plan over time: which version is in force on a day, days that differ, and versions and changes that are taken back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

from collections_opt.application.resources.calendar_changes import (
    AskedChange,
    CalendarStep,
    asked_change,
    decided_anew,
    not_in_force,
)
from collections_opt.application.resources.calendar_views import (
    CalendarChange,
    CalendarView,
    PlannedDays,
    PlanOnDay,
    VersionState,
    calendar_of,
)
from collections_opt.application.settings import dump, load
from collections_opt.core.actors import UNKNOWN, Actor
from collections_opt.core.arrays import digest_text
from collections_opt.core.desk.calendar import Calendar, StandingVersion
from collections_opt.core.desk.day_changes import DayChange, StoredDayChange, changed_on_days, check_day_change
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.limits import MAX_CHANGED_DAYS
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.records import CapacityAct, CapacityActKind, CapacityBook, PlanRecord


class CapacityCalendar:
    """The use cases around plans over time.

    Args:
        ledger: where versions and acts are recorded.
        now: the clock.
        publish: signs the log after a record.
    """

    def __init__(self, ledger: Ledger, now: Callable[[], datetime], publish: Callable[[], object]) -> None:
        self._ledger = ledger
        self._now = now
        self._publish = publish

    def on(self, plan_id: str, day: date) -> PlanOnDay:
        """Return the plan as it is on a day.

        Raises:
            CollectionsError: NOT_FOUND; CAPACITY_PLAN_NOT_EFFECTIVE when every version starts later.
        """
        return self._on(plan_id, day, calendar_of(self._ledger.capacity_acts.book(plan_id, day, day)))

    def settled(self, plan_id: str, day: date) -> CapacityPlan:
        """Return the plan as it is on a day under a version that a record can name; a changed day is stored as one first.

        Raises:
            CollectionsError: as ``on``.
        """
        return decided_anew(lambda: self._settle(plan_id, day))

    def settled_rest(self, plan: CapacityPlan, day: date, rest: CapacityPlan) -> CapacityPlan:
        """Return what is left of a plan's day under a version that a record can name; it is in force on no day.

        Args:
            plan: the plan of the day.
            day: the day.
            rest: what is left of it.
        """
        told = {"standing": plan.version, "changes": [], "rest": True}
        return decided_anew(lambda: self._settle_as(self._ledger.capacity_acts.book(plan.plan_id, day, day), rest, day, told))

    def version_on(self, plan_id: str, version: int, day: date) -> CapacityPlan:
        """Return a version that a caller names for a day.

        Raises:
            CollectionsError: NOT_FOUND; INVALID_ARGUMENT for one that was taken back or settled for another day.
        """
        plan = self.stored(self._ledger.plans.get(plan_id, version))
        for act in self._ledger.capacity_acts.book(plan_id).acts:
            if act.number != version:
                continue
            if act.kind is CapacityActKind.VERSION_TAKEN_BACK:
                raise refuse(Reason.INVALID_ARGUMENT, "plan_version", f"{version} was taken back.", "Leave it out.")
            if act.kind is CapacityActKind.SETTLED and act.first_day != day.isoformat():
                told = f"{version} is the plan of {act.first_day} alone, not of {day}."
                raise refuse(Reason.INVALID_ARGUMENT, "plan_version", told, "Leave it out.")
        return plan

    def view(self, plan_id: str, first: date, last: date) -> CalendarView:
        """Return a plan from one day to another.

        Raises:
            CollectionsError: NOT_FOUND; INVALID_ARGUMENT for no days or too many.
        """
        if not 0 <= (last - first).days < MAX_CHANGED_DAYS:
            raise refuse(Reason.INVALID_ARGUMENT, "last_day", f"{first} to {last}.", f"Ask for 1 to {MAX_CHANGED_DAYS} days.")
        return self._view(plan_id, calendar_of(self._ledger.capacity_acts.book(plan_id, first, last)), first, last)

    def plans_on(self, plan_id: str, first: date, last: date) -> list[CapacityPlan]:
        """Return the plan as it is on each of some days, those before its first version left out.

        Raises:
            CollectionsError: as ``view``.
        """
        alike = self.view(plan_id, first, last).days
        return [each.plan for each in alike if each.plan for _ in range((each.days.last_day - each.days.first_day).days + 1)]

    def change_days(
        self,
        plan_id: str,
        change: DayChange,
        etag: str,
        actor: Actor = UNKNOWN,
        validate_only: bool = False,
        request_id: str = "",
    ) -> CalendarChange:
        """Change days of a queue, from what is in force on each of them.

        Args:
            plan_id: the plan.
            change: what differs.
            etag: of the view of its days; "" only where nothing is recorded.
            actor: who.
            validate_only: show the days before and after and record nothing.
            request_id: the same id with the same change again records nothing, and shows the days as they are by then.

        Raises:
            CollectionsError: INVALID_ARGUMENT with every field at fault; ETAG_MISMATCH when the days are others by now;
                REQUEST_ID_REUSED;
                CAPACITY_PLAN_NOT_EFFECTIVE when no version is in force on some of them.
        """
        check_day_change(change)
        payload, days = dump(change), (change.first_day, change.last_day)

        def step(held: Calendar) -> CalendarStep:
            for alike in held.days(*days):
                if not alike.version:
                    raise not_in_force(plan_id, alike.first_day)
            made = replace(held, changes=(*held.changes, StoredDayChange(0, change)))
            first, last = (day.isoformat() for day in days)
            return CalendarStep(made, days, CapacityAct(plan_id, 0, CapacityActKind.DAYS, 0, first, last, payload, ""))

        return self._change(plan_id, step, asked_change(etag, actor, validate_only, request_id, f"{plan_id}/days/{payload}"))

    def take_back_days(
        self, plan_id: str, change_id: int, etag: str, actor: Actor = UNKNOWN, validate_only: bool = False, request_id: str = ""
    ) -> CalendarChange:
        """Take a change of days back; others that stand on the same days stay. Arguments as ``change_days``.

        Raises:
            CollectionsError: NOT_FOUND; ETAG_MISMATCH; INVALID_ARGUMENT when another change would no longer fit.
        """

        def step(held: Calendar) -> CalendarStep:
            gone = next((each.change for each in held.changes if each.change_id == change_id), None)
            if gone is None:
                raise refuse(
                    Reason.NOT_FOUND,
                    "change_id",
                    f"no change {change_id} stands.",
                    "List the days to see what does.",
                    str(change_id),
                )
            made = replace(held, changes=tuple(each for each in held.changes if each.change_id != change_id))
            act = CapacityAct(plan_id, 0, CapacityActKind.DAYS_TAKEN_BACK, change_id, "", "", "{}", "")
            return CalendarStep(made, (gone.first_day, gone.last_day), act)

        return self._change(plan_id, step, asked_change(etag, actor, validate_only, request_id, f"{plan_id}/days/{change_id}"))

    def take_back_version(
        self, plan_id: str, version: int, etag: str, actor: Actor = UNKNOWN, validate_only: bool = False, request_id: str = ""
    ) -> CalendarChange:
        """Take a version back: it is in force on no day any more; rankings made with it keep it. Arguments as ``change_days``.

        The days shown are its own, as far as a view reaches; of a version without an end, its first.

        Raises:
            CollectionsError: NOT_FOUND; ETAG_MISMATCH; INVALID_ARGUMENT for the only one that stands, and when a change of days
                would no longer fit.
        """

        def step(held: Calendar) -> CalendarStep:
            mine = next((each for each in held.standing if each.version == version), None)
            if mine is None:
                raise refuse(Reason.NOT_FOUND, "version", f"no version {version} stands.", "List the versions.", str(version))
            if len(held.standing) == 1:
                raise refuse(Reason.INVALID_ARGUMENT, "version", "is the only one that stands.", "Store another one first.")
            made = replace(held, standing=tuple(each for each in held.standing if each != mine))
            self._check_changes(plan_id, made, mine.effective_from)
            first = mine.effective_from
            last = min(held.ends(version) or first, first + timedelta(MAX_CHANGED_DAYS - 1))
            act = CapacityAct(plan_id, 0, CapacityActKind.VERSION_TAKEN_BACK, version, "", "", "{}", "")
            return CalendarStep(made, (first, last), act)

        return self._change(plan_id, step, asked_change(etag, actor, validate_only, request_id, f"{plan_id}/version/{version}"))

    def check_next(self, plan: CapacityPlan) -> None:
        """Refuse a next version that changes of days would no longer fit: on such a day no ranking could be made.

        Raises:
            CollectionsError: INVALID_ARGUMENT or NOT_FOUND, naming the change.
        """
        try:
            held = calendar_of(self._ledger.capacity_acts.book(plan.plan_id))
        except CollectionsError as error:
            if error.reason is not Reason.NOT_FOUND:
                raise
            return
        new = max(each.version for each in held.standing) + 1
        made = replace(held, standing=(*held.standing, StandingVersion(new, plan.effective_from)))
        self._check_changes(plan.plan_id, made, plan.effective_from, {new: plan})

    def states(self, plan_id: str) -> dict[int, VersionState]:
        """Return what became of the versions of a plan that stand, were taken back or settled, by version."""
        book = self._ledger.capacity_acts.book(plan_id)
        held = calendar_of(book)
        found = {each.version: VersionState(until=held.ends(each.version)) for each in held.standing}
        for act in book.acts:
            if act.kind is CapacityActKind.VERSION_TAKEN_BACK:
                found[act.number] = VersionState(taken_back=True)
            elif act.kind is CapacityActKind.SETTLED:
                told, day = json.loads(act.payload), date.fromisoformat(act.first_day)
                changes = tuple(told["changes"])
                found[act.number] = VersionState(settled_for=day, standing=told["standing"], change_ids=changes)
        return found

    def changes(self, plan_id: str, first: date, last: date) -> list[tuple[StoredDayChange, CapacityAct]]:
        """Return the changes that stand on any of some days, in order, with the acts that stored them."""
        book = self._ledger.capacity_acts.book(plan_id, first, last)
        acts = {act.act: act for act in book.acts}
        return [(stored, acts[stored.change_id]) for stored in calendar_of(book).changes]

    def stored(self, record: PlanRecord) -> CapacityPlan:
        """Return a record's plan with its version."""
        return replace(load(record.payload, CapacityPlan), version=record.version)

    def _on(self, plan_id: str, day: date, calendar: Calendar) -> PlanOnDay:
        version = calendar.version_on(day)
        if not version:
            raise not_in_force(plan_id, day)
        record = self._ledger.plans.get(plan_id, version)
        changes = calendar.changes_on(day)
        return PlanOnDay(changed_on_days(self.stored(record), changes), record, changes)

    def _settle(self, plan_id: str, day: date) -> CapacityPlan:
        book = self._ledger.capacity_acts.book(plan_id, day, day)
        found = self._on(plan_id, day, calendar_of(book))
        if not found.changes:
            return found.plan
        told = {"standing": found.standing.version, "changes": [each.change_id for each in found.changes]}
        return self._settle_as(book, found.plan, day, told)

    def _settle_as(self, book: CapacityBook, plan: CapacityPlan, day: date, told: Mapping[str, object]) -> CapacityPlan:
        payload = dump(replace(plan, version=0, effective_from=day))
        for act in book.acts:
            if act.kind is CapacityActKind.SETTLED:
                stored = self._ledger.plans.get(plan.plan_id, act.number)
                if stored.payload == payload:
                    return self.stored(stored)
        text, iso = json.dumps(told, sort_keys=True), day.isoformat()
        act = CapacityAct(plan.plan_id, 0, CapacityActKind.SETTLED, 0, iso, iso, text, "")
        record = self._ledger.capacity_acts.add_settled_plan(act, payload, book.state, self._now())
        self._publish()
        return self.stored(record)

    def _view(self, plan_id: str, calendar: Calendar, first: date, last: date) -> CalendarView:
        days: list[PlannedDays] = []
        told = []
        known: dict[int, PlanRecord] = {}
        for alike in calendar.days(first, last):
            if alike.version and alike.version not in known:
                known[alike.version] = self._ledger.plans.get(plan_id, alike.version)
            record = known.get(alike.version)
            plan = changed_on_days(self.stored(record), alike.changes) if record else None
            days.append(PlannedDays(alike, plan))
            named = [each.change_id for each in alike.changes]
            told.append([alike.first_day.isoformat(), record.etag if record else "", named])
        return CalendarView(tuple(days), digest_text(f"{plan_id}/{json.dumps(told)}")[:16])

    def _check_changes(self, plan_id: str, calendar: Calendar, since: date, given: dict[int, CapacityPlan] | None = None) -> None:
        last = max((each.change.last_day for each in calendar.changes), default=since)
        plans = dict(given or {})
        for alike in calendar.days(since, max(last, since)):
            if alike.changes and alike.version:
                if alike.version not in plans:
                    plans[alike.version] = self.stored(self._ledger.plans.get(plan_id, alike.version))
                changed_on_days(plans[alike.version], alike.changes)

    def _change(self, plan_id: str, step_of: Callable[[Calendar], CalendarStep], asked: AskedChange) -> CalendarChange:
        if not (asked.etag or asked.validate_only):
            raise refuse(Reason.INVALID_ARGUMENT, "etag", "is empty.", "Check it first, and send the etag of the days before.")

        before = self._ledger.capacity_acts.made_by(asked.key) if asked.key else None
        if before is not None:
            view = self._view(plan_id, calendar_of(self._ledger.capacity_acts.book(plan_id)), *self._days_of(before))
            return CalendarChange(view, view, before.act)

        def decide() -> CalendarChange:
            book = self._ledger.capacity_acts.book(plan_id)
            held = calendar_of(book)
            step = step_of(held)
            before = self._view(plan_id, held, *step.days)
            if asked.etag and asked.etag != before.etag:
                raise refuse(
                    Reason.ETAG_MISMATCH,
                    "etag",
                    "is not of these days as they stand.",
                    "Take the one that the calendar shows (GetCapacityCalendar, `capacity calendar`).",
                )
            after = self._view(plan_id, step.made, *step.days)
            if asked.validate_only:
                return CalendarChange(before, after)
            act = self._ledger.capacity_acts.add(step.act, book.state, self._now(), asked.actor, asked.key)
            after = self._view(
                plan_id, calendar_of(self._ledger.capacity_acts.book(plan_id)), *step.days
            )  # with the number that the change got
            return CalendarChange(before, after, act.act)

        made = decided_anew(decide)
        if not asked.validate_only:
            self._publish()
        return made

    def _days_of(self, act: CapacityAct) -> tuple[date, date]:
        """Return the days that an act was about; of a version taken back, the first."""
        if act.kind is CapacityActKind.VERSION_TAKEN_BACK:
            first = date.fromisoformat(self._ledger.plans.get(act.plan_id, act.number).effective_from)
            return first, first
        if act.kind is CapacityActKind.DAYS_TAKEN_BACK:
            act = next(each for each in self._ledger.capacity_acts.book(act.plan_id).acts if each.act == act.number)
        return date.fromisoformat(act.first_day), date.fromisoformat(act.last_day)
