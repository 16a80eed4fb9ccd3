"""Numbers as lenders write them: separators of thousands, currency signs, parentheses, a trailing minus, percent."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from collections_opt.datasets.files.cells.faults import CellFaults, Mask, Place
from collections_opt.datasets.files.cells.texts import as_mask, is_number, is_text, trimmed, valid
from collections_opt.datasets.files.mappings import FileMapping, NumberFormat, Rounding

_INT64_LIMIT = 2.0**62
_NOISE = 1e-6
"""Money such as 1234.56 times 100 misses the whole number by the float's rounding only; more is the sender's fraction."""

_SPACES = " \u00a0\u202f"
_SIGNED = re.compile(r"[$€£¥₹₩₪₫₱₺₽₴₦]|\b[A-Z]{3}\b|R\$|kr|zł")


@dataclass(frozen=True)
class NumberReader:
    """Reads cells as float64 by a declared format.

    Attributes:
        style: what texts may carry.
        decimal_point: of texts.
    """

    style: NumberFormat = field(default_factory=NumberFormat)
    decimal_point: str = "."

    @staticmethod
    def of(mapping: FileMapping) -> NumberReader:
        """Return the reader of a mapping's numbers."""
        return NumberReader(mapping.numbers, mapping.csv.decimal_point)

    def read(self, cells: Any, place: Place, faults: CellFaults) -> tuple[NDArray[np.float64], Mask]:
        """Return a plain array as float64 (n,) and where there is a number; a cell that is none is a fault."""
        if pa.types.is_null(cells.type):
            return np.zeros(len(cells)), np.zeros(len(cells), dtype=bool)
        if is_text(cells.type):
            texts = trimmed(cells)
            values, bad = self._of_texts(texts)
            present = valid(texts)
            self._tell(bad, place, faults, cells)
            return values, present & ~bad
        if not is_number(cells.type):
            present = valid(cells)
            remedy = f"The column holds {cells.type}; send numbers."
            faults.add(present, place, "NOT_A_NUMBER", remedy, cells)
            return np.zeros(len(cells)), np.zeros(len(cells), dtype=bool)
        present = valid(cells)
        values = pc.fill_null(pc.cast(cells, pa.float64(), safe=False), 0.0).to_numpy(zero_copy_only=False)
        infinite = present & ~np.isfinite(values)
        faults.add(infinite, place, "NOT_FINITE", "Send a finite number, or leave the cell empty.", cells)
        return np.where(infinite, 0.0, values), present & ~infinite

    def _of_texts(self, texts: Any) -> tuple[NDArray[np.float64], Mask]:
        """Return the numbers that texts hold, and where a text holds none."""
        if self.decimal_point == ".":
            plain = _all_plain(texts)
            if plain is not None:
                return plain, np.zeros(len(texts), dtype=bool)
        bare, factor, wrong = self._bare(texts)
        point = re.escape(self.decimal_point)
        fits = pc.match_substring_regex(bare, pattern=rf"^[+-]?(?:\d+(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d{{1,3}})?$")
        bad = valid(texts) & (~as_mask(fits) | wrong)
        if self.decimal_point != ".":
            bare = pc.replace_substring(bare, pattern=self.decimal_point, replacement=".")
        readable = pc.if_else(pa.array(~bad), bare, pa.scalar(None, pa.string()))
        values = pc.fill_null(pc.cast(readable, pa.float64()), 0.0).to_numpy(zero_copy_only=False) * factor
        infinite = ~np.isfinite(values)
        return np.where(infinite, 0.0, values), bad | infinite

    def _bare(self, texts: Any) -> tuple[Any, NDArray[np.float64], Mask]:
        """Return texts without what the style lets them carry, the factor it stands for, and where it is carried twice."""
        style = self.style
        factor, wrong = np.ones(len(texts)), np.zeros(len(texts), dtype=bool)
        texts = pc.replace_substring(texts, pattern="\u2212", replacement="-")
        texts = self._without_signs(texts)
        if style.parentheses:
            enclosed = as_mask(pc.match_substring_regex(texts, pattern=r"^\(.*\)$"))
            texts = self._without_signs(pc.replace_substring_regex(texts, pattern=r"^\(\s*(.*?)\s*\)$", replacement=r"\1"))
            wrong |= enclosed & as_mask(pc.match_substring_regex(texts, pattern=r"[-+]"))
            factor[enclosed] *= -1.0
        if style.trailing_minus:
            texts = pc.replace_substring_regex(texts, pattern=r"^([^-+].*?)\s*-$", replacement=r"-\1")
        if style.percent:
            factor[as_mask(pc.match_substring_regex(texts, pattern=r"%$"))] *= 0.01
            texts = pc.replace_substring_regex(texts, pattern=r"\s*%$", replacement="")
        if style.thousands:
            separator = f"[{_SPACES}]" if style.thousands in _SPACES else re.escape(style.thousands)
            point = re.escape(self.decimal_point)
            grouped = pc.match_substring_regex(
                texts, pattern=rf"^[+-]?\d{{1,3}}(?:{separator}\d{{2,3}})*{separator}\d{{3}}(?:{point}\d*)?$"
            )
            texts = pc.if_else(grouped, pc.replace_substring_regex(texts, pattern=separator, replacement=""), texts)
        return texts, factor, wrong

    def _without_signs(self, texts: Any) -> Any:
        if not self.style.currency_signs:
            return texts
        signs = "|".join(re.escape(sign) for sign in sorted(self.style.currency_signs, key=len, reverse=True))
        texts = pc.replace_substring_regex(texts, pattern=rf"^([+-]?)\s*(?:{signs})\s*", replacement=r"\1")
        return pc.replace_substring_regex(texts, pattern=rf"\s*(?:{signs})\s*(-?)$", replacement=r"\1")

    def _tell(self, bad: Mask, place: Place, faults: CellFaults, cells: Any) -> None:
        """Fault cells that are no numbers, each with the remedy that fits what it looks like."""
        if not bad.any():
            return
        rows = np.flatnonzero(bad)
        remedies = np.array([self._remedy(cells[row].as_py().strip()) for row in rows.tolist()], dtype=object)
        for remedy in dict.fromkeys(remedies.tolist()):
            at = np.zeros(bad.size, dtype=bool)
            at[rows[remedies == remedy]] = True
            faults.add(at, place, "NOT_A_NUMBER", remedy, cells)

    def _remedy(self, text: str) -> str:
        style = self.style
        if _SIGNED.search(text) and any(character.isdigit() for character in text):
            return "Send the number alone, or declare numbers.currency_signs in the mapping."
        if text.startswith("(") and text.endswith(")") and not style.parentheses:
            return "Send a minus, or declare numbers.parentheses in the mapping."
        if re.fullmatch(r"[\d.,'\s]+-", text) and not style.trailing_minus:
            return "Send the minus in front, or declare numbers.trailing_minus in the mapping."
        if text.endswith("%") and not style.percent:
            return "Send the share as a number, or declare numbers.percent in the mapping."
        if re.fullmatch(r"[-+]?[\d.,' \u00a0\u202f]+", text):
            return "Send digits and one decimal point, or declare numbers.thousands and csv.decimal_point in the mapping."
        return "Send a number; a text for no value goes under missing, a code under values, a row to leave out under keep."


