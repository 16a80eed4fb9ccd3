"""What-ifs of capacity and of rules, and capacity curves: ask, report progress, and return the answer's figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from collections_opt.api.v1 import capacity_evaluation_pb2 as pb
from collections_opt.api.v1 import ranking_pb2
from collections_opt.api.v1 import rule_evaluation_pb2 as rule_pb
from collections_opt.client.client import Client
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.problem.assignment import ProgressCallback, SolveProgress, ignore_progress
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.what_if_summary import (
    AccountMove,
    CapacityCurves,
    CurveFigures,
    CurvePointFigures,
    MinutesRange,
    PlanState,
    PriceBand,
    QueueState,
    QueueWhatIf,
    RecoveryFigures,
    RuleEffectFigures,
    RuleWhatIfSummary,
    WhatIfSummary,
)
from collections_opt.wire.common import read_enum


def evaluate_capacity(
    client: Client, request: pb.EvaluateCapacityRequest, progress: ProgressCallback = ignore_progress
) -> pb.CapacityEvaluation:
    """Return what another capacity would do.

    Raises:
        CollectionsError: what is wrong with the request; OUTCOME_UNKNOWN when the stream ends without an answer.
    """
    found: pb.CapacityEvaluation = _evaluation(client.capacity.EvaluateCapacity(request), progress)
    return found


def evaluate_rules(
    client: Client, request: rule_pb.EvaluateRulesRequest, progress: ProgressCallback = ignore_progress
) -> rule_pb.RuleEvaluation:
    """Return what tables would do if they were in force.

    Raises:
        CollectionsError: what is wrong with the request; OUTCOME_UNKNOWN when the stream ends without an answer.
    """
    found: rule_pb.RuleEvaluation = _evaluation(client.rules.EvaluateRules(request), progress)
    return found


def capacity_curves(
    client: Client, request: pb.GetCapacityCurvesRequest, progress: ProgressCallback = ignore_progress
) -> CapacityCurves:
    """Return recovered value against minutes.

    Raises:
        CollectionsError: what is wrong with the request; OUTCOME_UNKNOWN when the stream ends without a curve.
    """
    curves: list[CurveFigures] = []
    recoveries: list[RecoveryFigures] = []
    for answer in client.capacity.GetCapacityCurves(request):
        kind = answer.WhichOneof("answer")
        if kind == "progress":
            _tell(answer.progress, progress)
        elif kind == "curve":
            curves.append(_curve(answer.curve))
        else:
            recoveries.append(_recovery(answer.same_recovery))
    if not curves:
        raise CollectionsError(Reason.OUTCOME_UNKNOWN, "The curves ended without an answer; ask again.")
    return CapacityCurves(curves[0], tuple(curves[1:]), tuple(recoveries))


def _evaluation(answers: Iterable[Any], progress: ProgressCallback) -> Any:
    for answer in answers:
        if answer.WhichOneof("answer") == "evaluation":
            return answer.evaluation
        _tell(answer.progress, progress)
    raise CollectionsError(Reason.OUTCOME_UNKNOWN, "The evaluation ended without an answer; ask again.")


def _tell(told: ranking_pb2.RankingProgress, progress: ProgressCallback) -> None:
    progress(SolveProgress(told.stage, told.fraction, told.gap if told.HasField("gap") else None))


def summarise_evaluation(found: pb.CapacityEvaluation) -> WhatIfSummary:
    """Return an evaluation's figures."""
    return WhatIfSummary(
        ranking_id=found.ranking_id,
        currency_code=found.currency_code,
        before=_plan(found.before),
        after=_plan(found.after),
        change_minor=found.change_minor_units,
        predicted_minor=found.predicted_change_minor_units,
        highest_minor=found.highest_change_minor_units,
        queues=tuple(_queue(queue) for queue in found.queues),
        entering_count=found.entering_count,
        leaving_count=found.leaving_count,
        changing_count=found.changing_queue_count,
        flows=_moves(found.flows),
        moved=_moves(found.moved_accounts),
        same_share=found.same_recovery_share if found.HasField("same_recovery_share") else None,
    )


