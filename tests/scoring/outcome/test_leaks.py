"""Point in time, end to end: what happens after the as-of date moves no feature, and a planted leak is named."""

from dataclasses import replace

import numpy as np
import pytest

from collections_opt.application.training.outcome import training_period
from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.features import build_features
from collections_opt.datasets.credit_card import load_accounts, snapshot

STATUS = {9: "PAY_0", 8: "PAY_2", 7: "PAY_3", 6: "PAY_4", 5: "PAY_5", 4: "PAY_6"}
MONTHS = (5, 6, 7, 8)


@pytest.fixture(scope="module")
def accounts():
    return load_accounts()


def later_columns(month):
    """Return every column of the file that is decided after the statement of a month: its status comes with the next payment."""
    statuses = [name for m, name in STATUS.items() if m >= month]
    money = [f"{kind}{10 - m}" for m in range(month + 1, 10) for kind in ("BILL_AMT", "PAY_AMT")]
    return [*statuses, *money, "default_payment_next_month"]


def leaking_columns(derive, accounts, month):
    """Return the later columns whose change moves a feature."""
    honest = build_features(admit(derive(accounts, month).raw).portfolio).matrix
    found = []
    for name in later_columns(month):
        changed = accounts.assign(**{name: accounts[name].to_numpy()[::-1] + 1})
        if not np.array_equal(build_features(admit(derive(changed, month).raw).portfolio).matrix, honest, equal_nan=True):
            found.append(name)
    return found


@pytest.mark.parametrize("month", MONTHS)
def test_nothing_later_moves_a_feature(accounts, month):
    assert leaking_columns(snapshot, accounts, month) == []


def with_status_of_the_month(accounts, month):
    """Plant the trap of this data: the status named m, which the payment of m+1 decides, as the latest known status."""
    shot = snapshot(accounts, month)
    rows = accounts[STATUS[month - 1]].to_numpy() >= 2
    status = np.column_stack([accounts[STATUS[month]].to_numpy()[rows], shot.raw.columns["status_history"]]).astype(np.int64)
    return replace(shot, raw=replace(shot.raw, columns={**shot.raw.columns, "status_history": status}))


def with_the_next_payment(accounts, month):
    """Plant next month's cash as the latest payment."""
    shot = snapshot(accounts, month)
    payments = np.column_stack([shot.cash_minor, shot.raw.columns["payment_history_minor"]])
    return replace(shot, raw=replace(shot.raw, columns={**shot.raw.columns, "payment_history_minor": payments}))


@pytest.mark.parametrize("month", MONTHS)
def test_a_planted_leak_is_named(accounts, month):
    assert leaking_columns(with_status_of_the_month, accounts, month) == [STATUS[month]]
    assert leaking_columns(with_the_next_payment, accounts, month) == [f"PAY_AMT{9 - month}"]


def test_the_order_of_the_file_changes_no_feature_and_no_outcome(accounts):
    mine = training_period(snapshot(accounts, 6), "2005-06")
    theirs = training_period(snapshot(accounts.iloc[::-1], 6), "2005-06")
    assert mine.portfolio.digest == theirs.portfolio.digest
    np.testing.assert_array_equal(mine.outcome, theirs.outcome)
