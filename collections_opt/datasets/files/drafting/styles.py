"""How numbers and dates of a file are written, told from their texts."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from collections_opt.core.codes.currencies import currency
from collections_opt.core.errors import CollectionsError
from collections_opt.datasets.files.cells.dates import DateReader
from collections_opt.datasets.files.cells.faults import CellFaults, Place
from collections_opt.datasets.files.cells.numbers import NumberReader
from collections_opt.datasets.files.mappings import EXCEL, ISO, NumberFormat

FORMATS = (
    ISO, "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y%m%d", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%d-%b-%Y", "%d %b %Y", "%b-%Y",
    "%b %d, %Y", "%m/%d/%y", "%d/%m/%y", "%d-%b-%y", "%d.%m.%y", "%Y%m", "%Y-%m", "%b-%y", "%m/%Y",
)  # fmt: skip
_AMBIGUOUS = {"%m/%d/%Y": "%d/%m/%Y", "%m/%d/%y": "%d/%m/%y", "%d-%m-%Y": "%m-%d-%Y"}
_SIGN = re.compile(r"^[-(+]?\s*([^\d\s().,+'-]{1,3})\s*[\d(.-]|\d\)?\s*([^\d\s().,%'-]{1,3})\s*-?$")
_NUMBERISH = re.compile(r"^[-+(]*\s*[^\d\s]{0,3}\s*\(?-?\d[\d.,' \u00a0\u202f]*\)?\s*[^\d\s]{0,3}\)?-?$")
_SAMPLE = 2_000
_WORD_SIGNS = ("R$", "kr", "zł", "Rs", "Rs.", "Fr.")


@dataclass(frozen=True)
class DateGuess:
    """Formats that read a column's dates, the share they read, and another reading that fits as well."""

    formats: tuple[str, ...]
    share: float
    other: str = ""


def number_style(columns: Iterable[Sequence[str]]) -> tuple[str, NumberFormat]:
    """Return decimal point and format of the numbers in columns that hold numbers."""
    signs: Counter[str] = Counter()
    points: Counter[str] = Counter()
    thousands: Counter[str] = Counter()
    enclosed = trailing = percent = False
    for column in columns:
        cells = column[:_SAMPLE]
        numberish = [cell for cell in cells if _NUMBERISH.match(cell)]
        if len(numberish) < 0.6 * len(cells):
            continue
        for cell in numberish:
            found = _SIGN.search(cell)
            sign = (found.group(1) or found.group(2) or "").strip() if found else ""
            if _is_currency_sign(sign):
                signs[sign] += 1
            enclosed |= (cell.startswith("(") and cell.endswith(")")) or "(" in cell
            trailing |= cell.rstrip().endswith("-")
            percent |= "%" in cell
            digits = re.sub(r"[^\d.,' \u00a0\u202f]", "", cell).strip()
            _note_separators(digits, points, thousands)
    point = "," if points[","] > points["."] else "."
    del thousands[point]
    separator = thousands.most_common(1)[0][0] if thousands else ""
    return point, NumberFormat(separator, tuple(signs), enclosed, trailing, percent)


def _is_currency_sign(sign: str) -> bool:
    return sign in _WORD_SIGNS or (len(sign) == 1 and unicodedata.category(sign) == "Sc") or is_currency(sign)


def is_currency(code: str) -> bool:
    """Return whether a text is a code of ISO 4217."""
    try:
        currency(code)
    except (CollectionsError, KeyError):
        return False
    return True


def _note_separators(digits: str, points: Counter[str], thousands: Counter[str]) -> None:
    marks = [c for c in digits if not c.isdigit()]
    if not marks:
        return
    last, tail = marks[-1], len(re.split(r"[.,' \u00a0\u202f]", digits)[-1])
    if len(set(marks)) > 1 and last in ".,":
        points[last] += 1
        thousands[" " if marks[0].isspace() else marks[0]] += 1
    elif len(marks) > 1 or last.isspace() or last == "'":
        thousands[" " if last.isspace() else last] += 1
    elif last in ".," and tail != 3:
        points[last] += 1
    elif last in ".,":
        (thousands if last == "," else points)[last] += 1


def share_of_numbers(cells: Sequence[str], reader: NumberReader) -> float:
    """Return the share of cells that are numbers."""
    sample = pa.array(list(cells[:_SAMPLE]), pa.string())
    _, present = reader.read(sample, Place("", ""), CellFaults())
    return float(present.mean()) if len(sample) else 0.0


def numbers_of(cells: Sequence[str], reader: NumberReader) -> NDArray[np.float64]:
    """Return the numbers among cells, float64."""
    values, present = reader.read(pa.array(list(cells[:_SAMPLE]), pa.string()), Place("", ""), CellFaults())
    return np.asarray(values[present])


def date_guess(cells: Sequence[str], name_says_date: bool) -> DateGuess:
    """Return the formats that read most cells of a column; serial day numbers only where the name speaks of a date."""
    sample = pa.array(list(cells[:_SAMPLE]), pa.string())
    if not len(sample):
        return DateGuess((), 0.0)
    shares = {one: _read_share(sample, one) for one in FORMATS if name_says_date or one not in ("%Y%m", "%Y%m%d")}
    if name_says_date:
        shares[EXCEL] = _read_share(sample, EXCEL) if all(re.match(r"^[2-6]\d{4}(\.|$)", c) for c in cells[:50]) else 0.0
    best = max(shares, key=lambda one: shares[one])
    if shares[best] >= 0.98:
        other = _AMBIGUOUS.get(best, "")
        return DateGuess((best,), shares[best], other if other and shares.get(other, 0) >= 0.98 else "")
    if shares[best] < 0.2:
        return DateGuess((), shares[best])
    formats, read = [best], shares[best]
    for one in sorted(shares, key=lambda each: -shares[each]):
        clashing = one in _AMBIGUOUS.values() or one in _AMBIGUOUS
        if one != best and shares[one] > 0.02 and not (clashing and (best in _AMBIGUOUS or best in _AMBIGUOUS.values())):
            both = _read_share(sample, *formats, one)
            if both > read + 0.01:
                formats, read = [*formats, one], both
    return DateGuess(tuple(formats), read)


def _read_share(sample: pa.Array, *formats: str) -> float:
    _, present = DateReader(formats, "UTC").read(sample, Place("", ""), CellFaults())
    return float(present.mean())
