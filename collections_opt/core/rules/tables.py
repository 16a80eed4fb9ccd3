"""The rule table: what a rule reads, whom it binds, where and since when."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from collections_opt.core.desk.day_windows import DayWindow
from collections_opt.core.names import OMITTED_AT_DEFAULT


class RuleKind(StrEnum):
    """How a rule reads its column."""

    FLAG = "FLAG"
    """Blocks where the flag is set."""
    CONSENT = "CONSENT"
    """Blocks queues that contact automatically where consent is not recorded; of a person, on any of the debts."""
    NOT_POSITIVE = "NOT_POSITIVE"
    """Blocks where the amount is zero or less."""
    NOT_PAST_DUE = "NOT_PAST_DUE"
    """Blocks where the days past due are zero and nothing is in arrears."""
    BUDGET = "BUDGET"
    """At most ``threshold`` contacts: blocks where those made and those the queue would make exceed it, or are not known."""
    WAIT = "WAIT"
    """Blocks on days 1 to ``threshold`` of an event, its day being day 1, or where its day is not known; lifts on the next."""
    HOURS = "HOURS"
    """Contact only within ``hours``, local time at the account; blocks queues whose windows never meet them on the day."""
    COUNT_ABOVE = "COUNT_ABOVE"
    """Blocks where one more contact would exceed ``threshold``: count >= threshold. Kept for rankings of before 0.3.0."""
    WAIT_DAYS = "WAIT_DAYS"
    """Blocks while days since the event, its day being day 1, are at most ``threshold``. Kept for rankings of before 0.3.0."""


class RuleScope(StrEnum):
    """Whose facts a rule reads, and so whom it binds."""

    ACCOUNT = "ACCOUNT"
    """The debt: only its own facts bind it."""
    PERSON = "PERSON"
    """The person: a fact of one debt binds all of a customer's, and counts of all debts add up."""


class RuleStatus(StrEnum):
    """What stands behind a rule."""

    UNSTATED = "UNSTATED"
    """Tables of before 0.3.0 do not say."""
    LAW = "LAW"
    """A statute, a regulation or an order of an authority."""
    GUIDANCE = "GUIDANCE"
    """What an authority says that it will hold conduct against."""
    POLICY = "POLICY"
    """The lender's own choice, also where a law asks for reason and names no number."""
    PROPOSED = "PROPOSED"
    """Published, not decided: kept so that it can be tried, and blocks nothing."""


class Weekday(StrEnum):
    """A day of the week, in the order of ``date.weekday``."""

    MON = "MON"
    TUE = "TUE"
    WED = "WED"
    THU = "THU"
    FRI = "FRI"
    SAT = "SAT"
    SUN = "SUN"


@dataclass(frozen=True)
class LawfulHours(DayWindow):
    """A part of the day in which a rule lets people be contacted.

    Attributes:
        days: the days of the week on which it does; empty means every day.
    """

    days: tuple[Weekday, ...] = ()


@dataclass(frozen=True)
class Rule:
    """One row of the rule table.

    Attributes:
        rule_id: stable id recorded with every block.
        version: version of the rule's wording or numbers.
        kind: how ``column`` is read.
        column: schema column.
        effective_from: first as-of date it applies to.
        effective_to: last as-of date, or None while in force.
        threshold: contacts or days, by kind.
        jurisdictions: state codes or countries it applies to; empty means everywhere.
        channels: channels it blocks; empty means all.
        specialism: queues with this specialism may work the account all the same; empty means none may.
        next_eligible_days: days until the block may lift; 0 means it lifts only when the data change.
        source: where the rule comes from.
        description: one plain sentence for people.
        scope: whose facts it reads.
        known_by: of a wait, the column whose presence shows that the account's contacts are recorded, so that a blank day means
            that there was no such event; without one, or where that is missing too, a blank day is unknown and blocks.
        checked_on: when somebody last read the source.
        status: what stands behind it; a rule that is only proposed blocks nothing.
        hours: of a rule of hours, the parts of the days in which it lets people be contacted; on days without one it lets nobody.
        closed_on: of a rule of hours, feasts on which it lets nobody be contacted, written as ``core.rules.feasts`` says.
    """

    rule_id: str
    version: int
    kind: RuleKind
    column: str
    effective_from: date
    effective_to: date | None = None
    threshold: int = 0
    jurisdictions: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    specialism: str = ""
    next_eligible_days: int = 0
    source: str = ""
    description: str = ""
    scope: RuleScope = field(default=RuleScope.ACCOUNT, metadata=OMITTED_AT_DEFAULT)
    known_by: str = field(default="", metadata=OMITTED_AT_DEFAULT)
    checked_on: date | None = field(default=None, metadata=OMITTED_AT_DEFAULT)
    status: RuleStatus = field(default=RuleStatus.UNSTATED, metadata=OMITTED_AT_DEFAULT)
    hours: tuple[LawfulHours, ...] = field(default=(), metadata=OMITTED_AT_DEFAULT)
    closed_on: tuple[str, ...] = field(default=(), metadata=OMITTED_AT_DEFAULT)

    def in_force(self, as_of_date: date) -> bool:
        """Return whether the rule applies on a day."""
        since = self.effective_from <= as_of_date and (self.effective_to is None or as_of_date <= self.effective_to)
        return since and self.status is not RuleStatus.PROPOSED

    def reaches(self, channel: str, specialisms: tuple[str, ...], automated: bool) -> bool:
        """Return whether the rule blocks a queue of a channel, automated or not, that works accounts of some specialisms."""
        on_channel = (not self.channels or channel in self.channels) and (automated or self.kind is not RuleKind.CONSENT)
        return on_channel and not (self.specialism and self.specialism in specialisms)


@dataclass(frozen=True)
class RuleTable:
    """The dated rules in force, with the version recorded with every ranking.

    Attributes:
        version: names the table.
        rules: its rows.
        strict_places: an account whose place is known less exactly than a rule's may be in it (a state unknown within the
            country, a city unknown within the state), and so is bound. Not so for tables of before 0.3.0, which only read an
            empty state strictly.
    """

    version: str
    rules: tuple[Rule, ...]
    strict_places: bool = field(default=False, metadata=OMITTED_AT_DEFAULT)
