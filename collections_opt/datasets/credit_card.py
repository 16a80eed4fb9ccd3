"""The bundled credit-card accounts as month-end snapshots of delinquent accounts, without leaks.

Timing, which is the trap of this data: the status named m is decided by the payment named m+1. A snapshot at the statement of
month m may therefore use statuses up to m-1, balances up to m and payments up to m; its outcomes are status m and the cash paid
in m+1. Months are 2005-04 to 2005-09; columns PAY_0, PAY_2 .. PAY_6 are September back to April.

Derived, because the data do not carry them: days past due = 30 x status m-1; arrears = 5 % of the balance (the usual minimum
payment) per month past due, at most the balance. Amounts are New Taiwan dollars, here in minor units of 1/100.
"""

from __future__ import annotations

from datetime import date
from importlib import resources

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from collections_opt.core.accounts.portfolio import RawPortfolio
from collections_opt.core.value.outcomes import CURE, DEFAULT, STAY
from collections_opt.datasets.snapshots import Snapshot

CURRENCY, TIME_ZONE, PRODUCT, STATE = "TWD", "Asia/Taipei", "CREDIT_CARD", "TW"
MINIMUM_PAYMENT_SHARE = 0.05
DELINQUENT_STATUS = 2
DEFAULT_STATUS = 3
TRAINING_MONTHS = (5, 6, 7)
PORTFOLIO_MONTH = 8
_STATUS_COLUMNS = {9: "PAY_0", 8: "PAY_2", 7: "PAY_3", 6: "PAY_4", 5: "PAY_5", 4: "PAY_6"}
_MONTH_END = {4: 30, 5: 31, 6: 30, 7: 31, 8: 31, 9: 30}
FIRST_MONTH = 4


def load_accounts() -> pd.DataFrame:
    """Return the 30,000 bundled accounts with their original columns."""
    folder = resources.files("collections_opt.datasets").joinpath("bundled/uci_credit_card")
    with resources.as_file(folder.joinpath("uci_credit_card_default.parquet")) as path:
        return pd.read_parquet(path)


def snapshot(accounts: pd.DataFrame, month: int) -> Snapshot:
    """Return the accounts two or more months past due at the statement of a month, 5 (May) to 8 (August) of 2005.

    Outcome by status m: cure at 0 or less; default at 3 or more (90 days) for accounts that were below it; stay otherwise,
    accounts already past 90 days included.

    Raises:
        ValueError: for a month without a month before and after it.
    """
    if not 5 <= month <= 8:
        raise ValueError(f"month {month} has no snapshot; use 5 (May) to 8 (August)")
    raw, outcome, rolled_worse, late = _delinquent(accounts, month)
    return Snapshot(raw, outcome, late[f"PAY_AMT{9 - month}"].to_numpy(dtype=np.int64) * 100, rolled_worse)


def september(accounts: pd.DataFrame) -> tuple[RawPortfolio, NDArray[np.int64]]:
    """Return September's delinquent accounts and their outcomes, int64 (n,): for a drift alarm, never for training.

    Its codes break: status 0 disappears and 1 appears. The cash of the month after is not in the data.
    """
    raw, outcome, _, _ = _delinquent(accounts, 9)
    return raw, outcome


def _delinquent(accounts: pd.DataFrame, month: int) -> tuple[RawPortfolio, NDArray[np.int64], NDArray[np.bool_], pd.DataFrame]:
    """Return the accounts past due at a month's statement as columns, their outcome, whether they rolled, and their rows."""
    previous = accounts[_STATUS_COLUMNS[month - 1]]
    late = accounts[previous >= DELINQUENT_STATUS]
    status = _stack(late, [_STATUS_COLUMNS[m] for m in range(month - 1, FIRST_MONTH - 1, -1)])
    balances = _stack(late, [f"BILL_AMT{10 - m}" for m in range(month, FIRST_MONTH - 1, -1)]) * 100
    payments = _stack(late, [f"PAY_AMT{10 - m}" for m in range(month, FIRST_MONTH - 1, -1)]) * 100
    balance, last = balances[:, 0], status[:, 0]
    raw = RawPortfolio(
        as_of_date=date(2005, month, _MONTH_END[month]),
        time_zone=TIME_ZONE,
        currency_code=CURRENCY,
        columns={
            "account_id": late["ID"].map("UCI-{:06d}".format).to_numpy(dtype=object),
            "product": np.full(len(late), PRODUCT, dtype=object),
            "state": np.full(len(late), STATE, dtype=object),
            "time_zone": np.full(len(late), TIME_ZONE, dtype=object),
            "balance_minor": balance,
            "arrears_minor": estimated_arrears_minor(balance, last),
            "credit_limit_minor": late["LIMIT_BAL"].to_numpy(dtype=np.int64) * 100,
            "days_past_due": last * 30,
            "status_history": status,
            "balance_history_minor": balances,
            "payment_history_minor": payments,
        },
    )
    now = late[_STATUS_COLUMNS[month]].to_numpy(dtype=np.int64)
    outcome = np.select([now <= 0, (now >= DEFAULT_STATUS) & (last < DEFAULT_STATUS)], [CURE, DEFAULT], STAY)
    return raw, outcome.astype(np.int64), now > last, late


def estimated_arrears_minor(balance: NDArray[np.int64], months_past_due: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return arrears as the missed minimum payments, int64 minor units, at most the balance and at least 0."""
    missed = np.floor(np.maximum(balance, 0) * MINIMUM_PAYMENT_SHARE * np.maximum(months_past_due, 0))
    return np.minimum(missed.astype(np.int64), np.maximum(balance, 0))


def _stack(frame: pd.DataFrame, columns: list[str]) -> NDArray[np.int64]:
    return np.ascontiguousarray(frame[columns].to_numpy(dtype=np.int64))
