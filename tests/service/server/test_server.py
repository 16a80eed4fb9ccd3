from __future__ import annotations

import asyncio
import gc
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
import structlog
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.api.v1 import (
    portfolio_service_pb2,
    portfolio_service_pb2_grpc,
    ranking_service_pb2,
    ranking_service_pb2_grpc,
)
from collections_opt.api.v1.columns_pb2 import ColumnChunk
from collections_opt.api.v1.ranking_service_pb2 import WatchRankingRequest
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.limits import MAX_CHUNK_BYTES
from collections_opt.service.access.methods import CallClass
from collections_opt.service.server.build import ServerOptions, TlsFiles, build_server
from collections_opt.service.server.edge import Edge
from collections_opt.service.server.event_loop import run_on_loop
from collections_opt.service.server.guard import Guard
from collections_opt.service.server.handlers import Service, method_handlers, snake_case
from collections_opt.wire.status import PUSHBACK_KEY
from tests.support.serving.edge import PORTFOLIOS, WAIT, FakePortfolios, FakeRankings, places, raw_call, refusal, running

GET = portfolio_service_pb2.GetPortfolioRequest(portfolio_id="p")
C = grpc.StatusCode


@pytest.fixture
def fake():
    return FakePortfolios()


@pytest.fixture
def channel(fake):
    with running(fake) as opened:
        yield opened


def stub(channel):
    return portfolio_service_pb2_grpc.PortfolioServiceStub(channel)


def test_refusals_reach_the_caller_with_reason_and_fields(channel, fake):
    def answer(request, _context):
        raise refuse(Reason.NOT_FOUND, "portfolio_id", f"{request.portfolio_id!r} is unknown.", "List them.")

    fake.answer = answer
    with pytest.raises(grpc.RpcError) as caught:
        stub(channel).GetPortfolio(GET, timeout=WAIT)
    code, reason, status = refusal(caught.value)
    assert (code, reason) == (C.NOT_FOUND, "NOT_FOUND")
    bad = next(d for d in status.details if d.Is(error_details_pb2.BadRequest.DESCRIPTOR))
    assert error_details_pb2.BadRequest.FromString(bad.value).field_violations[0].field == "portfolio_id"


def test_unexpected_failures_say_an_incident_id_and_log_where(channel, fake):
    def answer(_request, _context):
        raise RuntimeError("account 4711 has secret 0815")

    fake.answer = answer
    with structlog.testing.capture_logs() as logs, pytest.raises(grpc.RpcError) as caught:
        stub(channel).GetPortfolio(GET, timeout=WAIT)
    code, reason, status = refusal(caught.value)
    assert (code, reason) == (C.INTERNAL, "INTERNAL")
    assert "incident-7" in caught.value.details()
    assert "secret" not in str(status)
    assert "RuntimeError" not in str(status)
    (log,) = [log for log in logs if "incident" in log]
    assert (log["incident"], log["error"]) == ("incident-7", "RuntimeError")
    assert "test_server.py" in log["exception"]
    assert "secret" not in str(log)


def test_malformed_bytes_are_the_callers_fault_with_one_log_line(channel):
    with structlog.testing.capture_logs() as logs:
        for _ in range(5):
            with pytest.raises(grpc.RpcError) as caught:
                raw_call(channel, "GetPortfolio")(b"\xff\xff\xff", timeout=WAIT)
            assert refusal(caught.value)[:2] == (C.INVALID_ARGUMENT, "MALFORMED_MESSAGE")
    assert [log["event"] for log in logs] == ["malformed message"]


def test_a_malformed_message_inside_a_stream_is_refused_too(channel):
    path = "/collections_opt.api.v1.PortfolioService/ImportPortfolio"
    call = channel.stream_unary(path, request_serializer=None, response_deserializer=None)
    good = portfolio_service_pb2.ImportPortfolioRequest(chunk=ColumnChunk(row_count=1)).SerializeToString()
    with pytest.raises(grpc.RpcError) as caught:
        call(iter([good, b"\x0a\xff"]), timeout=WAIT)
    assert refusal(caught.value)[:2] == (C.INVALID_ARGUMENT, "MALFORMED_MESSAGE")


