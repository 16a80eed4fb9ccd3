"""Recoveries of imported portfolios: what may not be learned from is refused in words, and what is learned says where from."""

import shutil
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from collections_opt.application.training.recovery import RecoveryTraining, recovery_rows, train_recoveries
from collections_opt.core.accounts.recovered_accounts import RecoveredAccounts
from collections_opt.core.errors import CollectionsError
from collections_opt.scoring.recovery.artifacts import load_recovery
from tests.support.books.evidence_worlds import MODELS, NOW, book, opened

AS_OF = book(2).as_of_date
STEP = timedelta(days=31)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lender")
    made = opened(folder / "data", models=Path(shutil.copytree(MODELS, folder / "models")))
    for index in range(3):
        made.books.import_portfolio(f"p{index}", book(2_000, seed=index, as_of=AS_OF + index * STEP))
    yield made
    made.close()


def recovered(index, rows=range(500), workout=700, seed=0):
    """Return what came back of some accounts of a portfolio: of every third nothing, of the others a part or all."""
    rows = np.asarray(rows)
    rng = np.random.default_rng([seed, index])
    ids = np.array([f"AC-{row:05d}".encode() for row in rows.tolist()])
    exposure = rng.integers(20_000, 900_000, rows.size)
    share = np.select([rows % 3 == 0, rows % 10 == 1], [0.0, 1.0], rng.uniform(0.05, 0.8, rows.size))
    on = np.full(rows.size, np.datetime64(AS_OF + index * STEP + timedelta(days=20), "D"))
    return RecoveredAccounts(ids, on, exposure, (share * exposure).astype(np.int64), on + workout)


def train(workspace, recoveries, version="back-1", **changes):
    return train_recoveries(workspace, workspace.models.root, RecoveryTraining(version, recoveries, **changes), NOW)


def periods(**changes):
    return [(f"p{index}", recovered(index, range(index * 500, index * 500 + 500), **changes)) for index in range(3)]


def test_what_was_learned_says_from_what_and_how_good_it_is(workspace):
    report = train(workspace, periods())
    assert report.row_counts[0] > 400
    artifact = load_recovery(workspace.models.root, "back-1")
    held = artifact.manifest.training
    assert held["portfolios"] == ["p0", "p1", "p2"]
    assert held["shortest_workout_days"] == 700
    low, high = artifact.manifest.metric_intervals["money_level"]
    assert low < artifact.manifest.metrics["money_level"] < high
    assert "captured_20pct_by_value" in artifact.manifest.metrics
    assert "| nothing |" in artifact.card
    assert "| balance |" in artifact.card
    again = train(workspace, periods())
    assert again.metrics == report.metrics
    with pytest.raises(CollectionsError, match="other bytes"):
        train(workspace, periods(seed=1))


def test_a_learned_version_is_the_same_bytes_again(workspace):
    first = train(workspace, periods(), "twin-1").folder
    text = (first / "recovery.json").read_text()
    shutil.rmtree(first)
    assert (train(workspace, periods(), "twin-1").folder / "recovery.json").read_text() == text


def test_accounts_of_an_earlier_period_neither_calibrate_nor_judge(workspace):
    same = [(f"p{index}", recovered(index)) for index in range(3)]
    with pytest.raises(CollectionsError, match="0 accounts that gave nothing back"):
        train(workspace, same, "again-1")


def test_periods_out_of_order_and_too_few_are_refused(workspace):
    given = periods()
    with pytest.raises(CollectionsError, match="at least 3"):
        train(workspace, given[:2], "few-1")
    with pytest.raises(CollectionsError, match="do not rise"):
        train(workspace, [given[1], given[0], given[2]], "order-1")
    assert not (workspace.models.root / "recovery" / "few-1").exists()


def test_a_portfolio_that_describes_accounts_after_their_charge_off_is_refused(workspace):
    given = periods()
    late = [*given[:2], ("p2", given[0][1])]
    with pytest.raises(CollectionsError, match="before their charge-off") as refused:
        train(workspace, late, "late-1")
    assert refused.value.violations[0].field == "charged_off_on[0]"


def test_recoveries_of_a_short_time_are_refused_unless_asked_for(workspace):
    with pytest.raises(CollectionsError, match="fewer than 365") as refused:
        train(workspace, periods(workout=90), "short-1")
    assert refused.value.violations[0].field == "recovered_until[0]"
    assert train(workspace, periods(workout=90), "short-1", min_workout_days=60).metrics


def test_rows_of_no_account_are_left_out_and_counted(workspace):
    portfolio = workspace.recorded.portfolio("p0")
    rows = recovery_rows(portfolio, recovered(0, [5, 9_999, 7]))
    assert (rows.count, rows.dropped_count) == (2, 1)
    assert rows.account.tolist() == [b"AC-00005", b"AC-00007"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"exposure_minor": np.array([0, 5])}, "exposure_at_default_minor[0]"),
        ({"account_id": np.array([b"a", b"a"])}, "account_id[1]"),
        ({"recovered_until": np.array(["2020-01-01", "2020-01-01"], dtype="datetime64[D]")}, "recovered_until[0]"),
    ],
)
def test_rows_that_make_no_sense_are_named(change, field):
    one = recovered(0, [1, 2])
    columns = {name: getattr(one, name) for name in one.__dataclass_fields__}
    with pytest.raises(CollectionsError) as refused:
        RecoveredAccounts(**{**columns, **change})
    assert refused.value.violations[0].field == field
