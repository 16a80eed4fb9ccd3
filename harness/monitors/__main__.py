"""Measure how often monitors cry wolf over 200 clean months, and how soon they find a shift of 20 % in the odds of default.

Example:
    python -m harness.monitors
    python -m harness.monitors --small
    python -m harness.monitors --planted

``--planted`` measures alarms whose false rate is not divided over the cells: it must be found to be too high.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
from scipy.stats import beta

from collections_opt.core.outcomes.alarms import FALSE_RATE, MONTHS, found_within
from harness.monitors.desks import SHARE, THRESHOLDS, Desk, alarms

SHIFT, WITHIN, POWER = 1.2, 2, 0.9
CLEAN_BEFORE = 12
LARGE = Desk(8_000)
SEED = 20_261_126


def interval(hits: int, runs: int) -> tuple[float, float]:
    """Return the 95 % interval of a share by Clopper and Pearson."""
    low = float(beta.ppf(0.025, hits, runs - hits + 1)) if hits else 0.0
    high = float(beta.ppf(0.975, hits + 1, runs - hits)) if hits < runs else 1.0
    return low, high


def false_rate(desk: Desk, desks: int, planted: bool) -> bool:
    """Measure alarms over clean months; return whether the rate is kept."""
    bars = np.full(THRESHOLDS.size, 1.0 / FALSE_RATE) if planted else THRESHOLDS
    raised = alarms(desk, desks, [1.0] * MONTHS, np.random.default_rng(SEED), bars)
    hits = int(raised.any(axis=0).sum())
    low, high = interval(hits, desks)
    kept = low <= FALSE_RATE
    print(
        f"{desk.accounts:>7,} accounts a month, {desk.seen:.0%} seen: {hits} of {desks} desks had a false alarm in {MONTHS} "
        f"months ({hits / desks:.1%}; {low:.1%} to {high:.1%}; at most {FALSE_RATE:.0%} is promised){'' if kept else '  BROKEN'}"
    )
    return kept


def power(desk: Desk, desks: int, shift: float) -> bool:
    """Measure how many desks find a shift in time; return whether as many do as are promised at this size."""
    shifts = [1.0] * CLEAN_BEFORE + [shift] * WITHIN
    raised = alarms(desk, desks, shifts, np.random.default_rng(SEED + 1))
    found = int(raised[CLEAN_BEFORE:].any(axis=0).sum())
    low, high = interval(found, desks)
    findable = found_within(desk.variance, WITHIN, float(SHARE[0]), POWER)
    promised = findable <= max(shift, 1 / shift)
    kept = high >= POWER or not promised
    told = f"promises {POWER:.0%}" if promised else f"promises it from a shift of {findable:.2f} on"
    print(
        f"{desk.accounts:>7,} accounts a month, {desk.seen:.0%} seen: odds of default times {shift:.2f} found within {WITHIN} "
        f"months by {found / desks:.1%} of {desks} desks ({low:.1%} to {high:.1%}; {told}){'' if kept else '  BROKEN'}"
    )
    return kept


def main() -> None:
    """Run the program."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--small", action="store_true", help="Fewer desks, to try the program.")
    asked.add_argument("--planted", action="store_true", help="Plant a bug that must be found.")
    given = asked.parse_args()
    desks = 200 if given.small else 2_000
    kept = [false_rate(Desk(size, seen=seen), desks, given.planted) for size, seen in ((500, 1.0), (8_000, 1.0), (8_000, 0.8))]
    if not given.planted:
        kept += [power(Desk(size), desks, SHIFT) for size in (2_000, 4_000, 6_000, 8_000, 16_000)]
        kept += [power(LARGE, desks, 1 / SHIFT), power(Desk(16_000, seen=0.8), desks, SHIFT)]
    sys.exit(0 if all(kept) else 1)


if __name__ == "__main__":
    main()
