"""A comparison of orders as scripts show it: tables on the terminal and the HTML page."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

from rich.console import Console

from collections_opt.api.v1 import capacity_service_pb2, ranking_pb2, ranking_service_pb2
from collections_opt.cli.common.terminal import show_warnings, table
from collections_opt.client.client import Client
from collections_opt.client.comparison import ComparedOrders
from collections_opt.client.rankings import calibration_sentence, summarise, worklist
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.ranking.ranking_summary import RankingSummary
from collections_opt.reports.comparison.page import ComparisonReport
from collections_opt.reports.comparison.report import expected_table, realised_table
from collections_opt.reports.comparison.sentences import CAUSALITY_NOTE, headline, realised_sentence
from collections_opt.reports.ranking_report import WorklistLine, evidence_sentence, gap_sentence, persons_sentence
from collections_opt.reports.stated_report import expected_sentence, sensitivity_sentence
from collections_opt.wire.plans import read_plan


def plan_of(client: Client, ranking: ranking_pb2.Ranking) -> CapacityPlan:
    """Return the version of the plan a ranking filled."""
    made = ranking.inputs
    request = capacity_service_pb2.GetCapacityPlanRequest(plan_id=made.capacity_plan_id, version=made.capacity_plan_version)
    message = client.capacity.GetCapacityPlan(request).capacity_plan
    return replace(read_plan(message), version=message.version)


def show_decided(console: Console, summary: RankingSummary) -> None:
    """Print what a person must know of a ranking: warnings, the money to expect, how good it is and what it rests on."""
    show_warnings(console, summary)
    console.print(expected_sentence(summary), highlight=False, style="bold")
    console.print(gap_sentence(summary))
    if persons_sentence(summary):
        console.print(persons_sentence(summary), highlight=False)
    console.print(evidence_sentence(summary), highlight=False)


def top_of_worklists(client: Client, ranking: ranking_pb2.Ranking, size: int) -> dict[str, list[WorklistLine]]:
    """Return the first accounts of every queue, each with the strongest reason of its score."""
    tops = {}
    for queue in ranking.queues:
        entries = list(islice(worklist(client, ranking.ranking_id, queue.queue_id, size, allow_analysis=True), size))
        tops[queue.queue_id] = [
            WorklistLine(
                entry.account_id,
                entry.priority,
                entry.increment_minor_units,
                entry.handling_minutes,
                entry.surplus_minor_units,
                _strongest_reason(client, ranking.ranking_id, entry.account_id),
            )
            for entry in entries
        ]
    return tops


def _strongest_reason(client: Client, ranking_id: str, account_id: str) -> str:
    request = ranking_service_pb2.ExplainAssignmentRequest(ranking_id=ranking_id, account_id=account_id)
    reasons = client.rankings.ExplainAssignment(request).reason_codes
    return reasons[0].sentence if reasons else ""


def page_of(client: Client, compared: ComparedOrders, title: str, size: int = 5) -> ComparisonReport:
    """Return what the HTML page shows."""
    first = compared.rankings[0]
    made, record = first.inputs, first.record
    facts = [
        ("portfolio", f"{made.portfolio_id}, as of {_iso(made)}, digest {made.portfolio_digest}"),
        ("capacity plan", f"{made.capacity_plan_id} version {made.capacity_plan_version}, digest {made.capacity_plan_digest}"),
        ("eligibility rules", f"{made.rules_version}, digest {made.rules_digest}"),
        ("outcome model", f"{made.model_version}, calibration {made.calibration_version}, digest {made.model_digest}"),
        ("value parameters", made.value_parameters.version),
        ("solver", f"{first.quality.solver_name} {first.quality.solver_version}, seed {made.seed}"),
        ("ranking", f"{first.ranking_id}, entries {record.entries_digest}"),
        ("software", f"collections-opt {made.code_version}"),
    ]
    tops = top_of_worklists(client, first, size)
    summaries = [summarise(made) for made in compared.rankings]
    plan = plan_of(client, first)
    return ComparisonReport(
        title,
        compared.outcomes,
        summaries[0],
        plan,
        tops,
        facts,
        sensitivity_sentence(summaries),
        _iso(made),
        calibration_sentence(client, first),
    )


def _iso(made: ranking_pb2.RankingInputs) -> str:
    day = made.as_of_date
    return f"{day.year:04d}-{day.month:02d}-{day.day:02d}"


def show(console: Console, compared: ComparedOrders) -> None:
    """Print the finding, the tables and the caveat."""
    currency = compared.rankings[0].inputs.currency_code
    console.print(headline(compared.outcomes, currency), style="bold")
    summaries = [summarise(made) for made in compared.rankings]
    for sentence in (expected_sentence(summaries[0]), sensitivity_sentence(summaries)):
        if sentence:
            console.print(sentence, highlight=False)
    expected = expected_table(compared.outcomes, currency)
    console.print(table(f"Orders at the same capacity and eligibility ({currency})", *expected))
    header, lines = realised_table(compared.outcomes, currency)
    if lines:
        console.print(table(f"What the accounts worked did next ({currency}; [95 % bootstrap interval])", header, lines))
        console.print(realised_sentence(compared.outcomes, currency))
        console.print(CAUSALITY_NOTE, style="dim")
