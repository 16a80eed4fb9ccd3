"""The door: every row is either accepted into the portfolio or quarantined with its reasons. Nothing is lost."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.cells import INT64_LIMIT, checked_bytes, encoded_text, shortened, sound_columns
from collections_opt.core.accounts.coded_facts import read_coded_facts, remedy_of
from collections_opt.core.accounts.own_columns import check_declared, own_columns
from collections_opt.core.accounts.portfolio import Portfolio, RawPortfolio, no_cells
from collections_opt.core.accounts.row_faults import shown_cell
from collections_opt.core.accounts.schema import ACCOUNT_SCHEMA, Column, ColumnKind
from collections_opt.core.arrays import Array
from collections_opt.core.codes.columns import NormalisedCode
from collections_opt.core.codes.currencies import check_currency
from collections_opt.core.codes.places import check_country
from collections_opt.core.codes.zones import check_zone
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.limits import MAX_ACCOUNT_ID_BYTES, MAX_ACCOUNTS_PER_PORTFOLIO, MAX_HISTORY_MONTHS
from collections_opt.core.names import list_violations


@dataclass(frozen=True)
class Quarantine:
    """Why rows were refused, one entry per (row, rule); parallel tuples of plain values.

    Attributes:
        row: int64 (k,) 0-based row of the import.
        account_id: the raw id, shortened.
        field: schema column at fault; "" for a whole row.
        value: the offending value, shortened, for people.
        rule: stable code (REQUIRED, NOT_FINITE, OUT_OF_RANGE, DUPLICATE_CONFLICT, DUPLICATE_COLLAPSED, NOT_A_NUMBER, ...).
        remedy: what the sender should do.
        line: int64 (k,) line of the sender's file; 0 where the rows came from none.
        column: the sender's own name of the column; "" where it is not known.
    """

    row: NDArray[np.int64]
    account_id: tuple[str, ...]
    field: tuple[str, ...]
    value: tuple[str, ...]
    rule: tuple[str, ...]
    remedy: tuple[str, ...]
    line: NDArray[np.int64] = dataclasses.field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    column: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.line.size != self.row.size:  # recorded before lines were
            object.__setattr__(self, "line", np.zeros(self.row.size, dtype=np.int64))
            object.__setattr__(self, "column", ("",) * self.row.size)

    @property
    def row_count(self) -> int:
        """Number of distinct rows refused."""
        return int(np.unique(self.row).size)

    def count_by_rule(self) -> dict[str, int]:
        """Return the number of findings per rule, by name of the rule."""
        names, counts = np.unique(np.array(self.rule, dtype=object).astype(str), return_counts=True)
        return {str(name): int(count) for name, count in zip(names, counts, strict=True)}


NO_QUARANTINE = Quarantine(np.zeros(0, dtype=np.int64), (), (), (), (), ())
"""Where no row was refused."""


@dataclass(frozen=True)
class Admission:
    """What came through the door and what did not; ``row_count = accepted + quarantined`` always.

    ``normalised`` counts the spellings of coded facts that were replaced by their code, over all rows that came in.
    """

    portfolio: Portfolio
    quarantine: Quarantine
    row_count: int
    normalised: tuple[NormalisedCode, ...] = ()


class _Findings:
    """Collects findings column by column, after what the reader found; strings are made for refused rows only."""

    def __init__(self, raw: RawPortfolio, row_count: int) -> None:
        self.refused: NDArray[np.bool_] = np.zeros(row_count, dtype=bool)
        self._raw = raw
        self._ids = raw.columns["account_id"]
        self._has_id = raw.present.get("account_id", np.ones(row_count, dtype=bool))
        self._entries: list[tuple[int, str, str, str, str, str, str]] = []
        self._told: dict[str, NDArray[np.bool_]] = {}
        faults = raw.faults
        self.refused[faults.row] = True
        texts = (faults.field, faults.column, faults.value, faults.rule, faults.remedy)
        for row, at, source, value, rule, remedy in zip(faults.row.tolist(), *texts, strict=True):
            self._entries.append((row, self._id(row), at, value, rule, remedy, source))
            if at not in self._told:
                self._told[at] = np.zeros(row_count, dtype=bool)
            self._told[at][row] = True

    def already_told(self, name: str) -> NDArray[np.bool_]:
        """Return the rows whose cell in a column, or which as a whole, the reader found at fault, bool (n,)."""
        nowhere = np.zeros(self.refused.size, dtype=bool)
        return np.asarray(self._told.get(name, nowhere) | self._told.get("", nowhere), dtype=bool)

    def add(self, mask: NDArray[np.bool_], name: str, rule: str, remedy: str, shown: Array) -> None:
        """Refuse the rows of ``mask``; only refused rows (few) become Python objects."""
        if not mask.any():
            return
        rows = np.flatnonzero(mask)
        self.refused[rows] = True
        source = self._raw.sources.get(name, "")
        self._entries.extend((r, self._id(r), name, shown_cell(shown[r]), rule, remedy, source) for r in rows.tolist())

    def _id(self, row: int) -> str:
        return shown_cell(self._ids[row]) if self._has_id[row] else ""

    def quarantine(self) -> Quarantine:
        """Return all findings in row order."""
        self._entries.sort(key=lambda entry: entry[0])
        row, ids, fields, values, rules, remedies, sources = zip(*self._entries, strict=True) if self._entries else ((),) * 7
        rows = np.array(row, dtype=np.int64)
        lines = np.zeros(rows.size, dtype=np.int64) if self._raw.lines is None else self._raw.lines[rows]
        return Quarantine(rows, ids, fields, values, rules, remedies, lines, sources)


def admit(raw: RawPortfolio) -> Admission:
    """Check every row once and return the accepted accounts, sorted by id, beside the quarantined rows.

    Raises:
        CollectionsError: SCHEMA_MISMATCH when a required column is missing, a column is unknown or of another shape or type;
            INVALID_ARGUMENT for an unknown time zone or currency; LIMIT_EXCEEDED for too many rows or months; ``check_declared``.
    """
    row_count = _check_frame(raw)
    findings = _Findings(raw, row_count)
    columns: dict[str, Array] = {}
    present: dict[str, NDArray[np.bool_]] = {}
    sound = sound_columns(raw, row_count)
    for name, column in _schema_of(raw).items():
        if column.held_if_sent and name not in raw.columns:
            continue
        columns[name], present[name] = sound.get(name) or _check_column(raw, column, row_count, findings)
    normalised = _check_codes(raw, columns, present, findings)
    _check_duplicates(columns, present, findings)
    kept: NDArray[np.int64] | slice = _kept(findings.refused, columns["account_id"])
    count = row_count if isinstance(kept, slice) else kept.size
    own = own_columns(raw.own, *({one.field: cells[one.field][kept] for one in raw.own} for cells in (columns, present)))
    held = [column for column in ACCOUNT_SCHEMA.values() if column.name in raw.columns or not column.held_if_sent]
    accepted: dict[str, tuple[Array, NDArray[np.bool_]]] = {}
    for column in held:  # each is let go of as soon as it is taken over: there need not be room for all of them twice
        cells, where = columns.pop(column.name), present.pop(column.name)
        sent = column.name in raw.columns
        accepted[column.name] = (shortened(cells[kept]), where[kept]) if sent else no_cells(column, count)
        del cells, where
    values, masks = ({name: pair[index] for name, pair in accepted.items()} for index in (0, 1))
    place = (raw.as_of_date, raw.time_zone, raw.currency_code)
    return Admission(Portfolio(*place, values, masks, own), findings.quarantine(), row_count, normalised)


def _kept(refused: NDArray[np.bool_], account_id: Array) -> NDArray[np.int64] | slice:
    """Return the rows that were let in, in the order of their ids; all of them as they are, where nothing is to be copied."""
    kept = np.flatnonzero(~refused)
    kept = kept[np.argsort(account_id[kept], kind="stable")]
    as_they_are = kept.size == refused.size and bool((kept[1:] > kept[:-1]).all())
    return slice(None) if as_they_are else kept


def _schema_of(raw: RawPortfolio) -> Mapping[str, Column]:
    """Return the columns of the account schema and those that the sender declares, by name."""
    if not raw.own:
        return ACCOUNT_SCHEMA
    return {**ACCOUNT_SCHEMA, **{one.field: one.column for one in raw.own}}


def _check_frame(raw: RawPortfolio) -> int:
    check_declared(raw.own, raw.as_of_date, raw.sources)
    schema, declared = _schema_of(raw), {one.field for one in raw.own}
    for name in raw.columns:
        if name not in schema:
            raise refuse(Reason.SCHEMA_MISMATCH, name, "is not a column of the account schema.", "Map, declare or drop it.")
    for column in schema.values():
        if (column.required or column.name in declared) and column.name not in raw.columns:
            raise refuse(Reason.SCHEMA_MISMATCH, column.name, "is required and missing.", f"Send it: {column.meaning}")
    check_zone(raw.time_zone)
    check_currency(raw.currency_code)
    check_country(raw.country_code)
    _check_products(raw.products)
    count = int(raw.columns["account_id"].shape[0])
    if count > MAX_ACCOUNTS_PER_PORTFOLIO:
        raise refuse(
            Reason.LIMIT_EXCEEDED,
            "accounts",
            f"{count} rows exceed {MAX_ACCOUNTS_PER_PORTFOLIO}.",
            "Split the portfolio.",
        )
    for name, values in raw.columns.items():
        _check_shape(schema[name], values, raw.present.get(name), count)
    _check_rows(raw, count)
    return count


def _check_products(declared: tuple[str, ...] | None) -> None:
    found = tuple(list_violations("products", declared or ()))
    if found:
        raise CollectionsError(Reason.INVALID_ARGUMENT, str(found[0]), found)


def _check_rows(raw: RawPortfolio, count: int) -> None:
    if raw.lines is not None and raw.lines.shape != (count,):
        raise refuse(Reason.SCHEMA_MISMATCH, "lines", f"are {raw.lines.shape}, not one per row.", "Send a line for every row.")
    rows = raw.faults.row
    if rows.size and not (int(rows.min()) >= 0 and int(rows.max()) < count):
        raise refuse(Reason.SCHEMA_MISMATCH, "faults", "name a row that is not there.", "Send faults of rows that were sent.")


def _check_shape(column: Column, values: Array, mask: NDArray[np.bool_] | None, count: int) -> None:
    expected = 2 if column.is_history else 1
    if values.ndim != expected or values.shape[0] != count:
        raise refuse(
            Reason.SCHEMA_MISMATCH,
            column.name,
            f"has shape {values.shape}, not {count} rows in {expected} dimension(s).",
        )
    if mask is not None and mask.shape != values.shape:
        raise refuse(Reason.SCHEMA_MISMATCH, column.name, f"has a presence mask of shape {mask.shape}, not {values.shape}.")
    if column.is_history and values.shape[1] > MAX_HISTORY_MONTHS:
        raise refuse(Reason.LIMIT_EXCEEDED, column.name, f"has {values.shape[1]} months, more than {MAX_HISTORY_MONTHS}.")
    allowed = {ColumnKind.TEXT: "OSU", ColumnKind.FLAG: "b"}.get(column.kind, "iuf")
    if values.dtype.kind not in allowed:
        raise refuse(
            Reason.SCHEMA_MISMATCH,
            column.name,
            f"has type {values.dtype}, which cannot hold {column.kind}.",
            "Send it in the schema's type.",
        )


def _check_column(raw: RawPortfolio, column: Column, count: int, findings: _Findings) -> tuple[Array, NDArray[np.bool_]]:
    if column.name not in raw.columns:
        return no_cells(column, count)
    values = raw.columns[column.name]
    given = raw.present.get(column.name)
    mask = np.ones(values.shape, dtype=bool) if given is None else np.array(given, dtype=bool)
    handlers: dict[ColumnKind, Callable[[Column, Array, NDArray[np.bool_], _Findings], Array]] = {
        ColumnKind.TEXT: _check_text,
        ColumnKind.FLAG: lambda _c, v, m, _f: np.asarray(v & m, dtype=bool),
    }
    checked = handlers.get(column.kind, _check_number)(column, values, mask, findings)
    if column.required:
        nothing = np.broadcast_to(np.array(""), mask.shape)  # what stands in a missing cell is nobody's value
        lacking = ~mask & ~findings.already_told(column.name)
        findings.add(lacking, column.name, "REQUIRED", f"Send a value: {column.meaning}", nothing)
    return checked, mask


def _rows(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(mask.any(axis=1) if mask.ndim == 2 else mask, dtype=bool)


def _check_number(column: Column, values: Array, mask: NDArray[np.bool_], findings: _Findings) -> Array:
    finite = np.isfinite(values) if values.dtype.kind == "f" else np.ones(values.shape, dtype=bool)
    findings.add(_rows(mask & ~finite), column.name, "NOT_FINITE", "Send a finite number, or mark the cell as missing.", values)
    usable = mask & finite
    low = -INT64_LIMIT if column.low is None else column.low
    high = INT64_LIMIT if column.high is None else column.high
    safe = np.where(usable, values, 0)
    outside = usable & ((safe < low) | (safe > high))
    findings.add(_rows(outside), column.name, "OUT_OF_RANGE", f"Allowed: {low:g} to {high:g}; check the unit.", values)
    safe = np.where(outside, 0, safe)
    if not column.is_integer:
        return safe.astype(np.float64)
    fractional = safe != np.trunc(safe)
    findings.add(_rows(fractional), column.name, "NOT_WHOLE", "Send whole numbers (money in minor units).", values)
    return safe.astype(np.int64)


def _check_text(column: Column, values: Array, mask: NDArray[np.bool_], findings: _Findings) -> Array:
    """Normalise to NFC UTF-8; NUL, invalid and overlong texts are refused (they would collide or hide in comparisons)."""
    if values.dtype.kind == "S":
        encoded, invalid, has_nul = checked_bytes(values, mask)
    else:
        encoded, invalid, has_nul = encoded_text(np.where(mask, values, ""))
    findings.add(mask & invalid, column.name, "NOT_UTF8", "Send valid Unicode text.", values)
    findings.add(mask & has_nul, column.name, "NUL_CHARACTER", "Remove the NUL character.", values)
    too_long = np.char.str_len(encoded) > MAX_ACCOUNT_ID_BYTES
    findings.add(mask & too_long, column.name, "TOO_LONG", f"At most {MAX_ACCOUNT_ID_BYTES} bytes in UTF-8.", values)
    if column.required:
        findings.add(mask & (np.char.str_len(encoded) == 0), column.name, "EMPTY", f"Send a value: {column.meaning}", values)
    return encoded.astype(f"S{MAX_ACCOUNT_ID_BYTES}") if too_long.any() else encoded


def _check_codes(
    raw: RawPortfolio, columns: dict[str, Array], present: dict[str, NDArray[np.bool_]], findings: _Findings
) -> tuple[NormalisedCode, ...]:
    """Put the coded facts of accounts on their closed vocabularies; what has no single reading is refused with what is near."""
    normalised: tuple[NormalisedCode, ...] = ()
    for name, coded in read_coded_facts(raw, columns, present).items():
        for close, rows in coded.unknown.items():
            findings.add(rows, name, "UNKNOWN_CODE", remedy_of(name, close), columns[name])
        columns[name] = coded.values
        normalised += coded.normalised
    return normalised


def _check_duplicates(columns: dict[str, Array], present: dict[str, NDArray[np.bool_]], findings: _Findings) -> None:
    """Collapse equal rows with one id (the first stays); refuse every row of an id whose contents differ."""
    live = np.flatnonzero(~findings.refused)
    if live.size < 2:
        return
    ids = columns["account_id"][live]
    order = np.argsort(ids, kind="stable")
    rows, ordered = live[order], ids[order]
    same_id = np.zeros(rows.size, dtype=bool)
    same_id[1:] = ordered[1:] == ordered[:-1]
    if not same_id.any():
        return
    later, earlier = rows[same_id], rows[np.flatnonzero(same_id) - 1]
    equal = np.ones(later.size, dtype=bool)
    for source in (columns, present):
        for column in source.values():
            cells = column[later] == column[earlier]
            equal &= cells.all(axis=1) if cells.ndim == 2 else cells
    group = np.cumsum(~same_id)
    conflicted = np.isin(group, group[same_id][~equal])
    conflict = np.zeros(findings.refused.size, dtype=bool)
    conflict[rows[conflicted]] = True
    collapsed = np.zeros(findings.refused.size, dtype=bool)
    collapsed[rows[same_id & ~conflicted]] = True
    shown = columns["account_id"]
    findings.add(conflict, "account_id", "DUPLICATE_CONFLICT", "Send one row per account; these rows differ.", shown)
    findings.add(collapsed, "account_id", "DUPLICATE_COLLAPSED", "Nothing: an equal row was accepted.", shown)
