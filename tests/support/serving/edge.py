"""A running server around a fake use case, and clients that see the whole status."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from collections_opt.api.v1 import portfolio_service_pb2, ranking_service_pb2
from collections_opt.service.access.methods import CallClass
from collections_opt.service.server.build import ServerOptions, build_server
from collections_opt.service.server.edge import Patience
from collections_opt.service.server.guard import Guard
from collections_opt.service.server.handlers import Service

PORTFOLIOS = portfolio_service_pb2.DESCRIPTOR.services_by_name["PortfolioService"]
RANKINGS = ranking_service_pb2.DESCRIPTOR.services_by_name["RankingService"]
WAIT = 20.0
"""Deadline of calls that are expected to end at once."""


class FakePortfolios:
    """Answers, raises or waits as a test asks."""

    def __init__(self):
        self.answer = lambda _request, _context: portfolio_service_pb2.GetPortfolioResponse()

    def __getattr__(self, _name):
        """Stand for methods that no test here calls: the contract grows."""
        return lambda _request, _context: None

    def get_portfolio(self, request, context):
        return self.answer(request, context)

    def list_portfolios(self, request, context):
        return portfolio_service_pb2.ListPortfoliosResponse()

    def list_quarantined_accounts(self, request, context):
        return portfolio_service_pb2.ListQuarantinedAccountsResponse()

    def import_portfolio(self, requests, context):
        rows = sum(request.chunk.row_count for request in requests)
        return portfolio_service_pb2.ImportPortfolioResponse(portfolio=portfolio_service_pb2.Portfolio(row_count=rows))

    def check_portfolio(self, requests, context):
        yield portfolio_service_pb2.CheckPortfolioResponse()


class FakeRankings:
    """Streams until told to stop."""

    def __init__(self):
        self.ended = threading.Event()

    def __getattr__(self, name):
        return lambda _request, _context: None

    def watch_ranking(self, request, context):
        try:
            while True:
                yield ranking_service_pb2.WatchRankingResponse()
        finally:
            self.ended.set()


def places(**changes):
    counts = {CallClass.READ: 4, CallClass.WORK: 2, CallClass.BULK: 2, CallClass.DISPATCH: 2, CallClass.WATCH: 2}
    return {**counts, **{CallClass[name]: count for name, count in changes.items()}}


@contextmanager
def running(portfolios=None, rankings=None, guard=None, patience=None, of_caller=None, **counts):
    """Yield a channel to a served fake; the channel has its ``port``."""
    classes = {**dict.fromkeys(PORTFOLIOS.methods_by_name, CallClass.READ), "ImportPortfolio": CallClass.BULK}
    watched = dict.fromkeys(RANKINGS.methods_by_name, CallClass.WATCH)
    services = [
        Service(PORTFOLIOS, portfolios or FakePortfolios(), classes),
        Service(RANKINGS, rankings or FakeRankings(), watched),
    ]
    options = ServerOptions(insecure_loopback=True, places=places(**counts), patience=patience or Patience())
    guard = guard or Guard(options.places, new_incident_id=lambda: "incident-7", of_caller=of_caller or options.places)
    built = build_server(services, options, guard)
    built.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{built.port}", options=[("grpc.enable_retries", 0)]) as channel:
            channel.port = built.port
            yield channel
    finally:
        built.stop(0)


def raw_call(channel, method, service="collections_opt.api.v1.PortfolioService"):
    """Return a unary call that sends and receives bytes as they are."""
    return channel.unary_unary(f"/{service}/{method}", request_serializer=None, response_deserializer=None)


def refusal(error):
    """Return code, reason and the whole status of a failed call."""
    status = rpc_status.from_call(error)
    infos = [d for d in status.details if d.Is(error_details_pb2.ErrorInfo.DESCRIPTOR)]
    assert len(infos) == 1
    return error.code(), error_details_pb2.ErrorInfo.FromString(infos[0].value).reason, status
