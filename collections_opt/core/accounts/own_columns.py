"""Columns that a lender declares beside the account schema: what they mean, and their values as models read them.

They decide nothing but scores: no rule, value or queue reads them. A protected attribute or a listed proxy is refused by its
name; one under another name shows in the association report of a training.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.protected import is_protected
from collections_opt.core.accounts.schema import ACCOUNT_SCHEMA, Column, ColumnKind
from collections_opt.core.arrays import Array, frozen
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse
from collections_opt.core.limits import (
    MAX_OWN_CATEGORIES,
    MAX_OWN_COLUMNS,
    MAX_OWN_NUMBER,
    MAX_OWN_UNIT_CHARACTERS,
    MAX_TEXT_CHARACTERS,
)

PREFIX = "own."
"""Before a declared column's name wherever it stands among columns of the account schema."""

MISSING = -1
"""Code of a missing category."""

NO_SOURCES: Mapping[str, str] = MappingProxyType({})
"""Where rows come from no file."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


class OwnKind(StrEnum):
    """How a declared column is held."""

    NUMBER = "NUMBER"
    """float64, NaN where missing."""
    CATEGORY = "CATEGORY"
    """int32 codes of the column's texts, ``MISSING`` where missing."""


@dataclass(frozen=True)
class OwnColumn:
    """One declared column.

    Attributes:
        name: 1 to 64 of a-z, 0-9 and _, a letter first; unique in a portfolio and no column of the account schema.
        kind: NUMBER or CATEGORY.
        meaning: what it says, for people; reasons are told in its words.
        unit: of a number, "" for a category; a model reads no column of another unit than it was trained on.
        known_as_of: day on which the values were known; None: the as-of date. A later one is refused: nobody knew it then.
        expected_sign: +1 or -1 where more of a number is known to raise or lower p_cure: binds the model; 0 where it is not.
        may_be_missing: False quarantines an account without a value.
    """

    name: str
    kind: OwnKind
    meaning: str
    unit: str = ""
    known_as_of: date | None = None
    expected_sign: int = 0
    may_be_missing: bool = False

    @property
    def field(self) -> str:
        """Its name among columns of the account schema, such as ``own.bureau_score``."""
        return PREFIX + self.name

    @property
    def column(self) -> Column:
        """It as a column that the door checks."""
        if self.kind is OwnKind.CATEGORY:
            return Column(self.field, ColumnKind.TEXT, self.meaning, required=not self.may_be_missing)
        return Column(self.field, ColumnKind.RATE, self.meaning, not self.may_be_missing, -MAX_OWN_NUMBER, MAX_OWN_NUMBER)


@dataclass(frozen=True)
class OwnColumns:
    """Declared columns of n accounts; arrays read-only.

    Attributes:
        declared: by name, sorted.
        values: by name: float64 (n,) with NaN, or int32 (n,) codes with ``MISSING``.
        vocabulary: texts of each category's codes, sorted.
    """

    declared: tuple[OwnColumn, ...]
    values: Mapping[str, Array]
    vocabulary: Mapping[str, tuple[str, ...]]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", MappingProxyType({name: frozen(column) for name, column in self.values.items()}))

    def find(self, name: str) -> OwnColumn | None:
        """Return a declaration, None where there is none of this name."""
        return next((column for column in self.declared if column.name == name), None)

    def take(self, rows: NDArray[np.int64] | slice) -> OwnColumns:
        """Return the accounts of some rows."""
        return OwnColumns(self.declared, {name: column[rows] for name, column in self.values.items()}, self.vocabulary)

    def plain(self) -> dict[str, Array]:
        """Return columns for records by ``OwnColumn.field``: numbers float64 (n,), categories as texts ``S`` (n,)."""
        return {one.field: self._plain(one) for one in self.declared}

    def header(self) -> str:
        """Return the declarations as JSON; the same declarations give the same text."""
        return json.dumps([asdict(one) for one in self.declared], default=str, sort_keys=True, separators=(",", ":"))

    def same_rows(self, other: OwnColumns) -> NDArray[np.bool_]:
        """Return where two tables of n accounts hold the same cells, bool (n,); nowhere under other declarations."""
        count = next((column.shape[0] for column in self.values.values()), 0)
        same = np.full(count, self.declared == other.declared, dtype=bool)
        if self.declared == other.declared:
            theirs = other.plain()
            for name, mine in self.plain().items():
                same &= (mine == theirs[name]) | (_nothing(mine) & _nothing(theirs[name]))
        return same

    def _plain(self, column: OwnColumn) -> Array:
        values = self.values[column.name]
        if column.kind is OwnKind.NUMBER:
            return values
        texts = np.array([*(text.encode() for text in self.vocabulary[column.name]), b""])  # MISSING takes the last
        return np.asarray(texts[values])


def _nothing(cells: Array) -> NDArray[np.bool_]:
    """Return which numbers are missing; missing texts are equal anyhow."""
    return np.isnan(cells) if cells.dtype.kind == "f" else np.zeros(cells.shape, dtype=bool)


def read_header(header: str) -> tuple[OwnColumn, ...]:
    """Return the declarations of ``OwnColumns.header``."""
    return tuple(
        OwnColumn(
            **{
                **one,
                "kind": OwnKind(one["kind"]),
                "known_as_of": date.fromisoformat(one["known_as_of"]) if one["known_as_of"] else None,
            }
        )
        for one in json.loads(header)
    )


