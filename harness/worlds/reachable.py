"""What recorded columns can tell of effects, as well as trees can learn it without any noise of outcomes.

The log of a large lender of the world in which every account is tried under every queue, again and again: the truth's chances
stand in place of outcomes, so that nothing but the columns limits what is learned.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.features import build_features
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.value.outcomes import CURE, DEFAULT
from collections_opt.datasets.simulated_lender.truth import potential_outcomes
from collections_opt.datasets.simulated_lender.worlds import World
from harness.worlds.given_effects import GivenEffects
from harness.worlds.trial import USUAL_RANDOMISED, aligned_truth

TREES = {
    "objective": "regression",
    "learning_rate": 0.1,
    "num_leaves": 24,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.7,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}
ROUNDS = 120
QUANTITIES = ("cure", "default", "rate")


@dataclass(frozen=True)
class Reachable:
    """Trees for each quantity of each queue."""

    trees: dict[str, list[lgb.Booster]]

    def effects_of(self, portfolio: Portfolio, plan: CapacityPlan) -> GivenEffects:
        """Return the effects that the columns tell."""
        matrix = build_features(portfolio).matrix
        tables = {name: np.column_stack([t.predict(matrix) for t in self.trees[name]]) for name in QUANTITIES}
        return GivenEffects("reachable", tables["cure"], tables["default"], np.clip(tables["rate"], 0.01, 0.99))

    def save(self, path: Path) -> None:
        """Keep the trees in a file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        texts = {f"{name} {index}": t.model_to_string() for name, ts in self.trees.items() for index, t in enumerate(ts)}
        np.savez_compressed(path, **{name: np.frombuffer(text.encode(), dtype=np.uint8) for name, text in texts.items()})

    @staticmethod
    def load(path: Path) -> Reachable:
        """Read what ``save`` kept."""
        trees: dict[str, list[lgb.Booster]] = {name: [] for name in QUANTITIES}
        with np.load(path) as held:
            for key in sorted(held.files, key=lambda k: (k.split()[0], int(k.split()[1]))):
                trees[key.split()[0]].append(lgb.Booster(model_str=held[key].tobytes().decode()))
        return Reachable(trees)


def learn_reachable(world: World, seed: int, book: int) -> Reachable:
    """Learn what the columns of the training months tell of the truth."""
    lender, plan = world.lender(seed, book, USUAL_RANDOMISED), world.plan(0.02 * book)
    matrices, tables = [], []
    for month in world.training_months:
        lived = lender.month(month)
        portfolio = admit(lived.snapshot.raw).portfolio
        truth = aligned_truth(potential_outcomes(lender, month, plan), lived.snapshot.rows_of(portfolio))
        matrices.append(build_features(portfolio).matrix)
        change = truth.contacted - truth.alone[:, np.newaxis, :]
        tables.append(np.stack([change[:, :, CURE], change[:, :, DEFAULT], truth.right_party_rate]))
    matrix, table = np.vstack(matrices), np.concatenate(tables, axis=1)
    return Reachable({name: [_fit(matrix, part) for part in table[index].T] for index, name in enumerate(QUANTITIES)})


def _fit(matrix: NDArray[np.float32], target: NDArray[np.float64]) -> lgb.Booster:
    return lgb.train(TREES, lgb.Dataset(matrix, target), num_boost_round=ROUNDS)
