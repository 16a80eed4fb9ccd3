"""Experiments as records name them: the version in force, and its text, so that a ranking can be made anew from itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from collections_opt.application.settings import load
from collections_opt.core.experiments.design import ExperimentDesign
from collections_opt.core.experiments.recorded import NO_EXPERIMENTS, RunningExperiments


@dataclass(frozen=True)
class NamedExperiment:
    """A version of an experiment: its id, number, and the text and SHA-256 (hex) of what was approved."""

    experiment_id: str
    version: int
    digest: str
    text: str

    @property
    def name(self) -> str:
        """What people call it: id and version."""
        return f"{self.experiment_id}/{self.version}"

    @property
    def design(self) -> ExperimentDesign:
        """What was approved."""
        return read_design(self.text)


@lru_cache(maxsize=256)
def read_design(text: str) -> ExperimentDesign:
    """Return a design of its text."""
    return load(text, ExperimentDesign)


def running(portfolio_id: str, plan_id: str, named: Sequence[NamedExperiment]) -> RunningExperiments:
    """Return what a plan's ranking of a portfolio is asked with."""
    return RunningExperiments(portfolio_id, tuple(each.design for each in named), plan_id) if named else NO_EXPERIMENTS
