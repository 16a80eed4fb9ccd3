"""Rule tables as TOML files that people write: read strictly, and written so that they are read again as they were."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from collections_opt.core.accounts.column_names import held_column
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.rules.tables import Rule, RuleTable
from collections_opt.datasets.settings_files import parse_settings
from collections_opt.datasets.toml_text import said_fields, toml_value

_INDEX = re.compile(r"rules\[(\d+)\]")
_HEAD = """\
# Rules of contact, of which a second person approves every version: scripts/rules.py.
# Change what shall change, leave "follows" as it is, and save the file: that makes the next version.
"""


@dataclass(frozen=True)
class RuleFile:
    """A rule table in a file.

    Attributes:
        rule_table_id: its id.
        effective_from: first day on which it may bind.
        version: what people call these rules.
        rules: its rows.
        follows: the version that was read and changed; 0 for a first one.
        strict_places: as in ``RuleTable``; there is no other way to save one.
    """

    rule_table_id: str
    effective_from: date
    version: str
    rules: tuple[Rule, ...]
    follows: int = 0
    strict_places: bool = True

    @property
    def table(self) -> RuleTable:
        """The rules."""
        return RuleTable(self.version, self.rules, self.strict_places)


def read_rule_file(path: Path) -> RuleFile:
    """Return the table of a TOML file.

    Raises:
        CollectionsError: NOT_FOUND when it cannot be read; INVALID_ARGUMENT with every field at fault, each named by its rule.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise refuse(Reason.NOT_FOUND, path.name, f"cannot be read: {error}.", "Name an existing TOML file.") from error
    return parse_rule_file(text, path.name)


def parse_rule_file(text: str, file_name: str) -> RuleFile:
    """Return the table of TOML text; as ``read_rule_file``."""
    try:
        file = parse_settings(text, RuleFile, file_name)
    except CollectionsError as error:
        ids = re.findall(r"^rule_id\s*=\s*[\"']([^\"'\n]*)[\"']", text, re.MULTILINE)
        starts = re.findall(r"^\[\[rules\]\]", text, re.MULTILINE)
        named = ids if len(ids) == len(starts) else []
        found = tuple(replace(each, field=_INDEX.sub(lambda at: _named(at, named), each.field)) for each in error.violations)
        raise CollectionsError(error.reason, error.message, found) from error
    if not file.strict_places:
        told = "is false: an account whose place is known less exactly than a rule's would escape it."
        raise refuse(Reason.INVALID_ARGUMENT, f"{file_name}: strict_places", told, "Leave it out.")
    rules = (replace(rule, column=held_column(rule.column), known_by=held_column(rule.known_by)) for rule in file.rules)
    return replace(file, rules=tuple(rules))


def rule_file_text(file: RuleFile) -> str:
    """Return a table as TOML that ``parse_rule_file`` reads as the same; a field at its default is left out."""
    own = {"strict_places", "rules"}
    lines = [_HEAD, *(f"{name} = {toml_value(value)}" for name, value in said_fields(file) if name not in own)]
    for rule in file.rules:
        lines += ["", "[[rules]]", *(f"{name} = {toml_value(value)}" for name, value in said_fields(rule))]
    return "\n".join(lines) + "\n"


def _named(at: re.Match[str], ids: list[str]) -> str:
    index = int(at[1])
    return f"rules[{ids[index]}]" if index < len(ids) else at[0]
