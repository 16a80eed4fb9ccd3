"""Texts of lenders as people may see them: nothing hidden, nothing reordered, no formula in a spreadsheet."""

from __future__ import annotations

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_KEPT = "\n"


def visible(text: str, lines: bool = False) -> str:
    r"""Return a text whose characters all print: control, direction and width-less ones are written as their escapes.

    ``lines`` keeps line ends. A terminal that gets ``ESC`` obeys it; one that gets U+202E shows an id backwards.
    """
    if text.isprintable():
        return text
    kept = _KEPT if lines else ""
    return "".join(c if c.isprintable() or c in kept else c.encode("unicode_escape").decode("ascii") for c in text)


def csv_cell(value: object) -> object:
    """Return a value for a CSV file that a spreadsheet may open: texts visible, and none taken for a formula.

    Numbers stay numbers; a text that begins like a formula gets an apostrophe before it, which spreadsheets do not show.
    """
    if not isinstance(value, str):
        return value
    return f"'{visible(value)}" if value.startswith(_FORMULA_STARTS) else visible(value)
