"""When each account may be contacted by each queue: the law's hours in the account's own zone, met with the queue's windows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.arrays import distinct
from collections_opt.core.codes.place_zones import zones_of_place
from collections_opt.core.desk.day_windows import DAY_MINUTES
from collections_opt.core.desk.queues import Queue
from collections_opt.core.rules.clock import (
    GRID_MINUTES,
    Clock,
    Mask,
    clock_of,
    desk_minutes,
    lawful_minutes,
    longest_run,
    offsets,
)
from collections_opt.core.rules.facts import check_column
from collections_opt.core.rules.places import in_jurisdiction
from collections_opt.core.rules.tables import Rule

NO_HOURS = -1
"""Rule that leaves a queue no minute of the day at all: its windows lie where its clocks skip."""

FREE = -2
"""No rule leaves a cell without a minute."""

NOT_KNOWN = -1
"""Start and end where there are none."""

DAYS_AHEAD = 21
"""Days ahead in which the end of a block by hours is looked for."""

MOST_GROUPS = 16_384
"""Groups of accounts of which it is remembered how they stand on a day."""

Places = tuple[NDArray[np.bytes_], NDArray[np.int64]]
Shifts = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class CallHours:
    """When accounts may be contacted; g groups of accounts that stand alike, n accounts, q queues.

    Attributes:
        group: int32 (n,) the group of each account.
        start: int16 (g, q) minutes from midnight, desk time, of the longest stretch in which a cell may be contacted; -1 where
            the plan does not know the queue's windows, or there is none.
        end: int16 (g, q) the minute after its last.
        planned: bool (q,) queues whose windows the plan knows.
        bound: bool (g, q) cells that some rule of hours binds.
        rule: int16 (g, q) place in the rules that leaves a cell no minute, ``NO_HOURS``, or ``FREE``.
        later: judges a group and queue on a later day: whether it is free then.
    """

    group: NDArray[np.int32]
    start: NDArray[np.int16]
    end: NDArray[np.int16]
    planned: Mask
    bound: Mask
    rule: NDArray[np.int16]
    later: Callable[[int, int, date], bool] = field(compare=False, repr=False)

    def next_day(self, row: int, queue: int, day: date) -> date | None:
        """Return the first day after one on which an account may be contacted by a queue, by the hours in force; None for none.

        Looks three weeks ahead: what no week opens, and no end of a run of feasts, stays closed.
        """
        group = int(self.group[row])
        days = (day + timedelta(days=after) for after in range(1, DAYS_AHEAD + 1))
        return next((later for later in days if self.later(group, queue, later)), None)

    def not_planned(self, queue: NDArray[np.int16]) -> Mask:
        """Return where a rule of hours binds the queue of an account and the plan does not know its windows; bool (n,).

        Args:
            queue: int16 (n,), negative for none.
        """
        open_cells = self.bound & ~self.planned
        return np.asarray((queue >= 0) & open_cells[self.group, np.maximum(queue, 0)], dtype=bool)

    def windows(self, queue: NDArray[np.int16]) -> tuple[NDArray[np.int16], NDArray[np.int16]] | None:
        """Return the window of each account in one queue: first minute and the one after the last, int16 (n,), -1 for none.

        Args:
            queue: int16 (n,), negative for none.

        None where no queue of the plan has windows.
        """
        if not self.planned.any():
            return None
        cell = (self.group, np.maximum(queue, 0))
        none = queue < 0
        return np.where(none, np.int16(NOT_KNOWN), self.start[cell]), np.where(none, np.int16(NOT_KNOWN), self.end[cell])

    def window(self, row: int, queue: int) -> tuple[int, int] | None:
        """Return the minutes of an account's call window in desk time: first, and after the last; None where not known."""
        group = self.group[row]
        start = int(self.start[group, queue])
        return (start, int(self.end[group, queue])) if start >= 0 else None


