"""What the ledger stores, as plain records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
class WorklistEntry:
    """One account of a queue's worklist."""

    priority: int
    account_id: str
    row_number: int
    increment_minor: int
    seconds: int
    surplus_minor: int
