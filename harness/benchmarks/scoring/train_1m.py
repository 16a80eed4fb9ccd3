"""Train the outcome model on 1,000,000 account-months of a simulated lender.

Four months train it, with rounds, calibration and level chosen on the last of them; two later months, on which nothing was
fitted, judge the calibration of each outcome. The peak holds the training periods themselves.
"""

from __future__ import annotations

import sys

import numpy as np

from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.features import build_features
from collections_opt.datasets.simulated_lender import SimulatedLender
from collections_opt.scoring.evaluation.metrics import CLASSES, expected_calibration_error
from collections_opt.scoring.evaluation.probabilities import calibration_line
from collections_opt.scoring.outcome.rows import TrainingPeriod
from collections_opt.scoring.outcome.training import train
from harness.benchmarks.support.cases import Result, run_case
from harness.benchmarks.support.measuring import Measure
from harness.benchmarks.support.reporting import Report, Table, number
from harness.benchmarks.support.running import Options, main

TRAINING_MONTHS, JUDGED_MONTHS = (8, 9, 10, 11), (12, 13)
ACCOUNTS_PER_LATE = 10


def periods(account_months: int, months: tuple[int, ...], trained: int) -> list[TrainingPeriod]:
    """Return months of a world; the book is sized so that the training months hold so many late accounts."""
    lender = SimulatedLender(11, account_months * ACCOUNTS_PER_LATE // trained)
    found = []
    for month in lender.history(months):
        portfolio = admit(month.snapshot.raw).portfolio
        found.append(TrainingPeriod(f"month {month.month}", portfolio, month.snapshot.outcome[month.snapshot.rows_of(portfolio)]))
    return found


def train_once(measure: Measure, account_months: int) -> None:
    """Train, then judge months that nothing was fitted on."""
    fitted = periods(account_months, TRAINING_MONTHS, len(TRAINING_MONTHS))
    with measure.stage("train"):
        model = train(fitted, 1)
    measure.figures["account-months"] = float(sum(p.outcome.size for p in fitted))
    later = periods(account_months, JUDGED_MONTHS, len(TRAINING_MONTHS))
    p = np.vstack([model.calibration.apply(model.predictor.raw(build_features(q.portfolio).matrix)) for q in later])
    outcome = np.concatenate([q.outcome for q in later])
    for name, index in CLASSES.items():
        slope, _ = calibration_line(p[:, index], outcome == index)
        measure.figures[f"{name} slope"] = slope.value
        measure.figures[f"{name} ECE"] = expected_calibration_error(p[:, index], outcome == index)


def bench(options: Options) -> Report:
    """Measure training, and calibration by outcome."""
    size = 20_000 if options.small else 1_000_000
    result: Result = run_case(f"{size:,} account-months", train_once, 1, account_months=size)
    figures = [f"{name} {what}" for name in CLASSES for what in ("slope", "ECE")]
    judged = (result.name, *(f"{result.figures[f]:.4f}" for f in figures))
    peak = f"{result.peak_bytes / 2**30:.2f}"
    trained = (result.name, number(result.figures["account-months"]), number(result.seconds), peak)
    tables = [
        Table("Training", ("case", "account-months", "seconds", "peak GiB"), (trained,)),
        Table("Calibration on unseen later months", ("case", *figures), (judged,)),
    ]
    return Report(tables, [result])


if __name__ == "__main__":
    main(sys.modules[__name__])
