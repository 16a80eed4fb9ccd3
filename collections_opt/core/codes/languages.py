"""A language as lenders write it, read as its code of ISO 639."""

from __future__ import annotations

import re
from functools import cache

from collections_opt.core.codes.iso_639 import LANGUAGES
from collections_opt.core.codes.nearest import nearest
from collections_opt.core.codes.readings import CodeReading


def read_language(text: str) -> CodeReading:
    """Return the code of two letters that a text means: a code, its name in English, with a country or script or without."""
    if text in LANGUAGES:
        return CodeReading(text)
    key = text.strip().casefold()
    found = _by_key().get(key, "") or _by_key().get(re.split(r"[-_]", key)[0], "")
    return CodeReading(found) if found else CodeReading(text, known=False)


def languages_near(text: str) -> tuple[str, ...]:
    """Return the codes of languages whose names are near a text that is none, best first."""
    return tuple(dict.fromkeys(_by_key()[key] for key in nearest(text.strip().casefold(), tuple(_by_key()))))


@cache
def _by_key() -> dict[str, str]:
    names = {key.casefold(): code for code, (name, three) in LANGUAGES.items() for key in (name, three) if key}
    return {**names, **{code: code for code in LANGUAGES}}
