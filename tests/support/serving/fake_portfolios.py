"""A servicer of portfolios whose answers a test writes."""

from __future__ import annotations

import threading

from collections_opt.api.v1 import portfolio_service_pb2 as pb


class Portfolios:
    """Answers what a test asks, and counts."""

    def __init__(self):
        self.calls = 0
        self.remaining = None
        self.refusals = []
        self.released = threading.Event()

    def __getattr__(self, _name):
        """Stand for methods that no test here calls: the contract grows."""
        return lambda _request, _context: None

    def _answer(self, context):
        self.calls += 1
        self.remaining = context.time_remaining()
        if self.refusals:
            raise self.refusals.pop()

    def get_portfolio(self, request, context):
        self._answer(context)
        return pb.GetPortfolioResponse()

    def list_portfolios(self, request, context):
        self._answer(context)
        return pb.ListPortfoliosResponse()

    def list_quarantined_accounts(self, request, context):
        self.released.wait(30)
        return pb.ListQuarantinedAccountsResponse()

    def import_portfolio(self, requests, context):
        self._answer(context)
        rows = sum(request.chunk.row_count for request in requests)
        return pb.ImportPortfolioResponse(portfolio=pb.Portfolio(row_count=rows))

    def check_portfolio(self, requests, context):
        yield pb.CheckPortfolioResponse()
