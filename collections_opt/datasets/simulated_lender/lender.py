"""The simulated lender as a data source: portfolios over months, outcomes, contact logs; any size, streamed in chunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.portfolio import RawPortfolio
from collections_opt.core.arrays import Array
from collections_opt.core.evaluation.contact_log import ContactLog, join_logs
from collections_opt.datasets.simulated_lender.accounts import BLOCK_ACCOUNTS, further_stream, names
from collections_opt.datasets.simulated_lender.desk import CURRENCY
from collections_opt.datasets.simulated_lender.form import Form
from collections_opt.datasets.simulated_lender.months import Life, MonthBlock, arrears, live
from collections_opt.datasets.simulated_lender.parameters import LenderParameters
from collections_opt.datasets.snapshots import Snapshot

TIME_ZONE = "America/New_York"


@dataclass(frozen=True)
class LenderMonth:
    """The late accounts at a month end, what happened in the next month, and what the desk did; all aligned by row.

    Attributes:
        month: 0, 1, ...
        snapshot: accounts, outcomes and cash.
        log: the contact log of the next month.
        recovery_minor: int64 (n,) money recovered after a default, discounted to it; 0 for the others.
    """

    month: int
    snapshot: Snapshot
    log: ContactLog
    recovery_minor: NDArray[np.int64]

    @property
    def account_count(self) -> int:
        """Late accounts."""
        return self.log.row_count


class SimulatedLender:
    """A lender with known truth. The same seed gives the same bytes, however the accounts are cut into chunks.

    Args:
        seed: of everything; unequal seeds are unequal worlds with the same parameters.
        account_count: accounts of the book; about a tenth are late at a month end.
        parameters: the lender.
        form: how its people behave; the form of segments when None.
    """

    def __init__(
        self, seed: int, account_count: int, parameters: LenderParameters | None = None, form: Form | None = None
    ) -> None:
        if account_count < 1:
            raise ValueError("a lender needs at least one account")
        self.seed = seed
        self.account_count = account_count
        self.parameters = parameters or LenderParameters()
        self.form = form or Form()

    def month_end(self, month: int) -> date:
        """Return the as-of date of a month."""
        first = self.parameters.first_month
        months = first.year * 12 + first.month + month
        return date(months // 12, months % 12 + 1, 1) - timedelta(days=1)

    def month(self, month: int) -> LenderMonth:
        """Return one month of the whole book."""
        return self.history([month])[0]

    def history(self, months: Sequence[int]) -> list[LenderMonth]:
        """Return months of the whole book; one pass over the blocks serves all of them.

        Raises:
            ValueError: for a month outside the world.
        """
        parts: dict[int, list[LenderMonth]] = {month: [] for month in months}
        for chunk in self.chunks(months, BLOCK_ACCOUNTS):
            for part in chunk:
                parts[part.month].append(part)
        return [join_months(parts[month]) for month in months]

    def chunks(self, months: Sequence[int], chunk_accounts: int = 32 * BLOCK_ACCOUNTS) -> Iterator[list[LenderMonth]]:
        """Yield the months of consecutive accounts of the book, ``chunk_accounts`` at a time, so that any size streams.

        Raises:
            ValueError: for a month outside the world or a chunk without accounts.
        """
        if chunk_accounts < 1:
            raise ValueError("a chunk needs at least one account")
        for start in range(0, self.account_count, chunk_accounts):
            stop = min(start + chunk_accounts, self.account_count)
            pieces = [self._cut(block, start, stop, months) for block in range(start // BLOCK_ACCOUNTS, _blocks(stop))]
            yield [join_months(list(pieces_of_month)) for pieces_of_month in zip(*pieces, strict=True)]

    def blocks(self, months: Sequence[int], block: int) -> list[MonthBlock]:
        """Return months of one block with everything in it, truth included; evaluation reads it through ``truth``."""
        self._check(months)
        last = max(months, default=-1)
        lived = {b.month: b for b in live(self.parameters, self.form, self.seed, block, self.account_count, last)}
        return [lived[month] for month in months]

    def _cut(self, block: int, start: int, stop: int, months: Sequence[int]) -> list[LenderMonth]:
        result = []
        for lived in self.blocks(months, block):
            inside = np.flatnonzero((lived.accounts.number >= start) & (lived.accounts.number < stop))
            whole = self.described(lived, block)
            result.append(whole if inside.size == whole.account_count else _take(whole, inside))
        return result

    def _check(self, months: Sequence[int]) -> None:
        wrong = [month for month in months if not 0 <= month < self.parameters.months]
        if wrong:
            raise ValueError(f"month {wrong[0]} is outside the world; use 0 to {self.parameters.months - 1}")

    def life(self, block: int) -> Life:
        """Return a block to be lived as somebody else decides, from month 0 on."""
        return Life(self.parameters, self.form, self.seed, block, self.account_count)

    def described(self, lived: MonthBlock, block: int) -> LenderMonth:
        """Return what the lender's records say of a block's month."""
        amiss = further_stream(self.seed, block, 2 + lived.month)
        recorded = self.form.record(*_columns(self.parameters, lived), amiss)
        products = tuple(one.code for one in self.parameters.products)
        raw = RawPortfolio(self.month_end(lived.month), TIME_ZONE, CURRENCY, *recorded, products=products)
        ids = np.array(raw.columns["account_id"].tolist(), dtype="S13") if lived.rows.size else np.empty(0, dtype="S13")
        cash = lived.cash.astype(np.int64)
        log = ContactLog(
            self.parameters.queue_ids,
            ids,
            lived.queue,
            lived.contacted,
            lived.right_party,
            lived.propensity,
            lived.queue_propensity,
            lived.outcome.astype(np.int64),
            cash,
        )
        snapshot = Snapshot(raw, lived.outcome.astype(np.int64), cash, lived.rolled)
        return LenderMonth(lived.month, snapshot, log, lived.recovery.astype(np.int64))


def _blocks(account_count: int) -> int:
    return -(-account_count // BLOCK_ACCOUNTS)


def _columns(parameters: LenderParameters, lived: MonthBlock) -> tuple[dict[str, Array], dict[str, NDArray[np.bool_]]]:
    """Return the schema columns of a block's late accounts, and where cells have values."""
    late, state = lived.accounts, lived.state
    products, states = parameters.products, parameters.states
    bucket = state.missed - 1
    is_card = np.array([p.is_card for p in products])[late.product]
    charge_off = np.array([p.charge_off_bucket for p in products])[late.product] * 30
    days = bucket * 30 + late.due_day
    contacted, recent = state.contacted, state.contacted.sum(axis=0)
    calls = np.where(contacted[0], 5 * lived.draws.uniform[1], 0.0).astype(np.int64)
    columns: dict[str, Array] = {
        "account_id": names("SIM-", late.number),
        "customer_id": names("CUS-", late.customer),
        "product": np.array([p.code for p in products], dtype=object)[late.product],
        "state": np.array([code for code, _, _ in states], dtype=object)[late.state],
        "time_zone": np.array([zone for _, zone, _ in states], dtype=object)[late.state],
        "balance_minor": state.balance.astype(np.int64),
        "arrears_minor": arrears(parameters, late, state).astype(np.int64),
        "credit_limit_minor": np.where(is_card, late.limit, 0).astype(np.int64),
        "days_past_due": days,
        "months_on_book": late.age_months + parameters.history_months + lived.month,
        "days_to_charge_off": np.maximum(charge_off - days, 0),
        "contacts_in_window_count": recent.astype(np.int64),
        "calls_last_7_days_count": calls,
        "attempts_last_7_days_count": calls + contacted[0],
        # The desk works on no day of the two that end a month, and all calls of the week are of this month.
        "calls_today_count": np.zeros_like(calls),
        "attempts_today_count": np.zeros_like(calls),
        "calls_last_2_days_count": np.zeros_like(calls),
        "calls_this_month_count": calls,
        "attempts_this_month_count": calls + contacted[0],
        "days_since_conversation": state.conversation_days,
        "open_promise": state.open_promise,
        "status_history": np.maximum(state.status_history, 0).T,
        "balance_history_minor": state.balance_history.T.astype(np.int64),
        "payment_history_minor": state.payment_history.T.astype(np.int64),
    }
    columns |= {name: late.flags[:, index] for index, (name, _) in enumerate(parameters.flags)}
    present = {
        "state": columns["state"] != "",
        "time_zone": columns["state"] != "",
        "credit_limit_minor": is_card,
        "days_since_conversation": state.conversation_days > 0,
    }
    return columns, present


