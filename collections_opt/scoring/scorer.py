"""Serve a loaded model: probabilities and reasons, from the same features as training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.features import FEATURES, Features, build_features
from collections_opt.core.outcomes import CURE, DEFAULT, OutcomeProbabilities
from collections_opt.core.portfolio import Portfolio
from collections_opt.core.valuation import blocks
from collections_opt.scoring.artifacts import Artifact

REASON_SENTENCES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "DELINQUENCY": ("Its months past due speak for a cure.", "Its months past due speak against a cure."),
        "PAYMENTS": ("Its recent payments speak for a cure.", "Its recent payments speak against a cure."),
        "BALANCE": ("Its balance and arrears speak for a cure.", "Its balance and arrears speak against a cure."),
        "UTILISATION": ("Its use of the limit speaks for a cure.", "Its use of the limit speaks against a cure."),
        "TENURE": ("Its age speaks for a cure.", "Its age speaks against a cure."),
    }
)
"""Sentence per feature group where it raises and where it lowers p_cure."""

_GROUPS = tuple(dict.fromkeys(feature.group for feature in FEATURES))


@dataclass(frozen=True)
class Reason:
    """One reason of a score: stable code, plain sentence, and its push on the log-odds cure against default."""

    code: str
    sentence: str
    contribution: float


class Scorer:
    """An outcome model, ready to score; holds no state but the model."""

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact

    @property
    def model_version(self) -> str:
        """Kind and version of the model."""
        return f"{self.artifact.manifest.kind}/{self.artifact.manifest.version}"

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the model's manifest."""
        return self.artifact.digest

    @property
    def card(self) -> str:
        """The model card, Markdown."""
        return self.artifact.card

    @property
    def files(self) -> Mapping[str, str]:
        """SHA-256 (hex) of each of the model's files, by name."""
        return self.artifact.manifest.files

    def score(self, portfolio: Portfolio) -> OutcomeProbabilities:
        """Return calibrated probabilities without contact, (n, 3); blocks keep memory bounded and never change a bit."""
        probability = np.empty((portfolio.account_count, 3))
        for rows in blocks(portfolio.account_count):
            probability[rows] = self.predict(build_features(portfolio.take(rows)))
        manifest = self.artifact.manifest
        never = np.zeros(portfolio.account_count, dtype=bool)
        return OutcomeProbabilities(probability, self.model_version, manifest.calibration_version, never)

    def predict(self, features: Features) -> NDArray[np.float64]:
        """Return calibrated probabilities of a feature matrix, float64 (n, 3)."""
        if not features.matrix.shape[0]:
            return np.empty((0, 3))
        return self.artifact.calibration.apply(self.artifact.predictor.raw(features.matrix))

    def reasons(self, portfolio: Portfolio, count: int = 3) -> tuple[tuple[Reason, ...], ...]:
        """Return the strongest reasons per account: LightGBM's own contributions (SHAP values), summed by feature group.

        Meant for single accounts and pages, not for whole books: contributions cost many times a prediction.
        """
        if not portfolio.account_count:
            return ()
        features = build_features(portfolio).matrix
        per_class = self.artifact.predictor.contributions(features)
        push = per_class[:, CURE] - per_class[:, DEFAULT]
        grouped = np.column_stack([push[:, [f.group == group for f in FEATURES]].sum(axis=1) for group in _GROUPS])
        order = np.argsort(-np.abs(grouped), axis=1, kind="stable")[:, :count]
        return tuple(
            tuple(_reason(_GROUPS[int(g)], float(values[g])) for g in ranked)
            for ranked, values in zip(order, grouped, strict=True)
        )


def _reason(group: str, contribution: float) -> Reason:
    raises = contribution >= 0
    code = f"{group}_{'RAISES' if raises else 'LOWERS'}_CURE"
    return Reason(code, REASON_SENTENCES[group][0 if raises else 1], contribution)
