"""Baselines over bare assignment problems: what-ifs of instances that no portfolio has."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from collections_opt.application.answers.capacity_baseline import CapacityBaseline
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.problem.assignment import SolveOptions
from collections_opt.core.ranking.what_if import PlannedAnswer
from collections_opt.core.value.basis import ValueBasis
from collections_opt.core.value.payoffs import ValueParameters
from collections_opt.solvers import SOLVERS, price_intervals
from tests.support.factories import EVER, flag_rules, queue


def plan_of(capacity_seconds) -> CapacityPlan:
    """Return a plan whose queues have exactly these seconds."""
    queues = tuple(queue(f"q{k}", agents=c / 60.0, paid_minutes=1.0) for k, c in enumerate(capacity_seconds.tolist()))
    return CapacityPlan("bare", 1, EVER, "USD", queues)


def baseline_of(problem, solver="exact") -> CapacityBaseline:
    """Return a baseline over a problem's own cells, solved."""
    plan = plan_of(problem.capacity_seconds)
    problem = replace(problem, capacity_seconds=plan.capacity_seconds)
    options = SolveOptions()
    assignment = SOLVERS[solver](problem, options)
    ids = np.array([f"a{i:05d}".encode() for i in range(problem.account_count)])
    portfolio = SimpleNamespace(column=lambda _: ids, account_count=problem.account_count)
    return CapacityBaseline(
        ranking_id="",
        valued=SimpleNamespace(portfolio=portfolio, problem=problem),
        answer=PlannedAnswer(plan, problem, assignment),
        intervals=price_intervals(problem, assignment, options),
        drawn=np.zeros(problem.account_count, dtype=bool),
        reserved_seconds=np.zeros(problem.queue_count, dtype=np.int64),
        basis=ValueBasis(plan, flag_rules(), ValueParameters()),
        solver=solver,
        seed=options.seed,
    )
