"""What ids, codes and texts for people may hold, so that none hides a character or bloats a record."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse
from collections_opt.core.limits import MAX_ID_CHARACTERS, MAX_LIST_ITEMS, MAX_TEXT_CHARACTERS

_ID = re.compile(rf"[A-Za-z0-9._-]{{1,{MAX_ID_CHARACTERS}}}")
ID_REMEDY = f"Use 1 to {MAX_ID_CHARACTERS} letters, digits, '-', '_' or '.'."
OMITTED_AT_DEFAULT = {"omitted_at_default": True}
"""Metadata of a dataclass's field that records of earlier versions lack: it is written where it says something, so that what
they hold is still written, and digested, as it was."""
TEXT_REMEDY = f"Use 1 to {MAX_TEXT_CHARACTERS} printable characters."


def check_id(field: str, value: str) -> None:
    """Refuse what is no id.

    Raises:
        CollectionsError: INVALID_ARGUMENT naming the field.
    """
    found = id_violation(field, value)
    if found:
        raise CollectionsError(Reason.INVALID_ARGUMENT, str(found), (found,))


def normal_account_id(text: str) -> str:
    """Return an account's id as every reader keeps it, in Unicode's NFC: letters with marks may arrive composed or not."""
    return unicodedata.normalize("NFC", text)


def id_violation(field: str, value: str) -> FieldViolation | None:
    """Return what is wrong with an id, None if nothing."""
    return None if _ID.fullmatch(value) else FieldViolation(field, f"{_shown(value)} is not an id.", ID_REMEDY)


def text_violation(field: str, value: str, may_be_empty: bool = False) -> FieldViolation | None:
    """Return what is wrong with a text for people or a lender's code, None if nothing."""
    fits = len(value) <= MAX_TEXT_CHARACTERS and value.isprintable() and (bool(value) or may_be_empty)
    return None if fits else FieldViolation(field, f"{_shown(value)} is empty, too long or not printable.", TEXT_REMEDY)


def list_violations(field: str, values: Sequence[str | int]) -> Iterator[FieldViolation]:
    """Yield what is wrong with a list that holds each value once; texts in it as ``text_violation``."""
    if len(values) > MAX_LIST_ITEMS:
        yield FieldViolation(field, f"holds {len(values)} values.", f"Send at most {MAX_LIST_ITEMS}.")
        return
    seen: set[str | int] = set()
    for index, value in enumerate(values):
        if value in seen:
            yield FieldViolation(f"{field}[{index}]", f"{_shown(str(value))} stands there twice.", "Send each value once.")
        seen.add(value)
        found = text_violation(f"{field}[{index}]", value) if isinstance(value, str) else None
        if found:
            yield found


def label_violations(field: str, labels: Mapping[str, str]) -> Iterator[FieldViolation]:
    """Yield what is wrong with names and their texts."""
    if len(labels) > MAX_LIST_ITEMS:
        yield FieldViolation(field, f"holds {len(labels)} names.", f"Send at most {MAX_LIST_ITEMS}.")
        return
    for name, text in labels.items():
        for found in (text_violation(field, name), text_violation(f"{field}[{_shown(name)}]", text, may_be_empty=True)):
            if found:
                yield found


def check_seed(seed: int) -> None:
    """Refuse a seed that a solver or a generator could not take.

    Raises:
        CollectionsError: INVALID_ARGUMENT.
    """
    if not 0 <= seed < 2**31:
        raise refuse(Reason.INVALID_ARGUMENT, "seed", f"{seed} is no seed.", "Send 0 to 2147483647.")


def _shown(value: str) -> str:
    return repr(value[:40])
