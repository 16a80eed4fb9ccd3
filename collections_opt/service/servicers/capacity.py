"""CapacityService: versioned, effective-dated capacity plans, and what another capacity would do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from collections_opt.api.v1 import capacity_calendar_pb2 as calendar_pb
from collections_opt.api.v1 import capacity_evaluation_pb2 as evaluation_pb
from collections_opt.api.v1 import capacity_plan_pb2
from collections_opt.api.v1 import capacity_service_pb2 as pb
from collections_opt.application.rankings.books import Books
from collections_opt.application.resources.calendar_views import VersionState
from collections_opt.core.actors import UNKNOWN, Actor
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.limits import MAX_PAGE_SIZE
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.log.log import LogKind
from collections_opt.ledger.records import PlanRecord
from collections_opt.service.access.call import Call
from collections_opt.service.access.caller import read_actor
from collections_opt.service.converters.capacity_calendar import write_calendar_change, write_days, write_state
from collections_opt.service.servicers.capacity_what_ifs import CapacityWhatIfs
from collections_opt.service.servicers.lists.listing import Listing
from collections_opt.service.servicers.lists.paging import read_page
from collections_opt.wire.capacity_changes import DAY_HEADS, read_day_change, write_day_change
from collections_opt.wire.common import read_date, read_uuid, told_as
from collections_opt.wire.plans import HEADS, RENAMES, read_plan, write_plan

_PLAN = capacity_plan_pb2.CapacityPlan.DESCRIPTOR
_PLANS = Listing(_PLAN, ("plan_id", "effective_from", "currency_code", "create_time"), "plan_id")
_VERSIONS = Listing(_PLAN, ("version", "effective_from", "taken_back", "create_time"), "version")


class _Identified(Protocol):
    request_id: str


class CapacityServicer:
    """Stores, shows and evaluates capacity plans."""

    def __init__(self, books: Books, what_ifs: CapacityWhatIfs, ledger: Ledger) -> None:
        self._books = books
        self._what_ifs = what_ifs
        self._ledger = ledger
        self._calendar = books.calendar

    def create_capacity_plan(self, request: pb.CreateCapacityPlanRequest, context: Call) -> pb.CreateCapacityPlanResponse:
        """Store a first version."""
        saved = self._save(request, None, read_actor(context))
        return pb.CreateCapacityPlanResponse(capacity_plan=saved)

    def update_capacity_plan(self, request: pb.UpdateCapacityPlanRequest, context: Call) -> pb.UpdateCapacityPlanResponse:
        """Store the next version."""
        if not request.etag:
            raise refuse(Reason.INVALID_ARGUMENT, "etag", "is empty.", "Send the etag of the version this one follows.")
        saved = self._save(request, request.etag, read_actor(context))
        return pb.UpdateCapacityPlanResponse(capacity_plan=saved)

    def get_capacity_plan(self, request: pb.GetCapacityPlanRequest, _context: Call) -> pb.GetCapacityPlanResponse:
        """Return a version, the latest that stands, or the plan as it is on a day."""
        if not request.HasField("as_of_date"):
            with told_as({"plan_version": "version"}):
                plan, record = self._books.plan(request.plan_id, request.version or None)
            return pb.GetCapacityPlanResponse(capacity_plan=self._written([(plan, record)])[0])
        if request.version:
            raise refuse(Reason.INVALID_ARGUMENT, "version", "goes with no as_of_date.", "Send one of them.")
        found = self._calendar.on(request.plan_id, read_date(request.as_of_date, "as_of_date"))
        if not found.changes:
            return pb.GetCapacityPlanResponse(capacity_plan=self._written([(found.plan, found.standing)])[0])
        message = write_plan(found.plan)
        message.standing_version = found.standing.version
        message.day_change_ids.extend(each.change_id for each in found.changes)
        return pb.GetCapacityPlanResponse(capacity_plan=message)

    def list_capacity_plan_versions(
        self, request: pb.ListCapacityPlanVersionsRequest, _context: Call
    ) -> pb.ListCapacityPlanVersionsResponse:
        """Return a page of a plan's versions, newest first."""
        scope = f"capacity_plans/{request.plan_id}"

        def plainly() -> tuple[list[capacity_plan_pb2.CapacityPlan], str]:
            page = read_page(scope, request.page_size, request.page_token, 0)
            records, more = page.cut(self._ledger.plans.versions(request.plan_id, page.after or None, page.size + 1))
            if not (records or page.after):
                self._ledger.plans.get(request.plan_id)  # says that there is none
            return self._shown(records), page.next_token(records[-1].version) if more else ""

        plans, token = _VERSIONS.page(request, scope, plainly, lambda: self._every_version(request.plan_id))
        return pb.ListCapacityPlanVersionsResponse(capacity_plans=plans, next_page_token=token)

    def _every_version(self, plan_id: str) -> Iterator[capacity_plan_pb2.CapacityPlan]:
        self._ledger.plans.get(plan_id)
        before: int | None = None
        while records := self._ledger.plans.versions(plan_id, before, MAX_PAGE_SIZE):
            yield from self._shown(records)
            before = records[-1].version

    def get_capacity_calendar(
        self, request: calendar_pb.GetCapacityCalendarRequest, _context: Call
    ) -> calendar_pb.GetCapacityCalendarResponse:
        """Return a plan from one day to another."""
        first, last = read_date(request.first_day, "first_day"), read_date(request.last_day, "last_day")
        view = self._calendar.view(request.plan_id, first, last)
        stored = self._calendar.changes(request.plan_id, first, last)
        actors = self._ledger.logged_rows.actors(LogKind.CAPACITY_ACT, [f"{act.plan_id}/{act.act}" for _, act in stored])
        return calendar_pb.GetCapacityCalendarResponse(
            days=write_days(view),
            day_changes=[
                write_day_change(each.change, act.act, act.created_at, actors.get(f"{act.plan_id}/{act.act}", UNKNOWN))
                for each, act in stored
            ],
            etag=view.etag,
        )

    def change_capacity_days(
        self, request: calendar_pb.ChangeCapacityDaysRequest, context: Call
    ) -> calendar_pb.ChangeCapacityDaysResponse:
        """Change days of a queue."""
        change, actor = read_day_change(request.day_change), read_actor(context)
        with told_as(DAY_HEADS, RENAMES):
            made = self._calendar.change_days(
                request.plan_id, change, request.etag, actor, request.validate_only, _request_id(request)
            )
        return calendar_pb.ChangeCapacityDaysResponse(change_id=made.change_id, calendar_change=write_calendar_change(made))

    def take_back_capacity(
        self, request: calendar_pb.TakeBackCapacityRequest, context: Call
    ) -> calendar_pb.TakeBackCapacityResponse:
        """Take a version or a change of days back."""
        kind, how = request.WhichOneof("what"), (request.etag, read_actor(context), request.validate_only, _request_id(request))
        if kind is None:
            raise refuse(Reason.INVALID_ARGUMENT, "what", "is missing.", "Send version or change_id.")
        if kind == "version":
            made = self._calendar.take_back_version(request.plan_id, request.version, *how)
        else:
            made = self._calendar.take_back_days(request.plan_id, request.change_id, *how)
        return calendar_pb.TakeBackCapacityResponse(calendar_change=write_calendar_change(made))

    def list_capacity_plans(self, request: pb.ListCapacityPlansRequest, _context: Call) -> pb.ListCapacityPlansResponse:
        """Return a page of latest versions."""

        def plainly() -> tuple[list[capacity_plan_pb2.CapacityPlan], str]:
            page = read_page("capacity_plans", request.page_size, request.page_token, "")
            records, more = page.cut(self._ledger.plans.after(page.after, page.size + 1))
            return self._shown(records), page.next_token(records[-1].plan_id) if more else ""

        plans, token = _PLANS.page(request, "capacity_plans", plainly, self._every_plan)
        return pb.ListCapacityPlansResponse(capacity_plans=plans, next_page_token=token)

    def _every_plan(self) -> Iterator[capacity_plan_pb2.CapacityPlan]:
        after = ""
        while records := self._ledger.plans.after(after, MAX_PAGE_SIZE):
            yield from self._shown(records)
            after = records[-1].plan_id

    def _shown(self, records: Sequence[PlanRecord]) -> list[capacity_plan_pb2.CapacityPlan]:
        return self._written([(self._calendar.stored(record), record) for record in records])

    def evaluate_capacity(
        self, request: evaluation_pb.EvaluateCapacityRequest, _context: Call
    ) -> Iterator[evaluation_pb.EvaluateCapacityResponse]:
        """Yield where a what-if stands, then what it found."""
        return self._what_ifs.evaluate(request)

    def get_capacity_curves(
        self, request: evaluation_pb.GetCapacityCurvesRequest, _context: Call
    ) -> Iterator[evaluation_pb.GetCapacityCurvesResponse]:
        """Yield recovered value against minutes."""
        return self._what_ifs.curves(request)

    def get_next_agent(self, request: evaluation_pb.GetNextAgentRequest, _context: Call) -> evaluation_pb.GetNextAgentResponse:
        """Return what one more agent is worth."""
        return self._what_ifs.next_agent(request)

    def _save(
        self, request: pb.CreateCapacityPlanRequest | pb.UpdateCapacityPlanRequest, etag: str | None, actor: Actor
    ) -> capacity_plan_pb2.CapacityPlan:
        plan = read_plan(request.capacity_plan)
        with told_as(HEADS, RENAMES):
            record = self._books.save_plan(plan, etag, request.validate_only, actor, _request_id(request))
        return self._written([(replace(plan, version=record.version), record)])[0]

    def _written(self, stored: list[tuple[CapacityPlan, PlanRecord]]) -> list[capacity_plan_pb2.CapacityPlan]:
        """A plan that was only checked has no etag, no time of storing and nobody who stored it."""
        actors = self._ledger.logged_rows.actors(LogKind.PLAN, [f"{record.plan_id}/{record.version}" for _, record in stored])
        states = {plan_id: self._calendar.states(plan_id) for plan_id in {r.plan_id for _, r in stored if r.version}}
        written = []
        for plan, record in stored:
            if not record.version:
                written.append(write_plan(plan))
                continue
            actor = actors.get(f"{record.plan_id}/{record.version}", UNKNOWN)
            message = write_plan(plan, record.etag, record.created_at, actor)
            write_state(states[record.plan_id].get(record.version, VersionState()), message)
            written.append(message)
        return written


def _request_id(request: _Identified) -> str:
    return read_uuid(request.request_id) if request.request_id else ""
