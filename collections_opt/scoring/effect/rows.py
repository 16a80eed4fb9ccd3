"""Put a contact log beside the accounts and scores it is about: the rows that effects are learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.features import build_features
from collections_opt.core.accounts.own_features import OwnFeature, own_indicators
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.evaluation.contact_log import NO_QUEUE, ContactLog
from collections_opt.core.value.outcomes import CURE, DEFAULT, STAY, OutcomeProbabilities

Floats = NDArray[np.float64]
_FLOOR = 1e-6
_COLUMNS = ("features", "offset", "contacts", "person", "period", "conversation", "product", "own")


@dataclass(frozen=True)
class EffectPeriod:
    """One period: the accounts, their scores without contact by a model that did not see these outcomes, and the contact log."""

    portfolio: Portfolio
    outcomes: OutcomeProbabilities
    log: ContactLog


@dataclass(frozen=True)
class LoggedContacts:
    """Rows of all periods, aligned; queues are the plan's, and ``NO_QUEUE`` only where everyone was asked for.

    Attributes:
        features: float32 (n, f) feature matrix.
        offset: float64 (n, 2) log-odds cure:stay and default:stay without contact.
        contacts: float64 (n,) contacts already made in the window.
        person: bytes (n,) who owes; the account where no customer is known.
        period: int64 (n,) which of the periods a row is of, 0 first.
        conversation: bool (n,) whether a conversation with the person is on record.
        product: bytes (n,) product code.
        own: float64 (n, m) the lender's own columns, as ``own_indicators``.
        own_columns: what they are.
        log: the rows of the log, ``queue`` as an index into the plan.
        dropped_count: log rows whose account is not in its portfolio (quarantined) or, unless everyone was asked for, that no
            queue was meant to work.
    """

    features: NDArray[np.float32]
    offset: Floats
    contacts: Floats
    person: NDArray[np.bytes_]
    period: NDArray[np.int64]
    conversation: NDArray[np.bool_]
    product: NDArray[np.bytes_]
    own: Floats
    own_columns: tuple[OwnFeature, ...]
    log: ContactLog
    dropped_count: int

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> LoggedContacts:
        """Return some rows."""
        columns = {name: getattr(self, name)[rows] for name in _COLUMNS}
        return LoggedContacts(**columns, own_columns=self.own_columns, log=self.log.take(rows), dropped_count=self.dropped_count)


def log_odds(probability: Floats) -> Floats:
    """Return the log-odds cure:stay and default:stay, float64 (n, 2): the outcome model's raw scores."""
    safe = np.log(np.maximum(probability, _FLOOR))
    return np.column_stack([safe[:, CURE] - safe[:, STAY], safe[:, DEFAULT] - safe[:, STAY]])


def probabilities(offset: Floats) -> Floats:
    """Return the probabilities, float64 (n, 3), of log-odds cure:stay and default:stay."""
    weight = np.empty((offset.shape[0], 3))
    weight[:, CURE], weight[:, DEFAULT], weight[:, STAY] = np.exp(offset[:, 0]), np.exp(offset[:, 1]), 1.0
    return np.asarray(weight / weight.sum(axis=1, keepdims=True), dtype=np.float64)


def logged_contacts(
    periods: Sequence[EffectPeriod], plan: CapacityPlan, everyone: bool = False, own: tuple[OwnFeature, ...] = ()
) -> LoggedContacts:
    """Return the rows of all periods that a queue of the plan was meant to work, or also those that none was (everyone).

    ``own`` are the lender's own columns to learn from.

    Raises:
        CollectionsError: INVALID_ARGUMENT when a log names a queue that the plan does not have, or there is no period.
    """
    if not periods:
        raise refuse(Reason.INVALID_ARGUMENT, "periods", "there is none.", "Send at least one period with its contact log.")
    parts = [_aligned(period, index, plan, everyone, own) for index, period in enumerate(periods)]
    ids = tuple(queue.queue_id for queue in plan.queues)
    logs = [part.log for part in parts]
    log = ContactLog(ids, **{name: np.concatenate([getattr(one, name) for one in logs]) for name in logs[0].columns})
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS}
    return LoggedContacts(**joined, own_columns=own, log=log, dropped_count=sum(part.dropped_count for part in parts))


def located(portfolio: Portfolio, log: ContactLog, everyone: bool = False) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows of a log whose account the portfolio holds, and its row of each.

    Rows that no queue was meant to work are left out unless everyone is asked for.
    """
    place = np.searchsorted(portfolio.column("account_id"), log.account_id)
    place = np.minimum(place, max(portfolio.account_count - 1, 0))
    known = portfolio.column("account_id")[place] == log.account_id if portfolio.account_count else np.zeros(log.row_count, bool)
    usable = np.flatnonzero(known & (everyone | (log.queue != NO_QUEUE)))
    return usable, place[usable]


def persons_of_rows(portfolio: Portfolio, rows: NDArray[np.int64]) -> NDArray[np.bytes_]:
    """Return who owes, bytes (n,), of rows of a portfolio; the account where no customer is known."""
    customer, account = portfolio.column("customer_id")[rows], portfolio.column("account_id")[rows]
    return np.where(customer == b"", np.char.add(b"account ", account), customer)


def _aligned(
    period: EffectPeriod, number: int, plan: CapacityPlan, everyone: bool, own: tuple[OwnFeature, ...]
) -> LoggedContacts:
    portfolio, log = period.portfolio, period.log
    usable, rows = located(portfolio, log, everyone)
    taken = log.take(usable)
    # The last entry is what NO_QUEUE, -1, picks.
    index = np.array([*(plan.queue_index(queue_id) for queue_id in log.queue_ids), NO_QUEUE], dtype=np.int16)
    columns = {name: getattr(taken, name) for name in taken.columns} | {"queue": index[taken.queue]}
    renamed = ContactLog(tuple(queue.queue_id for queue in plan.queues), **columns)
    return LoggedContacts(
        features=build_features(portfolio).matrix[rows],
        offset=log_odds(period.outcomes.probability)[rows],
        contacts=portfolio.column("contacts_in_window_count")[rows].astype(np.float64),
        person=persons_of_rows(portfolio, rows),
        period=np.full(usable.size, number, dtype=np.int64),
        conversation=portfolio.is_present("days_since_conversation")[rows],
        product=portfolio.column("product")[rows],
        own=own_indicators(portfolio, own)[rows],
        own_columns=own,
        log=renamed,
        dropped_count=log.row_count - usable.size,
    )
