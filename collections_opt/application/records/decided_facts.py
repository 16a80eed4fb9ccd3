"""What a ranking decided, as its record says it."""

from __future__ import annotations

from dataclasses import asdict

import collections_opt
from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.records.recorded_constraints import constraints_record
from collections_opt.application.settings import dump
from collections_opt.core.accounts.features import FEATURE_SET_VERSION
from collections_opt.core.arrays import digest_text
from collections_opt.core.codes.currencies import currency
from collections_opt.core.ranking.pipeline import RankingRequest
from collections_opt.core.ranking.ranking import Ranking
from collections_opt.core.value.outcomes import PROBABILITY_SCALE


def decided_facts(command: RankingCommand, request: RankingRequest, ranking: Ranking, input_digest: str) -> dict[str, object]:
    """Return what a second run of the same request must repeat, as integers and strings: what decided, and how well."""
    assignment, entries = ranking.assignment, ranking.entries
    return {
        "portfolio_id": command.portfolio_id,
        "input_digest": input_digest,
        "as_of_date": ranking.portfolio.as_of_date.isoformat(),
        "currency_code": ranking.portfolio.currency_code,
        "currency_exponent": currency(ranking.portfolio.currency_code).exponent,
        "plan_id": request.plan.plan_id,
        "plan_version": request.plan.version,
        "plan_digest": digest_text(dump(request.plan)),
        "rules_version": request.rules.version,
        "rules_digest": digest_text(dump(request.rules)),
        "parameters": dump(request.parameters),
        "ordering": ranking.ordering.value,
        "ordering_asked": command.ordering.value,
        "feature_set_version": FEATURE_SET_VERSION,
        "model_version": ranking.outcomes.model_version,
        "calibration_version": ranking.outcomes.calibration_version,
        "effects_version": ranking.effects_version,
        "evidence_by_queue": [grade.value for grade in ranking.evidence],
        "evidence_minor": {grade.value: money for grade, money in ranking.money_by_evidence().items()},
        "requested_solver": command.solver,
        "solver": assignment.solver.name,
        "solver_version": assignment.solver.version,
        "solver_parameters": dict(assignment.solver.parameters),
        "seed": command.seed,
        **constraints_record(request, ranking, command.previous_ranking_id),
        "code_version": collections_opt.__version__,
        "stated_money": asdict(ranking.stated) if ranking.stated else None,
        "objective_minor": assignment.objective_minor,
        "bound_minor": assignment.bound_minor,
        "termination": assignment.termination.value,
        "replayable": assignment.replayable,
        "prices": assignment.prices.tolist(),
        "queue_seconds": ranking.queue_seconds().tolist(),
        "capacity_seconds": request.plan.capacity_seconds.tolist(),
        "counts": entries.counts(),
        "losses_by_source": ranking.worth.losses_by_source(),
        "payoffs_out_of_order_count": int(ranking.worth.out_of_order.sum()),
        "entries_digest": entries.digest,
        "probability_scale": PROBABILITY_SCALE,
    }
