"""The comparison of orders as rows (for tables, CSV and JSON) and as an HTML page with figures that opens offline."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import jinja2

from collections_opt.core.comparison import Interval, OrderingOutcome
from collections_opt.core.ordering import Ordering
from collections_opt.reports.figures import interval_bars, value_bars
from collections_opt.reports.money import money, share

TITLES: Mapping[Ordering, str] = {
    Ordering.EXPECTED_VALUE: "expected value",
    Ordering.P_CURE: "p_cure",
    Ordering.P_DEFAULT: "p_default",
    Ordering.P_DEFAULT_BALANCE: "p_default x balance",
    Ordering.PD_LGD_EAD: "PD x LGD x EAD",
    Ordering.BALANCE: "balance",
    Ordering.DAYS_PAST_DUE: "days past due",
    Ordering.RANDOM: "random",
}

CAUSALITY_NOTE = (
    "Realised figures are what the worked accounts did, not what contact caused: no contact was recorded in this data. "
    "An order that picks large balances or accounts about to cure by themselves collects much cash here without adding any. "
    "Balance alone is a strong order on this measure. Only the incremental column is what the product maximises, and it "
    "rests on the evidence grade stated for each queue."
)
"""Printed wherever realised figures are."""


@dataclass(frozen=True)
class ComparisonReport:
    """What a reader of the comparison sees.

    Attributes:
        title: headline.
        currency_code: of all money.
        outcomes: one row per order; the first is the reference.
        facts: name and value of what produced it (portfolio, plan, versions), for the header.
        queues: name, fill, price and gap rows of the reference ranking, as plain mappings.
    """

    title: str
    currency_code: str
    outcomes: Sequence[OrderingOutcome]
    facts: Sequence[tuple[str, str]]
    queues: Sequence[Mapping[str, str]]

    @property
    def has_outcomes(self) -> bool:
        """True when realised outcomes are known."""
        return any(outcome.cash is not None for outcome in self.outcomes)


def comparison_rows(outcomes: Sequence[OrderingOutcome]) -> list[dict[str, Any]]:
    """Return one flat mapping per order, figures unrounded, for CSV and JSON."""
    rows = []
    for outcome in outcomes:
        row: dict[str, Any] = {
            "ordering": outcome.ordering.value,
            "worked_count": outcome.worked_count,
            "minutes": outcome.minutes,
            "expected_incremental_minor_units": outcome.incremental_minor,
            "overlap": outcome.overlap,
            "rank_correlation": outcome.rank_correlation,
            "entering_count": outcome.entering,
            "leaving_count": outcome.leaving,
        }
        for name in ("cash", "cures", "rolls", "cash_share"):
            figure: Interval | None = getattr(outcome, name)
            if figure is not None:
                row |= {f"{name}": figure.value, f"{name}_low": figure.low, f"{name}_high": figure.high}
        rows.append(row)
    return rows


def comparison_table(outcomes: Sequence[OrderingOutcome]) -> tuple[list[str], list[list[str]]]:
    """Return header and cells for people: money in major units, intervals in brackets."""
    header = ["order", "worked", "hours", "expected increment", "overlap", "rank corr.", "in/out"]
    realised = any(outcome.cash is not None for outcome in outcomes)
    if realised:
        header += ["cash share [95 %]", "cash", "cures [95 %]", "rolls worse [95 %]"]
    cells = []
    for outcome in outcomes:
        line = [
            TITLES[outcome.ordering],
            f"{outcome.worked_count:,}",
            f"{outcome.minutes / 60:,.1f}",
            money(outcome.incremental_minor),
            share(outcome.overlap),
            f"{outcome.rank_correlation:.2f}",
            f"+{outcome.entering:,} / -{outcome.leaving:,}",
        ]
        if outcome.cash and outcome.cash_share and outcome.cures and outcome.rolls:
            line += [
                f"{share(outcome.cash_share.value)} [{share(outcome.cash_share.low)}, {share(outcome.cash_share.high)}]",
                money(outcome.cash.value),
                f"{outcome.cures.value:,.0f} [{outcome.cures.low:,.0f}, {outcome.cures.high:,.0f}]",
                f"{outcome.rolls.value:,.0f} [{outcome.rolls.low:,.0f}, {outcome.rolls.high:,.0f}]",
            ]
        cells.append(line)
    return header, cells


def comparison_csv(outcomes: Sequence[OrderingOutcome]) -> str:
    """Return the comparison as CSV with a header line."""
    rows = comparison_rows(outcomes)
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def comparison_html(report: ComparisonReport) -> str:
    """Return one HTML page with inline figures; it loads nothing from anywhere."""
    header, cells = comparison_table(report.outcomes)
    figures = [value_bars(report.outcomes, TITLES, report.currency_code)]
    if report.has_outcomes:
        figures.append(interval_bars(report.outcomes, TITLES))
    template = resources.files("collections_opt.reports").joinpath("templates/comparison.html").read_text("utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(template).render(
        report=report, header=header, cells=cells, figures=figures, note=CAUSALITY_NOTE if report.has_outcomes else ""
    )
