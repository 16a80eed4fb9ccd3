"""What recovery models are learned from without a file: accounts of matured rankings that defaulted, and what they paid since."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.training.matured import MaturedRanking
from collections_opt.application.training.recovery import MIN_PERIODS, MIN_WORKOUT_DAYS
from collections_opt.application.workspace import Workspace
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.accounts.recovered_accounts import RecoveredAccounts
from collections_opt.core.day.event_columns import EventColumns, day_number, microseconds
from collections_opt.core.day.events import EventKind, RecordedEvent
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.outcomes.recoveries import Defaults, Workout, of_rows, recoveries
from collections_opt.core.outcomes.terms import Outcome
from collections_opt.ledger.events.event_log import EventLog

Ints = NDArray[np.int64]
_PAGE = 1_000
_OF = frozenset({EventKind.PAYMENT, EventKind.BALANCE, EventKind.OUTCOME, EventKind.REVERSAL})


@dataclass(frozen=True)
class LedgerRecoveries:
    """What a ledger tells of accounts after their default.

    Attributes:
        recoveries: by portfolio, in order of time.
        told: what a manifest says of where they come from.
        money: what the card says of how money counts.
    """

    recoveries: tuple[tuple[str, RecoveredAccounts], ...]
    told: Mapping[str, Any]
    money: str


@dataclass(frozen=True)
class _Period:
    """A ranking with its accounts that defaulted, and the numbers of their keys, int64 (n,)."""

    one: MaturedRanking
    defaults: Defaults
    key_no: Ints
    on_the_day: int


def ledger_recoveries(
    workspace: Workspace,
    matured: Sequence[MaturedRanking],
    at: datetime,
    is_named: bool,
    progress: Callable[[str, float], None] = lambda _s, _f: None,
) -> LedgerRecoveries:
    """Return what came back of accounts that defaulted within the horizons of rankings whose workouts have passed.

    Args:
        workspace: the ledger.
        matured: rankings in order of time.
        at: now; what happened until then counts, as far as it was told.
        is_named: somebody named them: one whose workouts have not passed is refused, else it is left out.
        progress: told stage and share done; what it raises ends the work.

    Raises:
        CollectionsError: INVALID_ARGUMENT for fewer than three rankings whose workouts have passed, saying when the next has.
    """
    over = [(one, _over_on(one), at.astimezone(ZoneInfo(one.opened.portfolio.time_zone)).date()) for one in matured]
    young = [(one.ranking_id, day) for one, day, today in over if day > today]
    if young and is_named:
        told = f"{young[0][0]}: what came back of its defaults is known on {young[0][1]}, {MIN_WORKOUT_DAYS} days after."
        raise refuse(Reason.INVALID_ARGUMENT, "ranking_ids", told, "Name earlier rankings.")
    old = [one for one, day, today in over if day <= today]
    if len(old) < MIN_PERIODS:
        told = f"{len(old)} matured ranking(s) have defaults of {MIN_WORKOUT_DAYS} days ago: {MIN_PERIODS - len(old)} missing."
        told += f" The next has on {min(day for _, day in young)}." if young else ""
        raise refuse(Reason.INVALID_ARGUMENT, "ranking_ids", told, "One each is needed to fit, to calibrate and to judge.")
    periods = [_period(workspace, one) for one in old]
    log = workspace.day.events.log
    last, numbers = log.last_sequence(), np.unique(np.concatenate([period.key_no for period in periods]))
    events = _events(log, numbers, min(_begin(period.one.opened.portfolio) for period in periods), last, progress)
    rate = old[-1].opened.parameters.discount_rate
    found, left_out = [], {"defaulted on the as-of date": sum(period.on_the_day for period in periods)}
    for period in periods:
        workout = Workout(MIN_WORKOUT_DAYS, rate, period.one.opened.portfolio.time_zone)
        made = recoveries(period.defaults, of_rows(events, np.searchsorted(numbers, period.key_no)), workout)
        found.append((period.one.portfolio_id, made.accounts))
        left_out = {name: left_out.get(name, 0) + made.left_out.get(name, 0) for name in {**left_out, **made.left_out}}
    told_of = {
        "rankings": [one.ranking_id for one in old],
        "event_sequence": last,
        "workout_days": MIN_WORKOUT_DAYS,
        "discount_rate": rate,
        "left_out": {name: count for name, count in left_out.items() if count},
    }
    return LedgerRecoveries(tuple(found), told_of, _money(rate))


def _money(rate: float) -> str:
    return (
        f"Money is what events told as paid within {MIN_WORKOUT_DAYS} days after the default, discounted to it at {rate:.1%} a "
        "year. What recovering cost beside labour is not told by events and not taken off."
    )


def _over_on(one: MaturedRanking) -> date:
    """Return the first day on which all that came back of a ranking's defaults can have been told."""
    return one.day + timedelta(days=int(one.found.horizon.max(initial=0)) + MIN_WORKOUT_DAYS + one.grace_days + 1)


def _period(workspace: Workspace, one: MaturedRanking) -> _Period:
    """Return the accounts of a ranking that defaulted after its day, with the last balance that a portfolio states."""
    portfolio, found, first = one.opened.portfolio, one.found, day_number(one.day)
    defaulted = found.outcome == Outcome.DEFAULTED
    rows = np.flatnonzero(defaulted & (found.day > 0))
    at = np.full(rows.size, _instant(portfolio))
    owed = portfolio.column("balance_minor")[rows].astype(np.int64)
    defaults = Defaults(found.account_id[rows], first + found.day[rows].astype(np.int64), owed, at)
    for portfolio_id in one.later_portfolio_ids:
        later = workspace.recorded.portfolio(portfolio_id)
        balance = later.column("balance_minor").astype(np.int64)
        defaults = defaults.restated(later.column("account_id"), balance, day_number(later.as_of_date), _instant(later))
    return _Period(one, defaults, one.opened.inputs.key_no[rows], int((defaulted & (found.day <= 0)).sum()))


def _events(log: EventLog, numbers: Ints, begin: datetime, last: int, progress: Callable[[str, float], None]) -> EventColumns:
    """Return what money and ends events tell of accounts by the numbers of their keys, sorted; rows are places among them."""
    rows: list[int] = []
    events: list[RecordedEvent] = []
    after = first = log.before(begin)
    while after < last and (page := log.after(after, _PAGE)):
        progress("read what was paid", 0.5 * (after - first) / max(last - first, 1))
        after = page[-1].recorded.sequence
        place = np.searchsorted(numbers, [one.account_no for one in page])
        known = numbers[np.minimum(place, numbers.size - 1)] if numbers.size else np.full(place.size, -1)
        for one, row, number in zip(page, place.tolist(), known.tolist(), strict=True):
            event = one.recorded.event
            if one.account_no == number and event is not None and event.kind in _OF and one.recorded.sequence <= last:
                rows.append(row)
                events.append(one.recorded)
    return EventColumns.of(rows, events)


def _begin(portfolio: Portfolio) -> datetime:
    """Return the beginning of a portfolio's day; an event of it may be told a little earlier."""
    return _day_begins(portfolio) - timedelta(hours=1)


def _instant(portfolio: Portfolio) -> int:
    return microseconds(_day_begins(portfolio))


def _day_begins(portfolio: Portfolio) -> datetime:
    return datetime.combine(portfolio.as_of_date, time(), ZoneInfo(portfolio.time_zone))
