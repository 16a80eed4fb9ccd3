"""Rule tables over the API: saved as the next version of a table, approved, and listed whole."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from collections_opt.api.v1 import rule_service_pb2 as pb
from collections_opt.api.v1 import rule_table_pb2
from collections_opt.client.client import Client
from collections_opt.client.listings import pages


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
    key = request_id or str(uuid.uuid4())
    if follows:
        etag = rule_table(client, message.rule_table_id, follows).state.etag
        update = pb.UpdateRuleTableRequest(request_id=key, rule_table=message, note=note, validate_only=validate_only, etag=etag)
        return client.rules.UpdateRuleTable(update).rule_table
    create = pb.CreateRuleTableRequest(request_id=key, rule_table=message, note=note, validate_only=validate_only)
    return client.rules.CreateRuleTable(create).rule_table
