"""The large-scale solver from front to back: presolve, prices, exact certificate, rounding, answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.errors import Reason, refuse
from collections_opt.core.problem.assignment import (
    PRICE_SCALE,
    UNASSIGNED,
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
from collections_opt.solvers.pricing.gap_so_far import GapSoFar
from collections_opt.solvers.pricing.instance import Evaluation, Instance, Ints, evaluate, sample, tally, to_grid
from collections_opt.solvers.pricing.levels import SIZING_ROWS, find_prices, refine_prices, settle_people
from collections_opt.solvers.pricing.people import People
from collections_opt.solvers.pricing.presolve import Joined, join_alike_queues, price_caps, usable_capacity
from collections_opt.solvers.pricing.reduced_lp import open_choices
from collections_opt.solvers.pricing.relief import relieve, trimmed
from collections_opt.solvers.pricing.rounding import Goal, Pool, fill, pool_of, round_choices, worth
from collections_opt.solvers.pricing.side_rounding import CORE_ROWS, round_side_rows
from collections_opt.solvers.pricing.spread import SpreadAssignment, SpreadProblem, band_of
from collections_opt.solvers.side_rows import shortage_penalty_minor
from collections_opt.solvers.survey import Survey, survey, survey_rows

Floats = NDArray[np.float64]

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
    deadline = Deadline(options.deadline_seconds, options.clock)
    facts = survey(problem, options.threads)
    return _solved(SpreadProblem.of(problem, options.threads), facts, options, deadline, progress).assignment


def solve_spread(problem: SpreadProblem, options: SolveOptions, progress: ProgressCallback = ignore_progress) -> SpreadAssignment:
    """Return the same answer, byte for byte, for accounts that an engine keeps; only those that decide it come here.

    Without a deadline that fires, that is: out of time the two fill the rest by different samples.

    Raises:
        CollectionsError: VALUE_OVERFLOW when the sums could leave int64, INVALID_ARGUMENT for a cell without time and for
            persons with several accounts that do not lie in this process's memory.
    """
    if problem.persons is not None and not problem.passes.near:
        raise refuse(
            Reason.INVALID_ARGUMENT,
            "engine",
            "some persons have several accounts, whom an engine does not bind to one contact.",
            "Rank on one machine, or let the plan allow several contacts per person.",
        )
    if problem.passes.rows <= POLISHED_ACCOUNTS:
        problem = replace(problem, passes=problem.passes.here())
    deadline = Deadline(options.deadline_seconds, options.clock)
    facts = survey_rows(problem.passes, len(problem.capacity_seconds))
    return _solved(problem, facts, options, deadline, progress)


def _solved(
    problem: SpreadProblem, facts: Survey, options: SolveOptions, deadline: Deadline, progress: ProgressCallback
) -> SpreadAssignment:
    problem = replace(problem, capacity_seconds=usable_capacity(problem.capacity_seconds, facts.divisor))
    penalty = shortage_penalty_minor(problem.side, facts)
    people = People(problem.instance(), problem.persons)
    joined = join_alike_queues(people.accounts, options.seed)
    cap = price_caps(facts, len(people.accounts.table), penalty)
    gap_so_far = GapSoFar(people, penalty, progress)
    found, instance = _prices(people, joined, cap, options, deadline, gap_so_far)
    prices = to_grid(found.prices)
    band = None
    if not instance.passes.near:
        band = band_of(instance, joined, prices, _narrow(joined.instance, prices[joined.kept()], options.seed), found.solution)
        people, instance, joined = People(band.instance, None), band.instance, band.joined
        found = replace(found, solution=band.solution)
    evaluation = evaluate(instance, prices)
    gap_so_far.tell("prices proven", 0.7)
    choice, split = _starting_choices(instance, prices, evaluation, found)
    bound = evaluation.bound // PRICE_SCALE
    goal = Goal(prices, penalty, bound)
    if people.persons is not None and joined.instance is not people.accounts:
        joined = replace(joined, instance=People(joined.instance, people.persons).at(prices[joined.kept()]))
    elif people.persons is not None:
        joined = replace(joined, instance=instance)
    best = _rounded(instance, joined, goal, options.seed, deadline, (choice, split), band.pool if band else None)
    incumbent = Incumbent(people.of_accounts(prices, best), worth(instance, best, penalty), bound)
    gap_so_far.tell_list("rounded", 0.9, people.accounts, incumbent)
    incumbent = _polished(problem, prices, incumbent, penalty, options, deadline)
    m = len(problem.capacity_seconds)
    room = (people.accounts.limit - tally(people.accounts, incumbent.queue)[1])[m:]
    proof = Proof(prices[:m], prices[m:], evaluation.bound)
    result = answer(problem.side, incumbent, proof, room, penalty, options, deadline.fired, IDENTITY)
    progress(SolveProgress("done", 1.0, result.gap))
    return SpreadAssignment(None if band is None else band.rows, result)


def _prices(
    people: People,
    joined: Joined,
    cap: Floats,
    options: SolveOptions,
    deadline: Deadline,
    gap_so_far: GapSoFar,
) -> tuple[LevelResult, Instance]:
    """Return the prices of the people, found on their joined form and refined on their own, and their rows at these prices."""
    kept = joined.kept()
    queues = people.accounts.queues
    warm = None
    if options.warm_prices is not None:
        warm = np.zeros(len(cap))
        warm[:queues] = np.maximum(options.warm_prices, 0) / PRICE_SCALE
        if options.warm_side_prices is not None:
            warm[queues:] = np.maximum(options.warm_side_prices, 0) / PRICE_SCALE
        warm = np.minimum(warm, cap)[kept]

    def report(stage: str, done: float, prices: Floats | None) -> None:
        gap_so_far.tell(stage, 0.7 * done, None if prices is None else joined.expand(prices))

    found = find_prices(People(joined.instance, people.persons), cap[kept], options.seed, warm, deadline, report)
    if joined.instance is not people.accounts:
        found = refine_prices(people, joined.expand(found.prices), cap, options.seed, deadline)
    return settle_people(people, found, cap, options.seed, deadline)


def _rounded(
    instance: Instance,
    joined: Joined,
    goal: Goal,
    seed: int,
    deadline: Deadline,
    start: tuple[NDArray[np.int16], Ints],
    pool: Pool | None,
) -> NDArray[np.int16]:
    """Return a list within all limits; ``start`` are choices and the accounts that the linear program leaves fractional.

    ``pool`` are the narrowly decided accounts, None to find them.

    Out of time, the choices are trimmed in one pass and what is left of the limits goes to a sample of the others.
    """
    prices, choice = goal.prices, start[0]
    listed = None if deadline.expired() else _rounded_in_time(instance, joined, goal, seed, deadline, start, pool)
    if not deadline.fired and listed is not None:
        return listed
    rows = sample(instance, SIZING_ROWS, seed)
    in_a_hurry = [fill(instance, trimmed(instance, prices, choice), rows)]
    if instance.rows <= SIZING_ROWS:
        in_a_hurry.append(fill(instance, np.full_like(choice, UNASSIGNED), rows))
    return max([*in_a_hurry, *([] if listed is None else [listed])], key=lambda c: worth(instance, c, goal.penalty_minor))


def _rounded_in_time(
    instance: Instance,
    joined: Joined,
    goal: Goal,
    seed: int,
    deadline: Deadline,
    start: tuple[NDArray[np.int16], Ints],
    pool: Pool | None,
) -> NDArray[np.int16] | None:
    """Return the rounded list, None if time was up before there was any within all limits.

    Which accounts are decided narrowly is judged on the joined instance: between alike queues almost every one is.
    """
    judged, prices, (choice, split) = joined.instance, goal.prices, start
    if pool is None:
        pool = _narrow(judged, prices[joined.kept()], seed)
    if judged is not instance:
        # Whole queues tie: either the program's split of them is the better start, or whoever comes first to the best open one.
        starts = (relieve(instance, prices, choice), trimmed(instance, prices, evaluate(instance, prices).choice))
        choice = max(starts, key=lambda c: worth(instance, c, goal.penalty_minor))
    if deadline.expired():
        return None
    if len(instance.table):
        core = np.union1d(pool.closest(CORE_ROWS), split)
        choice = round_side_rows(instance, prices, choice, core, pool.reach, goal.penalty_minor, deadline)
    return round_choices(instance, goal, choice, np.union1d(pool.rows, split), pool.reach, deadline)


def _narrow(judged: Instance, prices: Ints, seed: int) -> Pool:
    """Return the accounts that prices decide narrowly."""
    probe = judged.take(sample(judged, SIZING_ROWS, seed)) if judged.rows > 2 * SIZING_ROWS else judged
    return pool_of(judged, probe, prices)


def _starting_choices(
    instance: Instance, prices: Ints, evaluation: Evaluation, found: LevelResult
) -> tuple[NDArray[np.int16], Ints]:
    """Return the choices to start from and the accounts split between several.

    Where prices tie, the last linear program says who goes where, unless it rests on more time bought at the edge of its
    box (minutes that nobody has) than the plain best choices at the prices would overrun.
    """
    none = np.zeros(0, np.int64)
    if found.solution is None:
        return evaluation.choice, none
    choice = evaluation.choice.copy()
    rows, choices, split = open_choices(found.solution)
    choice[rows] = choices
    overrun = [
        float(np.maximum(used - instance.limit, 0) @ prices.astype(np.float64))
        for used in (tally(instance, choice)[1], evaluation.used)
    ]
    return (choice, split) if overrun[0] <= overrun[1] else (evaluation.choice, none)


def _polished(
    problem: SpreadProblem,
    prices: Ints,
    best: Incumbent,
    penalty_minor: int,
    options: SolveOptions,
    deadline: Deadline,
) -> Incumbent:
    if (
        not options.search
        or problem.passes.rows > POLISHED_ACCOUNTS
        or best.worth_minor >= best.bound_minor
        or deadline.expired()
    ):
        return best
    m, near = len(problem.capacity_seconds), problem.here()
    costs = reduced_costs(near, prices[:m], prices[m:])
    return polish(near, costs, best, penalty_minor, SEARCH, options.gap_target, deadline)
