"""Writes into docs/rules.md what the shipped rules forbid that those of 0.2.0 did not: ``python -m harness.docs.forbidden``.

Judged are the portfolio of the demo, the book of examples/ and a simulated lender, each under its own plan.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from collections_opt.application.settings import bundled_plan, bundled_rules
from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.rules.eligibility import Eligibility, RuleTable, evaluate
from collections_opt.datasets.files.mappings import FileMapping
from collections_opt.datasets.files.portfolio_files import read_portfolio
from collections_opt.datasets.settings_files import read_bundled_settings, read_settings
from collections_opt.datasets.simulated_lender import SimulatedLender, desk_plan

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "rules.md"
BEFORE = ROOT / "tests" / "data" / "rules_of_0.2.0.toml"
START, END = "<!-- forbidden -->", "<!-- /forbidden -->"
SIMULATED = 20_000


@dataclass(frozen=True)
class Book:
    """Accounts with the plan that works them, what the page calls them, and whether it names each."""

    name: str
    portfolio: Portfolio
    plan: CapacityPlan
    named: bool = True


def books() -> list[Book]:
    """Return what is judged."""
    examples, bundled = ROOT / "examples", ROOT / "collections_opt" / "datasets" / "bundled" / "uci_credit_card"
    demo = read_portfolio(
        bundled / "uci_credit_card_default.parquet", read_bundled_settings("mappings/credit_card.toml", FileMapping)
    )
    own = read_portfolio(examples / "book.csv", read_settings(examples / "book.toml", FileMapping))
    lender = SimulatedLender(1, SIMULATED)
    return [
        Book("the demo", admit(demo.raw).portfolio, bundled_plan()),
        Book("`examples/book.csv`", admit(own.raw).portfolio, read_settings(examples / "plan.toml", CapacityPlan)),
        Book(f"a simulated lender of {SIMULATED:,}", admit(lender.month(6).snapshot.raw).portfolio, desk_plan(300), named=False),
    ]


def page_part() -> str:
    """Return the tables as they stand in the page between the marks."""
    before, now = read_settings(BEFORE, RuleTable), bundled_rules()
    sums = [
        "| book | accounts | forbidden to a queue of 0.2.0 | to every queue | of the first, open with shrinking attempts |",
        "|---|---|---|---|---|",
    ]
    lines = ["| book | queue | rule | accounts |", "|---|---|---|---|"]
    for book in books():
        then, found = evaluate(book.portfolio, book.plan, before), evaluate(book.portfolio, book.plan, now)
        shrinking = replace(book.plan, queues=tuple(replace(queue, attempts_may_shrink=True) for queue in book.plan.queues))
        again = evaluate(book.portfolio, shrinking, now)
        lost = (then.blocked_by == 0) & (found.blocked_by != 0)
        some, none = lost.any(axis=1), lost.any(axis=1) & ~found.any_allowed
        kept = some & (lost <= (again.blocked_by == 0)).all(axis=1)  # every queue that lost it has it back
        figures = (book.portfolio.account_count, some.sum(), none.sum(), kept.sum())
        sums.append(f"| {book.name} | {' | '.join(f'{int(figure):,}' for figure in figures)} |")
        lines += _lines(book, found, lost)
    return "\n".join(["", *sums, "", *lines, ""])


def _lines(book: Book, found: Eligibility, lost: np.ndarray) -> list[str]:
    lines = []
    for index, queue in enumerate(book.plan.queues):
        codes = np.where(lost[:, index], found.blocked_by[:, index], 0)
        for code in np.unique(codes[codes > 0]).tolist():
            names = [name.decode() for name in book.portfolio.column("account_id")[codes == code].tolist()]
            told = ", ".join(names) if book.named else f"{len(names):,}"
            lines.append(f"| {book.name} | {queue.queue_id} | `{found.legend[code - 1].rule_id}` | {told} |")
    return lines


def main() -> None:
    """Write the tables into the page."""
    text = PAGE.read_text("utf-8")
    head, _, rest = text.partition(START)
    _, _, tail = rest.partition(END)
    PAGE.write_text(f"{head}{START}\n{page_part()}\n{END}{tail}", "utf-8")


if __name__ == "__main__":
    main()
