"""What staying late is worth on the shipped card, measured anew from the bundled months."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from collections_opt.core.evaluation.roll_rates import AbsorbingWorth, Transitions, count_rates
from collections_opt.core.value.outcomes import DEFAULT, STAY
from collections_opt.core.value.payoffs import BUCKET_COUNT
from collections_opt.datasets.roll_rates import late_transitions
from collections_opt.datasets.snapshots import Snapshot


def card_stay_values(snapshots: Sequence[Snapshot], ends: AbsorbingWorth) -> tuple[float, ...]:
    """Return the shipped card's v_S by bucket: of the bundled accounts' months, 180 days past due taken as charge-off.

    The bundled file has no account in buckets 0 and 1; they are taken as bucket 2, which is not more than they are worth.
    """
    transitions = charged_off_at(late_transitions(snapshots), BUCKET_COUNT - 1)
    found = count_rates(transitions)
    values = found.stay_values(ends)
    first = int(np.flatnonzero(found.account_count)[0])
    return (float(values[first]),) * first + tuple(values[first:].tolist())


def charged_off_at(transitions: Transitions, bucket: int) -> Transitions:
    """Return transitions in which reaching a bucket is the charge-off, and no earlier bucket is: late is not lost before that."""
    stays = np.where(transitions.outcome == DEFAULT, STAY, transitions.outcome)
    outcome = np.where((stays == STAY) & (transitions.after >= bucket), DEFAULT, stays)
    return replace(transitions, outcome=outcome)
