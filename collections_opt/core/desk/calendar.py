"""Which version of a plan, and which changes of days, are in force on which day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from collections_opt.core.desk.day_changes import StoredDayChange

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class StandingVersion:
    """A stored version of a plan that was not taken back: in force from a day until another one starts."""

    version: int
    effective_from: date


@dataclass(frozen=True)
class CalendarDays:
    """Days in a row that are alike.

    Attributes:
        first_day: the first.
        last_day: the last.
        version: standing version in force; 0 where none has started.
        changes: changes that stand on them, in the order in which they were stored.
    """

    first_day: date
    last_day: date
    version: int
    changes: tuple[StoredDayChange, ...]


@dataclass(frozen=True)
class Calendar:
    """A plan over time.

    Attributes:
        standing: versions that were not taken back, in any order.
        changes: changes of days that were not taken back, in the order in which they were stored.
    """

    standing: tuple[StandingVersion, ...]
    changes: tuple[StoredDayChange, ...] = ()

    def version_on(self, day: date) -> int:
        """Return the standing version in force on a day: the one that started last; 0 where none has.

        Of two that start on one day the later stored replaces the other. What is stored for a later day changes nothing before
        it, and what is stored afterwards for an earlier day ends where that later one starts.
        """
        started = [(each.effective_from, each.version) for each in self.standing if each.effective_from <= day]
        return max(started)[1] if started else 0

    def changes_on(self, day: date) -> tuple[StoredDayChange, ...]:
        """Return the changes that stand on a day, in order."""
        return tuple(each for each in self.changes if each.change.first_day <= day <= each.change.last_day)

    def ends(self, version: int) -> date | None:
        """Return the last day of a standing version's time, None while no other one is to follow.

        Raises:
            KeyError: for a version that does not stand.
        """
        mine = {each.version: each.effective_from for each in self.standing}[version]
        later = [each.effective_from for each in self.standing if (each.effective_from, each.version) > (mine, version)]
        return max(min(later) - _DAY, mine) if later else None

    def days(self, first: date, last: date) -> Iterator[CalendarDays]:
        """Yield the days from first to last, those alike in one."""
        edges = {each.effective_from for each in self.standing}
        for each in self.changes:
            edges |= {each.change.first_day, each.change.last_day + _DAY}
        starts = [first, *sorted(edge for edge in edges if first < edge <= last)]
        for start, after in zip(starts, [*starts[1:], last + _DAY], strict=True):
            yield CalendarDays(start, after - _DAY, self.version_on(start), self.changes_on(start))
