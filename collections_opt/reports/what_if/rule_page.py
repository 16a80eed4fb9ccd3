"""A what-if of rules as one HTML page: the finding first, then rules, queues and accounts, caveats. It loads nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from collections_opt.core.codes.currencies import currency
from collections_opt.core.ranking.what_if_summary import RuleWhatIfSummary
from collections_opt.reports.html_page import render
from collections_opt.reports.what_if.figures import flow_bars
from collections_opt.reports.what_if.report import flow_table, moved_table, signed_share
from collections_opt.reports.what_if.rule_what_if_report import (
    rule_effect_table,
    rule_queue_table,
    rules_headline,
    rules_sentence,
)


@dataclass(frozen=True)
class RuleWhatIfPage:
    """What a reader of a what-if of rules sees.

    Attributes:
        title: names the page.
        found: the list before and under the rules.
        facts: name and value of what produced it.
        rests_on: the evidence grades of the money.
    """

    title: str
    found: RuleWhatIfSummary
    facts: Sequence[tuple[str, str]]
    rests_on: str = ""


def rule_what_if_html(page: RuleWhatIfPage) -> str:
    """Return the page; equal content gives equal bytes."""
    found, both = page.found, page.found.compared
    return render(
        "rule_what_if.html",
        title=page.title,
        rests_on=page.rests_on,
        headline=rules_headline(found),
        sentence=rules_sentence(found),
        cards=_cards(found),
        effects=rule_effect_table(found),
        queues=rule_queue_table(found),
        flow_figure=flow_bars(both) if both.flows else "",
        flows=flow_table(both),
        moved=moved_table(both),
        facts=page.facts,
    )


def _cards(found: RuleWhatIfSummary) -> list[tuple[str, str, str]]:
    """Return figure, name and remark of the cards on top."""
    both = found.compared
    unit = currency(both.currency_code)
    moved = both.entering_count + both.leaving_count + both.changing_count
    hours = (both.after.used_minutes - both.before.used_minutes) / 60
    return [
        (
            unit.change(both.change_minor),
            f"{both.currency_code} expected increment",
            f"{unit.whole(both.before.objective_minor)} → {unit.whole(both.after.objective_minor)} "
            f"({signed_share(both.change_minor, both.before.objective_minor)})",
        ),
        (f"{hours:+,.1f}", "agent-hours worked", f"{both.before.used_minutes / 60:,.1f} before"),
        (f"{moved:,}", "accounts move", f"{both.entering_count:,} enter, {both.leaving_count:,} leave"),
        (f"{found.barred_after - found.barred_before:+,}", "accounts barred", f"{found.barred_before:,} before"),
    ]
