"""Side constraints of a ranking as data: limits on counts of accounts, a cap on moves, a reserve of minutes for exploration."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from collections_opt.core.codes.places import place_violations
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason
from collections_opt.core.limits import MAX_ACCOUNTS_PER_PORTFOLIO, MAX_CONSTRAINTS
from collections_opt.core.names import list_violations, text_violation

MOVES = "moves"
"""Name of the row that caps moves; no other limit may have it."""


LAST_BUCKET = 6
"""180 days past due and more."""


_COUNT_REMEDY = f"Send 0 to {MAX_ACCOUNTS_PER_PORTFOLIO}."


class LimitKind(StrEnum):
    """Which side a limit is on."""

    AT_MOST = "AT_MOST"
    """A cap: never broken."""
    AT_LEAST = "AT_LEAST"
    """A floor: what is missing is reported, with its price."""


@dataclass(frozen=True)
class Segment:
    """Accounts by what they are; an empty tuple does not restrict.

    Attributes:
        products: product codes.
        states: jurisdictions; a country means all of it. An account of unknown state is in no jurisdiction.
        buckets: days past due // 30, 6 for 180 and more.
    """

    products: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    buckets: tuple[int, ...] = ()


@dataclass(frozen=True)
class AccountLimit:
    """How many accounts of a segment may, or must, be worked in some queues. Exactly one of the two sizes is given.

    By expected value a floor never has an account worked that costs more than it earns: such accounts can only leave it short.
    Raw orders do not know what an account earns and count it.

    Attributes:
        name: unique, for people and for the record.
        kind: cap or floor.
        segment: the accounts it counts.
        queue_ids: the queues it counts; empty means all.
        account_count: accounts.
        segment_share: share of the segment's accounts in [0, 1]; a floor is rounded up, a cap down.
    """

    name: str
    kind: LimitKind
    segment: Segment = Segment()
    queue_ids: tuple[str, ...] = ()
    account_count: int | None = None
    segment_share: float | None = None


@dataclass(frozen=True)
class RankingConstraints:
    """Everything beside capacity and eligibility that a ranking keeps to.

    Attributes:
        limits: caps and floors on counts of accounts.
        max_moved_count: how many accounts may be decided differently than in the previous ranking: put into another queue,
            dropped, or newly worked. Accounts that it does not hold do not count. None means any number.
        exploration_share: expected share of each queue's minutes given to accounts drawn at random, in [0, 0.5].
    """

    limits: tuple[AccountLimit, ...] = ()
    max_moved_count: int | None = None
    exploration_share: float = 0.0

    @property
    def any(self) -> bool:
        """True if anything is constrained."""
        return bool(self.limits) or self.max_moved_count is not None or self.exploration_share > 0


def check_constraints(constraints: RankingConstraints, plan: CapacityPlan, has_previous: bool) -> None:
    """Refuse constraints that say nothing or contradict themselves.

    Raises:
        CollectionsError: INVALID_ARGUMENT naming every field at fault, LIMIT_EXCEEDED for too many.
    """
    found: list[FieldViolation] = []
    if len(constraints.limits) > MAX_CONSTRAINTS:
        raise CollectionsError(
            Reason.LIMIT_EXCEEDED,
            f"{len(constraints.limits)} limits, at most {MAX_CONSTRAINTS}.",
            (FieldViolation("constraints.limits", f"has {len(constraints.limits)}.", f"Send at most {MAX_CONSTRAINTS}."),),
        )
    names: set[str] = {MOVES}
    for index, limit in enumerate(constraints.limits):
        field = f"constraints.limits[{index}]"
        found += _limit_faults(field, limit, plan)
        if limit.name in names:
            found.append(FieldViolation(f"{field}.name", f"{limit.name!r} is taken.", "Give every limit its own name."))
        names.add(limit.name)
    if constraints.max_moved_count is not None:
        if not 0 <= constraints.max_moved_count <= MAX_ACCOUNTS_PER_PORTFOLIO:
            found.append(FieldViolation("constraints.max_moved_count", "is out of range.", _COUNT_REMEDY))
        if not has_previous:
            remedy = "Name the previous ranking."
            found.append(FieldViolation("previous_ranking_id", "is needed to count moves.", remedy))
    if not 0 <= constraints.exploration_share <= 0.5:
        found.append(FieldViolation("constraints.exploration_share", "is not in [0, 0.5].", "Send a share, such as 0.03."))
    if found:
        raise CollectionsError(Reason.INVALID_ARGUMENT, str(found[0]), tuple(found))


def _limit_faults(field: str, limit: AccountLimit, plan: CapacityPlan) -> list[FieldViolation]:
    found: list[FieldViolation] = []
    named = text_violation(f"{field}.name", limit.name)
    if named:
        found.append(named)
    segment = limit.segment
    lists = (("segment.products", segment.products), ("segment.states", segment.states), ("segment.buckets", segment.buckets))
    for name, values in (*lists, ("queue_ids", limit.queue_ids)):
        found += list_violations(f"{field}.{name}", values)
    found += place_violations(f"{field}.segment.states", segment.states, plan.currency_code)
    found += [
        FieldViolation(f"{field}.segment.buckets[{index}]", f"{bucket} is no bucket.", "Use 0 to 6.")
        for index, bucket in enumerate(segment.buckets)
        if not 0 <= bucket <= LAST_BUCKET
    ]
    if (limit.account_count is None) == (limit.segment_share is None):
        found.append(FieldViolation(field, "has not exactly one size.", "Give account_count or segment_share."))
    if limit.account_count is not None and not 0 <= limit.account_count <= MAX_ACCOUNTS_PER_PORTFOLIO:
        found.append(FieldViolation(f"{field}.account_count", "is out of range.", _COUNT_REMEDY))
    if limit.segment_share is not None and not 0 <= limit.segment_share <= 1:
        found.append(FieldViolation(f"{field}.segment_share", "is not in [0, 1].", "Send a share."))
    known = {queue.queue_id for queue in plan.queues}
    found += [
        FieldViolation(f"{field}.queue_ids[{index}]", "is not in the plan.", f"Use some of {', '.join(sorted(known))}.")
        for index, queue_id in enumerate(limit.queue_ids)
        if queue_id not in known
    ]
    return found
