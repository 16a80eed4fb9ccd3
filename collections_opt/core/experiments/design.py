"""What an experiment is: whom it draws, for what, how long, what counts, and when it may end early. A version never changes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from collections_opt.core.errors import CollectionsError, FieldViolation, Reason
from collections_opt.core.limits import MAX_ID_CHARACTERS, MAX_NOTE_CHARACTERS
from collections_opt.core.names import OMITTED_AT_DEFAULT, id_violation, list_violations

SHARE_SCALE = 1_000_000_000
"""Shares are in 1e-9, so that an arm is drawn in whole numbers."""

MOST_HELD_OUT = SHARE_SCALE // 2
LAST_BUCKET = 6
MAX_HORIZON_DAYS = 730
MAX_DURATION_DAYS = 1_096
MAX_PERSONS = 1_000_000_000

_SALT = re.compile(r"[0-9a-f]{32,128}")
_PATTERN = re.compile(rf"[A-Za-z0-9._-]{{1,{MAX_ID_CHARACTERS}}}\*?")


class ArmKind(StrEnum):
    """What the drawn people get instead of what the ranking would do."""

    HOLDOUT = "HOLDOUT"
    """No outbound contact."""
    RANDOM_QUEUE = "RANDOM_QUEUE"
    """Contact in a queue drawn at random among those that may work the account, where that is worth its minutes."""
    TWO_PLANS = "TWO_PLANS"
    """Work by the challenger's plan; whoever is not drawn is worked by the plan as it is, and nobody by both."""


class StopRule(StrEnum):
    """What may end an experiment before its last day, declared before it starts."""

    LAST_DAY = "LAST_DAY"
    """Nothing: it is judged once, when its last people have matured."""
    CASH_DECIDED = "CASH_DECIDED"
    """The anytime-valid interval of cash, over all queues, no longer holds zero."""


@dataclass(frozen=True)
class Scope:
    """Whom an experiment is about; an empty tuple means all.

    Attributes:
        portfolios: ids, or beginnings of ids that end in ``*``.
        products: product codes.
        buckets: days past due // 30, up to 6.
    """

    portfolios: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    buckets: tuple[int, ...] = ()

    def names(self, portfolio_id: str) -> bool:
        """Return whether a portfolio is in it."""
        return not self.portfolios or any(
            portfolio_id.startswith(each[:-1]) if each.endswith("*") else portfolio_id == each for each in self.portfolios
        )

    def meets(self, other: Scope) -> bool:
        """Return whether some account could be in both."""
        portfolios = not self.portfolios or not other.portfolios or any(map(other.meets_pattern, self.portfolios))
        return portfolios and _common(self.products, other.products) and _common(self.buckets, other.buckets)

    def meets_pattern(self, pattern: str) -> bool:
        """Return whether some portfolio id is named by a pattern and by this scope."""
        return any(_patterns_meet(pattern, each) for each in self.portfolios)


@dataclass(frozen=True)
class ExperimentDesign:
    """An experiment as people approve it.

    Attributes:
        share_nano: chance in 1e-9 with which a person is drawn, at most a half.
        salt: 32 to 128 hex digits; with the person it decides the arm, for ever.
        starts_on: first as-of date of rankings that it is part of.
        ends_on: the last one.
        horizon_days: days after a person enters within which outcomes count.
        planned_person_count: people expected to enter; the anytime-valid interval is narrowest there.
        scope: whom it is about.
        arm: what drawn people get.
        stop_rule: what may end it early.
        stopped_on: first as-of date without it; None while it runs. Set by a stop alone.
        stop_reason: why it was stopped.
        plan_id: of two plans, the one that works whoever is not drawn: the desk as it is; "" for other kinds.
        challenger_plan_id: the one that works whoever is drawn.
    """

    share_nano: int
    salt: str
    starts_on: date
    ends_on: date
    horizon_days: int
    planned_person_count: int
    scope: Scope = field(default_factory=Scope)
    arm: ArmKind = ArmKind.HOLDOUT
    stop_rule: StopRule = StopRule.LAST_DAY
    stopped_on: date | None = field(default=None, metadata=OMITTED_AT_DEFAULT)
    stop_reason: str = field(default="", metadata=OMITTED_AT_DEFAULT)
    plan_id: str = field(default="", metadata=OMITTED_AT_DEFAULT)
    challenger_plan_id: str = field(default="", metadata=OMITTED_AT_DEFAULT)

    @property
    def share(self) -> float:
        """Chance of being drawn."""
        return self.share_nano / SHARE_SCALE

    @property
    def duration_days(self) -> int:
        """Days from the first to the last, both counted."""
        return (self.ends_on - self.starts_on).days + 1

    def runs_on(self, day: date) -> bool:
        """Return whether rankings of a day are part of it."""
        return self.starts_on <= day <= self.ends_on and (self.stopped_on is None or day < self.stopped_on)

    def is_of(self, plan_id: str) -> bool:
        """Return whether rankings of a plan are part of it; of every plan, where it does not share people between two."""
        return self.arm is not ArmKind.TWO_PLANS or plan_id in (self.plan_id, self.challenger_plan_id)

    def other_plan(self, plan_id: str) -> str:
        """Return, of two plans, the one that works whom a plan does not."""
        return self.plan_id if plan_id == self.challenger_plan_id else self.challenger_plan_id

    def collides(self, other: ExperimentDesign) -> bool:
        """Return whether somebody could be in both on some day."""
        last, others = _last_day(self), _last_day(other)
        return self.starts_on <= others and other.starts_on <= last and self.scope.meets(other.scope)


