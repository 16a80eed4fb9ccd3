"""Queues drawn at random: each that may work an account alike, the same for ever, and chances that a count of draws confirms."""

import hashlib
import hmac
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from collections_opt.core.experiments.arms import Arm, Arms, arms_of, drawn_queues, person_keys, queue_points
from collections_opt.core.experiments.design import ArmKind, ExperimentDesign
from collections_opt.core.experiments.reading import EnteredPersons, read_experiment
from collections_opt.core.experiments.recorded import QueuesOpen, drawable, offered, with_draws
from collections_opt.core.problem.assignment import INELIGIBLE, UNASSIGNED, AssignmentProblem
from tests.support.factories import AS_OF, admitted, text

SALT = "00112233445566778899aabbccddeeff"
DESIGN = ExperimentDesign(250_000_000, SALT, AS_OF, AS_OF + timedelta(days=30), 30, 1_000, arm=ArmKind.RANDOM_QUEUE)
QUEUES = ("calls", "letters", "visits")
NANO = 10**9


def people(count):
    return np.array([f"customer/{i}" for i in range(count)], dtype=np.bytes_)


def test_the_queue_is_that_of_the_librarys_hmac_and_each_comes_alike():
    person = people(30_000)
    points = queue_points(SALT, person, QUEUES)
    keys = [hashlib.sha256(f"{SALT}/queue/{name}".encode()).digest() for name in QUEUES]
    assert points[7].tolist() == [int.from_bytes(hmac.digest(key, bytes(person[7]), "sha256")[:8], "big") for key in keys]
    allowed = np.ones((30_000, 3), dtype=bool)
    allowed[:10_000, 1] = False
    queue = drawn_queues(points, allowed)
    for rows, shares in ((slice(0, 10_000), (0.5, 0.0, 0.5)), (slice(10_000, None), (1 / 3, 1 / 3, 1 / 3))):
        found = np.bincount(queue[rows], minlength=3) / queue[rows].size
        assert np.allclose(found, shares, atol=4 * np.sqrt(0.25 / 10_000))
    fewer = drawn_queues(points, allowed & (np.arange(3) != 2))
    assert (fewer[queue != 2] == queue[queue != 2]).all()  # whose queue is still there keeps it
    again = queue_points(SALT, person[::7], QUEUES[::-1])[:, ::-1]
    assert np.array_equal(again, points[::7])  # no order of rows or queues matters
    assert (drawn_queues(points[:3], np.zeros((3, 3), dtype=bool)) == UNASSIGNED).all()


def test_only_people_with_one_account_are_in_it_and_an_order_without_prices_draws_no_queue():
    customers = [f"c{i // 2}" if i % 3 else "" for i in range(400)]
    portfolio = admitted(
        account_id=text([f"a{i:04d}" for i in range(400)]),
        customer_id=text(customers),
        vulnerable=np.zeros(400, dtype=bool),
    ).portfolio
    arms = arms_of(portfolio, "p", [DESIGN], QUEUES)
    counts = {key: int((person_keys(portfolio) == key).sum()) for key in set(person_keys(portfolio).tolist())}
    single = np.array([counts[key] == 1 for key in person_keys(portfolio).tolist()])
    assert np.array_equal(arms.experiment > 0, single)
    assert set(arms.arm[single].tolist()) == {Arm.CONTACT, Arm.RANDOM_QUEUE}
    assert np.array_equal(np.flatnonzero(arms.arm == Arm.RANDOM_QUEUE), arms.rows)
    assert not arms_of(portfolio, "p", [DESIGN], None).experiment.any()
    held = arms_of(portfolio, "p", [replace(DESIGN, arm=ArmKind.HOLDOUT)])
    assert np.array_equal(held.held_out[single], arms.arm[single] == Arm.RANDOM_QUEUE)  # one draw, whatever it is for


def world(count=4_000, seed=3):
    """Return a problem, surpluses at some prices, and who is drawn for which queue."""
    generator = np.random.default_rng(seed)
    value = generator.integers(-400, 1_500, (count, 3)).astype(np.int32)
    value[generator.random((count, 3)) < 0.3] = INELIGIBLE
    problem = AssignmentProblem(value, np.full((count, 3), 60, dtype=np.uint16), np.full(3, 10**6))
    margin = np.where(value == INELIGIBLE, -np.inf, value - np.array([300.0, 500.0, 0.0]))
    rows = np.flatnonzero(np.arange(count) % 4 == 0)
    arm = np.full(count, int(Arm.CONTACT), dtype=np.uint8)
    arm[rows] = Arm.RANDOM_QUEUE
    points = generator.integers(0, 2**63, (rows.size, 3)).astype(np.uint64)
    ones = np.ones(count, dtype=np.uint8)
    return problem, margin, Arms(ones, arm, np.array([250_000_000]), np.array([True]), rows, points)


