"""A lender's own columns as models read them: the same code in training and in serving, and what a portfolio lacks of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.own_columns import PREFIX, OwnColumn, OwnColumns, OwnKind
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.arrays import Array
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason
from collections_opt.core.limits import MIN_CELL_COUNT

MAX_LEARNED_TEXTS = 100
"""Texts of one category that a model tells apart, the most frequent ones."""


@dataclass(frozen=True)
class OwnFeature:
    """An own column that a model learned from; its manifest declares it.

    Attributes:
        name: of the column.
        kind: NUMBER or CATEGORY.
        meaning: what it says; reasons are told in its words.
        unit: of a number; the same column in another unit is not read.
        expected_sign: direction on p_cure that bound the training, 0 for none.
        texts: of a category, those that the model tells apart, sorted; any other is read as missing.
        edges: of a number, the tenths of its training values, ascending, each once; a value at an edge is above it.
        spread: training accounts by bin: between edges, or by text; the last bin are those without a value.
    """

    name: str
    kind: OwnKind
    meaning: str
    unit: str = ""
    expected_sign: int = 0
    texts: tuple[str, ...] = ()
    edges: tuple[float, ...] = ()
    spread: tuple[int, ...] = ()

    @property
    def field(self) -> str:
        """Its name among the features."""
        return PREFIX + self.name


def own_features(portfolios: Sequence[Portfolio]) -> tuple[OwnFeature, ...]:
    """Return what a model can learn from the own columns of its training portfolios, declared alike in all, by name."""
    tables = [portfolio.own for portfolio in portfolios if portfolio.own is not None]
    found = []
    for one in tables[0].declared if tables else ():
        asked = (one.name, one.kind, one.meaning, one.unit, one.expected_sign)
        feature = OwnFeature(*asked, _texts(one, tables), _edges(one, tables))
        size = len(feature.texts if one.kind is OwnKind.CATEGORY else (*feature.edges, 0)) + 1
        counts = sum(np.bincount(own_bins(portfolio, feature), minlength=size) for portfolio in portfolios)
        found.append(replace(feature, spread=tuple(np.asarray(counts).tolist())))
    return tuple(found)


def check_declared_alike(portfolios: Mapping[str, Portfolio]) -> None:
    """Refuse portfolios by name of which some declare a column differently from the first, or not at all.

    Raises:
        CollectionsError: INVALID_ARGUMENT naming every column and where it differs.
    """
    declared = {
        name: {one.name: one for one in portfolio.own.declared} if portfolio.own else {} for name, portfolio in portfolios.items()
    }
    first = next(iter(declared.values()), {})
    found = tuple(
        FieldViolation(f"{PREFIX}{name}", f"is declared differently in {where}.", "Declare each column alike in every period.")
        for where, columns in declared.items()
        for name in sorted(first.keys() | columns.keys())
        if _asked(first.get(name)) != _asked(columns.get(name))
    )
    if found:
        raise CollectionsError(Reason.INVALID_ARGUMENT, f"{len(found)} own column(s) differ between periods.", found)


def _asked(column: OwnColumn | None) -> tuple[object, ...] | None:
    """Return what must be the same in every period: on which day a column was known may differ."""
    return None if column is None else (column.kind, column.meaning, column.unit, column.expected_sign)


def _texts(column: OwnColumn, tables: Sequence[OwnColumns]) -> tuple[str, ...]:
    if column.kind is OwnKind.NUMBER:
        return ()
    counts: dict[str, int] = {}
    for table in tables:
        codes, texts = table.values[column.name], table.vocabulary[column.name]
        for text, count in zip(texts, np.bincount(codes[codes >= 0], minlength=len(texts)).tolist(), strict=True):
            counts[text] = counts.get(text, 0) + count
    frequent = sorted((-count, text) for text, count in counts.items() if count >= MIN_CELL_COUNT)
    return tuple(sorted(text for _, text in frequent[:MAX_LEARNED_TEXTS]))


def _edges(column: OwnColumn, tables: Sequence[OwnColumns]) -> tuple[float, ...]:
    if column.kind is OwnKind.CATEGORY:
        return ()
    values = np.concatenate([table.values[column.name] for table in tables])
    known = values[~np.isnan(values)]
    return tuple(np.unique(np.quantile(known, np.arange(1, 10) / 10)).tolist()) if known.size else ()


def own_bins(portfolio: Portfolio, feature: OwnFeature) -> NDArray[np.int64]:
    """Return the bin of every account in an own column, int64 (n,), as ``OwnFeature.spread`` counts them."""
    if portfolio.own is None or lacked(portfolio, [feature]):
        values = np.full(portfolio.account_count, np.nan)
    else:
        values = _read(feature, portfolio.own)
    if feature.kind is OwnKind.CATEGORY:
        return np.where(np.isnan(values), len(feature.texts), values).astype(np.int64)
    found = np.searchsorted(np.array(feature.edges), values, side="right")
    return np.where(np.isnan(values), len(feature.edges) + 1, found).astype(np.int64)


def lacked(portfolio: Portfolio, features: Sequence[OwnFeature]) -> dict[str, str]:
    """Return which own columns of a model a portfolio does not have as the model learned them, by field, and why."""
    found: dict[str, str] = {}
    for feature in features:
        column = portfolio.own.find(feature.name) if portfolio.own else None
        if column is None:
            found[feature.field] = "is not sent"
        elif column.kind is not feature.kind:
            found[feature.field] = f"is a {column.kind}, learned as a {feature.kind}"
        elif column.unit != feature.unit:
            found[feature.field] = f"is in {column.unit}, learned in {feature.unit}"
    return found


def unknown_texts(portfolio: Portfolio, features: Sequence[OwnFeature]) -> dict[str, int]:
    """Return how many accounts hold a text that the model does not tell apart, by field; those it reads as missing."""
    found: dict[str, int] = {}
    without = lacked(portfolio, features)
    for feature in features:
        if portfolio.own is None or feature.kind is OwnKind.NUMBER or feature.field in without:
            continue
        codes, texts = portfolio.own.values[feature.name], portfolio.own.vocabulary[feature.name]
        counts = np.bincount(codes[codes >= 0], minlength=len(texts))
        count = int(counts[[text not in feature.texts for text in texts]].sum()) if texts else 0
        if count:
            found[feature.field] = count
    return found


def own_matrix(portfolio: Portfolio, features: Sequence[OwnFeature]) -> NDArray[np.float32]:
    """Return the own columns of a model, float32 (n, k): numbers, or places in ``texts``; NaN where missing or not known."""
    matrix = np.full((portfolio.account_count, len(features)), np.nan, dtype=np.float32)
    without = lacked(portfolio, features)
    for index, feature in enumerate(features):
        if portfolio.own is not None and feature.field not in without:
            matrix[:, index] = _read(feature, portfolio.own)
    return matrix


def indicator_names(features: Sequence[OwnFeature]) -> tuple[str, ...]:
    """Return the names of the columns of ``own_indicators``, such as ``own.bureau_score`` and ``own.desk=web``."""
    return tuple(
        name
        for one in features
        for name in ([one.field] if one.kind is OwnKind.NUMBER else [f"{one.field}={text}" for text in one.texts])
    )


def own_indicators(portfolio: Portfolio, features: Sequence[OwnFeature]) -> NDArray[np.float64]:
    """Return own columns for models that know no categories, float64 (n, m): a number as it is, a category as a flag per text.

    NaN where missing or not known, as in ``own_matrix``.
    """
    matrix = own_matrix(portfolio, features).astype(np.float64)
    columns = []
    for index, feature in enumerate(features):
        values = matrix[:, index]
        if feature.kind is OwnKind.NUMBER:
            columns.append(values)
        else:
            columns += [np.where(np.isnan(values), np.nan, values == place) for place in range(len(feature.texts))]
    return np.column_stack(columns) if columns else np.zeros((portfolio.account_count, 0))


def _read(feature: OwnFeature, own: OwnColumns) -> Array:
    values = own.values[feature.name]
    if feature.kind is OwnKind.NUMBER:
        return values
    place = {text: float(code) for code, text in enumerate(feature.texts)}
    codes = np.array([*(place.get(text, np.nan) for text in own.vocabulary[feature.name]), np.nan])  # MISSING takes the last
    return np.asarray(codes[values])
