"""The comparison of orders as one HTML page: the finding first, then figures, tables, caveats. It loads nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collections_opt.core.codes.currencies import currency
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.evaluation.comparison import OrderingOutcome
from collections_opt.core.ranking.ranking import Disposition
from collections_opt.core.ranking.ranking_summary import RankingSummary
from collections_opt.reports.comparison.report import expected_table, realised_table
from collections_opt.reports.comparison.sentences import CAUSALITY_NOTE, finding, headline, realised_sentence
from collections_opt.reports.figures import interval_bars, overlap_bars, queue_bars, value_bars
from collections_opt.reports.html_page import render
from collections_opt.reports.money import gap, share
from collections_opt.reports.ranking_report import (
    WorklistLine,
    count_sentence,
    evidence_sentence,
    gap_sentence,
    persons_sentence,
    queue_table,
    worklist_table,
)
from collections_opt.reports.stated_report import expected_sentence


@dataclass(frozen=True)
class ComparisonReport:
    """What a reader of the comparison sees.

    Attributes:
        title: names the page.
        outcomes: one per order; the first is the reference.
        summary: the reference's ranking.
        plan: the capacity plan it filled.
        worklists: top accounts per queue id.
        facts: name and value of what produced it (portfolio, versions, digests).
        sensitivity: at which strengths of assumed effects another order would be ahead; "" where none are assumed.
        day: that the accounts describe.
        calibration: how well the model is calibrated, the worst outcome first; "" where no model scored.
    """

    title: str
    outcomes: Sequence[OrderingOutcome]
    summary: RankingSummary
    plan: CapacityPlan
    worklists: Mapping[str, Sequence[WorklistLine]]
    facts: Sequence[tuple[str, str]]
    sensitivity: str = ""
    day: str = ""
    calibration: str = ""

    @property
    def has_outcomes(self) -> bool:
        """True when realised outcomes are known."""
        return any(outcome.cash is not None for outcome in self.outcomes)


def comparison_html(report: ComparisonReport) -> str:
    """Return the page; equal reports give equal bytes."""
    code = report.summary.currency_code
    return render(
        "comparison.html",
        title=report.title,
        currency=code,
        finding=finding(report.outcomes, code, report.day),
        headline=headline(report.outcomes, code),
        calibration=report.calibration,
        realised=realised_sentence(report.outcomes, code),
        warnings=report.summary.warnings,
        to_expect=expected_sentence(report.summary),
        sensitivity=report.sensitivity,
        cards=_cards(report.summary),
        quality=gap_sentence(report.summary),
        counts=count_sentence(report.summary),
        persons=persons_sentence(report.summary),
        value_figure=value_bars(report.outcomes, code),
        overlap_figure=overlap_bars(report.outcomes) if len(report.outcomes) > 1 else "",
        realised_figure=interval_bars(report.outcomes) if report.has_outcomes else "",
        queue_figure=queue_bars(report.summary.queues, code),
        expected=expected_table(report.outcomes, code),
        happened=realised_table(report.outcomes, code),
        queues=queue_table(report.summary, report.plan),
        worklists={queue_id: worklist_table(lines, code) for queue_id, lines in report.worklists.items() if lines},
        evidence=evidence_sentence(report.summary),
        note=CAUSALITY_NOTE,
        facts=report.facts,
    )


def _money_card(summary: RankingSummary) -> tuple[str, str, str]:
    """Return the money to state, with the grade it rests on first, and the figure that was optimised beside it."""
    unit, stated = currency(summary.currency_code), summary.stated
    if stated is None:
        return unit.whole(summary.objective_minor), f"{unit.code} expected increment", "of contact over no contact"
    optimised = f"optimised: {unit.whole(summary.objective_minor)}"
    low, high = (unit.whole(end) for end in stated.range_minor)
    if stated.low_minor is None:
        remark = f"ASSUMED effects: from nothing to twice as strong; as assumed {unit.whole(stated.expected_minor)}; {optimised}"
        return f"{low} to {high}", f"{unit.code} to expect", remark
    return unit.whole(stated.expected_minor), f"{unit.code} to expect", f"95 %: {low} to {high}; {optimised}"


def _cards(summary: RankingSummary) -> list[tuple[str, str, str]]:
    """Return figure, name and remark of the cards on top."""
    used = sum(queue.used_minutes for queue in summary.queues)
    capacity = sum(queue.capacity_minutes for queue in summary.queues)
    dearest = max(summary.queues, key=lambda queue: queue.price_per_minute_minor)
    worked = summary.counts[Disposition.ASSIGNED]
    unit = currency(summary.currency_code)
    return [
        _money_card(summary),
        (gap(summary.gap), "optimality gap", f"no list can add more than {unit.whole(summary.bound_minor)}"),
        (f"{worked:,}", "accounts worked", f"of {summary.account_count:,}"),
        (share(used / capacity) if capacity else "-", "of all hours filled", f"{used / 60:,.1f} of {capacity / 60:,.1f} hours"),
        (
            unit.whole(dearest.price_per_minute_minor * 60),
            "for an agent-hour more",
            f"in {dearest.queue_id}, where time is worth most",
        ),
    ]