def test_no_bytes_at_all_make_the_server_fail(channel):
    call = raw_call(channel, "GetPortfolio")

    @settings(max_examples=300, deadline=None, database=None)
    @given(st.binary(max_size=60))
    def send(raw):
        try:
            call(raw, timeout=WAIT)
        except grpc.RpcError as error:
            assert refusal(error)[:2] == (C.INVALID_ARGUMENT, "MALFORMED_MESSAGE")  # noqa: PT017

    send()


def test_a_call_without_a_deadline_is_refused(channel):
    for timeout in (None, 200_000.0):
        with pytest.raises(grpc.RpcError) as caught:
            stub(channel).GetPortfolio(GET, timeout=timeout)
        assert refusal(caught.value)[:2] == (C.INVALID_ARGUMENT, "DEADLINE_REQUIRED")


def held_calls():
    return sum(type(one).__name__ == "_ServicerContext" for one in gc.get_objects())


@pytest.mark.parametrize("why", ["refused by its headers", "refused by its use case", "failed"])
def test_a_call_that_ended_badly_is_freed_without_the_garbage_collector(channel, fake, why):
    def answer(_request, _context):
        if why == "failed":
            raise ValueError
        raise refuse(Reason.NOT_FOUND, "portfolio_id", "is unknown.", "List them.")

    fake.answer = answer
    gc.collect()
    gc.disable()
    try:
        before = held_calls()
        for _ in range(20):
            with pytest.raises(grpc.RpcError):
                stub(channel).GetPortfolio(GET, timeout=None if why == "refused by its headers" else WAIT)
        for _ in range(100):  # the loop hears a little later that the last ones are over
            if held_calls() - before <= 1:
                return
            run_on_loop(asyncio.sleep(0))
        assert held_calls() - before <= 1
    finally:
        gc.enable()


def test_calls_beyond_the_places_are_told_when_to_come_back_and_places_are_freed():
    fake, entered, leave = FakePortfolios(), threading.Semaphore(0), threading.Event()

    def answer(_request, _context):
        entered.release()
        assert leave.wait(WAIT)
        return portfolio_service_pb2.GetPortfolioResponse()

    fake.answer = answer
    with running(fake, READ=2) as channel:
        waiting = [stub(channel).GetPortfolio.future(GET, timeout=WAIT) for _ in range(2)]
        assert all(entered.acquire(timeout=WAIT) for _ in waiting)
        with pytest.raises(grpc.RpcError) as caught:
            stub(channel).GetPortfolio(GET, timeout=WAIT)
        code, reason, status = refusal(caught.value)
        assert (code, reason) == (C.RESOURCE_EXHAUSTED, "OVERLOADED")
        assert any(d.Is(error_details_pb2.RetryInfo.DESCRIPTOR) for d in status.details)
        assert int(dict(caught.value.trailing_metadata())[PUSHBACK_KEY]) > 0
        health = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=WAIT)
        assert health.status == health_pb2.HealthCheckResponse.SERVING
        leave.set()
        assert all(call.result(WAIT) is not None for call in waiting)
        assert stub(channel).GetPortfolio(GET, timeout=WAIT) is not None


def test_refused_and_failed_calls_give_their_place_back(channel, fake):
    def fail(_request, _context):
        raise CollectionsError(Reason.NOT_FOUND, "no")

    def burst(_request, _context):
        raise ValueError

    for answer in (fail, burst):
        fake.answer = answer
        for _ in range(6):
            with pytest.raises(grpc.RpcError) as caught:
                stub(channel).GetPortfolio(GET, timeout=WAIT)
            assert caught.value.code() in (C.NOT_FOUND, C.INTERNAL)


def test_a_caller_who_leaves_a_stream_frees_its_place():
    fake = FakeRankings()
    with running(rankings=fake, WATCH=1) as channel:
        for _ in range(3):
            fake.ended.clear()
            call = first_place(ranking_service_pb2_grpc.RankingServiceStub(channel).WatchRanking)
            call.cancel()
            assert fake.ended.wait(WAIT)


