"""PortfolioService: portfolios imported as column chunks, shown with what was refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import grpc

from collections_opt.api.v1 import columns_pb2
from collections_opt.api.v1 import portfolio_service_pb2 as pb
from collections_opt.application.books import Books
from collections_opt.core.actors import UNKNOWN, Actor
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.portfolio import RawPortfolio
from collections_opt.core.schema import ACCOUNT_SCHEMA
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.log import LogKind
from collections_opt.ledger.records import PortfolioRecord
from collections_opt.service.caller import read_actor
from collections_opt.service.paging import read_page
from collections_opt.wire.actors import write_recorded_actor
from collections_opt.wire.columns import ColumnCollector
from collections_opt.wire.common import read_date, told_as, write_date, write_time

HEADS = {name: f"header.{name}" for name in ("portfolio_id", "time_zone", "currency_code", "country_code")}


class PortfolioServicer:
    """Imports and shows portfolios."""

    def __init__(self, books: Books, ledger: Ledger) -> None:
        self._books = books
        self._ledger = ledger

    def import_portfolio(
        self, requests: Iterator[pb.ImportPortfolioRequest], context: grpc.ServicerContext
    ) -> pb.ImportPortfolioResponse:
        """Read the header, then chunks, and import what they hold."""
        actor = read_actor(context)
        first = next(requests, None)
        if first is None or first.WhichOneof("content") != "header":
            raise refuse(Reason.INVALID_ARGUMENT, "header", "is missing.", "Send the header first.")
        header = first.header
        as_of_date = read_date(header.as_of_date, "header.as_of_date")
        collector = ColumnCollector(header.row_count)
        for request in requests:
            if request.WhichOneof("content") != "chunk":
                raise refuse(Reason.INVALID_ARGUMENT, "chunk", "is missing.", "Send nothing but chunks after the header.")
            _check_names(request.chunk)
            collector.add(request.chunk)
        columns = collector.columns()
        raw = RawPortfolio(
            as_of_date, header.time_zone, header.currency_code, columns.values, columns.present, header.country_code
        )
        with told_as(HEADS):
            imported = self._books.import_counted(header.portfolio_id, raw, header.validate_only, actor)
        codes = [pb.NormalisedCode(field=n.field, text=n.text, code=n.code, row_count=n.count) for n in imported.normalised]
        return pb.ImportPortfolioResponse(portfolio=self._written([imported.record])[0], normalised_codes=codes)

    def get_portfolio(self, request: pb.GetPortfolioRequest, _context: grpc.ServicerContext) -> pb.GetPortfolioResponse:
        """Return a header."""
        record = self._ledger.portfolio(request.portfolio_id)
        return pb.GetPortfolioResponse(portfolio=self._written([record])[0])

    def list_portfolios(self, request: pb.ListPortfoliosRequest, _context: grpc.ServicerContext) -> pb.ListPortfoliosResponse:
        """Return a page of headers."""
        page = read_page("portfolios", request.page_size, request.page_token, "")
        records, more = page.cut(self._ledger.portfolios_after(page.after, page.size + 1))
        token = page.next_token(records[-1].portfolio_id) if more else ""
        return pb.ListPortfoliosResponse(portfolios=self._written(records), next_page_token=token)

    def list_quarantined_accounts(
        self, request: pb.ListQuarantinedAccountsRequest, _context: grpc.ServicerContext
    ) -> pb.ListQuarantinedAccountsResponse:
        """Return a page of findings."""
        page = read_page(f"quarantine/{request.portfolio_id}", request.page_size, request.page_token, 0)
        found = self._books.quarantine(request.portfolio_id)
        part = slice(page.after, page.after + page.size)
        columns = (found.row[part].tolist(), found.account_id[part], found.field[part], found.value[part])
        rows = zip(*columns, found.rule[part], found.remedy[part], strict=True)
        shown = [
            pb.QuarantinedAccount(row=row, account_id=account_id, field=field, value=value, rule=rule, remedy=remedy)
            for row, account_id, field, value, rule, remedy in rows
        ]
        token = page.next_token(part.stop) if part.stop < len(found.rule) else ""
        return pb.ListQuarantinedAccountsResponse(quarantined_accounts=shown, next_page_token=token)

    def _written(self, records: Sequence[PortfolioRecord]) -> list[pb.Portfolio]:
        actors = self._ledger.actors(LogKind.PORTFOLIO, [record.portfolio_id for record in records])
        return [write_portfolio(record, actors.get(record.portfolio_id, UNKNOWN)) for record in records]


def _check_names(chunk: columns_pb2.ColumnChunk) -> None:
    """Refuse a column that no account has with the chunk that brings it, not after the last."""
    for index, column in enumerate(chunk.columns):
        if column.name and column.name not in ACCOUNT_SCHEMA:
            raise refuse(
                Reason.SCHEMA_MISMATCH,
                f"chunk.columns[{index}].name",
                f"{column.name[:40]!r} is not a column of the account schema.",
                f"Use some of {', '.join(ACCOUNT_SCHEMA)}.",
            )


def write_portfolio(record: PortfolioRecord, actor: Actor) -> pb.Portfolio:
    """Return a portfolio's header, and who imported it, as a message."""
    return pb.Portfolio(
        portfolio_id=record.portfolio_id,
        as_of_date=write_date(record.as_of_date),
        time_zone=record.time_zone,
        currency_code=record.currency_code,
        row_count=record.row_count,
        accepted_count=record.accepted_count,
        quarantined_count=record.quarantined_count,
        digest=record.digest,
        create_time=write_time(record.created_at),
        imported_by=write_recorded_actor(actor),
    )
