"""Two recorded mornings of one book beside each other; nothing is recorded."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from collections_opt.application.rankings.opened_ranking import OpenedRanking
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.evaluation.mornings import Morning, MorningChanges, compare_mornings
from collections_opt.core.wanted import require_wanted


@dataclass(frozen=True)
class ComparedMornings:
    """What differs between two mornings, with their dates and currency, and the versions that differ: name, before, after."""

    changes: MorningChanges
    currency_code: str
    before_as_of: date
    after_as_of: date
    versions: tuple[tuple[str, str, str], ...]


class Mornings:
    """Compares mornings; the last comparison stays in memory for its next page, until somebody is erased.

    Args:
        erasure_count: how many erasures there were.
    """

    def __init__(self, erasure_count: Callable[[], int]) -> None:
        self._erasure_count = erasure_count
        self._lock = threading.Lock()
        self._last: tuple[tuple[str, str, int], ComparedMornings] | None = None

    def compare(self, before: OpenedRanking, after: OpenedRanking) -> ComparedMornings:
        """Return what differs, as ``compare_recorded_mornings``."""
        key = (before.record.ranking_id, after.record.ranking_id, self._erasure_count())
        with self._lock:
            last = self._last
        if last is None or last[0] != key:
            last = (key, compare_recorded_mornings(before, after))
            with self._lock:
                self._last = last
        return last[1]


def compare_recorded_mornings(before: OpenedRanking, after: OpenedRanking) -> ComparedMornings:
    """Return what differs between two recorded rankings of one book.

    Raises:
        CollectionsError: INVALID_ARGUMENT where the later ranking is of an earlier day, or of another currency.
    """
    books = before.portfolio, after.portfolio
    if books[1].as_of_date < books[0].as_of_date:
        told = f"is of {books[1].as_of_date}, before {books[0].as_of_date}."
        raise refuse(Reason.INVALID_ARGUMENT, "after_ranking_id", told, "Name the earlier morning first.")
    if books[0].currency_code != books[1].currency_code:
        told = f"is in {books[1].currency_code}, the other in {books[0].currency_code}."
        raise refuse(Reason.INVALID_ARGUMENT, "after_ranking_id", told, "Compare mornings of one book.")
    require_wanted()
    first, second = (
        Morning(book, opened.entries, tuple(queue.queue_id for queue in opened.plan.queues))
        for book, opened in zip(books, (before, after), strict=True)
    )
    require_wanted()
    changes = compare_mornings(first, second)
    return ComparedMornings(changes, books[0].currency_code, books[0].as_of_date, books[1].as_of_date, _versions(before, after))


def _versions(before: OpenedRanking, after: OpenedRanking) -> tuple[tuple[str, str, str], ...]:
    was, now = _named(before), _named(after)
    return tuple((name, was[name], now[name]) for name in was if was[name] != now[name])


def _named(opened: OpenedRanking) -> dict[str, str]:
    asked, answer = opened.facts.inputs, opened.facts.answer
    return {
        "plan": f"{asked.plan_id}/{asked.plan_version}",
        "rules": asked.rules_version,
        "models": answer.model_version,
        "values": opened.parameters.version,
        "order": answer.ordering.value,
    }
