"""Guess which column of a file feeds which column of the account schema, and how it is read; every guess says how sure it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.schema import ACCOUNT_SCHEMA, Column, ColumnKind
from collections_opt.datasets.files.cells.numbers import NumberReader
from collections_opt.datasets.files.drafting.codes import flag_codes, product_codes, status_days
from collections_opt.datasets.files.drafting.looking import LookedFile
from collections_opt.datasets.files.drafting.names import HISTORIES, known_columns, likeness, words
from collections_opt.datasets.files.drafting.styles import date_guess, number_style, numbers_of, share_of_numbers
from collections_opt.datasets.files.mappings import EXCEL, ISO, NumberFormat

SURE = 0.8
LIKELY = 0.6
_DATE_WORDS = re.compile(r"\b(date|dt|d|since|opened|due|day|until)\b|date")
_DATED = {"days_past_due": "DAYS_SINCE", "days_since_conversation": "DAYS_SINCE", "days_to_charge_off": "DAYS_UNTIL"}
_DATED["months_on_book"] = "MONTHS_SINCE"


@dataclass(frozen=True)
class Guess:
    """One schema column as drafted.

    Attributes:
        column: of the account schema.
        keys: of its mapping, as they go into the TOML.
        sureness: 0 to 1.
        why: what was recognised, for the person who corrects it.
        keep: filters that go with it.
    """

    column: str
    keys: Mapping[str, Any]
    sureness: float
    why: str
    keep: tuple[Mapping[str, Any], ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """Columns of the file that it reads."""
        return tuple(self.keys.get("sources", ())) or ((self.keys["source"],) if "source" in self.keys else ())


@dataclass(frozen=True)
class Guesses:
    """Everything that was recognised in a file.

    Attributes:
        columns: by schema column, in the schema's order.
        decimal_point: of numbers.
        numbers: what numbers carry.
        unread: columns of the file that nothing reads.
    """

    columns: Mapping[str, Guess]
    decimal_point: str
    numbers: NumberFormat
    unread: tuple[str, ...] = field(default=())


def guess(file: LookedFile) -> Guesses:
    """Return what each schema column most likely comes from; a column of the file feeds one schema column."""
    point, style = number_style(cells for name, cells in file.cells.items() if file.kinds[name] == "")
    looks = _Looks(file, NumberReader(style, point))
    found: dict[str, Guess] = dict(looks.histories())
    taken = {source for one in found.values() for source in one.sources}
    offers = sorted(
        (one for name in file.cells if name not in taken for one in looks.offers(name)), key=lambda one: -one.sureness
    )
    for one in offers:
        if one.column not in found and not set(one.sources) & taken:
            found[one.column] = one
            taken |= set(one.sources)
    ordered = {name: found[name] for name in ACCOUNT_SCHEMA if name in found}
    return Guesses(ordered, point, style, tuple(name for name in file.names if name not in taken))


@dataclass(frozen=True)
class _Looks:
    """Weighs names and contents of a file's columns."""

    file: LookedFile
    reader: NumberReader

    def offers(self, name: str) -> Iterator[Guess]:
        """Yield the schema columns that a column of the file may feed."""
        for column in known_columns():
            said = likeness(name, column)
            if said:
                offer = self._offer(ACCOUNT_SCHEMA[column], name, said)
                if offer is not None:
                    yield offer

    def _offer(self, column: Column, name: str, said: float) -> Guess | None:
        cells = self.file.cells[name]
        if not cells:
            return Guess(column.name, {"source": name}, said * 0.3, "by its name; every cell is empty")
        if column.kind is ColumnKind.TEXT:
            return self._text(column, name, said, cells)
        if column.kind is ColumnKind.FLAG:
            return self._flag(column, name, said, cells)
        return self._dated(column, name, said, cells) or self._numeric(column, name, said, cells)

    def _text(self, column: Column, name: str, said: float, cells: tuple[str, ...]) -> Guess | None:
        distinct = len(set(cells))
        if column.name == "account_id":
            unique = distinct / max(self.file.row_count, 1)
            fits = 0.05 + 0.95 * unique
            return Guess(column.name, {"source": name}, said * fits, f"by its name; {distinct:,} different ids")
        if column.name == "customer_id":
            return Guess(column.name, {"source": name}, said * 0.98, f"by its name; {distinct:,} different ids")
        if max(map(len, cells)) > 60 or distinct > max(60, 0.5 * len(cells)):
            return None
        if column.name == "time_zone" and not all("/" in one or one == "UTC" for one in set(cells)):
            return None
        shown = ", ".join(sorted(set(cells))[:6])
        products = product_codes(set(cells)) if column.name == "product" else {}
        if products:
            why = f"by its name; holds {shown}. NOT SURE: what the codes mean"
            return Guess(column.name, {"source": name, "values": products}, said * 0.9, why)
        return Guess(column.name, {"source": name}, said, f"by its name; holds {shown}")

    def _flag(self, column: Column, name: str, said: float, cells: tuple[str, ...]) -> Guess | None:
        codes = flag_codes(cells)
        if codes is None:
            return None
        keys: dict[str, Any] = {"source": name} | ({"values": codes} if codes else {})
        return Guess(column.name, keys, said, f"by its name; holds {', '.join(sorted(set(cells))[:6])}")

    def _dated(self, column: Column, name: str, said: float, cells: tuple[str, ...]) -> Guess | None:
        if column.name not in _DATED:
            return None
        keys: dict[str, Any] = {"source": name, "reading": _DATED[column.name]}
        if self.file.kinds[name] == "date":
            return Guess(column.name, keys, said, "by its name; holds dates")
        found = date_guess(cells, bool(_DATE_WORDS.search(words(name))))
        if not found.formats or (found.share < 0.5):
            return None
        if len(found.formats) > 1:
            keys["date_formats"] = list(found.formats)
        elif found.formats[0] != ISO:
            keys["date_format"] = found.formats[0]
        why = f"by its name; {found.share:.0%} of its cells are dates as {', '.join(found.formats)}"
        if found.other:
            why += f". NOT SURE: {found.other} fits as well; is the day or the month first?"
        return Guess(column.name, keys, said * (0.85 if found.other or EXCEL in found.formats else 1.0), why)

    def _numeric(self, column: Column, name: str, said: float, cells: tuple[str, ...]) -> Guess | None:
        share = 1.0 if self.file.kinds[name] == "number" else share_of_numbers(cells, self.reader)
        if share < 0.5:
            return self._status(column, name, said, cells)
        values = numbers_of(cells, self.reader if self.file.kinds[name] == "" else NumberReader())
        keys: dict[str, Any] = {"source": name}
        why = f"by its name; {share:.0%} of its cells are numbers, {values.min():g} to {values.max():g}"
        fits = 1.0
        if column.kind is ColumnKind.MONEY:
            why += self._money(name, values, keys)
        elif column.name == "days_past_due" and re.search(r"\b(months|mths|cycles|status)\b", words(name)):
            keys["scale"], fits = 30, 0.8
            why += "; months past due, taken as 30 days each"
        elif column.kind is ColumnKind.RATE and values.max(initial=0) > 1:
            keys["scale"] = 0.01
            why += "; taken as percent"
        low, high = column.low, column.high
        scaled = values * keys.get("scale", 1)
        inside = np.ones(values.size, dtype=bool)
        inside &= (scaled >= low) if low is not None else True
        inside &= (scaled <= high) if high is not None else True
        if inside.mean() < 0.5:
            return None
        return Guess(column.name, keys, said * fits * (0.5 + 0.5 * share * float(inside.mean())), why)

    def _money(self, name: str, values: NDArray[np.float64], keys: dict[str, Any]) -> str:
        if re.search(r"\b(cents|minor|pence|ct)\b", words(name)):
            return "; taken as minor units by its name"
        keys["scale"] = 100
        minor = values * 100
        thirds = float((np.abs(minor - np.rint(minor)) > 1e-6).mean()) if values.size else 0.0
        if thirds:
            keys["rounding"] = "HALF_UP"
            return f"; {thirds:.0%} have fractions of a minor unit, rounded"
        return "; in major units"

    def _status(self, column: Column, name: str, said: float, cells: tuple[str, ...]) -> Guess | None:
        """Read a status in words (Current, Late (31-120 days)) as the first day of its band."""
        if column.name != "days_past_due":
            return None
        days, out = status_days(set(cells))
        if not days:
            return None
        keep = ({"source": name, "none_of": sorted(out)},) if out else ()
        why = "by its name; bands stand for their first day" + (f"; rows left out: {', '.join(sorted(out)[:6])}" if out else "")
        return Guess(column.name, {"source": name, "values": days}, said, why, keep)

    def histories(self) -> Iterator[tuple[str, Guess]]:
        """Yield the histories: columns with one name and a number for the month."""
        groups: dict[str, list[tuple[int, str]]] = {}
        for name in self.file.cells:
            found = re.match(r"^(.*?)[ ]?(\d{1,2})$", words(name))
            if found and found.group(1):
                groups.setdefault(found.group(1), []).append((int(found.group(2)), name))
        for column, pattern in HISTORIES.items():
            fitting = [sorted(months) for base, months in groups.items() if len(months) > 2 and re.search(pattern, base)]
            fitting = [months for months in fitting if self._is_history(column, [name for _, name in months])]
            if fitting:
                months = max(fitting, key=len)
                sources = [name for _, name in months]
                keys: dict[str, Any] = {"sources": sources}
                if ACCOUNT_SCHEMA[column].kind is ColumnKind.HISTORY_MONEY:
                    keys["scale"] = 100
                why = f"{len(sources)} columns with a number; NOT SURE: the lowest number is taken as the latest month"
                yield column, Guess(column, keys, 0.7, why)

    def _is_history(self, column: str, names: list[str]) -> bool:
        values = [numbers_of(self.file.cells[name], self.reader) for name in names if self.file.cells[name]]
        if not values or any(not one.size for one in values):
            return False
        whole = max(float(np.abs(one).max()) for one in values) <= 24
        return whole if column == "status_history" else True
