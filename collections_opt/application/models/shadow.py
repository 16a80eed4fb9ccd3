"""Challengers in shadow: each makes the list that it would, decides nothing, and what it said is kept beside what was decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

from collections_opt.application.models.serving import Challenger, PinnedModels
from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.application.records.scoring_facts import ShadowScores
from collections_opt.application.records.sealed_records import SealedRecords, StoredEntries
from collections_opt.core.arrays import Array
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.evaluation.comparison import rank_correlation
from collections_opt.core.incidents import trace_of
from collections_opt.core.models.lifecycle import ModelKind
from collections_opt.core.problem.assignment import INELIGIBLE, UNASSIGNED
from collections_opt.core.ranking.ranking import Entries, Ranking
from collections_opt.core.value.decided import decided_chances
from collections_opt.core.value.outcomes import CURE, DEFAULT, PROBABILITY_SCALE
from collections_opt.core.value.payoffs import ValueParameters
from collections_opt.ledger.objects.folder import ObjectStore
from collections_opt.ledger.objects.parquet import parquet_to_columns

Outcomes = NDArray[np.int64]
Floats = NDArray[np.float64]
Queues = NDArray[np.int16]
_log = structlog.get_logger()
TOP_SHARE = 0.2
"""Share of accounts, by probability of default, whose overlap is compared."""

Tried = Callable[[PinnedModels], tuple[Ranking, str]]
"""Ranks the same accounts with other models; returns the ranking, and what is wrong with it, "" for nothing."""


@dataclass(frozen=True)
class Shadowed:
    """The ranking beside which challengers are tried, and what their rows are sealed with.

    Attributes:
        ranking: it.
        plan: its plan.
        parameters: its value model.
        key_no: int64 (n,) number of each account's key.
        sealed: keeps what challengers say.
    """

    ranking: Ranking
    plan: CapacityPlan
    parameters: ValueParameters
    key_no: NDArray[np.int64]
    sealed: SealedRecords


def shadow_of(challenger: Challenger, beside: Shadowed, tried: Tried) -> ShadowScores:
    """Let a challenger make its list, seal what it says of every account, and return the comparison.

    Its list is made from the same accounts, plan, rules, draws and seed, with it alone in the place of its kind's model. One that
    fails is recorded with its problem and never fails the ranking.
    """
    entry = ShadowScores(challenger.model_version, challenger.problem, challenger.digest)
    if challenger.models is None:
        return entry
    try:
        other, wrong = tried(challenger.models)
        if wrong:
            return replace(entry, problem=f"the verifier refused its list: {wrong}")
        told = beside.sealed.put_shadow(_said(challenger, other, beside), beside.key_no)
        figures: dict[str, Any] = _alike(challenger.kind, beside.ranking, other)
        return replace(entry, list_object=told, **figures)
    except Exception as error:  # noqa: BLE001 - whatever a challenger does, the ranking goes on and records it
        _log.error(
            "challenger failed", model_version=challenger.model_version, error=type(error).__name__, exception=trace_of(error)
        )
        return replace(entry, problem=f"it failed to rank: {type(error).__name__}")


def _said(challenger: Challenger, other: Ranking, beside: Shadowed) -> dict[str, Array]:
    """Return what a challenger says of every account, by column.

    Of every kind: ``queue`` of its list, ``meant_queue`` whatever an experiment drew, ``explored``, ``increment_minor`` there,
    and ``here_minor``, what it says contact in the queue that was decided is worth. Beside that what its kind predicts: chances
    without contact, chances with the contact that was decided, the chance that it reaches the person, or the loss given default.
    """
    entries, decided = other.entries, beside.ranking.entries
    columns: dict[str, Array] = {
        "account_id": entries.account_id,
        "queue": entries.queue,
        "meant_queue": meant_queue(entries),
        "explored": entries.explored,
        "increment_minor": np.where(entries.queue == UNASSIGNED, 0, entries.increment_minor),
        "here_minor": _at(other, decided.queue),
    }
    if challenger.kind is ModelKind.OUTCOME:
        columns |= {"p_cure_nano": entries.p_cure_nano, "p_default_nano": entries.p_default_nano}
    elif challenger.kind is ModelKind.RECOVERY:
        columns |= {"loss_given_default_nano": _nano(other.worth.loss_given_default)}
    elif challenger.models is not None:
        effects = challenger.models.learned.effects_of(other.portfolio, beside.plan)
        chances = decided_chances(
            other.outcomes.probability, effects, beside.plan, beside.parameters, decided.queue, decided.attempts
        )
        columns |= {"contact_nano": _nano(chances.rpc_rate)}
        columns |= {f"decided_{name}_nano": _nano(chances.decided[:, at]) for name, at in (("cure", CURE), ("default", DEFAULT))}
    return columns


def meant_queue(entries: Entries) -> Queues:
    """Return the queue that a list would work each account in whatever an experiment drew, int16 (n,), -1 for none.

    A raw order has no prices that say it of whoever is left alone: of its lists it is the queue decided. Whom another plan works
    is in no queue of this one.
    """
    if entries.experiment is None or entries.intended_queue is None or (entries.intended_queue == UNASSIGNED).all():
        return entries.queue
    inside = (entries.experiment > 0) & ~entries.of_other_plan
    return np.where(inside, entries.intended_queue, entries.queue).astype(np.int16)


def _at(ranking: Ranking, queue: Queues) -> NDArray[np.int64]:
    """Return what a ranking's models say contact in given queues is worth, int64 (n,) minor units; 0 where nobody is worked."""
    value = ranking.problem.value[np.arange(queue.size), np.maximum(queue, 0)].astype(np.int64)
    return np.where((queue == UNASSIGNED) | (value == INELIGIBLE), 0, value)


