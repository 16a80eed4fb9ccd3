"""Dates as lenders write them, as days: what does not exist is a fault, an instant is a day in the lender's zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from collections_opt.datasets.files.cells.faults import CellFaults, Mask, Place
from collections_opt.datasets.files.cells.texts import as_mask, is_date, is_number, is_text, trimmed, valid
from collections_opt.datasets.files.mappings import EXCEL, EXCEL_1904, ISO

_DIRECTIVES = {
    "Y": r"(?P<Y>\d{4})",
    "y": r"(?P<y>\d{2})",
    "m": r"(?P<m>\d{1,2})",
    "d": r"(?P<d>\d{1,2})",
    "b": r"(?P<b>[A-Za-z]{3,9})\.?",
    "B": r"(?P<b>[A-Za-z]{3,9})\.?",
    "H": r"(?P<H>\d{1,2})",
    "M": r"(?P<M>\d{1,2})",
    "S": r"(?P<S>\d{1,2})(?:[.,]\d+)?",
    "z": r"(?P<z>Z|z|UTC|[+-]\d{2}:?\d{2})",
    "p": r"(?P<p>[AaPp]\.?[Mm]\.?)",
    "%": "%",
}
_TIME = r"(?:[T ](?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:[.,]\d+)?)?\s?(?P<z>Z|z|UTC|[+-]\d{2}:?\d{2})?)?"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_PIVOT = 69
"""A year of two digits from here on is of the last century, as POSIX reads it."""

_SERIAL_EPOCHS = {EXCEL: np.datetime64("1899-12-30"), EXCEL_1904: np.datetime64("1904-01-01")}
_SERIALS = {EXCEL: (61, 2_958_465), EXCEL_1904: (0, 2_957_003)}
"""Serial days that a spreadsheet shows as dates; 1 to 60 fall about the leap day that 1900 did not have."""

Days = NDArray[np.datetime64]


def date_format_problem(date_format: str) -> str | None:
    """Return what is wrong with a format, None if nothing."""
    if date_format in _SERIAL_EPOCHS:
        return None
    names = re.findall(r"%(.?)", date_format)
    unknown = [name for name in names if name not in _DIRECTIVES]
    if unknown:
        return f"%{unknown[0]} is not read"
    kinds = ["b" if name == "B" else name for name in names if name != "%"]
    if len(set(kinds)) < len(kinds):
        return "it repeats a part"
    if not ({"Y", "y"} & set(kinds) and {"m", "b"} & set(kinds)):
        return "it lacks year or month"
    return None


@dataclass(frozen=True)
class DateReader:
    """Reads cells as days.

    Attributes:
        formats: strptime formats, EXCEL or EXCEL_1904; a cell is read by the one that fits.
        time_zone: IANA zone in which an instant becomes a day.
        typed: dates of spreadsheets come as ISO texts, whatever the formats are.
    """

    formats: tuple[str, ...]
    time_zone: str
    typed: bool = False

    def read(self, cells: Any, place: Place, faults: CellFaults) -> tuple[Days, Mask]:
        """Return a plain array as datetime64[D] (n,) and where there is a date; a cell that is none is a fault."""
        present = valid(cells)
        if is_date(cells.type):
            return self._of_dates(cells), present
        if is_number(cells.type):
            cells = pc.cast(cells, pa.string())
        elif not (is_text(cells.type) or pa.types.is_null(cells.type)):
            faults.add(present, place, "NOT_A_DATE", f"The column holds {cells.type}; send dates.", cells)
            return np.zeros(len(cells), dtype="datetime64[D]"), np.zeros(len(cells), dtype=bool)
        texts = trimmed(pc.cast(cells, pa.string()))
        return self._of_texts(texts, cells, place, faults)

    def _of_dates(self, cells: Any) -> Days:
        if pa.types.is_timestamp(cells.type) and cells.type.tz is not None:
            cells = pc.local_timestamp(pc.cast(cells, pa.timestamp(cells.type.unit, tz=self.time_zone)))
        dates = pc.cast(pc.cast(cells, pa.date32(), safe=False), pa.int32())
        return np.asarray(pc.fill_null(dates, 0).to_numpy(zero_copy_only=False).astype("datetime64[D]"))

    def _of_texts(self, texts: Any, cells: Any, place: Place, faults: CellFaults) -> tuple[Days, Mask]:
        present = valid(texts)
        if ISO in self.formats and len(self.formats) == 1:
            try:  # the everyday case; Arrow knows which days exist
                return self._of_dates(pc.cast(texts, pa.date32())), present
            except pa.ArrowInvalid:
                pass
        days = np.zeros(len(texts), dtype="datetime64[D]")
        read, matched, torn = (np.zeros(len(texts), dtype=bool) for _ in range(3))
        formats = dict.fromkeys([*self.formats, ISO]) if self.typed else self.formats
        for one in formats:
            found, shaped, exists = self._by_format(texts, one)
            torn |= read & exists & (found != days)
            days = np.where(exists & ~read, found, days)
            read |= exists
            matched |= shaped
        torn &= present
        known = ", ".join(formats)
        faults.add(present & ~matched, place, "NOT_A_DATE", f"Send a date as {known}, or correct date_format.", cells)
        faults.add(present & matched & ~read, place, "NO_SUCH_DATE", "Send a day that exists.", cells)
        faults.add(torn, place, "AMBIGUOUS_DATE", f"Two of {known} read it differently; keep the one that is meant.", cells)
        return days, present & read & ~torn

    def _by_format(self, texts: Any, date_format: str) -> tuple[Days, Mask, Mask]:
        """Return days, which cells have the format's shape, and which of them exist."""
        if date_format in _SERIAL_EPOCHS:
            return _of_serials(texts, date_format)
        parts = pc.extract_regex(texts, pattern=_pattern(date_format))
        shaped = valid(parts)
        names = [parts.type.field(index).name for index in range(parts.type.num_fields)]
        held = {name: pc.struct_field(parts, [index]) for index, name in enumerate(names)}
        number = {name: _integers(column) for name, column in held.items() if name in "YymdHMS"}
        year = number["Y"] if "Y" in number else np.where(number["y"] < _PIVOT, 2000, 1900) + number["y"]
        month = number["m"] if "m" in number else _months(held["b"])
        day = number.get("d", np.ones(len(texts), dtype=np.int64))
        days, exists = calendar_days(year, month, day)
        hour = _hours(number.get("H"), held.get("p"), len(texts))
        minute, second = (number.get(name, np.zeros(len(texts), dtype=np.int64)) for name in "MS")
        exists &= shaped & (hour < 24) & (minute < 60) & (second < 61)
        if "z" in held:
            days = self._local_days(days, hour * 3600 + minute * 60 + second, held["z"])
        return days, shaped, exists

    def _local_days(self, days: Days, seconds: NDArray[np.int64], zones: Any) -> Days:
        """Return the day in the lender's zone of instants whose text carries an offset; others keep their day."""
        given = pc.fill_null(zones, "")
        offset, has_offset = _offsets(given)
        if not has_offset.any():
            return days
        instants = days.astype("datetime64[s]") + (seconds - offset).astype("timedelta64[s]")
        local = pc.local_timestamp(pc.cast(pa.array(instants, pa.timestamp("s", tz="UTC")), pa.timestamp("s", tz=self.time_zone)))
        return np.where(has_offset, np.asarray(local.to_numpy(zero_copy_only=False)).astype("datetime64[D]"), days)


