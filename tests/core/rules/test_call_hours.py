"""Hours of the day: an account is worked where law and desk meet, and nowhere else; judged by code that shares nothing with it.

The judge reads the shipped table's TOML, walks the desk's day in quarters of an hour as instants, and asks zoneinfo what the
clocks of the person show. Every edge in the table and in the desks here is a quarter of an hour.
"""

import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from importlib import resources
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from collections_opt.application.settings import bundled_rules
from collections_opt.core.accounts.admission import admit
from collections_opt.core.desk.day_windows import DayWindow
from collections_opt.core.errors import CollectionsError
from collections_opt.core.limits import MAX_RULES
from collections_opt.core.rules import call_hours, clock
from collections_opt.core.rules.eligibility import evaluate, lifts_on
from collections_opt.core.rules.tables import LawfulHours, Rule, RuleKind, RuleTable, Weekday
from tests.support.factories import EVER, plan, queue, raw_portfolio, text

HOURS = RuleTable("hours", tuple(rule for rule in bundled_rules().rules if rule.kind is RuleKind.HOURS), True)
EASTERN, CENTRAL, MOUNTAIN = "America/New_York", "America/Chicago", "America/Denver"
PLACES = {  # every zone of a place, as the judge knows it
    "US-NY": [EASTERN],
    "US-TX": [CENTRAL, MOUNTAIN],
    "US-WA": ["America/Los_Angeles"],
    "US-FL": [EASTERN, CENTRAL],
    "CA-QC": ["America/Toronto", "America/Halifax", "America/Puerto_Rico"],
    "CA-ON": ["America/Toronto", "America/Winnipeg", "America/Panama"],
    "AU-NSW": ["Australia/Sydney", "Australia/Broken_Hill", "Australia/Lord_Howe"],
    "IN": ["Asia/Kolkata"],
    "GB": ["Europe/London"],
    "GR": ["Europe/Athens"],
    "CO": ["America/Bogota"],
    "TW": ["Asia/Taipei"],
    "SG": ["Asia/Singapore"],
}
NAMES = {"IN": "India", "CO": "Colombia"}  # where money is dollars, IN and CO are Indiana and Colorado
DAYS = [
    date(2026, 3, 8),  # clocks of the United States go forward, a Sunday
    date(2026, 11, 1),  # and back
    date(2026, 4, 5),  # Easter; clocks of Australia go back
    date(2026, 4, 3),  # Good Friday
    date(2026, 10, 4),  # clocks of Australia go forward
    date(2026, 11, 26),
    date(2027, 1, 1),
    date(2026, 7, 1),
]


def desks(rng):
    """Return queues with windows in several zones and channels."""
    made = []
    for number in range(6):
        first = int(rng.integers(0, 90))
        edges = np.sort(rng.choice(np.arange(first, 96), size=2, replace=False)) * 15
        windows = [DayWindow(at(edges[0]), at(edges[1] % 1440))]
        if number % 2:
            windows.append(DayWindow(time(18), time(0)))
        zone = str(rng.choice(["", EASTERN, "Asia/Manila", "Europe/London", "Pacific/Kiritimati"]))
        channel = str(rng.choice(["CALL", "EMAIL", "VISIT", "LETTER"]))
        made.append(queue(f"q{number}", windows=tuple(windows), time_zone=zone, channel=channel))
    return plan(*made)