def _take(month: LenderMonth, rows: NDArray[np.int64]) -> LenderMonth:
    shot, raw = month.snapshot, month.snapshot.raw
    columns = {name: values[rows] for name, values in raw.columns.items()}
    present = {name: mask[rows] for name, mask in raw.present.items()}
    taken = replace(raw, columns=columns, present=present)
    snapshot = Snapshot(taken, shot.outcome[rows], shot.cash_minor[rows], shot.rolled_worse[rows])
    return LenderMonth(month.month, snapshot, month.log.take(rows), month.recovery_minor[rows])


def join_months(parts: Sequence[LenderMonth]) -> LenderMonth:
    """Return parts of one month one after another."""
    if len(parts) == 1:
        return parts[0]
    raws = [part.snapshot.raw for part in parts]
    first = raws[0]
    columns = {name: np.concatenate([raw.columns[name] for raw in raws]) for name in first.columns}
    present = {name: np.concatenate([raw.present[name] for raw in raws]) for name in first.present}
    raw = replace(first, columns=columns, present=present)
    snapshot = Snapshot(
        raw,
        np.concatenate([part.snapshot.outcome for part in parts]),
        np.concatenate([part.snapshot.cash_minor for part in parts]),
        np.concatenate([part.snapshot.rolled_worse for part in parts]),
    )
    recovery = np.concatenate([part.recovery_minor for part in parts])
    return LenderMonth(parts[0].month, snapshot, join_logs([part.log for part in parts]), recovery)
