"""Send a portfolio in packed columns, and read why rows were refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from collections_opt.api.v1 import portfolio_service_pb2 as pb
from collections_opt.client.client import Client
from collections_opt.client.listings import pages
from collections_opt.core.accounts.column_names import told_column
from collections_opt.core.accounts.portfolio import RawPortfolio
from collections_opt.core.limits import MAX_PAGE_SIZE
from collections_opt.core.problem.assignment import ProgressCallback, SolveProgress, ignore_progress
from collections_opt.wire.columns import Columns, encode_chunks, told_rows
from collections_opt.wire.common import write_date
from collections_opt.wire.file_rows import encode_file_rows
from collections_opt.wire.own_columns import write_own_columns

_SOURCE_CHARACTERS = 200
_FILE_PART_BYTES = 2**20


@dataclass(frozen=True)
class PortfolioParts:
    """A portfolio too large to hold: its rows come in parts, made anew each time they are sent.

    Attributes:
        head: what the columns describe; its own rows are not read.
        row_count: rows of all parts.
        parts: gives the parts in order, all with the same columns.
    """

    head: RawPortfolio
    row_count: int
    parts: Callable[[], Iterable[RawPortfolio]]


@dataclass(frozen=True)
class CheckedPortfolio:
    """What an import would do.

    Attributes:
        portfolio: the header it would have.
        normalised_codes: spellings replaced by their codes.
        findings: every finding in row order.
        contradictions: facts about persons that their accounts state differently.
    """

    portfolio: pb.Portfolio
    normalised_codes: tuple[pb.NormalisedCode, ...]
    findings: tuple[pb.QuarantinedAccount, ...]
    contradictions: tuple[pb.Contradiction, ...] = ()


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
    raw: RawPortfolio | PortfolioParts,
    validate_only: bool = False,
    progress: ProgressCallback = ignore_progress,
) -> pb.ImportPortfolioResponse:
    """Stream columns as they came; the server admits or quarantines every row. Importing equal content again is free.

    The answer holds the header, and the spellings of coded facts that were replaced by their code.

    Args:
        client: where to.
        portfolio_id: id of the portfolio.
        raw: unchecked columns under the names of the account schema, money under its short ones too, whole or in parts; no more
            than one part is held.
        validate_only: check only, store nothing.
        progress: told the share of rows sent, then that the server checks them.

    Raises:
        CollectionsError: SCHEMA_MISMATCH naming the column at fault; ALREADY_EXISTS when the id holds other accounts.
    """
    request = pb.ImportPortfolioRequest
    messages = (request(**content) for content in _contents(portfolio_id, _parts(raw), validate_only, progress))
    return client.portfolios.ImportPortfolio(messages)


def check_portfolio(
    client: Client, portfolio_id: str, raw: RawPortfolio | PortfolioParts, progress: ProgressCallback = ignore_progress
) -> CheckedPortfolio:
    """Return what ``send_portfolio`` would do, with every finding; nothing is stored.

    Raises:
        CollectionsError: as ``send_portfolio``, but for ids that hold other accounts.
    """
    request = pb.CheckPortfolioRequest
    messages = (request(**content) for content in _contents(portfolio_id, _parts(raw), True, progress))
    answers = client.portfolios.CheckPortfolio(messages)
    first = next(answers)
    findings = tuple(one for answer in answers for one in answer.findings.quarantined_accounts)
    return CheckedPortfolio(first.portfolio, tuple(first.normalised_codes), findings, tuple(first.contradictions))


def _parts(raw: RawPortfolio | PortfolioParts) -> PortfolioParts:
    return raw if isinstance(raw, PortfolioParts) else PortfolioParts(raw, raw.row_count, lambda: [raw])


def _contents(
    portfolio_id: str, whole: PortfolioParts, validate_only: bool, progress: ProgressCallback
) -> Iterator[dict[str, Any]]:
    """Yield the content of every message of an import, by its name."""
    head, count = whole.head, whole.row_count
    yield {
        "header": pb.PortfolioHeader(
            portfolio_id=portfolio_id,
            as_of_date=write_date(head.as_of_date),
            time_zone=head.time_zone,
            currency_code=head.currency_code,
            row_count=count,
            validate_only=validate_only,
            country_code=head.country_code,
            source_columns={told_column(name): source[:_SOURCE_CHARACTERS] for name, source in head.sources.items()},
            own_columns=write_own_columns(head.own),
            products=head.products or (),
        )
    }
    sent = 0
    for part in whole.parts():
        start = 0
        for chunk in encode_chunks(told_rows(Columns(part.row_count, part.columns, part.present))):
            stop = start + chunk.row_count
            yield {"chunk": chunk}
            lines = None if part.lines is None else part.lines[start:stop]
            for rows in encode_file_rows(lines, part.faults.between(start, stop)):
                yield {"file_rows": rows}
            start = stop
        sent += part.row_count
        progress(SolveProgress(f"sent {sent:,} of {count:,} rows", 0.9 * sent / max(count, 1)))
    progress(SolveProgress("the server checks every row", 0.9))


def roll_forward(
    client: Client, portfolio_id: str, as_of_date: date, rolled_portfolio_id: str = "", events_are_complete: bool = False
) -> pb.Portfolio:
    """Make the portfolio of a later day from an imported one and all events since; the same again is stored once.

    Args:
        client: an open connection.
        portfolio_id: an imported portfolio, or one that was rolled forward from it.
        as_of_date: the day.
        rolled_portfolio_id: id of what is made; "" takes the imported one's with the day.
        events_are_complete: every contact, flag and choice since the import was told; else these facts age.

    Raises:
        CollectionsError: NOT_FOUND; INVALID_ARGUMENT for a day that events do not reach; ALREADY_EXISTS where the id holds
            other accounts.
    """
    request = pb.RollForwardRequest(
        portfolio_id=portfolio_id,
        as_of_date=write_date(as_of_date),
        rolled_portfolio_id=rolled_portfolio_id,
        events_are_complete=events_are_complete,
    )
    return client.portfolios.RollForward(request).portfolio


def quarantined(client: Client, portfolio_id: str) -> Iterator[pb.QuarantinedAccount]:
    """Yield why rows were refused, in row order, read a page at a time."""
    request = pb.ListQuarantinedAccountsRequest
    return pages(
        lambda token: client.portfolios.ListQuarantinedAccounts(
            request(portfolio_id=portfolio_id, page_size=MAX_PAGE_SIZE, page_token=token)
        ),
        lambda page: page.quarantined_accounts,
    )


def draft_mapping(client: Client, content: bytes, header: pb.DraftMappingHeader) -> pb.DraftMappingResponse:
    """Return a mapping of a file as far as it can be told, to be read and corrected by a person; nothing is stored.

    Args:
        client: where to.
        content: the file, 64 MiB at most.
        header: its name, and what is known about it.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a file that cannot be read; LIMIT_EXCEEDED.
    """
    request = pb.DraftMappingRequest

    def messages() -> Iterator[pb.DraftMappingRequest]:
        yield request(header=header)
        yield from (request(part=part) for part in _file_parts(content))

    return client.portfolios.DraftMapping(messages())


def import_file(
    client: Client, content: bytes, header: pb.ImportFileHeader, as_of_date: date | None = None
) -> pb.ImportFileResponse:
    """Import a file by the mapping in its header, or check what that would do; ``as_of_date`` goes before the mapping's.

    Raises:
        CollectionsError: INVALID_ARGUMENT, SCHEMA_MISMATCH or MIXED_CURRENCIES for what file and mapping lack; LIMIT_EXCEEDED;
            ALREADY_EXISTS when the id holds other accounts.
    """
    request = pb.ImportFileRequest
    head = pb.ImportFileHeader()
    head.CopyFrom(header)
    if as_of_date is not None:
        head.as_of_date.CopyFrom(write_date(as_of_date))

    def messages() -> Iterator[pb.ImportFileRequest]:
        yield request(header=head)
        yield from (request(part=part) for part in _file_parts(content))

    return client.portfolios.ImportFile(messages())


def _file_parts(content: bytes) -> Iterator[bytes]:
    return (content[start : start + _FILE_PART_BYTES] for start in range(0, len(content), _FILE_PART_BYTES))
