"""Rule tables over the API: saved as the next version of a table, listed whole, and tried on a ranking."""

from __future__ import annotations

from collections.abc import Iterator

from collections_opt.api.v1 import rule_evaluation_pb2 as evaluation_pb
from collections_opt.api.v1 import rule_service_pb2 as pb
from collections_opt.api.v1 import rule_table_pb2
from collections_opt.client.capacity import summarise_evaluation, tell
from collections_opt.client.client import Client
from collections_opt.client.listings import pages
from collections_opt.client.rankings import new_request_id
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.problem.assignment import ProgressCallback, ignore_progress
from collections_opt.core.ranking.what_if_summary import RuleEffectFigures, RuleWhatIfSummary


def all_rule_tables(client: Client) -> Iterator[rule_table_pb2.RuleTable]:
    """Yield the latest version of every table by id."""
    request = pb.ListRuleTablesRequest
    return pages(lambda token: client.rules.ListRuleTables(request(page_token=token)), lambda page: page.rule_tables)


def all_rule_table_versions(client: Client, table_id: str) -> Iterator[rule_table_pb2.RuleTable]:
    """Yield the versions of a table, newest first.

    Raises:
        CollectionsError: NOT_FOUND.
    """
    request = pb.ListRuleTableVersionsRequest
    return pages(
        lambda token: client.rules.ListRuleTableVersions(request(rule_table_id=table_id, page_token=token)),
        lambda page: page.rule_tables,
    )


def rule_table(client: Client, table_id: str, version: int = 0) -> rule_table_pb2.RuleTable:
    """Return a version of a table; 0 is the latest.

    Raises:
        CollectionsError: NOT_FOUND.
    """
    return client.rules.GetRuleTable(pb.GetRuleTableRequest(rule_table_id=table_id, version=version)).rule_table


def save_rule_table(
    client: Client,
    message: rule_table_pb2.RuleTable,
    follows: int = 0,
    note: str = "",
    validate_only: bool = False,
    request_id: str = "",
) -> rule_table_pb2.RuleTable:
    """Save a table as its first version, or as the one that follows a version that was read; return what was saved.

    Raises:
        CollectionsError: INVALID_ARGUMENT with every field at fault; ALREADY_EXISTS for a first version of a table that is there;
            ETAG_MISMATCH when somebody saved another version after the one that it follows.
    """
    key = request_id or new_request_id()
    if follows:
        etag = rule_table(client, message.rule_table_id, follows).state.etag
        update = pb.UpdateRuleTableRequest(request_id=key, rule_table=message, note=note, validate_only=validate_only, etag=etag)
        return client.rules.UpdateRuleTable(update).rule_table
    create = pb.CreateRuleTableRequest(request_id=key, rule_table=message, note=note, validate_only=validate_only)
    return client.rules.CreateRuleTable(create).rule_table


def evaluate_rules(
    client: Client, request: evaluation_pb.EvaluateRulesRequest, progress: ProgressCallback = ignore_progress
) -> evaluation_pb.RuleEvaluation:
    """Return what tables would do if they were in force.

    Raises:
        CollectionsError: what is wrong with the request; OUTCOME_UNKNOWN when the stream ends without an answer.
    """
    for answer in client.rules.EvaluateRules(request):
        if answer.WhichOneof("answer") == "evaluation":
            return answer.evaluation
        tell(answer.progress, progress)
    raise CollectionsError(Reason.OUTCOME_UNKNOWN, "The evaluation ended without an answer; ask again.")


def summarise_rules(found: evaluation_pb.RuleEvaluation) -> RuleWhatIfSummary:
    """Return an evaluation's figures."""
    return RuleWhatIfSummary(
        compared=summarise_evaluation(found.comparison),
        effects=tuple(
            RuleEffectFigures(each.rule_id, each.version, each.description, each.blocked_before_count, each.blocked_after_count)
            for each in found.rules
        ),
        barred_before=found.barred_before_count,
        barred_after=found.barred_after_count,
        version_before=found.rules_version_before,
        version_after=found.rules_version_after,
    )
