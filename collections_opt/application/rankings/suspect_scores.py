"""The check between scores and worklists: nothing suspect decides before a person has let it pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.evaluation.score_drift import score_counts, why_suspect
from collections_opt.core.value.outcomes import OutcomeProbabilities
from collections_opt.ledger.tables.records import RankingRecord

LOOK_BACK = 50
"""Newest rankings among which the last one by the same model under the same plan is looked for."""


def checked_drift(
    outcomes: OutcomeProbabilities, newest_first: Sequence[RankingRecord], plan_id: str, model_digest: str, accepted: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a record says of the spread of its scores, and what its health says of those that were let pass.

    Args:
        outcomes: the scores.
        newest_first: recorded rankings.
        plan_id: of the ranking that is made.
        model_digest: of the model that scored; "" for the policy's rates, which are alike by design and not judged.
        accepted: a person lets suspect scores pass.

    Raises:
        CollectionsError: SCORES_SUSPECT saying what a person has to look at.
    """
    counts = score_counts(outcomes)
    last = next((r for r in newest_first if _comparable(r.record, plan_id, model_digest)), None) if model_digest else None
    found = why_suspect(outcomes, counts, last.record["score_counts"] if last else None) if model_digest else []
    if found and not accepted:
        compared = f" (compared with {last.ranking_id})" if last else ""
        raise CollectionsError(
            Reason.SCORES_SUSPECT,
            f"Nothing was ranked: {'; '.join(found)}{compared}. Look at the portfolio and the model; if they are right, send a "
            "new request with accept_suspect_scores.",
        )
    facts = {"score_counts": counts, "scores_compared_with": last.ranking_id if last else ""}
    return facts, {"suspect_scores_accepted": found}


def _comparable(record: Mapping[str, Any], plan_id: str, model_digest: str) -> bool:
    return "score_counts" in record and (record["plan_id"], record["model_digest"]) == (plan_id, model_digest)
