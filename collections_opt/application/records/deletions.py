"""Portfolios deleted: those on which nothing rests, one by one or all whose declared retention has ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.records.derivation import read_derivation
from collections_opt.application.records.recorder import Recorder
from collections_opt.core.actors import UNKNOWN, Actor
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.log.log import LogEntry, LogKind
from collections_opt.ledger.records import OutcomeKind, PortfolioRecord
from collections_opt.ledger.tables.portfolios import EXPIRES_ON, must_be_kept

MAX_REASON_CHARACTERS = 1_000
_EVER = datetime(9999, 1, 1, tzinfo=UTC)
"""Objects have a nonce of their own: nobody writes the same one again, however lately it was written."""

KEY_RANGES = "key_ranges"
"""In the leaf of a deletion: first and last number of the keys of its accounts, so that ``erase lapsed`` finds them."""


@dataclass(frozen=True)
class DeletedPortfolio:
    """What became of a portfolio that was to be deleted.

    Attributes:
        portfolio_id: which.
        row_count: rows that it held, accepted and quarantined.
        position: place of the deletion in the log, None where nothing was deleted: only checked, or kept.
        kept_because: what rests on it, "" where nothing does.
    """

    portfolio_id: str
    row_count: int
    position: int | None
    kept_because: str = ""


class Deletions:
    """Deletes portfolios: their sealed accounts and findings go, headers and leaves stay.

    Args:
        ledger: the records.
        recorder: opens portfolios, and signs the log.
        now: the clock.
    """

    def __init__(self, ledger: Ledger, recorder: Recorder, now: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._recorder = recorder
        self._now = now

    def delete(self, portfolio_id: str, reason: str, actor: Actor = UNKNOWN, validate_only: bool = False) -> DeletedPortfolio:
        """Delete a portfolio for good; deleted before, what was recorded first is returned.

        Args:
            portfolio_id: which.
            reason: why, recorded as it is; so never with names in it.
            actor: who asks.
            validate_only: check only.

        Raises:
            CollectionsError: NOT_FOUND; MUST_BE_KEPT naming what rests on it: a ranking, a portfolio that follows from it,
                outcomes, or a legal hold; INVALID_ARGUMENT without a reason.
        """
        _check_reason(reason)
        before = self._ledger.portfolios.deletion(portfolio_id)
        if before is not None:
            return DeletedPortfolio(portfolio_id, int(before.facts["row_count"]), before.position)
        record = self._ledger.portfolios.get(portfolio_id)
        numbers = self._key_numbers(record)
        resting = self._resting(record, numbers)
        if resting:
            raise must_be_kept(portfolio_id, resting)
        if validate_only:
            return DeletedPortfolio(portfolio_id, record.row_count, None)
        facts = {"reason": reason, "actor": actor.recorded(), "at": self._now().isoformat(), "row_count": record.row_count}
        _, entry = self._ledger.portfolios.delete(portfolio_id, {**facts, KEY_RANGES: _ranges(numbers)})
        self._remove_objects(record)
        self._recorder.publish()
        return DeletedPortfolio(portfolio_id, record.row_count, entry.position)

    def delete_expired(self, reason: str, actor: Actor = UNKNOWN, validate_only: bool = False) -> list[DeletedPortfolio]:
        """Delete every portfolio whose declared retention has ended, by the day where the clock is set, and tell which are kept.

        Raises:
            CollectionsError: INVALID_ARGUMENT without a reason.
        """
        _check_reason(reason)
        today, done = self._now().date(), []
        for record in list(self._ledger.portfolios.every()):
            expires_on = self.expires_on(record.portfolio_id)
            if expires_on is None or today < expires_on:
                continue
            try:
                done.append(self.delete(record.portfolio_id, reason, actor, validate_only))
            except CollectionsError as error:
                if error.reason is not Reason.MUST_BE_KEPT:
                    raise
                done.append(DeletedPortfolio(record.portfolio_id, record.row_count, None, error.violations[0].description))
        return done

    def expires_on(self, portfolio_id: str) -> date | None:
        """Return from which day a portfolio may be deleted with the others that expired; None for one that never does."""
        entry = self._ledger.log.entry_of(LogKind.PORTFOLIO, portfolio_id)
        told = entry.facts.get(EXPIRES_ON) if entry else None
        return date.fromisoformat(told) if told else None

    def _key_numbers(self, record: PortfolioRecord) -> NDArray[np.int64]:
        tables = (self._recorder.sealed.table(digest) for digest in (record.object_digest, record.quarantine_digest))
        numbers = np.unique(np.concatenate([table.key_no for table in tables]))
        return numbers[numbers >= 0]

    def _resting(self, record: PortfolioRecord, numbers: NDArray[np.int64]) -> str:
        portfolio_id = record.portfolio_id
        for other in self._ledger.portfolios.every():
            derivation = read_derivation(self._recorder.sealed.derivation(other.object_digest))
            if derivation is not None and derivation.base_portfolio_id == portfolio_id:
                return f"portfolio {other.portfolio_id} follows from it"
        for hold in self._ledger.erasure.holds():
            held = hold.placed and np.isin(numbers, np.array(hold.key_numbers, dtype=np.int64)).any()
            if held or (hold.placed and self._recorder.sealed.has_person_of(record.object_digest, hold.person_numbers)):
                return f"an account of it is under legal hold {hold.hold_id}"
        for outcome in self._ledger.outcomes.every(OutcomeKind.MATURITY):
            if portfolio_id in outcome.facts["later_portfolio_ids"]:
                return f"ranking {outcome.ranking_id} matured by what it tells"
        return self._ledger.portfolios.resting(portfolio_id)

    def _remove_objects(self, record: PortfolioRecord) -> None:
        """Remove its objects at once; those that a crash leaves are orphans, which a sweep finds."""
        named = {digest for other in self._ledger.portfolios.every() for digest in (other.object_digest, other.quarantine_digest)}
        for digest in {record.object_digest, record.quarantine_digest} - named:
            self._ledger.objects.remove(digest, _EVER)


def deleted_key_numbers(entry: LogEntry, size: int) -> NDArray[np.int64]:
    """Return the numbers below ``size`` of the keys that a deleted portfolio had."""
    ranges: list[list[int]] = entry.facts[KEY_RANGES]
    found = [np.arange(first, min(last + 1, size), dtype=np.int64) for first, last in ranges]
    return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)


def _check_reason(reason: str) -> None:
    if not reason.strip() or len(reason) > MAX_REASON_CHARACTERS:
        told = f"has {len(reason)} characters."
        raise refuse(Reason.INVALID_ARGUMENT, "reason", told, f"Say why in 1 to {MAX_REASON_CHARACTERS}, without names.")


def _ranges(numbers: NDArray[np.int64]) -> list[Any]:
    """Return first and last of every run of numbers without a gap; numbers are sorted."""
    if not numbers.size:
        return []
    ends = np.flatnonzero(np.diff(numbers) > 1)
    first, last = numbers[np.concatenate([[0], ends + 1])], numbers[np.concatenate([ends, [numbers.size - 1]])]
    found: list[Any] = np.stack([first, last], axis=1).tolist()
    return found
