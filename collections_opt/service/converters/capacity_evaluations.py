"""What-ifs and capacity curves between messages and use cases."""

from __future__ import annotations

import math

import numpy as np

from collections_opt.api.v1 import capacity_evaluation_pb2 as pb
from collections_opt.api.v1 import ranking_pb2
from collections_opt.application.answers.capacity_baseline import CapacityBaseline
from collections_opt.application.answers.capacity_curves import DrawnCurve, OrderRecovery
from collections_opt.application.answers.capacity_evaluation import CapacityEvaluation
from collections_opt.application.answers.next_agent import AgentWorth, NextAgent
from collections_opt.core.desk.capacity_changes import QueueChange
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.limits import MAX_QUEUES
from collections_opt.core.problem.assignment import PRICE_SCALE
from collections_opt.core.ranking.capacity_curve import ALL_QUEUES
from collections_opt.core.ranking.what_if import Move, Moves, PlannedAnswer
from collections_opt.solvers import PriceIntervals
from collections_opt.wire.capacity_changes import read_queue_change
from collections_opt.wire.common import write_enum
from collections_opt.wire.plans import write_plan


def read_changes(message: pb.CapacityChanges) -> list[QueueChange]:
    """Return 1 to 200 changes.

    Raises:
        CollectionsError: LIMIT_EXCEEDED; INVALID_ARGUMENT for a missing enum of an opened queue.
    """
    if not 1 <= len(message.queues) <= MAX_QUEUES:
        raise refuse(Reason.LIMIT_EXCEEDED, "changes.queues", f"{len(message.queues)} changes.", f"Send 1 to {MAX_QUEUES}.")
    return [read_queue_change(change, f"changes.queues[{index}]") for index, change in enumerate(message.queues)]


def write_next_agent(found: NextAgent, baseline: CapacityBaseline) -> pb.GetNextAgentResponse:
    """Return what one more agent is worth, and the best moves."""
    return pb.GetNextAgentResponse(
        today=[_write_worth(each) for each in found.today],
        week=[_write_worth(each) for each in found.week],
        moves=[
            pb.AgentMove(
                from_queue_id=each.from_queue_id,
                to_queue_id=each.to_queue_id,
                gain_minor_units=each.gain_minor,
                high_minor_units=each.high_minor,
            )
            for each in found.moves
        ],
        day_count=found.day_count,
        currency_code=baseline.answer.plan.currency_code,
        ranking_id=baseline.ranking_id,
    )


def _write_worth(worth: AgentWorth) -> pb.AgentWorth:
    return pb.AgentWorth(
        queue_id=worth.queue_id,
        minutes=worth.minutes,
        gain_minor_units=worth.gain_minor,
        low_minor_units=worth.low_minor,
        high_minor_units=worth.high_minor,
    )


def write_evaluation(found: CapacityEvaluation, max_moved: int, same_share: float | None = None) -> pb.CapacityEvaluation:
    """Return two capacities side by side, with the most valuable accounts that move."""
    before, after = found.before, found.after
    predicted = found.predicted_minor[~np.isnan(found.predicted_minor)]
    return pb.CapacityEvaluation(
        ranking_id=found.baseline.ranking_id,
        currency_code=before.plan.currency_code,
        capacity_plan=write_plan(after.plan),
        before=_write_outcome(before, found.baseline),
        after=_write_outcome(after, found.baseline),
        change_minor_units=found.change_minor,
        predicted_change_minor_units=float(predicted.sum()),
        highest_change_minor_units=found.highest_change_minor,
        queues=_write_comparisons(found),
        entering_count=found.moves.count(Move.ENTERS),
        leaving_count=found.moves.count(Move.LEAVES),
        changing_queue_count=found.moves.count(Move.CHANGES_QUEUE),
        flows=_write_flows(found.moves, before.plan, after.plan),
        moved_accounts=_write_moved(found, max_moved),
        same_recovery_share=same_share,
    )


def _write_outcome(answer: PlannedAnswer, baseline: CapacityBaseline) -> pb.PlanOutcome:
    assignment = answer.assignment
    return pb.PlanOutcome(
        objective_minor_units=assignment.objective_minor,
        bound_minor_units=assignment.bound_minor,
        gap=assignment.gap,
        termination=write_enum(ranking_pb2.Termination.DESCRIPTOR, assignment.termination),
        solver_name=assignment.solver.name,
        worked_count=int(answer.worked_count().sum()),
        capacity_minutes=float(answer.problem.capacity_seconds.sum()) / 60.0,
        used_minutes=float(answer.used_seconds().sum()) / 60.0,
        expected_minor_units=baseline.expected_minor(assignment.objective_minor),
    )


def _write_comparisons(found: CapacityEvaluation) -> list[pb.QueueComparison]:
    before = {
        each.queue_id: outcome
        for each, outcome in zip(found.before.plan.queues, _write_queues(found.before, found.baseline.intervals), strict=True)
    }
    after = {
        each.queue_id: outcome
        for each, outcome in zip(found.after.plan.queues, _write_queues(found.after, found.intervals), strict=True)
    }
    predicted = {
        queue.queue_id: float(value)
        for queue, value in zip(found.after.plan.queues, found.predicted_minor, strict=True)
        if not math.isnan(value)
    }
    return [
        pb.QueueComparison(
            queue_id=queue_id,
            before=before.get(queue_id),
            after=after.get(queue_id),
            predicted_change_minor_units=predicted.get(queue_id),
        )
        for queue_id in dict.fromkeys([*before, *after])
    ]


