"""The large-scale solver from front to back: presolve, prices, exact certificate, rounding, answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.assignment import (
    PRICE_SCALE,
    Assignment,
    AssignmentProblem,
    ProgressCallback,
    SolveOptions,
    SolveProgress,
    SolverIdentity,
    ignore_progress,
)
from collections_opt.solvers.answer import Incumbent, Proof, answer
from collections_opt.solvers.deadline import Deadline
from collections_opt.solvers.polish import SearchLimits, polish, reduced_costs
from collections_opt.solvers.pricing.boxstep import LevelResult
from collections_opt.solvers.pricing.instance import Evaluation, Instance, Ints, evaluate, flatten, sample, tally
from collections_opt.solvers.pricing.levels import SIZING_ROWS, find_prices
from collections_opt.solvers.pricing.presolve import Presolved, presolve, split_queues
from collections_opt.solvers.pricing.reduced_lp import open_choices
from collections_opt.solvers.pricing.rounding import drop_overload, fill, pool_of, round_choices, worth
from collections_opt.solvers.pricing.side_rounding import CORE_ROWS, round_side_rows
from collections_opt.solvers.side_rows import shortage_penalty_minor
from collections_opt.solvers.survey import Survey, survey
from collections_opt.solvers.verifier import MAX_PRICE

POLISHED_ACCOUNTS = 10_000
"""Up to here a branch and bound tries to close what the rounding leaves."""

SEARCH = SearchLimits()
IDENTITY = SolverIdentity(
    "pricing",
    "1",
    (
        ("polished_accounts", str(POLISHED_ACCOUNTS)),
        ("search_columns", str(SEARCH.columns)),
        ("search_nodes", str(SEARCH.nodes)),
    ),
)


def solve_pricing(problem: AssignmentProblem, options: SolveOptions, progress: ProgressCallback = ignore_progress) -> Assignment:
    """Return a list within a tiny proven gap for up to tens of millions of accounts.

    Prices come from nested samples and small linear programs; one exact pass proves them; a dynamic program per queue turns
    them into a list. Memory beside the instance is a few numbers per account.

    Raises:
        CollectionsError: VALUE_OVERFLOW when the sums could leave int64, INVALID_ARGUMENT for shapes that differ.
    """
    deadline = Deadline(options.deadline_seconds)
    facts = survey(problem, options.threads)
    penalty = shortage_penalty_minor(problem.side, facts)
    presolved = presolve(problem, facts)
    merged = flatten(presolved.problem, options.threads)
    warm = None if options.warm_prices is None else _merge_warm(options.warm_prices, presolved, merged)
    cap = _price_caps(presolved, facts, merged, penalty)
    found = find_prices(merged, cap, options.seed, warm, deadline, lambda stage, done: progress(SolveProgress(stage, 0.7 * done)))
    prices = np.rint(found.prices * PRICE_SCALE).astype(np.int64)
    evaluation = evaluate(merged, prices)
    progress(SolveProgress("prices proven", 0.7))
    choice, split = _starting_choices(evaluation, found)
    rounding = _Rounding(merged, prices, penalty, options.seed, deadline)
    best = rounding.run(choice, split)
    instance = merged
    if presolved.merged:
        instance = flatten(presolved.original, options.threads)
        prices = np.concatenate([prices[: merged.queues][presolved.owner], prices[merged.queues :]])
        rounding = _Rounding(instance, prices, penalty, options.seed, deadline)
        best = rounding.run(split_queues(presolved, best), np.zeros(0, np.int64))
    incumbent = Incumbent(best, worth(instance, best, penalty), evaluation.bound // PRICE_SCALE)
    progress(SolveProgress("rounded", 0.9, incumbent.gap))
    incumbent = _polished(presolved.original, prices, incumbent, penalty, options, deadline)
    m = problem.queue_count
    room = (instance.limit - tally(instance, incumbent.queue)[1])[m:]
    proof = Proof(prices[:m], prices[m:], evaluation.bound)
    result = answer(problem, incumbent, proof, room, penalty, options, deadline.fired, IDENTITY)
    progress(SolveProgress("done", 1.0, result.gap))
    return result


@dataclass(frozen=True)
class _Rounding:
    """Turns choices at prices into a list within all limits."""

    instance: Instance
    prices: Ints
    penalty_minor: int
    seed: int
    deadline: Deadline

    def run(self, choice: NDArray[np.int16], split: Ints) -> NDArray[np.int16]:
        """Return the best list found; ``split`` are the accounts that the linear program leaves fractional."""
        instance, prices = self.instance, self.prices
        if self.deadline.expired():
            every = np.arange(instance.rows)
            return fill(instance, drop_overload(instance, prices, choice), every)
        probe = instance
        if instance.rows > 2 * SIZING_ROWS:
            probe = instance.take(sample(instance, SIZING_ROWS, self.seed))
        pool = pool_of(instance, probe, prices)
        if len(instance.table):
            core = np.union1d(pool.closest(CORE_ROWS), split)
            choice = round_side_rows(instance, prices, choice, core, pool.reach, self.penalty_minor, self.deadline)
        return round_choices(instance, prices, choice, np.union1d(pool.rows, split), pool.reach, self.penalty_minor)


def _starting_choices(evaluation: Evaluation, found: LevelResult) -> tuple[NDArray[np.int16], Ints]:
    """Return the best choices at the prices, with the linear program's where prices tie, and the accounts it splits.

    A program that had to buy or sell capacity at the edge of its box rests on minutes that nobody has: it is not used.
    """
    choice = evaluation.choice
    if not found.settled or found.solution is None or found.solution.bought.any():
        return choice, np.zeros(0, np.int64)
    rows, choices, split = open_choices(found.solution)
    choice[rows] = choices
    return choice, split


def _price_caps(presolved: Presolved, facts: Survey, instance: Instance, penalty_minor: int) -> NDArray[np.float64]:
    """Return the largest sane prices, float64 (m + k): well above any value per second; the penalty for side rows."""
    m = instance.queues
    density = np.zeros(m)
    np.maximum.at(density, presolved.owner, facts.max_density)
    cap = np.minimum(4 * density + 1, MAX_PRICE / PRICE_SCALE - 1)
    return np.concatenate([cap, np.full(len(instance.table), float(penalty_minor))])


def _merge_warm(warm: Ints, presolved: Presolved, instance: Instance) -> NDArray[np.float64]:
    """Return starting prices (m + k) in minor units; side prices start at 0."""
    prices = np.zeros(len(instance.limit))
    np.maximum.at(prices, presolved.owner, np.maximum(warm, 0) / PRICE_SCALE)
    return prices


def _polished(
    problem: AssignmentProblem,
    prices: Ints,
    best: Incumbent,
    penalty_minor: int,
    options: SolveOptions,
    deadline: Deadline,
) -> Incumbent:
    m = problem.queue_count
    if problem.account_count > POLISHED_ACCOUNTS or best.worth_minor >= best.bound_minor or deadline.expired():
        return best
    costs = reduced_costs(problem, prices[:m], prices[m:])
    return polish(problem, costs, best, penalty_minor, SEARCH, options.gap_target, deadline)
