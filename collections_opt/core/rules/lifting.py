"""When the block of every cell lifts by itself, whole columns at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.rules.eligibility import Eligibility

Days = NDArray[np.datetime64]


def lift_days(found: Eligibility, portfolio: Portfolio) -> Days:
    """Return ``lifts_on`` of every cell, datetime64[D] (n, q); NaT where it says None."""
    days = np.full(found.blocked_by.shape, np.datetime64("NaT", "D"))
    today = np.datetime64(portfolio.as_of_date, "D")
    for code in np.flatnonzero(np.bincount(found.blocked_by.reshape(-1), minlength=1)[1:]).tolist():
        reason, cells = found.legend[code], found.blocked_by == code + 1
        if reason.by_hours and found.hours is not None:
            _by_hours(days, cells, found, portfolio)
        elif reason.wait_days:
            waits = today + (reason.wait_days + 1 - portfolio.column(reason.column)).astype("timedelta64[D]")
            waits = np.where(portfolio.is_present(reason.column), waits, np.datetime64("NaT", "D"))
            days[cells] = np.broadcast_to(waits[:, np.newaxis], cells.shape)[cells]
        elif reason.next_eligible_days:
            days[cells] = today + np.timedelta64(reason.next_eligible_days, "D")
    return days


def _by_hours(days: Days, cells: NDArray[np.bool_], found: Eligibility, portfolio: Portfolio) -> None:
    """Set the days of cells that hours block; accounts of a group stand alike, so one of them is asked for all."""
    hours = found.hours
    assert hours is not None
    row, queue = np.nonzero(cells)
    alike, first, place = np.unique(hours.group[row] * cells.shape[1] + queue, return_index=True, return_inverse=True)
    opens = [hours.next_day(int(row[at]), int(queue[at]), portfolio.as_of_date) for at in first.tolist()]
    told = np.array([np.datetime64("NaT", "D") if day is None else np.datetime64(day, "D") for day in opens], dtype=days.dtype)
    assert told.shape == alike.shape
    days[row, queue] = told[place]