def write_intervals(intervals: PriceIntervals) -> list[pb.PriceInterval]:
    """Return the interval of each queue's price."""
    low, high = intervals.low * 60.0 / PRICE_SCALE, intervals.high * 60.0 / PRICE_SCALE
    figures = zip(low.tolist(), high.tolist(), intervals.complete[: low.size].tolist(), strict=True)
    return [
        pb.PriceInterval(low_per_minute_minor_units=a, high_per_minute_minor_units=b, complete=complete)
        for a, b, complete in figures
    ]


def _write_queues(answer: PlannedAnswer, intervals: PriceIntervals) -> list[pb.QueueOutcome]:
    figures = zip(
        answer.plan.queues,
        answer.problem.capacity_seconds.tolist(),
        answer.used_seconds().tolist(),
        answer.worked_count().tolist(),
        answer.value_minor().tolist(),
        answer.assignment.price_per_minute().tolist(),
        write_intervals(intervals),
        strict=True,
    )
    return [
        pb.QueueOutcome(
            agent_count=queue.agents,
            capacity_minutes=capacity / 60.0,
            used_minutes=used / 60.0,
            worked_count=worked,
            increment_minor_units=value,
            price_per_minute_minor_units=price,
            price_interval=interval,
        )
        for queue, capacity, used, worked, value, price, interval in figures
    ]


def _names(plan: CapacityPlan) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    """Return the ids by queue, and "" at -1."""
    return np.array([*(queue.queue_id for queue in plan.queues), ""], dtype=object)


def _write_flows(moved: Moves, before: CapacityPlan, after: CapacityPlan) -> list[pb.AccountFlow]:
    width = len(after.queues) + 1
    code = (moved.before.astype(np.int64) + 1) * width + moved.after + 1
    kinds, inverse, counts = np.unique(code, return_inverse=True, return_counts=True)
    was, becomes = np.zeros(kinds.size, dtype=np.int64), np.zeros(kinds.size, dtype=np.int64)
    np.add.at(was, inverse, moved.value_before_minor)
    np.add.at(becomes, inverse, moved.value_after_minor)
    froms, tos = _names(before), _names(after)
    return [
        pb.AccountFlow(
            from_queue_id=froms[int(kinds[i]) // width - 1],
            to_queue_id=tos[int(kinds[i]) % width - 1],
            account_count=int(counts[i]),
            increment_before_minor_units=int(was[i]),
            increment_after_minor_units=int(becomes[i]),
        )
        for i in np.argsort(-counts, kind="stable").tolist()
    ]


def _write_moved(found: CapacityEvaluation, max_moved: int) -> list[pb.MovedAccount]:
    moved, top = found.moves, slice(0, max_moved)
    account_ids = found.baseline.valued.portfolio.column("account_id")[moved.row[top]]
    froms, tos = _names(found.before.plan), _names(found.after.plan)
    columns = zip(
        account_ids.tolist(),
        froms[moved.before[top]].tolist(),
        tos[moved.after[top]].tolist(),
        moved.value_before_minor[top].tolist(),
        moved.value_after_minor[top].tolist(),
        strict=True,
    )
    return [
        pb.MovedAccount(
            account_id=account_id.decode(),
            from_queue_id=was,
            to_queue_id=becomes,
            increment_before_minor_units=value_before,
            increment_after_minor_units=value_after,
        )
        for account_id, was, becomes, value_before, value_after in columns
    ]


def write_curve(drawn: DrawnCurve, baseline: CapacityBaseline) -> pb.CapacityCurve:
    """Return a curve with what the prices at the plan predict at each point."""
    curve, answer = drawn.curve, baseline.answer
    planned = curve.at(1.0)
    assert planned is not None, "every curve holds the plan"
    minutes = planned.seconds / 60.0
    predicted = {
        point.factor: planned.value_minor + planned.slope_minor_per_minute * (point.seconds - planned.seconds) / 60.0
        for point in curve.points
    }
    found = drawn.range
    return pb.CapacityCurve(
        queue_id=curve.queue_id,
        currency_code=answer.plan.currency_code,
        points=[
            pb.CurvePoint(
                factor=point.factor,
                capacity_minutes=point.seconds / 60.0,
                objective_minor_units=point.value_minor,
                bound_minor_units=point.bound_minor,
                price_per_minute_minor_units=point.slope_minor_per_minute,
                predicted_objective_minor_units=predicted[point.factor],
                expected_minor_units=baseline.expected_minor(point.value_minor),
            )
            for point in curve.points
        ],
        price_interval=_interval_of(curve.queue_id, baseline),
        price_range=pb.PriceRange(
            low_minutes=found.low_factor * minutes,
            high_minutes=found.high_factor * minutes,
            low_open=found.low_open,
            high_open=found.high_open,
        )
        if found is not None and curve.queue_id != ALL_QUEUES
        else None,
    )


def _interval_of(queue_id: str, baseline: CapacityBaseline) -> pb.PriceInterval | None:
    if queue_id == ALL_QUEUES:
        return None
    return write_intervals(baseline.intervals)[baseline.answer.plan.queue_index(queue_id)]


def write_recovery(found: OrderRecovery) -> pb.SameRecovery:
    """Return an order beside the optimised one."""
    ordering = ranking_pb2.ORDERING_UNSPECIFIED
    if found.ordering is not None:
        ordering = write_enum(ranking_pb2.Ordering.DESCRIPTOR, found.ordering)
    same = found.same
    return pb.SameRecovery(
        ordering=ordering,
        greedy=found.ordering is None,
        objective_minor_units=found.value_minor,
        capacity_share=same.factor if same else None,
        optimised_objective_minor_units=same.value_minor if same else 0,
        impossible_share=same.short_factor if same else 0.0,
    )
