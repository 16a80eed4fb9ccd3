"""What a text of a closed vocabulary was read as."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CodeReading:
    """How one text was read.

    Attributes:
        code: the known value; the text itself where it is not known.
        known: whether the vocabulary holds it.
        nearest: known values like it, best first, where it is not known.
    """

    code: str
    known: bool = True
    nearest: tuple[str, ...] = ()
