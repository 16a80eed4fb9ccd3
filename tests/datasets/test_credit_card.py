"""The derivation of delinquent snapshots against an independent one, row by row."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from collections_opt.core.accounts.admission import admit
from collections_opt.core.value.outcomes import CURE, DEFAULT
from collections_opt.datasets.credit_card import load_accounts, snapshot

PANEL = Path(__file__).parents[1] / "data/credit_card/uci_credit_card_panel_may_jul.parquet"


@pytest.fixture(scope="module")
def accounts():
    return load_accounts()


@pytest.fixture(scope="module")
def panel():
    return pd.read_parquet(PANEL)


@pytest.mark.parametrize("month", [5, 6, 7])
def test_snapshots_equal_the_independent_panel(accounts, panel, month):
    expected = panel[panel["statement_month"] == 200500 + month].sort_values("account_id")
    shot = snapshot(accounts, month)
    columns = shot.raw.columns
    assert [int(i.removeprefix("UCI-")) for i in columns["account_id"]] == expected["account_id"].tolist()
    np.testing.assert_array_equal(columns["balance_minor"], expected["balance"].to_numpy() * 100)
    np.testing.assert_array_equal(columns["payment_history_minor"][:, 0], expected["paid"].to_numpy() * 100)
    np.testing.assert_array_equal(columns["status_history"][:, 0], expected["status_lag1"])
    for lag in range(2, month - 3):
        np.testing.assert_array_equal(columns["status_history"][:, lag - 1], expected[f"status_lag{lag}"])
    np.testing.assert_array_equal(shot.cash_minor, expected["y_cash"].to_numpy() * 100)
    np.testing.assert_array_equal(shot.outcome == CURE, expected["y_cure"] == 1)
    np.testing.assert_array_equal(shot.rolled_worse, expected["y_roll_worse"] == 1)


def test_panel_sizes_are_the_published_ones(accounts, panel):
    assert sum(len(snapshot(accounts, m).outcome) for m in (5, 6, 7)) == len(panel) == 9_555
    assert len(snapshot(accounts, 8).outcome) == 4_209


def test_default_is_reaching_ninety_days(accounts):
    shot = snapshot(accounts, 8)
    was = shot.raw.columns["status_history"][:, 0]
    assert (was[shot.outcome == DEFAULT] == 2).all()


def test_nothing_after_the_as_of_date_enters(accounts):
    """Changing every later column changes no input: the harness for the timing trap."""
    later = accounts.copy()
    for column in ("PAY_0", "PAY_2", "BILL_AMT1", "PAY_AMT1", "default_payment_next_month"):
        later[column] = 7
    mine, theirs = snapshot(accounts, 8).raw, snapshot(later, 8).raw
    for name, column in mine.columns.items():
        np.testing.assert_array_equal(column, theirs.columns[name])


def test_every_row_of_the_portfolio_is_accepted_and_outcomes_follow_the_sorting(accounts):
    shot = snapshot(accounts, 8)
    admission = admit(shot.raw)
    assert (admission.portfolio.account_count, admission.quarantine.row_count) == (4_209, 0)
    realised = shot.realised_for(admission.portfolio)
    assert realised.cash_minor.sum() == shot.cash_minor.sum()
    ids = admission.portfolio.column("account_id").astype(str)
    first = int(np.flatnonzero(shot.raw.columns["account_id"] == ids[10])[0])
    assert realised.cash_minor[10] == shot.cash_minor[first]


def test_months_without_neighbours_are_refused(accounts):
    for month in (4, 9):
        with pytest.raises(ValueError, match="no snapshot"):
            snapshot(accounts, month)
