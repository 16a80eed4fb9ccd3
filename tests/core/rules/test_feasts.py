"""Feasts by the rules of their calendars, and places by the zones of their parts."""

from datetime import date

import pytest

from collections_opt.core.codes.iso_3166 import SUBDIVISIONS
from collections_opt.core.codes.place_zones import zones_of_place
from collections_opt.core.rules import feasts
from collections_opt.core.rules.feasts import feast_days, gregorian_easter, is_feast, orthodox_easter
from collections_opt.core.rules.tables import Weekday

EASTERS = {
    2024: ("03-31", "05-05"),
    2025: ("04-20", "04-20"),
    2026: ("04-05", "04-12"),
    2027: ("03-28", "05-02"),
    2030: ("04-21", "04-28"),
}


@pytest.mark.parametrize(("year", "days"), EASTERS.items())
def test_easter(year, days):
    assert (f"{gregorian_easter(year):%m-%d}", f"{orthodox_easter(year):%m-%d}") == days


@pytest.mark.parametrize(
    ("feast", "year", "day"),
    [
        ("MON<05-25", 2026, date(2026, 5, 18)),
        ("MON<05-25", 2027, date(2027, 5, 24)),
        ("MON>=01-06", 2025, date(2025, 1, 6)),
        ("10-MON-2", 2026, date(2026, 10, 12)),
        ("EASTER-2", 2026, date(2026, 4, 3)),
        ("ORTHODOX+50", 2026, date(2026, 6, 1)),
        ("2026-03-20", 2026, date(2026, 3, 20)),
        ("01-01*", 2028, date(2028, 1, 3)),
    ],
)
def test_feasts(feast, year, day):
    assert day in feast_days((feast,), year)
    assert feast_days(("2026-03-20",), 2027) == frozenset()
    assert not is_feast("02-30")


def test_every_part_of_countries_with_rules_of_parts_has_its_zones():
    for country in ("US", "CA", "AU"):
        whole = set(zones_of_place(country))
        for part in SUBDIVISIONS[country]:
            assert set(zones_of_place(f"{country}-{part}")) < whole
    assert zones_of_place("US-NY-NYC") == ("America/New_York",)
    assert tuple(Weekday) == feasts.WEEKDAYS
