"""Recorded rankings as messages: all that a record says."""

from __future__ import annotations

from collections_opt.api.v1 import actor_pb2, capacity_plan_pb2, ranking_pb2, value_set_pb2
from collections_opt.application.records.ranking_facts import AnswerFacts, RankingFacts
from collections_opt.core.actors import Actor, ActorRole
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.problem.assignment import PRICE_SCALE
from collections_opt.core.value.stated_money import FACTOR_SCALE, StatedMoney
from collections_opt.ledger.records import RankingRecord
from collections_opt.service.converters.approved.rule_tables import write_table_versions
from collections_opt.service.converters.approved.value_sets import write_choices
from collections_opt.service.converters.constraints import write_exploration, write_limits, write_recorded_constraints
from collections_opt.service.converters.derivations import write_derivation
from collections_opt.service.converters.model_use import write_recorded_use
from collections_opt.service.converters.score_health import write_health
from collections_opt.service.converters.scores import LOSS_SOURCE
from collections_opt.wire.common import write_date, write_enum, write_time
from collections_opt.wire.parameters import write_parameters


def write_recorded(record: RankingRecord, plan: CapacityPlan) -> ranking_pb2.Ranking:
    """Return a recorded ranking; ``plan`` is the version it was made with."""
    facts = RankingFacts.from_record(record.record)
    answer, persons = facts.answer, facts.answer.persons
    return ranking_pb2.Ranking(
        ranking_id=record.ranking_id,
        state=ranking_pb2.RANKING_STATE_SUCCEEDED,
        inputs=write_inputs(facts),
        quality=_write_quality(answer),
        queues=_write_queue_uses(facts, plan),
        counts=ranking_pb2.DispositionCounts(**{f"{name.lower()}_count": count for name, count in answer.counts.items()}),
        persons=ranking_pb2.RankingPersons(
            one_contact_per_person=persons.one_contact,
            person_count=persons.person_count,
            most_account_count=persons.most_account_count,
        ),
        evidence=_write_evidence(answer),
        stated_money=_write_stated(answer.stated_money) if answer.stated_money else None,
        health=write_health(facts.health, facts.scoring),
        limits=write_limits(facts),
        exploration=write_exploration(answer, plan),
        experiments=[
            ranking_pb2.RankingExperiment(
                experiment_id=named.experiment_id,
                version=named.version,
                account_count=alone.in_experiment_count,
                held_out_count=alone.held_out_count,
                intended_count=alone.intended_count,
                surplus_minor_units=alone.surplus_minor,
                increment_minor_units=alone.increment_minor,
            )
            for named, alone in zip(facts.inputs.experiments, answer.left_alone, strict=True)
        ],
        actor=write_actor(facts.kept.actor),
        model_use=write_recorded_use(facts.scored, facts.shadow),
        record=ranking_pb2.RankingRecord(
            sequence=record.seq,
            request_id=record.request_id,
            payload_digest=record.payload_digest,
            entries_digest=answer.entries_digest,
            previous_digest=record.previous_digest,
            record_digest=record.record_digest,
            create_time=write_time(record.created_at),
        ),
    )


def write_actor(actor: Actor) -> ranking_pb2.RankingActor:
    """Return who asked; a role that this version does not know is left out."""
    role = write_enum(actor_pb2.ActorRole.DESCRIPTOR, actor.role if actor.role in list(ActorRole) else "UNSPECIFIED")
    if actor.issuer:
        return ranking_pb2.RankingActor(
            authenticated_name=actor.name,
            authenticated_role=role,
            token_issuer=actor.issuer,
            authenticated_system=actor.system,
        )
    return ranking_pb2.RankingActor(claimed_name=actor.name, claimed_role=role, authenticated_system=actor.system)


