"""Lists of rankings: recorded ones, or those in the states asked for, by portfolio, desk and day, in the order asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection

from collections_opt.api.v1 import ranking_pb2
from collections_opt.api.v1 import ranking_service_pb2 as pb
from collections_opt.application.rankings.recorded_rankings import RecordedRankings
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.listing import Order, Term
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.records import RankingState
from collections_opt.ledger.requests.requests import NEWEST
from collections_opt.service.converters.recorded_rankings import write_recorded
from collections_opt.service.servicers.lists.filtering import DAY, TEXT, one_of, read_filter, read_order
from collections_opt.service.servicers.lists.listing import read_place, write_place
from collections_opt.service.servicers.lists.paging import read_page
from collections_opt.wire.common import enum_names, read_enum

_STATE = ranking_pb2.RankingState.DESCRIPTOR
_ORDERED = ("create_time", "as_of_date", "portfolio_id", "capacity_plan_id")
_FILTERED = {
    "portfolio_id": TEXT,
    "capacity_plan_id": TEXT,
    "as_of_date": DAY,
    "state": one_of(enum_names(_STATE).values()),
}


class RankingLists:
    """Reads pages of rankings."""

    def __init__(self, ledger: Ledger, recorded: RecordedRankings) -> None:
        self._ledger = ledger
        self._recorded = recorded

    def page(self, request: pb.ListRankingsRequest, shown: Callable[[str], ranking_pb2.Ranking]) -> pb.ListRankingsResponse:
        """Return a page.

        Args:
            request: what is asked for.
            shown: returns a ranking in any state.

        Raises:
            CollectionsError: as ``read_filter``, ``read_order`` and ``read_page``; INVALID_ARGUMENT for states named twice.
        """
        terms, order = read_filter(request.filter, _FILTERED), read_order(request.order_by, _ORDERED)
        states = {read_enum(_STATE, number, f"states[{i}]") for i, number in enumerate(request.states)}
        asked = {term.value for term in terms if term.name == "state"}
        if states and asked:
            told = "names a state, and so do states."
            raise refuse(Reason.INVALID_ARGUMENT, "filter", told, "Name states in one of them.")
        terms = tuple(term for term in terms if term.name != "state")
        if states | asked:
            return self._in_states(request, states | asked, terms, order if order.name else NEWEST, shown)
        page = read_page(f"rankings/{terms}/{order}", request.page_size, request.page_token, "")
        after = read_place(page, (str if order.name else int, int))
        found, more = page.cut(self._ledger.rankings.listed(terms, order, after, page.size + 1))
        return pb.ListRankingsResponse(
            rankings=[write_recorded(record, self._recorded.plan_of(record)) for record, _ in found],
            next_page_token=page.next_token(write_place(found[-1][1])) if more else "",
        )

    def _in_states(
        self,
        request: pb.ListRankingsRequest,
        names: Collection[str],
        terms: tuple[Term, ...],
        order: Order,
        shown: Callable[[str], ranking_pb2.Ranking],
    ) -> pb.ListRankingsResponse:
        wanted = {RankingState(name) for name in names} | ({RankingState.REQUESTED} if "RUNNING" in names else set())
        page = read_page(f"rankings/{sorted(wanted)}/{terms}/{order}", request.page_size, request.page_token, "")
        after = read_place(page, (str, str))
        found, more = page.cut(self._ledger.requests.in_states(wanted, after, page.size + 1, terms, order))
        return pb.ListRankingsResponse(
            rankings=[shown(requested.ranking_id) for requested, _ in found],
            next_page_token=page.next_token(write_place(found[-1][1])) if more else "",
        )
