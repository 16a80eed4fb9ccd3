"""Who is in an experiment and in which arm: a stable draw by person, the same in every ranking and after any import.

The arm of a person is decided by HMAC-SHA-256(salt, person) alone: its first eight bytes as a whole number below share x 2^64
mean the person is drawn: to be left alone, or to be worked in a queue drawn at random. No generator, no order of rows and no
state enter, so a restart, a second import or a moved account changes nothing, and the share is exact to 2^-64. The person is the
``customer_id``; an account without one is its own person.

The queue of a person is drawn by a key of each queue's own, HMAC-SHA-256(SHA-256(salt "/queue/" id), person): of the queues that
may work the account, the one with the smallest first eight bytes (rendezvous hashing; Thaler and Ravishankar 1998). So each has
the same chance, and the draw stays until that queue may not work the account, whatever becomes of the others.

Where two plans share the work everybody in scope is drawn for one of them, and in a ranking of either plan whoever belongs to the
other is kept out: everybody is in exactly one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.persons import persons_of
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.experiments.design import SHARE_SCALE, ArmKind, ExperimentDesign, Scope
from collections_opt.core.experiments.hashing import hmac_sha256_first8
from collections_opt.core.rules.eligibility import bucket_of

Mask = NDArray[np.bool_]

PROTECTED: tuple[str, ...] = ("vulnerable", "bankruptcy", "deceased", "cease", "attorney", "dispute", "fraud", "scra")
"""Flags of people whose contact is owed, shielded or ordered by law: no draw decides about them."""

_MUST_BE_KNOWN = "vulnerable"

_FIRST_EIGHT = 64

NO_QUEUE = -1
"""Where no queue may work an account, none is drawn for it."""


class Arm(IntEnum):
    """What the draw decided for an account's person."""

    NONE = 0
    """In no experiment."""
    CONTACT = 1
    """As the ranking decides."""
    HELD_OUT = 2
    """Left alone: no outbound contact, whatever the ranking would do."""
    RANDOM_QUEUE = 3
    """In the queue that was drawn, or in none where it is not worth its minutes there."""
    OTHER_PLAN = 4
    """Worked by the other of two plans, and therefore not by the ranking's: never left alone."""


_DRAWN_ARM = {ArmKind.HOLDOUT: Arm.HELD_OUT, ArmKind.RANDOM_QUEUE: Arm.RANDOM_QUEUE}
"""The arm of whoever an experiment draws, where it does not depend on the plan."""


@dataclass(frozen=True)
class Arms:
    """Arms of n accounts under the experiments of a day.

    Attributes:
        experiment: uint8 (n,) which experiment an account's person is in, counted from 1 in their order; 0 for none.
        arm: uint8 (n,), an ``Arm``.
        share_nano: int64 (e,) chance of being drawn in each experiment, in 1e-9; 0 where two plans share the work: a plan's
            decisions have the chances that they have among its own people.
        draws_queues: bool (e,) whether that is for a queue.
        rows: int64 (r,) accounts whose queue is drawn.
        points: uint64 (r, q) what draws it: the smallest of the queues that may work the account.
    """

    experiment: NDArray[np.uint8]
    arm: NDArray[np.uint8]
    share_nano: NDArray[np.int64]
    draws_queues: Mask
    rows: NDArray[np.int64]
    points: NDArray[np.uint64]

    @property
    def held_out(self) -> Mask:
        """Whom no queue may contact, bool (n,)."""
        return np.asarray(self.arm == Arm.HELD_OUT, dtype=bool)

    @property
    def of_other_plan(self) -> Mask:
        """Whom another plan works, bool (n,)."""
        return np.asarray(self.arm == Arm.OTHER_PLAN, dtype=bool)

    @property
    def kept_out(self) -> Mask:
        """Whom no queue of the ranking's plan may contact, left alone or worked by another plan, bool (n,)."""
        return self.held_out | self.of_other_plan

    @property
    def chance_nano(self) -> NDArray[np.int64]:
        """Chance in 1e-9 with which each account's person is drawn, int64 (n,); 0 outside experiments."""
        return np.concatenate([[0], self.share_nano])[self.experiment].astype(np.int64)

    @property
    def of_queues(self) -> Mask:
        """Whose person is in an experiment that draws queues, whatever the arm, bool (n,)."""
        return np.concatenate([[False], self.draws_queues])[self.experiment]

    def drawn_queues(self, allowed: Mask) -> NDArray[np.int16]:
        """Return the queue drawn for each of ``rows``, int16 (r,), -1 where none may work the account.

        Args:
            allowed: bool (r, q) which queues may.
        """
        return drawn_queues(self.points, allowed)


