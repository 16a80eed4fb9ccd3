"""Settings that people save and approve, over the API: rule tables and sets of value parameters, by version."""

from __future__ import annotations

from collections.abc import Iterator

from collections_opt.api.v1 import parameters_service_pb2, ranking_pb2, rule_service_pb2, rule_table_pb2, value_set_pb2
from collections_opt.api.v1.model_use_pb2 import ApprovalMode
from collections_opt.client.client import Client
from collections_opt.client.listings import pages
from collections_opt.client.rankings import new_request_id
from collections_opt.core.models.lifecycle import mode_remark


def all_rule_tables(client: Client) -> Iterator[rule_table_pb2.RuleTable]:
    """Yield the latest version of every table by id."""
    request = rule_service_pb2.ListRuleTablesRequest
    return pages(lambda token: client.rules.ListRuleTables(request(page_token=token)), lambda page: page.rule_tables)


def all_rule_table_versions(client: Client, table_id: str) -> Iterator[rule_table_pb2.RuleTable]:
    """Yield the versions of a table, newest first.

    Raises:
        CollectionsError: NOT_FOUND.
    """
    request = rule_service_pb2.ListRuleTableVersionsRequest
    return pages(
        lambda token: client.rules.ListRuleTableVersions(request(rule_table_id=table_id, page_token=token)),
        lambda page: page.rule_tables,
    )


def rule_table(client: Client, table_id: str, version: int = 0) -> rule_table_pb2.RuleTable:
    """Return a version of a table; 0 is the latest.

    Raises:
        CollectionsError: NOT_FOUND.
    """
    return client.rules.GetRuleTable(rule_service_pb2.GetRuleTableRequest(rule_table_id=table_id, version=version)).rule_table


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
        update = rule_service_pb2.UpdateRuleTableRequest(
            request_id=key, rule_table=message, note=note, validate_only=validate_only, etag=etag
        )
        return client.rules.UpdateRuleTable(update).rule_table
    create = rule_service_pb2.CreateRuleTableRequest(request_id=key, rule_table=message, note=note, validate_only=validate_only)
    return client.rules.CreateRuleTable(create).rule_table


def all_value_sets(client: Client) -> Iterator[value_set_pb2.ValueSet]:
    """Yield the latest version of every set by id."""
    request = parameters_service_pb2.ListValueSetsRequest
    return pages(lambda token: client.parameters.ListValueSets(request(page_token=token)), lambda page: page.value_sets)


def all_value_set_versions(client: Client, set_id: str) -> Iterator[value_set_pb2.ValueSet]:
    """Yield the versions of a set, newest first.

    Raises:
        CollectionsError: NOT_FOUND.
    """
    request = parameters_service_pb2.ListValueSetVersionsRequest
    return pages(
        lambda token: client.parameters.ListValueSetVersions(request(set_id=set_id, page_token=token)),
        lambda page: page.value_sets,
    )


def value_set(client: Client, set_id: str, version: int = 0) -> value_set_pb2.ValueSet:
    """Return a version of a set; 0 is the latest.

    Raises:
        CollectionsError: NOT_FOUND.
    """
    return client.parameters.GetValueSet(parameters_service_pb2.GetValueSetRequest(set_id=set_id, version=version)).value_set


def save_value_set(
    client: Client,
    message: value_set_pb2.ValueSet,
    follows: int = 0,
    note: str = "",
    validate_only: bool = False,
    request_id: str = "",
) -> value_set_pb2.ValueSet:
    """Save a set as its first version, or as the one that follows a version that was read; return what was saved.

    Raises:
        CollectionsError: INVALID_ARGUMENT with every field at fault; ALREADY_EXISTS for a first version of a set that is there;
            ETAG_MISMATCH when somebody saved another version after the one that it follows.
    """
    key = request_id or new_request_id()
    if follows:
        etag = value_set(client, message.set_id, follows).state.etag
        update = parameters_service_pb2.UpdateValueSetRequest(
            request_id=key, value_set=message, note=note, validate_only=validate_only, etag=etag
        )
        return client.parameters.UpdateValueSet(update).value_set
    create = parameters_service_pb2.CreateValueSetRequest(
        request_id=key, value_set=message, note=note, validate_only=validate_only
    )
    return client.parameters.CreateValueSet(create).value_set


def values_sentence(inputs: ranking_pb2.RankingInputs) -> str:
    """Return where a ranking's values come from, for people; "" for one recorded before it was told."""
    if inputs.values_source == value_set_pb2.VALUES_SOURCE_CALL:
        return f"Values: {inputs.value_parameters.version}, carried by the call; no second person stands behind them."
    told = ", ".join(choice_phrase(choice) for choice in inputs.value_choices)
    return f"Values: {told}." if told else ""


def choice_phrase(choice: value_set_pb2.ValueChoice) -> str:
    """Return whose a product's values are; what no second person looked at says so."""
    mode = ApprovalMode.Name(choice.approval_mode).removeprefix("APPROVAL_MODE_")
    return f"{choice.product} of {choice.set_id}/{choice.version}{mode_remark(mode)}"
