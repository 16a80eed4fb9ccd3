"""Loss given default of every account, and where it comes from: the account itself, a recovery model, the value parameters."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.value.outcomes import PROBABILITY_SCALE

Floats = NDArray[np.float64]

LossesOf = Callable[[Portfolio], Floats]
"""Returns the modelled loss given default of every account, (n,) from 0 to 1; a row does not depend on the other rows."""


class LossSource(IntEnum):
    """Where an account's loss given default comes from, the strongest first."""

    ACCOUNT = 1
    """The account's own column: who sends it knows more of the account than a model."""
    RECOVERY_MODEL = 2
    """One minus the recovered share that the recovery model expects."""
    VALUE_PARAMETERS = 3
    """The value parameters, by product."""


def account_losses(
    portfolio: Portfolio, by_product: Floats, losses_of: LossesOf | None = None
) -> tuple[Floats, NDArray[np.uint8]]:
    """Return the loss given default of every account, float64 (n,), and its ``LossSource``, uint8 (n,).

    Modelled losses are put on the grid of 1e-9, as scores are, so that they are the same wherever they are computed again.

    Args:
        portfolio: the accounts.
        by_product: float64 (n,) loss given default by product, of accounts that neither have their own nor a model's.
        losses_of: the model; None for none.
    """
    own = portfolio.is_present("loss_given_default")
    others, source = by_product, LossSource.VALUE_PARAMETERS
    if losses_of is not None:
        modelled = np.rint(np.clip(losses_of(portfolio), 0.0, 1.0) * PROBABILITY_SCALE)
        others, source = modelled / PROBABILITY_SCALE, LossSource.RECOVERY_MODEL
    values = np.where(own, portfolio.column("loss_given_default"), others)
    return values, np.where(own, LossSource.ACCOUNT, source).astype(np.uint8)
