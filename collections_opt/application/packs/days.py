"""The days that a pack is about, and the rankings made on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.core.errors import Reason, refuse
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.records import RankingRecord

MOST_DAYS = 1_096
"""Three years: longer packs are asked for in parts."""

_PAGE = 50


@dataclass(frozen=True)
class PackDays:
    """Days, both ends included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        count = (self.last - self.first).days + 1
        if not 1 <= count <= MOST_DAYS:
            told = f"{self.first} to {self.last} are {count} days."
            raise refuse(Reason.INVALID_ARGUMENT, "last_date", told, f"Ask for 1 to {MOST_DAYS:,} days.")

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def instants(self, zone: str) -> tuple[datetime, datetime]:
        """Return when the days begin, and when they are over, by the clocks of a zone."""
        begins, ends = (datetime.combine(day, time(), ZoneInfo(zone)) for day in (self.first, self.last + timedelta(days=1)))
        return begins, ends


def rankings_of(ledger: Ledger, days: PackDays) -> Iterator[RankingRecord]:
    """Yield the rankings of some days that the caller may see, newest day first."""
    after: tuple[str, int] | None = None
    while page := ledger.rankings.by_day(None, after, _PAGE):
        for record in page:
            day = RankingFacts.from_record(record.record).inputs.as_of_date
            if day < days.first:
                return
            if day in days:
                yield record
        after = RankingFacts.from_record(page[-1].record).inputs.as_of_date.isoformat(), page[-1].seq
