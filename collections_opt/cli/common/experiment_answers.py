"""Experiments of messages as the core's values: designs, and findings."""

from __future__ import annotations

from collections.abc import Iterable

from collections_opt.api.v1 import experiment_pb2
from collections_opt.api.v1 import experiment_service_pb2 as pb
from collections_opt.core.desk.split import UnevenQueue
from collections_opt.core.experiments.design import SHARE_SCALE, ArmKind, ExperimentDesign, Scope, StopRule
from collections_opt.core.experiments.findings import ExperimentFindings, SplitDay
from collections_opt.core.experiments.reading import Effect, GroupReading, QueuePair, Reading
from collections_opt.wire.common import enum_text, read_date, read_enum


def read_findings(answer: pb.ReadExperimentResponse) -> ExperimentFindings:
    """Return an answer of ReadExperiment as the core's findings."""
    named = [group.queue_id for group in answer.groups[1:]]
    named += [name for pair in answer.drawn_queue_pairs for name in (pair.queue_id, pair.other_queue_id)]
    queues = tuple(dict.fromkeys(named))
    pairs = tuple(
        QueuePair(
            queues.index(pair.queue_id),
            queues.index(pair.other_queue_id),
            pair.person_count,
            pair.other_person_count,
            pair.needed_person_count,
            _effects(pair.effects),
        )
        for pair in answer.drawn_queue_pairs
    )
    groups = tuple(_group(group, place - 1) for place, group in enumerate(answer.groups))
    return ExperimentFindings(
        experiment_id=answer.experiment.experiment_id,
        design=read_design(answer.experiment),
        currency_code=answer.currency_code,
        queue_ids=queues,
        reading=Reading(groups, answer.arms_z, answer.may_stop, pairs),
        matured_count=answer.matured_person_count,
        waiting_count=answer.waiting_person_count,
        contacted_count=answer.contacted_held_out_count,
        censored_count=answer.censored_person_count,
        predicted_cost_minor=answer.predicted_cost_minor_units,
        predicted_most_minor=answer.predicted_cost_most_minor_units,
        read_on=read_date(answer.read_date, "read_date"),
        split_days=tuple(_day(each) for each in answer.split_days),
    )


def read_design(message: experiment_pb2.Experiment) -> ExperimentDesign:
    """Return an experiment that a server sent as the core's design."""
    stopped = message.HasField("stop_date")
    return ExperimentDesign(
        share_nano=round(message.share * SHARE_SCALE),
        salt=message.salt,
        starts_on=read_date(message.start_date, "start_date"),
        ends_on=read_date(message.end_date, "end_date"),
        horizon_days=message.horizon_days,
        planned_person_count=message.planned_person_count,
        scope=Scope(tuple(message.scope.portfolio_patterns), tuple(message.scope.products), tuple(message.scope.buckets)),
        arm=ArmKind(read_enum(experiment_pb2.ExperimentArm.DESCRIPTOR, message.arm, "arm")),
        stop_rule=StopRule(read_enum(experiment_pb2.ExperimentStopRule.DESCRIPTOR, message.stop_rule, "stop_rule")),
        stopped_on=read_date(message.stop_date, "stop_date") if stopped else None,
        stop_reason=message.stop_reason,
        plan_id=message.plan_id,
        challenger_plan_id=message.challenger_plan_id,
    )


def _day(message: pb.SplitDay) -> SplitDay:
    uneven = tuple(UnevenQueue(each.queue_id, each.minutes, each.challenger_minutes) for each in message.uneven_queues)
    return SplitDay(read_date(message.date, "date"), message.ranking_id, message.challenger_ranking_id, uneven)


def _group(group: pb.ExperimentGroup, queue: int) -> GroupReading:
    counts = group.contact_person_count, group.held_out_person_count, group.needed_person_count
    return GroupReading(queue, *counts, _effects(group.effects))


def _effects(effects: Iterable[pb.ExperimentEffect]) -> tuple[Effect, ...]:
    return tuple(
        Effect(
            enum_text(pb.ExperimentOutcome.DESCRIPTOR, each.outcome).lower(),
            each.effect,
            each.fixed_low,
            each.fixed_high,
            each.anytime_low,
            each.anytime_high,
            each.contact_mean,
            each.held_out_mean,
        )
        for each in effects
    )
