"""Packs over the API: everything recorded about a person, and a book's year in figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from collections_opt.api.v1 import pack_service_pb2 as pb
from collections_opt.client.client import Client
from collections_opt.wire.common import write_date


def person_parts(
    client: Client, first: date, last: date, account_id: str = "", customer_id: str = ""
) -> Iterator[pb.ExportPersonPackResponse]:
    """Yield the parts of a person's pack: the head, decisions by day, events, leases, reads.

    Args:
        client: a connection.
        first: the first day.
        last: the last day.
        account_id: an account of the person; this or the next.
        customer_id: the person.

    Raises:
        CollectionsError: NOT_FOUND where nothing in the caller's sight is recorded of the person.
    """
    request = pb.ExportPersonPackRequest(
        account_id=account_id, customer_id=customer_id, first_date=write_date(first), last_date=write_date(last)
    )
    yield from client.packs.ExportPersonPack(request)


def portfolio_pack(client: Client, first: date, last: date, patterns: Sequence[str] = ()) -> pb.GetPortfolioPackResponse:
    """Return how a book's persons were treated over some days, small counts hidden.

    Raises:
        CollectionsError: NOT_FOUND where no ranking made for work is of such a portfolio.
    """
    request = pb.GetPortfolioPackRequest(portfolio_patterns=patterns, first_date=write_date(first), last_date=write_date(last))
    return client.packs.GetPortfolioPack(request)
