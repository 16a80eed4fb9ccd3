"""The check between values and worklists: payoffs that had to be put in order decide only where they are few, or accepted."""

from __future__ import annotations

from collections_opt.application.records.scoring_facts import ClippedFacts
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.value.payoffs import Payoffs, ValueParameters

MOST_CLIPPED = 0.01
"""Share of accounts whose payoffs may have been put in order; a charge-off near or an LGD of their own does it to a few."""


def checked_payoffs(worth: Payoffs, parameters: ValueParameters, accepted: bool) -> ClippedFacts | None:
    """Return what a ranking's health says of accounts whose payoffs were put in order; None where that is not asked for.

    Raises:
        CollectionsError: VALUES_OUT_OF_ORDER when they are more than one in a hundred and nobody has accepted them.
    """
    if not parameters.in_order:
        return None
    count, total = int(worth.out_of_order.sum()), int(worth.out_of_order.size)
    if count > MOST_CLIPPED * total and not accepted:
        raise CollectionsError(
            Reason.VALUES_OUT_OF_ORDER,
            f"Nothing was ranked: for {count:,} of {total:,} accounts a worse outcome would be worth more than a better one, by "
            "their own loss given default, limit or days to charge-off. Look at these columns and at the values of their "
            "products; if they are right, send a new request with accept_clipped_values.",
        )
    return ClippedFacts(count, bool(count and accepted))