def person_keys(portfolio: Portfolio) -> NDArray[np.bytes_]:
    """Return the text that names each account's person across portfolios, bytes (n,)."""
    customer, account = portfolio.column("customer_id"), portfolio.column("account_id")
    named = np.strings.add(np.bytes_(b"customer/"), customer)
    return np.where(customer == b"", np.strings.add(np.bytes_(b"account/"), account), named)


def held_out(salt: str, share_nano: int, person: NDArray[np.bytes_]) -> Mask:
    """Return whom the draw takes, bool (n,): to be left alone, or for a queue.

    Args:
        salt: hexadecimal digits.
        share_nano: chance in 1e-9.
        person: as ``person_keys``.
    """
    drawn = hmac_sha256_first8(bytes.fromhex(salt), person)
    return np.asarray(drawn < np.uint64((share_nano << _FIRST_EIGHT) // SHARE_SCALE), dtype=bool)


def queue_points(salt: str, person: NDArray[np.bytes_], queue_ids: Sequence[str]) -> NDArray[np.uint64]:
    """Return what draws the queues of persons, uint64 (n, q).

    Args:
        salt: hexadecimal digits.
        person: (n,) as ``person_keys``.
        queue_ids: q of them.
    """
    points = np.empty((person.size, len(queue_ids)), dtype=np.uint64)
    for at, queue_id in enumerate(queue_ids):
        points[:, at] = hmac_sha256_first8(hashlib.sha256(f"{salt}/queue/{queue_id}".encode()).digest(), person)
    return points


def drawn_queues(points: NDArray[np.uint64], allowed: Mask) -> NDArray[np.int16]:
    """Return the queue with the smallest point among those allowed, int16 (r,), -1 for none; both (r, q)."""
    if not points.size:
        return np.full(len(points), NO_QUEUE, dtype=np.int16)
    least = np.where(allowed, points, np.iinfo(np.uint64).max).argmin(axis=1)
    return np.where(allowed.any(axis=1), least, NO_QUEUE).astype(np.int16)


def in_scope(portfolio: Portfolio, portfolio_id: str, design: ExperimentDesign) -> Mask:
    """Return the accounts whose persons an experiment is about, bool (n,).

    A person is in it with all accounts or with none: one account outside the scope would be contacted about, and a protected
    one takes the whole person out. Where queues are drawn, a person with several accounts is out: which of them is worked
    would follow from the draw. Where two plans share the work everybody is in it, protected people too, under whatever id the
    portfolio was derived: whoever were in neither plan's part would be worked by both.
    """
    if not design.runs_on(portfolio.as_of_date):
        return np.zeros(portfolio.account_count, dtype=bool)
    if design.arm is ArmKind.TWO_PLANS:
        return np.ones(portfolio.account_count, dtype=bool)
    return covered(portfolio, portfolio_id, design.scope, design.arm)


def covered(portfolio: Portfolio, portfolio_id: str, scope: Scope, arm: ArmKind = ArmKind.HOLDOUT) -> Mask:
    """Return the accounts that a scope covers, whatever the day, bool (n,); as ``in_scope``."""
    if not scope.names(portfolio_id):
        return np.zeros(portfolio.account_count, dtype=bool)
    if arm is ArmKind.TWO_PLANS:
        return np.ones(portfolio.account_count, dtype=bool)
    inside = ~protected(portfolio)
    if scope.products:
        inside &= np.isin(portfolio.column("product"), np.array([name.encode() for name in scope.products]))
    if scope.buckets:
        inside &= np.isin(bucket_of(portfolio.column("days_past_due")), np.array(scope.buckets))
    persons = persons_of(portfolio)
    if persons is None:
        return inside
    if arm is ArmKind.RANDOM_QUEUE:
        inside &= persons.account_count[persons.of] == 1
    return ~persons.any_of(~inside)


def protected(portfolio: Portfolio) -> Mask:
    """Return accounts about whose people no draw decides, bool (n,): who is not known to be not vulnerable is protected.

    The other flags that are missing are read as rules read them, as not set.
    """
    found = ~portfolio.is_present(_MUST_BE_KNOWN)
    for name in PROTECTED:
        found |= portfolio.column(name).astype(bool)
    return np.asarray(found, dtype=bool)


def protected_persons(portfolio: Portfolio) -> Mask:
    """Return accounts of people of whom some account is ``protected``, bool (n,)."""
    found, persons = protected(portfolio), persons_of(portfolio)
    return found if persons is None else persons.any_of(found)


def arms_of(
    portfolio: Portfolio,
    portfolio_id: str,
    designs: Sequence[ExperimentDesign],
    queue_ids: Sequence[str] | None = None,
    plan_id: str = "",
) -> Arms | None:
    """Return the arms under the experiments of a day, None where there are none; who is in two is in the first.

    Args:
        portfolio: n accounts.
        portfolio_id: whose they are.
        designs: the experiments.
        queue_ids: among which queues are drawn; None for an order without prices, in which none is.
        plan_id: whose ranking it is; a plan that is neither of two works nobody of them.
    """
    if not designs:
        return None
    experiment = np.zeros(portfolio.account_count, dtype=np.uint8)
    arm = np.zeros(portfolio.account_count, dtype=np.uint8)
    person = person_keys(portfolio)
    among = queue_ids or ()
    rows_drawn, points = [np.zeros(0, dtype=np.int64)], [np.zeros((0, len(among)), dtype=np.uint64)]
    for at, design in enumerate(designs, start=1):
        draws_queues = design.arm is ArmKind.RANDOM_QUEUE
        if draws_queues and queue_ids is None:
            continue
        rows = np.flatnonzero(in_scope(portfolio, portfolio_id, design) & (experiment == 0))
        drawn = held_out(design.salt, design.share_nano, person[rows])
        experiment[rows] = at
        arm[rows] = _arm_of(design, drawn, plan_id)
        if draws_queues:
            rows_drawn.append(rows[drawn])
            points.append(queue_points(design.salt, person[rows[drawn]], among))
    shares = np.array([0 if design.arm is ArmKind.TWO_PLANS else design.share_nano for design in designs], dtype=np.int64)
    kinds = np.array([design.arm is ArmKind.RANDOM_QUEUE for design in designs], dtype=bool)
    return Arms(experiment, arm, shares, kinds, np.concatenate(rows_drawn), np.concatenate(points))


def _arm_of(design: ExperimentDesign, drawn: Mask, plan_id: str) -> NDArray[np.uint8]:
    """Return the arms of people in a ranking of a plan, uint8 (r,), by whom the draw takes, bool (r,)."""
    if design.arm is not ArmKind.TWO_PLANS:
        return np.where(drawn, int(_DRAWN_ARM[design.arm]), int(Arm.CONTACT)).astype(np.uint8)
    mine = np.zeros(drawn.size, dtype=bool)
    if design.is_of(plan_id):
        mine = drawn if plan_id == design.challenger_plan_id else ~drawn
    return np.where(mine, int(Arm.CONTACT), int(Arm.OTHER_PLAN)).astype(np.uint8)
