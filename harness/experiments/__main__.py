"""Live years of a simulated lender by the API alone, and write what each month brought as a page and a figure.

Example:
    python -m harness.experiments
    python -m harness.experiments --seeds 1 --book 20000 --months 6 --out build/year
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import structlog

from harness.experiments.year import YearMonth, YearSize, live_year
from harness.experiments.year_page import year_figure, year_page

ROOT = Path(__file__).parents[2]
FIRST_SEED = 11


def one_year(seed: int, size: YearSize) -> list[YearMonth]:
    """Live a year in a folder that is gone afterwards, telling each month as it comes."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    months = []
    with tempfile.TemporaryDirectory() as folder:
        for month in live_year(Path(folder), seed, size):
            money = ", ".join(f"{name} {value / 100:,.0f}" for name, value in month.money.items())
            used = f"{month.model}, {month.effects}, {month.experiment_share:.0%} on an experiment"
            print(f"seed {seed}, month {month.number}: {money}; {used}; {month.not_learned}", flush=True)
            months.append(month)
    return months


def main() -> None:
    """Run the program."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seeds", type=int, default=2, help="Lenders, one year each.")
    asked.add_argument("--book", type=int, default=YearSize.book, help="Accounts of each lender; a tenth is late.")
    asked.add_argument("--months", type=int, default=YearSize.months, help="Months lived.")
    asked.add_argument("--world", default=YearSize.world, help="How people behave.")
    asked.add_argument("--processes", type=int, default=2, help="Years lived side by side.")
    asked.add_argument("--out", type=Path, default=ROOT / "docs", help="Folder for benchmarks/year.md and images/year.svg.")
    given = asked.parse_args()
    size = replace(YearSize(), book=given.book, months=given.months, world=given.world)
    seeds = range(FIRST_SEED, FIRST_SEED + given.seeds)
    with ProcessPoolExecutor(given.processes) as pool:
        years = list(pool.map(one_year, seeds, [size] * given.seeds))
    for name, text in (("benchmarks/year.md", year_page(years, size)), ("images/year.svg", year_figure(years))):
        path = given.out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        print(f"wrote {path}")


if __name__ == "__main__":
    main()
