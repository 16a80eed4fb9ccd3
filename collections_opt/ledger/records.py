"""What the ledger stores, as plain records."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


@dataclass(frozen=True)
class PortfolioRecord:
    """An imported portfolio; ``row_count = accepted_count + quarantined_count``."""

    portfolio_id: str
    as_of_date: str
    time_zone: str
    currency_code: str
    row_count: int
    accepted_count: int
    quarantined_count: int
    digest: str
    object_digest: str
    quarantine_digest: str
    created_at: str


@dataclass(frozen=True)
class PlanRecord:
    """One version of a capacity plan; ``payload`` is its JSON, ``etag`` its digest."""

    plan_id: str
    version: int
    effective_from: str
    etag: str
    payload: str
    created_at: str


class CapacityActKind(StrEnum):
    """What was done to a plan's calendar."""

    DAYS = "DAYS"
    """Days were changed; the act's own number is the change's."""
    DAYS_TAKEN_BACK = "DAYS_TAKEN_BACK"
    """The change under ``number`` stands no more."""
    VERSION_TAKEN_BACK = "VERSION_TAKEN_BACK"
    """The version ``number`` is in force on no day any more."""
    SETTLED = "SETTLED"
    """The version ``number`` is a changed day as a ranking used it; it never stands."""


@dataclass(frozen=True)
class CapacityAct:
    """One act on a plan's calendar; ``act`` counts from 1, days are ISO dates, ``payload`` is the caller's JSON."""

    plan_id: str
    act: int
    kind: CapacityActKind
    number: int
    first_day: str
    last_day: str
    payload: str
    created_at: str


@dataclass(frozen=True)
class CapacityBook:
    """What a plan's calendar is made of.

    Attributes:
        state: changes with every version and act; an act is refused when it was decided on another state.
        standing: version and first day (ISO) of the versions that stand.
        acts: acts that concern the days asked for, in order.
    """

    state: str
    standing: tuple[tuple[int, str], ...]
    acts: tuple[CapacityAct, ...]


@dataclass(frozen=True)
class ModelRecord:
    """A model that was seen: its artifact's digest and its manifest as JSON."""

    kind: str
    version: str
    digest: str
    manifest: str
    created_at: str


@dataclass(frozen=True)
class RequestKey:
    """What makes a call idempotent: the caller's id, the method it called, the digest of everything else it sent."""

    request_id: str
    method: str
    payload_digest: str


class RankingState(StrEnum):
    """Where a requested ranking stands."""

    REQUESTED = "REQUESTED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    ABANDONED = "ABANDONED"
    """The process that made it is gone, or its caller cancelled it."""

    @property
    def is_finished(self) -> bool:
        """True unless work on it is owed."""
        return self in (RankingState.SUCCEEDED, RankingState.FAILED, RankingState.ABANDONED)


@dataclass(frozen=True)
class StateRecord:
    """One step in the life of a requested ranking; ``step`` counts from 1, ``reason`` is for people.

    ``worker`` names who makes the ranking from here on: empty while nobody does.
    """

    ranking_id: str
    step: int
    state: RankingState
    reason: str
    created_at: str
    worker: str = ""


@dataclass(frozen=True)
class RequestedRanking:
    """A request for a ranking, with its latest state; ``command`` is the caller's JSON, enough to make it again."""

    ranking_id: str
    request_id: str
    payload_digest: str
    portfolio_id: str
    command: str
    created_at: str
    latest: StateRecord


@dataclass(frozen=True)
class LedgerEvent:
    """A change that others may act on, in the order of its commits: ``seq`` counts from 1 without gaps; ``payload`` is JSON."""

    seq: int
    kind: str
    subject: str
    payload: str
    created_at: str


@dataclass(frozen=True)
class RankingRecord:
    """A ranking's header in the hash chain; ``record`` is canonical JSON without floats."""

    seq: int
    ranking_id: str
    request_id: str
    payload_digest: str
    portfolio_id: str
    record: Mapping[str, Any]
    previous_digest: str
    record_digest: str
    created_at: str


@dataclass(frozen=True)
class ChainHead:
    """The last ranking of the chain: what a checkpoint outside the database holds. ``seq`` 0 is the empty chain."""

    seq: int
    record_digest: str


@dataclass(frozen=True)
class WorklistEntry:
    """One account of a queue's worklist; ``attempts`` are those offered where they are fewer than the queue's, else 0.

    ``call_from`` and ``call_until`` are the minutes of the day between which to contact it, by the queue's clocks, -1 where that
    is not known.
    """

    priority: int
    account_id: str
    row_number: int
    increment_minor: int
    seconds: int
    surplus_minor: int
    queue: int
    attempts: int = 0
    call_from: int = -1
    call_until: int = -1


class OutcomeKind(StrEnum):
    """What a record about outcomes says."""

    FILE = "FILE"
    """What somebody told of accounts."""
    MATURITY = "MATURITY"
    """What became of a ranking's accounts by their horizons."""
    MONITOR = "MONITOR"
    """Predicted against realised."""


@dataclass(frozen=True)
class OutcomeRecord:
    """A record about outcomes.

    ``payload`` is canonical JSON, ``ranking_id`` is "" for a file, ``object_digest`` names the sealed rows, "" for none.
    """

    seq: int
    kind: OutcomeKind
    portfolio_id: str
    ranking_id: str
    object_digest: str
    payload: str
    created_at: str

    @property
    def facts(self) -> dict[str, Any]:
        """The payload as a mapping."""
        return dict(json.loads(self.payload))