def decided(problem, margin, arms):
    """Return the queue taken, and that which prices choose."""
    worth = (margin > 0) & (problem.value > 0)
    best = np.where(worth.any(axis=1), np.where(worth, margin, -np.inf).argmax(axis=1), UNASSIGNED)
    taken = best.copy()
    there = arms.drawn_queues(problem.value[arms.rows] != INELIGIBLE)
    paid = (there >= 0) & worth[arms.rows, there]
    taken[arms.rows] = np.where(paid, there, UNASSIGNED)
    open_ = QueuesOpen(np.isfinite(margin).sum(axis=1), worth.sum(axis=1))
    return taken.astype(np.int16), best.astype(np.int16), open_


def test_whoever_is_drawn_may_go_to_the_drawn_queue_alone_and_no_reserve_draws_them():
    problem, _, arms = world()
    made = offered(problem, arms)
    others = np.setdiff1d(np.arange(problem.account_count), arms.rows)
    assert np.array_equal(made.value[others], problem.value[others])
    may = made.value[arms.rows] != INELIGIBLE
    assert (may.sum(axis=1) == (problem.value[arms.rows] != INELIGIBLE).any(axis=1)).all()  # never where a rule forbids
    assert np.array_equal(made.value[arms.rows][may], problem.value[arms.rows][may])
    assert (drawable(made, arms).value == INELIGIBLE).all()
    assert drawable(problem, None) is problem


@pytest.mark.parametrize("planted", [False, True])
def test_chances_are_those_that_many_draws_find(planted):
    problem, margin, arms = world()
    taken, best, open_ = decided(problem, margin, arms)
    plain = np.full(taken.size, NANO, dtype=np.int64)
    chance = with_draws(plain, arms, problem, None, (taken, best), open_) / NANO
    if planted:  # as if the draw of a queue had no chance of its own
        chance = np.where(arms.arm == Arm.RANDOM_QUEUE, 0.25, chance)
    generator, draws = np.random.default_rng(9), 1_500
    same = np.zeros(taken.size)
    everyone = np.arange(taken.size)
    for _ in range(draws):
        arm = np.where(generator.random(taken.size) < 0.25, int(Arm.RANDOM_QUEUE), int(Arm.CONTACT)).astype(np.uint8)
        rows = np.flatnonzero(arm == Arm.RANDOM_QUEUE)
        points = generator.integers(0, 2**63, (rows.size, 3)).astype(np.uint64)
        again = replace(arms, arm=arm, rows=rows, points=points)
        same += decided(problem, margin, again)[0] == taken[everyone]
    z = (same / draws - chance) / np.sqrt(np.maximum(chance * (1 - chance), 1e-9) / draws)
    agrees = bool((np.abs(z[(chance > 0.02) & (chance < 1)]) < 5).all() and (same[chance == 1] == draws).all())
    assert agrees is not planted
    assert (chance > 0).all()


def entered(count=4_000, seed=1):
    """Return people of three queues, the second worth 40 more than the first, each of whom two or three are worth."""
    generator = np.random.default_rng(seed)
    worth = np.ones((count, 3), dtype=bool)
    worth[: count // 4, 2] = False
    arm = np.where(generator.random(count) < 0.5, int(Arm.RANDOM_QUEUE), int(Arm.CONTACT)).astype(np.uint8)
    able = generator.random((count, 3))
    drawn = np.where(arm == Arm.RANDOM_QUEUE, able.argmin(axis=1), -1).astype(np.int16)  # also where it is not worth it
    prediction = generator.gamma(2.0, 50.0, count)
    went = np.where(arm == Arm.CONTACT, 1, drawn)
    cash = prediction + generator.normal(0, 30, count) + np.array([0.0, 40.0, 10.0])[went]
    return EnteredPersons(arm, np.ones(count, np.int16), prediction, {"cash": cash}, drawn, worth)


def test_queues_are_read_against_each_other_by_people_whom_both_are_worth():
    persons = entered()
    found = read_experiment(persons, 500_000_000, 4_000, queues=3)
    assert [(pair.first, pair.second) for pair in found.pairs] == [(0, 1), (0, 2), (1, 2)]
    for pair, truth in zip(found.pairs, (-40.0, -10.0, 30.0), strict=True):
        effect = pair.effects[0]
        assert effect.anytime_low < effect.fixed_low < truth < effect.fixed_high < effect.anytime_high
    assert found.pairs[1].first_count < found.pairs[0].first_count  # the third queue is not worth it for all
    assert found.groups[0].effects[0].effect == pytest.approx(40 - 50 / 3, abs=5)
    small = read_experiment(entered(400), 500_000_000, 400, queues=3)
    assert all(not pair.effects and pair.needed_count == 200 for pair in small.pairs)
    assert read_experiment(replace(persons, drawn=None, worth=None), 500_000_000, 4_000).pairs == ()