def calendar_days(year: NDArray[np.int64], month: NDArray[np.int64], day: NDArray[np.int64]) -> tuple[Days, Mask]:
    """Return the days of a calendar, datetime64[D] (n,), and which of them exist."""
    sane = (year >= 1) & (year <= 9999) & (month >= 1) & (month <= 12)
    months = (np.where(sane, year, 1970) - 1970) * 12 + np.where(sane, month, 1) - 1
    start = months.astype("datetime64[M]")
    length = ((start + 1).astype("datetime64[D]") - start.astype("datetime64[D]")).astype(np.int64)
    exists = sane & (day >= 1) & (day <= length)
    return start.astype("datetime64[D]") + np.where(exists, day - 1, 0).astype("timedelta64[D]"), exists


def _pattern(date_format: str) -> str:
    if date_format == ISO:
        return rf"^(?P<Y>\d{{4}})-(?P<m>\d{{1,2}})-(?P<d>\d{{1,2}}){_TIME}$"
    parts = re.split(r"%(.)", date_format)
    return "^" + "".join(_DIRECTIVES[part] if index % 2 else re.escape(part) for index, part in enumerate(parts)) + "$"


def _integers(texts: Any) -> NDArray[np.int64]:
    filled = pc.if_else(pc.equal(texts, ""), pa.scalar("0"), texts)
    return np.asarray(pc.fill_null(pc.cast(filled, pa.int64()), 0).to_numpy(zero_copy_only=False), dtype=np.int64)


def _months(texts: Any) -> NDArray[np.int64]:
    short = pc.utf8_slice_codeunits(pc.utf8_lower(texts), 0, 3)
    found = pc.index_in(short, value_set=pa.array(_MONTHS))
    return np.asarray(pc.fill_null(found, -1).to_numpy(zero_copy_only=False), dtype=np.int64) + 1


def _hours(hour: NDArray[np.int64] | None, half: Any, count: int) -> NDArray[np.int64]:
    if hour is None:
        return np.zeros(count, dtype=np.int64)
    if half is None:
        return hour
    is_afternoon = as_mask(pc.match_substring_regex(half, pattern="^[pP]"))
    return np.where((hour < 1) | (hour > 12), 99, hour % 12 + 12 * is_afternoon)


def _offsets(zones: Any) -> tuple[NDArray[np.int64], Mask]:
    parts = pc.extract_regex(zones, pattern=r"^(?P<s>[+-])(?P<h>\d{2}):?(?P<m>\d{2})$")
    sign, hours, minutes = (pc.struct_field(parts, [index]) for index in range(3))
    seconds = _integers(hours) * 3600 + _integers(minutes) * 60
    signed = np.where(as_mask(pc.equal(sign, "-")), -seconds, seconds)
    return signed, as_mask(pc.not_equal(zones, ""))


def _of_serials(texts: Any, date_format: str) -> tuple[Days, Mask, Mask]:
    shaped = as_mask(pc.match_substring_regex(texts, pattern=r"^\d{1,7}(?:\.\d*)?$"))
    numbers = pc.cast(pc.if_else(pa.array(shaped), texts, pa.scalar("0")), pa.float64()).to_numpy(zero_copy_only=False)
    low, high = _SERIALS[date_format]
    exists = shaped & (numbers >= low) & (numbers < high + 1)
    whole = np.where(exists, np.floor(numbers), low).astype(np.int64)
    return _SERIAL_EPOCHS[date_format] + whole.astype("timedelta64[D]"), shaped, exists
