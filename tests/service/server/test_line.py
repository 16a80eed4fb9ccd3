"""The line for a place: in order, for a moment, and no place is ever lost or doubled."""

from __future__ import annotations

import asyncio
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.api.v1 import portfolio_service_pb2, portfolio_service_pb2_grpc
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.service.access.methods import CallClass
from collections_opt.service.server.edge import Patience
from collections_opt.service.server.places import Line, Places
from tests.support.serving.edge import WAIT, FakePortfolios, running

WORK = CallClass.WORK
GET = portfolio_service_pb2.GetPortfolioRequest(portfolio_id="p")
LONG, AT_ONCE = 60.0, 0.0


async def settle():
    for _ in range(4):
        await asyncio.sleep(0)


def one_place(of_caller=1, most=16):
    places = Places({WORK: 1}, {WORK: of_caller})
    return places, Line(places, most)


def test_who_came_first_gets_the_place_that_comes_free_first():
    async def scenario():
        _, line = one_place()
        served, first = [], await line.place(WORK, "a", LONG)

        async def call(name):
            give_back = await line.place(WORK, name, LONG)
            served.append(name)
            give_back()
            line.move(WORK)

        calls = [asyncio.create_task(call(name)) for name in ("b", "c", "d")]
        await settle()
        assert line.waits(WORK)
        assert not served
        first()
        line.move(WORK)
        await asyncio.gather(*calls)
        assert not line.waits(WORK)
        return served

    assert asyncio.run(scenario()) == ["b", "c", "d"]


def test_nobody_waits_longer_than_told_nor_in_too_long_a_line():
    async def scenario():
        places, line = one_place(most=1)
        give_back = await line.place(WORK, "a", LONG)
        with pytest.raises(CollectionsError) as late:
            await line.place(WORK, "b", AT_ONCE)
        waiting = asyncio.create_task(line.place(WORK, "b", LONG))
        await settle()
        with pytest.raises(CollectionsError) as full:
            await line.place(WORK, "c", LONG)
        give_back()
        line.move(WORK)
        (await waiting)()
        assert not places.in_use()[WORK]
        return {late.value.reason, full.value.reason}

    assert asyncio.run(scenario()) == {Reason.OVERLOADED}


def test_a_full_line_refuses_before_a_message_is_read_and_takes_no_place():
    async def scenario():
        places, line = one_place(most=1)
        line.require_hope(WORK, "c")
        give_back = await line.place(WORK, "a", LONG)
        line.require_hope(WORK, "c")
        waiting = asyncio.create_task(line.place(WORK, "b", LONG))
        await settle()
        with pytest.raises(CollectionsError) as full:
            line.require_hope(WORK, "c")
        give_back()
        line.require_hope(WORK, "c")
        line.move(WORK)
        (await waiting)()
        assert not places.in_use()[WORK]
        return full.value.reason

    assert asyncio.run(scenario()) is Reason.OVERLOADED


def test_a_caller_who_has_all_it_may_have_holds_nobody_up():
    async def scenario():
        places = Places({WORK: 2}, {WORK: 1})
        line = Line(places)
        await line.place(WORK, "a", LONG)
        greedy = asyncio.create_task(line.place(WORK, "a", LONG))
        await settle()
        await asyncio.wait_for(line.place(WORK, "b", LONG), LONG)
        greedy.cancel()
        await asyncio.gather(greedy, return_exceptions=True)
        return places.in_use()[WORK], line.waits(WORK)

    assert asyncio.run(scenario()) == (2, False)


ACTS = st.lists(st.tuples(st.sampled_from(["call", "end", "leave", "end and leave"]), st.integers(0, 7)), max_size=40)


@settings(max_examples=200, deadline=None)
@given(ACTS)
def test_whoever_ends_or_leaves_in_whatever_order_no_place_is_lost_or_doubled(acts):
    async def scenario():
        places = Places({WORK: 2}, {WORK: 2})
        line = Line(places)
        calls: list[asyncio.Task] = []

        def held():
            return [call for call in calls if call.done() and not call.cancelled()]

        def end(call):
            calls.remove(call)
            call.result()()
            line.move(WORK)

        for act, which in acts:
            if act == "call":
                calls.append(asyncio.create_task(line.place(WORK, f"caller {which % 3}", LONG)))
            if act.startswith("end") and held():
                end(held()[which % len(held())])  # and at the same instant, perhaps, the one whose turn it is goes away
            if act.endswith("leave") and (waiting := [call for call in calls if not call.done()]):
                waiting[which % len(waiting)].cancel()
            if act != "end and leave":
                await settle()
                assert len(held()) == places.in_use()[WORK] <= 2
                assert len(held()) == 2 or not line.waits(WORK)
            calls[:] = [call for call in calls if not call.cancelled()]
        await settle()
        while held():
            end(held()[0])
            await settle()
        assert not places.in_use()[WORK]
        assert not line.waits(WORK)

    asyncio.run(scenario())


def test_workers_that_call_at_once_are_served_one_after_the_other():
    fake, arrived = FakePortfolios(), threading.Barrier(2, timeout=WAIT)

    def answer(_request, _call):
        arrived.wait()  # two of eight are at work at a time, and each ends only beside another
        return portfolio_service_pb2.GetPortfolioResponse()

    fake.answer = answer
    with running(fake, patience=Patience(place=WAIT), READ=2) as channel:
        stub = portfolio_service_pb2_grpc.PortfolioServiceStub(channel)
        calls = [stub.GetPortfolio.future(GET, timeout=WAIT) for _ in range(8)]
        assert all(call.result(WAIT) is not None for call in calls)
