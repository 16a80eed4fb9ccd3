"""Which column of a lender's file feeds which column of the account schema, and how; read from TOML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from collections_opt.core.errors import CollectionsError, FieldViolation, Reason
from collections_opt.core.schema import ACCOUNT_SCHEMA, ColumnKind


class Reading(StrEnum):
    """How a source becomes a value."""

    VALUE = "VALUE"
    """As it is, times ``scale`` for numbers."""
    DAYS_SINCE = "DAYS_SINCE"
    """Days from a date in the file to the as-of date (past due since)."""
    DAYS_UNTIL = "DAYS_UNTIL"
    """Days from the as-of date to a date in the file (charge-off date)."""
    MONTHS_SINCE = "MONTHS_SINCE"
    """Whole calendar months from a date in the file to the as-of date (origination)."""
    MISSED_MINIMUM_PAYMENTS = "MISSED_MINIMUM_PAYMENTS"
    """Arrears estimated from two sources, balance and months past due; for files that do not carry arrears."""


DATE_READINGS = (Reading.DAYS_SINCE, Reading.DAYS_UNTIL, Reading.MONTHS_SINCE)


@dataclass(frozen=True)
class ColumnMapping:
    """Where one schema column comes from: ``source``, ``sources`` (histories and estimates) or ``constant``.

    Attributes:
        source: column of the file.
        sources: columns of the file: a history's months, latest first; or balance and months past due of an estimate.
        constant: the same value for every account.
        reading: how a source becomes a value.
        scale: number by which a number is multiplied: 100 for money in major units, 30 for months to days.
        share: minimum payment as a share of the balance, of MISSED_MINIMUM_PAYMENTS.
        prefix: put before a text.
        width: pad a text with zeros to this many characters, before the prefix.
        values: replaces the file's codes; a code that is not listed is refused.
        missing: texts that mean "no value", beside an empty cell.
        date_format: strptime format of dates that come as text.
    """

    source: str = ""
    sources: tuple[str, ...] = ()
    constant: str | int | float | bool | None = None
    reading: Reading = Reading.VALUE
    scale: float = 1.0
    share: float = 0.0
    prefix: str = ""
    width: int = 0
    values: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    date_format: str = "%Y-%m-%d"

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the file's columns that this mapping reads."""
        return self.sources or ((self.source,) if self.source else ())


@dataclass(frozen=True)
class RowFilter:
    """Keep the rows whose number in ``source`` lies within the bounds; a missing number is not kept."""

    source: str
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True)
class CsvFormat:
    """How a CSV file is written; ``column_names`` are given for files without a header line."""

    delimiter: str = ","
    decimal_point: str = "."
    encoding: str = "utf8"
    column_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileMapping:
    """A lender's file in terms of the account schema.

    Attributes:
        name: of the mapping, for people.
        time_zone: IANA name of the lender's zone.
        currency_code: ISO 4217 code of every money column.
        columns: by schema column.
        as_of_date: the day the file describes; may be given when reading instead.
        keep: rows must pass all of these.
        csv: for CSV files.
        country_code: ISO 3166-1 alpha-2 country that states written alone (``MA``) belong to.
    """

    name: str
    time_zone: str
    currency_code: str
    columns: Mapping[str, ColumnMapping]
    as_of_date: date | None = None
    keep: tuple[RowFilter, ...] = ()
    csv: CsvFormat = field(default_factory=CsvFormat)
    country_code: str = ""


def check_mapping(mapping: FileMapping) -> None:
    """Refuse a mapping that could not be meant.

    Raises:
        CollectionsError: SCHEMA_MISMATCH with every field at fault and its remedy.
    """
    found = [
        FieldViolation(name, "is required and the mapping does not have it.", f"Map or set it: {column.meaning}")
        for name, column in ACCOUNT_SCHEMA.items()
        if column.required and name not in mapping.columns
    ]
    for name, column in mapping.columns.items():
        problem = _problem(name, column) or _csv_problem(name, column, mapping.csv)
        if problem:
            found.append(FieldViolation(f"columns.{name}", *problem))
    if found:
        message = f"Mapping {mapping.name!r} has {len(found)} field(s) at fault."
        raise CollectionsError(Reason.SCHEMA_MISMATCH, message, tuple(found))


def _problem(name: str, column: ColumnMapping) -> tuple[str, str] | None:
    target = ACCOUNT_SCHEMA.get(name)
    if target is None:
        return "is not a column of the account schema.", f"Use one of: {', '.join(ACCOUNT_SCHEMA)}."
    if sum((bool(column.source), bool(column.sources), column.constant is not None)) != 1:
        return "needs exactly one of source, sources and constant.", "Keep one."
    estimate = column.reading is Reading.MISSED_MINIMUM_PAYMENTS
    if estimate and not (len(column.sources) == 2 and 0 < column.share <= 1 and name == "arrears_minor"):
        return (
            "cannot be estimated so.",
            "Estimate arrears_minor from sources = [balance, months past due] and a share in (0, 1].",
        )
    if target.is_history != bool(column.sources) and not estimate:
        return "a history takes sources, latest first; anything else takes source or constant.", "Use the other key."
    if column.reading in DATE_READINGS and target.kind is not ColumnKind.COUNT:
        return f"holds {target.kind}, which {column.reading} does not give.", "Read dates into columns that count days or months."
    return None


def _csv_problem(name: str, column: ColumnMapping, csv: CsvFormat) -> tuple[str, str] | None:
    if column.missing and csv.decimal_point != "." and ACCOUNT_SCHEMA[name].kind not in (ColumnKind.TEXT, ColumnKind.FLAG):
        return "cannot have texts for missing numbers with another decimal point.", "Leave such cells empty in the CSV."
    return None
