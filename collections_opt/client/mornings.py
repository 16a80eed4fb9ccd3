"""Two mornings of one book: what differs, read whole."""

from __future__ import annotations

from collections.abc import Sequence

from collections_opt.api.v1 import morning_pb2 as pb
from collections_opt.client.client import Client
from collections_opt.core.limits import MAX_PAGE_SIZE


def compare_mornings(
    client: Client, before_ranking_id: str, after_ranking_id: str, changes: Sequence[pb.MorningChange.ValueType] = ()
) -> pb.CompareMorningsResponse:
    """Return what differs between two recorded rankings of one book, with all its accounts in one message.

    Raises:
        CollectionsError: NOT_FOUND; INVALID_ARGUMENT for mornings in the wrong order, or of two currencies.
    """
    request = pb.CompareMorningsRequest(
        before_ranking_id=before_ranking_id, after_ranking_id=after_ranking_id, changes=changes, page_size=MAX_PAGE_SIZE
    )
    whole = client.rankings.CompareMornings(request)
    while whole.next_page_token:
        request.page_token = whole.next_page_token
        page = client.rankings.CompareMornings(request)
        whole.accounts.extend(page.accounts)
        whole.next_page_token = page.next_page_token
    return whole
