"""Each feature's push in a booster of small trees, looked up; what LightGBM computes per account, all who split alike share.

In a tree of few splits the pushes (path-dependent SHAP values) depend on nothing but which way each of its splits sends an
account. So they are computed once for every way that all splits can fall, and an account costs a look-up per feature and tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.value.valuation import blocks

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_SPLITS = 8
"""Splits of a tree whose pushes are looked up: 2 ** 8 ways they can fall."""

BLOCK_ROWS = 128
"""Accounts looked up at once: what they take stays in a core's cache, which halves the time of a thousand."""


@dataclass(frozen=True)
class _Splits:
    """The splits of t trees, m per tree: each tree's own come first, the others send every account left.

    Attributes:
        column: int64 (m, t) feature, plus the number of features where missing values go right.
        threshold: float32 (m, t, 1); a value at most this goes left.
    """

    column: Ints
    threshold: NDArray[np.float32]

    def ways(self, features: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return which way the splits of each tree fall for each account, uint8 (t, n): bit j is set where split j goes left."""
        values = np.ascontiguousarray(features.T)
        absent, infinite = np.isnan(values), np.float32(np.inf)
        columns = np.concatenate([np.where(absent, -infinite, values), np.where(absent, infinite, values)])
        found = np.zeros((self.column.shape[1], len(features)), dtype=np.uint8)
        for split, (column, threshold) in enumerate(zip(self.column, self.threshold, strict=True)):
            left = columns.take(column, axis=0) <= threshold
            found |= left.view(np.uint8) << np.uint8(split)
        return found


@dataclass(frozen=True)
class TreePushes:
    """The pushes of a booster of one class, ready to be looked up.

    Attributes:
        expected: log-odds of an account of which nothing is known.
        feature_count: features, f.
    """

    expected: float
    feature_count: int
    _splits: _Splits
    _tree: Ints  # (s,) tree of each slot; a slot is a feature of a tree, slots are sorted by feature
    _starts: Ints  # (u,) first slot of each feature used
    _used: Ints  # (u,) these features
    _first: Ints  # (s, 1) where a slot's values begin in the table
    _table: Floats  # (s * 2 ** m,) a slot's values, one per way

    @classmethod
    def of(cls, model: Mapping[str, Any]) -> TreePushes | None:
        """Return the pushes of a booster's dump; None where a tree is large, or splits by categories."""
        trees = [_Tree.of(tree["tree_structure"]) for tree in model["tree_info"]]
        if not trees or any(tree is None or len(tree.splits) > MOST_SPLITS for tree in trees):
            return None
        kept = [tree for tree in trees if tree is not None]
        most = max(1, *(len(tree.splits) for tree in kept))
        slots = [(feature, at, row) for at, tree in enumerate(kept) for feature, row in tree.pushes(most).items()]
        slots.sort(key=lambda slot: slot[0])
        feature = np.array([slot[0] for slot in slots], dtype=np.int64)
        used, starts = np.unique(feature, return_index=True)
        table = np.array([slot[2] for slot in slots]).reshape(-1)
        first = np.arange(len(slots), dtype=np.int64)[:, np.newaxis] * 2**most
        of_slot = np.array([slot[1] for slot in slots], dtype=np.int64)
        feature_count = int(model["max_feature_idx"]) + 1
        splits = _padded([tree.splits for tree in kept], most, feature_count)
        expected = sum(tree.expected for tree in kept)
        return cls(expected, feature_count, splits, of_slot, starts.astype(np.int64), used, first, table)

    def pushes(self, features: NDArray[np.float32]) -> Floats:
        """Return each feature's push on each account's log-odds, float64 (n, f); with ``expected`` they sum to the log-odds."""
        result = np.zeros((len(features), self.feature_count))
        for rows in blocks(len(features), BLOCK_ROWS) if len(self._tree) else ():
            at = self._splits.ways(features[rows]).astype(np.int64).take(self._tree, axis=0)
            at += self._first
            result[rows, self._used] = np.add.reduceat(self._table.take(at), self._starts, axis=0).T
        return result


@dataclass(frozen=True)
class _Leaf:
    value: float
    rows: float
    path: tuple[tuple[int, bool, float], ...]  # split, whether it goes left there, share of the split's rows that do


@dataclass(frozen=True)
class _Tree:
    splits: tuple[Mapping[str, Any], ...]
    leaves: tuple[_Leaf, ...]

    @classmethod
    def of(cls, structure: Mapping[str, Any]) -> _Tree | None:
        """Return a tree of a dump; None for one that splits by categories, takes zero for missing, or tells no shares."""
        splits: list[Mapping[str, Any]] = []
        leaves = tuple(_walk(structure, (), splits))
        odd = any(split["decision_type"] != "<=" or split["missing_type"] == "Zero" for split in splits)
        unknown = any(share <= 0.0 for leaf in leaves for _, _, share in leaf.path)
        return None if odd or unknown else cls(tuple(splits), leaves)

    @property
    def expected(self) -> float:
        """The tree's value where nothing is known: the mean of its leaves by their rows."""
        return sum(leaf.value * float(np.prod([share for _, _, share in leaf.path])) for leaf in self.leaves)

    def pushes(self, most: int) -> dict[int, Floats]:
        """Return, by feature, the push for each of the 2 ** ``most`` ways that so many splits can fall, float64 (2 ** most,).

        A leaf gives a feature its value times the integral over t of (o - w) times the product over the path's other features of
        w (1 - t) + o t, where o is whether the account goes the path's way at all splits of a feature, and w the share of
        training rows that do. The integral is Shapley's mean over all orders; Gauss-Legendre points give it exactly.
        """
        ways = np.arange(2**most)
        found: dict[int, Floats] = {}
        for leaf in self.leaves:
            features = sorted({self.splits[split]["split_feature"] for split, _, _ in leaf.path})
            goes, share = np.ones((len(features), ways.size)), np.ones((len(features), 1))
            for split, left, of_split in leaf.path:
                at = features.index(self.splits[split]["split_feature"])
                goes[at] *= ((ways >> split) & 1) == left
                share[at] *= of_split
            points, weights = np.polynomial.legendre.leggauss(max(1, (len(features) + 1) // 2))
            for at, feature in enumerate(features):
                others = [one for one in range(len(features)) if one != at]
                total = np.zeros(ways.size)
                for point, weight in zip((points + 1.0) / 2.0, weights / 2.0, strict=True):
                    total += weight * np.prod(share[others] * (1.0 - point) + goes[others] * point, axis=0)
                push = leaf.value * (goes[at] - share[at]) * total
                found[feature] = found.get(feature, 0.0) + push
        return found


def _walk(node: Mapping[str, Any], path: tuple[tuple[int, bool, float], ...], splits: list[Mapping[str, Any]]) -> Iterator[_Leaf]:
    """Yield the leaves under a node, and append its splits in order."""
    if "leaf_value" in node:
        yield _Leaf(float(node["leaf_value"]), float(node.get("leaf_count", 0)), path)
        return
    at = len(splits)
    splits.append(node)
    for child, left in (("left_child", True), ("right_child", False)):
        rows = _rows(node[child]) / max(_rows(node), 1.0)
        yield from _walk(node[child], (*path, (at, left, rows)), splits)


def _rows(node: Mapping[str, Any]) -> float:
    return float(node.get("internal_count", node.get("leaf_count", 0)))


def _padded(trees: Sequence[Sequence[Mapping[str, Any]]], most: int, feature_count: int) -> _Splits:
    column, threshold = np.zeros((len(trees), most), dtype=np.int64), np.full((len(trees), most), np.inf)
    for tree, splits in enumerate(trees):
        for at, split in enumerate(splits):
            threshold[tree, at] = split["threshold"]
            # Where training met no missing value, LightGBM reads one as zero.
            left = split["default_left"] if split["missing_type"] == "NaN" else split["threshold"] >= 0.0
            column[tree, at] = split["split_feature"] + (0 if left else feature_count)
    # A float32 is at most a threshold where it is at most the largest float32 that is.
    with np.errstate(over="ignore"):  # LightGBM says 1e300 for any value
        single = threshold.astype(np.float32)
    single = np.where(single > threshold, np.nextafter(single, np.float32(-np.inf)), single)
    return _Splits(np.ascontiguousarray(column.T), np.ascontiguousarray(single.T)[:, :, np.newaxis])
