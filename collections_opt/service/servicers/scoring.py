"""ScoringService: rows or packed columns in, scores the same way out."""

from __future__ import annotations

from collections_opt.api.v1 import scoring_service_pb2 as pb
from collections_opt.application.answers.account_scores import AccountScores
from collections_opt.application.rankings.books import Books
from collections_opt.application.rankings.quarantine import refused_rows
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.names import check_id
from collections_opt.service.access.call import Call
from collections_opt.service.converters.accounts import ACCOUNT_RENAMES, accounts_to_raw
from collections_opt.service.converters.approved.value_sets import write_choices
from collections_opt.service.converters.model_use import write_recorded_use
from collections_opt.service.converters.packed.accounts import chunk_to_raw, refused_cells
from collections_opt.service.converters.packed.scores import write_columns
from collections_opt.service.converters.score_health import write_health
from collections_opt.service.converters.scores import write_scores
from collections_opt.service.metrics import ServerMetrics
from collections_opt.wire import parameters
from collections_opt.wire.common import read_date, told_as

HEADS = {
    **parameters.HEADS,
    "plan_id": "capacity_plan_id",
    "plan_version": "capacity_plan_version",
    "capacity_plan.currency_code": "currency_code",
    "capacity_plan.effective_from": "as_of_date",
}


class ScoringServicer:
    """Scores accounts with the champion model."""

    def __init__(self, books: Books, scores: AccountScores, metrics: ServerMetrics) -> None:
        self._books = books
        self._scores = scores
        self._metrics = metrics

    def score_accounts(self, request: pb.ScoreAccountsRequest, _context: Call) -> pb.ScoreAccountsResponse:
        """Score 1 to 1,000 accounts."""
        as_of_date = read_date(request.as_of_date, "as_of_date")
        described = (as_of_date, request.time_zone, request.currency_code)
        packed = _is_packed(request)
        if packed:
            raw = chunk_to_raw(request.chunk, *described, request.own_columns)
            renames, refused = {}, refused_cells(request.chunk)
        else:
            raw = accounts_to_raw(request.accounts, *described, request.own_columns)
            renames, refused = ACCOUNT_RENAMES, refused_rows
        given = request.HasField("value_parameters")
        carried = parameters.read_parameters(request.value_parameters) if given else None
        if request.portfolio_id:
            check_id("portfolio_id", request.portfolio_id)
        with self._books.one_moment(), told_as(HEADS, renames):
            plan = self._books.plan_on(request.capacity_plan_id, request.capacity_plan_version or None, as_of_date)
            scored = self._scores.score(raw, plan, carried, not request.omit_reason_codes, request.portfolio_id, refused)
        self._metrics.count_degraded("score", scored.model_use.degraded)
        outcomes = scored.valued.outcomes
        response = pb.ScoreAccountsResponse(
            model_version=outcomes.model_version,
            calibration_version=outcomes.calibration_version,
            rules_version=scored.valued.eligibility.version,
            capacity_plan_version=plan.version,
            currency_code=request.currency_code,
            value_parameters_version=scored.values.parameters.version,
            value_choices=write_choices(scored.values.choices),
            model_use=write_recorded_use(scored.model_use),
            recovery_version=scored.recovery.version,
            recovery_problem=scored.recovery.problem,
            health=write_health(scored.health, scored.scoring),
        )
        if packed:
            write_columns(scored, raw.columns["account_id"], request.chunk, response.columns)
        else:
            write_scores(scored, [account.account_id for account in request.accounts], response)
        return response


def _is_packed(request: pb.ScoreAccountsRequest) -> bool:
    """Return whether the accounts came as a chunk.

    Raises:
        CollectionsError: INVALID_ARGUMENT where they came both ways, or none came.
    """
    packed, rows = request.HasField("chunk"), bool(request.accounts)
    if packed and rows:
        raise refuse(Reason.INVALID_ARGUMENT, "chunk", "stands beside accounts.", "Send one of them.")
    if not packed and not rows:
        raise refuse(Reason.INVALID_ARGUMENT, "accounts", "is empty, and there is no chunk.", "Send one of them.")
    return packed
