"""What other rules would do, for people: one sentence, and the rules that block other accounts."""

from __future__ import annotations

from collections_opt.core.codes.currencies import currency
from collections_opt.core.ranking.what_if_summary import RuleWhatIfSummary
from collections_opt.reports.csv_text import csv_text
from collections_opt.reports.money import gap, money
from collections_opt.reports.what_if.report import Table, queue_change_table, signed_share, what_if_rows


def rules_headline(found: RuleWhatIfSummary) -> str:
    """Return what the rules would do to money, minutes and accounts."""
    both = found.compared
    moved = both.entering_count + both.leaving_count + both.changing_count
    if not rules_change(found):
        return "Nothing changes: these rules block no account that was not blocked."
    verb = "adds" if both.change_minor > 0 else "costs"
    cost = f"{verb} {money(abs(both.change_minor), both.currency_code)} of expected increment"
    share = signed_share(both.change_minor, both.before.objective_minor)
    hours = f"agents work {both.after.used_minutes / 60:,.1f} hours in place of {both.before.used_minutes / 60:,.1f}"
    return f"If these rules were in force: {cost} ({share}), {hours}, and {moved:,} accounts move."


def rules_sentence(found: RuleWhatIfSummary) -> str:
    """Return who moves, who may no longer be worked, and how far from the best the re-solve may be."""
    both = found.compared
    best = currency(both.currency_code).change(both.after.bound_minor - both.before.objective_minor)
    return (
        f"{both.entering_count:,} accounts enter a worklist, {both.leaving_count:,} leave, {both.changing_count:,} change queue. "
        f"No queue may work {found.barred_after:,} accounts, before {found.barred_before:,}. No list under these rules does "
        f"better than {best} (gap before {gap(both.before.gap)}, after {gap(both.after.gap)})."
    )


def rules_change(found: RuleWhatIfSummary) -> bool:
    """Return whether the rules change anything at all."""
    both = found.compared
    return bool(both.change_minor or both.flows or found.effects)


def rule_queue_table(found: RuleWhatIfSummary) -> Table:
    """Return header and one line per queue, as ``queue_change_table``; no price predicts what rules do."""
    header, lines = queue_change_table(found.compared)
    place = header.index("predicted")
    return [*header[:place], *header[place + 1 :]], [[*line[:place], *line[place + 1 :]] for line in lines]


def rule_effect_table(found: RuleWhatIfSummary) -> Table:
    """Return header and one line per rule that blocks another number of accounts, counted where it is the strictest."""
    header = ["rule", "what it says", "accounts before", "accounts after"]
    lines = [[f"{e.rule_id}/{e.version}", e.description, f"{e.before:,}", f"{e.after:,}"] for e in found.effects]
    return header, lines


def rule_what_if_csv(found: RuleWhatIfSummary) -> str:
    """Return one row per queue, as ``what_if_csv``, then one per rule that blocks another number of accounts, as CSV.

    A row has what is its own and nothing else: ``queue_id`` and figures, or ``rule_id``, its version, what it says and counts.
    """
    queues = what_if_rows(found.compared)
    for row in queues:
        del row["predicted_change_minor_units"]  # no price predicts what rules do
    rules = [
        {
            "rule_id": effect.rule_id,
            "rule_version": effect.version,
            "rule_says": effect.description,
            "before_blocked_count": effect.before,
            "after_blocked_count": effect.after,
        }
        for effect in found.effects
    ]
    names = dict.fromkeys([*queues[0], "rule_id", "rule_version", "rule_says", "before_blocked_count", "after_blocked_count"])
    return csv_text(list(names), [{name: row.get(name, "") for name in names} for row in (*queues, *rules)])
