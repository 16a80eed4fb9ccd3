"""Good requests of PackService."""

from __future__ import annotations

from datetime import timedelta

from collections_opt.api.v1 import pack_service_pb2 as pb
from collections_opt.wire.common import write_date
from tests.support.serving.calls import AS_OF


def pack_requests(account_id):
    """Return good calls; nothing is recorded of the person, who is named by one call as the account is by another."""
    days = {"first_date": write_date(AS_OF - timedelta(days=10)), "last_date": write_date(AS_OF)}
    return {
        "ExportPersonPack": [[pb.ExportPersonPackRequest(account_id=account_id, **days)]],
        "GetPortfolioPack": [[pb.GetPortfolioPackRequest(portfolio_patterns=["book"], **days)]],
    }
