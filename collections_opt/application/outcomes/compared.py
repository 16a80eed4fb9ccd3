"""What became of the accounts that each of several rankings works, by the outcomes of the first of them that matured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.outcomes.maturity import Maturities, Maturity
from collections_opt.application.rankings.recorded_rankings import RecordedRankings
from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.evaluation.worked_outcomes import WorkedOutcomes, worked_outcomes
from collections_opt.core.outcomes.matured import MaturedOutcomes
from collections_opt.core.problem.assignment import UNASSIGNED
from collections_opt.core.wanted import require_wanted
from collections_opt.ledger.records import RankingRecord


def compare_outcomes(
    recorded: RecordedRankings, maturities: Maturities, ranking_ids: Sequence[str]
) -> tuple[Maturity, list[WorkedOutcomes]]:
    """Return what became of whom each ranking works, beside the first, and the maturity that says so.

    Raises:
        CollectionsError: NOT_FOUND; RANKING_NOT_MATURE where none of them matured; INVALID_ARGUMENT for rankings of other
            accounts than the first's.
    """
    records = [recorded.finished(ranking_id) for ranking_id in ranking_ids]
    digests = [RankingFacts.from_record(record.record).inputs.input_digest for record in records]
    for index, digest in enumerate(digests):
        if digest != digests[0]:
            remedy = "Compare rankings of one portfolio."
            raise refuse(Reason.INVALID_ARGUMENT, f"ranking_ids[{index}]", "ranks other accounts than the first.", remedy)
    maturity, found = _matured(maturities, records)
    first: NDArray[np.bool_] | None = None
    compared = []
    for record in records:
        require_wanted()
        worked = _worked(recorded, record, found)
        compared.append(worked_outcomes(worked, first, found))
        first = worked if first is None else first
    return maturity, compared


def _matured(maturities: Maturities, records: Sequence[RankingRecord]) -> tuple[Maturity, MaturedOutcomes]:
    refusal: CollectionsError | None = None
    for record in records:
        try:
            return maturities.latest(record.ranking_id)
        except CollectionsError as error:
            if error.reason is not Reason.RANKING_NOT_MATURE:
                raise
            refusal = refusal or error
    if refusal is None:
        raise refuse(Reason.INVALID_ARGUMENT, "ranking_ids", "are empty.", "Name rankings of one portfolio.")
    raise refusal


def _worked(recorded: RecordedRankings, record: RankingRecord, found: MaturedOutcomes) -> NDArray[np.bool_]:
    """Return whom a ranking works, bool (n,) in the order of the outcomes; an account erased meanwhile is worked by none."""
    entries = recorded.entries(record)
    rows = np.minimum(np.searchsorted(entries.account_id, found.account_id), max(entries.account_id.size - 1, 0))
    if not entries.account_id.size:
        return np.zeros(found.account_id.size, dtype=np.bool_)
    held = entries.account_id[rows] == found.account_id
    return np.asarray(held & (entries.queue[rows] != UNASSIGNED), dtype=np.bool_)
