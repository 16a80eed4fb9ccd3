"""In whose jurisdiction an account may be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def in_jurisdiction(states: NDArray[np.bytes_], jurisdictions: tuple[str, ...], strict: bool = False) -> NDArray[np.bool_]:
    """Return which accounts a rule of some jurisdictions may bind, bool (n,).

    An account of unknown state counts as inside: the rule may apply, and only the strict reading is safe. With ``strict`` so
    does an account whose place is known less exactly than the rule's: ``US`` may be in ``US-MA``, ``US-NY`` in ``US-NY-NYC``.
    """
    if not jurisdictions:
        return np.ones(states.shape, dtype=bool)
    inside = states == b""
    for code in jurisdictions:
        wanted = code.encode()
        inside |= (states == wanted) | np.char.startswith(states, wanted + b"-")
        if strict:
            parts = code.split("-")
            wider = ["-".join(parts[:size]).encode() for size in range(1, len(parts))]
            inside |= np.isin(states, np.array(wider, dtype="S")) if wider else False
    return np.asarray(inside, dtype=bool)
