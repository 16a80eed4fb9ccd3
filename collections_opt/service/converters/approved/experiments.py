"""Experiments as messages, and what is planned with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from collections_opt.api.v1 import experiment_pb2
from collections_opt.api.v1 import experiment_service_pb2 as pb
from collections_opt.application.experiments.planning import PlannedExperiment, PlanQuestion
from collections_opt.application.resources.approved import Stored
from collections_opt.application.resources.experiments import state_of
from collections_opt.core.experiments.design import SHARE_SCALE, ArmKind, ExperimentDesign, Scope, StopRule
from collections_opt.core.experiments.findings import ExperimentFindings, SplitDay
from collections_opt.core.experiments.power import OutcomeSpread, persons_to_read
from collections_opt.core.experiments.reading import Effect, GroupReading, QueuePair
from collections_opt.service.converters.approved.resources import write_state
from collections_opt.wire.common import read_date, read_enum, write_date, write_enum

_STOP_RULE = experiment_pb2.ExperimentStopRule.DESCRIPTOR
_ARM = experiment_pb2.ExperimentArm.DESCRIPTOR
_STATE = experiment_pb2.ExperimentState.DESCRIPTOR


def read_scope(message: experiment_pb2.ExperimentScope) -> Scope:
    """Return whom an experiment is about."""
    return Scope(tuple(message.portfolio_patterns), tuple(message.products), tuple(message.buckets))


def read_design(message: experiment_pb2.Experiment) -> ExperimentDesign:
    """Return what somebody creates; what a caller sets in OUTPUT_ONLY fields is ignored.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a missing date or an unknown rule.
    """
    rule = StopRule.LAST_DAY
    if message.stop_rule:
        rule = StopRule(read_enum(_STOP_RULE, message.stop_rule, "experiment.stop_rule"))
    # A share that is no number is out of range, and is refused as such.
    share = message.share if 0 < message.share <= 1 else 0.0
    return ExperimentDesign(
        share_nano=round(share * SHARE_SCALE),
        salt=message.salt,
        starts_on=read_date(message.start_date, "experiment.start_date"),
        ends_on=read_date(message.end_date, "experiment.end_date"),
        horizon_days=message.horizon_days,
        planned_person_count=message.planned_person_count,
        scope=read_scope(message.scope),
        arm=_read_arm(message.arm, "experiment.arm"),
        stop_rule=rule,
        plan_id=message.plan_id,
        challenger_plan_id=message.challenger_plan_id,
    )


def _read_arm(number: int, path: str) -> ArmKind:
    return ArmKind(read_enum(_ARM, number, path)) if number else ArmKind.HOLDOUT


def write_experiment(stored: Stored[ExperimentDesign], today: date) -> experiment_pb2.Experiment:
    """Return an experiment as it stands on a day."""
    design = stored.content
    return experiment_pb2.Experiment(
        experiment_id=stored.version.resource_id,
        scope=experiment_pb2.ExperimentScope(
            portfolio_patterns=design.scope.portfolios, products=design.scope.products, buckets=design.scope.buckets
        ),
        share=design.share,
        start_date=write_date(design.starts_on),
        end_date=write_date(design.ends_on),
        horizon_days=design.horizon_days,
        planned_person_count=design.planned_person_count,
        stop_rule=write_enum(_STOP_RULE, design.stop_rule.value),
        arm=write_enum(_ARM, design.arm.value),
        plan_id=design.plan_id,
        challenger_plan_id=design.challenger_plan_id,
        salt=design.salt,
        stop_date=None if design.stopped_on is None else write_date(design.stopped_on),
        stop_reason=design.stop_reason,
        standing=write_enum(_STATE, state_of(stored, today).value),
        state=write_state(stored.version),
    )


def read_question(message: pb.PlanExperimentRequest) -> PlanQuestion:
    """Return what somebody plans."""
    spread = None
    if message.standard_deviation_minor_units or message.correlation:
        spread = OutcomeSpread(message.standard_deviation_minor_units, message.correlation)
    return PlanQuestion(
        ranking_id=message.ranking_id,
        share=message.share,
        duration_days=message.duration_days,
        horizon_days=message.horizon_days,
        scope=read_scope(message.scope),
        spread=spread,
        wanted_effect_minor=message.wanted_effect_minor_units or None,
        arm=_read_arm(message.arm, "arm"),
    )


def write_planned(planned: PlannedExperiment, share: float) -> pb.PlanExperimentResponse:
    """Return what an experiment would show and cost."""
    plan, cost = planned.plan, planned.plan.cost
    return pb.PlanExperimentResponse(
        currency_code=planned.currency_code,
        entering_person_count=plan.entering_count,
        held_out_person_count=plan.held_out_count,
        detectable_effect_minor_units=plan.detectable_minor,
        needed_person_count=plan.needed_count,
        readable_person_count=persons_to_read(share),
        cost_minor_units=cost.least_minor,
        cost_low_minor_units=cost.low_minor,
        cost_high_minor_units=cost.high_minor,
        cost_most_minor_units=cost.most_minor,
        standard_deviation_minor_units=planned.spread.standard_deviation_minor,
        correlation=planned.spread.correlation,
        spread_source=planned.spread_source,
        worked_person_count=planned.worked_count,
        protected_person_count=planned.protected_count,
    )


def write_findings(found: ExperimentFindings, experiment: experiment_pb2.Experiment) -> pb.ReadExperimentResponse:
    """Return what an experiment shows."""
    reading = found.reading
    return pb.ReadExperimentResponse(
        experiment=experiment,
        currency_code=found.currency_code,
        read_date=write_date(found.read_on),
        headline=found.headline,
        groups=[_write_group(group, found.queue_ids) for group in reading.groups],
        matured_person_count=found.matured_count,
        waiting_person_count=found.waiting_count,
        contacted_held_out_count=found.contacted_count,
        censored_person_count=found.censored_count,
        arms_z=reading.arms_z,
        draw_doubted=reading.draw_doubted,
        may_stop=reading.may_stop,
        is_final=found.is_final,
        predicted_cost_minor_units=found.predicted_cost_minor,
        predicted_cost_most_minor_units=found.predicted_most_minor,
        drawn_queue_pairs=[_write_pair(pair, found.queue_ids) for pair in reading.pairs],
        split_days=[_write_day(each) for each in found.split_days],
    )


def _write_day(split: SplitDay) -> pb.SplitDay:
    return pb.SplitDay(
        date=write_date(split.day),
        ranking_id=split.ranking_id,
        challenger_ranking_id=split.challenger_ranking_id,
        uneven_queues=[
            pb.UnevenQueue(queue_id=each.queue_id, minutes=each.minutes, challenger_minutes=each.challenger_minutes)
            for each in split.uneven
        ],
    )


def _write_pair(pair: QueuePair, queue_ids: Sequence[str]) -> pb.DrawnQueuePair:
    return pb.DrawnQueuePair(
        queue_id=queue_ids[pair.first],
        other_queue_id=queue_ids[pair.second],
        person_count=pair.first_count,
        other_person_count=pair.second_count,
        needed_person_count=pair.needed_count,
        effects=_write_effects(pair.effects),
    )


def _write_group(group: GroupReading, queue_ids: Sequence[str]) -> pb.ExperimentGroup:
    return pb.ExperimentGroup(
        queue_id="" if group.queue < 0 else queue_ids[group.queue],
        contact_person_count=group.contact_count,
        held_out_person_count=group.held_out_count,
        needed_person_count=group.needed_count,
        effects=_write_effects(group.effects),
    )


def _write_effects(effects: Sequence[Effect]) -> list[pb.ExperimentEffect]:
    return [
        pb.ExperimentEffect(
            outcome=write_enum(pb.ExperimentOutcome.DESCRIPTOR, each.outcome.upper()),
            effect=each.effect,
            fixed_low=each.fixed_low,
            fixed_high=each.fixed_high,
            anytime_low=each.anytime_low,
            anytime_high=each.anytime_high,
            contact_mean=each.mean_contact,
            held_out_mean=each.mean_held_out,
        )
        for each in effects
    ]