def own_columns(
    declared: Sequence[OwnColumn], plain: Mapping[str, Array], present: Mapping[str, NDArray[np.bool_]] | None = None
) -> OwnColumns | None:
    """Return columns as ``OwnColumns.plain`` gives them as own columns, None where none is declared.

    Args:
        declared: the declarations.
        plain: by ``OwnColumn.field``; an empty text is missing.
        present: where cells have a value; not given, NaN and empty texts alone are missing.

    Raises:
        CollectionsError: LIMIT_EXCEEDED for a category of too many texts.
    """
    values: dict[str, Array] = {}
    vocabulary: dict[str, tuple[str, ...]] = {}
    ordered = tuple(sorted(declared, key=lambda one: one.name))
    for one in ordered:
        cells = plain[one.field]
        known = None if present is None else present[one.field]
        if one.kind is OwnKind.NUMBER:
            values[one.name] = cells.astype(np.float64) if known is None else np.where(known, cells, np.nan)
        else:
            texts = cells if known is None else np.where(known, cells, b"")
            values[one.name], vocabulary[one.name] = _coded(one, texts)
    return OwnColumns(ordered, values, vocabulary) if ordered else None


def _coded(column: OwnColumn, texts: NDArray[np.bytes_]) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    known = sorted(set(texts.tolist()) - {b""})
    if len(known) > MAX_OWN_CATEGORIES:
        problem = f"is a category of {len(known):,} different texts."
        raise refuse(
            Reason.LIMIT_EXCEEDED, column.field, problem, f"Group them into at most {MAX_OWN_CATEGORIES:,}; ids are no category."
        )
    codes = np.searchsorted(np.array([b"", *known]), texts).astype(np.int32) - 1
    return codes.astype(np.int32), tuple(text.decode() for text in known)


def check_declared(
    declared: Sequence[OwnColumn],
    as_of_date: date | None,
    sources: Mapping[str, str] = NO_SOURCES,
    path: Callable[[int], str] | None = None,
) -> None:
    """Refuse declarations that could not be meant or may not be, every field at fault in one go.

    Args:
        declared: the declarations.
        as_of_date: the day that the accounts describe; None leaves it unasked.
        sources: the sender's own names of columns, by ``OwnColumn.field``: a proxy stays one under another name.
        path: path of a declaration in what was sent; by its field where not given.

    Raises:
        CollectionsError: INVALID_ARGUMENT; LIMIT_EXCEEDED for too many.
    """
    told = path or (lambda index: declared[index].field)
    if len(declared) > MAX_OWN_COLUMNS:
        raise refuse(Reason.LIMIT_EXCEEDED, "own", f"{len(declared)} own columns.", f"Declare at most {MAX_OWN_COLUMNS}.")
    found: list[FieldViolation] = []
    names: set[str] = set()
    for index, one in enumerate(declared):
        problems = [*_problems(one, as_of_date, sources.get(one.field, ""))]
        if one.name in names:
            problems.append(("name", f"{one.name!r} is declared twice.", "Declare each column once."))
        names.add(one.name)
        found.extend(FieldViolation(f"{told(index)}.{at}", problem, remedy) for at, problem, remedy in problems)
    if found:
        raise CollectionsError(Reason.INVALID_ARGUMENT, f"{len(found)} declaration(s) of own columns at fault.", tuple(found))


Problems = Iterator[tuple[str, str, str]]


def _problems(one: OwnColumn, as_of_date: date | None, source: str) -> Problems:
    yield from _name_problems(one, source)
    yield from _text_problems(one)
    if one.expected_sign not in (-1, 0, 1):
        yield "expected_sign", f"{one.expected_sign} is no sign.", "Use 1, -1 or 0."
    elif one.expected_sign and one.kind is OwnKind.CATEGORY:
        yield "expected_sign", "is given for a category, which has no more or less.", "Use 0, or declare a NUMBER."
    if one.known_as_of is not None and as_of_date is not None and one.known_as_of > as_of_date:
        problem = f"{one.known_as_of} is after the as-of date {as_of_date}: it was not known then."
        yield "known_as_of", problem, "Send the values of that day or before; later ones leak what happened."


def _name_problems(one: OwnColumn, source: str) -> Problems:
    if not _NAME.fullmatch(one.name):
        yield "name", f"{one.name[:40]!r} is no name.", "Use 1 to 64 of a-z, 0-9 and _, a letter first."
    elif one.name in ACCOUNT_SCHEMA:
        yield "name", f"{one.name!r} is a column of the account schema.", "Send it there, or give this one another name."
    elif is_protected(one.name) or is_protected(source):
        told = repr(source) if is_protected(source) else repr(one.name)
        yield "name", f"reads {told}, a protected attribute or a listed proxy for one.", "Leave it out; it may decide nothing."


def _text_problems(one: OwnColumn) -> Problems:
    for at, text, most in (("meaning", one.meaning, MAX_TEXT_CHARACTERS), ("unit", one.unit, MAX_OWN_UNIT_CHARACTERS)):
        if len(text) > most or not text.isprintable():
            yield at, f"has {len(text):,} characters, or some that do not print.", f"Use at most {most}, in one line."
    if not one.meaning.strip():
        yield "meaning", "is empty.", "Say what the column says: people read reasons in its words."
    if one.kind is OwnKind.CATEGORY and one.unit:
        yield "unit", "is given for a category.", "Leave it empty, or declare a NUMBER."
    if one.kind is OwnKind.NUMBER and not one.unit.strip():
        yield "unit", "is empty.", "Say what the number counts, such as points, days or share."
