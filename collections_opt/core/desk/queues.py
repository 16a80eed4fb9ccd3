"""Agent queues and the capacity plan that says how many minutes each has on which day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.desk.day_windows import DayWindow
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason
from collections_opt.core.names import OMITTED_AT_DEFAULT


class EvidenceGrade(StrEnum):
    """How well a contact effect is known."""

    EXPERIMENT = "EXPERIMENT"
    """Randomised contacts."""
    OBSERVATIONAL = "OBSERVATIONAL"
    """Contact logs, adjusted, overlap checked."""
    ASSUMED = "ASSUMED"
    """Configuration."""


@dataclass(frozen=True)
class ContactEffect:
    """What a right-party contact in a queue does to the odds of the outcomes (value-model section 5).

    Attributes:
        right_party_contact_rate: probability that the attempts reach the person, in [0, 1].
        theta_cure: shift of the log-odds cure:stay given a right-party contact.
        theta_default: shift, downwards, of the log-odds default:stay given a right-party contact.
        repeat_decay: gamma in [0, 1]; theta(n) = theta * gamma^n after n contacts in the window.
        evidence: how well it is known.
    """

    right_party_contact_rate: float
    theta_cure: float
    theta_default: float
    repeat_decay: float = 1.0
    evidence: EvidenceGrade = EvidenceGrade.ASSUMED


@dataclass(frozen=True)
class Queue:
    """One team of agents on one channel.

    Attributes:
        queue_id: stable id.
        name: for people.
        channel: CALL, TEXT, EMAIL, LETTER, VISIT.
        agents: agents at work that day (fractions are part-time).
        paid_minutes: paid minutes per agent.
        shrinkage: share of paid minutes lost to breaks, training, absence.
        occupancy: share of the rest that is handling time.
        committed_minutes: minutes already promised (inbound, callbacks, promises).
        attempts: dial attempts per account worked.
        dial_minutes: minutes per attempt.
        talk_minutes: minutes of talk per right-party contact.
        wrap_minutes: minutes of after-call work per right-party contact.
        variable_cost_per_minute_minor: money per handling minute that would not be spent otherwise.
        loaded_cost_per_minute_minor: money per handling minute with wages; used with cost basis LOADED.
        channel_fee_minor: money per account worked.
        effect: what contact does.
        skills: skills of the team, for people.
        specialisms: block flags whose accounts this team may work ("vulnerable").
        specialist_only: the team works accounts with one of its specialisms and no others.
        products: eligible product codes; empty means all.
        buckets: eligible buckets (days past due // 30); empty means all.
        states: licensed jurisdictions; empty means all.
        attempts_may_shrink: where a budget leaves fewer than ``attempts``, but at least one, the account may be worked with what
            it leaves.
        windows: parts of the day in which the team contacts; empty where the plan does not know, and then hours of the law are
            not planned.
        time_zone: IANA zone of the windows; "" is the portfolio's.
        automated: the team's contacts are made by an automatic dialler, an artificial or recorded voice, or sent by a machine.
        languages: that the team speaks, ISO 639; empty means every language.
    """

    queue_id: str
    name: str
    agents: float
    paid_minutes: float
    effect: ContactEffect
    channel: str = "CALL"
    shrinkage: float = 0.0
    occupancy: float = 1.0
    committed_minutes: float = 0.0
    attempts: float = 1.0
    dial_minutes: float = 0.0
    talk_minutes: float = 0.0
    wrap_minutes: float = 0.0
    variable_cost_per_minute_minor: int = 0
    loaded_cost_per_minute_minor: int = 0
    channel_fee_minor: int = 0
    skills: tuple[str, ...] = ()
    specialisms: tuple[str, ...] = ()
    specialist_only: bool = False
    products: tuple[str, ...] = ()
    buckets: tuple[int, ...] = ()
    states: tuple[str, ...] = ()
    attempts_may_shrink: bool = field(default=False, metadata=OMITTED_AT_DEFAULT)
    windows: tuple[DayWindow, ...] = field(default=(), metadata=OMITTED_AT_DEFAULT)
    time_zone: str = field(default="", metadata=OMITTED_AT_DEFAULT)
    automated: bool = field(default=False, metadata=OMITTED_AT_DEFAULT)
    languages: tuple[str, ...] = field(default=(), metadata=OMITTED_AT_DEFAULT)

    @property
    def capacity_minutes(self) -> float:
        """Minutes M_q = agents * paid * (1 - shrinkage) * occupancy - committed, at least 0 (value-model section 6)."""
        worked = self.agents * self.paid_minutes * (1.0 - self.shrinkage) * self.occupancy
        return max(0.0, worked - self.committed_minutes)

    @property
    def capacity_seconds(self) -> int:
        """Capacity in whole seconds, rounded down: a promise of time never exceeds the time there is."""
        return int(np.floor(self.capacity_minutes * 60.0 + 1e-6))

    @property
    def least_attempts(self) -> float:
        """The fewest attempts with which an account may be worked: 1 where they may shrink, else all."""
        return min(self.attempts, 1.0) if self.attempts_may_shrink else self.attempts

    def handling_minutes(self, rpc_rate: NDArray[np.float64], attempts: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Return h = attempts * t_dial + rpc * (t_talk + t_wrap), float64 minutes in the shape of ``rpc_rate``.

        ``attempts`` are those offered, in the same shape; None means the queue's own.
        """
        made = self.attempts if attempts is None else attempts
        return made * self.dial_minutes + rpc_rate * (self.talk_minutes + self.wrap_minutes)


@dataclass(frozen=True)
class CapacityPlan:
    """A version of a capacity plan, in force from a date until a later version's.

    Attributes:
        plan_id: stable id of the plan.
        version: 1, 2, ... assigned when stored.
        effective_from: first as-of date it applies to.
        currency_code: ISO 4217 code of its costs.
        queues: 1 to 200 queues, ids unique.
        labels: free text for people.
        several_contacts_per_person: let a ranking work several accounts of one person; otherwise each person is contacted
            about one account at most.
        facts_at_most_days: how old facts may be, by group of facts or by column; what is older is unknown, and does not permit.
            A fact without a bound counts whatever its age.
    """

    plan_id: str
    version: int
    effective_from: date
    currency_code: str
    queues: tuple[Queue, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    several_contacts_per_person: bool = field(default=False, metadata=OMITTED_AT_DEFAULT)
    facts_at_most_days: Mapping[str, int] = field(default_factory=dict, metadata=OMITTED_AT_DEFAULT)

    @property
    def capacity_seconds(self) -> NDArray[np.int64]:
        """Capacity per queue, int64 (q,) seconds."""
        return np.array([queue.capacity_seconds for queue in self.queues], dtype=np.int64)

    def queue_index(self, queue_id: str) -> int:
        """Return the position of a queue.

        Raises:
            CollectionsError: NOT_FOUND, naming the queues there are.
        """
        for index, queue in enumerate(self.queues):
            if queue.queue_id == queue_id:
                return index
        known = ", ".join(queue.queue_id for queue in self.queues)
        violation = FieldViolation("queue_id", f"{queue_id!r} is not in plan {self.plan_id}.", f"Use one of: {known}.")
        raise CollectionsError(Reason.NOT_FOUND, str(violation), (violation,), queue_id)
