"""Days of the year on which a law lets nobody be contacted: fixed, by weekday, or by Easter.

A feast is written as one of

- ``12-25``: the same day every year; ``12-25*`` also the Monday after, where it falls on a weekend;
- ``09-MON-1``: the first Monday of September (1 to 5; a fifth that a month lacks is no day);
- ``MON<05-25`` and ``MON>=01-06``: the last Monday before a day, the first on or after it;
- ``EASTER-2``, ``EASTER+1``, ``ORTHODOX-48``: days from Easter Sunday, Gregorian or Orthodox;
- ``2026-03-20``: a day of one year, for feasts that a decree sets.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import lru_cache

WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_DAY = "|".join(WEEKDAYS)
_FORMS = {
    "one": re.compile(r"(\d{4})-(\d\d)-(\d\d)"),
    "fixed": re.compile(r"(\d\d)-(\d\d)(\*?)"),
    "nth": re.compile(rf"(\d\d)-({_DAY})-([1-5])"),
    "near": re.compile(rf"({_DAY})(<|>=)(\d\d)-(\d\d)"),
    "easter": re.compile(r"(EASTER|ORTHODOX)([+-]\d{1,3})?"),
}
_SATURDAY = 5


@lru_cache(maxsize=4_096)
def is_feast(text: str) -> bool:
    """Return whether a text writes a feast that exists."""
    try:
        _dates(text, 2024)  # a leap year has every day
    except ValueError:
        return False
    return True


@lru_cache(maxsize=4_096)
def feast_days(feasts: tuple[str, ...], year: int) -> frozenset[date]:
    """Return the days of a year that feasts fall on, those observed later included.

    Raises:
        ValueError: for a text that writes no feast.
    """
    around = [day for feast in feasts for near in (year - 1, year) for day in _dates(feast, near)]
    return frozenset(day for day in around if day.year == year)


def _dates(text: str, year: int) -> list[date]:
    form, found = next(((name, match) for name, form in _FORMS.items() if (match := form.fullmatch(text))), (None, None))
    if found is None:
        raise ValueError(f"{text!r} writes no feast")
    if form == "one":
        day = date(*map(int, found.groups()))
        return [day] if day.year == year else []
    if form == "fixed":
        return _fixed(date(2024, int(found[1]), int(found[2])), year, observed=bool(found[3]))
    if form == "nth":
        first = date(year, int(found[1]), 1)
        day = first + timedelta((WEEKDAYS.index(found[2]) - first.weekday()) % 7 + 7 * (int(found[3]) - 1))
        return [day] if day.month == first.month else []
    if form == "near":
        anchor, wanted = date(year, int(found[3]), int(found[4])), WEEKDAYS.index(found[1])
        if found[2] == "<":
            return [anchor - timedelta((anchor.weekday() - wanted - 1) % 7 + 1)]
        return [anchor + timedelta((wanted - anchor.weekday()) % 7)]
    easter = gregorian_easter(year) if found[1] == "EASTER" else orthodox_easter(year)
    return [easter + timedelta(int(found[2] or 0))]


def _fixed(of_leap_year: date, year: int, observed: bool) -> list[date]:
    try:
        day = of_leap_year.replace(year=year)
    except ValueError:  # 29 February of a common year
        return []
    later = [day + timedelta(7 - day.weekday())] if observed and day.weekday() >= _SATURDAY else []
    return [day, *later]


def gregorian_easter(year: int) -> date:
    """Return Easter Sunday of the western churches (the anonymous Gregorian computus, Meeus, Astronomical Algorithms, ch. 8)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    el = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * el) // 451
    month, day = divmod(h + el - 7 * m + 114, 31)
    return date(year, month, day + 1)


def orthodox_easter(year: int) -> date:
    """Return Easter Sunday of the Orthodox churches in the civil calendar (Meeus's Julian computus; years 1900 to 2099)."""
    d = (19 * (year % 19) + 15) % 30
    e = (2 * (year % 4) + 4 * (year % 7) - d + 34) % 7
    month, day = divmod(d + e + 114, 31)
    return date(year, month, day + 1) + timedelta(days=13)
