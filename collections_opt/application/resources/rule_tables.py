"""Rule tables as approved resources: which are in force on a day, and what they forbid together.

A lender's own tables add to the shipped one. Every table that is in force binds; a lender takes away or changes a shipped rule
only by saving the next version of the shipped table, which a second person approves as any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from collections_opt.application.resources.approved import (
    ApprovalCommand,
    ApprovedResources,
    ResourceFormat,
    SavedContent,
    Stored,
)
from collections_opt.application.settings import dump, load
from collections_opt.core.actors import Actor
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.made_once import MadeOnce
from collections_opt.core.resources import ResourceKind, in_force
from collections_opt.core.rules.checks import check_rule_table
from collections_opt.core.rules.tables import RuleTable
from collections_opt.core.rules.together import bound_together

SHIPPED_ID = "shipped-rules"
"""Id of the table that a release ships."""

FROM_THE_START = date(1970, 1, 1)
"""First day of that table: it binds every portfolio, of whatever day; its rules have days of their own."""

SHIPPED_BY = Actor("release")
"""Who saves what a release ships."""


@lru_cache(maxsize=256)
def _load(text: str) -> RuleTable:
    """Return a table of its text; every call that judges accounts reads the tables in force."""
    return load(text, RuleTable)


RULE_TABLES: ResourceFormat[RuleTable] = ResourceFormat(ResourceKind.RULE_TABLE, dump, _load, check_rule_table)
"""How rule tables are kept."""


@dataclass(frozen=True, order=True)
class TableVersion:
    """Which version of a table binds; ``digest`` (SHA-256, hex) is that of its content."""

    rule_table_id: str
    version: int
    digest: str

    @property
    def name(self) -> str:
        """What people call it: id and version."""
        return f"{self.rule_table_id}/{self.version}"


@dataclass(frozen=True)
class RulesInForce:
    """What binds on a day: the rules of all tables in force, and which versions they are of, by id."""

    rules: RuleTable
    versions: tuple[TableVersion, ...]


class RuleTables:
    """The stored rule tables.

    Attributes:
        resources: shows them.
    """

    def __init__(self, resources: ApprovedResources[RuleTable]) -> None:
        self.resources = resources

    def ship(self, table: RuleTable) -> None:
        """Keep what the release ships; it gives way to what people saved under its id."""
        self.resources.declare(SavedContent(SHIPPED_ID, FROM_THE_START, table, note="shipped"), SHIPPED_BY)

    def save(self, new: SavedContent[RuleTable], by: Actor, validate_only: bool = False) -> Stored[RuleTable]:
        """Save a first or next version, as ``ApprovedResources.save``; it must go with what is in force from its day on.

        Raises:
            CollectionsError: as there; RESOURCE_STATE_CONFLICT naming each rule that another table in force then holds too.
        """
        RULE_TABLES.check(new.content)
        self._check_beside(new.resource_id, new.effective_from, new.content)
        return self.resources.save(new, by, validate_only)

    def approve(self, command: ApprovalCommand, by: Actor, validate_only: bool = False) -> Stored[RuleTable]:
        """Let a version come into force, as ``ApprovedResources.approve``; it must go with what is in force, as when saved.

        Raises:
            CollectionsError: as there and as ``save``.
        """
        stored = self.resources.version(command.resource_id, command.version)
        self._check_beside(command.resource_id, stored.version.effective_from, stored.content)
        return self.resources.approve(command, by, validate_only)

    def in_force(self, day: date) -> RulesInForce:
        """Return what binds on a day.

        Raises:
            CollectionsError: RESOURCE_STATE_CONFLICT for a day before every table, and when two tables hold one rule, which no
                save or approval lets through; INTEGRITY_FAILURE when no table was ever approved.
        """
        found = self.resources.in_force(day)
        if not found:
            self._require_day(day)
        versions = tuple(TableVersion(s.version.resource_id, s.version.version, s.version.digest) for s in found)
        return RulesInForce(_together(tuple((s.version.name, s.content) for s in found)), versions)

    def _require_day(self, day: date) -> None:
        """Refuse a day on which nothing binds yet: no account may be worked by no rules."""
        approved = [self._approved(each.version.resource_id) for each in self.resources.every_latest()]
        first = min((each.version.effective_from for every in approved for each in every), default=None)
        if first is not None:
            told = f"no rule table is in force on {day}; the first is from {first} on."
            raise refuse(Reason.RESOURCE_STATE_CONFLICT, "rules", told, "Name a later day, or save a table for it.")

    def of(self, versions: Sequence[TableVersion]) -> RuleTable:
        """Return what named versions forbid together, whatever is in force now.

        Raises:
            CollectionsError: NOT_FOUND; INTEGRITY_FAILURE when a version holds other content than what was named, or was never
                approved.
        """
        return _together(tuple((each.version.name, each.content) for each in self.held(versions)))

    def held(self, versions: Sequence[TableVersion]) -> list[Stored[RuleTable]]:
        """Return the tables that named versions hold; raises as ``of``."""
        held = []
        for named in versions:
            stored = self.resources.version(named.rule_table_id, named.version)
            if stored.version.digest != named.digest or stored.version.approval is None:
                told = f"{named.name} was not approved with the content that was named."
                raise refuse(Reason.INTEGRITY_FAILURE, "rules", told, "Restore the database.")
            held.append(stored)
        return held

    def _check_beside(self, table_id: str, first_day: date, table: RuleTable) -> None:
        """Refuse a table that could not bind beside others on some day on which it would; they change on a few days only."""
        ids = [each.version.resource_id for each in self.resources.every_latest()]
        others = [self._approved(other) for other in ids if other != table_id]
        own = [each.version.effective_from for each in self._approved(table_id)]
        ends = min((day for day in own if day > first_day), default=date.max)
        days = {first_day, *(each.version.effective_from for every in others for each in every)}
        for day in sorted(day for day in days if first_day <= day < ends):
            beside = {f"{table_id} (this table)": table}
            for every in others:
                held = in_force((each.version for each in every), day)
                beside.update({each.version.name: each.content for each in every if each.version is held})
            bound_together(beside)

    def _approved(self, table_id: str) -> list[Stored[RuleTable]]:
        return [each for each in self.resources.every_version(table_id) if each.version.approval is not None]


_BOUND: MadeOnce[RuleTable] = MadeOnce()


def _together(tables: tuple[tuple[str, RuleTable], ...]) -> RuleTable:
    names, contents = tuple(name for name, _ in tables), tuple(content for _, content in tables)
    return _BOUND.get(contents, lambda: bound_together(dict(tables)), names)
