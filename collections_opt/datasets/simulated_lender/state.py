"""Where a block's accounts stand at a month end, and the month's random numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.datasets.simulated_lender.accounts import BLOCK_ACCOUNTS, Floats, Ints

CHARGED_OFF = -1
"""Missed payments of an account that has been charged off."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class State:
    """Where a block's accounts stand at a month end; arrays of length m, histories (months, m) with the latest first.

    Attributes:
        missed: int64 payments missed; 0 is current, ``CHARGED_OFF`` is gone.
        balance: float64 minor units.
        shock: float64, passing trait.
        contacted: bool (2, m) in the last month and the one before.
        reached: bool, right party reached in the last month.
        conversation_days: int64 days since a conversation, 0 for none.
        open_promise: bool.
        status_history: int64 payments missed per month end.
        balance_history: float64.
        payment_history: float64.
    """

    missed: Ints
    balance: Floats
    shock: Floats
    contacted: Mask
    reached: Mask
    conversation_days: Ints
    open_promise: Mask
    status_history: Ints
    balance_history: Floats
    payment_history: Floats

    def take(self, rows: Ints) -> State:
        """Return the state of some accounts."""
        return State(**{name: getattr(self, name)[..., rows] for name in self.__dataclass_fields__})


@dataclass(frozen=True)
class Draws:
    """A month's random numbers of a block.

    Attributes:
        normal: float64 (3, m): passing trait, purchases, the desk's impression.
        uniform: float64 (12, m): 0 holdout queue, 1 calls of the last week, 2 holdout, 3 contact, 4 right party, 5 outcome,
            6 roll, 7 payment, 8 amount, 9 and 10 recovery, 11 turning late.
        taste: float64 (q, m) uniforms: the desk's choice of queue.
    """

    normal: Floats
    uniform: Floats
    taste: Floats

    def take(self, rows: Ints) -> Draws:
        """Return the draws of some accounts."""
        return Draws(self.normal[:, rows], self.uniform[:, rows], self.taste[:, rows])


def draw(rng: np.random.Generator, queue_count: int) -> Draws:
    """Return a month's numbers of a whole block, always in this order."""
    return Draws(
        rng.standard_normal((3, BLOCK_ACCOUNTS)), rng.random((12, BLOCK_ACCOUNTS)), rng.random((queue_count, BLOCK_ACCOUNTS))
    )
