"""The one front door of the core: accounts in, a ranking out; scoring and solving are passed in as functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.persons import persons_of
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.desk.plan_checks import check_plan
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.experiments.recorded import NO_EXPERIMENTS, RunningExperiments
from collections_opt.core.made_once import MadeOnce
from collections_opt.core.problem.assignment import (
    AssignmentProblem,
    ProgressCallback,
    Solve,
    SolveOptions,
    SolveProgress,
    ignore_progress,
)
from collections_opt.core.problem.constraints import RankingConstraints, check_constraints
from collections_opt.core.problem.exploration import Exploration, draw, withdraw
from collections_opt.core.problem.side_constraints import NOT_COMPARED, side_constraints
from collections_opt.core.progress import within
from collections_opt.core.ranking.ordering import InOrder, Ordering, RawOrder, SolveInOrder, raw_order_key
from collections_opt.core.ranking.ranking import Ranking, make_entries
from collections_opt.core.rules.eligibility import RuleTable
from collections_opt.core.value.basis import ValueBasis, value_accounts
from collections_opt.core.value.outcomes import OutcomeProbabilities, quantised
from collections_opt.core.value.payoffs import NOTHING_LEARNED, LearnedValues, ValueParameters, check_parameters
from collections_opt.core.value.stated_money import ValueOfContact, listed_cells, state_money

Score = Callable[[Portfolio], OutcomeProbabilities]
"""Returns the outcome probabilities without contact of every account."""


@dataclass(frozen=True)
class RankingRequest:
    """What to rank by; recorded with the ranking.

    Attributes:
        plan: queues and capacity.
        rules: eligibility rules.
        parameters: value model.
        ordering: which order decides.
        options: how hard to try; its seed also drives the RANDOM order and the draws of the exploration reserve.
        constraints: limits beside eligibility and capacity.
        previous: the decisions of the previous ranking, if it is named.
        persons_bind: False only for rankings recorded before persons were known; the plan may allow several contacts too.
        experiments: whom draws leave alone or send to a queue, to learn what contact is worth.
    """

    plan: CapacityPlan
    rules: RuleTable
    parameters: ValueParameters
    ordering: Ordering = Ordering.EXPECTED_VALUE
    options: SolveOptions = field(default_factory=SolveOptions)
    constraints: RankingConstraints = field(default_factory=RankingConstraints)
    previous: PreviousDecisions | None = field(default=None, compare=False)
    persons_bind: bool = True
    experiments: RunningExperiments = NO_EXPERIMENTS

    @property
    def one_contact_per_person(self) -> bool:
        """Whether one account of each person is worked at most."""
        return self.persons_bind and not self.plan.several_contacts_per_person

    @property
    def drawn_among(self) -> tuple[str, ...] | None:
        """The queues among which experiments draw, None for an order without prices."""
        return drawn_among(self.ordering, self.plan)


def drawn_among(ordering: Ordering, plan: CapacityPlan) -> tuple[str, ...] | None:
    """Return the queues among which experiments draw, None for an order without prices: it draws none."""
    return tuple(queue.queue_id for queue in plan.queues) if ordering is Ordering.EXPECTED_VALUE else None


@dataclass(frozen=True)
class PreviousDecisions:
    """What the previous ranking decided: its accounts, sorted, and the queue of each in the order of the current plan.

    Attributes:
        account_id: bytes (p,).
        queue: int16 (p,) queue, ``UNASSIGNED``, or ``NOT_COMPARED`` where the plan no longer has it.
    """

    account_id: NDArray[np.bytes_]
    queue: NDArray[np.int16]

    def of(self, portfolio: Portfolio) -> NDArray[np.int16]:
        """Return int16 (n,) the previous queue of each account, ``NOT_COMPARED`` for accounts it does not hold."""
        wanted = portfolio.column("account_id")
        if not self.account_id.size:
            return np.full(wanted.size, NOT_COMPARED, dtype=np.int16)
        place = np.minimum(np.searchsorted(self.account_id, wanted), self.account_id.size - 1)
        return np.where(self.account_id[place] == wanted, self.queue[place], NOT_COMPARED).astype(np.int16)


_SOUND: MadeOnce[None] = MadeOnce()
"""Plans and parameters that were checked; every call with a few accounts is judged by the same."""


def check_request(portfolio: Portfolio, request: RankingRequest) -> None:
    """Refuse a request that could not give a meaningful ranking.

    Raises:
        CollectionsError: INVALID_ARGUMENT, CURRENCY_MISMATCH or CAPACITY_PLAN_NOT_EFFECTIVE with the field at fault.
    """
    _SOUND.get((request.plan,), lambda: check_plan(request.plan))
    _SOUND.get((request.parameters,), lambda: check_parameters(request.parameters))
    check_constraints(request.constraints, request.plan, request.previous is not None)
    if request.plan.currency_code != portfolio.currency_code:
        raise refuse(
            Reason.CURRENCY_MISMATCH,
            "capacity_plan.currency_code",
            f"the plan is in {request.plan.currency_code}, the portfolio in {portfolio.currency_code}.",
            "Use a plan whose costs are in the portfolio's currency.",
        )
    if request.plan.effective_from > portfolio.as_of_date:
        raise refuse(
            Reason.CAPACITY_PLAN_NOT_EFFECTIVE,
            "capacity_plan.effective_from",
            f"{request.plan.effective_from} is after the as-of date {portfolio.as_of_date}.",
            "Use a version in force on that date.",
        )


def _no_raw_orders(order: RawOrder, problem: AssignmentProblem, exploration: Exploration | None = None) -> InOrder:  # noqa: ARG001
    raise ValueError(f"{order.ordering} is sorted, not solved: pass solve_in_order")


def rank(
    portfolio: Portfolio,
    request: RankingRequest,
    score: Score,
    solve: Solve,
    progress: ProgressCallback = ignore_progress,
    *,
    learned: LearnedValues = NOTHING_LEARNED,
    solve_in_order: SolveInOrder = _no_raw_orders,
) -> Ranking:
    """Score, value and assign a portfolio; pure, the same inputs give the same bytes.

    ``learned`` is what models beside ``score`` say in place of plan and value parameters.

    Scores are put on the grid of 1e-9 before they meet money, so that the recorded ones reproduce every value.

    ``solve`` answers for EXPECTED_VALUE, ``solve_in_order`` for the other orders.

    Raises:
        CollectionsError: as ``check_request``, and what ``score`` and ``solve`` raise.
    """
    check_request(portfolio, request)
    progress(SolveProgress("score", 0.05))
    outcomes = quantised(score(portfolio))
    progress(SolveProgress("value", 0.4))
    effects = learned.effects_of(portfolio, request.plan)
    basis = ValueBasis(request.plan, request.rules, request.parameters, learned).knowing(effects)
    valued = value_accounts(portfolio, outcomes, basis)
    eligibility, worth = valued.eligibility, valued.worth
    previous = request.previous.of(portfolio) if request.previous else None
    side = side_constraints(portfolio, request.plan, request.constraints, previous)
    persons = persons_of(portfolio) if request.one_contact_per_person else None
    valued = valued.bound_by(side, persons, request.experiments.arms(portfolio, request.drawn_among))
    whole = valued.offered
    share, exploration = request.constraints.exploration_share, None
    if share > 0:
        exploration = draw(valued.drawable, share, request.options.seed)
    problem = withdraw(whole, exploration) if exploration else whole
    progress(SolveProgress("assign", 0.5))
    if request.ordering is Ordering.EXPECTED_VALUE:
        raw, assignment = None, solve(problem, request.options, within(progress, 0.5, 0.9))
    else:
        key = raw_order_key(request.ordering, portfolio, outcomes, worth, request.options.seed)
        raw = solve_in_order(RawOrder(request.ordering, key, request.options.seed), whole, exploration)
        assignment = raw.assignment
    progress(SolveProgress("enter", 0.9, assignment.gap))
    entries = make_entries(valued, assignment, raw, exploration)
    progress(SolveProgress("decided", 0.9, assignment.gap))
    stated = state_money(
        ValueOfContact(portfolio, request.plan, outcomes, worth, request.parameters.cost_basis, eligibility.attempts),
        learned.effects_of,
        listed_cells(entries.queue, entries.explored),
        eligibility.blocked_by == 0,
        assignment.prices,
    )
    grades = tuple(effects.evidence(index) for index in range(len(request.plan.queues)))
    return Ranking(
        portfolio,
        request.ordering,
        outcomes,
        eligibility,
        worth,
        problem,
        assignment,
        entries,
        effects.version,
        grades,
        exploration,
        stated,
    )