def check_design(design: ExperimentDesign) -> None:
    """Refuse a design that could not be carried out or read.

    Raises:
        CollectionsError: INVALID_ARGUMENT with every field at fault.
    """
    found = tuple(_violations(design))
    if found:
        raise CollectionsError(Reason.INVALID_ARGUMENT, str(found[0]), found)


def _violations(design: ExperimentDesign) -> Iterator[FieldViolation]:
    if not 0 < design.share_nano <= MOST_HELD_OUT:
        yield FieldViolation("share", f"is {design.share}.", "Send a share above 0, at most 0.5, such as 0.05.")
    if not _SALT.fullmatch(design.salt):
        yield FieldViolation("salt", "is not 32 to 128 hexadecimal digits.", "Send random ones, such as 32 from a generator.")
    if design.ends_on < design.starts_on:
        yield FieldViolation("ends_on", f"{design.ends_on} is before {design.starts_on}.", "Send the last day of the experiment.")
    elif design.duration_days > MAX_DURATION_DAYS:
        yield FieldViolation("ends_on", f"is {design.duration_days} days after.", f"Plan at most {MAX_DURATION_DAYS:,} days.")
    if not 1 <= design.horizon_days <= MAX_HORIZON_DAYS:
        yield FieldViolation("horizon_days", f"is {design.horizon_days}.", f"Send 1 to {MAX_HORIZON_DAYS} days.")
    if not 1 <= design.planned_person_count <= MAX_PERSONS:
        told = f"is {design.planned_person_count}."
        yield FieldViolation("planned_person_count", told, "Send how many people are expected to enter, as the plan says.")
    yield from scope_violations(design.scope)
    yield from _plan_violations(design)
    if design.stopped_on is not None and not design.stop_reason.strip():
        yield FieldViolation("stop_reason", "is empty.", "Say why the experiment is stopped.")
    if len(design.stop_reason) > MAX_NOTE_CHARACTERS:
        yield FieldViolation("stop_reason", f"has {len(design.stop_reason)} characters.", f"Use at most {MAX_NOTE_CHARACTERS:,}.")


def _plan_violations(design: ExperimentDesign) -> Iterator[FieldViolation]:
    """Yield what is wrong with two plans; a design of another kind names none."""
    named = {"plan_id": design.plan_id, "challenger_plan_id": design.challenger_plan_id}
    if design.arm is not ArmKind.TWO_PLANS:
        for name, plan_id in named.items():
            if plan_id:
                yield FieldViolation(name, f"names {plan_id[:40]!r}.", "Leave it out, or send the arm TWO_PLANS.")
        return
    for name, plan_id in named.items():
        wrong = id_violation(name, plan_id)
        if wrong:
            yield wrong
    if design.plan_id and design.plan_id == design.challenger_plan_id:
        yield FieldViolation("challenger_plan_id", "is plan_id too.", "Name two plans, each with its part of the minutes.")
    yield from two_plans_scope_violations(design.scope)


def two_plans_scope_violations(scope: Scope) -> Iterator[FieldViolation]:
    """Yield why a scope cannot be shared between two plans: it names whole portfolios, so that nobody is partly in it."""
    if not scope.portfolios:
        remedy = "Name the portfolios that the two plans share: no third plan works them meanwhile."
        yield FieldViolation("scope.portfolio_patterns", "names no portfolio.", remedy)
    for name, given in (("products", scope.products), ("buckets", scope.buckets)):
        if given:
            told = "is set: whoever had accounts inside and outside would be worked by both plans."
            yield FieldViolation(f"scope.{name}", told, "Leave it out: two plans share whole portfolios.")


def scope_violations(scope: Scope) -> Iterator[FieldViolation]:
    """Yield what is wrong with a scope."""
    yield from list_violations("scope.portfolio_patterns", list(scope.portfolios))
    for at, pattern in enumerate(scope.portfolios):
        if not _PATTERN.fullmatch(pattern):
            remedy = "Send a portfolio's id, or the beginning of ids and *."
            yield FieldViolation(f"scope.portfolio_patterns[{at}]", f"{pattern[:40]!r} names no portfolio.", remedy)
    yield from list_violations("scope.products", list(scope.products))
    wrong = [bucket for bucket in scope.buckets if not 0 <= bucket <= LAST_BUCKET]
    if wrong or len(set(scope.buckets)) != len(scope.buckets):
        told = f"has {wrong[0]}." if wrong else "names a bucket twice."
        yield FieldViolation("scope.buckets", told, f"Send buckets from 0 to {LAST_BUCKET}, each once.")


def _last_day(design: ExperimentDesign) -> date:
    if design.stopped_on is None or design.stopped_on > design.ends_on:
        return design.ends_on
    return date.fromordinal(design.stopped_on.toordinal() - 1)


def _common(ours: tuple[object, ...], theirs: tuple[object, ...]) -> bool:
    return not ours or not theirs or bool(set(ours) & set(theirs))


def _patterns_meet(one: str, two: str) -> bool:
    first, second = one.removesuffix("*"), two.removesuffix("*")
    if one.endswith("*") and two.endswith("*"):
        return first.startswith(second) or second.startswith(first)
    if one.endswith("*"):
        return second.startswith(first)
    return first.startswith(second) if two.endswith("*") else first == second
