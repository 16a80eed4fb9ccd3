"""What every engine owes: passes over rows, and with them the pricing solver's answer, byte for byte, wherever the rows lie.

On Spark this is a session of this machine with two worker processes (``local[2,4]``, the mode of one JVM): what is killed below
is a Python worker in the middle of a task, with SIGKILL, and Spark's own retry computes the lost part again.
"""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.problem.assignment import UNASSIGNED, SolveOptions
from collections_opt.engines.here import Here
from collections_opt.solvers.pricing import SpreadProblem, solve_pricing, solve_spread
from collections_opt.solvers.pricing.instance import columns_of, instance_of, near_ties, prove, screen
from collections_opt.solvers.survey import survey_rows
from tests.support.engines.far import Far
from tests.support.engines.spark import on_spark
from tests.support.solving.instances import realistic, with_persons, with_side_rows

ACCOUNTS = 40_000
SMALL = 12_000
"""More than the solver brings to the driver as a whole."""

ENGINES = {
    "here, one thread": lambda columns, folder: Here(columns, 1),
    "here, two threads": lambda columns, folder: Here(columns, 2),
    "far": lambda columns, folder: Far(Here(columns, 1), 100),
    "spark, 3 parts": lambda columns, folder: on_spark(columns, folder, 3),
    "spark, 8 parts, all stays": lambda columns, folder: on_spark(columns, folder, 8, few_bytes=0),
}


def some_columns(rows=1_000):
    rng = np.random.default_rng(7)
    return {
        "value": rng.integers(-5, 1 << 30, (rows, 4)).astype(np.int32),
        "seconds": rng.integers(1, 1 << 16, (rows, 4)).astype(np.uint16),
        "id": np.array([b"", *(b"a%d" % i for i in range(1, rows))], dtype="S9"),
        "flag": rng.random(rows) < 0.5,
        "price": rng.random(rows),
    }


@pytest.fixture(params=ENGINES, scope="module")
def engine(request, tmp_path_factory):
    return lambda columns: ENGINES[request.param](columns, tmp_path_factory.mktemp("parts"))


def same(left, right):
    assert list(left) == list(right)
    for name in left:
        assert left[name].dtype == right[name].dtype
        assert np.array_equal(left[name], right[name])


def test_every_row_is_read_once_and_in_order(engine):
    columns = some_columns()
    passes = engine(columns)
    assert passes.rows == 1_000
    found = passes.over(lambda part, start: (start, dict(part)))
    starts = [start for start, _ in found]
    assert starts == np.cumsum([0, *(len(part["flag"]) for _, part in found[:-1])]).tolist()
    same({name: np.concatenate([part[name] for _, part in found]) for name in columns}, columns)
    same(passes.here().columns, columns)


@pytest.mark.parametrize("rows", [[], [3, 4, 500, 999], list(range(0, 1_000, 3))])
def test_some_rows_are_those_rows_wherever_they_go(engine, rows):
    columns, rows = some_columns(), np.array(rows, dtype=np.int64)
    passes = engine(columns)
    wanted = {name: column[rows] for name, column in columns.items()}
    same(passes.take(rows).columns, wanted)
    chosen = passes.some(rows)
    assert chosen.rows == len(rows)
    if len(rows):
        same(chosen.here().columns, wanted)
        same(chosen.some(np.array([len(rows) - 1])).here().columns, {name: column[-1:] for name, column in wanted.items()})


