"""The rules in force on a day over the queues of a plan: whatever of them does not depend on accounts, worked out once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.schema import ACCOUNT_SCHEMA
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.limits import MAX_RULES
from collections_opt.core.made_once import MadeOnce
from collections_opt.core.rules.call_hours import HoursOfDay
from collections_opt.core.rules.places import in_jurisdiction
from collections_opt.core.rules.tables import Rule, RuleKind, RuleScope, RuleTable

MOST_PLACES = 8_192
"""Places whose rules are remembered: more than ISO 3166 has."""


@dataclass(frozen=True)
class BlockReason:
    """A rule as it stands in a ranking's legend: id, version, sentence, source, and when its block lifts.

    A wait has the ``column`` of its event's day and its ``wait_days``; its block lifts on the day after them. When a block
    ``by_hours`` lifts depends on the queue: ``lifts_on``.
    """

    rule_id: str
    version: int
    description: str
    source: str
    next_eligible_days: int = 0
    column: str = ""
    wait_days: int = 0
    by_hours: bool = False


QUEUE_REASONS: tuple[BlockReason, ...] = (
    BlockReason("queue.product", 1, "The queue does not serve this product.", "capacity plan"),
    BlockReason("queue.bucket", 1, "The queue does not serve this bucket.", "capacity plan"),
    BlockReason("queue.state", 1, "The queue is not licensed in this jurisdiction.", "capacity plan"),
    BlockReason("queue.specialist", 1, "The queue works only accounts of its specialism.", "capacity plan"),
)


NO_MINUTE = BlockReason("queue.hours", 1, "The queue's windows hold no minute of this day.", "capacity plan", by_hours=True)
"""In the legend only of plans that know their windows: an archive of before has the legend that it was made with."""


NOT_SPOKEN = BlockReason("queue.language", 1, "The queue does not speak the language that the person chose.", "capacity plan")
"""In the legend only of plans that know the languages of their teams."""

TOO_OLD = BlockReason(
    "facts.too-old", 1, "Facts that a rule reads are older than the plan allows, or of no known age.", "capacity plan"
)
"""In the legend only of plans that bound the age of facts."""


def _wait(rule: Rule) -> int:
    return rule.threshold if rule.kind is RuleKind.WAIT else rule.next_eligible_days


def reason_of(rule: Rule, day: date) -> BlockReason:
    """Return a rule as a reason of blocks on a day; a count of the calendar month starts anew on the first of the next."""
    column_read = ACCOUNT_SCHEMA.get(rule.column)
    lasts = _days_to_next_month(day) if column_read is not None and column_read.by_month else rule.next_eligible_days
    waits = rule.kind is RuleKind.WAIT
    days, column = (rule.threshold, rule.column) if waits else (0, "")
    by_hours = rule.kind is RuleKind.HOURS
    return BlockReason(rule.rule_id, rule.version, rule.description, rule.source, lasts, column, days, by_hours)


def _days_to_next_month(day: date) -> int:
    return ((day.replace(day=1) + timedelta(days=32)).replace(day=1) - day).days


@dataclass(frozen=True)
class RuleOfFacts:
    """A rule that reads facts.

    Attributes:
        code: what it blocks by.
        rule: the rule.
        reached: the queues that it reaches.
        everywhere: it binds in every place.
    """

    code: int
    rule: Rule
    reached: tuple[int, ...]
    everywhere: bool


class RulesOfDay:
    """What a day's rules come to in a plan's queues.

    Attributes:
        rules: those in force, the strictest first: the code of each is its place, from 1.
        by_facts: those that read facts.
        hours: codes of those of hours.
        legend: the reasons, in order of the codes.
        binds_persons: a person's accounts must be known.
        personal: columns that rules of persons read.

    Raises:
        CollectionsError: INVALID_ARGUMENT when too many are in force.
    """

    def __init__(self, plan: CapacityPlan, table: RuleTable, day: date) -> None:
        rules = [rule for rule in table.rules if rule.in_force(day)]
        rules.sort(key=lambda rule: (_wait(rule) != 0, -_wait(rule), rule.rule_id))
        if len(rules) > MAX_RULES:
            what = f"{len(rules)} rules are in force on {day}."
            raise refuse(Reason.INVALID_ARGUMENT, "rules", what, f"Keep at most {MAX_RULES}.")
        self.rules = tuple(rules)
        of_persons = [rule for rule in rules if rule.scope is RuleScope.PERSON]
        self.binds_persons = bool(of_persons) or any(queue.languages for queue in plan.queues)
        self.personal = frozenset(rule.column for rule in of_persons)
        self.legend = tuple(reason_of(rule, day) for rule in rules)
        coded = list(enumerate(rules, start=1))
        self.by_facts = tuple(_of_facts(code, rule, plan) for code, rule in coded if rule.kind is not RuleKind.HOURS)
        self.hours = tuple(code for code, rule in coded if rule.kind is RuleKind.HOURS)
        self._plan, self._day, self._strict = plan, day, table.strict_places
        self._of_place: dict[bytes, NDArray[np.bool_]] = {}
        self._judges: MadeOnce[HoursOfDay] = MadeOnce(8)

    def binding(self, places: NDArray[np.bytes_]) -> NDArray[np.bool_]:
        """Return which rules may bind in each of some distinct places, bool (rules, places), as ``in_jurisdiction``."""
        names = places.tolist()
        known = self._of_place
        unknown = [name for name in names if name not in known]
        if unknown:
            asked = np.array(unknown, dtype=places.dtype)
            found = [in_jurisdiction(asked, rule.jurisdictions, self._strict) for rule in self.rules]
            columns = np.array(found, dtype=bool).reshape(len(self.rules), len(unknown)).T
            room = MOST_PLACES - len(known)
            for name, column in list(zip(unknown, columns, strict=True))[: max(room, 0)]:
                known[name] = column
            of_all = {**known, **dict(zip(unknown, columns, strict=True))}
            return np.array([of_all[name] for name in names], dtype=bool).T
        return np.array([known[name] for name in names], dtype=bool).reshape(len(names), len(self.rules)).T

    def hours_at(self, home: str) -> HoursOfDay:
        """Return the hours of the day, for a desk in a zone."""
        rules = tuple(self.rules[code - 1] for code in self.hours)
        return self._judges.get((), lambda: HoursOfDay(self._day, home, self._plan.queues, rules), home)


_PREPARED: MadeOnce[RulesOfDay] = MadeOnce(32)


def rules_of_day(plan: CapacityPlan, table: RuleTable, day: date) -> RulesOfDay:
    """Return what a table's rules come to in a plan's queues on a day; raises as ``RulesOfDay``."""
    return _PREPARED.get((plan, table), lambda: RulesOfDay(plan, table, day), day)


def _of_facts(code: int, rule: Rule, plan: CapacityPlan) -> RuleOfFacts:
    queues = enumerate(plan.queues)
    reached = (index for index, queue in queues if rule.reaches(queue.channel, queue.specialisms, queue.automated))
    return RuleOfFacts(code, rule, tuple(reached), not rule.jurisdictions)
