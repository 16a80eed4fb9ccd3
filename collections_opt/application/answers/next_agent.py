"""What one more agent is worth in each queue, today and over the week, and the best move of agents between queues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.answers.capacity_baseline import CapacityBaseline, warm_options
from collections_opt.core.desk.queues import CapacityPlan, Queue
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.problem.assignment import PRICE_SCALE, Assignment, ProgressCallback, SolveProgress, ignore_progress
from collections_opt.solvers import SOLVERS, lagrangian_bound

Ints = NDArray[np.int64]

MAX_MOVED_AGENTS = 20
"""Agents of one question: each is a search among all pairs of queues."""

MAX_SOLVES = 40
"""Re-solves of one search for the best move; where they do not suffice, the answer says that it is not proven."""


@dataclass(frozen=True)
class AgentWorth:
    """What one more agent adds; the true gain of an optimal list lies between ``low_minor`` and ``high_minor``.

    Attributes:
        queue_id: the queue.
        minutes: that the agent adds.
        gain_minor: difference of the two lists found.
        low_minor: what the list found gains at least over any list without the agent.
        high_minor: no list with the agent gains more over the list at hand.
    """

    queue_id: str
    minutes: float
    gain_minor: int
    low_minor: int
    high_minor: int


@dataclass(frozen=True)
class AgentMove:
    """One agent who works another queue, after the moves before it; ``high_minor`` bounds the gain of any single move then."""

    from_queue_id: str
    to_queue_id: str
    gain_minor: int
    high_minor: int


@dataclass(frozen=True)
class NextAgent:
    """The answer.

    Attributes:
        today: per queue, in the plan's order.
        week: likewise, for the agent on every day of the week: its minutes worked by today's accounts, each once at most. It is
            the lower end of what the week brings: where as many accounts come as are worked, it is ``day_count`` times today.
        moves: the best single moves one after another; fewer than asked for where none gains.
        day_count: days of the week.
    """

    today: tuple[AgentWorth, ...]
    week: tuple[AgentWorth, ...]
    moves: tuple[AgentMove, ...]
    day_count: int


def next_agent(
    baseline: CapacityBaseline,
    week: Sequence[CapacityPlan],
    moved_agents: int = 1,
    progress: ProgressCallback = ignore_progress,
) -> NextAgent:
    """Return what one more agent is worth, and the best moves.

    Args:
        baseline: today's accounts and list.
        week: the plan on each day, today first; queues that today's plan lacks are left out.
        moved_agents: agents to move, 0 to 20.
        progress: told of each part.

    Raises:
        CollectionsError: LIMIT_EXCEEDED for too many agents.
    """
    if not 0 <= moved_agents <= MAX_MOVED_AGENTS:
        shown = f"{moved_agents} agents."
        raise refuse(Reason.LIMIT_EXCEEDED, "moved_agent_count", shown, f"Send at most {MAX_MOVED_AGENTS}.")
    plan = baseline.answer.plan
    progress(SolveProgress("one agent today", 0.4))
    today = _worths(baseline, baseline.answer.problem.capacity_seconds, [_more(queue, 1.0) for queue in plan.queues])
    progress(SolveProgress("one agent over the week", 0.6))
    days = [{queue.queue_id: queue for queue in each.queues} for each in week]
    held = [[day[queue.queue_id] for day in days if queue.queue_id in day] for queue in plan.queues]
    capacity = np.array([sum(one.capacity_seconds for one in each) for each in held], dtype=np.int64)
    reserved = np.minimum(baseline.reserved_seconds, capacity)  # accounts drawn at random are no part of the answer
    more = [sum(_more(one, 1.0) for one in each) for each in held]
    over_week = _worths(baseline, capacity - reserved, more)
    progress(SolveProgress("the best moves", 0.8))
    return NextAgent(today, over_week, _moves(baseline, moved_agents), len(days))


def _more(queue: Queue, agents: float) -> int:
    """Return the seconds that agents more (or, negative, fewer) add to a queue."""
    return replace(queue, agents=max(queue.agents + agents, 0.0)).capacity_seconds - queue.capacity_seconds


def _solved(baseline: CapacityBaseline, capacity: Ints, prices: Ints) -> Assignment:
    problem = replace(baseline.answer.problem, capacity_seconds=capacity)
    return SOLVERS["pricing"](problem, warm_options(baseline, prices))


def _worths(baseline: CapacityBaseline, capacity: Ints, more: Sequence[int]) -> tuple[AgentWorth, ...]:
    answer = baseline.answer
    same = np.array_equal(capacity, answer.problem.capacity_seconds)
    here = answer.assignment if same else _solved(baseline, capacity, answer.assignment.prices)
    found = []
    for index, (queue, seconds) in enumerate(zip(answer.plan.queues, more, strict=True)):
        wider = capacity.copy()
        wider[index] += seconds
        after = _solved(baseline, wider, here.prices) if seconds else here
        found.append(
            AgentWorth(
                queue_id=queue.queue_id,
                minutes=seconds / 60.0,
                gain_minor=max(after.objective_minor - here.objective_minor, 0),
                low_minor=max(after.objective_minor - here.bound_minor, 0),
                high_minor=max(after.bound_minor - here.objective_minor, 0) if seconds else 0,
            )
        )
    return tuple(found)


def _moves(baseline: CapacityBaseline, count: int) -> tuple[AgentMove, ...]:
    queues = list(baseline.answer.plan.queues)
    capacity, here = baseline.answer.problem.capacity_seconds, baseline.answer.assignment
    found: list[AgentMove] = []
    for _ in range(count):
        step = _best_move(baseline, queues, capacity, here)
        if step is None:
            break
        move, pair, capacity, here = step
        found.append(move)
        first, second = pair
        queues[first], queues[second] = _moved(queues[first], queues[second])
    return tuple(found)


def _moved(source: Queue, target: Queue) -> tuple[Queue, Queue]:
    """Return two queues after an agent moved, who brings their own paid minutes."""
    brought = source.paid_minutes / target.paid_minutes
    return replace(source, agents=source.agents - 1.0), replace(target, agents=target.agents + brought)


def _best_move(
    baseline: CapacityBaseline, queues: Sequence[Queue], capacity: Ints, here: Assignment
) -> tuple[AgentMove, tuple[int, int], Ints, Assignment] | None:
    """Return the best single move, its pair, and capacity and list after it; None where none gains.

    Pairs are tried in the order of what the prices known so far allow, and the search ends when no pair left may gain more.
    """
    options: dict[tuple[int, int], Ints] = {}
    for first, source in enumerate(queues):
        for second, target in enumerate(queues):
            if first != second and source.agents >= 1.0 and target.paid_minutes > 0:
                less, more = _moved(source, target)
                changed = capacity.copy()
                changed[first] = max(changed[first] + less.capacity_seconds - source.capacity_seconds, 0)
                changed[second] += more.capacity_seconds - target.capacity_seconds
                options[first, second] = changed
    highest = dict.fromkeys(options, np.inf)
    best: tuple[int, tuple[int, int], Assignment] | None = None
    _tighten(baseline, options, highest, here)
    tried: set[tuple[int, int]] = set()
    for _ in range(MAX_SOLVES):
        left = [pair for pair in options if pair not in tried]
        pair = max(left, key=lambda one: (highest[one], one), default=None)
        if pair is None or highest[pair] <= max(here.objective_minor, best[0] if best else 0):
            break
        tried.add(pair)
        after = _solved(baseline, options[pair], here.prices)
        highest[pair] = min(highest[pair], after.bound_minor)
        _tighten(baseline, options, highest, after)
        if best is None or after.objective_minor > best[0]:
            best = (after.objective_minor, pair, after)
    if best is None or best[0] <= here.objective_minor:
        return None
    value, pair, after = best
    bound = int(max(highest.values())) - here.objective_minor
    gain = value - here.objective_minor
    move = AgentMove(queues[pair[0]].queue_id, queues[pair[1]].queue_id, gain, max(bound, gain))
    return move, pair, options[pair], after


def _tighten(
    baseline: CapacityBaseline,
    options: dict[tuple[int, int], Ints],
    highest: dict[tuple[int, int], float],
    answer: Assignment,
) -> None:
    """Lower the bound of each option to what an answer's prices prove: surplus at the prices, and the minutes at their price."""
    if answer.shortages:  # its bound is that of limits relaxed by what is missing
        return
    nothing = replace(baseline.answer.problem, capacity_seconds=np.zeros_like(answer.prices))
    surplus = lagrangian_bound(nothing, answer.prices, answer.side_prices)
    for pair, capacity in options.items():
        priced = sum(int(price) * int(seconds) for price, seconds in zip(answer.prices, capacity, strict=True))
        highest[pair] = min(highest[pair], surplus + 1 + -(-priced // PRICE_SCALE))
