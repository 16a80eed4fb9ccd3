"""What every kind of model is learned from: recorded portfolios, most of them in order of time, and when the version was made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from collections_opt.application.workspace import Workspace
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.errors import Reason, refuse


@dataclass(frozen=True)
class RecordedPeriods:
    """Portfolios whose as-of dates rise: earlier ones are learned from, the last one judges."""

    portfolio_ids: tuple[str, ...]
    portfolios: tuple[Portfolio, ...]

    @property
    def dates(self) -> tuple[date, ...]:
        """Their as-of dates."""
        return tuple(portfolio.as_of_date for portfolio in self.portfolios)

    def told(self) -> dict[str, Any]:
        """Return what a manifest says of them."""
        return {"portfolios": list(self.portfolio_ids), "as_of_dates": [day.isoformat() for day in self.dates]}


def read_periods(workspace: Workspace, portfolio_ids: Sequence[str], least: int = 0) -> RecordedPeriods:
    """Return recorded portfolios in order of time.

    Raises:
        CollectionsError: NOT_FOUND for an unknown portfolio; INVALID_ARGUMENT for fewer than ``least``, or out of order.
    """
    portfolios = tuple(workspace.recorded.portfolio(portfolio_id) for portfolio_id in portfolio_ids)
    found = RecordedPeriods(tuple(portfolio_ids), portfolios)
    if len(portfolios) < least:
        told = f"{len(portfolios)} period(s): one each is needed to fit, to calibrate and to judge."
        raise refuse(Reason.INVALID_ARGUMENT, "portfolio", told, f"Give at least {least}, in order of time.")
    if any(later <= earlier for earlier, later in pairwise(found.dates)):
        told = f"as-of dates {', '.join(map(str, found.dates))} do not rise."
        raise refuse(Reason.INVALID_ARGUMENT, "portfolio", told, "Give portfolios in order of time.")
    return found


def creation_text(created_at: datetime) -> str:
    """Return when a version was made as its manifest says it.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a time without zone.
    """
    if created_at.tzinfo is None:
        raise refuse(Reason.INVALID_ARGUMENT, "created_at", "has no time zone.", "Pass one, such as +00:00.")
    return created_at.isoformat(timespec="seconds")
