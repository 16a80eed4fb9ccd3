"""The simulated lender: the same bytes for the same seed, a book that lives as it says, and a log that misleads as logs do."""

from dataclasses import replace

import numpy as np
import pytest

from collections_opt.core.accounts.admission import admit
from collections_opt.core.evaluation.contact_log import NO_QUEUE
from collections_opt.core.rules.eligibility import bucket_of
from collections_opt.core.value.outcomes import CURE, DEFAULT, STAY
from collections_opt.datasets.simulated_lender import SOURCES, LenderParameters, SimulatedLender, desk_plan
from collections_opt.datasets.simulated_lender.truth import potential_outcomes

MONTHS = (0, 1, 2)
BOOK = 40_000


@pytest.fixture(scope="module")
def lender():
    return SimulatedLender(7, BOOK)


@pytest.fixture(scope="module")
def history(lender):
    return lender.history(MONTHS)


@pytest.fixture(scope="module")
def truth(lender):
    return potential_outcomes(lender, 1, desk_plan(500))


def assert_same_month(one, other):
    assert one.month == other.month
    for name, values in one.snapshot.raw.columns.items():
        assert np.array_equal(values, other.snapshot.raw.columns[name]), name
    for name, mask in one.snapshot.raw.present.items():
        assert np.array_equal(mask, other.snapshot.raw.present[name]), name
    for name in one.log.columns:
        same = np.array_equal(getattr(one.log, name), getattr(other.log, name), equal_nan=name.endswith("propensity"))
        assert same, name
    assert np.array_equal(one.recovery_minor, other.recovery_minor)


