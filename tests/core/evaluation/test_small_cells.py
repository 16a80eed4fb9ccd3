"""Small cells: nobody can work out a hidden count from what is shown, judged by linear programming instead of flows."""

import numpy as np
import pytest
from scipy.optimize import linprog

from collections_opt.core.evaluation.small_cells import hidden_cells, hidden_range, joined_kinds

LEAST = 30


def known_range(counts, hidden, row, column):
    """Return what an attacker with the totals works out about a hidden cell."""
    cells = np.argwhere(hidden)
    rows, columns = counts.shape
    equations = np.zeros((rows + columns, len(cells)))
    for number, (r, c) in enumerate(cells):
        equations[r, number] = equations[rows + c, number] = 1
    left = np.where(hidden, counts, 0)
    totals = np.concatenate([left.sum(axis=1), left.sum(axis=0)])
    aim = np.array([tuple(cell) == (row, column) for cell in cells], dtype=float)
    return tuple(sign * linprog(sign * aim, A_eq=equations, b_eq=totals).fun for sign in (1, -1))


def told(counts, hidden):
    """Return the hidden cells that are known to within ``LEAST``, for whoever can do linear programming."""
    ranges = {tuple(cell): known_range(counts, hidden, *cell) for cell in np.argwhere(hidden).tolist()}
    return [cell for cell, (low, high) in ranges.items() if high - low < LEAST - 1e-6]


def tables(count):
    generator = np.random.default_rng(20261126)
    for _ in range(count):
        shape = (int(generator.integers(2, 7)), int(generator.integers(2, 4)))
        yield generator.poisson(generator.choice([2, 20, 60, 400], size=shape)).astype(np.int64)


def test_no_hidden_count_is_known_to_within_the_least():
    for counts in tables(40):
        hidden = hidden_cells(counts, LEAST)
        assert hidden[(counts > 0) & (counts < LEAST)].all()
        assert hidden.all() or told(counts, hidden) == []


def test_ranges_by_flow_are_those_of_linear_programming():
    for counts in tables(15):
        hidden = np.random.default_rng(1).random(counts.shape) < 0.6
        for row, column in np.argwhere(hidden).tolist():
            assert hidden_range(counts, hidden, row, column) == pytest.approx(known_range(counts, hidden, row, column), abs=1e-6)


def test_hiding_small_cells_alone_is_found_out():
    """The planted fault: a small cell hidden alone stands in the totals."""
    counts = np.array([[5, 400], [200, 900], [300, 800]])
    assert told(counts, counts < LEAST) == [(0, 0)]
    assert told(counts, hidden_cells(counts, LEAST)) == []


def test_a_table_without_small_cells_is_shown_whole():
    assert not hidden_cells(np.array([[40, 50], [60, 0]]), LEAST).any()


def test_one_column_hides_nothing_that_its_rows_would_tell():
    counts = np.array([[40], [0], [12], [3]])
    joined, names = joined_kinds(counts, ("0", "1-2", "3-5", "6 or more"), LEAST, ordered=True)
    assert joined.tolist() == [[55]]
    assert names == ("0 or more",)


def test_bands_are_joined_with_neighbours_and_kinds_with_the_smallest():
    counts = np.array([[500], [12], [25], [90]])
    assert joined_kinds(counts, ("0", "1", "2", "3"), LEAST, ordered=True)[1] == ("0", "1-2", "3")
    assert joined_kinds(counts, ("w", "x", "y", "z"), LEAST, ordered=False)[1] == ("w", "x or y", "z")
