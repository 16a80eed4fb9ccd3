"""CapacityService: versioned, effective-dated capacity plans, and what another capacity would do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from collections_opt.api.v1 import capacity_evaluation_pb2 as evaluation_pb
from collections_opt.api.v1 import capacity_plan_pb2
from collections_opt.api.v1 import capacity_service_pb2 as pb
from collections_opt.application.rankings.books import Books
from collections_opt.application.settings import load
from collections_opt.core.actors import UNKNOWN, Actor
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import Reason, refuse
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.log.log import LogKind
from collections_opt.ledger.tables.records import PlanRecord
from collections_opt.service.access.call import Call
from collections_opt.service.access.caller import read_actor
from collections_opt.service.servicers.capacity_what_ifs import CapacityWhatIfs
from collections_opt.service.servicers.paging import read_page
from collections_opt.wire.common import told_as
from collections_opt.wire.plans import HEADS, RENAMES, read_plan, write_plan


class CapacityServicer:
    """Stores, shows and evaluates capacity plans."""

    def __init__(self, books: Books, what_ifs: CapacityWhatIfs, ledger: Ledger) -> None:
        self._books = books
        self._what_ifs = what_ifs
        self._ledger = ledger

    def create_capacity_plan(self, request: pb.CreateCapacityPlanRequest, context: Call) -> pb.CreateCapacityPlanResponse:
        """Store a first version."""
        saved = self._save(request.capacity_plan, None, request.validate_only, read_actor(context))
        return pb.CreateCapacityPlanResponse(capacity_plan=saved)

    def update_capacity_plan(self, request: pb.UpdateCapacityPlanRequest, context: Call) -> pb.UpdateCapacityPlanResponse:
        """Store the next version."""
        if not request.etag:
            raise refuse(Reason.INVALID_ARGUMENT, "etag", "is empty.", "Send the etag of the version this one follows.")
        saved = self._save(request.capacity_plan, request.etag, request.validate_only, read_actor(context))
        return pb.UpdateCapacityPlanResponse(capacity_plan=saved)

    def get_capacity_plan(self, request: pb.GetCapacityPlanRequest, _context: Call) -> pb.GetCapacityPlanResponse:
        """Return a version or the latest."""
        with told_as({"plan_version": "version"}):
            plan, record = self._books.plan(request.plan_id, request.version or None)
        return pb.GetCapacityPlanResponse(capacity_plan=self._written([(plan, record)])[0])

    def list_capacity_plans(self, request: pb.ListCapacityPlansRequest, _context: Call) -> pb.ListCapacityPlansResponse:
        """Return a page of latest versions."""
        page = read_page("capacity_plans", request.page_size, request.page_token, "")
        records, more = page.cut(self._ledger.plans_after(page.after, page.size + 1))
        plans = self._written([(replace(load(r.payload, CapacityPlan), version=r.version), r) for r in records])
        token = page.next_token(records[-1].plan_id) if more else ""
        return pb.ListCapacityPlansResponse(capacity_plans=plans, next_page_token=token)

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

    def _save(
        self, message: capacity_plan_pb2.CapacityPlan, etag: str | None, validate_only: bool, actor: Actor
    ) -> capacity_plan_pb2.CapacityPlan:
        plan = read_plan(message)
        with told_as(HEADS, RENAMES):
            record = self._books.save_plan(plan, etag, validate_only, actor)
        return self._written([(replace(plan, version=record.version), record)])[0]

    def _written(self, stored: list[tuple[CapacityPlan, PlanRecord]]) -> list[capacity_plan_pb2.CapacityPlan]:
        """A plan that was only checked has no etag, no time of storing and nobody who stored it."""
        actors = self._ledger.actors(LogKind.PLAN, [f"{record.plan_id}/{record.version}" for _, record in stored])
        return [
            write_plan(plan, record.etag, record.created_at, actors.get(f"{record.plan_id}/{record.version}", UNKNOWN))
            if record.version
            else write_plan(plan)
            for plan, record in stored
        ]
