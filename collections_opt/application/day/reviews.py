"""Human reviews: a person looked at a decision about an account, and says what came of it; events that decide nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.day.event_book import EventBook
from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.application.records.sealed_records import SealedRecords
from collections_opt.core.actors import Actor, ActorRole
from collections_opt.core.day.event_checks import EARLY, check_events
from collections_opt.core.day.events import Event
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse
from collections_opt.core.ranking.purpose import RankingPurpose
from collections_opt.ledger.events.leases import LeaseRecord, Leases
from collections_opt.ledger.events.stored_events import NOBODY, Told, instant_of
from collections_opt.ledger.ledger import Ledger

PATH = "reviews"


class Reviews:
    """Records reviews by the person who calls.

    Args:
        events: what keeps them.
        ledger: the rankings.
        sealed: opens what belongs to accounts.
        leases: who was to contact whom.
        now: the clock.
    """

    def __init__(
        self, events: EventBook, ledger: Ledger, sealed: SealedRecords, leases: Leases, now: Callable[[], datetime]
    ) -> None:
        self._events = events
        self._ledger = ledger
        self._sealed = sealed
        self._leases = leases
        self._now = now

    def record(self, reviews: Sequence[Event], reviewer: Actor, validate_only: bool = False) -> list[Told]:
        """Record 1 to 1,000 reviews: all, or none where any is at fault.

        What is recorded says who reviewed: ``reviewer``, whatever the events say.

        Raises:
            CollectionsError: as ``check_events`` and ``EventLog.record``; INVALID_ARGUMENT at actor for nobody, or a job, and for
                a review before its decision; PERMISSION_DENIED to a limited caller for accounts out of sight; NOT_FOUND for a
                ranking made for work, or a lease, that is not there or not about the account.
        """
        _require_person(reviewer)
        now = self._now()
        check_events(reviews, now, PATH)
        self._events.require_in_sight(reviews, PATH)
        self._require_decided(reviews)
        if validate_only:
            return []
        stamped = [
            replace(review, reviewer=reviewer.name, reviewer_role=reviewer.role, reviewer_issuer=reviewer.issuer)
            for review in reviews
        ]
        return self._events.tell(stamped, reviewer, now)

    def _require_decided(self, reviews: Sequence[Event]) -> None:
        """Refuse reviews of what was not decided about the account, or not yet."""
        numbers = [self._events.log.number_of(review.account_id) for review in reviews]
        decided = {name: self._decided(name) for name in dict.fromkeys(review.ranking_id for review in reviews) if name}
        found: list[FieldViolation] = []
        with self._leases.look() as turn:
            for index, (review, number) in enumerate(zip(reviews, numbers, strict=True)):
                path = f"{PATH}[{index}]"
                if review.ranking_id:
                    found += _faults(review, number, decided[review.ranking_id], path)
                else:
                    found += _lease_faults(review, number, turn.find(review.lease_id), path)
        if found:
            reason = Reason.INVALID_ARGUMENT if found[0].field.endswith(".occurred_at") else Reason.NOT_FOUND
            raise CollectionsError(reason, str(found[0]), tuple(found))

    def _decided(self, ranking_id: str) -> _Decided | None:
        """Return what a ranking made for work decided, None for none in sight."""
        try:
            record = self._ledger.rankings.get(ranking_id)
        except CollectionsError as error:
            if error.reason is not Reason.NOT_FOUND:
                raise
            return None
        facts = RankingFacts.from_record(record.record)
        if facts.inputs.made_for is not RankingPurpose.WORK:
            return None
        tables = [self._sealed.table(digest) for digest in (facts.kept.entries_object, facts.kept.leaves.refused_object)]
        return _Decided(datetime.fromisoformat(record.created_at), np.concatenate([table.key_no for table in tables]))


@dataclass(frozen=True)
class _Decided:
    """When a ranking was recorded, and about whom it decided: int64 (n,) key numbers."""

    at: datetime
    numbers: NDArray[np.int64]


def _faults(review: Event, number: int, decided: _Decided | None, path: str) -> Iterator[FieldViolation]:
    """Yield what is wrong with a review of a ranking; ``number`` is the account's."""
    if decided is None:
        told = f"{review.ranking_id[:70]!r} is no ranking made for work in your sight."
        yield FieldViolation(f"{path}.review.ranking_id", told, "Name one that ListRankings tells of.")
    elif number == NOBODY or not (decided.numbers == number).any():
        told = f"{review.account_id[:70]!r} is not among those that the ranking decided about."
        yield FieldViolation(f"{path}.account_id", told, "Name an account of its portfolio.")
    else:
        yield from _early(review, decided.at, path)


def _lease_faults(review: Event, number: int, lease: LeaseRecord | None, path: str) -> Iterator[FieldViolation]:
    """Yield what is wrong with a review of a lease; ``number`` is the account's."""
    if lease is None or number == NOBODY or lease.account_no != number:
        told = f"{review.lease_id[:70]!r} is no lease of this account in your sight."
        yield FieldViolation(f"{path}.review.lease_id", told, "Name one that LeaseAccounts gave.")
    else:
        yield from _early(review, instant_of(lease.leased_at), path)


def _early(review: Event, decided_at: datetime, path: str) -> Iterator[FieldViolation]:
    if review.occurred_at < decided_at - EARLY:
        told = f"{review.occurred_at.isoformat()} is before the decision of {decided_at.isoformat()}."
        yield FieldViolation(f"{path}.occurred_at", told, "Send when it was reviewed.")


def _require_person(reviewer: Actor) -> None:
    if not reviewer.name or reviewer.role == ActorRole.PLATFORM:
        told = "names nobody." if not reviewer.name else f"{reviewer.name[:70]!r} is a job, and reviews are of people."
        raise refuse(Reason.INVALID_ARGUMENT, "actor", told, "Call as the person who looked, with a role of people.")
