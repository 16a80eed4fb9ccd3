"""The one way to read ids of accounts and customers, in every file: text kept, one Unicode form, never through a float."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from collections_opt.core.errors import Reason, refuse
from collections_opt.datasets.files.cells.texts import as_mask, exact_text, is_number, plain_array

ID_COLUMNS = ("account_id", "customer_id")
_SHORTENED = r"^[+-]?\d(?:[.,]\d+)?[eE]\+?\d{1,3}$"


@dataclass(frozen=True)
class Ids:
    """Ids as read.

    Attributes:
        texts: Arrow strings (n,) in NFC without spaces around; null where a cell is empty.
        shortened: bool (n,), written as a spreadsheet shortens long numbers (1.23E+11): digits are lost.
    """

    texts: Any
    shortened: NDArray[np.bool_]

    def encoded(self) -> NDArray[np.bytes_]:
        """Return UTF-8 bytes (n,), empty where a cell is."""
        return encoded(pc.fill_null(self.texts, "").to_pylist())


def read_ids(cells: Any, column: str) -> Ids:
    """Return a column of ids.

    Raises:
        CollectionsError: SCHEMA_MISMATCH for ids that came as floats, dates or flags: their text is no longer known.
    """
    plain = plain_array(cells)
    texts = None if pa.types.is_boolean(plain.type) else exact_text(plain)
    if texts is None:
        remedy = "Write ids as text or as whole numbers"
        hint = " (a gap in a pandas column makes floats of them: use dtype string or Int64)" if is_number(plain.type) else ""
        raise refuse(Reason.SCHEMA_MISMATCH, column, f"holds {plain.type}, which cannot hold ids.", f"{remedy}{hint}.")
    texts = pc.utf8_normalize(texts, form="NFC")
    return Ids(texts, as_mask(pc.match_substring_regex(texts, pattern=_SHORTENED)))


def encoded(texts: Iterable[str]) -> NDArray[np.bytes_]:
    """Return ids as UTF-8 bytes (n,)."""
    found = np.array([text.encode() for text in texts], dtype="S")
    return found if found.size else np.empty(0, dtype="S1")
