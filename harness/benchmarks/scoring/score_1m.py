"""Score 1,000,000 accounts beside bare LightGBM on the same rows.

Bare is LightGBM's `predict` of the shipped model's boosters on a ready feature matrix. The scorer does the same from a portfolio:
features in blocks, both boosters, calibration.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.features import build_features
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.scoring.outcome.artifacts import load_artifact
from collections_opt.scoring.outcome.boosted import BoostedPredictor
from collections_opt.scoring.outcome.scorer import Scorer
from harness.benchmarks.support.cases import run_case
from harness.benchmarks.support.measuring import Measure
from harness.benchmarks.support.portfolios import MODELS, resampled_portfolio
from harness.benchmarks.support.reporting import Report, Table, number
from harness.benchmarks.support.running import Options, main

VERSION = "credit-card-4"


def _portfolio(accounts: int) -> Portfolio:
    with tempfile.TemporaryDirectory() as folder:
        return admit(resampled_portfolio(Path(folder), accounts, seed=7)).portfolio


def bare(measure: Measure, accounts: int) -> None:
    """Predict with both boosters on a ready matrix."""
    matrix = build_features(_portfolio(accounts)).matrix
    predictor = load_artifact(MODELS, VERSION).predictor
    assert isinstance(predictor, BoostedPredictor)
    for booster in predictor.boosters:
        booster.predict(matrix[:1_000])
    with measure.stage("score"):
        for booster in predictor.boosters:
            booster.predict(matrix)


def scorer(measure: Measure, accounts: int) -> None:
    """Score a portfolio."""
    portfolio, served = _portfolio(accounts), Scorer(load_artifact(MODELS, VERSION))
    served.score(portfolio.take(slice(0, 1_000)))
    with measure.stage("score"):
        served.score(portfolio)


def bench(options: Options) -> Report:
    """Measure both; the ratio is the whole path over bare LightGBM."""
    accounts = 20_000 if options.small else 1_000_000
    cases = [
        run_case(name, case, options.runs, accounts=accounts) for name, case in (("bare LightGBM", bare), ("scorer", scorer))
    ]
    seconds = [next(stage.seconds for stage in case.stages if stage.name == "score") for case in cases]
    lines = tuple((case.name, number(s), f"{s / seconds[0]:.2f}") for case, s in zip(cases, seconds, strict=True))
    return Report([Table(f"{accounts:,} accounts", ("case", "seconds", "/ bare"), lines)], cases)


if __name__ == "__main__":
    main(sys.modules[__name__])
