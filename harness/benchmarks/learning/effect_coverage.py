"""Whether stated intervals of effects and of policy values hold the truth.

Worlds of one kind are drawn again and again. In each the average effect of every queue is estimated from the randomised rows,
and the value of a policy by IPS, SNIPS and doubly robust scores; each stated 95 % interval is held against the mean truth of
all worlds.
"""

from __future__ import annotations

import json
import sys

from collections_opt.application.settings import bundled_rules
from collections_opt.datasets.simulated_lender import desk_plan
from collections_opt.scoring.effect.experiment import learn_experiment
from collections_opt.scoring.effect.segments import DEFAULT_SEGMENTS, declare_segments
from harness.benchmarks.support.keeping import held_case, kept_case
from harness.benchmarks.support.reporting import Report, Table
from harness.benchmarks.support.running import Options, main
from harness.worlds.coverage import Claims, Setting, claim
from harness.worlds.lab import train_world

TRAINING_SEED = 1


PART = 40
"""Worlds in one kept case, so that a run that is cut off loses few."""


def coverage(measure, first: int, count: int, book: int) -> None:
    """Draw worlds again and again, and keep their intervals and truths."""
    with measure.stage("train"):
        trained = train_world(TRAINING_SEED, 3 * book, (0, 4))
        segments = declare_segments(DEFAULT_SEGMENTS, trained.contacts.features)
        prior = learn_experiment(trained.contacts, desk_plan(1_000), segments).prior
    setting = Setting(trained.booster, segments, prior, bundled_rules(), trained.parameters, book)
    claims = Claims()
    with measure.stage("repeat worlds"):
        for seed in range(first, first + count):
            claim(setting, seed, claims)
    measure.figures["claims"] = json.dumps({"low": claims.low, "high": claims.high, "true": claims.true})


def bench(options: Options) -> Report:
    """Run the cases."""
    count, book = (40, 30_000) if options.small else (200, 60_000)
    results, claims = [], Claims()
    for first in range(1_000, 1_000 + count, PART):
        case = ("effect_coverage", f"worlds-{first}-{book}", coverage)
        arguments = {"first": first, "count": PART, "book": book}
        part = held_case(*case, **arguments) if options.kept else kept_case(*case, options.resume, **arguments)
        if part is not None:
            results.append(part)
            _join(claims, json.loads(part.figures["claims"]))
    shares = claims.coverage()
    lines = [(name, f"{share:.1%}", f"{number:,}") for name, (share, number) in shares.items()]
    together = sum(number for _, number in shares.values())
    whole = sum(share * number for share, number in shares.values()) / max(together, 1)
    lines.append(("all", f"{whole:.1%}", f"{together:,}"))
    table = Table("Coverage of stated 95 % intervals over repeated worlds", ("interval", "covers", "intervals"), tuple(lines))
    met = "met" if 0.93 <= whole <= 0.97 else "not met"
    drawn = PART * len(results)
    target = f"Target: stated 95 % intervals cover 93 to 97 % over 200 worlds: {whole:.1%} over {drawn}, {met}."
    return Report([table], results, [target])


def _join(claims: Claims, held: dict[str, dict[str, list[float]]]) -> None:
    for name, values in held.items():
        for what, figures in values.items():
            getattr(claims, name)[what].extend(figures)


if __name__ == "__main__":
    main(sys.modules[__name__])