def test_changes_are_made_one_after_the_other(engine):
    columns = some_columns()
    changed = engine(columns).changed(lambda part: {**part, "value": part["value"] // 2})
    changed = changed.changed(lambda part: {"value": part["value"] + 1})
    wanted = {"value": columns["value"] // 2 + 1}
    same(changed.here().columns, wanted)
    same(changed.some(np.arange(5, 50)).here().columns, {"value": wanted["value"][5:50]})


def test_what_a_pass_raises_is_told_without_its_data(engine):
    def broken(part, start):
        raise CollectionsError(Reason.INTERNAL, "planted")

    with pytest.raises(CollectionsError) as refused:
        engine(some_columns()).over(broken)
    assert refused.value.reason in {Reason.INTERNAL, Reason.RANKING_FAILED}


def test_exact_passes_are_the_same_integers(engine):
    problem = with_side_rows(realistic(4_000, 5))
    side = problem.side
    whole = instance_of(Here(columns_of(problem), 1), problem.capacity_seconds, side.table, side.limit)
    spread = replace(whole, passes=engine(columns_of(problem)))
    prices = np.concatenate([np.full(5, 3 << 20), np.full(6, 200 << 20)]).astype(np.int64)
    for one, other in (
        (prove(whole, prices), prove(spread, prices)),
        (screen(whole, prices // 2, prices * 2), screen(spread, prices // 2, prices * 2)),
        (near_ties(whole, prices, np.full(6, 1 << 28)), near_ties(spread, prices, np.full(6, 1 << 28))),
        (survey_rows(whole.passes, 5), survey_rows(spread.passes, 5)),
    ):
        assert all(np.array_equal(a, b) for a, b in zip(vars(one).values(), vars(other).values(), strict=True))


def test_a_workable_cell_without_time_is_named_wherever_it_lies(engine):
    problem = realistic(SMALL, 3)
    seconds = problem.seconds.copy()
    problem.value[11_003, 1], seconds[11_003, 1] = 5, 0
    with pytest.raises(CollectionsError, match=r"seconds\[11003\]"):
        survey_rows(engine(columns_of(replace(problem, seconds=seconds))), 3)


def answered(problem, passes, **options):
    """Return the answer with the queue of every account."""
    spread = SpreadProblem(passes, problem.capacity_seconds, problem.side, problem.persons)
    found = solve_spread(spread, SolveOptions(**options))
    if found.rows is None:
        return found.assignment
    queue = np.full(problem.account_count, UNASSIGNED, np.int16)
    queue[found.rows] = found.assignment.queue
    return replace(found.assignment, queue=queue)


def assert_same_bytes(one, other):
    for name, value in vars(one).items():
        assert np.array_equal(value, getattr(other, name)), name


@pytest.fixture(scope="module")
def large():
    problem = realistic(ACCOUNTS, 8)
    return problem, solve_pricing(problem, SolveOptions())


@pytest.mark.parametrize("parts", [1, 3, 8])
def test_the_answer_is_the_same_bytes_for_any_number_of_parts(large, tmp_path, parts):
    problem, here = large
    assert here.objective_minor > 0
    assert_same_bytes(here, answered(problem, on_spark(columns_of(problem), tmp_path, parts)))


def test_a_worker_killed_in_the_middle_of_a_pass_changes_nothing(large, tmp_path):
    problem, here = large
    spread = on_spark(columns_of(problem), tmp_path, 3)
    died = tmp_path / "died"

    def dying(part):
        if part["value"][0, 0] == problem.value[ACCOUNTS // 3, 0] and not died.exists():
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return part

    assert_same_bytes(here, answered(problem, spread.changed(dying)))
    assert died.exists()


def alike(problem):
    """Give a problem two pairs of teams of one kind, between which almost every account ties."""
    value, seconds = np.repeat(problem.value, 2, axis=1), np.repeat(problem.seconds, 2, axis=1)
    side = problem.side
    if side is not None:
        side = replace(side, table=np.ascontiguousarray(np.repeat(side.table, 2, axis=2)))
    capacity = np.repeat(problem.capacity_seconds // 2, 2)
    return replace(problem, value=value, seconds=seconds, capacity_seconds=capacity, side=side)


@pytest.mark.parametrize("few", [0, SMALL])
@pytest.mark.parametrize("shape", ["side rows", "alike", "alike with side rows"])
def test_every_kind_of_problem_has_the_same_answer_wherever_its_rows_and_samples_lie(shape, few):
    problem = realistic(SMALL, 4)
    problem = with_side_rows(problem) if "side" in shape else problem
    problem = alike(problem) if "alike" in shape else problem
    here = solve_pricing(problem, SolveOptions())
    assert_same_bytes(here, answered(problem, Far(Here(columns_of(problem)), few)))


def test_queues_are_joined_and_samples_written_on_the_engine(tmp_path):
    problem = alike(realistic(SMALL, 3))
    here = solve_pricing(problem, SolveOptions())
    assert_same_bytes(here, answered(problem, on_spark(columns_of(problem), tmp_path, 3, few_bytes=0)))


def test_a_planted_part_out_of_order_is_seen(tmp_path):
    problem = realistic(SMALL, 3)
    here = solve_pricing(problem, SolveOptions())
    spread = on_spark(columns_of(problem), tmp_path, 3)
    first, second = Path(tmp_path / "part-000000.arrow"), Path(tmp_path / "part-000001.arrow")
    first.rename(tmp_path / "aside")
    second.rename(first)
    (tmp_path / "aside").rename(second)
    assert not np.array_equal(here.queue, answered(problem, spread).queue)


def test_persons_with_several_accounts_are_refused_rather_than_contacted_twice():
    problem = with_persons(realistic(SMALL, 3))
    with pytest.raises(CollectionsError, match="several accounts"):
        answered(problem, Far(Here(columns_of(problem)), 0))
    assert_same_bytes(solve_pricing(problem, SolveOptions()), answered(problem, Here(columns_of(problem), 2)))


def test_a_list_small_enough_for_the_search_is_searched_as_ever():
    problem = realistic(2_000, 3)
    assert_same_bytes(solve_pricing(problem, SolveOptions()), answered(problem, Far(Here(columns_of(problem)), 0)))
