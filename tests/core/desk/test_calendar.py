"""Plans over time: what is in force on a day, and that what is stored for another day never decides it."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from collections_opt.core.desk.calendar import Calendar, StandingVersion
from collections_opt.core.desk.day_changes import DayChange, DayKind, StoredDayChange

FRIDAY = date(2026, 11, 27)
SATURDAY, MONDAY, TUESDAY = (FRIDAY + timedelta(days) for days in (1, 3, 4))


def day(offset):
    return FRIDAY + timedelta(offset)


def closed(change_id, first, last):
    return StoredDayChange(change_id, DayChange(DayKind.CLOSED, day(first), day(last), "a"))


versions = st.lists(st.integers(-5, 5), min_size=1, max_size=6).map(
    lambda starts: tuple(StandingVersion(number, day(start)) for number, start in enumerate(starts, start=1))
)
changes = st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 4)), max_size=4).map(
    lambda spans: tuple(closed(number, first, first + length) for number, (first, length) in enumerate(spans, start=1))
)


def test_what_starts_later_waits_and_what_is_stored_afterwards_for_before_ends_where_it_starts():
    next_week = StandingVersion(2, MONDAY)
    calendar = Calendar((StandingVersion(1, date(2026, 1, 1)), next_week, StandingVersion(3, FRIDAY)))
    assert [calendar.version_on(each) for each in (day(-1), FRIDAY, SATURDAY, MONDAY, TUESDAY)] == [1, 3, 3, 2, 2]
    assert (calendar.ends(1), calendar.ends(3), calendar.ends(2)) == (day(-1), MONDAY - timedelta(1), None)


def test_of_two_that_start_on_one_day_the_later_stored_replaces_the_other():
    calendar = Calendar((StandingVersion(1, FRIDAY), StandingVersion(2, FRIDAY)))
    assert calendar.version_on(FRIDAY) == 2


def test_before_the_first_version_none_is_in_force():
    assert Calendar((StandingVersion(1, FRIDAY),)).version_on(day(-1)) == 0


@given(versions, changes, st.integers(-6, 6), st.integers(0, 8))
def test_days_are_whole_alike_and_say_what_each_day_says(standing, stored, first, length):
    calendar = Calendar(standing, stored)
    found = list(calendar.days(day(first), day(first + length)))
    told = {}
    for alike in found:
        for offset in range((alike.last_day - alike.first_day).days + 1):
            told[alike.first_day + timedelta(offset)] = (alike.version, alike.changes)
    every = [day(first + offset) for offset in range(length + 1)]
    assert told == {each: (calendar.version_on(each), calendar.changes_on(each)) for each in every}
    assert list(told) == every


@given(versions, st.integers(-5, 5), st.integers(1, 5))
def test_a_version_stored_for_a_later_day_changes_no_day_before_it(standing, today, ahead):
    later = Calendar((*standing, StandingVersion(99, day(today + ahead))))
    assert later.version_on(day(today)) == Calendar(standing).version_on(day(today))


@given(changes, st.integers(-6, 9))
def test_a_change_of_days_ends_by_itself(stored, offset):
    calendar = Calendar((StandingVersion(1, day(-9)),), stored)
    standing = {each.change_id for each in calendar.changes_on(day(offset))}
    assert standing == {s.change_id for s in stored if s.change.first_day <= day(offset) <= s.change.last_day}
