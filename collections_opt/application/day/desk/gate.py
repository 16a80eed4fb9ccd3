"""The gate that every contact passes: the account as it stands, rules as they bind, and the hours of this very minute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.day.desk.live_desk import LiveDesk
from collections_opt.core.day.event_columns import EventColumns
from collections_opt.core.day.live import LiveAccounts, Moment, Removal, live_accounts
from collections_opt.core.desk.queues import Queue
from collections_opt.core.experiments.arms import Arm, protected_persons
from collections_opt.core.rules.call_hours import FREE, NO_HOURS, OpenMinutes
from collections_opt.core.rules.eligibility import evaluate
from collections_opt.core.rules.of_day import NO_MINUTE
from collections_opt.core.rules.tables import RuleKind, RuleTable

Ints = NDArray[np.int64]

PERSON_WORKED = "PERSON_WORKED"
HELD_OUT = "HELD_OUT"
OTHER_PLAN = "OTHER_PLAN"
CHOSEN_HOURS = "CHOSEN_HOURS"
RULE = "RULE"
HOURS = "HOURS"

_EVER = datetime(9000, 1, 1, tzinfo=UTC)
"""What is known now is all that is known."""


@dataclass(frozen=True)
class Verdict:
    """Whether an account may be contacted by a queue now.

    Attributes:
        barred: why not, in one word: a ``Removal``, HELD_OUT, OTHER_PLAN, PERSON_WORKED, RULE, HOURS or CHOSEN_HOURS; "" where it
            may.
        rule_id: the rule that forbids it, "" where none does.
        event: sequence of the event that is to blame, 0 where none is.
        attempts: attempts that rules leave now, where it may be contacted.
    """

    barred: str = ""
    rule_id: str = ""
    event: int = 0
    attempts: int = 0

    @property
    def by_hours(self) -> bool:
        """Whether a later minute of the day may open it."""
        return self.barred in (HOURS, CHOSEN_HOURS)


class Gate:
    """Judges accounts of a desk under the rules of a day; what was judged is remembered while nothing about it changes.

    Args:
        desk: the ranking in work.
        rules: what binds on the day.
    """

    def __init__(self, desk: LiveDesk, rules: RuleTable) -> None:
        self._desk = desk
        self.rules = rules
        day, home = desk.day, desk.portfolio.time_zone
        self._hours_rules = [r for r in rules.rules if r.kind is RuleKind.HOURS and r.in_force(day)]
        self._facts = replace(rules, rules=tuple(r for r in rules.rules if r.kind is not RuleKind.HOURS))
        self._open = OpenMinutes(day, home, self._hours_rules, rules.strict_places)
        self._known: dict[tuple[int, int], tuple[int, datetime, Verdict]] = {}
        self._barred: dict[int, Ints] = {}
        self._hours: dict[tuple[object, ...], int] = {}
        self._minute = datetime(1, 1, 1, tzinfo=UTC)

    def knows(self, row: int, queue: int, now: datetime) -> bool:
        """Return whether an account was judged already, and nothing changed since."""
        return self._remembered(row, queue, self._at_minute(now)) is not None

    def verdict(self, row: int, queue: int, now: datetime) -> Verdict:
        """Return whether one account may be contacted by a queue now."""
        return self.verdicts([row], queue, now)[0]

    def verdicts(self, rows: Sequence[int], queue: int, now: datetime) -> list[Verdict]:
        """Return whether accounts may be contacted by a queue now, in the order asked."""
        minute = self._at_minute(now)
        unknown = [row for row in rows if self._remembered(row, queue, minute) is None]
        if unknown:
            self._judge(unknown, queue, now, minute)
        return [self._known[row, queue][2] for row in rows]

    def candidates(self, rows: Ints, queue: int, now: datetime) -> Ints:
        """Return the accounts among some, in their order, that need a closer look: neither held, nor closed by the hours of
        their place, nor known to be barred while nothing about them changes."""
        desk = self._desk
        self._at_minute(now)
        names, group = desk.groups
        team = self._queue(queue)
        shut = np.array([self._closed(state, zone, team, now) != FREE for state, zone in names], dtype=bool)
        wanted = (desk.busy[rows] == 0) & (~shut[group[rows]] | desk.moved[rows])
        barred = self._barred.get(queue)
        if barred is not None:
            wanted &= barred[rows] != desk.version[rows]
        return np.asarray(rows[wanted], dtype=np.int64)

    def live(self, rows: Sequence[int], now: datetime) -> LiveAccounts:
        """Return accounts as they stand; ``rows`` rise."""
        places, events = self._desk.events_of(rows)
        taken = self._desk.portfolio.take(np.array(rows, dtype=np.int64))
        came = self._desk.came
        moment = Moment(now, _EVER, came.at, came.through)
        return live_accounts(taken, EventColumns.of(places, events), moment)

    def _at_minute(self, now: datetime) -> datetime:
        minute = now.replace(second=0, microsecond=0)
        if minute != self._minute:
            self._minute, self._hours = minute, {}
        return minute

    def _remembered(self, row: int, queue: int, minute: datetime) -> Verdict | None:
        known = self._known.get((row, queue))
        if known is None or known[0] != self._desk.version[row]:
            return None
        settled = known[1] == minute or (known[2].barred and not known[2].by_hours)
        return known[2] if settled else None

    def _judge(self, rows: Sequence[int], queue: int, now: datetime, minute: datetime) -> None:
        """Judge accounts with all accounts of their persons, so that what binds persons binds them."""
        everyone = sorted({other for row in rows for other in self._desk.rows_of_person(row)})
        live = self.live(everyone, now)
        one = replace(self._desk.plan.queues[queue], windows=())
        plan = replace(self._desk.plan, queues=(one,))
        found = evaluate(live.portfolio, plan, self._facts)
        place = {row: at for at, row in enumerate(everyone)}
        alone, elsewhere = self.left_alone(everyone, live), self.worked_elsewhere(everyone)
        barred = self._barred.setdefault(queue, np.full(self._desk.version.size, -1, dtype=np.int64))
        for row in rows:
            at = place[row]
            verdict = self.removed(live, at)
            if not verdict.barred and alone[at]:
                verdict = Verdict(HELD_OUT)
            if not verdict.barred and elsewhere[at]:
                verdict = Verdict(OTHER_PLAN)
            if not verdict.barred:
                reason = found.reason(at, 0)
                if reason is not None:
                    last = max(int(live.latest_event[place[other]]) for other in self._desk.rows_of_person(row))
                    verdict = Verdict(RULE, reason.rule_id, last)
                else:
                    offered = 0 if found.attempts is None else int(found.attempts[at, 0])
                    verdict = self.hours_of(live, at, self._queue(queue), now) or Verdict(
                        attempts=offered or max(1, int(one.attempts))
                    )
            self._known[row, queue] = (int(self._desk.version[row]), minute, verdict)
            if verdict.barred and not verdict.by_hours:
                barred[row] = self._desk.version[row]

    def left_alone(self, rows: Sequence[int], live: LiveAccounts) -> NDArray[np.bool_]:
        """Return who among persons, all accounts of each, was drawn to be left alone; whoever the law protects by now was not."""
        alone = self._desk.entries.in_arm(Arm.HELD_OUT, np.array(rows, dtype=np.int64))
        return alone & ~protected_persons(live.portfolio) if alone.any() else alone

    def worked_elsewhere(self, rows: Sequence[int]) -> NDArray[np.bool_]:
        """Return whose persons the other of two plans works, whatever became of them since; bool, aligned."""
        return self._desk.entries.in_arm(Arm.OTHER_PLAN, np.array(rows, dtype=np.int64))

    def removed(self, live: LiveAccounts, at: int) -> Verdict:
        """Return what of the day removes one of some accounts as they stand, whatever rules say."""
        removal = Removal(int(live.removal[at]))
        if removal is not Removal.NONE:
            return Verdict(removal.name, "", int(live.removal_event[at]))
        if live.person_worked[at] and not self._desk.plan.several_contacts_per_person:
            return Verdict(PERSON_WORKED, "", int(live.person_worked[at]))
        return Verdict()

    def hours_of(self, live: LiveAccounts, at: int, queue: Queue, now: datetime) -> Verdict | None:
        """Return which hours, of law, queue or person, keep one of some accounts from being contacted in this minute."""
        state, zone = (live.portfolio.column(name)[at].decode() for name in ("state", "time_zone"))
        by = self._closed(state, zone, queue, now)
        if by != FREE:
            return Verdict(HOURS, NO_MINUTE.rule_id if by == NO_HOURS else self._hours_rules[by].rule_id)
        first, after = int(live.hours_from[at]), int(live.hours_until[at])
        if (first, after) != (0, 1_440):
            clocks = self._open.local_minutes(state, zone, now)
            if not all(first <= minute < after for minute in clocks):
                return Verdict(CHOSEN_HOURS, "", int(live.latest_event[at]))
        return None

    def _closed(self, state: str, zone: str, queue: Queue, now: datetime) -> int:
        self._at_minute(now)
        key = (state, zone, queue.channel, queue.specialisms, queue.automated, queue.windows, queue.time_zone)
        if key not in self._hours:
            self._hours[key] = self._open.blocked_by(state, zone, queue, now)
        return self._hours[key]

    def _queue(self, index: int) -> Queue:
        return self._desk.plan.queues[index]
