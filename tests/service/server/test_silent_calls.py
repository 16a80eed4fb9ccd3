"""Callers who hold on to the server and say nothing, and callers who leave: others are served all the while."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from collections_opt.api.v1 import portfolio_service_pb2, portfolio_service_pb2_grpc
from collections_opt.api.v1.columns_pb2 import ColumnChunk
from collections_opt.service.access.methods import CallClass
from collections_opt.service.server import edge as real_edge
from collections_opt.service.server.build import MIN_PING_SECONDS
from collections_opt.service.server.edge import Patience
from collections_opt.service.server.places import Places, Waiting, caller_share
from tests.support.serving.edge import WAIT, FakePortfolios, places, refusal, running
from tests.support.serving.silent_calls import SilentConnection, silent_calls

GET = portfolio_service_pb2.GetPortfolioRequest(portfolio_id="p")
SERVICE = "/collections_opt.api.v1.PortfolioService/"
HEALTH = "/grpc.health.v1.Health/"
C = grpc.StatusCode


def stub(channel):
    return portfolio_service_pb2_grpc.PortfolioServiceStub(channel)


def healthy(channel):
    health = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=WAIT)
    return health.status == health_pb2.HealthCheckResponse.SERVING


@contextmanager
def closing(connections):
    try:
        yield connections
    finally:
        for connection in connections:
            connection.close()


@pytest.mark.parametrize("path", [SERVICE + "GetPortfolio", SERVICE + "ImportPortfolio", HEALTH + "Check", HEALTH + "Watch"])
def test_two_hundred_silent_calls_stop_neither_health_nor_work(path):
    with running() as channel, closing(silent_calls(channel.port, path, 200)):
        assert healthy(channel)
        assert stub(channel).GetPortfolio(GET, timeout=WAIT) is not None
        assert stub(channel).ImportPortfolio(iter([]), timeout=WAIT).portfolio.row_count == 0


def test_a_worker_taken_before_the_message_would_be_noticed(monkeypatch):
    """The planted bug: what grpc's synchronous server does, a thread for every call whose headers are there."""
    leave = threading.Event()

    class Taking(real_edge.Edge):
        async def serve(self, method, context):
            self._workers.submit(leave.wait, WAIT)
            return await super().serve(method, context)

    monkeypatch.setattr("collections_opt.service.server.build.Edge", Taking)
    with running() as channel, closing(silent_calls(channel.port, SERVICE + "GetPortfolio", 100)):
        with pytest.raises(grpc.RpcError) as caught:
            stub(channel).GetPortfolio(GET, timeout=0.2)
        assert caught.value.code() is C.DEADLINE_EXCEEDED
        leave.set()


def test_a_silent_call_ends_by_itself_and_a_stalled_import_gives_its_place_back():
    patience = Patience(first=0.05, later=0.05)
    with running(patience=patience, BULK=1) as channel:
        connection = SilentConnection(channel.port)
        with closing([connection]):
            assert connection.ended(connection.start(SERVICE + "GetPortfolio"))
            assert connection.ended(connection.start(SERVICE + "GetPortfolio", data=b"\0\0\0\1\0half"))
        stalled = threading.Event()

        def chunks():
            yield portfolio_service_pb2.ImportPortfolioRequest(chunk=ColumnChunk(row_count=1))
            stalled.wait(WAIT)

        with pytest.raises(grpc.RpcError) as caught:
            stub(channel).ImportPortfolio(chunks(), timeout=WAIT)
        stalled.set()
        assert refusal(caught.value)[:2] == (C.INVALID_ARGUMENT, "LIMIT_EXCEEDED")
        assert stub(channel).ImportPortfolio(iter([]), timeout=WAIT) is not None


def test_deadline_and_token_are_checked_before_the_message_comes():
    with running() as channel:
        connection = SilentConnection(channel.port)
        with closing([connection]):
            assert connection.ended(connection.start(SERVICE + "GetPortfolio", timeout=None))


def test_pings_every_ten_seconds_are_answered_and_a_flood_of_pings_is_cut_off():
    assert MIN_PING_SECONDS < 10
    with running() as channel:
        connection = SilentConnection(channel.port)
        with closing([connection]):
            answered = 0
            while connection.ping():
                answered += 1
                assert answered < 100
            assert answered >= 2


