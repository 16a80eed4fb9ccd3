"""Own columns against their training and against groups of people: the figures, by other means, and a planted proxy."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.own_features import OwnFeature, own_bins, own_features
from collections_opt.core.evaluation.own_drift import MOVED_PSI, associations, cramers_v, own_drift
from tests.support.factories import OWN_DESK as DESK
from tests.support.factories import OWN_SCORE as SCORE
from tests.support.factories import raw_portfolio, text

N = 4_000


def book(seed=0, shift=0.0, missing=0.1, web=0.5):
    rng = np.random.default_rng(seed)
    columns = {
        "account_id": text([f"a{i:05d}" for i in range(N)]),
        "own.bureau_score": rng.normal(600 + shift, 50, N),
        "own.desk": np.where(rng.random(N) < web, "web", "branch").astype(object),
    }
    present = {"own.bureau_score": rng.random(N) >= missing}
    return admit(replace(raw_portfolio(**columns), own=(SCORE, DESK), present=present)).portfolio


@pytest.fixture(scope="module")
def learned():
    return own_features([book(1), book(2)])


def test_training_is_spread_evenly_over_its_tenths_and_missing_ones_are_apart(learned):
    score, desk = learned
    assert len(score.edges) == 9
    assert sum(score.spread) == sum(desk.spread) == 2 * N
    known = np.array(score.spread[:-1])
    assert known.min() >= known.max() - 2
    assert score.spread[-1] == sum(int(np.isnan(book(s).own.values["bureau_score"]).sum()) for s in (1, 2))
    assert (desk.texts, desk.spread[-1]) == (("branch", "web"), 0)


@pytest.mark.parametrize(
    ("changes", "moved"),
    [
        ({}, set()),
        ({"shift": 60}, {"own.bureau_score"}),
        ({"missing": 0.5}, {"own.bureau_score"}),
        ({"web": 0.9}, {"own.desk"}),
    ],
)
def test_what_moves_is_seen_and_nothing_else(learned, changes, moved):
    found = own_drift(book(3, **changes), learned)
    assert set(found) == {"own.bureau_score", "own.desk"}
    assert {name for name, index in found.items() if index > MOVED_PSI} == moved


def test_the_index_is_the_sum_over_the_bins(learned):
    now, feature = book(3, shift=20), learned[0]
    p = np.array(feature.spread) / sum(feature.spread)
    q = np.bincount(own_bins(now, feature), minlength=p.size) / N
    assert own_drift(now, learned)["own.bureau_score"] == pytest.approx(((q - p) * np.log(q / p)).sum())


def test_a_column_that_is_not_there_and_a_small_book_have_no_index(learned):
    now = book(3)
    assert own_drift(replace(now, own=None), learned) == {}
    assert own_drift(now.take(slice(0, 199)), learned) == {}
    other = replace(now.own, declared=(replace(SCORE, unit="percent"), DESK))
    assert set(own_drift(replace(now, own=other), learned)) == {"own.desk"}


def groups_of(portfolio, seed=5, proxy=0.0):
    """Return groups of which the first follows the desk for a share of accounts, the second nothing."""
    rng = np.random.default_rng(seed)
    desk = portfolio.own.values["desk"] == portfolio.own.vocabulary["desk"].index("web")
    follows = np.where(rng.random(N) < proxy, desk, rng.random(N) < 0.5)
    return {"SEX": np.where(follows, "male", "female"), "MARRIAGE": np.where(rng.random(N) < 0.5, "married", "single")}


def test_a_planted_proxy_stands_out_and_chance_does_not(learned):
    portfolios = [book(1), book(2)]
    found = associations(portfolios, [groups_of(one, proxy=0.8) for one in portfolios], learned, "?")
    assert found["own.desk"]["SEX"] == pytest.approx(0.8, abs=0.05)
    others = [found["own.desk"]["MARRIAGE"], *found["own.bureau_score"].values()]
    assert max(others) < 0.05


def test_a_gap_that_only_one_group_has_shows(learned):
    portfolio = book(1)
    missing = np.isnan(portfolio.own.values["bureau_score"])
    found = associations([portfolio], [{"SEX": np.where(missing, "female", "male")}], learned, "?")
    assert found["own.bureau_score"]["SEX"] == pytest.approx(1.0, abs=0.01)


def test_small_and_unknown_groups_are_left_out(learned):
    portfolio = book(1)
    group = np.full(N, "male", dtype="<U6")
    group[:29], group[29:1_000] = "other", "?"
    assert associations([portfolio], [{"SEX": group}], learned, "?") == {"own.bureau_score": {}, "own.desk": {}}


@pytest.mark.parametrize("seed", range(5))
def test_the_coefficient_follows_from_the_chi_square(seed):
    rng = np.random.default_rng(seed)
    one = rng.integers(0, 5, 600)
    other = np.where(rng.random(600) < 0.1 * seed, one % 3, rng.integers(0, 3, 600))
    table = np.array([[((one == i) & (other == j)).sum() for j in range(3)] for i in range(5)])
    phi = max(0.0, chi2_contingency(table, correction=False).statistic / 600 - 8 / 599)
    rows, columns = 5 - 16 / 599, 3 - 4 / 599
    assert cramers_v(one, other) == pytest.approx(np.sqrt(phi / (min(rows, columns) - 1)))
    assert cramers_v(one, other) == pytest.approx(cramers_v(other, one))


def test_the_same_column_goes_with_itself_and_a_constant_with_nothing():
    one = np.arange(300) % 4
    assert cramers_v(one, one) == pytest.approx(1.0)
    assert cramers_v(one, np.zeros(300, dtype=np.int64)) == 0.0
    assert cramers_v(one[:1], one[:1]) == 0.0


def test_a_column_without_any_value_has_one_bin():
    portfolio = book(1, missing=1.0)
    (score, _) = own_features([portfolio])
    assert (score.edges, score.spread) == ((), (0, N))
    assert own_bins(portfolio, OwnFeature("absent", SCORE.kind, "x", "points")).tolist() == [1] * N
