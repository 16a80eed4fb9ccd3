"""Judge orders on a lender's own contact log: what they would have been worth at equal capacity, and whom the effects find."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.evaluation.effect import PLANNED, unseen_effects, unseen_served
from collections_opt.application.models.pinned import PinnedBeside
from collections_opt.application.workspace import Workspace
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.evaluation.contact_log import ContactLog, LogSource
from collections_opt.core.evaluation.logged_rewards import Reward, logged_reward, predicted_reward
from collections_opt.core.evaluation.policy_comparison import EXPECTED_VALUE_PLANNED, PolicyEvaluation, judge_order
from collections_opt.core.evaluation.policy_value import LoggedActions
from collections_opt.core.evaluation.uplift import uplift_curve
from collections_opt.core.problem.assignment import UNASSIGNED, SolveOptions
from collections_opt.core.ranking.ordering import Ordering, raw_order_key
from collections_opt.core.ranking.pipeline import RankingRequest, rank
from collections_opt.core.rules.eligibility import RuleTable
from collections_opt.core.value.effects import ContactEffects, EffectsOf, PlannedEffects
from collections_opt.core.value.payoffs import LearnedValues, ValueParameters
from collections_opt.scoring.effect.artifacts import load_effect
from collections_opt.scoring.effect.evaluation import contact_orders, randomised_rows
from collections_opt.scoring.effect.rows import EffectPeriod, persons_of_rows
from collections_opt.solvers import SOLVERS, fill_in_order

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GAP_TARGET = 1e-4


@dataclass(frozen=True)
class PolicyQuestion:
    """What to judge.

    Attributes:
        logs: portfolios, each with the log of the contacts that followed it.
        plan: queues and capacity, the same for every order.
        rules: eligibility.
        parameters: value model.
        orderings: raw orders beside expected value.
        effects: effect version, ``PLANNED``, or "" for exactly what serves, contact rates included.
        reward: which money counts.
        seed: of the random order and the bootstrap.
        sources: where the logs came from, one per log.
    """

    logs: Sequence[tuple[str, ContactLog]]
    plan: CapacityPlan
    rules: RuleTable
    parameters: ValueParameters
    orderings: Sequence[Ordering] = tuple(o for o in Ordering if o is not Ordering.EXPECTED_VALUE)
    effects: str = ""
    reward: Reward = Reward.VALUE
    seed: int = 1
    sources: Sequence[LogSource] = ()


@dataclass
class _Rows:
    """Randomised rows of all periods, one list item per period."""

    policies: dict[str, list[Ints]] = field(default_factory=dict)
    worked: dict[str, int] = field(default_factory=dict)
    action: list[Ints] = field(default_factory=list)
    chance: list[Floats] = field(default_factory=list)
    reward: list[Floats] = field(default_factory=list)
    person: list[NDArray[np.bytes_]] = field(default_factory=list)
    predicted: list[Floats] = field(default_factory=list)
    psi: list[Floats] = field(default_factory=list)
    keys: dict[str, list[Floats]] = field(default_factory=dict)


def evaluate_policy(
    workspace: Workspace,
    root: Path,
    question: PolicyQuestion,
    progress: Callable[[str, float], None] = lambda _s, _f: None,
) -> PolicyEvaluation:
    """Rank every portfolio by every order under one plan, and judge each on the rows of the log that a holdout drew.

    Args:
        workspace: the data folder.
        root: folder of model versions.
        question: what to judge.
        progress: told the stage and the share done.

    Raises:
        CollectionsError: NOT_FOUND for a portfolio or effect version; MODEL_UNAVAILABLE; INVALID_ARGUMENT without randomised
            rows, or where effects or contact rates were learned from a portfolio they would be judged on; as ``rank``.
    """
    rows, accounts = _Rows(), 0
    effects: set[str] = set()
    models: set[str] = set()
    dates: list[date] = []
    grades: dict[str, str] = {}
    for place, (portfolio_id, log) in enumerate(question.logs):
        progress(f"rank {portfolio_id}", place / (len(question.logs) + 1))
        portfolio = workspace.recorded.portfolio(portfolio_id)
        scorer = workspace.serving.pin(portfolio_id).scorer
        models.add(scorer.model_version)
        beside = workspace.serving.beside.pin(portfolio_id, portfolio)
        models |= {beside.recovery.version} - {""}
        effects_of = _effects(beside, root, question, portfolio_id)
        served = effects_of(portfolio, question.plan)
        effects.add(served.version)
        dates.append(portfolio.as_of_date)
        grades |= {queue.queue_id: served.evidence(index).value for index, queue in enumerate(question.plan.queues)}
        accounts += portfolio.account_count
        _add(rows, question, EffectPeriod(portfolio, scorer.score(portfolio), log), served, beside.learned)
    logged = _logged(rows)
    progress("judge", len(question.logs) / (len(question.logs) + 1))
    policies = {name: np.concatenate(parts) for name, parts in rows.policies.items()}
    predicted = np.vstack(rows.predicted)
    orders = tuple(judge_order(name, rows.worked[name], policies, logged, predicted) for name in policies)
    psi = np.concatenate(rows.psi)
    person = np.concatenate(rows.person)
    curves = {name: uplift_curve(np.concatenate(keys), psi, person, question.seed) for name, keys in rows.keys.items()}
    progress("judged", 1.0)
    return PolicyEvaluation(
        f"{question.plan.plan_id}/{question.plan.version}",
        tuple(sorted(effects)),
        tuple(sorted(models)),
        question.reward,
        question.plan.currency_code,
        tuple(name for name, _ in question.logs),
        tuple(dates),
        tuple(question.sources),
        grades,
        accounts,
        int(psi.size),
        orders,
        curves,
    )


def _effects(beside: PinnedBeside, root: Path, question: PolicyQuestion, portfolio_id: str) -> EffectsOf:
    if question.effects == PLANNED:
        return PlannedEffects
    if question.effects:
        return unseen_effects(load_effect(root, question.effects), portfolio_id)
    return unseen_served(beside, portfolio_id)


def _add(rows: _Rows, question: PolicyQuestion, period: EffectPeriod, effects: ContactEffects, learned: LearnedValues) -> None:
    portfolio, plan = period.portfolio, question.plan
    drawn = randomised_rows(period, plan, effects)
    place, log = drawn.place, drawn.log
    request = RankingRequest(
        plan, question.rules, question.parameters, options=SolveOptions(gap_target=GAP_TARGET, seed=question.seed)
    )
    solve = SOLVERS["pricing"]
    judged = replace(learned, effects_of=lambda _, __: effects)
    made = rank(portfolio, request, lambda _: period.outcomes, solve, learned=judged)
    queues = {Ordering.EXPECTED_VALUE.value: made.entries.queue}
    if not isinstance(effects, PlannedEffects):
        planned = rank(portfolio, request, lambda _: period.outcomes, solve, learned=replace(learned, effects_of=PlannedEffects))
        queues[EXPECTED_VALUE_PLANNED] = planned.entries.queue
    for ordering in question.orderings:
        key = raw_order_key(ordering, portfolio, made.outcomes, made.worth, question.seed)
        queues[ordering.value] = fill_in_order(key, made.problem)[0]
    for name, queue in queues.items():
        rows.policies.setdefault(name, []).append(queue[place].astype(np.int64))
        rows.worked[name] = rows.worked.get(name, 0) + int((queue != UNASSIGNED).sum())
    rows.action.append(np.where(log.contacted, log.queue, UNASSIGNED).astype(np.int64))
    # Nobody contacted: whichever queue was drawn, the chance is that of its own second draw.
    rows.chance.append(np.where(log.contacted, log.queue_propensity * log.propensity, 1.0 - log.propensity))
    rows.reward.append(logged_reward(log, made.worth, place, plan, question.parameters, question.reward))
    rows.person.append(persons_of_rows(portfolio, place))
    table = predicted_reward(made.outcomes.probability, effects, made.worth, plan, question.parameters, question.reward)
    rows.predicted.append(table[place])
    rows.psi.append(drawn.psi)
    for name, key in contact_orders(drawn).items():
        rows.keys.setdefault(name, []).append(key)


def _logged(rows: _Rows) -> LoggedActions:
    if not sum(part.size for part in rows.action):
        raise refuse(
            Reason.INVALID_ARGUMENT,
            "log",
            "holds no randomised row of these portfolios.",
            "Log a holdout with propensity and queue_propensity, as an experiment draws one.",
        )
    person = np.unique(np.concatenate(rows.person), return_inverse=True)[1].astype(np.int64)
    return LoggedActions(np.concatenate(rows.action), np.concatenate(rows.chance), np.concatenate(rows.reward), person)
