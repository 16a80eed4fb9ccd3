"""How long accounts are kept, and which ones nothing keeps any longer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.records.deletions import deleted_key_numbers
from collections_opt.application.records.sealed_records import SealedRecords
from collections_opt.core.problem.assignment import ProgressCallback, SolveProgress, ignore_progress
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.log.log import LogKind
from collections_opt.ledger.sealing.subject_keys import SubjectKeys

RETENTION_YEARS = 3
"""Years that records are kept after the last collection activity on a debt (12 CFR 1006.100), unless configured otherwise."""


@dataclass(frozen=True)
class LapsedAccounts:
    """Accounts that nothing keeps.

    Attributes:
        account_id: bytes (n,).
        key_no: int64 (n,) number of each one's key.
        held_count: accounts whose retention has lapsed too but that are under a legal hold, so not among these.
    """

    account_id: NDArray[np.bytes_]
    key_no: NDArray[np.int64]
    held_count: int


def years_after(day: date, years: int) -> date:
    """Return the same day some years later; 29 February becomes 1 March where there is none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def lapsed_accounts(
    ledger: Ledger,
    sealed: SealedRecords,
    keys: SubjectKeys,
    before: date,
    years: int,
    held_among: Callable[[NDArray[np.int64]], NDArray[np.bool_]],
    progress: ProgressCallback = ignore_progress,
) -> LapsedAccounts:
    """Return the accounts whose retention ended before a day and that no hold protects.

    The retention of an account runs from the as-of date of the last portfolio that has it, worked or not, accepted or refused, or
    from its last event, if that is later:
    a debt that is still sent is still open, and no worklist has an account that its portfolio has not. The work is linear in
    the rows ever imported. An account that no recorded portfolio has, such as one of an import under way, is left alone; those of
    deleted portfolios lapse at once.

    Args:
        ledger: the records.
        sealed: opens what portfolios hold.
        keys: the keys of accounts.
        before: the day.
        years: that an account is kept.
        held_among: says which of some accounts, int64 (k,) by the numbers of their keys, are under a legal hold, bool (k,).
        progress: hears how far it is.
    """
    account_id, key_no = keys.known()
    size = int(key_no.max(initial=-1)) + 1
    lapsed, kept = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
    stored = list(ledger.portfolios.every())
    for done, portfolio in enumerate(stored):
        seen = lapsed if years_after(date.fromisoformat(portfolio.as_of_date), years) < before else kept
        for digest in (portfolio.object_digest, portfolio.quarantine_digest):
            numbers = sealed.table(digest).key_no
            seen[numbers[(numbers >= 0) & (numbers < size)]] = True
        progress(SolveProgress("portfolios", (done + 1) / len(stored)))
    for entry in ledger.log.entries(LogKind.PORTFOLIO_DELETION):  # what they held is gone; only ids and keys are left
        lapsed[deleted_key_numbers(entry, size)] = True
    heard = [
        number
        for number, day in ledger.event_days.last_of_accounts().items()
        if years_after(day, years) >= before and number < size
    ]
    kept[heard] = True
    lapsed &= ~kept
    held = np.zeros(size, dtype=bool)
    candidates = np.flatnonzero(lapsed)
    held[candidates] = held_among(candidates)
    chosen = (lapsed & ~held)[key_no]
    return LapsedAccounts(account_id[chosen], key_no[chosen], int((lapsed & held)[key_no].sum()))
