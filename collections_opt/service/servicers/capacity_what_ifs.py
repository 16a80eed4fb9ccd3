"""The what-ifs of CapacityService: another capacity, and recovered value against minutes; both stream where they stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TypeVar

from collections_opt.api.v1 import capacity_evaluation_pb2 as pb
from collections_opt.api.v1 import ranking_pb2
from collections_opt.api.v1 import rule_evaluation_pb2 as rule_pb
from collections_opt.application.answers.capacity_baseline import CapacityBaseline, CapacityBaselines
from collections_opt.application.answers.capacity_curves import DEFAULT_FACTORS, DrawnCurve, draw_curves, same_recovery_share
from collections_opt.application.answers.capacity_evaluation import evaluate_capacity
from collections_opt.application.answers.next_agent import MAX_MOVED_AGENTS, next_agent
from collections_opt.application.resources.capacity_calendar import CapacityCalendar
from collections_opt.core.desk.capacity_changes import changed_plan
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.limits import MAX_PAGE_SIZE
from collections_opt.core.problem.assignment import ProgressCallback, SolveProgress, ignore_progress
from collections_opt.service.converters.capacity_evaluations import (
    read_changes,
    write_curve,
    write_evaluation,
    write_next_agent,
    write_recovery,
)
from collections_opt.service.converters.rankings import write_progress
from collections_opt.service.servicers.progress_stream import progress_stream
from collections_opt.wire import parameters
from collections_opt.wire.common import read_enum, told_as
from collections_opt.wire.plans import HEADS, RENAMES, read_plan

DEFAULT_DAYS, MAX_DAYS = 7, 31
"""Days of a week of ``GetNextAgent``: when a caller names none, and at most."""

DEFAULT_MOVED = 20
"""Moved accounts listed when a caller names no number: a page that a person reads."""

_IN_PORTFOLIO = "basis.portfolio"
_BASIS_HEADS = {
    **{name: f"{_IN_PORTFOLIO}.{told}" for name, told in parameters.HEADS.items()},
    "ranking_id": "basis.ranking_id",
    "portfolio_id": f"{_IN_PORTFOLIO}.portfolio_id",
    "plan_id": f"{_IN_PORTFOLIO}.capacity_plan_id",
    "plan_version": f"{_IN_PORTFOLIO}.capacity_plan_version",
    "value_parameters": f"{_IN_PORTFOLIO}.value_parameters",
    "capacity_plan": f"{_IN_PORTFOLIO}.capacity_plan",
}
_OTHER_HEADS = {**HEADS, "changes": "changes.queues"}
_OTHER_RENAMES = {**RENAMES, "added_agents": "added_agent_count"}

T = TypeVar("T")


class CapacityWhatIfs:
    """Answers what-ifs."""

    def __init__(self, baselines: CapacityBaselines, calendar: CapacityCalendar) -> None:
        self._baselines = baselines
        self._calendar = calendar

    def next_agent(self, request: pb.GetNextAgentRequest) -> pb.GetNextAgentResponse:
        """Return what one more agent is worth, and the best moves."""
        days = request.day_count or DEFAULT_DAYS
        if not 1 <= days <= MAX_DAYS:
            raise refuse(Reason.LIMIT_EXCEEDED, "day_count", f"{days} days.", f"Send 1 to {MAX_DAYS}; 0 is {DEFAULT_DAYS}.")
        if not 0 <= request.moved_agent_count <= MAX_MOVED_AGENTS:
            shown = f"{request.moved_agent_count} agents."
            raise refuse(Reason.LIMIT_EXCEEDED, "moved_agent_count", shown, f"Send at most {MAX_MOVED_AGENTS}.")
        baseline = self.baseline(request.basis, ignore_progress)
        plan, first = baseline.answer.plan, baseline.valued.portfolio.as_of_date
        week = [plan]
        if days > 1:
            week += self._calendar.plans_on(plan.plan_id, first + timedelta(1), first + timedelta(days - 1))
        return write_next_agent(next_agent(baseline, week, request.moved_agent_count), baseline)

    def evaluate(self, request: pb.EvaluateCapacityRequest) -> Iterator[pb.EvaluateCapacityResponse]:
        """Yield progress, then the evaluation."""
        max_moved, solver = read_options(request)
        other = _read_other(request)

        def work(report: ProgressCallback) -> Iterator[pb.CapacityEvaluation]:
            baseline = self.baseline(request.basis, report)
            with told_as(_OTHER_HEADS, _OTHER_RENAMES):
                found = evaluate_capacity(baseline, other(baseline.answer.plan), solver, report)
            share = same_recovery_share(found) if request.find_same_recovery else None
            yield write_evaluation(found, max_moved, share)

        for item in progress_stream(work):
            if isinstance(item, SolveProgress):
                yield pb.EvaluateCapacityResponse(progress=write_progress(item))
            else:
                yield pb.EvaluateCapacityResponse(evaluation=item)

    def curves(self, request: pb.GetCapacityCurvesRequest) -> Iterator[pb.GetCapacityCurvesResponse]:
        """Yield progress and each curve as it is done, then each order beside the optimised one."""

        def work(report: ProgressCallback) -> Iterator[pb.GetCapacityCurvesResponse]:
            baseline = self.baseline(request.basis, report)
            for found in draw_curves(
                baseline,
                tuple(request.factors) or DEFAULT_FACTORS,
                tuple(request.queue_ids),
                request.price_tolerance,
                request.compare_orderings,
                report,
            ):
                if isinstance(found, DrawnCurve):
                    yield pb.GetCapacityCurvesResponse(curve=write_curve(found, baseline))
                else:
                    yield pb.GetCapacityCurvesResponse(same_recovery=write_recovery(found))

        for item in progress_stream(work):
            if isinstance(item, SolveProgress):
                yield pb.GetCapacityCurvesResponse(progress=write_progress(item))
            else:
                yield item

    def baseline(self, basis: pb.CapacityBasis, progress: ProgressCallback) -> CapacityBaseline:
        """Return what a what-if starts from; faults are told at ``basis``."""
        kind = basis.WhichOneof("accounts")
        if kind is None:
            raise refuse(Reason.INVALID_ARGUMENT, "basis", "names no accounts.", "Send ranking_id or portfolio.")
        with told_as(_BASIS_HEADS):
            if kind == "ranking_id":
                return self._baselines.of_ranking(basis.ranking_id, progress)
            source = basis.portfolio
            given = source.HasField("value_parameters")
            carried = parameters.read_parameters(source.value_parameters) if given else None
            version = source.capacity_plan_version or None
            return self._baselines.of_portfolio(source.portfolio_id, source.capacity_plan_id, version, carried, progress)


def read_options(request: pb.EvaluateCapacityRequest | rule_pb.EvaluateRulesRequest) -> tuple[int, str]:
    """Return how many moved accounts a what-if lists, and its solver, "" for that of the answer to start from.

    Raises:
        CollectionsError: LIMIT_EXCEEDED; INVALID_ARGUMENT for an unknown solver.
    """
    if not 0 <= request.max_moved_accounts <= MAX_PAGE_SIZE:
        shown = f"{request.max_moved_accounts} accounts."
        raise refuse(Reason.LIMIT_EXCEEDED, "max_moved_accounts", shown, f"Send 0 to {MAX_PAGE_SIZE}; 0 is {DEFAULT_MOVED}.")
    given = request.solver != ranking_pb2.SOLVER_UNSPECIFIED
    solver = read_enum(ranking_pb2.Solver.DESCRIPTOR, request.solver, "solver").lower() if given else ""
    return request.max_moved_accounts or DEFAULT_MOVED, solver


def _read_other(request: pb.EvaluateCapacityRequest) -> Callable[[CapacityPlan], CapacityPlan]:
    """Return how the plan to start from becomes the other one."""
    kind = request.WhichOneof("other")
    if kind is None:
        raise refuse(Reason.INVALID_ARGUMENT, "changes", "is missing.", "Send changes or capacity_plan.")
    if kind == "capacity_plan":
        plan = read_plan(request.capacity_plan)
        return lambda _: plan
    changes = read_changes(request.changes)
    return lambda plan: changed_plan(plan, changes)