def write_inputs(facts: RankingFacts) -> ranking_pb2.RankingInputs:
    """Return what a ranking was asked, with every version that decided."""
    held, answer, constraints = facts.inputs, facts.answer, facts.inputs.constraints
    return ranking_pb2.RankingInputs(
        portfolio_id=held.portfolio_id,
        portfolio_digest=held.input_digest,
        as_of_date=write_date(held.as_of_date),
        currency_code=held.currency_code,
        capacity_plan_id=held.plan_id,
        capacity_plan_version=held.plan_version,
        capacity_plan_digest=held.plan_digest,
        ordering=write_enum(ranking_pb2.Ordering.DESCRIPTOR, answer.ordering.value),
        value_parameters=write_parameters(held.parameters),
        rules_version=held.rules_version,
        rules_digest=held.rules_digest,
        feature_set_version=held.feature_set_version,
        model_version=answer.model_version,
        model_digest=facts.scored.digest,
        calibration_version=answer.calibration_version,
        effects_version=facts.beside.effects.version,
        seed=held.seed,
        code_version=held.code_version,
        effects_digest=facts.beside.effects.digest,
        effects_problem=facts.beside.effects.problem,
        constraints=write_recorded_constraints(constraints),
        previous_ranking_id=held.previous_ranking_id,
        contact_version=facts.beside.contact.version,
        contact_digest=facts.beside.contact.digest,
        contact_problem=facts.beside.contact.problem,
        recovery_version=facts.beside.recovery.version,
        recovery_digest=facts.beside.recovery.digest,
        recovery_problem=facts.beside.recovery.problem,
        loss_sources=[
            ranking_pb2.LossSourceUse(source=write_enum(LOSS_SOURCE, name), account_count=count)
            for name, count in answer.losses_by_source.items()
        ],
        rule_tables=write_table_versions(facts.sources.rule_tables),
        values_source=write_enum(value_set_pb2.ValuesSource.DESCRIPTOR, facts.sources.values_from),
        value_choices=write_choices(facts.sources.value_choices),
        purpose=write_enum(ranking_pb2.RankingPurpose.DESCRIPTOR, facts.inputs.made_for.value),
        derived_from=write_derivation(facts.derived_from),
        models_beside=[
            ranking_pb2.ServedModel(kind=kind.value, version=one.version, digest=one.digest, problem=one.problem)
            for kind, one in facts.beside.by_kind.items()
        ],
    )


def _write_quality(answer: AnswerFacts) -> ranking_pb2.RankingQuality:
    return ranking_pb2.RankingQuality(
        objective_minor_units=answer.objective_minor,
        bound_minor_units=answer.bound_minor,
        gap=answer.gap,
        termination=write_enum(ranking_pb2.Termination.DESCRIPTOR, answer.termination.value),
        replayable=answer.replayable,
        solver_name=answer.solver,
        solver_version=answer.solver_version,
        solver_parameters=answer.solver_parameters,
        payoffs_out_of_order_count=answer.payoffs_out_of_order_count,
    )


def _write_queue_uses(facts: RankingFacts, plan: CapacityPlan) -> list[ranking_pb2.QueueUse]:
    answer = facts.answer
    figures = zip(plan.queues, facts.inputs.capacity_seconds, answer.queue_seconds, answer.prices, strict=True)
    return [
        ranking_pb2.QueueUse(
            queue_id=queue.queue_id,
            capacity_minutes=capacity / 60.0,
            used_minutes=used / 60.0,
            price_per_minute_minor_units=price * 60.0 / PRICE_SCALE,
        )
        for queue, capacity, used, price in figures
    ]


def _write_stated(stated: StatedMoney) -> ranking_pb2.StatedMoney:
    return ranking_pb2.StatedMoney(
        expected_minor_units=stated.expected_minor,
        low_minor_units=stated.low_minor,
        high_minor_units=stated.high_minor,
        chosen_by_minor_units=stated.chosen_by_minor,
        learned_minor_units=stated.learned_minor,
        learned_low_minor_units=stated.learned_low_minor,
        learned_high_minor_units=stated.learned_high_minor,
        assumed_minor_units=stated.assumed_minor,
        cost_minor_units=stated.cost_minor,
        shrinkage=stated.shrinkage,
        if_assumed_half_minor_units=stated.if_half_minor,
        if_assumed_double_minor_units=stated.if_double_minor,
        break_even_factor=stated.break_even_nano / FACTOR_SCALE if stated.break_even_nano >= 0 else None,
    )


def _write_evidence(answer: AnswerFacts) -> list[ranking_pb2.EvidenceMoney]:
    """Return the recorded money by evidence grade; records made before grades were kept say nothing."""
    money = answer.evidence_minor
    total = sum(money.values())
    return [
        ranking_pb2.EvidenceMoney(
            grade=write_enum(capacity_plan_pb2.EvidenceGrade.DESCRIPTOR, grade),
            money_share=minor / total if total else 0.0,
            increment_minor_units=minor,
        )
        for grade, minor in money.items()
    ]