class HoursOfDay:
    """When a day's rules of hours let queues contact; what was judged of a place and a zone is remembered.

    Args:
        day: the desk's day.
        home: its zone.
        queues: with their windows.
        rules: rules of hours in force, in the order in which they are blamed.
    """

    def __init__(self, day: date, home: str, queues: Sequence[Queue], rules: Sequence[Rule]) -> None:
        self._judge = _Judge(day, home, tuple(rules))
        self._queues = queues
        self._planned = np.array([bool(queue.windows) for queue in queues], dtype=bool)
        self._windows = any(queue.windows for queue in queues)
        self._cells: dict[_Group, list[tuple[int, int, int, bool]]] = {}

    def of(self, portfolio: Portfolio, states: Places, binding: Mask) -> CallHours | None:
        """Return when accounts may be contacted, or None where no rule and no queue speaks of hours.

        Accounts of the same place and zone stand alike and are judged once. The zones of an account are its own; where its place
        keeps another time that day, both; where it has none, all zones of its place. A minute is lawful where it is so in all
        zones and under all rules of the place.

        Args:
            portfolio: the accounts.
            states: its distinct places, and the number of each account's, int64 (n,).
            binding: bool (rules, places) where a rule may bind.

        Raises:
            CollectionsError: INVALID_ARGUMENT for hours that are none.
        """
        rules = self._judge.rules
        if not rules and not self._windows:
            return None
        for rule in rules:
            check_column(rule)
        names, state_of = states
        zones, zone_of = np.array([b""]), np.zeros(state_of.shape, dtype=np.int64)
        if self._windows:  # where no window is known, no clock is read
            zones, zone_of = distinct(portfolio.column("time_zone"))
        pairs, group = distinct(state_of * zones.size + zone_of)
        places = [(int(pair // zones.size), zones[pair % zones.size].decode()) for pair in pairs.tolist()]
        groups = [
            _Group(names[state].decode(), zone, tuple(np.flatnonzero(binding[:, state]).tolist())) for state, zone in places
        ]
        cells = np.array([self._of_group(one) for one in groups], dtype=np.int16).reshape(len(groups), len(self._queues), 4)
        start, end, rule_of, bound = np.moveaxis(cells, 2, 0)
        later = partial(_free_later, _Judge(self._judge.day, self._judge.home, rules), groups, self._queues)
        return CallHours(group.astype(np.int32), start, end, self._planned, bound.astype(bool), rule_of, later)

    def _of_group(self, group: _Group) -> list[tuple[int, int, int, bool]]:
        found = self._cells.get(group)
        if found is None:
            found = [self._judge.cell(group, queue) for queue in self._queues]
            if len(self._cells) < MOST_GROUPS:
                self._cells[group] = found
        return found


def _free_later(judge: _Judge, groups: Sequence[_Group], queues: Sequence[Queue], group: int, queue: int, day: date) -> bool:
    """Return whether a group may be contacted by a queue on another day, by the rules in force today."""
    return _Judge(day, judge.home, judge.rules).cell(groups[group], queues[queue])[2] == FREE


@dataclass(frozen=True)
class _Group:
    """Accounts of one place and zone, with the places of the rules that may bind them."""

    state: str
    zone: str
    rules: tuple[int, ...]


@dataclass
class _Judge:
    """Judges cells of one day; what cells have in common is worked out once."""

    day: date
    home: str
    rules: tuple[Rule, ...]
    clocks: dict[Shifts, Clock] = field(default_factory=dict)
    lawful: dict[tuple[int, frozenset[Shifts]], Mask] = field(default_factory=dict)
    desks: dict[tuple[object, str], tuple[Mask, Clock]] = field(default_factory=dict)
    cells: dict[tuple[object, ...], tuple[int, int, int]] = field(default_factory=dict)

    def cell(self, group: _Group, queue: Queue) -> tuple[int, int, int, bool]:
        """Return start, end, rule and whether any rule binds, of a group in a queue, as ``CallHours`` has them."""
        rules = tuple(
            index for index in group.rules if self.rules[index].reaches(queue.channel, queue.specialisms, queue.automated)
        )
        if not queue.windows:
            return NOT_KNOWN, NOT_KNOWN, FREE, bool(rules)
        zones = self._zones(group) if rules else frozenset()
        key = (rules, zones, queue.windows, queue.time_zone)
        if key not in self.cells:
            self.cells[key] = self._meet(rules, zones, queue)
        return *self.cells[key], bool(rules)

    def _meet(self, rules: tuple[int, ...], zones: frozenset[Shifts], queue: Queue) -> tuple[int, int, int]:
        left, clock = self._desk(queue)
        if not left.any():
            return NOT_KNOWN, NOT_KNOWN, NO_HOURS
        for index in rules:
            left = left & self._lawful(index, zones)
            if not left.any():
                return NOT_KNOWN, NOT_KNOWN, index
        first, after = longest_run(left)
        return int(clock.minute[first]), int(clock.minute[after - 1]) + 1, FREE

    def _lawful(self, index: int, zones: frozenset[Shifts]) -> Mask:
        if (index, zones) not in self.lawful:
            masks = [lawful_minutes(self.rules[index], self._clock(shifts), self.day) for shifts in zones]
            self.lawful[index, zones] = np.logical_and.reduce(masks)
        return self.lawful[index, zones]

    def _desk(self, queue: Queue) -> tuple[Mask, Clock]:
        key = (queue.windows, queue.time_zone)
        if key not in self.desks:
            clock = self._clock(offsets(queue.time_zone or self.home, self.day))
            self.desks[key] = desk_minutes(queue.windows, clock), clock
        return self.desks[key]

    def _clock(self, shifts: Shifts) -> Clock:
        if shifts not in self.clocks:
            self.clocks[shifts] = clock_of(shifts)
        return self.clocks[shifts]

    def _zones(self, group: _Group) -> frozenset[Shifts]:
        own = {offsets(group.zone, self.day)} if group.zone else set()
        if own and not group.state:
            return frozenset(own)
        of_place = {offsets(zone, self.day) for zone in zones_of_place(group.state)}
        return frozenset(own if own & of_place else own | of_place)


class OpenMinutes:
    """Says what keeps an account from being contacted in one minute of a day; what places have in common is worked out once.

    Args:
        day: the desk's day.
        home: the zone of queues that name none, and of accounts of which neither zone nor place is known.
        rules: rules of hours in force on the day.
        strict_places: as in ``RuleTable``.
    """

    def __init__(self, day: date, home: str, rules: Sequence[Rule], strict_places: bool) -> None:
        self._judge = _Judge(day, home, tuple(rules))
        self._strict_places = strict_places
        self._begins = datetime.combine(day, time(), UTC) - timedelta(days=1)
        self._binding: dict[str, tuple[int, ...]] = {}

    def blocked_by(self, state: str, zone: str, queue: Queue, at: datetime) -> int:
        """Return which rule forbids contact now by its place, ``NO_HOURS`` outside the queue's windows, else ``FREE``."""
        minute = (at - self._begins) // timedelta(minutes=1)
        if not 0 <= minute < GRID_MINUTES:
            return NO_HOURS
        if queue.windows and not self._judge._desk(queue)[0][minute]:  # noqa: SLF001 - of this module
            return NO_HOURS
        group = _Group(state, zone, self._rules_of(state))
        zones = self._judge._zones(group)  # noqa: SLF001
        for index in group.rules:
            rule = self._judge.rules[index]
            reaches = rule.reaches(queue.channel, queue.specialisms, queue.automated)
            if reaches and not (zones and self._judge._lawful(index, zones)[minute]):  # noqa: SLF001
                return index
        return FREE

    def local_minutes(self, state: str, zone: str, at: datetime) -> list[int]:
        """Return the minute of the day in every zone that may be the person's, the home zone where nothing is known."""
        zones = self._judge._zones(_Group(state, zone, ())) if zone or state else frozenset()  # noqa: SLF001
        minute = (at - self._begins) // timedelta(minutes=1)
        clocks = [self._judge._clock(shifts) for shifts in zones or {offsets(self._judge.home, self._judge.day)}]  # noqa: SLF001
        return [int(clock.minute[min(max(minute, 0), GRID_MINUTES - 1)]) for clock in clocks]

    def first_open(
        self,
        state: str,
        zone: str,
        queue: Queue,
        at: datetime,
        chosen: tuple[int, int] = (0, DAY_MINUTES),
        since: date | None = None,
    ) -> datetime | None:
        """Return the first minute around the day, not before an instant, in which nothing of time forbids contact; None for none.

        Args:
            state: the account's place, "" where it is not known.
            zone: its zone, "" where it is not known.
            queue: who would contact.
            at: the instant.
            chosen: first minute of the person's own day, and the one after the last, in which they let be contacted.
            since: the first day, where the person is, on which they may be contacted; None for any.
        """
        zones = self._judge._zones(_Group(state, zone, ())) if zone or state else frozenset()  # noqa: SLF001 - of this module
        left = np.arange(GRID_MINUTES) >= (at - self._begins) // timedelta(minutes=1)
        if queue.windows:
            left &= self._judge._desk(queue)[0]  # noqa: SLF001
        for index in self._rules_of(state):
            rule = self._judge.rules[index]
            if rule.reaches(queue.channel, queue.specialisms, queue.automated):
                left &= self._judge._lawful(index, zones) if zones else np.False_  # noqa: SLF001
        counted = offsets(zone or self._judge.home, self._judge.day)  # days of contacts are counted by these clocks
        for shifts in zones or {counted}:
            clock = self._judge._clock(shifts)  # noqa: SLF001
            left &= (clock.minute >= chosen[0]) & (clock.minute < chosen[1])
        if since is not None:
            for shifts in {*zones, counted}:
                left &= self._judge._clock(shifts).day >= (since - self._judge.day).days + 1  # noqa: SLF001
        found = np.flatnonzero(left)
        return max(at, self._begins + timedelta(minutes=int(found[0]))) if found.size else None

    def _rules_of(self, state: str) -> tuple[int, ...]:
        if state not in self._binding:
            place = np.array([state.encode()], dtype=np.bytes_ if state else "S1")
            held = [in_jurisdiction(place, rule.jurisdictions, self._strict_places)[0] for rule in self._judge.rules]
            self._binding[state] = tuple(np.flatnonzero(held).tolist())
        return self._binding[state]
