"""RankingService: make, watch, read, explain and compare rankings."""

from __future__ import annotations

from collections.abc import Iterator

from collections_opt.api.v1 import evidence_pb2, placement_pb2, ranking_pb2
from collections_opt.api.v1 import morning_pb2 as mornings_pb
from collections_opt.api.v1 import ranking_service_pb2 as pb
from collections_opt.application.answers.mornings import Mornings
from collections_opt.application.answers.placement import Placer
from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.rankings.in_force import ranking_in_force, require_not_for_analysis
from collections_opt.application.rankings.jobs import State
from collections_opt.application.rankings.making import Rankings
from collections_opt.application.rankings.opened_ranking import OpenedRanking
from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.evaluation.mornings import Change
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.purpose import RankingPurpose
from collections_opt.ledger.ledger import Ledger
from collections_opt.service.access.call import Call
from collections_opt.service.access.caller import read_actor
from collections_opt.service.converters.accounts import ACCOUNT_RENAMES, accounts_to_raw
from collections_opt.service.converters.mornings import rows_of, write_mornings
from collections_opt.service.converters.placements import write_placements
from collections_opt.service.converters.rankings import (
    export_chunks,
    write_comparison,
    write_event,
    write_unfinished,
    write_worklist_entry,
)
from collections_opt.service.converters.recorded_rankings import write_recorded
from collections_opt.service.servicers.lists.paging import read_page
from collections_opt.service.servicers.lists.rankings import RankingLists
from collections_opt.service.servicers.records.evidence_calls import EvidenceCalls
from collections_opt.wire import parameters
from collections_opt.wire.common import read_date, read_enum, read_uuid, told_as
from collections_opt.wire.constraints import read_constraints

HEADS = {
    **parameters.HEADS,
    "plan_id": "capacity_plan_id",
    "plan_version": "capacity_plan_version",
    "capacity_plan.currency_code": "capacity_plan_id",
    "capacity_plan.effective_from": "capacity_plan_id",
}

MAX_COMPARED = 20
"""Rankings of one comparison: each holds its entries in memory."""

WATCH_SECONDS = 1.0
"""How often a watch looks whether its caller is still there."""


