"""RuleService: rule tables that people save and approve, and what binds on a day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from collections_opt.api.v1 import rule_evaluation_pb2 as evaluation_pb
from collections_opt.api.v1 import rule_service_pb2 as pb
from collections_opt.api.v1 import rule_table_pb2
from collections_opt.application.resources.approved import ApprovalCommand
from collections_opt.application.resources.rule_tables import RuleTables
from collections_opt.application.settings import dump
from collections_opt.core.actors import Actor
from collections_opt.core.arrays import digest_text
from collections_opt.core.errors import Reason, refuse
from collections_opt.service.access.call import Call
from collections_opt.service.access.caller import read_acting
from collections_opt.service.converters.approved.resources import read_version
from collections_opt.service.converters.approved.rule_tables import read_saved_table, write_stored_table
from collections_opt.service.servicers.capacity_what_ifs import CapacityWhatIfs
from collections_opt.service.servicers.paging import read_page
from collections_opt.service.servicers.rule_what_ifs import RuleWhatIfs
from collections_opt.wire.common import read_date, read_uuid4, told_as
from collections_opt.wire.rules import HEADS

_NAMED: Mapping[str, str] = MappingProxyType({"resource_id": "rule_table_id"})


class RuleServicer:
    """Saves, approves and shows rule tables."""

    def __init__(self, rule_tables: RuleTables, what_ifs: CapacityWhatIfs) -> None:
        self._what_ifs = RuleWhatIfs(rule_tables, what_ifs)
        self._rules = rule_tables
        self._tables = rule_tables.resources

    def create_rule_table(self, request: pb.CreateRuleTableRequest, context: Call) -> pb.CreateRuleTableResponse:
        """Save a first version."""
        actor = read_acting(request.actor, context)
        return pb.CreateRuleTableResponse(rule_table=self._save(request, None, actor))

    def update_rule_table(self, request: pb.UpdateRuleTableRequest, context: Call) -> pb.UpdateRuleTableResponse:
        """Save the next version."""
        if not request.etag:
            raise refuse(Reason.INVALID_ARGUMENT, "etag", "is empty.", "Send the etag of the version this one follows.")
        actor = read_acting(request.actor, context)
        return pb.UpdateRuleTableResponse(rule_table=self._save(request, request.etag, actor))

    def approve_rule_table(self, request: pb.ApproveRuleTableRequest, context: Call) -> pb.ApproveRuleTableResponse:
        """Let a version come into force."""
        command = ApprovalCommand(
            resource_id=request.rule_table_id,
            version=read_version(request.version),
            self_approved=request.self_approved,
            note=request.note,
            request_id=read_uuid4(request.request_id),
        )
        with told_as(_NAMED):
            approved = self._rules.approve(command, read_acting(request.actor, context), request.validate_only)
        return pb.ApproveRuleTableResponse(rule_table=write_stored_table(approved))

    def get_rule_table(self, request: pb.GetRuleTableRequest, _context: Call) -> pb.GetRuleTableResponse:
        """Return a version or the latest."""
        version = read_version(request.version) if request.version else None
        with told_as(_NAMED):
            stored = self._tables.version(request.rule_table_id, version)
        return pb.GetRuleTableResponse(rule_table=write_stored_table(stored))

    def list_rule_tables(self, request: pb.ListRuleTablesRequest, _context: Call) -> pb.ListRuleTablesResponse:
        """Return a page of latest versions."""
        page = read_page("rule_tables", request.page_size, request.page_token, "")
        found, more = page.cut(self._tables.latest(page.after, page.size + 1))
        return pb.ListRuleTablesResponse(
            rule_tables=[write_stored_table(each) for each in found],
            next_page_token=page.next_token(found[-1].version.resource_id) if more else "",
        )

    def list_rule_table_versions(
        self, request: pb.ListRuleTableVersionsRequest, _context: Call
    ) -> pb.ListRuleTableVersionsResponse:
        """Return a page of versions of a table, newest first."""
        with told_as(_NAMED):
            self._tables.version(request.rule_table_id)  # a table that does not exist is no empty list
        page = read_page(f"rule_tables/{request.rule_table_id}", request.page_size, request.page_token, 0)
        found, more = page.cut(self._tables.versions(request.rule_table_id, page.after or None, page.size + 1))
        return pb.ListRuleTableVersionsResponse(
            rule_tables=[write_stored_table(each) for each in found],
            next_page_token=page.next_token(found[-1].version.version) if more else "",
        )

    def get_rules_in_force(self, request: pb.GetRulesInForceRequest, _context: Call) -> pb.GetRulesInForceResponse:
        """Return what binds on a day."""
        day = read_date(request.as_of_date, "as_of_date")
        found = self._rules.in_force(day)
        return pb.GetRulesInForceResponse(
            rule_tables=[write_stored_table(each) for each in self._rules.held(found.versions)],
            rules_version=found.rules.version,
            rules_digest=digest_text(dump(found.rules)),
        )

    def evaluate_rules(
        self, request: evaluation_pb.EvaluateRulesRequest, _context: Call
    ) -> Iterator[evaluation_pb.EvaluateRulesResponse]:
        """Yield where a what-if stands, then what it found."""
        return self._what_ifs.evaluate(request)

    def _save(
        self, request: pb.CreateRuleTableRequest | pb.UpdateRuleTableRequest, etag: str | None, actor: Actor
    ) -> rule_table_pb2.RuleTable:
        with told_as(HEADS):
            new = read_saved_table(request.rule_table, etag, request.note, read_uuid4(request.request_id))
            return write_stored_table(self._rules.save(new, actor, request.validate_only))
