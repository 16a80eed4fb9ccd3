"""Which column of a lender's file feeds which column of the account schema, and how; read from TOML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from collections_opt.core.accounts.column_names import held_column
from collections_opt.core.accounts.own_columns import PREFIX, OwnColumn, OwnKind
from collections_opt.core.accounts.schema import ACCOUNT_SCHEMA, Column
from collections_opt.core.errors import Reason, refuse


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


ISO = "%Y-%m-%d"
EXCEL = "EXCEL"
EXCEL_1904 = "EXCEL_1904"
DATE_READINGS = (Reading.DAYS_SINCE, Reading.DAYS_UNTIL, Reading.MONTHS_SINCE)


class Rounding(StrEnum):
    """How a number with a fraction becomes whole, where the mapping says that it may."""

    HALF_UP = "HALF_UP"
    """To the nearest, halves away from zero."""
    HALF_EVEN = "HALF_EVEN"
    """To the nearest, halves to the even number."""
    DOWN = "DOWN"
    """Towards zero."""


class Unlisted(StrEnum):
    """What a code means that ``values`` does not list."""

    QUARANTINE = "QUARANTINE"
    """The row is at fault."""
    READ = "READ"
    """It is read as it stands: a column of numbers with a few codes among them."""


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
        values: replaces the file's codes; what is not listed goes by ``unlisted``.
        unlisted: what a code means that ``values`` does not list: QUARANTINE, or READ as it stands.
        missing: texts that mean "no value", beside an empty cell.
        date_format: strptime format of dates that come as text, or EXCEL (EXCEL_1904) for serial day numbers.
        date_formats: several of them, instead of ``date_format``; a date that two of them read differently is at fault.
        rounding: how a number with a fraction becomes whole; not given, such a cell is at fault.
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
    unlisted: Unlisted = Unlisted.QUARANTINE
    missing: tuple[str, ...] = ()
    date_format: str = ISO
    date_formats: tuple[str, ...] = ()
    rounding: Rounding | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the file's columns that this mapping reads."""
        return self.sources or ((self.source,) if self.source else ())

    @property
    def formats(self) -> tuple[str, ...]:
        """Return every date format of the column."""
        return self.date_formats or (self.date_format,)


@dataclass(frozen=True, kw_only=True)
class OwnMapping(ColumnMapping):
    """Where a column that the lender declares beside the schema comes from, and what it is, as ``OwnColumn``.

    ``known_as_of`` is a day of one file; without it the values are taken to be known on the file's own day.
    """

    kind: OwnKind
    meaning: str
    unit: str = ""
    known_as_of: date | None = None
    expected_sign: int = 0
    may_be_missing: bool = False

    def declared(self, name: str) -> OwnColumn:
        """Return the declaration under its name."""
        return OwnColumn(name, self.kind, self.meaning, self.unit, self.known_as_of, self.expected_sign, self.may_be_missing)


@dataclass(frozen=True)
class RowFilter:
    """Keep the rows whose cell in ``source`` passes; the others are out, and counted.

    Attributes:
        source: column of the file.
        at_least: smallest number kept; a missing number is not kept.
        at_most: largest number kept; a missing number is not kept.
        one_of: texts kept, exactly as they stand.
        none_of: texts not kept.
    """

    source: str
    at_least: float | None = None
    at_most: float | None = None
    one_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()


@dataclass(frozen=True)
class CsvFormat:
    """How a text file is written.

    Attributes:
        delimiter: between cells; not given: a tab in a .tsv file, else a comma.
        decimal_point: of numbers that come as text.
        encoding: such as utf8, windows-1252 or utf-16.
        column_names: for files without a header line.
    """

    delimiter: str = ""
    decimal_point: str = "."
    encoding: str = "utf8"
    column_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class NumberFormat:
    """What numbers that come as text may carry; what is not declared puts the cell at fault.

    Attributes:
        thousands: separator of thousands, such as "," or " "; Indian groups of two are read too.
        currency_signs: signs or codes before or after a number, such as "$" or "USD".
        parentheses: "(100.00)" is minus 100.
        trailing_minus: "100.00-" is minus 100.
        percent: "45%" is 0.45.
    """

    thousands: str = ""
    currency_signs: tuple[str, ...] = ()
    parentheses: bool = False
    trailing_minus: bool = False
    percent: bool = False


