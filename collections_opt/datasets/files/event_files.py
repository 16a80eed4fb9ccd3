"""Events from a CSV file, one a row, by a mapping of its columns; faults are named by line and field."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from collections_opt.core.accounts.column_names import held_names
from collections_opt.core.codes.currencies import currency
from collections_opt.core.codes.zones import check_zone
from collections_opt.core.day.event_checks import FACTS, event_faults
from collections_opt.core.day.events import Event, EventKind
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse

FIELDS = ("event_id", "kind", "occurred_at", "account_id", "customer_id", *FACTS)
"""Fields of an event that a column may hold."""

MAX_FAULTS = 100
"""Faults that are named before a file is given up."""

_WHOLE = ("seconds", "hours_from", "hours_until", "days_past_due")
_MONEY = ("amount_minor", "balance_minor", "arrears_minor")
_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no")


@dataclass(frozen=True)
class EventMapping:
    """How a file's columns are read.

    Attributes:
        columns: the file's column by field; a field that is not here is read from the column of its own name, if there is one.
        constants: texts that hold for every row, by field, such as ``kind = "PAYMENT"``.
        time_zone: zone of instants that are written without an offset; "" refuses them.
        currency_code: where money is written in major units (12.34); "" reads whole minor units.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    time_zone: str = ""
    currency_code: str = ""


def read_events(path: Path, mapping: EventMapping, now: datetime) -> Iterator[Event]:
    """Yield the events of a file, checked as the service checks them.

    Raises:
        CollectionsError: NOT_FOUND for no file; SCHEMA_MISMATCH for columns that are missing or unknown; INVALID_ARGUMENT naming
            the faults by line and field, up to ``MAX_FAULTS``.
    """
    mapping = replace(mapping, columns={held_names([name])[name]: column for name, column in mapping.columns.items()})
    unknown = [name for name in (*mapping.columns, *mapping.constants) if name not in FIELDS]
    if unknown:
        raise refuse(
            Reason.SCHEMA_MISMATCH, f"mapping.{unknown[0]}", "is no field of events.", f"Use some of {', '.join(FIELDS)}."
        )
    zone = ZoneInfo(check_zone(mapping.time_zone)) if mapping.time_zone else None
    found: list[FieldViolation] = []
    for line, cells in _rows(path, mapping):
        path_of = f"line {line}"
        event = _event(cells, path_of, mapping, zone, found)
        if event is not None:
            found += event_faults(event, now, path_of)
        if len(found) >= MAX_FAULTS:
            break
        if event is not None and not found:
            yield event
    if found:
        told = f"{path.name}: {len(found)} fault(s): {found[0]}"
        raise CollectionsError(Reason.INVALID_ARGUMENT, told, tuple(found[:MAX_FAULTS]))


def _rows(path: Path, mapping: EventMapping) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            reader = csv.DictReader(text)
            names = list(reader.fieldnames or ())
            held = {short: name for name, short in held_names(names).items()}
            column_of = {name: mapping.columns.get(name, held.get(name, name)) for name in FIELDS}
            lacking = [column for column in mapping.columns.values() if column not in names]
            lacking += [
                n for n in ("event_id", "kind", "occurred_at") if column_of[n] not in names and n not in mapping.constants
            ]
            if lacking:
                raise refuse(Reason.SCHEMA_MISMATCH, path.name, f"has no column {lacking[0]!r}.", f"It has {', '.join(names)}.")
            for row in reader:
                cells = {name: (row.get(column) or "").strip() for name, column in column_of.items()}
                yield reader.line_num, {**cells, **mapping.constants}
    except (OSError, UnicodeDecodeError) as error:
        raise refuse(Reason.NOT_FOUND, path.name, f"cannot be read: {error}.", "Name a CSV file in UTF-8.") from error


def _event(
    cells: Mapping[str, str], path: str, mapping: EventMapping, zone: ZoneInfo | None, found: list[FieldViolation]
) -> Event | None:
    """Return the event of a row; None where a cell cannot be read, with its fault told."""
    values: dict[str, Any] = {}
    for name, cell in cells.items():
        if not cell:
            continue
        try:
            values[name] = _reader(name, mapping, zone)(cell)
        except (ValueError, InvalidOperation):
            found.append(
                FieldViolation(f"{path}.{name}", f"{cell[:40]!r} cannot be read.", _REMEDIES.get(name, "Correct the cell."))
            )
    missing = [name for name in ("kind", "occurred_at", "event_id") if not cells[name]]
    found.extend(FieldViolation(f"{path}.{name}", "is empty.", "Every event says it.") for name in missing)
    if any(violation.field.startswith(f"{path}.") for violation in found):
        return None
    return Event(**values)


def _reader(name: str, mapping: EventMapping, zone: ZoneInfo | None) -> Callable[[str], Any]:
    if name in _MONEY:
        return lambda cell: _minor(cell, mapping.currency_code)
    if name in _WHOLE:
        return int
    readers: dict[str, Callable[[str], Any]] = {
        "kind": lambda cell: EventKind(cell.upper()),
        "occurred_at": lambda cell: _instant(cell, zone),
        "due_date": date.fromisoformat,
        "is_set": _flag,
    }
    return readers.get(name, str)


def _minor(cell: str, currency_code: str) -> int:
    amount = Decimal(cell)
    minor = amount.scaleb(currency(currency_code).exponent) if currency_code else amount
    if minor != minor.to_integral_value():
        raise ValueError(cell)
    return int(minor)


def _instant(cell: str, zone: ZoneInfo | None) -> datetime:
    at = datetime.fromisoformat(cell)
    if at.tzinfo is None:
        if zone is None:
            raise ValueError(cell)
        at = at.replace(tzinfo=zone)
    return at.astimezone(UTC)


def _flag(cell: str) -> bool:
    if cell.lower() not in _TRUE + _FALSE:
        raise ValueError(cell)
    return cell.lower() in _TRUE


_REMEDIES = {
    "occurred_at": "Write 2026-11-26T10:15:00+01:00, or name time_zone in the mapping.",
    "kind": f"Use one of {', '.join(kind for kind in EventKind if kind is not EventKind.LEASE)}.",
    "due_date": "Write 2026-12-01.",
    "is_set": "Write true or false.",
    **dict.fromkeys(_MONEY, "Write whole minor units, or name currency_code in the mapping."),
}
