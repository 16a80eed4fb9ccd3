"""MonitorService: outcomes are told, rankings mature, and what was predicted is held against what happened."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from collections_opt.api.v1 import monitor_service_pb2 as pb
from collections_opt.application.outcomes.compared import compare_outcomes
from collections_opt.application.outcomes.maturity import MOST_RANKINGS
from collections_opt.application.outcomes.monitors import Monitors
from collections_opt.application.rankings.recorded_rankings import RecordedRankings
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.limits import MAX_PAGE_SIZE
from collections_opt.core.names import normal_account_id
from collections_opt.core.outcomes.alarms import FALSE_RATE, MONTHS
from collections_opt.core.outcomes.terms import ToldOutcomes
from collections_opt.service.access.call import Call
from collections_opt.service.access.caller import read_actor
from collections_opt.service.converters.monitors import write_monitor
from collections_opt.service.converters.outcomes import write_maturity, write_outcomes, write_worked
from collections_opt.service.servicers.lists.listing import Listing
from collections_opt.service.servicers.lists.paging import read_page
from collections_opt.wire.common import told_as
from collections_opt.wire.outcomes import read_terms, read_told

MOST_LATER = 100
"""Later portfolios that a caller may name."""

_LISTED = ("sequence", "ranking_id", "portfolio_id", "as_of_date", "mature_date", "create_time")
_MATURITIES = Listing(pb.Maturity.DESCRIPTOR, _LISTED, "sequence")

MAX_COMPARED = 20
"""Rankings of one comparison."""


class MonitorServicer:
    """Records outcomes and lets rankings mature."""

    def __init__(self, monitors: Monitors, recorded: RecordedRankings) -> None:
        self._monitors = monitors
        self._recorded = recorded
        self._maturities = monitors.maturities

    def record_outcomes(self, requests: Iterator[pb.RecordOutcomesRequest], context: Call) -> pb.RecordOutcomesResponse:
        """Record a file."""
        actor, parts, head, rows = read_actor(context), [], None, 0
        for request in requests:
            head = head or request
            for name in ("portfolio_id", "source"):
                if getattr(request, name) not in ("", getattr(head, name)):
                    told = "differs from that of the first part."
                    raise refuse(Reason.INVALID_ARGUMENT, name, told, "Send one stream per portfolio and source.")
            parts.append(read_told(request.outcomes, rows))
            rows += len(request.outcomes)
        if head is None:
            raise refuse(Reason.INVALID_ARGUMENT, "outcomes", "the stream is empty.", "Send 1 to 1,000 rows per message.")
        names = ToldOutcomes.__dataclass_fields__
        told_rows = ToldOutcomes(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})
        record = self._maturities.record_file(head.portfolio_id, told_rows, head.source, actor, head.validate_only)
        return pb.RecordOutcomesResponse(sequence=record.seq if record else 0, row_count=rows)

    def mature_rankings(self, request: pb.MatureRankingsRequest, context: Call) -> pb.MatureRankingsResponse:
        """Let rankings mature."""
        for name, most in (("ranking_ids", MOST_RANKINGS), ("later_portfolio_ids", MOST_LATER)):
            if len(getattr(request, name)) > most:
                told = f"{len(getattr(request, name))} are named."
                raise refuse(Reason.LIMIT_EXCEEDED, name, told, f"Send at most {most}.")
        actor, terms = read_actor(context), read_terms(request.terms)
        if not request.terms.products:
            told = "say nothing of any product."
            raise refuse(Reason.INVALID_ARGUMENT, "terms.products", told, "Give each product a horizon and a line of default.")
        if request.later_portfolio_ids and not request.ranking_ids:
            told = "are named without a ranking."
            raise refuse(Reason.INVALID_ARGUMENT, "later_portfolio_ids", told, "Name the rankings that they follow.")
        with told_as({"ranking_id": "ranking_ids", "portfolio_id": "later_portfolio_ids"}):
            done = self._monitors.mature(list(request.ranking_ids), terms, list(request.later_portfolio_ids), actor)
        return pb.MatureRankingsResponse(maturities=[write_maturity(one) for one in done])

    def list_maturities(self, request: pb.ListMaturitiesRequest, _context: Call) -> pb.ListMaturitiesResponse:
        """Return a page of maturities."""
        named = (request.ranking_id, request.portfolio_id)
        scope = f"maturities/{request.ranking_id}/{request.portfolio_id}"

        def plainly() -> tuple[list[pb.Maturity], str]:
            page = read_page(scope, request.page_size, request.page_token, 0)
            found, more = page.cut(self._maturities.after(page.after, page.size + 1, *named))
            return list(map(write_maturity, found)), page.next_token(found[-1].seq) if more else ""

        shown, token = _MATURITIES.page(request, scope, plainly, lambda: self._every_maturity(*named))
        return pb.ListMaturitiesResponse(maturities=shown, next_page_token=token)

    def _every_maturity(self, ranking_id: str, portfolio_id: str) -> Iterator[pb.Maturity]:
        after = 0
        while found := self._maturities.after(after, MAX_PAGE_SIZE, ranking_id, portfolio_id):
            yield from map(write_maturity, found)
            after = found[-1].seq

    def list_outcomes(self, request: pb.ListOutcomesRequest, _context: Call) -> pb.ListOutcomesResponse:
        """Return a page of what became of a ranking's accounts."""
        named = sorted({normal_account_id(one).encode() for one in request.account_ids})
        if len(request.account_ids) > MAX_PAGE_SIZE:
            told = f"{len(request.account_ids)} are named."
            raise refuse(Reason.LIMIT_EXCEEDED, "account_ids", told, f"Send at most {MAX_PAGE_SIZE}.")
        maturity, found = self._maturities.latest(request.ranking_id)
        if named:
            found = found.only(np.isin(found.account_id, named))
        scope = f"outcomes/{request.ranking_id}/{maturity.seq}/{named}"
        page = read_page(scope, request.page_size, request.page_token, "")
        first = int(np.searchsorted(found.account_id, page.after.encode(), side="right")) if page.after else 0
        rows = range(first, min(first + page.size, found.account_id.size))
        more = first + page.size < found.account_id.size
        return pb.ListOutcomesResponse(
            outcomes=write_outcomes(found, rows),
            next_page_token=page.next_token(found.account_id[rows[-1]].decode()) if more else "",
        )

    def compare_outcomes(self, request: pb.CompareOutcomesRequest, _context: Call) -> pb.CompareOutcomesResponse:
        """Say what became of whom each ranking works."""
        ids = list(request.ranking_ids)
        if not 1 <= len(ids) <= MAX_COMPARED:
            raise refuse(Reason.LIMIT_EXCEEDED, "ranking_ids", f"{len(ids)} rankings.", f"Send 1 to {MAX_COMPARED}.")
        with told_as({"ranking_id": "ranking_ids"}):
            maturity, found = compare_outcomes(self._recorded, self._maturities, ids)
        return pb.CompareOutcomesResponse(
            worked=[write_worked(ranking_id, one) for ranking_id, one in zip(ids, found, strict=True)],
            maturity=write_maturity(maturity),
            currency_code=self._recorded.open(ids[0]).facts.inputs.currency_code,
        )

    def get_monitors(self, request: pb.GetMonitorsRequest, _context: Call) -> pb.GetMonitorsResponse:
        """Return a page of monitors."""
        scope = f"monitors/{request.model_version}/{request.plan_id}"
        page = read_page(scope, request.page_size, request.page_token, 0)
        every = self._monitors.all(request.model_version, request.plan_id)
        found, more = page.cut(every[page.after : page.after + page.size + 1])
        return pb.GetMonitorsResponse(
            monitors=[write_monitor(one) for one in found],
            next_page_token=page.next_token(page.after + len(found)) if more else "",
            false_alarm_rate=FALSE_RATE,
            false_alarm_months=MONTHS,
        )