def _all_plain(texts: Any) -> NDArray[np.float64] | None:
    """Return the numbers of a column of plain numbers; None where a cell is anything else."""
    try:
        values = pc.fill_null(pc.cast(texts, pa.float64()), 0.0).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        return None
    return values if np.isfinite(values).all() else None


def whole_numbers(values: NDArray[np.float64], present: Mask, rounding: Rounding | None) -> tuple[NDArray[np.int64], Mask, Mask]:
    """Return int64 (n,), where a value has a fraction that nothing rounds, and where it is too large to hold."""
    safe = np.where(present, values, 0.0)
    large = np.abs(safe) >= _INT64_LIMIT
    safe = np.where(large, 0.0, safe)
    nearest = np.rint(safe)
    close = np.abs(safe - nearest) <= _NOISE
    if rounding is None:
        fraction = ~close
        return np.where(fraction, 0.0, nearest).astype(np.int64), fraction, large
    clean = np.rint(safe / _NOISE) * _NOISE if np.abs(safe).max(initial=0.0) < 1e12 else safe
    half = np.trunc(clean) + np.where(np.abs(np.abs(clean - np.trunc(clean)) - 0.5) <= _NOISE, np.sign(clean) * 0.5, np.nan)
    exact = np.where(np.isnan(half), clean, half)
    rounded = {
        Rounding.HALF_UP: np.sign(exact) * np.floor(np.abs(exact) + 0.5),
        Rounding.HALF_EVEN: np.rint(exact),
        Rounding.DOWN: np.where(close, nearest, np.trunc(exact)),
    }[rounding]
    return rounded.astype(np.int64), np.zeros(present.shape, dtype=bool), large
