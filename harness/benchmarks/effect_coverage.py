"""Whether stated intervals of effects and of policy values hold the truth.

Worlds of one kind are drawn again and again. In each the average effect of every queue is estimated from the randomised rows,
and the value of a policy by IPS, SNIPS and doubly robust scores; each stated 95 % interval is held against the mean truth of
all worlds.
"""

from __future__ import annotations

import sys

from collections_opt.application.settings import bundled_rules
from collections_opt.datasets.simulated_lender import desk_plan
from collections_opt.scoring.effect.experiment import learn_experiment
from collections_opt.scoring.effect.segments import DEFAULT_SEGMENTS, declare_segments
from harness.benchmarks.support.cases import run_case
from harness.benchmarks.support.reporting import Report, Table
from harness.benchmarks.support.running import Options, main
from harness.worlds.coverage import Claims, Setting, claim
from harness.worlds.lab import train_world

TRAINING_SEED = 1


def coverage(measure, count: int, book: int) -> None:
    """Draw worlds again and again, and count how often stated intervals hold the truth."""
    with measure.stage("train"):
        trained = train_world(TRAINING_SEED, 5 * book, (0, 4))
        segments = declare_segments(DEFAULT_SEGMENTS, trained.contacts.features)
        prior = learn_experiment(trained.contacts, desk_plan(1_000), segments).prior
    setting = Setting(trained.booster, segments, prior, bundled_rules(), trained.parameters, book)
    claims = Claims()
    with measure.stage("repeat worlds"):
        for seed in range(1_000, 1_000 + count):
            claim(setting, seed, claims)
    shares = claims.coverage()
    measure.figures["worlds"] = count
    for name, (share, number) in shares.items():
        measure.figures |= {f"coverage {name}": share, f"intervals {name}": number}
    together = sum(number for _, number in shares.values())
    measure.figures["intervals"] = together
    measure.figures["coverage"] = sum(share * number for share, number in shares.values()) / together


def bench(options: Options) -> Report:
    """Run the case."""
    repeats = {"count": 10, "book": 60_000} if options.small else {"count": 200, "book": 120_000}
    covered = run_case("coverage", coverage, 1, **repeats)
    figures = covered.figures
    names = [name.removeprefix("coverage ") for name in figures if name.startswith("coverage ")]
    lines = [(name, f"{figures[f'coverage {name}']:.1%}", f"{figures[f'intervals {name}']:,}") for name in names]
    lines.append(("all", f"{figures['coverage']:.1%}", f"{figures['intervals']:,}"))
    table = Table("Coverage of stated 95 % intervals over repeated worlds", ("interval", "covers", "intervals"), tuple(lines))
    level = "met" if 0.93 <= figures["coverage"] <= 0.97 else "not met"
    target = (
        f"Target: stated 95 % intervals cover 93 to 97 % over {figures['worlds']} worlds: {figures['coverage']:.1%}, {level}."
    )
    return Report([table], [covered], [target])


if __name__ == "__main__":
    main(sys.modules[__name__])
