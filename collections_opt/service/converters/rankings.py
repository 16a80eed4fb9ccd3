"""Recorded and running rankings as messages."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

import numpy as np

from collections_opt.api.v1 import capacity_plan_pb2, columns_pb2, ranking_pb2, ranking_service_pb2, value_set_pb2
from collections_opt.application.answers.account_explanation import AccountExplanation
from collections_opt.application.rankings.jobs import JobStatus, State
from collections_opt.application.records.recorded_constraints import persons_bind
from collections_opt.application.resources.value_sets import recorded_choices
from collections_opt.application.settings import load
from collections_opt.core.actors import Actor, ActorRole, recorded_actor
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.evaluation.comparison import OrderingOutcome
from collections_opt.core.problem.assignment import PRICE_SCALE, UNASSIGNED, SolveProgress
from collections_opt.core.problem.exploration import PROPENSITY_SCALE
from collections_opt.core.ranking.explanation import QueueExplanation
from collections_opt.core.ranking.ranking import Disposition, Entries
from collections_opt.core.value.outcomes import PROBABILITY_SCALE
from collections_opt.core.value.payoffs import ValueParameters
from collections_opt.core.value.stated_money import FACTOR_SCALE, StatedMoney
from collections_opt.ledger.tables.records import LedgerEvent, RankingRecord, WorklistEntry
from collections_opt.service.converters.constraints import write_exploration, write_limits, write_recorded_constraints
from collections_opt.service.converters.model_use import write_recorded_use
from collections_opt.service.converters.rule_tables import write_table_versions
from collections_opt.service.converters.score_health import write_health
from collections_opt.service.converters.scores import LOSS_SOURCE, write_blocking_rule, write_reasons
from collections_opt.service.converters.value_sets import write_choice, write_choices
from collections_opt.wire.columns import Columns, encode_chunks
from collections_opt.wire.common import write_date, write_enum, write_time
from collections_opt.wire.day_windows import write_window
from collections_opt.wire.parameters import write_parameters
from collections_opt.wire.status import to_status


def write_unfinished(ranking_id: str, status: JobStatus) -> ranking_pb2.Ranking:
    """Return a ranking that is running, failed or abandoned."""
    state = write_enum(ranking_pb2.RankingState.DESCRIPTOR, status.state.value)
    ended = status.state is not State.RUNNING
    return ranking_pb2.Ranking(
        ranking_id=ranking_id,
        state=state,
        progress=None if ended else write_progress(status.progress),
        error=to_status(status.error) if ended and status.error else None,
        state_reason=status.why,
    )


def write_event(event: LedgerEvent) -> ranking_service_pb2.RankingEvent:
    """Return how a ranking ended."""
    told = json.loads(event.payload)
    return ranking_service_pb2.RankingEvent(
        sequence=event.seq,
        ranking_id=event.subject,
        request_id=told["request_id"],
        portfolio_id=told["portfolio_id"],
        state=write_enum(ranking_pb2.RankingState.DESCRIPTOR, told["state"]),
        reason=told["reason"],
        record_digest=told.get("record_digest", ""),
        create_time=write_time(event.created_at),
    )


def write_progress(progress: SolveProgress) -> ranking_pb2.RankingProgress:
    """Return where work stands."""
    return ranking_pb2.RankingProgress(stage=progress.stage, fraction=progress.fraction, gap=progress.gap)


def write_recorded(record: RankingRecord, plan: CapacityPlan) -> ranking_pb2.Ranking:
    """Return a recorded ranking; ``plan`` is the version it was made with."""
    return ranking_pb2.Ranking(
        ranking_id=record.ranking_id,
        state=ranking_pb2.RANKING_STATE_SUCCEEDED,
        inputs=write_inputs(record),
        quality=_write_quality(record),
        queues=_write_queue_uses(record, plan),
        counts=_write_counts(record),
        persons=_write_persons(record),
        evidence=_write_evidence(record),
        stated_money=_write_stated(record),
        health=write_health(record.record["health"], record.record.get("scoring", {})),
        limits=write_limits(record),
        exploration=write_exploration(record, plan),
        actor=write_actor(recorded_actor(record.record["actor"])),
        model_use=write_recorded_use(record.record) if "model_step" in record.record else None,
        record=ranking_pb2.RankingRecord(
            sequence=record.seq,
            request_id=record.request_id,
            payload_digest=record.payload_digest,
            entries_digest=record.record["entries_digest"],
            previous_digest=record.previous_digest,
            record_digest=record.record_digest,
            create_time=write_time(record.created_at),
        ),
    )


def write_actor(actor: Actor) -> ranking_pb2.RankingActor:
    """Return who asked; a role that this version does not know is left out."""
    role = write_enum(ranking_pb2.ActorRole.DESCRIPTOR, actor.role if actor.role in list(ActorRole) else "UNSPECIFIED")
    if actor.issuer:
        return ranking_pb2.RankingActor(
            authenticated_name=actor.name,
            authenticated_role=role,
            token_issuer=actor.issuer,
            authenticated_system=actor.system,
        )
    return ranking_pb2.RankingActor(claimed_name=actor.name, claimed_role=role, authenticated_system=actor.system)


def write_inputs(record: RankingRecord) -> ranking_pb2.RankingInputs:
    """Return what a ranking was asked, with every version that decided."""
    held = record.record
    return ranking_pb2.RankingInputs(
        portfolio_id=record.portfolio_id,
        portfolio_digest=held["input_digest"],
        as_of_date=write_date(held["as_of_date"]),
        currency_code=held["currency_code"],
        capacity_plan_id=held["plan_id"],
        capacity_plan_version=held["plan_version"],
        capacity_plan_digest=held["plan_digest"],
        ordering=write_enum(ranking_pb2.Ordering.DESCRIPTOR, held["ordering"]),
        value_parameters=write_parameters(load(held["parameters"], ValueParameters)),
        rules_version=held["rules_version"],
        rules_digest=held["rules_digest"],
        feature_set_version=held["feature_set_version"],
        model_version=held["model_version"],
        model_digest=held["model_digest"],
        calibration_version=held["calibration_version"],
        effects_version=held["effects_version"],
        seed=held["seed"],
        code_version=held["code_version"],
        effects_digest=held.get("effects_digest", ""),
        effects_problem=held.get("effects_problem", ""),
        constraints=write_recorded_constraints(record),
        previous_ranking_id=held["previous_ranking_id"],
        contact_version=held.get("contact_version", ""),
        contact_digest=held.get("contact_digest", ""),
        contact_problem=held.get("contact_problem", ""),
        recovery_version=held.get("recovery_version", ""),
        recovery_digest=held.get("recovery_digest", ""),
        recovery_problem=held.get("recovery_problem", ""),
        loss_sources=[
            ranking_pb2.LossSourceUse(source=write_enum(LOSS_SOURCE, name), account_count=count)
            for name, count in held.get("losses_by_source", {}).items()
        ],
        rule_tables=write_table_versions(held.get("rule_tables", ())),
        values_source=write_enum(value_set_pb2.ValuesSource.DESCRIPTOR, held.get("values_from", "UNSPECIFIED")),
        value_choices=write_choices(recorded_choices(held)),
    )


def _write_quality(record: RankingRecord) -> ranking_pb2.RankingQuality:
    held = record.record
    objective, bound = held["objective_minor"], held["bound_minor"]
    return ranking_pb2.RankingQuality(
        objective_minor_units=objective,
        bound_minor_units=bound,
        gap=(bound - objective) / bound if bound > 0 else 0.0,
        termination=write_enum(ranking_pb2.Termination.DESCRIPTOR, held["termination"]),
        replayable=held["replayable"],
        solver_name=held["solver"],
        solver_version=held["solver_version"],
        solver_parameters=held["solver_parameters"],
        payoffs_out_of_order_count=held["payoffs_out_of_order_count"],
    )


def _write_queue_uses(record: RankingRecord, plan: CapacityPlan) -> list[ranking_pb2.QueueUse]:
    held = record.record
    figures = zip(plan.queues, held["capacity_seconds"], held["queue_seconds"], held["prices"], strict=True)
    return [
        ranking_pb2.QueueUse(
            queue_id=queue.queue_id,
            capacity_minutes=capacity / 60.0,
            used_minutes=used / 60.0,
            price_per_minute_minor_units=price * 60.0 / PRICE_SCALE,
        )
        for queue, capacity, used, price in figures
    ]


def _write_stated(record: RankingRecord) -> ranking_pb2.StatedMoney | None:
    held = record.record.get("stated_money")
    if held is None:
        return None
    stated = StatedMoney(**held)
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


def _write_evidence(record: RankingRecord) -> list[ranking_pb2.EvidenceMoney]:
    """Return the recorded money by evidence grade; records made before grades were kept say nothing."""
    money = record.record.get("evidence_minor", {})
    total = sum(money.values())
    return [
        ranking_pb2.EvidenceMoney(
            grade=write_enum(capacity_plan_pb2.EvidenceGrade.DESCRIPTOR, grade),
            money_share=minor / total if total else 0.0,
            increment_minor_units=minor,
        )
        for grade, minor in money.items()
    ]


def _write_counts(record: RankingRecord) -> ranking_pb2.DispositionCounts:
    counts = {f"{name.lower()}_count": count for name, count in record.record["counts"].items()}
    return ranking_pb2.DispositionCounts(**counts)


def _write_persons(record: RankingRecord) -> ranking_pb2.RankingPersons:
    held = record.record.get("persons", {})
    return ranking_pb2.RankingPersons(
        one_contact_per_person=persons_bind(record.record),
        person_count=held.get("person_count", 0),
        most_account_count=held.get("most_account_count", 0),
    )


def export_chunks(entries: Entries, plan: CapacityPlan) -> Iterator[columns_pb2.ColumnChunk]:
    """Yield all entries as chunks; the columns are those of ``ExportRankingResponse``."""
    queue_ids = np.array([queue.queue_id.encode() for queue in plan.queues])
    names = np.array([b"", *(d.name.encode() for d in Disposition)])
    worked, placed = entries.queue != UNASSIGNED, entries.best_queue != UNASSIGNED
    values = {
        "account_id": entries.account_id,
        "disposition": names[entries.disposition],
        "queue_id": np.where(worked, queue_ids[entries.queue], b""),
        "priority": entries.priority.astype(np.int64),
        "best_queue_id": np.where(placed, queue_ids[entries.best_queue], b""),
        "increment_minor_units": entries.increment_minor,
        "handling_minutes": entries.seconds / 60.0,
        "surplus_minor_units": entries.surplus_minor,
        "recovery_without_contact_minor_units": entries.recovery_without_contact_minor,
        "p_cure": entries.p_cure_nano / PROBABILITY_SCALE,
        "p_default": entries.p_default_nano / PROBABILITY_SCALE,
        "p_stay": entries.p_stay_nano / PROBABILITY_SCALE,
        "explored": entries.explored.astype(np.bool_),
        "propensity": entries.propensity_nano / PROPENSITY_SCALE,
    }
    if entries.person is not None:
        values["person"] = entries.person.astype(np.int64)
    if entries.attempts is not None:
        values["offered_attempts"] = entries.attempts.astype(np.int64)
    if entries.call_from is not None and entries.call_until is not None:
        values["call_from_minute"] = entries.call_from.astype(np.int64)
        values["call_until_minute"] = entries.call_until.astype(np.int64)
    present = {"queue_id": worked, "priority": worked, "best_queue_id": placed}
    yield from encode_chunks(Columns(int(entries.account_id.size), values, present))


def write_worklist_entry(entry: WorklistEntry) -> ranking_service_pb2.WorklistEntry:
    """Return one account of a worklist."""
    return ranking_service_pb2.WorklistEntry(
        priority=entry.priority,
        account_id=entry.account_id,
        increment_minor_units=entry.increment_minor,
        handling_minutes=entry.seconds / 60.0,
        surplus_minor_units=entry.surplus_minor,
        offered_attempt_count=entry.attempts,
        call_window=write_window(entry.call_from, entry.call_until),
    )


def write_explanation(found: AccountExplanation, currency_code: str) -> ranking_service_pb2.ExplainAssignmentResponse:
    """Return why an account is worked or not."""
    p_cure, p_default, p_stay = found.probability
    return ranking_service_pb2.ExplainAssignmentResponse(
        account_id=found.account_id,
        disposition=write_enum(ranking_pb2.Disposition.DESCRIPTOR, found.disposition.name),
        sentence=found.sentence,
        p_cure=p_cure,
        p_default=p_default,
        p_stay=p_stay,
        queues=[_write_queue_explanation(queue) for queue in found.queues],
        reason_codes=write_reasons(found.reasons),
        currency_code=currency_code,
        loss_given_default=found.loss.given_default,
        loss_source=write_enum(LOSS_SOURCE, found.loss.source.name),
        value_choice=write_choice(found.value_choice) if found.value_choice else None,
        worked_account_id=found.worked_account_id,
    )


def _write_queue_explanation(found: QueueExplanation) -> ranking_service_pb2.QueueExplanation:
    detail = found.detail
    rule = write_blocking_rule(found.rule_id, found.rule_description, found.next_eligible_date) if found.rule_id else None
    return ranking_service_pb2.QueueExplanation(
        queue_id=found.queue_id,
        verdict=write_enum(ranking_service_pb2.Verdict.DESCRIPTOR, found.verdict),
        blocking_rule=rule,
        increment_minor_units=found.increment_minor,
        from_cure_minor_units=float(detail.from_cure[0]),
        from_default_minor_units=float(detail.from_default[0]),
        cost_minor_units=float(detail.cost[0]),
        cash_minor_units=float(detail.cash[0]),
        handling_minutes=found.minutes,
        price_per_minute_minor_units=found.price_per_minute_minor,
        surplus_minor_units=found.surplus_minor,
        needed_increment_minor_units=found.needed_increment_minor,
        break_even_price_per_minute_minor_units=found.break_even_price_per_minute_minor,
        least_increment_minor_units=found.least_increment_minor,
        highest_price_per_minute_minor_units=found.highest_price_per_minute_minor,
        ahead_minutes=found.minutes_ahead,
        offered_attempt_count=found.offered_attempts,
        limiting_rule_id=found.limiting_rule_id,
        call_window=write_window(*found.call_window) if found.call_window else None,
    )


def write_comparison(ranking_id: str, outcome: OrderingOutcome) -> ranking_service_pb2.RankingComparison:
    """Return one ranking beside the first."""
    correlation = outcome.rank_correlation
    return ranking_service_pb2.RankingComparison(
        ranking_id=ranking_id,
        ordering=write_enum(ranking_pb2.Ordering.DESCRIPTOR, outcome.ordering),
        worked_count=outcome.worked_count,
        handling_minutes=outcome.minutes,
        increment_minor_units=outcome.incremental_minor,
        overlap_share=outcome.overlap,
        rank_correlation=None if math.isnan(correlation) else correlation,
        entering_count=outcome.entering,
        leaving_count=outcome.leaving,
    )
