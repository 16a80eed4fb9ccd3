"""Outcomes that nobody saw: dropping them biases what is learned, weighing those that were seen does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from collections_opt.application.models.card import _seen
from collections_opt.application.training.own import own_data
from collections_opt.core.accounts.features import build_features
from collections_opt.core.value.outcomes import CURE, DEFAULT, STAY
from collections_opt.datasets.credit_card import load_accounts, snapshot
from collections_opt.datasets.files.training_files import CENSORED, LabelledAccounts, TrainingFiles, read_labels
from collections_opt.scoring.evaluation.metrics import outcome_metrics
from collections_opt.scoring.outcome import scorecard_training
from collections_opt.scoring.outcome.rows import unseen_sentence
from collections_opt.scoring.outcome.scorecard_training import train_scorecard
from collections_opt.scoring.outcome.weights import weights_by_features, weights_by_time
from collections_opt.scoring.versions.artifacts import Manifest

SETTINGS = TrainingFiles("cards", "Cards of a test.", "Not for decisions.", "mapping.toml", ())
HORIZON = 30


@pytest.fixture(autouse=True)
def one_strength(monkeypatch):
    monkeypatch.setattr(scorecard_training, "STRENGTHS", (0.03,))  # the penalty is not what is tested


@pytest.fixture(scope="module")
def months():
    accounts = load_accounts()
    return [snapshot(accounts, month) for month in (5, 6, 7)]


def labelled(shot, name, outcome, days=None, contacted=None):
    ids = np.array([one.encode() for one in shot.raw.columns["account_id"].tolist()])
    return LabelledAccounts(name, shot.raw, ids, outcome, None, days, contacted)


def judged(history):
    """Return the mean probabilities that a scorecard of the history gives the accounts of its second month, (3,)."""
    data = own_data(SETTINGS, history)
    card = train_scorecard(data.periods)
    matrix = build_features(own_data(SETTINGS, [replace(one, days=None) for one in history]).periods[1].portfolio).matrix
    return card.calibration.apply(card.scorecard.raw(matrix)).mean(axis=0)


def test_days_give_the_rates_that_dropping_misses():
    """Two hazards and a third that ends what is seen: the weighted shares are those of a world where nothing ends."""
    rng = np.random.default_rng(7)
    size = 200_000
    cure, default, end = (rng.exponential(scale, size) for scale in (40, 90, 45))
    first = np.minimum(np.minimum(cure, default), HORIZON)
    truth = np.where(first >= HORIZON, STAY, np.where(cure < default, CURE, DEFAULT))
    censored = end < first
    days = np.ceil(np.minimum(first, end) * 100).astype(np.int64)
    weight = weights_by_time(days, censored)
    assert not weight[censored].any()
    shares = [np.average(truth == k, weights=weight) for k in (CURE, DEFAULT, STAY)]
    true = [np.mean(truth == k) for k in (CURE, DEFAULT, STAY)]
    dropped = [np.mean(truth[~censored] == k) for k in (CURE, DEFAULT, STAY)]
    assert shares == pytest.approx(true, abs=0.006)
    assert dropped[STAY] < true[STAY] - 0.05
    assert weight.mean() == pytest.approx(1.0, abs=0.01)
    # The planted bug: an outcome weighed by the chance at its own day and not before it, or all weights alike.
    assert [np.average(truth == k, weights=(~censored)) for k in range(3)] != pytest.approx(true, abs=0.02)


def test_without_any_end_every_row_stands_for_itself():
    days = np.array([3, 9, 30, 30])
    np.testing.assert_array_equal(weights_by_time(days, np.zeros(4, dtype=bool)), np.ones(4))
    np.testing.assert_array_equal(weights_by_features(np.zeros((4, 2), dtype=np.float32), np.ones(4, dtype=bool)), np.ones(4))


def test_a_history_with_ends_is_learned_as_if_nothing_had_ended(months):
    rng = np.random.default_rng(3)
    whole, cut, dropped = [], [], []
    for number, shot in enumerate(months):
        happened = np.where(shot.outcome == STAY, HORIZON, rng.integers(1, HORIZON, shot.outcome.size))
        end = np.ceil(rng.exponential(35, shot.outcome.size)).astype(np.int64)
        censored = end < happened
        outcome = np.where(censored, CENSORED["SOLD"], shot.outcome)
        whole.append(labelled(shot, f"m{number}", shot.outcome))
        cut.append(labelled(shot, f"m{number}", outcome, np.minimum(happened, end)))
        kept = np.flatnonzero(~censored)
        columns = {name: column[kept] for name, column in shot.raw.columns.items()}
        one = labelled(shot, f"m{number}", shot.outcome)
        dropped.append(
            replace(one, raw=replace(shot.raw, columns=columns), account_id=one.account_id[kept], outcome=one.outcome[kept])
        )
    data = own_data(SETTINGS, cut)
    assert sum(data.periods[0].left_out.values()) > 500
    assert set(data.periods[0].left_out) == {"SOLD"}
    assert "Kaplan-Meier" in data.periods[0].method["censored"]
    assert unseen_sentence(data.later).endswith("before, by time (Kaplan-Meier)).")
    assert unseen_sentence(own_data(SETTINGS, whole).later) == ""
    seen, every = (own_data(SETTINGS, history).later for history in (cut, whole))
    rate = outcome_metrics(np.full((seen.outcome.size, 3), 1 / 3), seen.outcome, seen.weight)["stay_rate"]
    assert rate == pytest.approx((every.outcome == STAY).mean(), abs=0.02)
    assert (seen.outcome == STAY).mean() < rate - 0.05
    true, weighed, naive = judged(whole), judged(cut), judged(dropped)
    assert naive[STAY] < true[STAY] - 0.05
    assert weighed == pytest.approx(true, abs=0.02)


def test_probabilities_are_those_without_contact_where_contact_was_recorded(months):
    rng = np.random.default_rng(5)
    true, mixed, flagged = [], [], []
    for number, shot in enumerate(months):
        late = shot.raw.columns["days_past_due"] > 60
        contacted = rng.random(late.size) < np.where(late, 0.7, 0.3)
        cured = contacted & (shot.outcome != CURE) & (rng.random(late.size) < 0.5)
        outcome = np.where(cured, CURE, shot.outcome)
        true.append(labelled(shot, f"m{number}", shot.outcome))
        mixed.append(labelled(shot, f"m{number}", outcome))
        flagged.append(labelled(shot, f"m{number}", outcome, contacted=contacted))
    data = own_data(SETTINGS, flagged)
    assert data.periods[0].left_out["CONTACTED"] > 500
    assert data.periods[0].method["contact"].startswith("uncontacted rows only")
    assert own_data(SETTINGS, mixed).periods[0].method["contact"].startswith("no contact was recorded")
    without, told = judged(true), judged(flagged)
    assert judged(mixed)[CURE] > without[CURE] + 0.08
    assert told == pytest.approx(without, abs=0.025)


def test_codes_of_ends_are_read_for_training_only_and_a_card_tells_them(tmp_path):
    path = tmp_path / "outcomes.csv"
    path.write_text("account_id,outcome,days,contacted\na,SOLD,5,false\nb,STAY,30,true\n")
    labels = read_labels(path, may_be_censored=True)
    assert labels.outcome.tolist() == [CENSORED["SOLD"], STAY]
    assert labels.days.tolist() == [5, 30]
    assert labels.contacted.tolist() == [False, True]
    with pytest.raises(Exception, match="SOLD"):
        read_labels(path)
    training = {"unseen_outcomes": {"m0": {"SOLD": 7}}, "methods": {"censored": "weights", "contact": "none"}}
    manifest = Manifest("outcome", "x", "f", (), "", {}, training, {}, "")
    assert "censored: weights." in _seen(manifest)
    assert "| m0 | SOLD 7 |" in _seen(manifest)
