"""Packs over an open ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from collections_opt.application.day.day import Day
from collections_opt.application.evidence.evidence import Evidence
from collections_opt.application.outcomes.maturity import Maturities
from collections_opt.application.packs.persons import PersonPacks
from collections_opt.application.packs.portfolios import PortfolioPacks
from collections_opt.application.records.sealed_records import SealedRecords
from collections_opt.ledger.events.event_proofs import EventProofs
from collections_opt.ledger.events.leases import Leases
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.sealing.subject_keys import SubjectKeys


@dataclass(frozen=True)
class Packs:
    """What makes packs of persons and of books."""

    persons: PersonPacks
    portfolios: PortfolioPacks


def open_packs(
    ledger: Ledger,
    keys: SubjectKeys,
    sealed: SealedRecords,
    evidence: Evidence,
    day: Day,
    maturities: Maturities,
    now: Callable[[], datetime],
) -> Packs:
    """Return what makes packs over an open ledger.

    Args:
        ledger: the records.
        keys: the keys of accounts.
        sealed: opens what belongs to accounts.
        evidence: explains and proves decisions.
        day: what happened.
        maturities: what became of accounts.
        now: the clock.
    """
    log = day.events.log
    disclosures, leases = EventProofs(ledger.database, keys), Leases(ledger.database, log)
    persons = PersonPacks(ledger, sealed, evidence, day.events, disclosures, leases, maturities, now)
    return Packs(persons, PortfolioPacks(ledger, evidence.recorded, maturities, log))
