"""Rankings opened beside those in work: nobody waits for another's morning, and a server that starts at noon is ready."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import timedelta

import numpy as np
import pytest

from collections_opt.core.actors import UNKNOWN
from collections_opt.core.errors import CollectionsError, Reason
from tests.support.day.day_worlds import Clock, asked, call, open_world


@pytest.fixture
def worked(template, tmp_path, world):
    """Return a day in which an account was called and one is held, and what opens its folder again."""
    day, ranking_id, clock = world
    first, _ = day.dispatch.lease(asked(ranking_id, count=2))
    day.dispatch.complete(first.lease.lease_id, "agent-1", [call(first.account_id, clock())])
    return day, ranking_id, lambda at: closing(open_world(tmp_path / "world", at))


def state_of(desk):
    """Return what a desk knows, to compare."""
    told = {row: [one.sequence for one in events] for row, events in desk.events.items()}
    facts = (desk.sequence, told, desk.held, desk.places, desk.replaced, sorted((+desk.tags).items()))
    return facts, [column.tolist() for column in (desk.busy, desk.returned, desk.moved)]


def desk_of(day, ranking_id):
    return day.dispatch._turns.look(lambda turn: day.openings.caught_up(turn, ranking_id, day.openings._now())[0])


def test_a_server_that_starts_at_noon_holds_what_the_other_holds_before_it_is_asked(worked):
    day, ranking_id, opened_again = worked
    with opened_again(Clock()) as second:
        assert second.day.openings.open_worked() == [ranking_id]
        assert second.day.openings._desks.holds(ranking_id)
        assert state_of(desk_of(second.day, ranking_id)) == state_of(desk_of(day, ranking_id))


def test_a_ranking_of_yesterday_or_never_worked_is_not_opened(worked, template, tmp_path):
    _, _, opened_again = worked
    tomorrow = Clock()
    tomorrow.forward(days=1)
    with opened_again(tomorrow) as second:
        assert second.day.openings.open_worked() == []
    with closing(open_world(template[0], Clock())) as idle:
        assert idle.day.openings.open_worked() == []


def test_while_one_ranking_is_opened_leases_of_others_end(worked, monkeypatch):
    day, ranking_id, opened_again = worked
    held = day.dispatch.lease(asked(ranking_id))[0]
    with opened_again(Clock()) as second:
        openings = second.day.openings
        reading, go_on = threading.Event(), threading.Event()
        read = openings._desks._opened

        def slow(of):
            reading.set()
            assert go_on.wait(60)
            return read(of)

        monkeypatch.setattr(openings._desks, "_opened", slow)
        leased = []
        agent = threading.Thread(target=lambda: leased.extend(second.day.dispatch.lease(asked(ranking_id, "agent-2"))))
        agent.start()
        assert reading.wait(60)
        try:
            ended = second.day.dispatch.complete(held.lease.lease_id, "agent-1", [call(held.account_id, Clock()())])
        finally:
            go_on.set()
            agent.join()
    assert not ended.lost
    assert held.account_id not in [one.account_id for one in leased]
    assert leased


def test_a_ranking_out_of_its_day_is_refused_when_it_is_opened(world):
    day, ranking_id, clock = world
    clock.at += timedelta(days=1)
    with pytest.raises(CollectionsError) as refused:
        day.openings.open(ranking_id)
    assert refused.value.reason is Reason.RANKING_NOT_IN_FORCE


def test_rows_are_found_by_key_and_by_person_as_one_by_one(world):
    day, ranking_id, _ = world
    desk = desk_of(day, ranking_id)
    numbers = np.append(desk.key_no, [-1, int(desk.key_no.max()) + 1])
    assert desk._rows_of_keys(numbers).tolist() == [*range(desk.key_no.size), -1, -1]
    for row in range(desk.key_no.size):
        assert desk.rows_of_person(row) == desk.rows_of_customer(bytes(desk.customer_id[row]))


def test_many_events_at_once_say_what_they_say_one_by_one(world):
    day, ranking_id, clock = world
    accounts = [account.decode() for account in desk_of(day, ranking_id).account_id.tolist()]
    for account in accounts[:6]:
        day.events.record([call(account, clock())], UNKNOWN)
    for first in day.dispatch.lease(asked(ranking_id, count=3)):
        day.dispatch.release(first.lease.lease_id, "agent-1", "not now")
    stored = day.events.log.after(0, 100)
    at_once, one_by_one = (day.dispatch._turns.read(lambda turn: fresh(day, ranking_id, turn)) for _ in range(2))
    at_once.take_events(stored)
    for event in stored:
        one_by_one.take_events([event])
    assert state_of(at_once) == state_of(one_by_one)
    assert np.array_equal(at_once.version > 0, one_by_one.version > 0)


def fresh(day, ranking_id, turn):
    return day.openings._desks.opened(ranking_id, day.openings._now(), turn.standing)[0]
