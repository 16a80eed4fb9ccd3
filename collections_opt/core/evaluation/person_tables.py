"""A year of persons as tables that may be shown: contacts, decisions and outcomes by group, small counts hidden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.evaluation.small_cells import hidden_cells, joined_kinds

Ints = NDArray[np.int64]

GROUPS = ("vulnerable", "not known", "others")
"""Who was flagged on any day is vulnerable; who was never flagged, and of whom it was not told on some day, is not known."""

DECISIONS = ("worked", "left alone by an experiment", "a rule forbade it", "not worth the time")
"""What was decided over all days; of several the first that ever held."""

OUTCOMES = ("defaulted", "stayed late", "cured", "left sight", "not matured yet")
"""By the horizon of the first ranking that had the person and has matured; of several accounts the first of these."""

CONTACT_BANDS = (0, 1, 3, 6, 11, 21, 51)
"""First count of each band of contacts over all days."""

WEEK_BANDS = (0, 1, 2, 4, 8)
"""First count of each band of the most contacts within seven days; more than seven calls a week is beyond Regulation F's line."""

WEEK_DAYS = 7


@dataclass(frozen=True)
class PersonYear:
    """p persons: int64 (p,) places in ``GROUPS``, ``DECISIONS`` and ``OUTCOMES`` (one past its end is the last)."""

    group: Ints
    decision: Ints
    outcome: Ints


@dataclass
class YearCounts:
    """Contacts of ``count`` persons as events tell of them, in any order; what is taken back does not count.

    Ids of events are short digests.
    """

    count: int
    contacts: dict[tuple[int, int], int] = field(default_factory=dict)
    flags: set[tuple[int, int]] = field(default_factory=set)
    taken_back: set[tuple[int, int]] = field(default_factory=set)

    def add(self, person: int, event: int, day: int) -> None:
        """Count a contact on a day (ordinal)."""
        self.contacts[person, event] = day

    def flag(self, person: int, event: int) -> None:
        """Note that a person was flagged vulnerable."""
        self.flags.add((person, event))

    def take_back(self, person: int, event: int) -> None:
        """Note that an event was taken back."""
        self.taken_back.add((person, event))

    @property
    def vulnerable(self) -> set[int]:
        """Persons who were flagged."""
        return {person for person, event in self.flags if (person, event) not in self.taken_back}

    def columns(self) -> tuple[Ints, Ints]:
        """Return person and day of each contact, int64 (m,), by person and day."""
        standing = [(person, day) for (person, event), day in self.contacts.items() if (person, event) not in self.taken_back]
        rows = np.array(sorted(standing), dtype=np.int64).reshape(-1, 2)
        return rows[:, 0], rows[:, 1]

    def total(self) -> int:
        """Return the number of contacts."""
        return int(self.columns()[0].size)

    def per_person(self) -> Ints:
        """Return contacts over all days, int64 (p,)."""
        return np.bincount(self.columns()[0], minlength=self.count).astype(np.int64)

    def most_in_a_week(self) -> Ints:
        """Return the most contacts within any seven days, int64 (p,)."""
        person, day = self.columns()
        most = np.zeros(self.count, dtype=np.int64)
        if person.size:
            # One line of days per person, so far apart that no window reaches into the next.
            span = int(day.max() - day.min()) + 2 * WEEK_DAYS
            line = person * span + (day - day.min())
            first = np.searchsorted(line, line - WEEK_DAYS + 1, side="left")
            np.maximum.at(most, person, np.arange(person.size) - first + 1)
        return most


@dataclass(frozen=True)
class PublicTable:
    """A table that may be shown.

    Attributes:
        name: contacts, contacts_in_7_days, decision or outcome.
        kinds: names of the rows.
        groups: names of the columns.
        counts: int64 (r, c) persons.
        hidden: bool (r, c) which of them must not be shown.
    """

    name: str
    kinds: tuple[str, ...]
    groups: tuple[str, ...]
    counts: Ints
    hidden: NDArray[np.bool_]


def public_tables(year: PersonYear, counts: YearCounts, least: int) -> tuple[PublicTable, ...]:
    """Return the tables of a year, with groups and kinds of fewer than ``least`` persons joined and small cells hidden."""
    contacts, week = counts.per_person(), counts.most_in_a_week()
    bands = ((("contacts", contacts, CONTACT_BANDS)), ("contacts_in_7_days", week, WEEK_BANDS))
    wanted: list[tuple[str, Ints, Sequence[str], bool]] = [
        (name, np.searchsorted(np.array(first), values, side="right") - 1, _band_names(first), True)
        for name, values, first in bands
    ]
    last = len(OUTCOMES) - 1
    wanted += [
        ("decision", np.minimum(year.decision, len(DECISIONS) - 1), DECISIONS, False),
        ("outcome", np.minimum(year.outcome, last), OUTCOMES, False),
    ]
    groups, place = _groups(year.group, least)
    tables = []
    for name, kind, names, ordered in wanted:
        held = np.zeros((len(names), len(groups)), dtype=np.int64)
        np.add.at(held, (kind, place[year.group]), 1)
        joined, kinds = joined_kinds(held, tuple(names), least, ordered)
        tables.append(PublicTable(name, kinds, groups, joined, hidden_cells(joined, least)))
    return tuple(tables)


def _groups(group: Ints, least: int) -> tuple[tuple[str, ...], Ints]:
    """Return the groups shown, and where each of ``GROUPS`` is among them: a small group is counted with others."""
    held: Mapping[str, int] = {name: int((group == place).sum()) for place, name in enumerate(GROUPS)}
    small = [name for name in GROUPS if 0 < held[name] < least]
    if held["vulnerable"] == 0 or "vulnerable" in small or sum(held.values()) - held["vulnerable"] < least:
        return ("all",), np.zeros(len(GROUPS), dtype=np.int64)
    if small or held["not known"] == 0 or held["others"] == 0:
        rest = "others" if held["not known"] == 0 else "not known" if held["others"] == 0 else "others and not known"
        return ("vulnerable", rest), np.array([0, 1, 1])
    return ("vulnerable", "others", "not known"), np.array([0, 2, 1])


def _band_names(first: Sequence[int]) -> list[str]:
    ends = [after - 1 for after in first[1:]]
    closed = [f"{low}" if low == high else f"{low}-{high}" for low, high in zip(first, ends, strict=False)]
    return [*closed, f"{first[-1]} or more"]
