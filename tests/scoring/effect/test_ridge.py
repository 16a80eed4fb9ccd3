"""The ridge of shared and own coefficients: against the dense formula, and its clustered error against what repetition shows."""

from dataclasses import replace

import numpy as np
import pytest

from collections_opt.scoring.effect.residual.ridge import (
    INTERCEPT_PENALTY,
    OWN_PENALTY,
    RidgeRows,
    Sums,
    by_queue,
    centring,
    linear,
    sandwich,
    solve,
)


def made(rng, count=300, queues=2, width=3):
    design = np.column_stack([np.ones(count), rng.normal(size=(count, width - 1))])
    queue = rng.integers(0, queues + 1, count)
    return RidgeRows(design, rng.normal(size=count), queue, rng.normal(size=count), queues)


def dense(rows):
    z = rows.design * rows.factor[:, np.newaxis]
    return np.hstack([z, *(np.where((rows.queue == q)[:, np.newaxis], z, 0.0) for q in range(rows.queue_count))])


def everyone(rows):
    return Sums.of(rows, np.ones(rows.queue.size, dtype=bool))


@pytest.mark.parametrize("penalty", [0.01, 1.0])
def test_it_is_the_ridge_of_the_dense_design(penalty):
    rows = made(np.random.default_rng(1))
    z = dense(rows)
    weight = np.tile([INTERCEPT_PENALTY, 1.0, 1.0], 3) * np.repeat([1.0, OWN_PENALTY, OWN_PENALTY], 3)
    scale = penalty * float((rows.factor**2).sum())
    expected = np.linalg.solve(z.T @ z + np.diag(scale * weight), z.T @ rows.target)
    fit = solve(everyone(rows), penalty)
    assert np.allclose(fit.coefficients.ravel(), expected)
    assert np.allclose(rows.factor * fit.predict(rows), z @ expected)


def test_an_infinite_penalty_learns_nothing_and_sums_of_parts_are_sums_of_all():
    rows = made(np.random.default_rng(2))
    whole = everyone(rows)
    assert not solve(whole, float("inf")).coefficients.any()
    half = rows.queue % 2 == 0
    parts = Sums.total([Sums.of(rows, half), Sums.of(rows, ~half)])
    assert np.allclose(parts.gram, whole.gram)
    assert np.allclose(parts.moment, whole.moment)


def test_twice_the_rows_are_shrunk_alike():
    rows = made(np.random.default_rng(3))
    twice = RidgeRows(*(np.concatenate([part, part]) for part in (rows.design, rows.factor, rows.queue, rows.target)), 2)
    assert np.allclose(solve(everyone(rows), 0.3).coefficients, solve(everyone(twice), 0.3).coefficients)


def test_the_clustered_error_is_the_spread_over_repetitions():
    rng = np.random.default_rng(4)
    rows = made(rng, count=400)
    person = np.repeat(np.arange(100), 4).astype("S4")
    fits, errors = [], []
    for _ in range(300):
        noise = np.repeat(rng.normal(size=100), 4) * np.sign(rows.factor) + 0.3 * rng.normal(size=400)
        drawn = RidgeRows(rows.design, rows.factor, rows.queue, noise, 2)
        fit = solve(everyone(drawn), 0.05)
        fits.append(fit.coefficients.ravel())
        errors.append(np.diag(sandwich([drawn], [replace(fit, penalty=0.0 * fit.penalty)], person)))
    ratio = np.sqrt(np.mean(errors, axis=0)) / np.std(fits, axis=0)
    assert (ratio > 0.8).all()
    assert (ratio < 1.2).all()


def test_the_error_allows_for_what_shrinkage_hides():
    """Coefficients drawn as the penalty takes them to be: the error is that of the estimate about them, bias included."""
    rng = np.random.default_rng(6)
    rows = made(rng, count=400)
    person = np.arange(400).astype("S4")
    weight = np.tile([INTERCEPT_PENALTY, 1.0, 1.0], 3) * np.repeat([1.0, OWN_PENALTY, OWN_PENALTY], 3)
    scale = 0.5 * float((rows.factor**2).sum()) * weight
    misses, errors = [], []
    for _ in range(300):
        true = rng.normal(size=9) / np.sqrt(scale)
        drawn = RidgeRows(rows.design, rows.factor, rows.queue, dense(rows) @ true + rng.normal(size=400), 2)
        fit = solve(everyone(drawn), 0.5)
        misses.append(fit.coefficients.ravel() - true)
        errors.append(np.diag(sandwich([drawn], [fit], person)))
    ratio = np.sqrt(np.mean(errors, axis=0)) / np.sqrt(np.mean(np.square(misses), axis=0))
    assert (ratio > 0.85).all()
    assert (ratio < 1.15).all()


def test_two_regressions_share_their_persons():
    rng = np.random.default_rng(5)
    rows = made(rng)
    other = RidgeRows(rows.design, rows.factor, rows.queue, -rows.target, 2)
    fits = [solve(everyone(one), 0.1) for one in (rows, other)]
    fits = [replace(fit, penalty=0.0 * fit.penalty) for fit in fits]
    both = sandwich([rows, other], fits, np.arange(300).astype("S4"))
    width = both.shape[0] // 2
    assert np.allclose(both[:width, width:], -both[:width, :width])


def test_centred_coefficients_leave_no_average_of_any_queue_and_change_no_slope():
    rows = made(np.random.default_rng(5))
    fitted, factor = solve(everyone(rows), 0.01).coefficients, np.abs(rows.factor)
    served = (centring(rows, factor) @ fitted.ravel()).reshape(fitted.shape)
    said = factor * linear(rows.design, by_queue(served), rows.queue)
    was = factor * linear(rows.design, by_queue(fitted), rows.queue)
    for queue in range(3):
        mine = rows.queue == queue
        assert abs(was[mine].mean()) > 1e-4
        assert abs(said[mine].mean()) < 1e-12
    assert np.allclose(served[:, 1:], fitted[:, 1:])
