"""Recorded and running rankings as messages."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from collections_opt.api.v1 import columns_pb2, ranking_pb2, ranking_service_pb2
from collections_opt.application.answers.account_explanation import AccountExplanation
from collections_opt.application.rankings.jobs import JobStatus, State
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.arrays import Array
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.evaluation.comparison import OrderingOutcome
from collections_opt.core.problem.assignment import UNASSIGNED, SolveProgress
from collections_opt.core.problem.exploration import PROPENSITY_SCALE
from collections_opt.core.ranking.explanation import QueueExplanation
from collections_opt.core.ranking.ranking import Disposition, Entries
from collections_opt.core.rules.eligibility import bucket_of
from collections_opt.core.value.outcomes import PROBABILITY_SCALE
from collections_opt.ledger.records import LedgerEvent, WorklistEntry
from collections_opt.service.converters.approved.value_sets import write_choice
from collections_opt.service.converters.scores import LOSS_SOURCE, write_blocking_rule, write_reasons
from collections_opt.wire.columns import Columns, encode_chunks
from collections_opt.wire.common import write_enum, write_time
from collections_opt.wire.day_windows import write_window
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


def export_chunks(entries: Entries, plan: CapacityPlan, portfolio: Portfolio | None = None) -> Iterator[columns_pb2.ColumnChunk]:
    """Yield all entries as chunks; the columns are those of ``ExportRankingResponse``, with facts where a portfolio is given."""
    queue_ids = np.array([queue.queue_id.encode() for queue in plan.queues])
    names = np.array([b"", *(f"DISPOSITION_{d.name}".encode() for d in Disposition)])
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
    if entries.experiment is not None and entries.arm is not None and entries.intended_queue is not None:
        meant = entries.intended_queue != UNASSIGNED
        values["experiment"], values["arm"] = entries.experiment.astype(np.int64), entries.arm.astype(np.int64)
        values["intended_queue_id"] = np.where(meant, queue_ids[entries.intended_queue], b"")
        present["intended_queue_id"] = meant
    if portfolio is not None:
        _add_facts(entries, portfolio, values, present)
    yield from encode_chunks(Columns(int(entries.account_id.size), values, present))


_FACTS = {
    "product": "product",
    "state": "state",
    "days_past_due": "days_past_due",
    "balance_minor_units": "balance_minor",
    "arrears_minor_units": "arrears_minor",
}
"""Columns of an export by the schema's columns that they hold."""


def _add_facts(entries: Entries, portfolio: Portfolio, values: dict[str, Array], present: dict[str, NDArray[np.bool_]]) -> None:
    """Add what the portfolio says of the accounts, which both hold in the order of their ids."""
    ids = portfolio.column("account_id")
    rows = np.minimum(np.searchsorted(ids, entries.account_id), max(ids.size - 1, 0))
    known = ids[rows] == entries.account_id if ids.size else np.zeros(entries.account_id.size, dtype=np.bool_)
    for name, column in _FACTS.items():
        values[name] = portfolio.column(column)[rows]
        present[name] = known & portfolio.is_present(column)[rows]
    values["bucket"] = bucket_of(values["days_past_due"]).astype(np.int64)
    present["bucket"] = present["days_past_due"]


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
