"""PortfolioService: portfolios imported as column chunks, shown with what was refused."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date

import numpy as np
from numpy.typing import NDArray

from collections_opt.api.v1 import portfolio_service_pb2 as pb
from collections_opt.application.rankings.books import Books, ImportedPortfolio
from collections_opt.application.rankings.rolling import Rolling
from collections_opt.application.records.deletions import DeletedPortfolio
from collections_opt.application.records.derivation import Derivation
from collections_opt.core.accounts.admission import Quarantine
from collections_opt.core.accounts.column_names import held_column, told_column, told_columns
from collections_opt.core.accounts.contradictions import Contradiction
from collections_opt.core.accounts.own_columns import OwnColumn
from collections_opt.core.accounts.portfolio import RawPortfolio
from collections_opt.core.accounts.row_faults import shown_cell
from collections_opt.core.actors import UNKNOWN, Actor
from collections_opt.core.codes.columns import NormalisedCode
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.limits import MAX_PAGE_SIZE
from collections_opt.core.listing import Term
from collections_opt.core.wanted import require_wanted
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.log.log import LogKind
from collections_opt.ledger.records import PortfolioRecord
from collections_opt.service.access.call import Call
from collections_opt.service.access.caller import read_actor
from collections_opt.service.converters.derivations import write_derivation
from collections_opt.service.servicers.file_imports import FileImports
from collections_opt.service.servicers.lists.filtering import DAY, TEXT, read_filter, read_order
from collections_opt.service.servicers.lists.listing import read_place, write_place
from collections_opt.service.servicers.lists.paging import read_page
from collections_opt.wire.actors import write_recorded_actor
from collections_opt.wire.byte_budget import ByteBudget, Held, Spool
from collections_opt.wire.columns import ColumnCollector
from collections_opt.wire.common import read_date, told_as, write_date, write_time
from collections_opt.wire.file_rows import FileRowsCollector
from collections_opt.wire.own_columns import check_names, known_columns, read_own_columns

_LOOK_AGAIN_SECONDS = 0.5
"""How often an import that waits for another looks whether its caller is still there."""

HEADS = {
    name: f"header.{name}"
    for name in ("portfolio_id", "time_zone", "currency_code", "country_code", "products", "retention_days")
}

_FILTERED = {"portfolio_id": TEXT, "as_of_date": DAY, "currency_code": TEXT}
_FINDINGS_FILTERED = {"field": TEXT, "rule": TEXT}
"""What lists of portfolios and of findings are filtered by."""


class PortfolioServicer:
    """Imports and shows portfolios."""

    def __init__(self, books: Books, ledger: Ledger, rolling: Rolling, budget: ByteBudget | None = None) -> None:
        self._books = books
        self._rolling = rolling
        self._ledger = ledger
        self._budget = budget or ByteBudget()
        self._large = threading.Lock()
        self._files = FileImports(books, self._budget, self._alone)

    def import_portfolio(self, requests: Iterator[pb.ImportPortfolioRequest], context: Call) -> pb.ImportPortfolioResponse:
        """Read the header, then chunks, and import what they hold."""
        imported = self._imported(requests, read_actor(context), check_only=False)
        return pb.ImportPortfolioResponse(
            portfolio=self._written([imported.record])[0],
            normalised_codes=_write_codes(imported.normalised),
            contradictions=_write_contradictions(imported.contradictions),
        )

    def check_portfolio(self, requests: Iterator[pb.CheckPortfolioRequest], context: Call) -> Iterator[pb.CheckPortfolioResponse]:
        """Read what an import would, store nothing, and yield the header, then every finding."""
        imported = self._imported(requests, read_actor(context), check_only=True)
        yield pb.CheckPortfolioResponse(
            portfolio=write_portfolio(imported.record, UNKNOWN),
            normalised_codes=_write_codes(imported.normalised),
            contradictions=_write_contradictions(imported.contradictions),
        )
        for start in range(0, len(imported.quarantine.rule), MAX_PAGE_SIZE):
            shown = _write_findings(imported.quarantine, range(start, min(start + MAX_PAGE_SIZE, len(imported.quarantine.rule))))
            yield pb.CheckPortfolioResponse(findings=pb.QuarantinedAccounts(quarantined_accounts=shown))

    def draft_mapping(self, requests: Iterator[pb.DraftMappingRequest], _context: Call) -> pb.DraftMappingResponse:
        """Draft a mapping of a file."""
        return self._files.draft(requests)

    def import_file(self, requests: Iterator[pb.ImportFileRequest], context: Call) -> pb.ImportFileResponse:
        """Import a file by a mapping."""
        imported, reading, checked = self._files.read_and_import(requests, read_actor(context))
        return pb.ImportFileResponse(
            portfolio=write_portfolio(imported.record, UNKNOWN) if checked else self._written([imported.record])[0],
            findings=_write_findings(imported.quarantine, range(min(len(imported.quarantine.rule), MAX_PAGE_SIZE))),
            normalised_codes=_write_codes(imported.normalised),
            contradictions=_write_contradictions(imported.contradictions),
            file_row_count=reading.row_count,
            unread_columns=reading.ignored_columns,
            absent_columns=reading.absent_columns,
        )

    def _imported(
        self, requests: Iterator[pb.ImportPortfolioRequest] | Iterator[pb.CheckPortfolioRequest], actor: Actor, check_only: bool
    ) -> ImportedPortfolio:
        first = next(requests, None)
        if first is None or first.WhichOneof("content") != "header":
            raise refuse(Reason.INVALID_ARGUMENT, "header", "is missing.", "Send the header first.")
        header = first.header
        as_of_date = read_date(header.as_of_date, "header.as_of_date")
        own = read_own_columns(header.own_columns, as_of_date, "header.own_columns", header.source_columns)
        _check_sources(header, own)
        with self._budget.stream() as held, Spool() as spool:
            raw = _read_rows(header, as_of_date, own, requests, held, spool)
            with told_as(HEADS), self._alone(spool.used):
                return self._books.import_counted(
                    header.portfolio_id, raw, check_only or header.validate_only, actor, header.retention_days
                )

    @contextmanager
    def _alone(self, large: bool) -> Iterator[None]:
        """Let large imports be checked and stored one after another: each takes several times the memory of its columns."""
        while large and not self._large.acquire(timeout=_LOOK_AGAIN_SECONDS):
            require_wanted()
        try:
            yield
        finally:
            if large:
                self._large.release()

    def get_portfolio(self, request: pb.GetPortfolioRequest, _context: Call) -> pb.GetPortfolioResponse:
        """Return a header."""
        record = self._ledger.portfolios.get(request.portfolio_id)
        (shown,) = self._written([record])
        if (day := self._books.deletions.expires_on(record.portfolio_id)) is not None:
            shown.expire_date.CopyFrom(write_date(day))
        return pb.GetPortfolioResponse(portfolio=_with_derivation(shown, self._rolling.derivation(record.portfolio_id)))

    def list_portfolios(self, request: pb.ListPortfoliosRequest, _context: Call) -> pb.ListPortfoliosResponse:
        """Return a page of headers."""
        terms, order = read_filter(request.filter, _FILTERED), read_order(request.order_by, (*_FILTERED, "create_time"))
        page = read_page(f"portfolios/{terms}/{order}", request.page_size, request.page_token, "")
        after = read_place(page, (str, str))
        found, more = page.cut(self._ledger.portfolios.listed(terms, order, after, page.size + 1))
        token = page.next_token(write_place(found[-1][1])) if more else ""
        return pb.ListPortfoliosResponse(portfolios=self._written([record for record, _ in found]), next_page_token=token)

    def list_quarantined_accounts(
        self, request: pb.ListQuarantinedAccountsRequest, _context: Call
    ) -> pb.ListQuarantinedAccountsResponse:
        """Return a page of findings."""
        terms = read_filter(request.filter, _FINDINGS_FILTERED)
        page = read_page(f"quarantine/{request.portfolio_id}/{terms}", request.page_size, request.page_token, 0)
        found = self._books.quarantine(request.portfolio_id)
        rows = _rows_of(found, terms)
        part = rows[page.after : page.after + page.size]
        shown = _write_findings(found, part.tolist())
        after = page.after + page.size
        return pb.ListQuarantinedAccountsResponse(
            quarantined_accounts=shown, next_page_token=page.next_token(after) if after < rows.size else ""
        )

    def roll_forward(self, request: pb.RollForwardRequest, context: Call) -> pb.RollForwardResponse:
        """Return the portfolio of a later day."""
        actor = read_actor(context)
        record, derivation = self._rolling.roll_forward(
            request.portfolio_id,
            read_date(request.as_of_date, "as_of_date"),
            request.rolled_portfolio_id,
            request.events_are_complete,
            actor,
            request.validate_only,
        )
        shown = write_portfolio(record, UNKNOWN) if request.validate_only else self._written([record])[0]
        return pb.RollForwardResponse(portfolio=_with_derivation(shown, derivation))

    def delete_portfolio(self, request: pb.DeletePortfolioRequest, context: Call) -> pb.DeletePortfolioResponse:
        """Delete a portfolio."""
        actor = read_actor(context)
        done = self._books.deletions.delete(request.portfolio_id, request.reason, actor, request.validate_only)
        return pb.DeletePortfolioResponse(deleted=_write_deleted(done))

    def expire_portfolios(self, request: pb.ExpirePortfoliosRequest, context: Call) -> pb.ExpirePortfoliosResponse:
        """Delete the portfolios whose retention has ended."""
        done = self._books.deletions.delete_expired(request.reason, read_actor(context), request.validate_only)
        return pb.ExpirePortfoliosResponse(portfolios=[_write_deleted(one) for one in done])

    def _written(self, records: Sequence[PortfolioRecord]) -> list[pb.Portfolio]:
        actors = self._ledger.logged_rows.actors(LogKind.PORTFOLIO, [record.portfolio_id for record in records])
        return [write_portfolio(record, actors.get(record.portfolio_id, UNKNOWN)) for record in records]


def _write_deleted(done: DeletedPortfolio) -> pb.DeletedPortfolio:
    return pb.DeletedPortfolio(
        portfolio_id=done.portfolio_id, row_count=done.row_count, position=done.position, kept_because=done.kept_because
    )


def _with_derivation(portfolio: pb.Portfolio, derivation: Derivation | None) -> pb.Portfolio:
    told = write_derivation(derivation)
    if told is not None:
        portfolio.derived_from.CopyFrom(told)
    return portfolio


def _read_rows(
    header: pb.PortfolioHeader,
    as_of_date: date,
    own: tuple[OwnColumn, ...],
    requests: Iterator[pb.ImportPortfolioRequest] | Iterator[pb.CheckPortfolioRequest],
    held: Held,
    spool: Spool,
) -> RawPortfolio:
    """Return what the chunks of a stream hold, with where its rows stand in a file and what is wrong with them."""
    known = known_columns(own)
    collector = ColumnCollector(header.row_count, compact=True, hold=held.add, spool=spool, let_go=held.spool)
    file_rows = FileRowsCollector(known, held.add)
    for request in requests:
        content = request.WhichOneof("content")
        if content == "chunk":
            check_names(request.chunk, known)
            collector.add(request.chunk)
            file_rows.chunk(request.chunk.row_count)
        elif content == "file_rows":
            file_rows.add(request.file_rows)
        else:
            problem = "Send nothing but chunks, and file_rows after a chunk, after the header."
            raise refuse(Reason.INVALID_ARGUMENT, "chunk", "is missing.", problem)
    columns = collector.columns(held_column)
    return RawPortfolio(
        as_of_date,
        header.time_zone,
        header.currency_code,
        columns.values,
        columns.present,
        country_code=header.country_code,
        lines=file_rows.lines(),
        faults=file_rows.faults(),
        sources={held_column(name): shown_cell(source) for name, source in header.source_columns.items()},
        products=tuple(header.products),
        own=own,
    )


def _check_sources(header: pb.PortfolioHeader, own: tuple[OwnColumn, ...]) -> None:
    known = known_columns(own)
    unknown = [name for name in header.source_columns if name not in known]
    if unknown:
        problem = f"{unknown[0][:40]!r} is not a column of the account schema."
        raise refuse(Reason.INVALID_ARGUMENT, "header.source_columns", problem, f"Use some of {', '.join(told_columns())}.")


def _write_codes(normalised: Sequence[NormalisedCode]) -> list[pb.NormalisedCode]:
    return [pb.NormalisedCode(field=told_column(n.field), text=n.text, code=n.code, row_count=n.count) for n in normalised]


def _write_contradictions(found: Sequence[Contradiction]) -> list[pb.Contradiction]:
    return [pb.Contradiction(**{**vars(one), "field": told_column(one.field)}) for one in found]


def _write_findings(found: Quarantine, rows: Iterable[int]) -> list[pb.QuarantinedAccount]:
    """Return a page of findings."""
    return [
        pb.QuarantinedAccount(
            row=int(found.row[n]),
            line=int(found.line[n]),
            account_id=found.account_id[n],
            field=told_column(found.field[n]),
            column=found.column[n],
            value=found.value[n],
            rule=found.rule[n],
            remedy=found.remedy[n],
        )
        for n in rows
    ]


def _rows_of(found: Quarantine, terms: Sequence[Term]) -> NDArray[np.intp]:
    """Return the findings that meet all terms, in row order."""
    wanted = np.ones(len(found.rule), dtype=bool)
    for term in terms:
        cells = map(told_column, found.field) if term.name == "field" else getattr(found, term.name)
        wanted &= np.array(list(cells), dtype=object) == term.value
    return np.flatnonzero(wanted)


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
