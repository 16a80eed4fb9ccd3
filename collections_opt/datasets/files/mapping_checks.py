"""Refuse a mapping that could not be meant, every field at fault in one go."""

from __future__ import annotations

import codecs
import math
from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from collections_opt.core.accounts.column_names import told_column, told_columns
from collections_opt.core.accounts.own_columns import PREFIX, check_declared
from collections_opt.core.accounts.schema import ACCOUNT_SCHEMA, ColumnKind
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason
from collections_opt.datasets.files.cells.dates import date_format_problem
from collections_opt.datasets.files.mappings import (
    DATE_READINGS,
    ColumnMapping,
    FileMapping,
    Reading,
    RowFilter,
    Unlisted,
)

MAX_SKIPPED_LINES = 1_000
"""A preamble or footer is short; the last lines are held back while reading."""


def check_mapping(mapping: FileMapping) -> None:
    """Refuse a mapping that could not be meant.

    Raises:
        CollectionsError: SCHEMA_MISMATCH with every field at fault and its remedy.
    """
    found = [
        FieldViolation(told_column(name), "is required and the mapping does not have it.", f"Map or set it: {column.meaning}")
        for name, column in ACCOUNT_SCHEMA.items()
        if column.required and name not in mapping.columns
    ]
    for name, column in mapping.columns.items():
        problem = _column_problem(name, column)
        if problem:
            found.append(FieldViolation(f"columns.{told_column(name)}", *problem))
    found.extend(_own_problems(mapping))
    for index, rule in enumerate(mapping.keep):
        problem = _filter_problem(rule)
        if problem:
            found.append(FieldViolation(f"keep[{index}]", *problem))
    found.extend(_file_problems(mapping))
    if found:
        message = f"Mapping {mapping.name!r} has {len(found)} field(s) at fault."
        raise CollectionsError(Reason.SCHEMA_MISMATCH, message, tuple(found))


def _column_problem(name: str, column: ColumnMapping) -> tuple[str, str] | None:
    target = ACCOUNT_SCHEMA.get(name)
    if target is None:
        remedy = f"Use one of: {', '.join(told_columns())}; or declare a column of your own under [own.{name}]."
        return "is not a column of the account schema.", remedy
    if sum((bool(column.source), bool(column.sources), column.constant is not None)) != 1:
        return "needs exactly one of source, sources and constant.", "Keep one."
    estimate = column.reading is Reading.MISSED_MINIMUM_PAYMENTS
    if estimate and not (len(column.sources) == 2 and 0 < column.share <= 1 and name == "arrears_minor"):
        return (
            "cannot be estimated so.",
            "Estimate arrears_minor_units from sources = [balance, months past due] and a share in (0, 1].",
        )
    if target.is_history != bool(column.sources) and not estimate:
        return "a history takes sources, latest first; anything else takes source or constant.", "Use the other key."
    if column.reading in DATE_READINGS and target.kind is not ColumnKind.COUNT:
        return f"holds {target.kind}, which {column.reading} does not give.", "Read dates into columns that count days or months."
    return _value_problem(target.kind, target.is_integer, column)


def _own_problems(mapping: FileMapping) -> Iterator[FieldViolation]:
    """Yield what is wrong with declared columns; whether their day is too late is known with the file's day."""
    for name, column in mapping.own.items():
        target = column.declared(name).column
        if column.sources or bool(column.source) == (column.constant is not None):
            yield FieldViolation(f"own.{name}", "needs exactly one of source and constant.", "Keep one.")
        elif column.reading is Reading.MISSED_MINIMUM_PAYMENTS or (
            column.reading in DATE_READINGS and target.kind is ColumnKind.TEXT
        ):
            yield FieldViolation(f"own.{name}", f"holds {column.kind}, which {column.reading} does not give.", "Use VALUE.")
        else:
            problem = _value_problem(target.kind, target.is_integer, column)
            if problem:
                yield FieldViolation(f"own.{name}", *problem)
    sources = {PREFIX + name: column.source for name, column in mapping.own.items()}
    try:
        check_declared(mapping.declared, None, sources)
    except CollectionsError as error:
        yield from error.violations


def _value_problem(kind: ColumnKind, is_integer: bool, column: ColumnMapping) -> tuple[str, str] | None:
    if not math.isfinite(column.scale) or column.scale == 0:
        return "has a scale that is no number other than 0.", "Give the factor, such as 100."
    if column.rounding is not None and not is_integer:
        return f"holds {kind}, which is not rounded.", "Remove rounding."
    if len({type(value) is str for value in column.values.values()}) > 1:
        return "has values of mixed types.", "Give all values one type."
    if column.unlisted is Unlisted.READ and not column.values:
        return "reads unlisted codes and lists none.", "Add values, or remove unlisted."
    for one in column.formats if column.reading in DATE_READINGS else ():
        problem = date_format_problem(one)
        if problem:
            return f"has the date format {one!r}: {problem}.", "Use %Y, %y, %m, %d, %b, %B, %H, %M, %S, %z or EXCEL."
    return None


def _filter_problem(rule: RowFilter) -> tuple[str, str] | None:
    numeric = rule.at_least is not None or rule.at_most is not None
    textual = bool(rule.one_of or rule.none_of)
    if numeric == textual:
        return "needs bounds for a number, or texts, and not both.", "Give at_least and at_most, or one_of and none_of."
    return None


def _file_problems(mapping: FileMapping) -> Iterator[FieldViolation]:
    for name in ("skip_first_lines", "skip_last_lines"):
        lines = getattr(mapping.layout, name)
        if not 0 <= lines <= MAX_SKIPPED_LINES:
            yield FieldViolation(f"layout.{name}", f"{lines} lines.", f"Give 0 to {MAX_SKIPPED_LINES}.")
    try:
        codecs.lookup(mapping.csv.encoding)
    except LookupError:
        yield FieldViolation("csv.encoding", f"{mapping.csv.encoding!r} is not known.", "Use utf8, windows-1252 or utf-16.")
    if len(mapping.csv.decimal_point) != 1 or mapping.csv.decimal_point == mapping.numbers.thousands:
        yield FieldViolation("csv.decimal_point", "is not one character unlike numbers.thousands.", 'Give "." or ",".')
    if len(mapping.csv.delimiter) > 1:
        yield FieldViolation("csv.delimiter", "is more than one character.", 'Give one, such as ";".')
    if len(set(mapping.csv.column_names)) < len(mapping.csv.column_names):
        yield FieldViolation("csv.column_names", "repeat a name.", "Give every column a name of its own.")
    try:
        ZoneInfo(mapping.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield FieldViolation("time_zone", f"{mapping.time_zone!r} is not an IANA time zone.", "Use a name like America/New_York.")
