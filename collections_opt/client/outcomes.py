"""Outcomes over the API: tell what became of accounts, let rankings mature, and read what they matured into."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from collections_opt.api.v1 import monitor_service_pb2 as pb
from collections_opt.client.client import Client
from collections_opt.client.listings import pages
from collections_opt.core.day.event_columns import DAY_ONE
from collections_opt.core.outcomes.terms import Outcome, OutcomeTerms, ToldOutcomes
from collections_opt.wire.common import write_date
from collections_opt.wire.outcomes import MAX_ROWS, write_outcome, write_terms


def record_outcomes(
    client: Client, portfolio_id: str, told: ToldOutcomes, source: str, validate_only: bool = False
) -> pb.RecordOutcomesResponse:
    """Tell what became of a portfolio's accounts; the same rows again are recorded once.

    Raises:
        CollectionsError: NOT_FOUND; INVALID_ARGUMENT with every fault.
    """

    def parts() -> Iterator[pb.RecordOutcomesRequest]:
        for first in range(0, max(told.day.size, 1), MAX_ROWS):
            rows = slice(first, first + MAX_ROWS)
            yield pb.RecordOutcomesRequest(
                portfolio_id=portfolio_id, source=source, outcomes=_rows(told, rows), validate_only=validate_only
            )

    return client.monitors.RecordOutcomes(parts())


def mature_rankings(
    client: Client, terms: OutcomeTerms, ranking_ids: Sequence[str] = (), later_portfolio_ids: Sequence[str] = ()
) -> Sequence[pb.Maturity]:
    """Let rankings mature: those named, else those whose horizons have passed and that have not yet.

    Raises:
        CollectionsError: NOT_FOUND; RANKING_NOT_MATURE; INVALID_ARGUMENT for products without terms.
    """
    request = pb.MatureRankingsRequest(ranking_ids=ranking_ids, terms=write_terms(terms), later_portfolio_ids=later_portfolio_ids)
    return client.monitors.MatureRankings(request).maturities


def list_maturities(client: Client, ranking_id: str = "", portfolio_id: str = "") -> Iterator[pb.Maturity]:
    """Yield what rankings matured into, oldest first."""
    request = pb.ListMaturitiesRequest
    return pages(
        lambda token: client.monitors.ListMaturities(request(ranking_id=ranking_id, portfolio_id=portfolio_id, page_token=token)),
        lambda page: page.maturities,
    )


def list_outcomes(client: Client, ranking_id: str, account_ids: Sequence[str] = ()) -> Iterator[pb.MaturedOutcome]:
    """Yield what became of each account of a ranking, or of those named, at most 1,000.

    Raises:
        CollectionsError: NOT_FOUND; RANKING_NOT_MATURE.
    """
    request = pb.ListOutcomesRequest
    return pages(
        lambda token: client.monitors.ListOutcomes(request(ranking_id=ranking_id, account_ids=account_ids, page_token=token)),
        lambda page: page.outcomes,
    )


def compare_outcomes(client: Client, ranking_ids: Sequence[str]) -> pb.CompareOutcomesResponse:
    """Return what became of the accounts that each of 1 to 20 rankings of one portfolio works, beside the first.

    Raises:
        CollectionsError: NOT_FOUND; RANKING_NOT_MATURE where none of them matured; INVALID_ARGUMENT for different accounts.
    """
    return client.monitors.CompareOutcomes(pb.CompareOutcomesRequest(ranking_ids=ranking_ids))


def get_monitors(client: Client, model_version: str = "", plan_id: str = "") -> Iterator[pb.Monitor]:
    """Yield, for every matured ranking by day, what was predicted against what happened."""
    request = pb.GetMonitorsRequest
    return pages(
        lambda token: client.monitors.GetMonitors(request(model_version=model_version, plan_id=plan_id, page_token=token)),
        lambda page: page.monitors,
    )


def _rows(told: ToldOutcomes, rows: slice) -> list[pb.ToldOutcome]:
    columns = (told.account_id, told.outcome, told.day, told.cash_minor)
    return [
        pb.ToldOutcome(
            account_id=account.decode(),
            outcome=write_outcome(Outcome(outcome)),
            outcome_date=write_date(DAY_ONE + timedelta(days=day)),
            cash_minor_units=cash if cash >= 0 else None,
        )
        for account, outcome, day, cash in zip(*(column[rows].tolist() for column in columns), strict=True)
    ]