def at(minutes):
    return time(int(minutes) // 60, int(minutes) % 60)


def people(rng, count):
    """Return accounts in places with their own zone, another one, or none."""
    states = rng.choice(list(PLACES), count)
    kind = rng.integers(0, 3, count)
    others = [EASTERN, "US/Central", "Asia/Kolkata", "Australia/Perth", "Europe/Athens"]
    zones = [
        ["", PLACES[state][int(rng.integers(0, len(PLACES[state])))], str(rng.choice(others))][which]
        for state, which in zip(states, kind, strict=True)
    ]
    ids = [f"a{number:04d}" for number in range(count)]
    return ids, states.tolist(), zones


def judged(day, states, zones, desk):
    """Return, by account and queue, the quarters of the desk's day that are lawful, as minutes of the desk's clocks."""
    file = resources.files("collections_opt.datasets").joinpath("bundled/settings/rules.toml")
    rules = [rule for rule in tomllib.loads(file.read_text())["rules"] if rule["kind"] == "HOURS"]
    found = {}
    for row, (state, zone) in enumerate(zip(states, zones, strict=True)):
        clocks = [ZoneInfo(name) for name in (zones_for(state, zone, day))]
        binding = [r for r in rules if any(state == code or state.startswith(f"{code}-") for code in r["jurisdictions"])]
        for index, one in enumerate(desk.queues):
            own = ZoneInfo(one.time_zone or EASTERN)
            reach = [rule for rule in binding if one.channel in rule["channels"]]
            quarters = []
            instant = datetime.combine(day, time(), UTC) - timedelta(days=1)
            for _ in range(3 * 96):
                here = instant.astimezone(own)
                open_now = here.date() == day and any(w.start <= here.time() < (w.end or time.max) for w in windows_of(one))
                if open_now and all(lawful(rule, instant.astimezone(there)) for rule in reach for there in clocks):
                    quarters.append((instant, here.hour * 60 + here.minute))
                instant += timedelta(minutes=15)
            found[row, index] = quarters
    return found


class Open:
    """A window whose end at midnight is the last moment of the day."""

    def __init__(self, window):
        self.start, self.end = window.start, window.end if window.end != time(0) else time.max


def windows_of(one):
    return [Open(window) for window in one.windows]


def zones_for(state, zone, day):
    ours = PLACES[state]
    if not zone:
        return ours
    noon = datetime.combine(day, time(12), UTC)
    around = [noon + timedelta(hours=step) for step in range(-36, 37)]
    alike = any(
        all(t.astimezone(ZoneInfo(zone)).utcoffset() == t.astimezone(ZoneInfo(o)).utcoffset() for t in around) for o in ours
    )
    return [zone] if alike else [zone, *ours]


def lawful(rule, there):
    """Whether a rule lets a person be contacted when the person's clocks show this."""
    name = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")[there.weekday()]
    if there.date() in closed(rule, there.year):
        return False
    spans = [h for h in rule["hours"] if name in h.get("days", [name])]
    return any(h["start"] <= f"{there:%H:%M}" < h["end"] for h in spans)


EASTER = {2025: date(2025, 4, 20), 2026: date(2026, 4, 5), 2027: date(2027, 3, 28)}
CLOSED = {  # what the judge knows of feasts on and beside the days of the test, from calendars
    "au": {date(2026, 4, 3), date(2026, 4, 6), date(2027, 1, 1)},
    "ca-on": {date(2026, 4, 3), date(2026, 4, 6), date(2027, 1, 1), date(2026, 7, 1)},
    "ca-qc": {date(2026, 4, 3), date(2026, 4, 6), date(2027, 1, 1), date(2026, 7, 1)},
    "gr": {date(2027, 1, 1)},
    "co": {date(2026, 4, 2), date(2026, 4, 3), date(2026, 11, 2), date(2027, 1, 1)},
}


def closed(rule, year):
    return next((days for name, days in CLOSED.items() if rule["rule_id"].startswith(name)), set())


def disagreements(seed=0, count=40):
    """Return how often the ranking's cells and the judge's differ, over days, desks and people."""
    wrong = 0
    for day in DAYS:
        rng = np.random.default_rng(seed + day.toordinal())
        desk, (ids, states, zones) = desks(rng), people(rng, count)
        raw = raw_portfolio(
            account_id=text(ids), state=text([NAMES.get(state, state) for state in states]), time_zone=text(zones)
        )
        portfolio = admit(replace(raw, as_of_date=day)).portfolio
        assert portfolio.account_count == count
        found, truth = evaluate(portfolio, desk, HOURS), judged(day, states, zones, desk)
        for (row, index), quarters in truth.items():
            window = found.hours.window(row, index)
            free = found.blocked_by[row, index] == 0
            wrong += free != bool(quarters) or (window is not None) != free
            if window is not None and quarters:
                wrong += not held_by(window, quarters)
    return wrong


def held_by(window, quarters):
    """Whether a window is one stretch of lawful quarters, and none is longer."""
    runs, last = [], None
    for instant, minute in quarters:
        if last is not None and instant - last == timedelta(minutes=15):
            runs[-1].append(minute)
        else:
            runs.append([minute])
        last = instant
    longest = max(len(run) for run in runs)
    return any(len(run) == longest and (run[0], run[-1] + 15) == window for run in runs)


def test_a_cell_is_free_just_where_law_and_desk_meet_and_its_window_is_the_longest_stretch():
    assert disagreements() == 0


def _first_zone_only(self, group):
    return frozenset(sorted(_zones(self, group))[:1])


def _winter(zone, day):
    return offsets(zone, date(day.year, 1, 15))


def _desk_day(rule, one, day):
    return lawful_minutes(replace(rule, hours=tuple(h for h in rule.hours if not h.days or day_name(day) in h.days)), one, day)


def day_name(day):
    return tuple(Weekday)[day.weekday()]


_zones, offsets, lawful_minutes = call_hours._Judge._zones, clock.offsets, clock.lawful_minutes


@pytest.mark.parametrize(
    ("place", "name", "planted"),
    [
        (call_hours._Judge, "_zones", _first_zone_only),
        (call_hours, "offsets", _winter),
        (call_hours, "lawful_minutes", _desk_day),
        (clock, "feast_days", lambda feasts, year: frozenset()),
        (call_hours, "zones_of_place", lambda state: (PLACES[state][0],)),
    ],
    ids=["one zone of several", "no summer time", "the desk's weekday", "no feasts", "the place's first zone"],
)
def test_the_judge_notices_planted_faults(monkeypatch, place, name, planted):
    monkeypatch.setattr(place, name, planted)
    assert disagreements() > 0


DAYTIME = (DayWindow(time(8), time(21)),)
MORNING = (DayWindow(time(8), time(9)),)


def one(state, zone="", windows=DAYTIME, desk_zone="", day=date(2026, 11, 24), rules=HOURS):
    """Return the eligibility of one account in one queue."""
    raw = raw_portfolio(account_id=text(["a"]), state=text([NAMES.get(state, state)]), time_zone=text([zone]))
    desk = plan(queue("q", windows=windows, time_zone=desk_zone))
    return evaluate(admit(replace(raw, as_of_date=day)).portfolio, desk, rules)


@pytest.mark.parametrize(
    ("state", "zone", "window"),
    [
        ("US-NY", "", (480, 1260)),
        ("US-CA", "", (660, 1440)),  # 8:00 there is 11:00 at a desk in New York
        ("US-TX", "", (600, 1320)),  # Mountain opens at 10:00, Central closes at 22:00
        ("US-NY", "America/Los_Angeles", (660, 1260)),  # area and address disagree: both bind
        ("US-TX", "US/Central", (540, 1320)),  # another name of a zone of the place
        ("IN", "", (1290, 1440)),  # 8:00 in India is 21:30 of the day before
        ("TW", "", (1080, 1440)),
        ("SG", "", (480, 1440)),  # no rule of hours there
    ],
)
def test_windows_in_the_desks_time(state, zone, window):
    found = one(state, zone, (DayWindow(time(8), time(0)),))
    assert found.hours.window(0, 0) == window


def test_a_place_that_is_not_known_is_read_as_strictly_as_can_be():
    assert one("", "").blocked_by[0, 0] > 0  # no minute is lawful everywhere at once
    assert one("", EASTERN).hours.window(0, 0) == (540, 1080)  # all rules at once: Greece opens, Thailand closes
    assert one("US", "", (DayWindow(time(0), time(0)),)).hours.window(0, 0) == (
        1020,
        1200,
    )  # from 8:00 in Guam to 21:00 in Puerto Rico


def test_a_block_by_hours_names_its_rule_and_a_plan_without_windows_is_not_judged():
    assert one("US-CA", windows=MORNING).reason(0, 0).rule_id == "us-hours"
    assert one("US-CA", windows=()).blocked_by[0, 0] == 0
    assert one("US-CA", windows=()).hours.not_planned(np.array([0], dtype=np.int16)).tolist() == [True]
    assert one("US-CA", windows=()).hours.not_planned(np.array([-1], dtype=np.int16)).tolist() == [False]
    assert one("SG", windows=()).hours.not_planned(np.array([0], dtype=np.int16)).tolist() == [False]
    assert "queue.hours" not in {reason.rule_id for reason in one("US-CA", windows=()).legend}


@pytest.mark.parametrize(
    ("state", "zone", "windows", "day", "lifts"),
    [
        ("GR", "", DAYTIME, date(2026, 11, 21), date(2026, 11, 23)),  # a Saturday
        ("GR", "", DAYTIME, date(2026, 4, 10), date(2026, 4, 14)),  # Orthodox Good Friday, Easter Monday is closed too
        ("CA-QC", "America/Toronto", DAYTIME, date(2026, 12, 25), date(2026, 12, 26)),
        ("US-CA", "", MORNING, date(2026, 11, 24), None),  # the desk never works when it is day there
        ("SG", "", (DayWindow(time(2), time(3)),), date(2026, 3, 8), date(2026, 3, 9)),  # clocks skip the hour
    ],
)
def test_a_block_by_hours_lifts_on_the_first_day_on_which_law_and_desk_meet(state, zone, windows, day, lifts):
    raw = raw_portfolio(account_id=text(["a"]), state=text([NAMES.get(state, state)]), time_zone=text([zone]))
    portfolio = admit(replace(raw, as_of_date=day)).portfolio
    found = evaluate(portfolio, plan(queue("q", windows=windows)), HOURS)
    assert found.reason(0, 0) is not None
    assert lifts_on(found, portfolio, 0, 0) == lifts
    free = evaluate(portfolio, plan(queue("q")), HOURS)
    assert lifts_on(free, portfolio, 0, 0) is None


def test_a_window_that_clocks_skip_holds_no_minute():
    found = one("SG", windows=(DayWindow(time(2), time(3)),), day=date(2026, 3, 8))
    assert found.reason(0, 0).rule_id == "queue.hours"


def test_no_account_is_judged_by_itself(monkeypatch):
    seen = []
    monkeypatch.setattr(call_hours._Judge, "cell", lambda self, group, queue: (seen.append(group), (-1, -1, -2, False))[1])
    ids = [f"a{number:05d}" for number in range(20_000)]
    raw = raw_portfolio(account_id=text(ids), state=text(["US-NY", "US-CA"] * 10_000), time_zone=text(["", EASTERN] * 10_000))
    evaluate(admit(raw).portfolio, plan(queue("q", windows=(DayWindow(time(8), time(9)),))), HOURS)
    assert len(seen) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"hours": ()},
        {"hours": (LawfulHours(time(9), time(8)),)},
        {"hours": (LawfulHours(time(9), time(9, 0, 1)),)},
        {"closed_on": ("Christmas",)},
        {"closed_on": ("13-01",)},
        {"column": "state"},
    ],
)
def test_hours_that_are_none_are_refused(changes):
    rule = Rule("h", 1, RuleKind.HOURS, "time_zone", EVER, hours=(LawfulHours(time(8), time(21)),))
    with pytest.raises(CollectionsError, match=r"hours|feast|part of"):
        one("US-NY", rules=RuleTable("t", (replace(rule, **changes),)))


def test_more_rules_than_a_cell_can_name_are_refused():
    rule = Rule("h", 1, RuleKind.HOURS, "time_zone", EVER, hours=(LawfulHours(time(8), time(21)),))
    with pytest.raises(CollectionsError, match="at most 240"):
        one("US-NY", rules=RuleTable("t", tuple(replace(rule, rule_id=f"r{number}") for number in range(MAX_RULES + 1))))
