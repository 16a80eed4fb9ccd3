"""Challengers in shadow: they score the same accounts as the champion, decide nothing, and are compared with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

from collections_opt.application.models.serving import Serving
from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.application.records.scoring_facts import ShadowScores
from collections_opt.application.records.sealed_records import StoredEntries
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.evaluation.comparison import rank_correlation
from collections_opt.core.incidents import trace_of
from collections_opt.core.value.outcomes import CURE, DEFAULT, PROBABILITY_SCALE, OutcomeProbabilities
from collections_opt.ledger.objects.folder import ObjectStore
from collections_opt.ledger.objects.parquet import ColumnTable, columns_to_parquet, parquet_to_columns

Outcomes = NDArray[np.int64]
Floats = NDArray[np.float64]
_log = structlog.get_logger()
TOP_SHARE = 0.2
"""Share of accounts, by probability of default, whose overlap is compared."""


def shadow_scores(
    serving: Serving, portfolio: Portfolio, champion: OutcomeProbabilities, objects: ObjectStore
) -> tuple[ShadowScores, ...]:
    """Score with every challenger, store its scores and return the comparison, in integers of 1e-9.

    Scores are stored in the order of the ranking's leaves and without ids: what is known of a person stays in sealed tables.
    A challenger that fails is recorded with its problem and never fails the ranking.
    """
    compared = [ShadowScores(absent.model_version, absent.problem) for absent in serving.absent_challengers]
    for challenger in serving.challengers:
        entry = ShadowScores(challenger.model_version, "", challenger.digest)
        try:
            scores = challenger.score(portfolio)
        except Exception as error:  # noqa: BLE001 - whatever a challenger does, the ranking goes on and records it
            _log.error(
                "challenger failed", model_version=challenger.model_version, error=type(error).__name__, exception=trace_of(error)
            )
            compared.append(replace(entry, problem=f"it failed to score: {type(error).__name__}"))
            continue
        nano = np.rint(scores.probability * PROBABILITY_SCALE).astype(np.int64)
        columns = {f"p_{name}_nano": nano[:, index] for index, name in enumerate(("cure", "default", "stay"))}
        figures: dict[str, Any] = {**compare_scores(champion.probability, scores.probability)}
        kept = objects.put(columns_to_parquet(ColumnTable(columns)))
        compared.append(replace(entry, scores_object=kept, **figures))
    return tuple(compared)


def compare_scores(champion: NDArray[np.float64], challenger: NDArray[np.float64]) -> dict[str, int]:
    """Return how alike two models' probabilities (n, 3) of the same accounts are, each in 1e-9.

    agreement: share of accounts whose most likely outcome is the same; rank correlation (Spearman) of the probabilities of
    cure and of default; overlap of the fifth of accounts with the highest probability of default; mean absolute difference.
    """
    count = len(champion)
    if not count:
        return {}
    first = max(1, round(TOP_SHARE * count))
    top = [set(np.argsort(-p[:, DEFAULT], kind="stable")[:first].tolist()) for p in (champion, challenger)]
    figures = {
        "agreement": float((champion.argmax(axis=1) == challenger.argmax(axis=1)).mean()),
        "rank_correlation_cure": rank_correlation(champion[:, CURE], challenger[:, CURE]),
        "rank_correlation_default": rank_correlation(champion[:, DEFAULT], challenger[:, DEFAULT]),
        "top_default_overlap": len(top[0] & top[1]) / first,
        "mean_absolute_difference": float(np.abs(champion - challenger).mean()),
    }
    # A correlation with a constant is not defined and left out.
    return {f"{name}_nano": round(value * PROBABILITY_SCALE) for name, value in figures.items() if np.isfinite(value)}


def shadow_losses(
    facts: RankingFacts, stored: StoredEntries, account_id: NDArray[np.bytes_], outcome: Outcomes, objects: ObjectStore
) -> dict[str, float]:
    """Return the mean log loss of every model that scored a ranking, champion first, once outcomes are known.

    Args:
        facts: the ranking's record.
        stored: its entries; accounts that were erased count for no model.
        account_id: bytes (m,) accounts whose outcome is known, among those of the ranking.
        outcome: int64 (m,) CURE, DEFAULT or STAY.
        objects: holds the challengers' scores.

    Raises:
        CollectionsError: NOT_FOUND for an account that the ranking does not hold.
    """
    entries = stored.entries
    place = np.minimum(np.searchsorted(entries.account_id, account_id), max(entries.account_id.size - 1, 0))
    if not np.array_equal(entries.account_id[place], account_id):
        raise refuse(
            Reason.NOT_FOUND, "account_id", "an account is not in the ranking.", "Send outcomes of its accounts.", "account"
        )
    mine = np.column_stack([entries.p_cure_nano, entries.p_default_nano, entries.p_stay_nano])[place]
    losses = {facts.answer.model_version: _log_loss(mine, outcome)}
    for shadow in facts.shadow:
        if shadow.scores_object:
            losses[shadow.model_version] = _log_loss(_scores(shadow.scores_object, objects)[stored.rows[place]], outcome)
    return losses


def challenger_losses(facts: RankingFacts, stored: StoredEntries, outcome: Outcomes, objects: ObjectStore) -> dict[str, Floats]:
    """Return by how much each challenger's log loss of every account is above the champion's, float64 (n,) by version.

    Args:
        facts: the ranking's record.
        stored: its entries, n.
        outcome: int64 (n,) CURE, DEFAULT or STAY; what stands at other accounts is not to be read.
        objects: holds the challengers' scores.
    """
    entries = stored.entries
    mine = _losses(np.column_stack([entries.p_cure_nano, entries.p_default_nano, entries.p_stay_nano]), outcome)
    return {
        shadow.model_version: _losses(_scores(shadow.scores_object, objects)[stored.rows], outcome) - mine
        for shadow in facts.shadow
        if shadow.scores_object
    }


def _scores(digest: str, objects: ObjectStore) -> Outcomes:
    columns = parquet_to_columns(objects.get(digest)).columns
    return np.column_stack([columns[f"p_{name}_nano"] for name in ("cure", "default", "stay")])


def _losses(probability_nano: Outcomes, outcome: Outcomes) -> Floats:
    p = probability_nano[np.arange(outcome.size), np.minimum(outcome, 2)] / PROBABILITY_SCALE
    return np.asarray(-np.log(np.maximum(p, 1.0 / PROBABILITY_SCALE)), dtype=np.float64)


def _log_loss(probability_nano: NDArray[np.int64], outcome: Outcomes) -> float:
    return float(_losses(probability_nano, outcome).mean())