def summarise_rules(found: rule_pb.RuleEvaluation) -> RuleWhatIfSummary:
    """Return an evaluation's figures."""
    return RuleWhatIfSummary(
        compared=summarise_evaluation(found.comparison),
        effects=tuple(
            RuleEffectFigures(each.rule_id, each.version, each.description, each.blocked_before_count, each.blocked_after_count)
            for each in found.rules
        ),
        barred_before=found.barred_before_count,
        barred_after=found.barred_after_count,
        version_before=found.rules_version_before,
        version_after=found.rules_version_after,
    )


def _plan(found: pb.PlanOutcome) -> PlanState:
    return PlanState(
        objective_minor=found.objective_minor_units,
        bound_minor=found.bound_minor_units,
        gap=found.gap,
        worked_count=found.worked_count,
        capacity_minutes=found.capacity_minutes,
        used_minutes=found.used_minutes,
        expected_minor=found.expected_minor_units if found.HasField("expected_minor_units") else None,
    )


def _queue(found: pb.QueueComparison) -> QueueWhatIf:
    return QueueWhatIf(
        queue_id=found.queue_id,
        before=_state(found.before) if found.HasField("before") else None,
        after=_state(found.after) if found.HasField("after") else None,
        predicted_minor=found.predicted_change_minor_units if found.HasField("predicted_change_minor_units") else None,
    )


def _state(found: pb.QueueOutcome) -> QueueState:
    return QueueState(
        agents=found.agent_count,
        capacity_minutes=found.capacity_minutes,
        used_minutes=found.used_minutes,
        worked_count=found.worked_count,
        increment_minor=found.increment_minor_units,
        price=found.price_per_minute_minor_units,
        band=_band(found.price_interval),
    )


def _band(found: pb.PriceInterval) -> PriceBand:
    return PriceBand(found.low_per_minute_minor_units, found.high_per_minute_minor_units, found.complete)


def _moves(found: Sequence[pb.AccountFlow] | Iterable[pb.MovedAccount]) -> tuple[AccountMove, ...]:
    return tuple(
        AccountMove(
            from_queue_id=each.from_queue_id,
            to_queue_id=each.to_queue_id,
            before_minor=each.increment_before_minor_units,
            after_minor=each.increment_after_minor_units,
            account_count=each.account_count if isinstance(each, pb.AccountFlow) else 1,
            account_id=each.account_id if isinstance(each, pb.MovedAccount) else "",
        )
        for each in found
    )


def _curve(found: pb.CapacityCurve) -> CurveFigures:
    kept = found.price_range
    points = (
        CurvePointFigures(
            factor=point.factor,
            minutes=point.capacity_minutes,
            objective_minor=point.objective_minor_units,
            bound_minor=point.bound_minor_units,
            price=point.price_per_minute_minor_units,
            predicted_minor=point.predicted_objective_minor_units,
            expected_minor=point.expected_minor_units if point.HasField("expected_minor_units") else None,
        )
        for point in found.points
    )
    return CurveFigures(
        queue_id=found.queue_id,
        points=tuple(points),
        band=_band(found.price_interval) if found.HasField("price_interval") else None,
        range=MinutesRange(kept.low_minutes, kept.high_minutes, kept.low_open, kept.high_open)
        if found.HasField("price_range")
        else None,
    )


def _recovery(found: pb.SameRecovery) -> RecoveryFigures:
    ordering = None if found.greedy else Ordering(read_enum(ranking_pb2.Ordering.DESCRIPTOR, found.ordering, "ordering"))
    return RecoveryFigures(
        ordering=ordering,
        objective_minor=found.objective_minor_units,
        share=found.capacity_share if found.HasField("capacity_share") else None,
        impossible_share=found.impossible_share,
    )