@pytest.mark.parametrize("size", [3_001, 8_192, 25_000, 10**9])
def test_chunks_never_change_a_byte(lender, history, size):
    parts = list(lender.chunks([2], size))
    assert len(parts) == -(-BOOK // size)
    assert sum(chunk[0].account_count for chunk in parts) == history[2].account_count
    ids = np.concatenate([chunk[0].log.account_id for chunk in parts])
    assert np.array_equal(ids, history[2].log.account_id)
    whole = [np.concatenate([chunk[0].snapshot.cash_minor for chunk in parts]), history[2].snapshot.cash_minor]
    assert np.array_equal(*whole)


def test_a_larger_book_begins_with_the_smaller_one_and_months_do_not_depend_on_the_others_asked_for(lender, history):
    larger = next(SimulatedLender(7, 3 * BOOK).chunks([1], BOOK))[0]
    assert_same_month(history[1], larger)
    assert_same_month(history[1], lender.month(1))


def test_another_seed_is_another_world(history):
    other = SimulatedLender(8, BOOK).month(0)
    assert not np.array_equal(other.log.account_id, history[0].log.account_id)


def test_every_account_passes_the_door_and_shares_follow_the_published_ones(history):
    admission = admit(history[1].snapshot.raw)
    assert admission.quarantine.row_count == 0
    portfolio = admission.portfolio
    assert portfolio.account_count == history[1].account_count
    bucket = bucket_of(portfolio.column("days_past_due"))
    assert set(np.unique(bucket)) <= set(range(6))
    outcome = history[1].snapshot.outcome[history[1].snapshot.rows_of(portfolio)]
    cured = [float((outcome[bucket == b] == CURE).mean()) for b in range(5)]
    assert cured[0] > max(cured[1:3]) > cured[3] > cured[4]
    assert 0.20 < cured[2] < 0.40
    late = history[1].account_count / BOOK
    assert 0.05 < late < 0.20


def test_months_follow_from_each_other(history):
    """Cured accounts are gone, defaults never return, those that stay have their old status as history and paid what was said."""
    now, later = history[0], history[1]
    raw, after = now.snapshot.raw.columns, later.snapshot.raw.columns
    place = {account: row for row, account in enumerate(after["account_id"].tolist())}
    found = np.array([place.get(account, -1) for account in raw["account_id"].tolist()])
    outcome = now.snapshot.outcome
    assert (found[outcome != STAY] == -1).all()
    stays = np.flatnonzero(outcome == STAY)
    assert (found[stays] >= 0).all()
    next_rows = found[stays]
    assert np.array_equal(after["status_history"][next_rows, 1:], raw["status_history"][stays, :-1])
    rise = after["status_history"][next_rows, 0] - raw["status_history"][stays, 0]
    assert np.array_equal(rise == 1, now.snapshot.rolled_worse[stays])
    assert np.array_equal(after["payment_history_minor"][next_rows, 0], now.snapshot.cash_minor[stays])
    gone = set(raw["account_id"][outcome == DEFAULT].tolist())
    assert gone
    assert not gone & set(history[2].snapshot.raw.columns["account_id"].tolist())


def test_cures_pay_their_arrears_and_defaults_pay_nothing(history):
    shot = history[0].snapshot
    arrears = shot.raw.columns["arrears_minor"]
    assert (shot.cash_minor[shot.outcome == CURE] >= arrears[shot.outcome == CURE]).all()
    assert (shot.cash_minor[shot.outcome == DEFAULT] == 0).all()
    assert (shot.cash_minor <= shot.raw.columns["balance_minor"]).all()
    recovered = history[0].recovery_minor
    assert (recovered[shot.outcome != DEFAULT] == 0).all()
    share = recovered[shot.outcome == DEFAULT].sum() / shot.raw.columns["balance_minor"][shot.outcome == DEFAULT].sum()
    assert 0.05 < share < 0.35


def test_the_log_says_what_the_truth_says_under_what_was_done(history, truth):
    log = history[1].log
    assert np.array_equal(log.account_id, truth.account_id)
    arm = np.where(log.contacted, log.queue + 1, 0)
    assert np.array_equal(log.outcome, truth.outcome[np.arange(arm.size), arm])


def test_potential_outcomes_follow_their_probabilities(truth):
    assert np.allclose(truth.alone.sum(axis=1), 1.0)
    assert np.allclose(truth.contacted.sum(axis=2), 1.0)
    arms = [truth.alone, *np.moveaxis(truth.contacted, 1, 0)]
    for arm, probability in enumerate(arms):
        for outcome in (CURE, DEFAULT, STAY):
            share, expected = (truth.outcome[:, arm] == outcome).mean(), probability[:, outcome].mean()
            error = np.sqrt((probability[:, outcome] * (1 - probability[:, outcome])).sum()) / truth.alone.shape[0]
            assert abs(share - expected) < 4 * error


def difference(log, rows):
    cured = log.outcome == CURE
    return float(cured[rows & log.contacted].mean() - cured[rows & ~log.contacted].mean())


def test_where_the_desk_chose_the_sign_reverses_and_the_holdout_tells_the_truth():
    lender = SimulatedLender(11, 150_000)
    log, truth = lender.month(0).log, potential_outcomes(lender, 0, desk_plan(500))
    worked = log.queue != NO_QUEUE
    true = float((truth.contacted[np.arange(log.row_count), log.queue][worked] - truth.alone[worked])[:, CURE].mean())
    assert true > 0.03
    assert difference(log, worked & ~log.randomised) < -0.03
    error = np.sqrt(0.5 / log.randomised.sum() * 2)
    assert abs(difference(log, log.randomised) - true) < 3 * error


def test_propensities_are_recorded_for_the_holdout_alone_and_hold(history):
    log = history[0].log
    rows = log.randomised
    assert 0.15 < rows.mean() < 0.3
    assert np.isnan(log.queue_propensity[~rows]).all()
    assert abs(log.contacted[rows].mean() - log.propensity[rows].mean()) < 4 * 0.5 / np.sqrt(rows.sum())


def test_effects_differ_between_accounts_and_some_contacts_cost_more_than_they_earn(truth):
    assert (truth.increment_minor.std(axis=0) > 0).all()
    assert 0.01 < (truth.increment_minor < 0).mean() < 0.5
    ordered = (truth.payoff[:, CURE] >= truth.payoff[:, STAY]) & (truth.payoff[:, STAY] >= truth.payoff[:, DEFAULT])
    assert ordered.mean() > 0.95


def test_every_figure_says_where_it_comes_from():
    names = {name for key in SOURCES for name in key.replace("queues.", "").replace(" ", "").split(",")}
    assert {"cure_rate", "roll_share", "delinquency_flow", "theta_cure", "right_party_rate", "recovery_mean"} <= names


def test_what_the_world_does_not_hold_is_refused(lender):
    with pytest.raises(ValueError, match="month 24"):
        lender.month(LenderParameters().months)
    with pytest.raises(ValueError, match="at least one account"):
        SimulatedLender(1, 0)
    plan = desk_plan(10)
    with pytest.raises(ValueError, match="queues"):
        potential_outcomes(lender, 0, replace(plan, queues=plan.queues[:2]))
