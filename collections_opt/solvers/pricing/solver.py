"""The large-scale solver from front to back: presolve, prices, exact certificate, rounding, answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

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
from collections_opt.solvers.pricing.instance import Evaluation, Instance, Ints, evaluate, flatten, sample, tally, to_grid
from collections_opt.solvers.pricing.levels import SIZING_ROWS, find_prices, refine_prices, settle_people
from collections_opt.solvers.pricing.people import People
from collections_opt.solvers.pricing.presolve import Joined, join_alike_queues, price_caps, usable_capacity
from collections_opt.solvers.pricing.reduced_lp import open_choices
from collections_opt.solvers.pricing.relief import relieve, trimmed
from collections_opt.solvers.pricing.rounding import Goal, fill, pool_of, round_choices, worth
from collections_opt.solvers.pricing.side_rounding import CORE_ROWS, round_side_rows
from collections_opt.solvers.side_rows import shortage_penalty_minor
from collections_opt.solvers.survey import survey

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
    problem = replace(problem, capacity_seconds=usable_capacity(problem.capacity_seconds, facts.divisor))
    penalty = shortage_penalty_minor(problem.side, facts)
    people = People(flatten(problem, options.threads), problem.persons)
    joined = join_alike_queues(people.accounts, options.seed)
    cap = price_caps(facts, len(people.accounts.table), penalty)
    gap_so_far = GapSoFar(people, penalty, progress)
    found, instance = _prices(people, joined, cap, options, deadline, gap_so_far)
    prices = to_grid(found.prices)
    evaluation = evaluate(instance, prices)
    gap_so_far.tell("prices proven", 0.7)
    choice, split = _starting_choices(instance, prices, evaluation, found)
    bound = evaluation.bound // PRICE_SCALE
    goal = Goal(prices, penalty, bound)
    if people.persons is not None and joined.instance is not people.accounts:
        joined = replace(joined, instance=People(joined.instance, people.persons).at(prices[joined.kept()]))
    elif people.persons is not None:
        joined = replace(joined, instance=instance)
    best = _rounded(instance, joined, goal, options.seed, deadline, choice, split)
    incumbent = Incumbent(people.of_accounts(prices, best), worth(instance, best, penalty), bound)
    gap_so_far.tell_list("rounded", 0.9, incumbent)
    incumbent = _polished(problem, prices, incumbent, penalty, options, deadline)
    m = problem.queue_count
    room = (people.accounts.limit - tally(people.accounts, incumbent.queue)[1])[m:]
    proof = Proof(prices[:m], prices[m:], evaluation.bound)
    result = answer(problem, incumbent, proof, room, penalty, options, deadline.fired, IDENTITY)
    progress(SolveProgress("done", 1.0, result.gap))
    return result


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
    instance: Instance, joined: Joined, goal: Goal, seed: int, deadline: Deadline, choice: NDArray[np.int16], split: Ints
) -> NDArray[np.int16]:
    """Return a list within all limits; ``split`` are the accounts that the linear program leaves fractional.

    Out of time, the choices are trimmed in one pass and what is left of the limits goes to a sample of the others.
    """
    prices = goal.prices
    listed = None if deadline.expired() else _rounded_in_time(instance, joined, goal, seed, deadline, choice, split)
    if not deadline.fired and listed is not None:
        return listed
    rows = sample(instance, SIZING_ROWS, seed)
    in_a_hurry = [fill(instance, trimmed(instance, prices, choice), rows)]
    if instance.rows <= SIZING_ROWS:
        in_a_hurry.append(fill(instance, np.full_like(choice, UNASSIGNED), rows))
    return max([*in_a_hurry, *([] if listed is None else [listed])], key=lambda c: worth(instance, c, goal.penalty_minor))


def _rounded_in_time(
    instance: Instance, joined: Joined, goal: Goal, seed: int, deadline: Deadline, choice: NDArray[np.int16], split: Ints
) -> NDArray[np.int16] | None:
    """Return the rounded list, None if time was up before there was any within all limits.

    Which accounts are decided narrowly is judged on the joined instance: between alike queues almost every one is.
    """
    judged, prices = joined.instance, goal.prices
    judged_prices = prices[joined.kept()]
    probe = judged.take(sample(judged, SIZING_ROWS, seed)) if judged.rows > 2 * SIZING_ROWS else judged
    pool = pool_of(judged, probe, judged_prices)
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
    problem: AssignmentProblem,
    prices: Ints,
    best: Incumbent,
    penalty_minor: int,
    options: SolveOptions,
    deadline: Deadline,
) -> Incumbent:
    m = problem.queue_count
    if (
        not options.search
        or problem.account_count > POLISHED_ACCOUNTS
        or best.worth_minor >= best.bound_minor
        or deadline.expired()
    ):
        return best
    costs = reduced_costs(problem, prices[:m], prices[m:])
    return polish(problem, costs, best, penalty_minor, SEARCH, options.gap_target, deadline)
