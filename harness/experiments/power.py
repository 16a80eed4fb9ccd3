"""Hold the promised power against runs on a seed that nothing was chosen by, finer than the bench can.

Cents that contact adds to everybody move a run's estimate by as much and leave its error as it is, so every measurement of the
spread is held against every run.

Example:
    python -m harness.experiments.power --seed 201
"""

from __future__ import annotations

import argparse

import numpy as np

from collections_opt.core.experiments.power import Z_LEVEL, detectable_minor
from harness.experiments.trials import PEOPLE, SHARE, at_looks, drawn, spread_of_past

_BATCH = 100


def main() -> None:
    """Run the program."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seed", type=int, default=201)
    asked.add_argument("--runs", type=int, default=6_000)
    asked.add_argument("--pasts", type=int, default=200, help="Measurements of the spread, on 40,000 people each.")
    given = asked.parse_args()
    generator = np.random.default_rng(given.seed)
    last = np.array([PEOPLE])
    contrasts = [at_looks(drawn(generator, _BATCH), last)[0] for _ in range(given.runs // _BATCH)]
    effect, error = (np.concatenate([getattr(one, name)[:, 0] for one in contrasts]) for name in ("effect", "error"))
    promised = np.array([detectable_minor(spread_of_past(generator), SHARE, PEOPLE) for _ in range(given.pasts)])
    found = np.array([float((np.abs(effect + added) > Z_LEVEL * error).mean()) for added in promised])
    nothing = float((np.abs(effect) > Z_LEVEL * error).mean())
    width = 1.96 * float(np.sqrt(found.var() / found.size + found.mean() * (1.0 - found.mean()) / effect.size))
    print(f"seed {given.seed}: {effect.size:,} runs, spread measured {found.size} times")
    print(f"promised {promised.mean() / 100:.2f} USD per person on average, found by {found.mean():.1%} (+- {width:.1%})")
    print(f"found though nothing is there: {nothing:.1%}")


if __name__ == "__main__":
    main()
