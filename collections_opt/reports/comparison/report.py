"""The comparison of orders as rows, for tables, CSV and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from collections_opt.core.codes.currencies import currency
from collections_opt.core.evaluation.comparison import Interval, OrderingOutcome
from collections_opt.reports.csv_text import csv_text
from collections_opt.reports.money import share
from collections_opt.reports.order_names import TITLES

REALISED = ("cash", "cures", "rolls", "cash_share", "cash_difference")
Table = tuple[list[str], list[list[str]]]


def comparison_rows(outcomes: Sequence[OrderingOutcome], currency_code: str) -> list[dict[str, Any]]:
    """Return one flat mapping per order, figures unrounded, money in minor units of the currency named, for CSV and JSON."""
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
        for name in REALISED:
            figure: Interval | None = getattr(outcome, name)
            if figure is not None:
                told = f"{name}_minor_units" if name in ("cash", "cash_difference") else name
                row |= {told: figure.value, f"{told}_low": figure.low, f"{told}_high": figure.high}
        row["currency_code"] = currency_code
        rows.append(row)
    return rows


def comparison_csv(outcomes: Sequence[OrderingOutcome], currency_code: str) -> str:
    """Return the comparison as CSV with a header line."""
    rows = comparison_rows(outcomes, currency_code)
    return csv_text(list(rows[0]), rows)


def expected_table(outcomes: Sequence[OrderingOutcome], currency_code: str) -> Table:
    """Return header and one line per order: whom it works and what that is expected to add; money in major units."""
    unit = currency(currency_code)
    header = ["order", "worked", "hours", "increment", "of first", "overlap", "rank corr.", "in / out"]
    first = outcomes[0].incremental_minor
    cells = [
        [
            TITLES[outcome.ordering],
            f"{outcome.worked_count:,}",
            f"{outcome.minutes / 60:,.1f}",
            unit.whole(outcome.incremental_minor),
            share(outcome.incremental_minor / first if first else float("nan")),
            share(outcome.overlap),
            "-" if outcome.rank_correlation != outcome.rank_correlation else f"{outcome.rank_correlation:.2f}",
            f"+{outcome.entering:,} -{outcome.leaving:,}",
        ]
        for outcome in outcomes
    ]
    return header, cells


def realised_table(outcomes: Sequence[OrderingOutcome], currency_code: str) -> Table:
    """Return header and one line per order of what its accounts did next, with 95 % intervals; no lines if not known."""
    unit = currency(currency_code)
    header = ["order", "cash", "share of all cash", "cash vs first", "cures", "rolls worse"]
    cells = []
    for outcome in outcomes:
        if outcome.cash and outcome.cash_share and outcome.cures and outcome.rolls and outcome.cash_difference:
            line = [
                TITLES[outcome.ordering],
                unit.whole(outcome.cash.value),
                _shares(outcome.cash_share),
                "-" if outcome is outcomes[0] else _relative(outcome.cash_difference, outcomes[0].cash),
                _interval(outcome.cures),
                _interval(outcome.rolls),
            ]
            cells.append(line)
    return header, cells


def _interval(figure: Interval) -> str:
    return f"{figure.value:,.0f} [{figure.low:,.0f}, {figure.high:,.0f}]"


def _shares(figure: Interval) -> str:
    return f"{figure.value:.1%} [{figure.low * 100:.1f}, {figure.high * 100:.1f}]"


def _relative(difference: Interval, first: Interval | None) -> str:
    """Money is compared as a share of the first order's: comparable between portfolios, and short."""
    whole = first.value if first is not None else 0.0
    return _shares(Interval(*(part / whole for part in (difference.value, difference.low, difference.high)))) if whole else "-"
