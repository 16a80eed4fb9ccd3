"""How much a turn asks of the database: a bound on statements, however many lease and complete in it."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import sqlalchemy as sa

from tests.support.day.day_worlds import asked, call

OF_A_LEASE = 8
"""Begin, standing, what the request was given, leases past their time, changes, new events, the leases given."""

OF_A_COMPLETION = 12
"""Begin, standing, the lease, directory, event ids, leases past their time, events, batch, place in the log, leaf, lease."""


@contextmanager
def counted():
    """Yield the statements that are executed meanwhile."""
    told = []

    def tell(_connection, _cursor, statement, *_):
        told.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", tell)
    try:
        yield told
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", tell)


def together(dispatch, acts):
    """Run acts in one turn, and return what each returned."""
    waiting, found = dispatch._turns._together, {}
    threads = [threading.Thread(target=lambda at=at, act=act: found.update({at: act()})) for at, act in enumerate(acts)]
    with waiting.alone():
        for thread in threads:
            thread.start()
        while len(waiting._waiting) < len(acts):
            threading.Event().wait(0.001)
    for thread in threads:
        thread.join()
    return [found[at] for at in range(len(acts))]


def test_a_turn_asks_no_more_for_many_than_for_one(world):
    day, ranking_id, clock = world
    dispatch = day.dispatch
    first = dispatch.lease(asked(ranking_id, "warm"))
    dispatch.complete(first[0].lease.lease_id, "warm", [call(first[0].account_id, clock())])
    with counted() as one_lease:
        leased = dispatch.lease(asked(ranking_id, "alone"))
    with counted() as many_leases:
        given = together(dispatch, [lambda at=at: dispatch.lease(asked(ranking_id, f"agent-{at}")) for at in range(6)])
    assert len({one.account_id for mine in given for one in mine}) == 6
    assert len(many_leases) <= len(one_lease) <= OF_A_LEASE, (one_lease, many_leases)
    ends = [(mine[0], f"agent-{at}") for at, mine in enumerate(given)]
    with counted() as one_end:
        dispatch.complete(leased[0].lease.lease_id, "alone", [call(leased[0].account_id, clock())])
    with counted() as many_ends:
        acts = [
            lambda one=one, who=who: dispatch.complete(one.lease.lease_id, who, [call(one.account_id, clock())])
            for one, who in ends
        ]
        assert not any(end.lost for end in together(dispatch, acts))
    assert len(many_ends) <= len(one_end) <= OF_A_COMPLETION, (one_end, many_ends)
    assert [one.recorded.sequence for one in day.events.log.after(0, 100)] == list(range(1, 17))
