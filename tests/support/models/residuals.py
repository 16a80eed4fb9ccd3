"""A small model learned by residuals, made by hand: what is tested is how it is kept and served."""

from __future__ import annotations

from collections_opt.core.desk.queues import ContactEffect, EvidenceGrade
from collections_opt.scoring.effect.model import EffectEstimate
from collections_opt.scoring.effect.residual.basis import Basis, column_names
from collections_opt.scoring.effect.residual.level import Level, Weight
from collections_opt.scoring.effect.residual.model import FoldCoefficients, LearnedOutcome, LearnedQueue, ResidualModel

NONE = Weight(0.0, 0.0, 0.0)


def residual_model(version: str = "residual-1", intercept: float = 0.05, evidence: EvidenceGrade = EvidenceGrade.EXPERIMENT):
    """Return a model in which early calls have a deviation of their own and late calls keep the plan."""
    names = column_names(("STORE_CARD",))
    width = len(names)
    basis = Basis(names, (0.0,) * width, (1.0,) * width, ("STORE_CARD",))
    slope = tuple(0.002 * index for index in range(width - 1))
    cure = ((intercept, *slope), (0.01, *(0.0,) * (width - 1)))
    nothing = ((0.0,) * width, (0.0,) * width)
    half = tuple(tuple(0.5 * cell for cell in line) for line in cure)
    size = 2 * (1 + 2 * width)
    covariance = tuple(tuple(1e-4 if row == column else 0.0 for column in range(row + 1)) for row in range(size))
    estimate = EffectEstimate(0.05, 0.01, 0.03, 0.07, 4_000)
    planned = ContactEffect(0.45, 0.6, 0.3, 0.85)
    learned = LearnedQueue("early-calls", evidence, "randomised", planned, 0, 2_000, 3_000, 900, 0.97, estimate, estimate)
    few = LearnedQueue("late-calls", EvidenceGrade.ASSUMED, "too few rows", planned, None, 10, 20, 3, 1.0)
    outcomes = (
        LearnedOutcome(
            "cure", 0.3, None, cure, Level((Weight(0.8, 0.7, 0.1), Weight(0.9, 0.9, 0.2), NONE), 1.0, 0.1, 0.8, 2.5), 0.9
        ),
        LearnedOutcome("default", None, None, nothing, Level((Weight(1.0, 0.7, 0.6), NONE, NONE), 0.9, 0.6, 0.7, 0.0), 1.0),
    )
    fold = FoldCoefficients((cure, nothing), (half, nothing))
    return ResidualModel(version, basis, (learned, few), outcomes, covariance, (fold,), 900, ())
