"""Short versions of the fault harnesses, and bugs that they must notice."""

import random

import pytest

from harness.faults.duplicates import call_at_once
from harness.faults.edits import TABLES, UNPROTECTED, bench
from harness.faults.histories import FORKS, WRONG_PLACES, fork_found, lost_by_sweep, make_world
from harness.faults.histories import plants_noticed as histories_plants
from harness.faults.injection import KINDS
from harness.faults.kills import Book, kill_servers, kill_workers, restart_postgres
from harness.faults.private_postgres import PrivatePostgres, why_not
from harness.faults.schedules import Runner, rounds_of
from harness.faults.tampering import blind_verification_missed, edited, located, try_edit
from harness.faults.zygote import Zygote

SEEDS = range(1, 7)
SURE = ("float_sum", "hash_tie_break", "quarantine_drops_a_row", "fallback_without_label", "keys_forgotten")
"""Planted bugs that show in almost any schedule; the others are noticed by ``make fault-schedules``."""


@pytest.fixture(scope="module")
def zygotes():
    with Zygote(0) as first, Zygote(1) as second:
        yield [first, second]


@pytest.fixture(scope="module")
def runner(zygotes, tmp_path_factory):
    return Runner(tmp_path_factory.mktemp("schedules"), zygotes)


@pytest.fixture
def postgres():
    if why_not():
        pytest.skip(why_not())
    with PrivatePostgres() as server:
        yield server


@pytest.mark.parametrize("seed", SEEDS)
def test_no_promise_is_broken_under_a_schedule(runner, seed):
    assert runner.run(seed) == []


@pytest.mark.parametrize("name", SURE)
def test_a_planted_bug_is_noticed(runner, name):
    assert any(runner.run(seed, plant=name) for seed in range(1, 6))


def test_a_seed_names_one_schedule():
    assert [rounds_of(seed, KINDS) for seed in SEEDS] == [rounds_of(seed, KINDS) for seed in SEEDS]


def test_killed_workers_and_servers_break_no_promise(zygotes, tmp_path):
    for number, loop in enumerate((kill_workers, kill_servers)):
        book = Book(tmp_path / str(number), zygotes[0])
        loop(book, 2, random.Random(number))
        assert book.deaths == 2
        assert book.broken() == []
        assert book.promises.acknowledged > 0


def test_a_restarted_server_breaks_no_promise(zygotes, postgres, tmp_path, monkeypatch):
    monkeypatch.setattr("harness.faults.kills.RANKINGS_PER_WRITER", 3)
    book = Book(tmp_path, zygotes[0], postgres.new_database())
    restart_postgres(book, postgres, 1, random.Random(1))
    assert book.broken() == []
    assert book.promises.acknowledged == 12


def test_many_callers_with_one_key_get_one_record(zygotes, tmp_path):
    book = Book(tmp_path, zygotes[0])
    answers, found = call_at_once(book, 8, 1)
    assert (answers, found, len(book.promises.recorded)) == (8, [], 1)


def test_every_edit_is_found_where_it_was_made_and_a_blind_verification_is_noticed(tmp_path):
    draw = random.Random(7)
    with bench(tmp_path / "data") as ready:
        tables = {row["name"] for row in ready.rows("sqlite_master") if row["type"] == "table"}
        assert tables == {*TABLES, *UNPROTECTED}
        for table in (*TABLES, *[""] * 10):
            ready.tables = (table,) if table else TABLES
            edit, found = edited(ready, draw) if table else try_edit(ready, draw)
            assert found, edit
            assert located(edit, found), (edit, found)
        assert blind_verification_missed(ready, draw)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("histories"))


@pytest.mark.parametrize("kind", FORKS)
def test_every_fork_is_found_at_the_start_and_nothing_else_is(world, kind):
    assert fork_found(world, kind, random.Random(3)) == (kind != "untouched")


@pytest.mark.parametrize("where", WRONG_PLACES, ids=lambda where: where.__name__)
def test_no_sweep_in_a_wrong_place_removes_anything(world, where):
    assert lost_by_sweep(world, where) == 0


def test_a_start_that_does_not_look_and_a_sweep_that_asks_nobody_are_noticed(world):
    assert histories_plants(world, random.Random(3)) == (True, True)
