"""How many ids of one side another side knows: told to people, and refused where it is none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.errors import Reason, refuse

_SHOWN = 2


@dataclass(frozen=True)
class IdMatch:
    """What share of the wanted ids was found.

    Attributes:
        wanted: number of ids looked for.
        found: number of them that the other side has.
        unused: ids of the other side that nobody looked for.
    """

    wanted: int
    found: int
    unused: int

    def sentence(self, what: str) -> str:
        """Return the match in words, such as ``matched 54 of 108 accounts in groups.csv``."""
        rest = f" ({self.unused:,} of its rows are of other accounts)" if self.unused else ""
        return f"matched {self.found:,} of {self.wanted:,} accounts in {what}{rest}"


def match_ids(wanted: NDArray[np.bytes_], known: NDArray[np.bytes_], what: str) -> IdMatch:
    """Return how many of the wanted ids (n,) are among the known (k,).

    Raises:
        CollectionsError: NOT_FOUND when there are ids on both sides and none is on both: another form of id, or another book.
    """
    found = int(np.isin(wanted, known).sum())
    if wanted.size and known.size and not found:
        here, there = (", ".join(one.decode("utf-8", "replace") for one in ids[:_SHOWN].tolist()) for ids in (wanted, known))
        problem = f"none of {wanted.size:,} accounts is in {what}: {here} here, {there} there."
        raise refuse(Reason.NOT_FOUND, "account_id", problem, "Send ids in the form in which the portfolio has them.", here)
    return IdMatch(wanted.size, found, int(known.size - np.isin(known, wanted).sum()))
