"""Rank where an engine keeps the accounts: scores, values, prices, proof and entries are passes over parts.

The driver holds the accounts' own columns and the entries, which it records as ever; what is per account and queue (values,
times, the work of the models) stays with the parts. The ranking is the same bytes as one made in this process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.own_columns import own_columns, read_header
from collections_opt.core.accounts.persons import persons_of
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.problem.assignment import (
    UNASSIGNED,
    Assignment,
    AssignmentProblem,
    ProgressCallback,
    SideConstraints,
    SolveProgress,
)
from collections_opt.core.problem.side_constraints import side_constraints
from collections_opt.core.progress import within
from collections_opt.core.ranking.ordering import Ordering, priority_in_queue
from collections_opt.core.ranking.pipeline import RankingRequest, Score, check_request
from collections_opt.core.ranking.ranking import Entries, Ranking, make_entries
from collections_opt.core.rules.eligibility import evaluate
from collections_opt.core.value.basis import ValueBasis, value_accounts
from collections_opt.core.value.outcomes import OutcomeProbabilities, from_nano, quantised, to_nano
from collections_opt.core.value.payoffs import LearnedValues, Payoffs, payoffs
from collections_opt.core.value.stated_money import ValueOfContact, listed_cells, state_money
from collections_opt.core.value.valued_accounts import ValuedAccounts
from collections_opt.engines import Columns, Engine, Passes
from collections_opt.solvers import (
    EXACT_ACCOUNTS,
    Finding,
    PartProof,
    SpreadProblem,
    prove_part,
    solve_exact,
    solve_spread,
    verify_parts,
)

SOLVED_ON_ENGINES = ("default", "pricing")


@dataclass(frozen=True)
class RankedBy:
    """The models that rank: what scores, and what the others say."""

    score: Score
    learned: LearnedValues


def why_not_on_an_engine(portfolio: Portfolio, request: RankingRequest, solver: str, engine: Engine) -> str:
    """Return why a ranking is made in this process although there is an engine; "" if it need not be."""
    least = max(1, engine.least_accounts)
    reasons = (
        (portfolio.account_count < least, f"it has fewer than {least:,} accounts"),
        (request.ordering is not Ordering.EXPECTED_VALUE, f"{request.ordering} is sorted in one place"),
        (request.constraints.exploration_share > 0, "the exploration reserve is drawn in one place"),
        (bool(request.experiments.designs), "experiments draw persons in one place"),
        (solver not in SOLVED_ON_ENGINES, f"the solver {solver!r} sees all accounts at once"),
    )
    found = next((why for holds, why in reasons if holds), "")
    if not found and persons_of(portfolio) is not None:
        return "some persons have several accounts, which rules and contacts bind together"
    return found


def rank_on_engine(
    portfolio: Portfolio, request: RankingRequest, by: RankedBy, engine: Engine, solver: str, progress: ProgressCallback
) -> tuple[Ranking, tuple[Finding, ...]]:
    """Return the ranking that ``rank`` makes, and what the verifier finds wrong with it.

    The ranking's ``problem`` holds limits and no cells: those stay on the engine and are gone with it.

    Args:
        portfolio: n accounts, each of another person.
        request: what to rank by; see ``why_not_on_an_engine``.
        by: the models.
        engine: where passes run.
        solver: ``default`` or ``pricing``.
        progress: told stages.

    Raises:
        CollectionsError: as ``rank``; RANKING_FAILED when the engine gives up on a pass.
    """
    check_request(portfolio, request)
    progress(SolveProgress("score", 0.05))
    previous = request.previous.of(portfolio) if request.previous else None
    side = side_constraints(portfolio, request.plan, request.constraints, previous)
    held = _Held.of(portfolio)
    columns = {**held.columns(portfolio), **({} if side is None else {"group": side.group.astype(np.int32)})}
    with engine.spread(columns) as spread:
        valued = spread.kept(_valuing(held, request, by))
        progress(SolveProgress("value", 0.4))
        problem = SpreadProblem(valued, request.plan.capacity_seconds, side)
        progress(SolveProgress("assign", 0.5))
        assignment = _solved(problem, request, solver, within(progress, 0.5, 0.9))
        progress(SolveProgress("enter", 0.9, assignment.gap))
        parts = valued.over(_entering(held, request, by, side, assignment))
        findings = verify_parts(*_worked(problem, valued, assignment), [part.proof for part in parts])
    entries = _entries(portfolio, assignment, parts)
    worth = Payoffs(**_joined([vars(part.worth) for part in parts]))
    first = portfolio.take(slice(0, 1))
    names = by.score(first)
    outcomes = OutcomeProbabilities(from_nano(_nano(entries)), names.model_version, names.calibration_version)
    progress(SolveProgress("decided", 0.9, assignment.gap))
    eligibility = evaluate(portfolio, request.plan, request.rules)
    stated = state_money(
        ValueOfContact(portfolio, request.plan, outcomes, worth, request.parameters.cost_basis, eligibility.attempts),
        by.learned.effects_of,
        listed_cells(entries.queue, entries.explored),
        eligibility.blocked_by == 0,
        assignment.prices,
    )
    effects = by.learned.effects_of(first, request.plan)
    queues = len(request.plan.queues)
    cells = AssignmentProblem(
        np.zeros((0, queues), np.int32), np.zeros((0, queues), np.uint16), request.plan.capacity_seconds, side
    )
    grades = tuple(effects.evidence(index) for index in range(queues))
    ordering, version = request.ordering, effects.version
    decided = (outcomes, eligibility, worth, cells, assignment, entries, version, grades)
    return Ranking(portfolio, ordering, *decided, stated=stated), findings


@dataclass(frozen=True)
class _Held:
    """How a portfolio is held as columns: what is the same for all accounts, and which columns are whose."""

    as_of_date: Any
    time_zone: str
    currency_code: str
    names: tuple[str, ...]
    own: str

    @staticmethod
    def of(portfolio: Portfolio) -> _Held:
        own = "" if portfolio.own is None else portfolio.own.header()
        return _Held(portfolio.as_of_date, portfolio.time_zone, portfolio.currency_code, tuple(portfolio.columns), own)

    def columns(self, portfolio: Portfolio) -> dict[str, NDArray[Any]]:
        """Return the columns of accounts under names that nothing else has."""
        masks = {f"account.{name}?": mask for name, mask in portfolio.present.items()}
        own = {} if portfolio.own is None else {f"own.{name}": column for name, column in portfolio.own.plain().items()}
        return {**{f"account.{name}": column for name, column in portfolio.columns.items()}, **masks, **own}

    def portfolio(self, part: Columns) -> Portfolio:
        """Return the accounts of a part."""
        columns = {name: part[f"account.{name}"] for name in self.names}
        present = {name[8:-1]: part[name] for name in part if name.startswith("account.") and name.endswith("?")}
        own = (
            own_columns(read_header(self.own), {name[4:]: part[name] for name in part if name.startswith("own.")})
            if self.own
            else None
        )
        return Portfolio(self.as_of_date, self.time_zone, self.currency_code, columns, present, own)


@dataclass(frozen=True)
class _EnteredPart:
    """What a part says of its m accounts: entries without ids and places in queues, payoffs, and its part of the proof."""

    entries: Mapping[str, NDArray[Any]]
    worth: Payoffs
    proof: PartProof


def _valuing(held: _Held, request: RankingRequest, by: RankedBy) -> Callable[[Columns], Columns]:
    basis = ValueBasis(request.plan, request.rules, request.parameters, by.learned)

    def value(part: Columns) -> Columns:
        portfolio = held.portfolio(part)
        outcomes = quantised(by.score(portfolio))
        problem = value_accounts(portfolio, outcomes, basis).problem
        return {**part, "value": problem.value, "seconds": problem.seconds, "nano": to_nano(outcomes.probability)}

    return value


def _solved(problem: SpreadProblem, request: RankingRequest, solver: str, progress: ProgressCallback) -> Assignment:
    """Return the answer for all accounts."""
    if solver == "default" and problem.passes.rows <= EXACT_ACCOUNTS:
        return solve_exact(problem.here(), request.options, progress)
    cells = replace(problem, passes=problem.passes.changed(_cells_only))
    found = solve_spread(cells, request.options, progress)
    if found.rows is None:
        return found.assignment
    queue = np.full(problem.passes.rows, UNASSIGNED, dtype=np.int16)
    queue[found.rows] = found.assignment.queue
    return replace(found.assignment, queue=queue)


def _cells_only(part: Columns) -> Columns:
    return {name: part[name] for name in ("value", "seconds", "group") if name in part}


def _entering(
    held: _Held, request: RankingRequest, by: RankedBy, side: SideConstraints | None, assignment: Assignment
) -> Callable[[Columns, int], _EnteredPart]:
    plan, rules, parameters, learned = request.plan, request.rules, request.parameters, by.learned
    worked = np.flatnonzero(assignment.queue != UNASSIGNED)
    queues = assignment.queue[worked]
    prices = replace(assignment, queue=queues[:0])
    names = ("", "")

    def enter(part: Columns, start: int) -> _EnteredPart:
        portfolio = held.portfolio(part)
        count = portfolio.account_count
        first, last = np.searchsorted(worked, [start, start + count])
        queue = np.full(count, UNASSIGNED, dtype=np.int16)
        queue[worked[first:last] - start] = queues[first:last]
        own_side = None if side is None else replace(side, group=part["group"])
        problem = AssignmentProblem(part["value"], part["seconds"], plan.capacity_seconds, own_side)
        worth = payoffs(portfolio, parameters, learned)
        outcomes = OutcomeProbabilities(from_nano(part["nano"]), *names)
        valued = ValuedAccounts(portfolio, outcomes, evaluate(portfolio, plan, rules), worth, problem)
        columns = make_entries(valued, replace(prices, queue=queue)).columns()
        left_out = ("account_id", "priority")
        kept = {name: column for name, column in columns.items() if name not in left_out}
        return _EnteredPart(kept, worth, prove_part(problem, prices))

    return enter


def _worked(problem: SpreadProblem, valued: Passes, assignment: Assignment) -> tuple[AssignmentProblem, Assignment]:
    """Return the accounts that an answer works, under the limits of all, and the answer for them."""
    rows = np.flatnonzero(assignment.queue != UNASSIGNED)
    passes = valued.changed(_cells_only).take(rows)
    return replace(problem, passes=passes).here(), replace(assignment, queue=assignment.queue[rows])


def _entries(portfolio: Portfolio, assignment: Assignment, parts: list[_EnteredPart]) -> Entries:
    """Join the entries of parts; places in queues are counted over all of them, by value per second as ever."""
    columns = _joined([part.entries for part in parts])
    increment, seconds = columns["increment_minor"], columns["seconds"]
    density = np.divide(increment, seconds, out=np.zeros(len(seconds)), where=seconds > 0)
    priority = priority_in_queue(assignment.queue, density)
    return Entries(account_id=portfolio.column("account_id"), priority=priority, **columns)


def _nano(entries: Entries) -> NDArray[np.int64]:
    return np.column_stack([entries.p_cure_nano, entries.p_default_nano, entries.p_stay_nano])


def _joined(parts: list[Any]) -> dict[str, NDArray[Any]]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
