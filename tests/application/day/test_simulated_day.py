"""A simulated day: the living desk calls nobody in vain where the frozen list does, with the same minutes in the same world."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta

import numpy as np
import pytest

from collections_opt.application.evaluation.simulated_day import QUIET, SimulatedDay, world
from collections_opt.core.actors import UNKNOWN
from tests.support.day.day_worlds import CALLS, NOON, Clock, open_world, rank_world
from tests.support.factories import plan, queue

COUNT, HOURS = 240, 6
BUSY = plan(queue(CALLS, agents=2.0, attempts=1.0), queue("care", agents=1.0, specialisms=("vulnerable",), specialist_only=True))


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    clock = Clock(NOON - timedelta(hours=1))
    with closing(open_world(tmp_path_factory.mktemp("lived"), clock, count=COUNT)) as workspace:
        ranking_id = rank_world(workspace, COUNT, BUSY)
        day = SimulatedDay(workspace, ranking_id, lambda at: setattr(clock, "at", at), clock.at, HOURS, seed=3)
        report = day.live((2, 4), UNKNOWN)
        yield report, workspace.ledger.rankings.before(None, 10), workspace


def test_nobody_is_called_in_vain_by_the_living_desk(lived):
    report, _, _ = lived
    assert sum(report.live.in_vain.values()) == 0
    assert sum(report.frozen.in_vain.values()) > 0


def test_the_living_desk_keeps_to_rules_and_to_one_contact_a_person(lived):
    report, _, _ = lived
    assert (report.against_rules, report.twice) == (0, 0)
    assert report.live.by_queue.sum() == report.live.contacts


def test_contacts_against_a_rule_and_second_ones_are_counted(lived, monkeypatch):
    report, _, workspace = lived
    day = SimulatedDay(workspace, report.rankings[0], lambda at: None, NOON, HOURS, seed=3)
    care = [queue.queue_id for queue in BUSY.queues].index("care")
    done = day._nothing_done()
    done.by_queue[:3, 1 - care] = (2, 1, 0)
    assert (day._against_rules(done), day._twice(done)) == (0, 1)
    done.by_queue[:, care] = 1  # nobody here is vulnerable: the queue for the vulnerable may work none
    assert day._against_rules(done) == COUNT


def test_what_remained_was_solved_twice_and_holds(lived):
    report, _, workspace = lived
    assert len(report.rankings) == 3
    for ranking_id in report.rankings[1:]:
        assert not workspace.evidence.verification.verify_ranking(ranking_id).broken


def test_the_figures_add_up(lived):
    report, _, _ = lived
    for desk in (report.live, report.frozen):
        assert desk.gain_minor.sum() == pytest.approx(desk.by_hour.sum())
    assert report.difference_minor == pytest.approx(report.live.gain_minor.sum() - report.frozen.gain_minor.sum())
    assert report.half_width_minor > 0
    assert report.events >= report.live.contacts


def test_one_seed_is_one_world():
    one, same, other = world(500, 3_600, 1), world(500, 3_600, 1), world(500, 3_600, 2)
    np.testing.assert_array_equal(one.happening, same.happening)
    assert not np.array_equal(one.luck, other.luck)
    assert 0.85 < float((one.happening == QUIET).mean()) < 0.95