def test_one_caller_cannot_take_every_place():
    fake, entered, leave = FakePortfolios(), threading.Semaphore(0), threading.Event()

    def answer(_request, _call):
        entered.release()
        assert leave.wait(WAIT)
        return portfolio_service_pb2.GetPortfolioResponse()

    fake.answer = answer
    shares = {kind: caller_share(count) for kind, count in places(READ=4).items()}
    with running(fake, of_caller=shares, READ=4) as greedy, other_connection(greedy) as modest:
        waiting = [stub(greedy).GetPortfolio.future(GET, timeout=WAIT) for _ in range(3)]
        assert all(entered.acquire(timeout=WAIT) for _ in waiting)
        with pytest.raises(grpc.RpcError) as caught:
            stub(greedy).GetPortfolio(GET, timeout=WAIT)
        assert refusal(caught.value)[:2] == (C.RESOURCE_EXHAUSTED, "OVERLOADED")
        last = stub(modest).GetPortfolio.future(GET, timeout=WAIT)
        assert entered.acquire(timeout=WAIT)
        leave.set()
        assert all(call.result(WAIT) is not None for call in [*waiting, last])


@contextmanager
def other_connection(channel):
    options = [("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(f"127.0.0.1:{channel.port}", options=options) as opened:
        yield opened


def test_every_class_leaves_something_to_others_where_there_is_something():
    assert [caller_share(count) for count in (1, 2, 3, 4, 16)] == [1, 1, 2, 3, 12]


def test_places_are_given_back_to_the_class_they_came_from():
    counted = Places({CallClass.READ: 1, CallClass.WORK: 1})
    give_back = counted.take(CallClass.READ, "a")
    counted.take(CallClass.WORK, "a")
    give_back()
    assert counted.in_use() == {CallClass.READ: 0, CallClass.WORK: 1}


@pytest.mark.parametrize("broken_off", [True, False])
def test_a_stream_that_was_broken_off_is_never_taken_for_a_whole_one(broken_off):
    """To grpc's reader both end alike; an import of half a file would be recorded as the file."""
    fake, read, rows = FakePortfolios(), threading.Semaphore(0), []
    ended = threading.Semaphore(0)

    def import_portfolio(requests, _call):
        try:
            for request in requests:
                read.release()
                count = request.chunk.row_count
            rows.append(count)
        finally:
            ended.release()
        return portfolio_service_pb2.ImportPortfolioResponse()

    fake.import_portfolio = import_portfolio
    with running(fake) as channel:
        for _ in range(50):
            leave = threading.Event()

            def chunks(leave=leave):
                yield portfolio_service_pb2.ImportPortfolioRequest(chunk=ColumnChunk(row_count=1))
                leave.wait(WAIT)

            call = stub(channel).ImportPortfolio.future(chunks(), timeout=WAIT)
            assert read.acquire(timeout=WAIT)
            if broken_off:
                call.cancel()
            leave.set()
            assert ended.acquire(timeout=WAIT)
    assert len(rows) == (0 if broken_off else 50)


def test_after_a_burst_of_short_deadlines_the_next_call_is_answered():
    fake, slow = FakePortfolios(), threading.Event()

    def answer(_request, call):
        while not slow.is_set() and not call.left.wait(0.01):
            pass  # it answers nobody before he has left
        return portfolio_service_pb2.GetPortfolioResponse()

    fake.answer = answer
    with running(fake, READ=2) as channel:
        with ThreadPoolExecutor(8) as pool:
            codes = set(pool.map(lambda _: code_of(channel, 0.02), range(40)))
        assert C.DEADLINE_EXCEEDED in codes
        slow.set()
        assert any(code_of(channel, WAIT) is C.OK for _ in range(1_000))


def code_of(channel, timeout):
    try:
        stub(channel).GetPortfolio(GET, timeout=timeout)
    except grpc.RpcError as error:
        return error.code()
    return C.OK


def test_the_oldest_silent_call_of_whoever_has_most_leaves_first():
    async def scenario():
        waiting, ended = Waiting(4, 3), []

        async def silent(name, caller):
            try:
                await waiting.until(caller, asyncio.Event().wait())
            except Exception as error:  # noqa: BLE001 - told apart below
                ended.append((name, error.reason.value))

        tasks = []
        for name, caller in [("a1", "a"), ("a2", "a"), ("b1", "b"), ("a3", "a"), ("b2", "b"), ("a4", "a"), ("a5", "a")]:
            tasks.append(asyncio.create_task(silent(name, caller)))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert len(waiting) <= 4
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert len(waiting) == 0
        return ended

    assert asyncio.run(scenario()) == [("a1", "OVERLOADED"), ("a2", "OVERLOADED"), ("a3", "OVERLOADED")]
