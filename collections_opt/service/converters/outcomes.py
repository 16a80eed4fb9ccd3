"""Maturities and outcomes of accounts as messages."""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.timestamp_pb2 import Timestamp

from collections_opt.api.v1 import monitor_service_pb2 as pb
from collections_opt.application.outcomes.maturity import Maturity
from collections_opt.core.evaluation.comparison import Interval
from collections_opt.core.evaluation.worked_outcomes import WorkedOutcomes
from collections_opt.core.outcomes.matured import MaturedOutcomes
from collections_opt.core.outcomes.terms import Outcome, OutcomeSource
from collections_opt.wire.common import write_date
from collections_opt.wire.outcomes import write_outcome, write_source, write_terms


def write_maturity(one: Maturity) -> pb.Maturity:
    """Return what a ranking matured into."""
    created = Timestamp()
    created.FromDatetime(one.created_at)
    return pb.Maturity(
        sequence=one.seq,
        ranking_id=one.ranking_id,
        portfolio_id=one.portfolio_id,
        as_of_date=write_date(one.as_of_date),
        mature_date=write_date(one.matured_on),
        create_time=created,
        terms=write_terms(one.terms),
        event_sequence=one.event_sequence,
        later_portfolio_ids=one.later_portfolio_ids,
        file_sequences=one.file_seqs,
        counts=[pb.OutcomeCount(outcome=write_outcome(o), account_count=one.counts.get(o.name, 0)) for o in Outcome],
        source_counts=[
            pb.SourceCount(source=write_source(source), account_count=one.counts_by_source.get(source.name, 0))
            for source in OutcomeSource
        ],
        contradicted_count=one.contradicted_count,
        method=one.method,
        repeated=one.repeated,
    )


def write_worked(ranking_id: str, found: WorkedOutcomes) -> pb.WorkedOutcomes:
    """Return what became of the accounts that a ranking works."""
    return pb.WorkedOutcomes(
        ranking_id=ranking_id,
        worked_count=found.worked_count,
        seen_count=found.seen_count,
        cured_share=_figure(found.cured),
        defaulted_share=_figure(found.defaulted),
        cash_known_count=found.cash_known_count,
        cash_minor_units=_figure(found.cash),
        cash_share=_figure(found.cash_share),
        cash_difference_minor_units=_figure(found.cash_difference),
    )


def _figure(one: Interval | None) -> pb.MonitorFigure | None:
    return None if one is None else pb.MonitorFigure(value=one.value, low=one.low, high=one.high)


def write_outcomes(found: MaturedOutcomes, rows: Iterable[int]) -> list[pb.MaturedOutcome]:
    """Return what became of some accounts."""
    return [
        pb.MaturedOutcome(
            account_id=found.account_id[row].decode(),
            outcome=write_outcome(Outcome(found.outcome[row])),
            source=write_source(OutcomeSource(found.source[row])),
            event_sequence=int(found.event[row]),
            outcome_days=int(found.day[row]),
            horizon_days=int(found.horizon[row]),
            contradicted=bool(found.contradicted[row]),
            cash_minor_units=int(found.cash_minor[row]) if found.cash_minor[row] >= 0 else None,
            contact_count=int(found.contacts[row]),
            reached=bool(found.reached[row]),
        )
        for row in rows
    ]
