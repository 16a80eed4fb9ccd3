"""Contact effects where a queue was assigned by a threshold: accounts just above it against those just below.

The jump of cures and defaults over the jump of the share contacted is the effect of contact at the threshold (local linear, a
slope on each side, errors clustered by account). It moves the queue's average effect, and no more (see ``effect_shift``). Graded
OBSERVATIONAL, and refused where contact does not start at the threshold or accounts bunch there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.column_names import held_column, told_columns
from collections_opt.core.accounts.schema import ACCOUNT_SCHEMA, ColumnKind
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.value.outcomes import CURE, DEFAULT
from collections_opt.scoring.effect.likelihood import EffectPrior
from collections_opt.scoring.effect.model import EffectEstimate, QueueEffectModel
from collections_opt.scoring.effect.rows import EffectPeriod, LoggedContacts, located, logged_contacts
from collections_opt.scoring.effect.segments import Segments
from collections_opt.scoring.effect.shift import HIDDEN_BIAS, PlannedShift, shifted
from collections_opt.scoring.thresholds.density_jump import density_jump
from collections_opt.scoring.thresholds.discontinuity import Window, discontinuity, discontinuity_per_treated

Floats = NDArray[np.float64]

MIN_SIDE_ROWS = 500
"""Rows that each side of a threshold needs."""

MIN_TAKE_UP = 0.3
"""Smallest jump of the share contacted: below it the threshold hardly decides who is contacted."""

MAX_ELSEWHERE = 0.05
"""Largest share of rows contacted by another queue: above it, the jump is not that of contact over no contact."""

SMALLEST_P_VALUE = 0.001
"""Of accounts not bunching at the threshold."""

_NUMBERS = {c.name for c in ACCOUNT_SCHEMA.values() if c.kind in (ColumnKind.MONEY, ColumnKind.COUNT, ColumnKind.RATE)}


@dataclass(frozen=True)
class ThresholdDesign:
    """A queue that was assigned by a threshold on a column of the portfolio.

    Attributes:
        queue_id: the queue.
        column: number column of the account schema.
        value: the threshold, in the column's unit.
        width: reach of the window to both sides.
    """

    queue_id: str
    column: str
    value: float
    width: float


def parse_threshold(text: str) -> ThresholdDesign:
    """Return a design of its text form, QUEUE=COLUMN:VALUE:WIDTH.

    Raises:
        CollectionsError: INVALID_ARGUMENT for another form, a column that holds no number, or a width that is not above 0.
    """
    queue_id, _, rest = text.partition("=")
    parts = rest.split(":")
    try:
        column, value, width = held_column(parts[0]), *(float(part) for part in parts[1:])
    except ValueError as error:
        form = "is not QUEUE=COLUMN:VALUE:WIDTH."
        raise refuse(
            Reason.INVALID_ARGUMENT, "threshold", f"{text!r} {form}", "Such as calls=balance_minor_units:90000:20000."
        ) from error
    if column not in _NUMBERS:
        told = f"{column!r} is no column with a number per account."
        raise refuse(Reason.INVALID_ARGUMENT, "threshold", told, f"Use one of: {', '.join(sorted(told_columns(_NUMBERS)))}.")
    if not (np.isfinite(value) and 0 < width < np.inf):
        raise refuse(Reason.INVALID_ARGUMENT, "threshold", f"{text!r} has no finite value or no width.", "Give a width above 0.")
    return ThresholdDesign(queue_id, column, value, width)


def learn_threshold(
    periods: Sequence[EffectPeriod], plan: CapacityPlan, design: ThresholdDesign, segments: Segments, prior: EffectPrior
) -> QueueEffectModel:
    """Return a queue's effect from the rows around its threshold that no holdout drew.

    Raises:
        CollectionsError: INVALID_ARGUMENT when the queue is not the plan's, there are too few rows, contact does not start at the
            threshold, other queues contact there, or accounts bunch.
    """
    queue = plan.queue_index(design.queue_id)
    everyone = logged_contacts(periods, plan, everyone=True)
    running, known = _running(periods, design.column)
    window = Window.around(design.value, design.width)
    inside = np.flatnonzero(window.rows(running) & known & ~everyone.log.randomised)
    rows, running = everyone.take(inside), running[inside]
    mine = rows.log.contacted & (rows.log.queue == queue)
    _check(rows, running, mine, design, window)
    take_up = discontinuity(running, mine.astype(np.float64), window, own_slopes=True).effect
    if abs(take_up) < MIN_TAKE_UP:
        raise _refusal(
            design,
            f"the share contacted changes by {take_up:+.0%} at {design.column} = {design.value:,.10g}, not by {MIN_TAKE_UP:.0%}.",
            "Name the threshold that decided.",
        )
    estimates = {
        name: _estimate(rows, running, mine, window, outcome) for name, outcome in (("cure", CURE), ("default", DEFAULT))
    }
    reason = (
        f"regression discontinuity at {design.column} = {design.value:,.10g} ± {design.width:,.10g}; share contacted jumps by "
        f"{take_up:+.0%}; bias allowed for other accounts: {HIDDEN_BIAS:.0%}"
    )
    return shifted(rows, plan.queues[queue], segments, PlannedShift.of(prior, queue), estimates, reason)


def _running(periods: Sequence[EffectPeriod], column: str) -> tuple[Floats, NDArray[np.bool_]]:
    """Return a column and where it has a value, aligned with ``logged_contacts`` of everyone."""
    places = [located(period.portfolio, period.log, everyone=True)[1] for period in periods]
    values = [period.portfolio.column(column)[place] for period, place in zip(periods, places, strict=True)]
    known = [period.portfolio.is_present(column)[place] for period, place in zip(periods, places, strict=True)]
    return np.concatenate(values).astype(np.float64), np.concatenate(known)


def _check(rows: LoggedContacts, running: Floats, mine: NDArray[np.bool_], design: ThresholdDesign, window: Window) -> None:
    above = running >= design.value
    sides = (int((~above).sum()), int(above.sum()))
    if min(sides) < MIN_SIDE_ROWS:
        told = f"{sides[0]} rows below and {sides[1]} above the threshold; {MIN_SIDE_ROWS} of each are needed."
        raise _refusal(design, told, "Widen the window, or send more months of the log.")
    elsewhere = float((rows.log.contacted & ~mine).mean())
    if elsewhere > MAX_ELSEWHERE:
        told = f"other queues contacted {elsewhere:.0%} of the rows around the threshold; at most {MAX_ELSEWHERE:.0%} may be."
        raise _refusal(design, told, "Use a threshold below which nobody was contacted.")
    bunching = density_jump(running, window)
    if bunching.p_value < SMALLEST_P_VALUE:
        told = (
            f"accounts bunch at the threshold: {bunching.ratio:.2f} times as many just above as just below "
            f"(p = {bunching.p_value:.1e}), so somebody chose their side."
        )
        raise _refusal(design, told, "Use a column that nobody could set.")


def _estimate(rows: LoggedContacts, running: Floats, mine: NDArray[np.bool_], window: Window, outcome: int) -> EffectEstimate:
    happened = (rows.log.outcome == outcome).astype(np.float64)
    found = discontinuity_per_treated(running, happened, mine, window, own_slopes=True, account=rows.log.account_id)
    return EffectEstimate(found.effect, found.robust_standard_error, found.robust_low, found.robust_high, int(happened.size))


def _refusal(design: ThresholdDesign, told: str, remedy: str) -> CollectionsError:
    return refuse(Reason.INVALID_ARGUMENT, f"threshold[{design.queue_id}]", told, remedy)
