"""Which ranking a desk works today, found by its plan, so that who works it need not follow re-solves."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from collections_opt.application.rankings.in_force import ranking_in_force
from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.ledger.ledger import Ledger

_AROUND = (timedelta(0), timedelta(days=1), timedelta(days=-1))
"""Days that may be today somewhere, from the day in UTC."""


class InWork:
    """Finds rankings in force today; what was found is remembered until another ranking is recorded.

    Args:
        ledger: the records.
        now: the clock.
    """

    def __init__(self, ledger: Ledger, now: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._now = now
        self._lock = threading.Lock()
        self._known: dict[str, tuple[str, str, ZoneInfo, str]] = {}

    def ranking_id(self, named: str, plan_id: str) -> str:
        """Return the ranking that is named, or, for "", the one in force today of a desk ("" for the only one).

        Raises:
            CollectionsError: NOT_FOUND; INVALID_ARGUMENT where both are named, or several desks or portfolios have one;
                RANKING_NOT_IN_FORCE where there is one, but of another day.
        """
        if named and plan_id:
            told = "is named beside a ranking."
            raise refuse(Reason.INVALID_ARGUMENT, "capacity_plan_id", told, "Name the ranking or the desk.")
        return named or self._in_force(plan_id)

    def _in_force(self, plan_id: str) -> str:
        now = self._now()
        newest = self._ledger.rankings.newest_id()
        with self._lock:
            known = self._known.get(plan_id)
        if known and known[1] == newest and known[3] == now.astimezone(known[2]).date().isoformat():
            return known[0]
        found, zone, day = self._found(plan_id, now)
        with self._lock:
            self._known[plan_id] = (found, newest, zone, day)
        return found

    def _found(self, plan_id: str, now: datetime) -> tuple[str, ZoneInfo, str]:
        missing: CollectionsError | None = None
        for shift in _AROUND:
            day = (now.astimezone(UTC) + shift).date()
            try:
                record = ranking_in_force(self._ledger, plan_id, day)
            except CollectionsError as error:
                if error.reason is not Reason.NOT_FOUND:
                    raise
                missing = missing or error
                continue
            zone = ZoneInfo(RankingFacts.from_record(record.record).kept.time_zone)
            if now.astimezone(zone).date() == day:
                return record.ranking_id, zone, day.isoformat()
        ranking_in_force(self._ledger, plan_id)  # refuses where no day has one
        told = "has no ranking of today to work."
        raise refuse(Reason.RANKING_NOT_IN_FORCE, "capacity_plan_id", told, "Make a ranking of today.") from missing