@dataclass(frozen=True)
class Layout:
    """What of a file is the table.

    Attributes:
        sheet: of a spreadsheet with several.
        skip_first_lines: lines before the header, not read and counted.
        skip_last_lines: lines after the last row, such as totals, not read and counted.
    """

    sheet: str = ""
    skip_first_lines: int = 0
    skip_last_lines: int = 0


@dataclass(frozen=True)
class FileMapping:
    """A lender's file in terms of the account schema.

    Attributes:
        name: of the mapping, for people.
        time_zone: IANA name of the lender's zone; instants become days in it.
        currency_code: ISO 4217 code of every money column.
        columns: by schema column; money may be called by its name in the contract or the short one of before.
        as_of_date: the day the file describes; may be given when reading instead.
        keep: rows must pass all of these.
        csv: for text files.
        numbers: what numbers that come as text may carry.
        layout: what of the file is the table.
        currency_source: column that names each row's currency; every row kept must be in ``currency_code``.
        country_code: ISO 3166-1 alpha-2 country that states written alone (``MA``) belong to.
        products: product codes of the lender that may stand in the file, beside those that the mapping itself writes.
        own: columns that the lender declares beside the schema, by name.
    """

    name: str
    time_zone: str
    currency_code: str
    columns: Mapping[str, ColumnMapping]
    as_of_date: date | None = None
    keep: tuple[RowFilter, ...] = ()
    csv: CsvFormat = field(default_factory=CsvFormat)
    numbers: NumberFormat = field(default_factory=NumberFormat)
    layout: Layout = field(default_factory=Layout)
    currency_source: str = ""
    country_code: str = ""
    products: tuple[str, ...] = ()
    own: Mapping[str, OwnMapping] = field(default_factory=dict)

    def __post_init__(self) -> None:
        held = {held_column(name): column for name, column in self.columns.items()}
        if len(held) < len(self.columns):
            name = next(name for name in self.columns if name != held_column(name) and held_column(name) in self.columns)
            told = f"is mapped under {held_column(name)!r} too."
            raise refuse(Reason.SCHEMA_MISMATCH, f"columns.{name}", told, "Keep one of them.")
        object.__setattr__(self, "columns", held)

    @property
    def fed(self) -> dict[str, ColumnMapping]:
        """Return what is read, by schema column, and by ``OwnColumn.field`` of a declared one."""
        return {**self.columns, **{PREFIX + name: column for name, column in self.own.items()}}

    @property
    def declared(self) -> tuple[OwnColumn, ...]:
        """Return the declarations of the lender's own columns."""
        return tuple(column.declared(name) for name, column in self.own.items())

    @property
    def declared_products(self) -> tuple[str, ...]:
        """Return the product codes that the mapping declares: its list, a constant, and what codes of the file mean."""
        column = self.columns.get("product")
        written = () if column is None else (column.constant, *column.values.values())
        return tuple(dict.fromkeys([*self.products, *(one for one in written if isinstance(one, str))]))

    @property
    def schema(self) -> dict[str, Column]:
        """Return every column that can be fed: those of the account schema and the declared ones."""
        return {**ACCOUNT_SCHEMA, **{one.field: one.column for one in self.declared}}

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the file's columns that the mapping reads, each once."""
        sources = [source for column in self.fed.values() for source in column.needs]
        currency = [self.currency_source] if self.currency_source else []
        return tuple(dict.fromkeys([*sources, *(rule.source for rule in self.keep), *currency]))
