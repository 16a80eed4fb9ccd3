"""Rule tables with their standing, as messages."""

from __future__ import annotations

from collections.abc import Iterable

from collections_opt.api.v1 import rule_table_pb2 as pb
from collections_opt.application.resources.approved import SavedContent, Stored
from collections_opt.application.resources.rule_tables import TableVersion
from collections_opt.core.rules.tables import RuleTable
from collections_opt.service.converters.approved.resources import write_state
from collections_opt.wire.common import read_date
from collections_opt.wire.rules import read_rule_table, write_rule_table


def read_saved_table(message: pb.RuleTable, etag: str | None, note: str, request_id: str) -> SavedContent[RuleTable]:
    """Return what somebody saves; what a caller sets in OUTPUT_ONLY fields is ignored.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a missing date or enum, told in the table's own paths.
    """
    return SavedContent(
        resource_id=message.rule_table_id,
        effective_from=read_date(message.effective_from, "effective_from"),
        content=read_rule_table(message),
        etag=etag,
        note=note,
        request_id=request_id,
    )


def write_stored_table(stored: Stored[RuleTable]) -> pb.RuleTable:
    """Return a version with its standing."""
    version = stored.version
    message = write_rule_table(version.resource_id, version.effective_from, stored.content)
    message.state.CopyFrom(write_state(version))
    return message


def write_table_versions(versions: Iterable[TableVersion]) -> list[pb.RuleTableVersion]:
    """Return the versions that a record names."""
    return [pb.RuleTableVersion(**vars(version)) for version in versions]
