"""Effects judged on a holdout: right on a world with known truth, small cells silent, a label among the effects found out."""

from dataclasses import replace

import numpy as np
import pytest

from collections_opt.application.evaluation.segments import segments_of
from collections_opt.core.desk.queues import EvidenceGrade
from collections_opt.core.errors import CollectionsError
from collections_opt.core.evaluation.contact_log import LogSource
from collections_opt.core.value.effects import PlannedEffects, QueueEffect
from collections_opt.core.value.outcomes import CURE
from collections_opt.datasets.simulated_lender import desk_plan
from collections_opt.scoring.effect.evaluation import evaluate_effects
from harness.worlds.thresholds import pool, thresholded

PLAN, QUEUE = desk_plan(1_000), 2
SOURCE = LogSource("log.csv", "0" * 64, 1, simulated=False)


@pytest.fixture(scope="module")
def world():
    """Two months of a holdout that drew half of all accounts for one queue, the later month with accounts of the first."""
    made = pool(6, 60_000, PLAN)
    months = []
    for seed in (1, 2):
        drawn = thresholded(made, seed, 5_000, QUEUE, "balance_minor", 1)  # everyone is above
        rng = np.random.default_rng(seed)
        contacted = drawn.log.contacted & (rng.random(5_000) < 0.5)
        alone = drawn.outcomes.probability
        apart = (rng.random(5_000)[:, np.newaxis] > np.cumsum(alone, axis=1)[:, :2]).sum(axis=1)
        log = replace(
            drawn.log,
            contacted=contacted,
            right_party=drawn.log.right_party & contacted,
            outcome=np.where(contacted, drawn.log.outcome, apart).astype(np.int64),
            propensity=np.full(5_000, 0.45),
            queue_propensity=np.ones(5_000),
        )
        months.append(replace(drawn, log=log))
    truth = float((made.truth.contacted[:, QUEUE] - made.truth.alone)[:, CURE].mean())
    return months, truth


def judge(periods, effects_of=PlannedEffects):
    return evaluate_effects(periods, PLAN, effects_of, segments_of, [SOURCE] * len(periods), 1)


def test_the_observed_effect_holds_the_truth_and_segments_are_the_same_in_every_month(world):
    months, truth = world
    found = judge(months)
    everyone = found.cells[0]
    assert everyone.observed.low < truth < everyone.observed.high
    assert (found.row_count, everyone.contacted_count + everyone.held_out_count) == (10_000, 10_000)
    assert [cell.name for cell in found.cells if cell.name.startswith("queue")] == ["queue senior-negotiators"]
    bands = [cell for cell in found.cells if cell.name.startswith("balance ")]
    assert len(bands) == 4
    assert sum(cell.contacted_count + cell.held_out_count for cell in bands) == 10_000
    inside = [cell.observed.low <= cell.predicted <= cell.observed.high for cell in found.cells if cell.observed]
    assert len(inside) > 15
    assert not found.simulated


def test_small_cells_show_nothing(world):
    months, _ = world
    few = replace(months[0], log=months[0].log.take(np.arange(300)))
    found = judge([few])
    silent = [cell for cell in found.cells if min(cell.contacted_count, cell.held_out_count) < 30]
    assert silent
    assert all(cell.observed is None and np.isnan(cell.predicted) for cell in silent)


def test_effects_that_know_the_outcome_are_caught_by_their_counterfeit_qini(world):
    """The fault: an effect made from the label. Its Qini is beyond what any effect that is known beforehand can reach."""
    months, _ = world
    honest = judge(months).curves["predicted effect"].qini

    class Leaked(PlannedEffects):
        version, evidence = "leaked", staticmethod(lambda _queue: EvidenceGrade.ASSUMED)

        def __init__(self, portfolio, plan):
            super().__init__(portfolio, plan)
            log = next(m.log for m in months if m.portfolio is portfolio)
            self.gain = np.where((log.outcome == CURE) == log.contacted, 1.0, -1.0)

        def block(self, rows, queue, probability):
            plain = super().block(rows, queue, probability)
            return QueueEffect(plain.rpc_rate, self.gain[rows], plain.theta_default)

    assert judge(months, Leaked).curves["predicted effect"].qini.low > 3 * max(honest.high, 0.01)


def test_months_of_the_same_accounts_widen_the_interval(world):
    months, _ = world
    twice = judge([months[0], months[0]])
    assert (twice.row_count, twice.account_count) == (10_000, 5_000)
    once = judge([months[0]]).cells[0].observed
    assert twice.cells[0].observed.standard_error == pytest.approx(once.standard_error, rel=0.01)


def test_a_log_without_a_holdout_is_refused(world):
    months, _ = world
    unknown = np.full(5_000, np.nan)
    chosen = replace(months[0], log=replace(months[0].log, propensity=unknown, queue_propensity=unknown))
    with pytest.raises(CollectionsError, match="no randomised row"):
        judge([chosen])
