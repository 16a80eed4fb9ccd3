"""Files of lenders over the wire: a mapping drafted from one, and one imported by a mapping."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any
from zoneinfo import available_timezones

from collections_opt.api.v1 import portfolio_service_pb2 as pb
from collections_opt.application.rankings.books import Books, ImportedPortfolio
from collections_opt.core.accounts.column_names import told_column
from collections_opt.core.actors import Actor
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse
from collections_opt.core.names import check_id
from collections_opt.datasets.files.drafting.looking import look
from collections_opt.datasets.files.drafting.styles import is_currency
from collections_opt.datasets.files.drafting.writing import Given, draft
from collections_opt.datasets.files.mappings import FileMapping
from collections_opt.datasets.files.opening.opened import SHEET_ENDINGS
from collections_opt.datasets.files.portfolio_files import FileReading, read_portfolio
from collections_opt.datasets.files.uploads import uploaded
from collections_opt.datasets.settings_files import parse_settings
from collections_opt.wire.byte_budget import ByteBudget
from collections_opt.wire.common import read_date

MAX_MAPPING_BYTES = 256 * 1024
LARGE_FILE_BYTES = 8 * 2**20
"""Larger files are read one after another: each takes several times its size."""

_MAPPING, _FILE = "header.mapping", "header.file_name"


class FileImports:
    """Drafts mappings of files and imports files.

    Args:
        books: imports what was read.
        budget: counts the bytes of all that comes in.
        alone: lets what is large be read and stored one after another.
    """

    def __init__(self, books: Books, budget: ByteBudget, alone: Callable[[bool], AbstractContextManager[None]]) -> None:
        self._books = books
        self._budget = budget
        self._alone = alone

    def draft(self, requests: Iterator[pb.DraftMappingRequest]) -> pb.DraftMappingResponse:
        """Return a mapping of a file as far as it can be told."""
        header = _header(requests)
        given = _given(header)
        with self._budget.stream() as held:
            try:
                with uploaded(header.file_name, _parts(requests, held.add)) as path, self._alone(_is_large(held.count)):
                    looked = look(path, header.sheet)
                    made = draft(looked, given)
            except CollectionsError as error:
                raise _told(error, header.file_name) from error
        columns = [
            pb.DraftedColumn(field=told_column(name), source_columns=one.sources, sureness=one.sureness, why=one.why)
            for name, one in made.guesses.columns.items()
        ]
        return pb.DraftMappingResponse(
            mapping=made.text,
            columns=columns,
            missing=made.corrections,
            row_count=looked.row_count,
            unread_columns=made.guesses.unread,
        )

    def read_and_import(
        self, requests: Iterator[pb.ImportFileRequest], actor: Actor
    ) -> tuple[ImportedPortfolio, FileReading, bool]:
        """Import a file; return what was imported, what was read, and whether it was only checked."""
        header = _header(requests)
        if len(header.mapping.encode()) > MAX_MAPPING_BYTES:
            raise refuse(Reason.LIMIT_EXCEEDED, _MAPPING, f"has more than {MAX_MAPPING_BYTES:,} bytes.", "Leave comments out.")
        day = read_date(header.as_of_date, "header.as_of_date") if header.HasField("as_of_date") else None
        with self._budget.stream() as held:
            try:
                mapping = parse_settings(header.mapping, FileMapping, "mapping")
                with uploaded(header.file_name, _parts(requests, held.add)) as path, self._alone(_is_large(held.count)):
                    reading = read_portfolio(path, mapping, day, header.allow_missing)
                    imported = self._books.import_counted(header.portfolio_id, reading.raw, header.validate_only, actor)
            except CollectionsError as error:
                raise _told(error, header.file_name) from error
        return imported, reading, header.validate_only


def _given(header: pb.DraftMappingHeader) -> Given:
    """Return what a person knows of a file.

    Raises:
        CollectionsError: INVALID_ARGUMENT for what is no zone, currency, product or sheet.
    """
    day = read_date(header.as_of_date, "header.as_of_date") if header.HasField("as_of_date") else None
    if header.time_zone and header.time_zone not in available_timezones():
        raise refuse(Reason.INVALID_ARGUMENT, "header.time_zone", "is no IANA time zone.", "Send one like America/Chicago.")
    if header.currency_code and not is_currency(header.currency_code):
        raise refuse(Reason.INVALID_ARGUMENT, "header.currency_code", "is no ISO 4217 code.", "Send one like USD.")
    if header.product:
        check_id("header.product", header.product)
    if header.sheet and not header.file_name.lower().endswith(SHEET_ENDINGS):
        raise refuse(Reason.INVALID_ARGUMENT, "header.sheet", "is named of a file that has none.", "Leave it out.")
    return Given(day, header.time_zone, header.currency_code, header.product)


def _is_large(count: int) -> bool:
    return count > LARGE_FILE_BYTES


def _header(requests: Iterator[Any]) -> Any:
    first = next(requests, None)
    if first is None or first.WhichOneof("content") != "header":
        raise refuse(Reason.INVALID_ARGUMENT, "header", "is missing.", "Send the header first.")
    return first.header


def _parts(requests: Iterator[Any], count: Callable[[int], None]) -> Iterator[bytes]:
    for request in requests:
        if request.WhichOneof("content") != "part":
            raise refuse(Reason.INVALID_ARGUMENT, "part", "is missing.", "Send nothing but bytes after the header.")
        count(len(request.part))
        yield request.part


def _told(error: CollectionsError, file_name: str) -> CollectionsError:
    """Return a refusal that names fields of the request: the file, the id, or else the mapping by which it was read."""

    def field(one: FieldViolation) -> FieldViolation:
        if one.field in (file_name, "file_name"):
            return replace(one, field=_FILE)
        if one.field == "portfolio_id":
            return replace(one, field="header.portfolio_id")
        if one.field.startswith(("header", "part", "import")):
            return one
        return replace(one, field=_MAPPING, description=f"{one.field}: {one.description}")

    return CollectionsError(error.reason, error.message, tuple(field(one) for one in error.violations))
