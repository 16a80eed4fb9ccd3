"""Codes that most lenders use for yes and no, and what a status in words says about days past due."""

from __future__ import annotations

import re
from collections.abc import Iterable

_YES = {"y", "yes", "true", "t", "1", "x", "ja", "si", "j"}
_NO = {"n", "no", "false", "f", "0", "-", "nein"}
_PLAIN = {"true", "false", "1", "0"}
_PRODUCTS = {"loan": "PERSONAL_LOAN", "kredit": "PERSONAL_LOAN", "card": "CREDIT_CARD", "karte": "CREDIT_CARD"}
_OUT = re.compile(
    r"\b(paid|closed|charged? ?off|completed|cancell?ed|sold|settled|final payment|expired|removed)\b", re.IGNORECASE
)
_NOT_LATE = re.compile(r"\b(current|issued|up to date|regular|performing|active|on time)\b", re.IGNORECASE)


def flag_codes(cells: Iterable[str]) -> dict[str, bool] | None:
    """Return what each code of a flag means; empty where they need no words; None where one is unknown."""
    held = set(cells)
    if len(held) > 4 or not all(one.lower() in _YES | _NO for one in held):
        return None
    if all(one.lower() in _PLAIN for one in held):
        return {}
    both = {"Y": True, "N": False} if held <= {"Y", "N"} else {}
    return {**both, **{one: one.lower() in _YES for one in sorted(held)}}


def product_codes(codes: set[str]) -> dict[str, str]:
    """Return known products that a lender's codes speak of; nothing where one is unknown, or all are known as they stand."""
    found = {code: product for code in sorted(codes) for word, product in _PRODUCTS.items() if word in code.lower()}
    return found if len(found) == len(codes) and any(code != product for code, product in found.items()) else {}


def status_days(codes: set[str]) -> tuple[dict[str, int], set[str]]:
    """Return days past due by status, and the statuses whose rows are out; nothing where one says neither."""
    if len(codes) > 40:
        return {}, set()
    days: dict[str, int] = {}
    out: set[str] = set()
    for code in codes:
        found = re.search(r"(\d{1,3})\s*(?:-|to|–|\+|days)", code)
        if _OUT.search(code):
            out.add(code)
        elif found:
            days[code] = int(found.group(1))
        elif _NOT_LATE.search(code):
            days[code] = 0
        elif "grace" in code.lower():
            days[code] = 1
        elif code.lower().startswith("default"):
            days[code] = 121
        else:
            return {}, set()
    return dict(sorted(days.items(), key=lambda pair: pair[1])), out
