"""Which rows of a file are in: filters of the mapping, each counted, and one currency, never mixed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from collections_opt.core.errors import Reason, refuse
from collections_opt.datasets.files.cells.faults import CellFaults, Mask, Place
from collections_opt.datasets.files.cells.numbers import NumberReader
from collections_opt.datasets.files.cells.texts import as_mask, code_text, plain_array
from collections_opt.datasets.files.mappings import FileMapping, RowFilter

_CURRENCY_NAMES = ("currency", "currencycode", "ccy", "curr", "isocurrency", "accountcurrency", "loancurrency")


def currency_columns(mapping: FileMapping, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns that hold a currency: the one the mapping names, else those whose name says so."""
    if mapping.currency_source:
        return (mapping.currency_source,) if mapping.currency_source in names else ()
    return tuple(name for name in names if "".join(filter(str.isalnum, name)).lower() in _CURRENCY_NAMES)


@dataclass(frozen=True)
class RowFilters:
    """Decides row by row what is in.

    Attributes:
        mapping: with its filters and currency.
        watched: columns that hold a currency.
    """

    mapping: FileMapping
    watched: tuple[str, ...] = field(default=())

    def kept(self, table: Any, numbers: NumberReader, faults: CellFaults, out: Counter[str]) -> Mask:
        """Return the rows that pass every filter, bool (n,), and count the others by filter; a cell that is none is a fault.

        Raises:
            CollectionsError: MIXED_CURRENCIES when a row that is kept is in another currency.
        """
        kept = np.ones(table.num_rows, dtype=bool)
        for rule in self.mapping.keep:
            passed = _passed(rule, plain_array(table.column(rule.source)), numbers, faults)
            out[rule.source] += int((kept & ~passed).sum())
            kept &= passed
        for name in self.watched:
            self._check_currency(name, table.column(name).filter(pa.array(kept)))
        return kept

    def _check_currency(self, name: str, cells: Any) -> None:
        codes = code_text(plain_array(cells))
        held = [] if codes is None else [code for code in pc.unique(pc.utf8_upper(codes)).to_pylist() if code]
        others = [code for code in held if code != self.mapping.currency_code.upper()]
        if others:
            wanted = self.mapping.currency_code
            problem = f"{name} holds {', '.join(map(repr, others[:5]))} beside or instead of {wanted}."
            remedy = f'Keep one currency: [[keep]] source = "{name}", one_of = ["{wanted}"]; or correct currency_code.'
            raise refuse(Reason.MIXED_CURRENCIES, "currency_code", problem, remedy)


def _passed(rule: RowFilter, cells: Any, numbers: NumberReader, faults: CellFaults) -> Mask:
    if rule.one_of or rule.none_of:
        codes = code_text(cells)
        if codes is None:
            codes = pc.cast(cells, pa.string())
        passed = ~as_mask(pc.is_in(codes, value_set=pa.array(rule.none_of, pa.string())))
        return passed & as_mask(pc.is_in(codes, value_set=pa.array(rule.one_of, pa.string()))) if rule.one_of else passed
    wrong = CellFaults()
    values, present = numbers.read(cells, Place("", rule.source), wrong)
    unread = np.zeros(len(cells), dtype=bool)
    unread[wrong.faults().row] = True
    faults.take(wrong)
    low = -np.inf if rule.at_least is None else rule.at_least
    high = np.inf if rule.at_most is None else rule.at_most
    return unread | (present & (values >= low) & (values <= high))
