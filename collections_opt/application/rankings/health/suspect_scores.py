"""The check between scores and worklists: nothing suspect decides before a person has let it pass."""

from __future__ import annotations

from collections.abc import Sequence

from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.application.records.scoring_facts import ScoreSpread
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.evaluation.score_drift import score_counts, why_suspect
from collections_opt.core.value.outcomes import OutcomeProbabilities
from collections_opt.ledger.records import RankingRecord

LOOK_BACK = 50
"""Newest rankings among which the last one by the same model under the same plan is looked for."""


def checked_drift(
    outcomes: OutcomeProbabilities, newest_first: Sequence[RankingRecord], plan_id: str, model_digest: str, accepted: bool
) -> tuple[ScoreSpread, tuple[str, ...]]:
    """Return what a record says of the spread of its scores, and what was suspect and let pass.

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
    judged = newest_first if model_digest else ()
    last, before = next(((r.ranking_id, of) for r in judged if (of := _comparable(r, plan_id, model_digest))), ("", None))
    found = why_suspect(outcomes, counts, before.score_counts if before else None) if model_digest else []
    if found and not accepted:
        compared = f" (compared with {last})" if last else ""
        raise CollectionsError(
            Reason.SCORES_SUSPECT,
            f"Nothing was ranked: {'; '.join(found)}{compared}. Look at the portfolio and the model; if they are right, send a "
            "new request with accept_suspect_scores.",
        )
    return ScoreSpread({name: tuple(each) for name, each in counts.items()}, last), tuple(found)


def _comparable(record: RankingRecord, plan_id: str, model_digest: str) -> ScoreSpread | None:
    """Return the spread of a recorded ranking's scores, None where it is of another plan or model, or was not kept."""
    facts = RankingFacts.from_record(record.record)
    return facts.spread if (facts.inputs.plan_id, facts.scored.digest) == (plan_id, model_digest) else None
