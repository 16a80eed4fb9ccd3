"""Recorded call windows against the hours of law and desk, minute by minute, by code that did not decide them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from collections_opt.application.evidence.findings import Check
from collections_opt.application.rankings.opened_ranking import OpenedRanking
from collections_opt.core.codes.place_zones import zones_of_place
from collections_opt.core.desk.queues import Queue
from collections_opt.core.rules.feasts import feast_days
from collections_opt.core.rules.tables import Rule, RuleKind, RuleStatus

_NAME = "hours"
_MINUTE = timedelta(minutes=1)


def hours_check(opened: OpenedRanking) -> Check | None:
    """Return whether every account that is worked has a lawful window within its queue's; None where no queue has windows.

    Accounts of one place, zone, queue and window are checked once.
    """
    entries, plan, portfolio = opened.entries, opened.plan, opened.portfolio
    if not any(queue.windows for queue in plan.queues):
        return None
    if entries.call_from is None or entries.call_until is None:
        return Check(_NAME, False, "The plan says when queues work, and no window is recorded.")
    hours = [rule for rule in opened.rules.rules if rule.kind is RuleKind.HOURS and _binds_on(rule, portfolio.as_of_date)]
    worked = np.flatnonzero(entries.queue >= 0)
    places, place_of = np.unique(portfolio.column("state")[worked], return_inverse=True)
    zones, zone_of = np.unique(portfolio.column("time_zone")[worked], return_inverse=True)
    numbers = [column[worked].astype(np.int64) for column in (entries.queue, entries.call_from, entries.call_until)]
    cells, rows = np.unique(np.column_stack([place_of, zone_of, *numbers]), axis=0, return_index=True)
    unplanned = 0
    for (place_no, zone_no, index, first, after), row in zip(cells.tolist(), worked[rows].tolist(), strict=True):
        place, zone = places[place_no].decode(), zones[zone_no].decode()
        queue = plan.queues[index]
        if not queue.windows:
            unplanned += 1
            continue
        minutes = _minutes(queue.time_zone or portfolio.time_zone, portfolio.as_of_date, first, after)
        binding = [rule for rule in hours if _reaches(rule, queue) and _in(place, rule, opened.rules.strict_places)]
        wrong = _wrong(queue, first, after, minutes) or _unlawful(binding, place, zone, minutes)
        if wrong:
            return Check(_NAME, False, f"{entries.account_id[row].decode()} is to be contacted {wrong}.")
    rest = " Some queues do not say when they work: there hours are not planned." if unplanned else ""
    return Check(_NAME, True, f"Every call window lies in its queue's hours and in those of the law where the person is.{rest}")


def _minutes(zone: str, day: date, first: int, after: int) -> list[datetime]:
    """Return the instants of the minutes of a day that clocks of a zone show between two, each as often as they show it."""
    place, start = ZoneInfo(zone), datetime.combine(day, time(), UTC) - timedelta(days=1)
    local = ((start + n * _MINUTE, (start + n * _MINUTE).astimezone(place)) for n in range(3 * 24 * 60))
    return [at for at, here in local if here.date() == day and first <= here.hour * 60 + here.minute < after]


def _wrong(queue: Queue, first: int, after: int, minutes: list[datetime]) -> str:
    if not any(window.minutes[0] <= first < after <= window.minutes[1] for window in queue.windows):
        return f"outside the windows of {queue.queue_id}"
    return "" if minutes else "in no minute of the day"


def _unlawful(rules: list[Rule], place: str, zone: str, minutes: list[datetime]) -> str:
    """Return what is unlawful about contact in any of the minutes, "" for nothing."""
    for clock in _clocks(place, zone, minutes) if rules else ():
        for at in minutes:
            there = at.astimezone(clock)
            for rule in rules:
                if not _lets(rule, there):
                    return f"at {there:%H:%M} of its own clocks, against {rule.rule_id}"
    return ""


def _clocks(place: str, zone: str, minutes: list[datetime]) -> Iterator[ZoneInfo]:
    """Yield the clocks that may be the person's, of several that agree all the time one."""
    own, seen = zone and _shown(zone, minutes), set()
    of_place = {} if zone and not place else {name: _shown(name, minutes) for name in zones_of_place(place)}
    alone = bool(zone) and (not of_place or own in of_place.values())
    for name, shown in {**({zone: own} if zone else {}), **({} if alone else of_place)}.items():
        if shown not in seen:
            seen.add(shown)
            yield ZoneInfo(name)


def _shown(zone: str, minutes: list[datetime]) -> tuple[timedelta | None, ...]:
    return tuple(at.astimezone(ZoneInfo(zone)).utcoffset() for at in [*minutes[::15], *minutes[-1:]])


def _lets(rule: Rule, there: datetime) -> bool:
    if there.date() in feast_days(rule.closed_on, there.year):
        return False
    day, minute = there.strftime("%a").upper(), there.hour * 60 + there.minute
    return any((not h.days or day in h.days) and h.minutes[0] <= minute < h.minutes[1] for h in rule.hours)


def _binds_on(rule: Rule, day: date) -> bool:
    return rule.status is not RuleStatus.PROPOSED and rule.effective_from <= day <= (rule.effective_to or date.max)


def _reaches(rule: Rule, queue: Queue) -> bool:
    exempt = bool(rule.specialism) and rule.specialism in queue.specialisms
    return (not rule.channels or queue.channel in rule.channels) and not exempt


def _in(place: str, rule: Rule, strict: bool) -> bool:
    parts = place.split("-") if place else []
    codes = [code.split("-") for code in rule.jurisdictions]
    within = any(parts[: len(code)] == code for code in codes)
    around = strict and any(code[: len(parts)] == parts for code in codes)
    return not codes or not parts or within or around
