"""Rule tables between message and core; faults are named by rule and field (``rules[us-cap].kind``)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, time
from types import MappingProxyType
from typing import TypeVar

from google.protobuf.descriptor import EnumDescriptor
from google.type.dayofweek_pb2 import DayOfWeek

from collections_opt.api.v1 import rule_table_pb2 as pb
from collections_opt.api.v1.capacity_plan_pb2 import Channel
from collections_opt.core.accounts.column_names import read_column, told_column
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse
from collections_opt.core.rules.checks import rule_path
from collections_opt.core.rules.tables import LawfulHours, Rule, RuleKind, RuleScope, RuleStatus, RuleTable, Weekday
from collections_opt.wire.common import read_date, read_enum, write_date, write_enum

HEADS: Mapping[str, str] = MappingProxyType(
    {
        "version": "rule_table.title",
        "rules": "rule_table.rules",
        "effective_from": "rule_table.effective_from",
        "resource_id": "rule_table.rule_table_id",
    }
)
"""Where the fields of a table are in a request that saves one."""

_EDGE = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
T = TypeVar("T")


def read_rule_table(message: pb.RuleTable) -> RuleTable:
    """Return the rules of a table; what a caller sets in OUTPUT_ONLY fields is ignored.

    Raises:
        CollectionsError: INVALID_ARGUMENT with every missing or unknown value, named by rule and field.
    """
    found: list[FieldViolation] = []
    rules = tuple(_read_rule(rule, rule_path(index, rule.rule_id), found) for index, rule in enumerate(message.rules))
    if found:
        text = str(found[0]) if len(found) == 1 else f"{len(found)} field(s) of the rules at fault: {found[0]}"
        raise CollectionsError(Reason.INVALID_ARGUMENT, text, tuple(found))
    return RuleTable(message.title, rules, strict_places=True)


def write_rule_table(table_id: str, effective_from: date, table: RuleTable) -> pb.RuleTable:
    """Return a table as a message, without its state."""
    return pb.RuleTable(
        rule_table_id=table_id,
        effective_from=write_date(effective_from),
        title=table.version,
        rules=[_write_rule(rule) for rule in table.rules],
    )


def _read_rule(message: pb.Rule, path: str, found: list[FieldViolation]) -> Rule:
    """Return a rule; what is wrong with a value is added to ``found``, and another stands in its place."""

    def enum(kind: EnumDescriptor, name: str, otherwise: str) -> str:
        return _tried(lambda: read_enum(kind, getattr(message, name), f"{path}.{name}"), otherwise, found)

    def day(name: str) -> date:
        return _tried(lambda: read_date(getattr(message, name), f"{path}.{name}"), date.min, found)

    return Rule(
        rule_id=message.rule_id,
        version=message.version,
        kind=RuleKind(enum(pb.RuleKind.DESCRIPTOR, "kind", RuleKind.FLAG)),
        column=_tried(lambda: read_column(message.column, f"{path}.column"), "", found),
        effective_from=day("effective_from"),
        effective_to=day("effective_to") if message.HasField("effective_to") else None,
        threshold=message.threshold,
        jurisdictions=tuple(message.jurisdictions),
        channels=tuple(
            _tried(lambda one=one, at=at: read_enum(Channel.DESCRIPTOR, one, f"{path}.channels[{at}]"), "", found)  # type: ignore[misc]
            for at, one in enumerate(message.channels)
        ),
        specialism=message.specialism,
        next_eligible_days=message.next_eligible_days,
        source=message.source,
        description=message.description,
        scope=RuleScope(enum(pb.RuleScope.DESCRIPTOR, "scope", RuleScope.ACCOUNT)),
        known_by=_tried(lambda: read_column(message.known_by, f"{path}.known_by"), "", found),
        checked_on=day("checked_on") if message.HasField("checked_on") else None,
        hours=tuple(_read_hours(one, f"{path}.hours[{at}]", found) for at, one in enumerate(message.hours)),
        closed_on=tuple(message.closed_on),
        status=RuleStatus(enum(pb.RuleStatus.DESCRIPTOR, "status", RuleStatus.UNSTATED)),
    )


def _read_hours(message: pb.LawfulHours, path: str, found: list[FieldViolation]) -> LawfulHours:
    edges = [_tried(lambda name=name: _read_edge(message, name, path), time(), found) for name in ("start", "end")]  # type: ignore[misc]
    days = tuple(
        Weekday(_tried(lambda one=one, at=at: read_enum(DayOfWeek.DESCRIPTOR, one, f"{path}.days[{at}]"), "MON", found)[:3])  # type: ignore[misc]
        for at, one in enumerate(message.days)
    )
    return LawfulHours(edges[0], edges[1], days)


def _read_edge(message: pb.LawfulHours, name: str, path: str) -> time:
    text = getattr(message, name)
    if not _EDGE.fullmatch(text):
        raise refuse(Reason.INVALID_ARGUMENT, f"{path}.{name}", f"{text[:40]!r} is no time of day.", "Send one like 08:00.")
    return time.fromisoformat(text)


def _tried(read: Callable[[], T], otherwise: T, found: list[FieldViolation]) -> T:
    try:
        return read()
    except CollectionsError as error:
        found.extend(error.violations)
        return otherwise


def _write_rule(rule: Rule) -> pb.Rule:
    return pb.Rule(
        rule_id=rule.rule_id,
        version=rule.version,
        kind=write_enum(pb.RuleKind.DESCRIPTOR, rule.kind),
        column=told_column(rule.column),
        effective_from=write_date(rule.effective_from),
        effective_to=write_date(rule.effective_to) if rule.effective_to else None,
        threshold=rule.threshold,
        jurisdictions=rule.jurisdictions,
        channels=[write_enum(Channel.DESCRIPTOR, channel) for channel in rule.channels],
        specialism=rule.specialism,
        next_eligible_days=rule.next_eligible_days,
        source=rule.source,
        description=rule.description,
        scope=write_enum(pb.RuleScope.DESCRIPTOR, rule.scope),
        known_by=told_column(rule.known_by),
        checked_on=write_date(rule.checked_on) if rule.checked_on else None,
        hours=[_write_hours(one) for one in rule.hours],
        closed_on=rule.closed_on,
        status=_write_status(rule.status),
    )


def _write_hours(hours: LawfulHours) -> pb.LawfulHours:
    names = {name[:3]: number for name, number in DayOfWeek.items()}
    return pb.LawfulHours(start=f"{hours.start:%H:%M}", end=f"{hours.end:%H:%M}", days=[names[day] for day in hours.days])


def _write_status(status: RuleStatus) -> pb.RuleStatus.ValueType:
    """Return what stands behind a rule; a table of before 0.3.0 does not say."""
    unstated = status is RuleStatus.UNSTATED
    return pb.RULE_STATUS_UNSPECIFIED if unstated else pb.RuleStatus.Value(f"RULE_STATUS_{status}")