def _alike(kind: ModelKind, ranking: Ranking, other: Ranking) -> dict[str, int]:
    """Return how far a challenger's list is from the one that was decided, and for outcome models how alike they score.

    Accounts that a reserve drew are not counted. Gains are increments of its list less those of the one decided, by the models
    that decided and by its own. Where both expect the same handling times, the first is at most what the solver left, and the
    second at least minus that; a list that fits by other times need not fit by these.
    """
    mine, theirs = ranking.entries.queue, other.entries.queue
    counted = (ranking.entries.explored == 0) & (other.entries.explored == 0)
    works, would = (mine != UNASSIGNED) & counted, (theirs != UNASSIGNED) & counted
    changed = counted & (mine != theirs)
    figures = {
        "worked_count": int(would.sum()),
        "same_count": int((works & would & ~changed).sum()),
        "dropped_count": int((works & ~would).sum()),
        "added_count": int((would & ~works).sum()),
        "moved_count": int((works & would & changed).sum()),
        "gain_by_model_minor": int((_at(ranking, theirs) - _at(ranking, mine))[changed].sum()),
        "gain_by_challenger_minor": int((_at(other, theirs) - _at(other, mine))[changed].sum()),
    }
    scored = kind is ModelKind.OUTCOME
    return figures | (compare_scores(ranking.outcomes.probability, other.outcomes.probability) if scored else {})


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
    facts: RankingFacts,
    entries: Entries,
    told: Mapping[str, Mapping[str, Array]],
    account_id: NDArray[np.bytes_],
    outcome: NDArray[np.int64],
) -> dict[str, float]:
    """Return the mean log loss of every outcome model that scored a ranking, champion first, once outcomes are known.

    Args:
        facts: the ranking's record.
        entries: of its accounts; those that were erased count for no model.
        told: what its challengers said of them, by version and column.
        account_id: bytes (m,) accounts whose outcome is known, among those of the ranking.
        outcome: int64 (m,) CURE, DEFAULT or STAY.

    Raises:
        CollectionsError: NOT_FOUND for an account that the ranking does not hold.
    """
    place = np.minimum(np.searchsorted(entries.account_id, account_id), max(entries.account_id.size - 1, 0))
    if not np.array_equal(entries.account_id[place], account_id):
        raise refuse(
            Reason.NOT_FOUND, "account_id", "an account is not in the ranking.", "Send outcomes of its accounts.", "account"
        )
    scored = {facts.answer.model_version: entries.columns()}
    scored |= {version: dict(columns) for version, columns in told.items() if "p_cure_nano" in columns}
    return {version: float(log_losses(scores_of(one)[place], outcome).mean()) for version, one in scored.items()}


def said(shadow: ShadowScores, stored: StoredEntries, objects: ObjectStore, sealed: SealedRecords) -> Mapping[str, Array]:
    """Return what a challenger said of the accounts of a ranking that were not erased, by column; nothing where it failed.

    Raises:
        CollectionsError: INTEGRITY_FAILURE where its rows are not those of the ranking.
    """
    if shadow.list_object:
        columns = sealed.shadow(shadow.list_object)
        if not np.array_equal(columns["account_id"], stored.entries.account_id):
            told = f"the rows of {shadow.model_version} are not those of the ranking."
            raise refuse(Reason.INTEGRITY_FAILURE, "list_object", told, "Restore the object.")
        return columns
    if shadow.scores_object:  # recorded before challengers made lists
        scores = parquet_to_columns(objects.get(shadow.scores_object)).columns
        return {name: column[stored.rows] for name, column in scores.items()}
    return {}


def scores_of(columns: Mapping[str, Array]) -> Outcomes:
    """Return chances without contact in 1e-9, int64 (n, 3), by outcome code."""
    cure, default = columns["p_cure_nano"], columns["p_default_nano"]
    return np.column_stack([cure, default, PROBABILITY_SCALE - cure - default]).astype(np.int64)


def log_losses(probability_nano: Outcomes, outcome: Outcomes) -> Floats:
    """Return the log loss of each account, float64 (n,): chances int64 (n, k) in 1e-9 of what happened, int64 (n,)."""
    last = probability_nano.shape[1] - 1
    p = probability_nano[np.arange(outcome.size), np.minimum(outcome, last)] / PROBABILITY_SCALE
    return np.asarray(-np.log(np.maximum(p, 1.0 / PROBABILITY_SCALE)), dtype=np.float64)


def _nano(share: Floats) -> NDArray[np.int64]:
    return np.rint(share * PROBABILITY_SCALE).astype(np.int64)
