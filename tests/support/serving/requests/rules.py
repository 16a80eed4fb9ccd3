"""Good requests of RuleService, with every field that a caller can set."""

from __future__ import annotations

import uuid

from google.type import dayofweek_pb2

from collections_opt.api.v1 import capacity_plan_pb2, ranking_pb2, rule_evaluation_pb2, rule_service_pb2, rule_table_pb2
from collections_opt.application.resources.approved import SavedContent
from collections_opt.core.actors import Actor
from collections_opt.wire.common import write_date
from collections_opt.wire.rules import read_rule_table
from tests.support.models.folders import NOW
from tests.support.serving.calls import AS_OF

RULES = "saved-rules"
"""A rule table that the server holds, saved by somebody and not approved."""


def save_rules(workspace):
    """Save a rule table that nobody has approved."""
    table = read_rule_table(rules(RULES))
    workspace.rule_tables.save(SavedContent(RULES, AS_OF, table), Actor("sue"))


def rules(table_id):
    """Return a rule table with every field set."""
    pb = rule_table_pb2
    day, other = write_date(AS_OF), write_date(NOW.date())
    rule = pb.Rule(
        rule_id="swept-cap",
        version=1,
        kind=pb.RULE_KIND_WAIT,
        column="days_since_conversation",
        effective_from=day,
        effective_to=other,
        threshold=3,
        jurisdictions=["TW"],
        channels=[capacity_plan_pb2.CHANNEL_CALL],
        specialism="vulnerable",
        source="City code 12",
        description="A wait of three days.",
        scope=pb.RULE_SCOPE_ACCOUNT,
        known_by="calls_last_7_days_count",
        checked_on=other,
        status=pb.RULE_STATUS_LAW,
    )
    lasting = pb.Rule(
        rule_id="swept-budget",
        version=1,
        kind=pb.RULE_KIND_BUDGET,
        column="calls_last_7_days_count",
        effective_from=day,
        next_eligible_days=7,
        source="City code 13",
        description="A budget.",
        scope=pb.RULE_SCOPE_PERSON,
        status=pb.RULE_STATUS_GUIDANCE,
    )
    hours = pb.Rule(
        rule_id="swept-hours",
        version=1,
        kind=pb.RULE_KIND_HOURS,
        column="time_zone",
        effective_from=day,
        source="City code 14",
        description="Hours.",
        scope=pb.RULE_SCOPE_ACCOUNT,
        hours=[pb.LawfulHours(start="08:00", end="21:00", days=[dayofweek_pb2.MONDAY])],
        closed_on=["12-25"],
        status=pb.RULE_STATUS_LAW,
    )
    return pb.RuleTable(rule_table_id=table_id, effective_from=day, title="rules-2005", rules=[rule, lasting, hours])


def rule_requests(etag):
    """Return a good request per method of RuleService."""
    pb = rule_service_pb2
    an_act = {"request_id": str(uuid.UUID(int=34, version=4)), "note": "swept", "validate_only": True}
    return {
        "CreateRuleTable": pb.CreateRuleTableRequest(actor="ann", rule_table=rules("swept"), **an_act),
        "UpdateRuleTable": pb.UpdateRuleTableRequest(actor="ann", rule_table=rules(RULES), etag=etag, **an_act),
        "ApproveRuleTable": pb.ApproveRuleTableRequest(actor="ben", rule_table_id=RULES, version=1, **an_act),
        "GetRuleTable": pb.GetRuleTableRequest(rule_table_id=RULES, version=1),
        "ListRuleTables": pb.ListRuleTablesRequest(page_size=5),
        "ListRuleTableVersions": pb.ListRuleTableVersionsRequest(rule_table_id=RULES, page_size=5),
        "GetRulesInForce": pb.GetRulesInForceRequest(as_of_date=write_date(AS_OF)),
    }


def rule_what_ifs(bases):
    """Return good requests of EvaluateRules from a ranking and from a portfolio, the second with one rule."""
    request, whole = rule_evaluation_pb2.EvaluateRulesRequest, rules("swept")
    part = rules("swept")
    del part.rules[1:]
    options = {"solver": ranking_pb2.SOLVER_GREEDY, "max_moved_accounts": 5}
    return {
        "EvaluateRules": [
            [request(basis=basis, rule_tables=[table], **options)] for basis, table in zip(bases, (whole, part), strict=True)
        ]
    }
