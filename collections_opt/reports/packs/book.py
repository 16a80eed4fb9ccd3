"""A book's pack as one page for a regulator: contacts, decisions and outcomes by group, and what experiments cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from collections_opt.reports.html_page import render

Table = tuple[list[str], list[list[str]]]

TITLES = {
    "contacts": "Contacts outbound per person, over all days",
    "contacts_in_7_days": "Most contacts outbound per person within any seven days",
    "decision": "What was decided, over all days",
    "outcome": "What became of persons, by the horizon of the first ranking that had them and has matured",
}
HIDDEN = "hidden"


@dataclass(frozen=True)
class ShownTable:
    """Persons by kind and group; None where a count is hidden."""

    name: str
    kinds: tuple[str, ...]
    groups: tuple[str, ...]
    group_counts: tuple[int, ...]
    totals: tuple[int, ...]
    cells: tuple[tuple[tuple[int, float] | None, ...], ...]


@dataclass(frozen=True)
class BookPage:
    """All that a page shows.

    Attributes:
        first: the first day.
        last: the last day.
        books: patterns of portfolios, as they were asked for.
        ranking_count: rankings counted.
        matured_count: of them, those that have matured.
        person_count: persons in them.
        contact_count: contacts counted, None where they are too few to be told.
        least: counts below this are hidden.
        tables: persons by kind and group.
        experiments: a line per experiment: id, days, share, persons, effect, cost measured, cost predicted, finding.
    """

    first: str
    last: str
    books: str
    ranking_count: int
    matured_count: int
    person_count: int
    contact_count: int | None
    least: int
    tables: tuple[ShownTable, ...]
    experiments: tuple[tuple[str, ...], ...]


EXPERIMENT_HEADER = [
    "experiment",
    "days",
    "drawn",
    "persons matured",
    "adds per person (95 %)",
    "measured cost",
    "predicted cost",
    "finding",
]


def book_html(page: BookPage) -> str:
    """Return the page; equal content gives equal bytes."""
    return render(
        "portfolio_pack.html",
        title=f"How persons were treated, {page.first} to {page.last}",
        headline=headline(page),
        page=page,
        tables=[(TITLES.get(one.name, one.name), shown_table(one)) for one in page.tables],
        experiments=(EXPERIMENT_HEADER, [list(line) for line in page.experiments]),
    )


def headline(page: BookPage) -> str:
    """Return the first thing to know: how often persons were contacted, and whether vulnerable people stand apart."""
    told = "too few contacts to be told" if page.contact_count is None else f"{page.contact_count:,} contacts outbound"
    return f"{page.person_count:,} persons, {told}{_most(page.tables)}."


def shown_table(one: ShownTable) -> Table:
    """Return a table with its totals, hidden counts named as such."""
    header = ["", *one.groups, "all"] if len(one.groups) > 1 else ["", *one.groups]
    lines = []
    for kind, cells, total in zip(one.kinds, one.cells, one.totals, strict=True):
        shown = [HIDDEN if cell is None else f"{cell[0]:,} ({cell[1]:.1%})" for cell in cells]
        lines.append([kind, *shown, *([f"{total:,}"] if len(one.groups) > 1 else [])])
    everybody = [f"{count:,}" for count in one.group_counts]
    lines.append(["persons", *everybody, *([f"{sum(one.group_counts):,}"] if len(one.groups) > 1 else [])])
    return header, lines


def _most(tables: Sequence[ShownTable]) -> str:
    week = next((one for one in tables if one.name == "contacts_in_7_days"), None)
    over = [] if week is None else [total for kind, total in zip(week.kinds, week.totals, strict=True) if kind == "8 or more"]
    return f"; {over[0]:,} persons with more than seven within seven days" if over else ""
