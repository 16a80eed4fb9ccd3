"""RuleService: rule tables that people save and approve, and what binds on a day."""

from __future__ import annotations

from collections.abc import Iterator

from collections_opt.api.v1 import rule_evaluation_pb2 as evaluation_pb
from collections_opt.api.v1 import rule_service_pb2 as pb
from collections_opt.api.v1 import rule_table_pb2
from collections_opt.application.resources.rule_tables import RuleTables
from collections_opt.application.settings import dump
from collections_opt.core.actors import Actor
from collections_opt.core.arrays import digest_text
from collections_opt.service.access.call import Call
from collections_opt.service.access.caller import read_acting
from collections_opt.service.converters.approved.rule_tables import read_saved_table, write_stored_table
from collections_opt.service.servicers.approved.shelf import Shelf, read_approval, read_etag
from collections_opt.service.servicers.capacity_what_ifs import CapacityWhatIfs
from collections_opt.service.servicers.rule_what_ifs import RuleWhatIfs
from collections_opt.wire.common import read_date, read_uuid, told_as
from collections_opt.wire.rules import HEADS


class RuleServicer:
    """Saves, approves and shows rule tables."""

    def __init__(self, rule_tables: RuleTables, what_ifs: CapacityWhatIfs) -> None:
        self._what_ifs = RuleWhatIfs(rule_tables, what_ifs)
        self._rules = rule_tables
        self._shelf = Shelf(
            rule_tables.resources, "rule_tables", "rule_table_id", rule_table_pb2.RuleTable.DESCRIPTOR, write_stored_table
        )

    def create_rule_table(self, request: pb.CreateRuleTableRequest, context: Call) -> pb.CreateRuleTableResponse:
        """Save a first version."""
        actor = read_acting(request.actor, context)
        return pb.CreateRuleTableResponse(rule_table=self._save(request, None, actor))

    def update_rule_table(self, request: pb.UpdateRuleTableRequest, context: Call) -> pb.UpdateRuleTableResponse:
        """Save the next version."""
        actor = read_acting(request.actor, context)
        return pb.UpdateRuleTableResponse(rule_table=self._save(request, read_etag(request.etag), actor))

    def approve_rule_table(self, request: pb.ApproveRuleTableRequest, context: Call) -> pb.ApproveRuleTableResponse:
        """Let a version come into force."""
        command = read_approval(request, request.rule_table_id)
        with told_as(self._shelf.told):
            approved = self._rules.approve(command, read_acting(request.actor, context), request.validate_only)
        return pb.ApproveRuleTableResponse(rule_table=write_stored_table(approved))

    def get_rule_table(self, request: pb.GetRuleTableRequest, _context: Call) -> pb.GetRuleTableResponse:
        """Return a version or the latest."""
        return pb.GetRuleTableResponse(rule_table=self._shelf.version(request.rule_table_id, request.version))

    def list_rule_tables(self, request: pb.ListRuleTablesRequest, _context: Call) -> pb.ListRuleTablesResponse:
        """Return a page of latest versions."""
        found, token = self._shelf.latest(request)
        return pb.ListRuleTablesResponse(rule_tables=found, next_page_token=token)

    def list_rule_table_versions(
        self, request: pb.ListRuleTableVersionsRequest, _context: Call
    ) -> pb.ListRuleTableVersionsResponse:
        """Return a page of versions of a table, newest first."""
        found, token = self._shelf.versions(request, request.rule_table_id)
        return pb.ListRuleTableVersionsResponse(rule_tables=found, next_page_token=token)

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
            new = read_saved_table(request.rule_table, etag, request.note, read_uuid(request.request_id))
            return write_stored_table(self._rules.save(new, actor, request.validate_only))
