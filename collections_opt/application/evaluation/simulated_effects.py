"""The evaluation of contact effects where no contact was recorded: on a simulated lender, and marked so.

The bundled accounts have no contacts. So that a validator sees what such an evaluation shows, effects are learned on the holdout
of some months of a simulated lender, scored by a scorecard of still earlier months, and judged on later ones.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from collections_opt.application.evaluation.segments import segments_of
from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.features import build_features
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.arrays import digest_columns
from collections_opt.core.evaluation.contact_log import LogSource
from collections_opt.core.value.outcomes import OutcomeProbabilities
from collections_opt.datasets.simulated_lender import LenderMonth, SimulatedLender, desk_plan
from collections_opt.scoring.effect.evaluation import EffectEvaluation, evaluate_effects
from collections_opt.scoring.effect.experiment import learn_experiment
from collections_opt.scoring.effect.model import EffectModel
from collections_opt.scoring.effect.rows import EffectPeriod, logged_contacts
from collections_opt.scoring.effect.segments import DEFAULT_SEGMENTS, declare_segments
from collections_opt.scoring.outcome.rows import TrainingPeriod
from collections_opt.scoring.outcome.scorecard_training import TrainedScorecard, train_scorecard

WORLD_SEED, BOOK = 1, 120_000
SCORED_ON, LEARNED_ON, JUDGED_ON = (0, 1), (2, 3, 4), (6, 8)
"""Months of the world."""

THINNED = 3
"""One in so many uncontacted accounts trains the scorecard, which is enough for it and three times as quick."""


def evaluate_simulated_effects(progress: Callable[[str, float], None] = lambda _s, _f: None) -> EffectEvaluation:
    """Return the evaluation of effects learned on a simulated lender; deterministic, about ten seconds."""
    progress("simulate a lender", 0.0)
    lender = SimulatedLender(WORLD_SEED, BOOK)
    months = (*SCORED_ON, *LEARNED_ON, *JUDGED_ON)
    lived = dict(zip(months, lender.history(months), strict=True))
    plan = desk_plan(0.02 * BOOK)
    progress("learn its effects", 0.6)
    card = train_scorecard([_uncontacted(lived[month]) for month in SCORED_ON])
    contacts = logged_contacts([_period(lived[month], card) for month in LEARNED_ON], plan)
    segments = declare_segments(DEFAULT_SEGMENTS, contacts.features)
    model = EffectModel("simulated", segments, learn_experiment(contacts, plan, segments).queues)
    progress("judge them", 0.9)
    judged = [_period(lived[month], card) for month in JUDGED_ON]
    sources = [_source(lived[month]) for month in JUDGED_ON]
    return evaluate_effects(judged, plan, model.effects_of, segments_of, sources, WORLD_SEED)


def _source(month: LenderMonth) -> LogSource:
    log = month.log
    digest = digest_columns({name: getattr(log, name) for name in log.columns})
    return LogSource(f"simulated lender, seed {WORLD_SEED}, month {month.month}", digest, log.row_count, True)


def _uncontacted(month: LenderMonth) -> TrainingPeriod:
    portfolio = admit(month.snapshot.raw).portfolio
    rows = month.snapshot.rows_of(portfolio)
    alone = np.flatnonzero(~month.log.contacted[rows])[::THINNED]
    return TrainingPeriod(f"month {month.month}", portfolio.take(alone), month.snapshot.outcome[rows][alone])


def _period(month: LenderMonth, card: TrainedScorecard) -> EffectPeriod:
    portfolio = admit(month.snapshot.raw).portfolio
    return EffectPeriod(portfolio, _scored(portfolio, card), month.log)


def _scored(portfolio: Portfolio, card: TrainedScorecard) -> OutcomeProbabilities:
    probability = card.calibration.apply(card.scorecard.raw(build_features(portfolio).matrix))
    return OutcomeProbabilities(probability, "simulated/scorecard", "level")
