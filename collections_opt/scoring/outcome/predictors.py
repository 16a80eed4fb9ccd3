"""What computes raw class probabilities: an interface, so that serving needs LightGBM only where the model does."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from collections_opt.scoring.versions.artifacts import LIGHTGBM

Floats = NDArray[np.float64]


class Predictor(Protocol):
    """A model from features to uncalibrated class probabilities; the same row gives the same bits in any company."""

    def raw(self, features: NDArray[np.float32]) -> Floats:
        """Return class probabilities before calibration, float64 (n, k), rows summing to 1."""
        ...

    def contributions(self, features: NDArray[np.float32]) -> tuple[Floats, Floats]:
        """Return probabilities before calibration, float64 (n, k), and what pushed them, from one pass over the features.

        The pushes are each feature's on the log of each class's probability, float64 (n, k, f); a push common to all cancels. The
        probabilities are those of ``raw`` but for rounding.
        """
        ...

    def texts(self) -> dict[str, str]:
        """Return the artifact's model files."""
        ...


class _Engine(Protocol):
    def read(self, contents: Mapping[str, bytes]) -> Predictor:
        """Return the predictor of its files, whose digests were checked."""
        ...


SCORECARD = "scorecard"
ENGINES: Mapping[str, str] = MappingProxyType(
    {
        LIGHTGBM: "collections_opt.scoring.outcome.boosted",
        SCORECARD: "collections_opt.scoring.outcome.scorecard",
    }
)
"""Module of every engine; a module is imported when a model of its engine is read."""


def read_predictor(engine: str, contents: Mapping[str, bytes]) -> Predictor:
    """Return the predictor of its files.

    Raises:
        ImportError: when the engine's library cannot be imported.
        ValueError: when the files are not a model of the engine, or one is missing.
    """
    module = cast("_Engine", importlib.import_module(ENGINES[engine]))
    try:
        return module.read(contents)
    except KeyError as error:
        raise ValueError(f"lacks the file {error}") from error
