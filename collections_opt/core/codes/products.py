"""A product code as lenders write it, read as one that they declared: no list of the world holds it, theirs does."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from collections_opt.core.codes.nearest import nearest
from collections_opt.core.codes.readings import CodeReading


def read_product(text: str, known: Sequence[str]) -> CodeReading:
    """Return the declared product that a text means: its code, or another spelling of one code alone.

    Spellings are alike whose letters and digits are, whatever their case and what stands between them.

    Args:
        text: as the lender wrote it; not empty.
        known: declared codes.
    """
    if text in known:
        return CodeReading(text)
    found = [code for code in known if _key(code) == _key(text)]
    return CodeReading(found[0]) if len(found) == 1 else CodeReading(text, known=False, nearest=tuple(found[:3]))


def products_near(text: str, known: Sequence[str]) -> tuple[str, ...]:
    """Return declared codes near a text that is none, best first."""
    by_key = {_key(code): code for code in known}
    return tuple(by_key[key] for key in nearest(_key(text), tuple(by_key)))


def _key(text: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold()) or text
