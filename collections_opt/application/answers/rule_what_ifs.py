"""What other rules would do to money, minutes and accounts: one re-solve, started from the prices at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from collections_opt.application.answers.capacity_baseline import CapacityBaseline
from collections_opt.application.answers.capacity_evaluation import CapacityEvaluation, compared
from collections_opt.application.resources.rule_tables import SHIPPED_ID, RuleTables
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.problem.assignment import ProgressCallback, SolveProgress, ignore_progress
from collections_opt.core.rules.checks import check_rule_table
from collections_opt.core.rules.eligibility import BlockReason, Eligibility
from collections_opt.core.rules.tables import RuleTable
from collections_opt.core.rules.together import bound_together, taken_as_in_force
from collections_opt.core.value.basis import value_accounts


@dataclass(frozen=True)
class RuleEffect:
    """How many accounts a rule blocks in some queue at least, where it is the strictest that does: before and after."""

    reason: BlockReason
    before: int
    after: int


@dataclass(frozen=True)
class RuleEvaluation:
    """Two sets of rules side by side on the same accounts.

    Attributes:
        compared: both answers, under one plan.
        effects: rules that block another number of accounts, the greatest change first.
        barred_before: accounts that no queue may work.
        barred_after: likewise, under the other rules.
        rules: the other rules.
    """

    compared: CapacityEvaluation
    effects: tuple[RuleEffect, ...]
    barred_before: int
    barred_after: int
    rules: RuleTable


class TriedRules:
    """The rules of a baseline, to which tables are added as if they were in force.

    Args:
        tables: the versions that bound.
        baseline: what to start from.

    Raises:
        CollectionsError: as ``RuleTables.held``.
    """

    def __init__(self, tables: RuleTables, baseline: CapacityBaseline) -> None:
        self._day = baseline.valued.portfolio.as_of_date
        named = tables.held(baseline.rule_tables)
        # A ranking of before tables were kept was made with what its release shipped.
        self._held: dict[str, tuple[str, RuleTable]] = {
            each.version.resource_id: (each.version.name, each.content) for each in named
        } or {SHIPPED_ID: (baseline.basis.rules.version, baseline.basis.rules)}
        self.rules = baseline.basis.rules

    def add(self, table_id: str, table: RuleTable) -> None:
        """Take a table as in force, in place of one of its id or beside the others.

        Raises:
            CollectionsError: INVALID_ARGUMENT, as ``check_rule_table``, and for a ranking of before 0.3.0, whose rules read
                places less strictly than any that can be saved; RESOURCE_STATE_CONFLICT, as ``bound_together``.
        """
        check_rule_table(table)
        if not all(held.strict_places for _, held in self._held.values()):
            told = "was made with rules of before 0.3.0, to which none can be added."
            raise refuse(Reason.INVALID_ARGUMENT, "ranking_id", told, "Rank its portfolio anew, and start from that.")
        tried = replace(table, rules=tuple(taken_as_in_force(rule, self._day) for rule in table.rules))
        self._held[table_id] = (f"{table_id} (tried)", tried)
        by_name: Mapping[str, RuleTable] = dict(self._held.values())
        self.rules = bound_together(by_name)


def evaluate_rules(
    baseline: CapacityBaseline, rules: RuleTable, solver: str = "", progress: ProgressCallback = ignore_progress
) -> RuleEvaluation:
    """Return what other rules would do; rules that block the same cells change nothing.

    Args:
        baseline: what to start from.
        rules: the other rules.
        solver: name of a solver; "" takes the baseline's.
        progress: told of each stage.

    Raises:
        CollectionsError: VALUE_OVERFLOW, as ``value_matrix``; as ``compared``.
    """
    progress(SolveProgress("value", 0.4))
    valued, plan = baseline.valued, baseline.answer.plan
    other = value_accounts(valued.portfolio, valued.outcomes, baseline.basis.under(rules=rules))
    found = compared(baseline, plan, baseline.problem_of(other), solver, progress)
    return RuleEvaluation(
        compared=found,
        effects=_effects(valued.eligibility, other.eligibility),
        barred_before=int((~valued.eligibility.any_allowed).sum()),
        barred_after=int((~other.eligibility.any_allowed).sum()),
        rules=rules,
    )


def _effects(before: Eligibility, after: Eligibility) -> tuple[RuleEffect, ...]:
    old, new = _by_rule(before), _by_rule(after)
    nothing = (None, 0)
    found = []
    for key in dict.fromkeys([*new, *old]):
        (was, was_count), (reason, count) = old.get(key, nothing), new.get(key, nothing)
        told = reason or was
        if told is not None and not told.rule_id.startswith("queue.") and count != was_count:
            found.append(RuleEffect(told, was_count, count))
    return tuple(sorted(found, key=lambda effect: (-abs(effect.after - effect.before), effect.reason.rule_id)))


def _by_rule(eligibility: Eligibility) -> dict[tuple[str, int], tuple[BlockReason | None, int]]:
    """Return every rule of a legend with the number of accounts that it blocks in some queue."""
    found: dict[tuple[str, int], tuple[BlockReason | None, int]] = {}
    for code, reason in enumerate(eligibility.legend, start=1):
        key = (reason.rule_id, reason.version)
        count = int(np.any(eligibility.blocked_by == code, axis=1).sum())
        found[key] = (reason, found.get(key, (None, 0))[1] + count)
    return found
