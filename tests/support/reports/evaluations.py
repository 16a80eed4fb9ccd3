"""An evaluation of a model and one of orders, with figures made up, for their pages."""

from __future__ import annotations

from datetime import date

import numpy as np

from collections_opt.core.evaluation.contact_log import LogSource
from collections_opt.core.evaluation.logged_rewards import Reward
from collections_opt.core.evaluation.policy_comparison import OrderValue, PolicyEvaluation
from collections_opt.core.evaluation.policy_value import PolicyEstimate
from collections_opt.core.evaluation.uplift import uplift_curve
from collections_opt.scoring.evaluation.probabilities import Drift, Estimate, ModelEvaluation, evaluate_class

LONG = "a_column_of_the_lender_with_a_name_of_sixty_characters_or_more"


def model_evaluation():
    """Return an evaluation with alarms, long names and a segment too small to be judged."""
    rng = np.random.default_rng(1)
    chance = rng.beta(2, 5, 2_000)
    classes = {
        name: evaluate_class(np.clip(chance * scale, 0.001, 0.999), rng.random(2_000) < chance, 1)
        for name, scale in (("cure", 1.0), ("default", 0.6), ("stay", 1.2))
    }
    gain = {share: Estimate(share**0.5, share**0.5 - 0.02, share**0.5 + 0.02) for share in (0.1, 0.2, 0.5, 1.0)}
    return ModelEvaluation(
        model_version="outcome/credit-card-4",
        judged_on="2005-08",
        classes=classes,
        segments={"CREDIT_CARD, 2 months past due": classes, "mortgage": {"cure": None, "default": None, "stay": None}},
        drift={LONG: Drift(0.31, 0.02), "balance": Drift(0.01, 0.02)},
        money="cash within 30 days (TWD)",
        gains={"EXPECTED_VALUE": gain, "BALANCE": gain},
        alarms=("default: predicted 17.0%, observed 28.0%; log-odds off by +0.65 (+0.55 to +0.75), slope 0.91 (0.84 to 0.99).",),
        alarm_note="One false alarm in twenty is expected.",
    )


def policy_evaluation():
    """Return a value of orders, one of them refused, from a simulated log."""
    rng = np.random.default_rng(2)
    account = np.arange(400)
    curve = uplift_curve(rng.random(400), rng.normal(0.02, 0.3, 400), account, 3, draws=20)
    estimate = PolicyEstimate("DR", 12_345.6, 1_200.0, 10_000.0, 15_000.0, 380, 310, 290.0)
    orders = (
        OrderValue("EXPECTED_VALUE", 900, 380, (estimate, estimate, estimate), estimate),
        OrderValue("BALANCE", 900, 350, (estimate, estimate, estimate), estimate, estimate),
        OrderValue("P_CURE", 900, 3, refusal="Only 3 randomised rows are worked by it. Draw a larger holdout."),
    )
    return PolicyEvaluation(
        plan="credit-card-desk version 1",
        effects=("contact/swept-1",),
        outcome_models=("outcome/credit-card-4",),
        reward=next(iter(Reward)),
        currency_code="JPY",
        portfolios=("uci-2005-08",),
        as_of_dates=(date(2005, 8, 31),),
        sources=(LogSource(f"{LONG}.parquet", "ab" * 32, 5_000, True),),
        grades={"early-calls": "EXPERIMENT", "late-calls": "ASSUMED"},
        account_count=4_209,
        randomised_count=380,
        orders=orders,
        curves={"effect": curve, "p_cure": curve, "balance": curve},
    )
