"""Hold the reading of experiments against randomised public data whose effects others published.

The people of each study go through what reads an experiment of the service: the same arms, the same adjustment by what was known
before, the same intervals. Those who got nothing are the people left alone.

    python -m harness.experiments.published
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import typer

from collections_opt.core.experiments.arms import Arm
from collections_opt.core.experiments.design import SHARE_SCALE
from collections_opt.core.experiments.power import MIN_ARM_PERSONS
from collections_opt.core.experiments.reading import ArmMoments, EnteredPersons, contrast, read_experiment

DATA = Path(__file__).with_name("data")
INCENTIVE, INCENTIVE_ERROR = 0.431, 0.023
"""Thornton 2008, table 4, column 1: any incentive on fetching the result, least squares with controls, errors by village."""
TRAINING = 1_794.0
"""Dehejia and Wahba 1999: difference of mean earnings in 1978, in dollars."""


@dataclass(frozen=True)
class Held:
    """A published effect and ours, with our 95 % interval."""

    study: str
    outcome: str
    persons: int
    published: float
    ours: float
    low: float
    high: float

    @property
    def agrees(self) -> bool:
        """Whether our interval holds the published figure."""
        return self.low <= self.published <= self.high


def incentives() -> Iterator[Held]:
    """Yield the effect of an incentive on fetching a result, as an experiment reads cures, adjusted by the distance."""
    data = pd.read_csv(DATA / "thornton_2008.csv")
    offered = data["any_incentive"].to_numpy() == 1
    persons = EnteredPersons(
        arm=np.where(offered, int(Arm.CONTACT), int(Arm.HELD_OUT)).astype(np.uint8),
        queue=np.zeros(len(data), dtype=np.int16),
        prediction=-data["distance_km"].to_numpy(dtype=np.float64),
        outcomes={"cure": data["got_result"].to_numpy(dtype=np.float64)},
    )
    share_nano = round(float((~offered).mean()) * SHARE_SCALE)
    found = read_experiment(persons, share_nano, len(data)).groups[0].effects[0]
    name = "Thornton 2008, any incentive"
    yield Held(name, "fetched the result", len(data), INCENTIVE, found.effect, found.fixed_low, found.fixed_high)
    yield Held(
        f"{name}, anytime-valid", "fetched the result", len(data), INCENTIVE, found.effect, found.anytime_low, found.anytime_high
    )


def training(adjusted_by: str | None) -> Held:
    """Return the effect of training on earnings, plain or adjusted by earnings before.

    One arm has 185 people: an experiment of the service would not be read (``MIN_ARM_PERSONS``), so the contrast is asked itself.
    """
    data = pd.read_csv(DATA / "nsw_1986.csv")
    known = data[adjusted_by].to_numpy(dtype=np.float64) if adjusted_by else np.zeros(len(data))
    outcome, treated = data["re78"].to_numpy(dtype=np.float64), data["treated"].to_numpy() == 1
    found = contrast(*(ArmMoments.of(known[arm] - known.mean(), outcome[arm]) for arm in (treated, ~treated)))
    low, high = found.fixed()
    name = "National Supported Work" + (f", adjusted by {adjusted_by}" if adjusted_by else ", plain")
    return Held(name, "earnings, USD", len(data), TRAINING, float(found.effect), float(low), float(high))


def held() -> list[Held]:
    """Return every published effect beside ours."""
    return [*incentives(), training(None), training("re75"), training("re74")]


def main() -> None:
    """Print published effects beside ours as a table; exit code 1 where an interval of ours does not hold one.

    Example: python -m harness.experiments.published
    """
    found = held()
    typer.echo("| study | outcome | people | published | ours | 95 % |\n|---|---|---:|---:|---:|---:|")
    for each in found:
        digits = 3 if abs(each.published) < 10 else 0  # shares, or money
        shown = [f"{value:,.{digits}f}" for value in (each.published, each.ours, each.low, each.high)]
        typer.echo(f"| {each.study} | {each.outcome} | {each.persons:,} | {shown[0]} | {shown[1]} | {shown[2]} to {shown[3]} |")
    typer.echo(
        f"\nArms of fewer than {MIN_ARM_PERSONS} people are not read by the service; the smaller one of the programme has 185."
    )
    raise typer.Exit(0 if all(each.agrees for each in found) else 1)


if __name__ == "__main__":
    typer.run(main)
