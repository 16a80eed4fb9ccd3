"""What a ranking decided, as its record says it: all that a second run of the same request must repeat."""

from __future__ import annotations

import collections_opt
from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.records.ranking_facts import (
    AnswerFacts,
    ExploredFacts,
    InputFacts,
    LeftAlone,
    PersonsCounted,
)
from collections_opt.application.resources.named_experiments import NamedExperiment
from collections_opt.application.settings import dump
from collections_opt.core.accounts.features import FEATURE_SET_VERSION
from collections_opt.core.arrays import digest_text
from collections_opt.core.codes.currencies import currency
from collections_opt.core.problem.assignment import UNASSIGNED
from collections_opt.core.ranking.pipeline import RankingRequest
from collections_opt.core.ranking.ranking import Entries, Ranking
from collections_opt.core.value.outcomes import PROBABILITY_SCALE


def input_facts(
    command: RankingCommand,
    request: RankingRequest,
    ranking: Ranking,
    input_digest: str,
    experiments: tuple[NamedExperiment, ...] = (),
) -> InputFacts:
    """Return what a record says of what a ranking was asked for and made from."""
    named = request.experiments.portfolio_id
    return InputFacts(
        portfolio_id=command.portfolio_id,
        input_digest=input_digest,
        as_of_date=ranking.portfolio.as_of_date,
        currency_code=ranking.portfolio.currency_code,
        currency_exponent=currency(ranking.portfolio.currency_code).exponent,
        plan_id=request.plan.plan_id,
        plan_version=request.plan.version,
        plan_digest=digest_text(dump(request.plan)),
        rules_version=request.rules.version,
        rules_digest=digest_text(dump(request.rules)),
        parameters_text=dump(request.parameters),
        ordering_asked=command.ordering,
        feature_set_version=FEATURE_SET_VERSION,
        requested_solver=command.solver,
        seed=command.seed,
        purpose=command.purpose,
        experiments=experiments,
        experiments_of=named if experiments and named != command.portfolio_id else "",
        code_version=collections_opt.__version__,
        constraints_text=dump(request.constraints),
        previous_ranking_id=command.previous_ranking_id,
        capacity_seconds=tuple(request.plan.capacity_seconds.tolist()),
        probability_scale=PROBABILITY_SCALE,
    )


def answer_facts(request: RankingRequest, ranking: Ranking) -> AnswerFacts:
    """Return what a record says of what was decided and how well; prices of side rows and shortages are in its proof."""
    assignment, entries, side = ranking.assignment, ranking.entries, ranking.problem.side
    return AnswerFacts(
        ordering=ranking.ordering,
        model_version=ranking.outcomes.model_version,
        calibration_version=ranking.outcomes.calibration_version,
        evidence_by_queue=tuple(grade.value for grade in ranking.evidence),
        evidence_minor={grade.value: money for grade, money in ranking.money_by_evidence().items()},
        solver=assignment.solver.name,
        solver_version=assignment.solver.version,
        solver_parameters=dict(assignment.solver.parameters),
        side_names=side.names if side else (),
        side_limits=tuple(side.limit.tolist()) if side else (),
        exploration=_explored(ranking),
        persons=_persons(request, ranking),
        stated_money=ranking.stated,
        left_alone=left_alone(entries, len(request.experiments.designs)),
        objective_minor=assignment.objective_minor,
        bound_minor=assignment.bound_minor,
        termination=assignment.termination,
        replayable=assignment.replayable,
        prices=tuple(assignment.prices.tolist()),
        queue_seconds=tuple(ranking.queue_seconds().tolist()),
        counts=entries.counts(),
        losses_by_source=ranking.worth.losses_by_source(),
        payoffs_out_of_order_count=int(ranking.worth.out_of_order.sum()),
        entries_digest=entries.digest,
    )


def _explored(ranking: Ranking) -> ExploredFacts | None:
    exploration = ranking.exploration
    if exploration is None:
        return None
    drawn = exploration.drawn
    return ExploredFacts(
        rate_nano=tuple(exploration.rate_nano.tolist()),
        used_seconds=tuple(exploration.used_seconds.tolist()),
        drawn_count=int(drawn.sum()),
        increment_minor=int(ranking.entries.increment_minor[drawn].sum()),
    )


def left_alone(entries: Entries, experiments: int) -> tuple[LeftAlone, ...]:
    """Return whom each experiment drew, in their order, and what leaving them alone was predicted to cost.

    Where two plans share the work, drawn are those whom the other plan works: of them nothing is said of prices and money.
    """
    if entries.experiment is None or entries.intended_queue is None:
        return ()
    found = []
    for number in range(1, experiments + 1):
        inside = entries.experiment == number
        held = inside & (entries.kept_out | entries.in_drawn_queue)
        meant = held & ~entries.of_other_plan & (entries.intended_queue != UNASSIGNED)
        alone = meant & entries.held_out
        money = (int(column[alone].sum()) for column in (entries.surplus_minor, entries.increment_minor))
        found.append(LeftAlone(int(inside.sum()), int(held.sum()), int(meant.sum()), *money))
    return tuple(found)


def _persons(request: RankingRequest, ranking: Ranking) -> PersonsCounted:
    persons, count = ranking.problem.persons, ranking.portfolio.account_count
    if not request.one_contact_per_person:
        return PersonsCounted()
    if persons is None:
        return PersonsCounted(True, count, min(count, 1))
    return PersonsCounted(True, persons.count, int(persons.account_count.max()))
