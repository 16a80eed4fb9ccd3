"""Send a portfolio in packed columns, and read why rows were refused."""

from __future__ import annotations

from collections.abc import Iterator

from collections_opt.api.v1 import portfolio_service_pb2 as pb
from collections_opt.client.client import Client
from collections_opt.client.listings import pages
from collections_opt.core.assignment import ProgressCallback, SolveProgress, ignore_progress
from collections_opt.core.limits import MAX_PAGE_SIZE
from collections_opt.core.portfolio import RawPortfolio
from collections_opt.wire.columns import Columns, encode_chunks
from collections_opt.wire.common import write_date


def import_portfolio(
    client: Client,
    portfolio_id: str,
    raw: RawPortfolio,
    validate_only: bool = False,
    progress: ProgressCallback = ignore_progress,
) -> pb.Portfolio:
    """Return the header of ``send_portfolio``."""
    return send_portfolio(client, portfolio_id, raw, validate_only, progress).portfolio


def send_portfolio(
    client: Client,
    portfolio_id: str,
    raw: RawPortfolio,
    validate_only: bool = False,
    progress: ProgressCallback = ignore_progress,
) -> pb.ImportPortfolioResponse:
    """Stream columns as they came; the server admits or quarantines every row. Importing equal content again is free.

    The answer holds the header, and the spellings of coded facts that were replaced by their code.

    Args:
        client: where to.
        portfolio_id: id of the portfolio.
        raw: unchecked columns under the names of the account schema.
        validate_only: check only, store nothing.
        progress: told the share of rows sent, then that the server checks them.

    Raises:
        CollectionsError: SCHEMA_MISMATCH naming the column at fault; ALREADY_EXISTS when the id holds other accounts.
    """
    row_count = int(raw.columns["account_id"].shape[0]) if "account_id" in raw.columns else 0
    header = pb.PortfolioHeader(
        portfolio_id=portfolio_id,
        as_of_date=write_date(raw.as_of_date),
        time_zone=raw.time_zone,
        currency_code=raw.currency_code,
        row_count=row_count,
        validate_only=validate_only,
        country_code=raw.country_code,
    )
    return client.portfolios.ImportPortfolio(_messages(header, raw, progress))


def _messages(header: pb.PortfolioHeader, raw: RawPortfolio, progress: ProgressCallback) -> Iterator[pb.ImportPortfolioRequest]:
    yield pb.ImportPortfolioRequest(header=header)
    sent = 0
    for chunk in encode_chunks(Columns(header.row_count, raw.columns, raw.present)):
        yield pb.ImportPortfolioRequest(chunk=chunk)
        sent += chunk.row_count
        progress(SolveProgress(f"sent {sent:,} of {header.row_count:,} rows", 0.9 * sent / max(header.row_count, 1)))
    progress(SolveProgress("the server checks every row", 0.9))


def quarantined(client: Client, portfolio_id: str) -> Iterator[pb.QuarantinedAccount]:
    """Yield why rows were refused, in row order, read a page at a time."""
    request = pb.ListQuarantinedAccountsRequest
    return pages(
        lambda token: client.portfolios.ListQuarantinedAccounts(
            request(portfolio_id=portfolio_id, page_size=MAX_PAGE_SIZE, page_token=token)
        ),
        lambda page: page.quarantined_accounts,
    )
