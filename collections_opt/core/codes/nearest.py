"""The known values nearest to a text that is none of them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


def nearest(text: str, known: Sequence[str], count: int = 3) -> tuple[str, ...]:
    """Return up to ``count`` known values most like a text, best first; empty where nothing is like it."""
    return tuple(difflib.get_close_matches(text, known, n=count, cutoff=0.6))
