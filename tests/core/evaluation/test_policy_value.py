"""Policy value on logs: unbiased where the log was randomised, refused where it says too little, and time really runs out."""

import numpy as np
import pytest

from collections_opt.core.errors import CollectionsError
from collections_opt.core.evaluation.policy_value import (
    LoggedActions,
    doubly_robust,
    doubly_robust_gain,
    ips,
    snips,
)
from collections_opt.core.evaluation.uplift import uplift_curve

CHANCES = np.array([0.5, 0.3, 0.2])


def made_log(rng, count=20_000):
    """Return a log of three actions (none, 0, 1) whose mean reward is known for every account."""
    x = rng.normal(size=count)
    means = np.column_stack([x, x + 1.0, x + 2.0 * (x > 0)])
    action = rng.choice(3, size=count, p=CHANCES) - 1
    reward = means[np.arange(count), action + 1] + rng.normal(size=count)
    return LoggedActions(action, CHANCES[action + 1], reward), means, x


def test_every_estimate_covers_the_true_value_of_a_policy():
    covered = {"IPS": 0, "SNIPS": 0, "DR": 0, "gain": 0}
    widths = {"IPS": [], "SNIPS": [], "DR": []}
    for seed in range(200):
        log, means, x = made_log(np.random.default_rng(seed), 2_000)
        policy = np.where(x > 0, 1, -1)
        # The value in the population: E[x] + 2 P(x > 0) = 1; over nobody: 1.
        wrong = means * 0.5
        for made in (ips(log, policy), snips(log, policy), doubly_robust(log, policy, wrong)):
            covered[made.method] += made.low <= 1.0 <= made.high
            widths[made.method].append(made.standard_error)
        gain = doubly_robust_gain(log, policy, wrong)
        covered["gain"] += gain.low <= 1.0 <= gain.high
    assert all(count >= 182 for count in covered.values()), covered
    assert np.mean(widths["DR"]) < np.mean(widths["IPS"])


def test_wrong_chances_are_refused():
    log, means, x = made_log(np.random.default_rng(1))
    policy = np.where(x > 0, 1, -1)
    planted = LoggedActions(log.action, np.full(log.chance.size, 1 / 3), log.reward)
    for judge in (ips, snips, lambda log, policy: doubly_robust_gain(log, policy, means)):
        with pytest.raises(CollectionsError, match="recorded chances"):
            judge(planted, policy)


def test_a_policy_that_the_log_could_not_follow_is_refused():
    log, _, x = made_log(np.random.default_rng(3))
    kept = ~((log.action == 1) & (x > 1))  # a desk that never draws this queue for some accounts
    short = LoggedActions(log.action[kept], log.chance[kept], log.reward[kept])
    with pytest.raises(CollectionsError, match="could draw"):
        ips(short, np.where(x > 0, 1, -1)[kept])


def test_the_gain_over_another_policy_covers_and_rests_on_the_rows_that_differ():
    covered = 0
    for seed in range(100):
        log, means, x = made_log(np.random.default_rng(seed), 2_000)
        first, second = np.where(x > 0, 1, -1), np.where(x > 0, 0, -1)
        gain = doubly_robust_gain(log, first, means * 0.5, over=second)
        covered += gain.low <= 0.5 <= gain.high  # 2 P(x > 0) - P(x > 0)
        assert gain.effective_count < ips(log, first).effective_count
    assert covered >= 89


def test_rows_of_one_account_count_together():
    log, _, x = made_log(np.random.default_rng(4), 2_000)
    policy = np.where(x > 0, 1, -1)
    twice = np.tile(np.arange(2_000), 2)
    doubled = LoggedActions(*(np.tile(column, 2) for column in (log.action, log.chance, log.reward)), account=twice)
    assert ips(doubled, np.tile(policy, 2)).standard_error == pytest.approx(ips(log, policy).standard_error, rel=1e-3)


def test_a_policy_the_log_hardly_followed_is_refused():
    log, means, _ = made_log(np.random.default_rng(2), 400)
    with pytest.raises(CollectionsError, match="effective rows"):
        ips(log, np.full(400, 1))
    with pytest.raises(CollectionsError, match="Log more"):
        doubly_robust(log, np.full(400, 5), np.column_stack([means] * 3))
    with pytest.raises(CollectionsError, match="number of rows"):
        snips(log, np.zeros(3, dtype=np.int64))
    with pytest.raises(CollectionsError, match="randomised rows only"):
        LoggedActions(np.zeros(2, dtype=np.int64), np.array([0.5, np.nan]), np.zeros(2))


def test_the_qini_of_the_right_order_is_positive_of_none_is_zero_and_of_the_reverse_its_negative():
    rng = np.random.default_rng(5)
    effect = rng.normal(size=4_000)
    psi = effect + rng.normal(size=4_000)
    right, wrong = uplift_curve(effect, psi, np.arange(4_000), 1), uplift_curve(-effect, psi, np.arange(4_000), 1)
    assert right.qini.low > 0 > wrong.qini.high
    assert right.qini.value == pytest.approx(-wrong.qini.value)
    flat = uplift_curve(np.zeros(4_000), psi, np.arange(4_000), 1)
    assert flat.qini.value == pytest.approx(0.0, abs=1e-12)
    assert right.gain[-1] == pytest.approx(psi.mean())
    assert right.share[0] == right.gain[0] == 0.0
    with pytest.raises(ValueError, match="per row"):
        uplift_curve(np.zeros(3), psi, np.arange(4_000), 1)
    with pytest.raises(ValueError, match="per row"):
        uplift_curve(effect, psi, np.arange(3), 1)


def test_the_qini_counts_an_account_once_however_many_months_it_has():
    """Six months of the same account say hardly more than one; the planted bug, drawing rows, claims that they do."""
    covered, planted, widths = 0, 0, []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        key, noise = rng.normal(size=250), 3.0 * rng.normal(size=250)
        order, psi, account = np.repeat(key, 6), np.repeat(key + noise, 6), np.repeat(np.arange(250), 6)
        psi = psi + 0.3 * rng.normal(size=psi.size)
        by_account, by_row = uplift_curve(order, psi, account, 1), uplift_curve(order, psi, np.arange(psi.size), 1)
        truth = 0.5 / np.sqrt(np.pi)  # of an order by a standard normal effect: the mean of the larger of two, halved
        covered += by_account.qini.low <= truth <= by_account.qini.high
        planted += by_row.qini.low <= truth <= by_row.qini.high
        widths.append((by_account.qini.high - by_account.qini.low) / (by_row.qini.high - by_row.qini.low))
        assert by_account.qini.value == by_row.qini.value
    assert np.mean(widths) == pytest.approx(np.sqrt(6), rel=0.15)
    assert covered >= 52
    assert planted <= 42
