"""Rule tables as the script of rules reads and shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from rich.console import Console

from collections_opt.api.v1 import model_use_pb2, rule_table_pb2
from collections_opt.cli.common.terminal import table
from collections_opt.core.models.lifecycle import mode_remark
from collections_opt.core.rules.tables import Rule, RuleKind
from collections_opt.datasets.rule_files import RuleFile
from collections_opt.wire.common import read_date
from collections_opt.wire.rules import read_rule_table, write_rule_table

RULE_HEADER = ["rule", "blocks", "where", "status", "from", "until", "source"]


def message_of(file: RuleFile) -> rule_table_pb2.RuleTable:
    """Return the table of a file as a message."""
    return write_rule_table(file.rule_table_id, file.effective_from, file.table)


def file_of(message: rule_table_pb2.RuleTable) -> RuleFile:
    """Return a table as a file that makes its next version."""
    content = read_rule_table(message)
    day = read_date(message.effective_from, "effective_from")
    return RuleFile(message.rule_table_id, day, content.version, content.rules, message.state.version)


def state_of(message: rule_table_pb2.RuleTable) -> str:
    """Return where a version stands, in words."""
    if not message.state.HasField("approval"):
        return "not approved"
    mode = model_use_pb2.ApprovalMode.Name(message.state.approval.mode).removeprefix("APPROVAL_MODE_")
    return f"approved by {message.state.approval.approver.name}{mode_remark(mode)}"


def table_lines(messages: Iterable[rule_table_pb2.RuleTable]) -> list[list[str]]:
    """Return a line per version."""
    return [
        [
            each.rule_table_id,
            str(each.state.version),
            read_date(each.effective_from, "effective_from").isoformat(),
            str(len(each.rules)),
            "approved" if each.state.HasField("approval") else "not approved",
            each.state.saved_by.name or "-",
            state_of(each).removeprefix("approved by ") if each.state.HasField("approval") else "-",
            each.title,
        ]
        for each in messages
    ]


def rule_table_lines(
    messages: Iterable[rule_table_pb2.RuleTable], day: date | None = None
) -> tuple[Sequence[str], list[list[str]]]:
    """Return header and a line per rule; with a day, only rules that apply on it."""
    rules = [rule for each in messages for rule in read_rule_table(each).rules if day is None or rule.in_force(day)]
    return RULE_HEADER, [_line(rule) for rule in rules]


def show_table(console: Console, message: rule_table_pb2.RuleTable, title: str) -> None:
    """Print a table's rules."""
    day = read_date(message.effective_from, "effective_from").isoformat()
    console.print(table(f"{title}; from {day}: {message.title}", *rule_table_lines([message]), text_columns=4))


def _line(rule: Rule) -> list[str]:
    ends = rule.effective_to.isoformat() if rule.effective_to else "-"
    where = ", ".join(rule.jurisdictions) or "everywhere"
    return [rule.rule_id, _blocks(rule), where, rule.status, rule.effective_from.isoformat(), ends, rule.source]


def _blocks(rule: Rule) -> str:
    """Return what a rule blocks, short."""
    what = {
        RuleKind.BUDGET: f"over {rule.threshold} of {rule.column}",
        RuleKind.COUNT_ABOVE: f"at {rule.threshold} of {rule.column}",
        RuleKind.WAIT: f"days 1 to {rule.threshold} of {rule.column}",
        RuleKind.WAIT_DAYS: f"days 1 to {rule.threshold} of {rule.column}",
        RuleKind.HOURS: "outside " + ", ".join(f"{h.start:%H:%M}-{h.end:%H:%M} {' '.join(h.days)}".strip() for h in rule.hours),
    }.get(rule.kind, rule.column)
    of = f", by {rule.scope.lower()}" if rule.kind is RuleKind.BUDGET else ""
    channels = f" ({', '.join(rule.channels)})" if rule.channels else ""
    return f"{what}{of}{channels}"