class RankingServicer:
    """Makes and shows rankings."""

    def __init__(self, rankings: Rankings, placer: Placer, evidence: EvidenceCalls, ledger: Ledger) -> None:
        self._evidence = evidence
        self._rankings = rankings
        self._recorded = rankings.recorded
        self._placer = placer
        self._ledger = ledger
        self._lists = RankingLists(ledger, self._recorded)
        self._mornings = Mornings(ledger.log.erasure_count)

    def create_ranking(self, request: pb.CreateRankingRequest, context: Call) -> pb.CreateRankingResponse:
        """Start a ranking, or find the one this request made."""
        actor, command = read_actor(context), self._command(request)
        with told_as(HEADS):
            ranking_id = self._rankings.create(command, request.validate_only, actor)
        if request.validate_only:
            return pb.CreateRankingResponse(ranking=ranking_pb2.Ranking(ranking_id=ranking_id))
        return pb.CreateRankingResponse(ranking=self._shown(ranking_id))

    def get_ranking(self, request: pb.GetRankingRequest, _context: Call) -> pb.GetRankingResponse:
        """Return a ranking in any state."""
        return pb.GetRankingResponse(ranking=self._shown(request.ranking_id))

    def get_ranking_in_force(self, request: pb.GetRankingInForceRequest, _context: Call) -> pb.GetRankingInForceResponse:
        """Return the ranking that a desk works on a day."""
        day = read_date(request.as_of_date, "as_of_date") if request.HasField("as_of_date") else None
        record = ranking_in_force(self._ledger, request.capacity_plan_id, day, request.portfolio_id)
        return pb.GetRankingInForceResponse(ranking=write_recorded(record, self._recorded.plan_of(record)))

    def list_rankings(self, request: pb.ListRankingsRequest, _context: Call) -> pb.ListRankingsResponse:
        """Return a page of recorded rankings, newest first, or of those in the states asked for."""
        return self._lists.page(request, self._shown)

    def cancel_ranking(self, request: pb.CancelRankingRequest, _context: Call) -> pb.CancelRankingResponse:
        """Stop a ranking that is not yet recorded."""
        self._rankings.cancel(request.ranking_id)
        return pb.CancelRankingResponse(ranking=self._shown(request.ranking_id))

    def read_ranking_events(self, request: pb.ReadRankingEventsRequest, _context: Call) -> pb.ReadRankingEventsResponse:
        """Return the events after one."""
        if request.after_sequence < 0:
            raise refuse(Reason.INVALID_ARGUMENT, "after_sequence", "is negative.", "Send 0 to start from the first event.")
        page = read_page("events", request.page_size, "", 0)
        events = self._ledger.outbox.after(request.after_sequence, page.size)
        return pb.ReadRankingEventsResponse(events=[write_event(event) for event in events])

    def watch_ranking(self, request: pb.WatchRankingRequest, context: Call) -> Iterator[pb.WatchRankingResponse]:
        """Yield where a ranking stands until it ended or the caller left."""
        sent = None
        while context.is_active():
            for status in self._rankings.watch(request.ranking_id, WATCH_SECONDS):
                if status.state is State.RUNNING and status != sent:
                    sent = status
                    yield pb.WatchRankingResponse(ranking=write_unfinished(request.ranking_id, status))
            latest = self._rankings.status(request.ranking_id)
            if latest is None or latest.state is not State.RUNNING:
                yield pb.WatchRankingResponse(ranking=self._shown(request.ranking_id))
                return

    def export_ranking(self, request: pb.ExportRankingRequest, _context: Call) -> Iterator[pb.ExportRankingResponse]:
        """Yield all entries as chunks."""
        opened = self._recorded.open(request.ranking_id)
        facts = opened.portfolio if request.with_account_facts else None
        for chunk in export_chunks(opened.entries, opened.plan, facts):
            yield pb.ExportRankingResponse(chunk=chunk)

    def list_worklist(self, request: pb.ListWorklistRequest, _context: Call) -> pb.ListWorklistResponse:
        """Return a page of a queue's accounts, in order."""
        page = read_page(f"worklist/{request.ranking_id}/{request.queue_id}", request.page_size, request.page_token, 0)
        if not request.allow_analysis:
            require_not_for_analysis(self._recorded.finished(request.ranking_id))
        record, found = self._recorded.worklist(request.ranking_id, request.queue_id, page.after, page.size + 1)
        entries, more = page.cut(found)
        plan, facts = self._recorded.plan_of(record), RankingFacts.from_record(record.record)
        return pb.ListWorklistResponse(
            entries=[write_worklist_entry(entry) for entry in entries],
            next_page_token=page.next_token(entries[-1].priority) if more else "",
            currency_code=facts.inputs.currency_code,
            time_zone=plan.queues[plan.queue_index(request.queue_id)].time_zone or facts.kept.time_zone,
        )

    def place_accounts(self, request: placement_pb2.PlaceAccountsRequest, _context: Call) -> placement_pb2.PlaceAccountsResponse:
        """Say where 1 to 1,000 accounts would go."""
        as_of_date = read_date(request.as_of_date, "as_of_date")
        described = (as_of_date, request.time_zone, request.currency_code)
        raw = accounts_to_raw(request.accounts, *described, request.own_columns)
        with told_as({}, ACCOUNT_RENAMES):
            placed = self._placer.place(request.ranking_id, raw)
        return write_placements(placed, [account.account_id for account in request.accounts])

    def compare_rankings(self, request: pb.CompareRankingsRequest, _context: Call) -> pb.CompareRankingsResponse:
        """Compare rankings with the first."""
        ids = list(request.ranking_ids)
        if not 1 <= len(ids) <= MAX_COMPARED:
            raise refuse(Reason.LIMIT_EXCEEDED, "ranking_ids", f"{len(ids)} rankings.", f"Send 1 to {MAX_COMPARED}.")
        outcomes = self._recorded.compare(ids)
        return pb.CompareRankingsResponse(
            comparisons=[write_comparison(i, outcome) for i, outcome in zip(ids, outcomes, strict=True)],
            currency_code=RankingFacts.from_record(self._recorded.finished(ids[0]).record).inputs.currency_code,
        )

    def compare_mornings(
        self, request: mornings_pb.CompareMorningsRequest, _context: Call
    ) -> mornings_pb.CompareMorningsResponse:
        """Return what differs between two mornings, and a page of the accounts."""
        names = [read_enum(mornings_pb.MorningChange.DESCRIPTOR, n, f"changes[{i}]") for i, n in enumerate(request.changes)]
        scope = f"mornings/{request.before_ranking_id}/{request.after_ranking_id}/{sorted(names)}"
        page = read_page(scope, request.page_size, request.page_token, 0)
        if len(names) > len(Change):
            raise refuse(Reason.LIMIT_EXCEEDED, "changes", f"{len(names)} changes.", f"Send at most {len(Change)}.")
        before = self._opened_as(request.before_ranking_id, "before_ranking_id")
        found = self._mornings.compare(before, self._opened_as(request.after_ranking_id, "after_ranking_id"))
        wanted = rows_of(found.changes, {Change[name] for name in names})
        rows: list[int] = wanted[page.after : page.after + page.size + 1].tolist()
        shown, more = page.cut(rows)
        return write_mornings(found, shown, page.next_token(page.after + page.size) if more else "")

    def explain_assignment(self, request: pb.ExplainAssignmentRequest, context: Call) -> pb.ExplainAssignmentResponse:
        """Return why an account is worked or not."""
        return self._evidence.explain_assignment(request, context)

    def verify_ranking(self, request: evidence_pb2.VerifyRankingRequest, context: Call) -> evidence_pb2.VerifyRankingResponse:
        """Return how much of a ranking holds."""
        return self._evidence.verify_ranking(request, context)

    def verify_log(self, request: evidence_pb2.VerifyLogRequest, context: Call) -> evidence_pb2.VerifyLogResponse:
        """Return whether the log holds."""
        return self._evidence.verify_log(request, context)

    def replay_ranking(self, request: evidence_pb2.ReplayRankingRequest, context: Call) -> evidence_pb2.ReplayRankingResponse:
        """Make a ranking anew and return what differs."""
        return self._evidence.replay_ranking(request, context)

    def export_evidence(
        self, request: evidence_pb2.ExportEvidenceRequest, context: Call
    ) -> Iterator[evidence_pb2.ExportEvidenceResponse]:
        """Yield the archive of a ranking."""
        return self._evidence.export_evidence(request, context)

    def _opened_as(self, ranking_id: str, field: str) -> OpenedRanking:
        with told_as({"ranking_id": field}):
            return self._recorded.open(ranking_id)

    def _command(self, request: pb.CreateRankingRequest) -> RankingCommand:
        solver = request.solver or ranking_pb2.SOLVER_DEFAULT
        given = request.HasField("value_parameters")
        return RankingCommand(
            request_id=read_uuid(request.request_id),
            portfolio_id=request.portfolio_id,
            plan_id=request.capacity_plan_id,
            plan_version=request.capacity_plan_version or None,
            ordering=Ordering(read_enum(ranking_pb2.Ordering.DESCRIPTOR, request.ordering, "ordering")),
            parameters=parameters.read_parameters(request.value_parameters) if given else None,
            solver=read_enum(ranking_pb2.Solver.DESCRIPTOR, solver, "solver").lower(),
            **({"seed": request.seed} if request.HasField("seed") else {}),
            constraints=read_constraints(request.constraints),
            previous_ranking_id=request.previous_ranking_id,
            accept_suspect_scores=request.accept_suspect_scores,
            accept_clipped_values=request.accept_clipped_values,
            purpose=_read_purpose(request.purpose) if request.purpose else None,
            remaining_capacity=request.remaining_capacity,
        )

    def _shown(self, ranking_id: str) -> ranking_pb2.Ranking:
        status = self._rankings.status(ranking_id)
        if status is not None and status.state is not State.SUCCEEDED:
            return write_unfinished(ranking_id, status)
        record = self._recorded.finished(ranking_id)
        return write_recorded(record, self._recorded.plan_of(record))


def _read_purpose(value: int) -> RankingPurpose:
    return RankingPurpose(read_enum(ranking_pb2.RankingPurpose.DESCRIPTOR, value, "purpose"))
