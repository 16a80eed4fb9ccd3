"""Tables that are in force together: all of them bind, and where several rules block a cell the strictest is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from collections_opt.core.arrays import digest_text
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse
from collections_opt.core.limits import MAX_RULES, MAX_TEXT_CHARACTERS
from collections_opt.core.rules.tables import Rule, RuleStatus, RuleTable


def bound_together(tables: Mapping[str, RuleTable]) -> RuleTable:
    """Return one table of the rules of several, by what people call each (``springfield/2``); one table stays as it is.

    Raises:
        CollectionsError: RESOURCE_STATE_CONFLICT naming every rule id that two tables hold, or more rules than can bind together;
            INTEGRITY_FAILURE when there is none: without rules nothing permits.
    """
    if not tables:
        raise refuse(Reason.INTEGRITY_FAILURE, "rules", "no table is in force.", "Save one and have it approved.")
    if len(tables) == 1:
        return next(iter(tables.values()))
    shared = tuple(_shared(tables))
    if shared:
        raise CollectionsError(Reason.RESOURCE_STATE_CONFLICT, str(shared[0]), shared)
    rules = tuple(rule for _, table in sorted(tables.items()) for rule in table.rules)
    if len(rules) > MAX_RULES:
        told = f"{len(rules)} rules of {len(tables)} tables would bind together, which is more than {MAX_RULES}."
        raise refuse(Reason.RESOURCE_STATE_CONFLICT, "rules", told, "Save the next version of one of them with fewer.")
    return RuleTable(_version_of(sorted(tables)), rules, strict_places=True)


def taken_as_in_force(rule: Rule, day: date) -> Rule:
    """Return a rule as it would bind on a day: one that starts later or is proposed binds; one that ended has ended."""
    status = RuleStatus.UNSTATED if rule.status is RuleStatus.PROPOSED else rule.status
    return replace(rule, effective_from=min(rule.effective_from, day), status=status)


def _shared(tables: Mapping[str, RuleTable]) -> list[FieldViolation]:
    holders: dict[str, list[str]] = {}
    for name, table in sorted(tables.items()):
        for rule_id in dict.fromkeys(rule.rule_id for rule in table.rules):
            holders.setdefault(rule_id, []).append(name)
    remedy = "Give it another id, or save the next version of one table without it."
    return [
        FieldViolation(f"rules[{rule_id}].rule_id", f"is in {' and '.join(names)}, which would be in force together.", remedy)
        for rule_id, names in holders.items()
        if len(names) > 1
    ]


def _version_of(names: list[str]) -> str:
    """Return what the rules of several tables are called: their versions, or where those are too long their count and digest."""
    told = ", ".join(names)
    return told if len(told) <= MAX_TEXT_CHARACTERS else f"{len(names)} tables, {digest_text(told)[:16]}"
