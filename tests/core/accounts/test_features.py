"""The feature set: declared once, computed as declared, row by row, missing as NaN, blind to protected attributes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.core.accounts.features import FEATURE_NAMES, FEATURE_SET_VERSION, FEATURES, MONTHS, build_features
from collections_opt.core.accounts.schema import ACCOUNT_SCHEMA, BLOCK_FLAGS
from tests.support.factories import admitted, text

ONE = {
    "account_id": text(["a"]),
    "balance_minor": np.array([100_00]),
    "arrears_minor": np.array([10_00]),
    "credit_limit_minor": np.array([200_00]),
    "days_past_due": np.array([60]),
    "months_on_book": np.array([30]),
    "status_history": np.array([[2, 1, 0, 4]]),
    "balance_history_minor": np.array([[100_00, 80_00, 40_00, 1]]),
    "payment_history_minor": np.array([[0, 20_00, 4_00, 9]]),
}


def features_of(**columns):
    return build_features(admitted(**{**ONE, **columns}).portfolio)


def by_name(features, row=0):
    return dict(zip(features.names, features.matrix[row].tolist(), strict=True))


def test_every_feature_by_hand():
    expected = {
        "status_0": 2, "status_1": 1, "status_2": 0, "days_past_due": 60, "status_worst": 2, "status_change": 1, "months_late": 2,
        "payment_ratio_0": 0, "payment_ratio_1": 0.25, "payment_ratio_2": 0.1,
        "payment_statement_ratio_0": 0, "payment_statement_ratio_1": 0.5,
        "payment_arrears_ratio": 0, "payment_window_ratio": 0.24, "months_paid": 2,
        "months_since_payment": 1, "latest_payment": 0,
        "balance": np.log1p(100_00), "arrears_share": 0.1, "balance_growth": 0.2, "balance_growth_window": 0.6,
        "credit_limit": np.log1p(200_00), "utilisation": 0.5, "utilisation_change": 0.1, "months_on_book": 30,
    }  # fmt: skip
    assert by_name(features_of()) == pytest.approx(expected, rel=1e-6)


def test_the_declaration_is_the_matrix():
    features = features_of()
    assert features.names == FEATURE_NAMES
    assert features.version == FEATURE_SET_VERSION
    assert features.matrix.dtype == np.float32
    assert len(set(FEATURE_NAMES)) == len(FEATURES)
    assert all(f.meaning and f.unit and f.window_months <= MONTHS and f.cure_sign in (-1, 0, 1) for f in FEATURES)


def test_only_what_may_be_missing_is_missing_without_histories():
    required = {name: column for name, column in ONE.items() if ACCOUNT_SCHEMA[name].required}
    matrix = build_features(admitted(**required, product=text(["X"])).portfolio).matrix
    missing = {name for name, value in zip(FEATURE_NAMES, matrix[0], strict=True) if np.isnan(value)}
    assert missing == {f.name for f in FEATURES if f.may_be_missing} - {"arrears_share"}  # which needs a positive balance only
    zero = features_of(balance_minor=np.array([0]), arrears_minor=np.array([0]))
    assert np.isnan(by_name(zero)["arrears_share"])


@pytest.mark.parametrize("name", ["status_history", "balance_history_minor", "payment_history_minor"])
def test_months_beyond_the_window_are_not_read(name):
    changed = ONE[name].copy()
    changed[:, MONTHS:] = 7
    np.testing.assert_array_equal(features_of(**{name: changed}).matrix, features_of().matrix)


def test_declared_windows_hold():
    """Changing a month changes only features that declare a window reaching it: a misdeclared window is caught."""
    windows = {f.name: f.window_months for f in FEATURES}
    for name in ("status_history", "balance_history_minor", "payment_history_minor"):
        for month in range(MONTHS):
            changed = ONE[name].copy()
            changed[:, month] += 3
            differs = ~np.isclose(features_of(**{name: changed}).matrix, features_of().matrix, equal_nan=True)[0]
            touched = {feature for feature, hit in zip(FEATURE_NAMES, differs, strict=True) if hit}
            assert all(windows[feature] > month for feature in touched), (name, month, touched)
            assert touched


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 8), st.randoms(use_true_random=False))
def test_an_account_has_the_same_features_in_any_company(count, random):
    rng = np.random.default_rng(random.randrange(2**32))
    columns = {
        "account_id": text([f"{i:02d}" for i in range(count)]),
        "balance_minor": rng.integers(-100, 10_000, count),
        "arrears_minor": rng.integers(0, 5_000, count),
        "credit_limit_minor": rng.integers(0, 20_000, count),
        "days_past_due": rng.integers(0, 400, count),
        "months_on_book": rng.integers(0, 100, count),
        "status_history": rng.integers(-2, 9, (count, 4)),
        "balance_history_minor": rng.integers(-100, 10_000, (count, 4)),
        "payment_history_minor": rng.integers(0, 2_000, (count, 4)),
    }
    book = admitted(**columns).portfolio
    whole = build_features(book).matrix
    assert not np.isinf(whole).any()
    for row in range(count):
        np.testing.assert_array_equal(build_features(book.take(slice(row, row + 1))).matrix[0], whole[row])


def test_no_protected_attribute_exists_and_no_flag_or_place_is_read():
    words = {"sex", "gender", "age", "marriage", "marital", "education", "race", "religion", "nationality", "postcode", "zip"}
    assert not words & {part for name in (*ACCOUNT_SCHEMA, *FEATURE_NAMES) for part in name.split("_")}
    places = {"state": text(["US-MA"]), "customer_id": text(["x"]), "time_zone": text(["America/New_York"])}
    flags = {flag: np.array([True]) for flag in BLOCK_FLAGS}
    np.testing.assert_array_equal(features_of(**places, **flags).matrix, features_of().matrix)