def first_place(watch):
    """Return a stream that has begun; the place of the stream before is freed just after it ended."""
    for _ in range(2_000):
        call = watch(WatchRankingRequest(), timeout=WAIT)
        try:
            next(call)
        except grpc.RpcError as error:
            assert error.code() is C.RESOURCE_EXHAUSTED  # noqa: PT017 - the one other end a call may have here
        else:
            return call
    return pytest.fail("the place was never freed")


def test_a_refusal_in_the_middle_of_a_stream_ends_it_with_its_reason():
    fake = FakeRankings()

    def export(_request, _context):
        yield ranking_service_pb2.ExportRankingResponse()
        raise refuse(Reason.INTEGRITY_FAILURE, "entries", "differ.")

    fake.export_ranking = export
    with running(rankings=fake) as channel:
        request = ranking_service_pb2.ExportRankingRequest(ranking_id="r")
        call = ranking_service_pb2_grpc.RankingServiceStub(channel).ExportRanking(request, timeout=WAIT)
        next(call)
        with pytest.raises(grpc.RpcError) as caught:
            next(call)
        assert refusal(caught.value)[:2] == (C.DATA_LOSS, "INTEGRITY_FAILURE")


def test_streams_of_requests_are_read(channel):
    chunks = [portfolio_service_pb2.ImportPortfolioRequest(chunk=ColumnChunk(row_count=n)) for n in (1, 2, 4)]
    assert stub(channel).ImportPortfolio(iter(chunks), timeout=WAIT).portfolio.row_count == 7


def test_a_message_beyond_the_limit_never_reaches_a_use_case(channel, fake):
    fake.answer = lambda *_: pytest.fail("reached")
    with pytest.raises(grpc.RpcError) as caught:
        raw_call(channel, "GetPortfolio")(b"\x0a" * (MAX_CHUNK_BYTES + 1), timeout=WAIT)
    assert caught.value.code() is C.RESOURCE_EXHAUSTED


def test_health_and_reflection_name_the_services(channel):
    health = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=PORTFOLIOS.full_name), timeout=WAIT)
    assert health.status == health_pb2.HealthCheckResponse.SERVING
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    answer = next(iter(reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([request]), timeout=WAIT)))
    assert PORTFOLIOS.full_name in {service.name for service in answer.list_services_response.service}


class _Partial:
    def get_portfolio(self, request, context): ...


def test_a_declared_method_without_implementation_or_class_does_not_start():
    classes = dict.fromkeys(PORTFOLIOS.methods_by_name, CallClass.READ)
    with pytest.raises(TypeError, match="ImportPortfolio"):
        method_handlers(Service(PORTFOLIOS, _Partial(), classes), Edge(Guard(), ThreadPoolExecutor(1)))
    classes.pop("ListPortfolios")
    with pytest.raises(TypeError, match="ListPortfolios"):
        method_handlers(Service(PORTFOLIOS, FakePortfolios(), classes), Edge(Guard(), ThreadPoolExecutor(1)))


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (ServerOptions(), "tls"),
        (ServerOptions(host="0.0.0.0", insecure_loopback=True), "host"),
        (ServerOptions(host="example.org", insecure_loopback=True), "host"),
        (ServerOptions(host="127.0.0.1.example.org", insecure_loopback=True), "host"),
    ],
)
def test_plaintext_beyond_loopback_is_refused(options, field):
    with pytest.raises(CollectionsError) as caught:
        build_server([], options)
    assert caught.value.violations[0].field == field


def test_unreadable_tls_files_are_named(tmp_path):
    tls = TlsFiles(tmp_path / "absent.key", tmp_path / "absent.pem")
    with pytest.raises(CollectionsError, match=r"absent\.key"):
        build_server([], ServerOptions(tls=tls))


def test_a_taken_port_is_refused():
    first = build_server([], ServerOptions(insecure_loopback=True, places=places()))
    with pytest.raises(CollectionsError, match="cannot be bound"):
        build_server([], ServerOptions(insecure_loopback=True, port=first.port, places=places()))
    first.stop(0)


def test_method_names_become_python_names():
    assert [snake_case(name) for name in ("GetPortfolio", "ListQuarantinedAccounts")] == [
        "get_portfolio",
        "list_quarantined_accounts",
    ]
