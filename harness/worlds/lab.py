"""Train on one simulated world, decide in others, and count true money: what the benches and small tests share."""

from __future__ import annotations

from dataclasses import dataclass, replace

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.features import build_features
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.evaluation.contact_log import ContactLog
from collections_opt.core.problem.assignment import INELIGIBLE, UNASSIGNED, AssignmentProblem, SolveOptions
from collections_opt.core.ranking.ordering import Ordering, priority_in_queue, raw_order_key
from collections_opt.core.ranking.pipeline import RankingRequest, rank
from collections_opt.core.rules.eligibility import RuleTable
from collections_opt.core.value.outcomes import OutcomeProbabilities
from collections_opt.core.value.payoffs import LearnedValues, ValueParameters
from collections_opt.core.value.valuation import expected_recovery, whole_seconds
from collections_opt.datasets.roll_rates import measured_parameters
from collections_opt.datasets.simulated_lender import LenderMonth, LenderParameters, SimulatedLender, desk_plan
from collections_opt.datasets.simulated_lender.truth import PotentialOutcomes, potential_outcomes
from collections_opt.scoring.effect.rows import EffectPeriod, LoggedContacts, logged_contacts
from collections_opt.solvers import SOLVERS, fill_in_order

WORLD_VALUE = ValueParameters(version="simulated-lender", horizon_days=30, cure_days=15, stay_days=20, default_days=30)
"""Times of the world, whose decisions are monthly; LGD and stay values are measured on the training months."""

OUTCOME_PARAMETERS = {
    "objective": "multiclass",
    "num_class": 3,
    "learning_rate": 0.05,
    "num_leaves": 10,
    "extra_trees": True,
    "min_data_in_leaf": 30,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}
"""A plain outcome model without calibration: what is measured here are effects and orders."""

GAP_TARGET = 1e-4
"""Proven gap at which a ranking stops; far below any difference between orders."""


@dataclass(frozen=True)
class Trained:
    """A world that models were trained on: outcome model, log rows with held-out scores, measured value parameters."""

    booster: lgb.Booster
    contacts: LoggedContacts
    parameters: ValueParameters
    account_months: int
    distinct_accounts: int

    def score(self, portfolio: Portfolio) -> OutcomeProbabilities:
        """Return probabilities without contact."""
        return score_with(self.booster, portfolio)


def score_with(booster: lgb.Booster, portfolio: Portfolio) -> OutcomeProbabilities:
    """Return a booster's probabilities of every account."""
    p = np.asarray(booster.predict(build_features(portfolio).matrix), dtype=np.float64)
    return OutcomeProbabilities(p / p.sum(axis=1, keepdims=True), "world", "none")


def fit_outcomes(periods: list[tuple[Portfolio, np.ndarray]], seed: int, rounds: int = 200) -> lgb.Booster:
    """Fit account-months without contact."""
    matrix = np.vstack([build_features(portfolio).matrix for portfolio, _ in periods])
    outcome = np.concatenate([outcome for _, outcome in periods])
    return lgb.train({**OUTCOME_PARAMETERS, "seed": seed}, lgb.Dataset(matrix, outcome), num_boost_round=rounds)


def train_world(seed: int, book: int, months: tuple[int, ...], parameters: LenderParameters | None = None) -> Trained:
    """Train on a world's months: outcomes without contact, effects' rows scored by a model of other accounts."""
    lender = SimulatedLender(seed, book, parameters)
    history = lender.history(months)
    portfolios = [admit(month.snapshot.raw).portfolio for month in history]
    periods, periods_by_half = [], ([], [])
    for month, portfolio in zip(history, portfolios, strict=True):
        rows = month.snapshot.rows_of(portfolio)
        outcome, alone = month.snapshot.outcome[rows], ~month.log.contacted[rows]
        periods.append((portfolio.take(np.flatnonzero(alone)), outcome[alone]))
        half = halves(portfolio)
        for side in (0, 1):
            mine = np.flatnonzero(alone & (half == side))
            periods_by_half[side].append((portfolio.take(mine), outcome[mine]))
    crossed = [fit_outcomes(side, seed) for side in periods_by_half]
    scored = [
        EffectPeriod(portfolio, _crossed(crossed, portfolio), month.log)
        for month, portfolio in zip(history, portfolios, strict=True)
    ]
    snapshots = [month.snapshot for month in history]
    value = measured_parameters(WORLD_VALUE, snapshots, [month.recovery_minor for month in history])
    ids = np.unique(np.concatenate([portfolio.column("account_id") for portfolio in portfolios]))
    return Trained(
        fit_outcomes(periods, seed),
        logged_contacts(scored, desk_plan(book * 0.02)),
        value,
        sum(portfolio.account_count for portfolio in portfolios),
        ids.size,
    )


def halves(portfolio: Portfolio) -> np.ndarray:
    """Return the half of each account, 0 or 1, by the last digit of its number."""
    last = portfolio.column("account_id").view("S1").reshape(portfolio.account_count, -1)
    digits = last[:, -1].astype(np.int64)
    return digits % 2


def _crossed(boosters: list[lgb.Booster], portfolio: Portfolio) -> OutcomeProbabilities:
    half = halves(portfolio)
    p = np.empty((portfolio.account_count, 3))
    for side in (0, 1):
        mine = np.flatnonzero(half == side)
        p[mine] = score_with(boosters[1 - side], portfolio.take(mine)).probability
    return OutcomeProbabilities(p, "world", "none")


@dataclass(frozen=True)
class Arena:
    """An unseen month of an unseen world, with its truth aligned with the portfolio's rows."""

    portfolio: Portfolio
    truth: PotentialOutcomes
    request: RankingRequest
    month: LenderMonth

    @property
    def true_seconds(self) -> np.ndarray:
        """Whole seconds that contact really takes, (n, q)."""
        return np.column_stack([whole_seconds(column) for column in self.truth.minutes.T])


def arena(seed: int, book: int, month: int, rules: RuleTable, parameters: ValueParameters, capacity_share: float = 0.2) -> Arena:
    """Return an unseen world's month under a plan with time for a share of its accounts."""
    lender = SimulatedLender(seed, book)
    lived = lender.month(month)
    portfolio = admit(lived.snapshot.raw).portfolio
    plan = desk_plan(capacity_share * portfolio.account_count)
    rows = lived.snapshot.rows_of(portfolio)
    whole = potential_outcomes(lender, month, plan)
    truth = PotentialOutcomes(**{name: getattr(whole, name)[rows] for name in PotentialOutcomes.__dataclass_fields__})
    request = RankingRequest(plan, rules, parameters, options=SolveOptions(gap_target=GAP_TARGET))
    return Arena(portfolio, truth, request, lived)


def true_money(place: Arena, queue: np.ndarray, priority: np.ndarray) -> float:
    """Return the true incremental money of a worklist, worked in order until each queue's time is really used up."""
    rows, index = np.arange(queue.size), np.maximum(queue, 0)
    minutes = place.true_seconds[rows, index] / 60.0
    capacity = place.request.plan.capacity_seconds / 60.0
    done = worked_in_time(queue, priority, minutes, capacity)
    return float(place.truth.increment_minor[rows, index][done].sum())


def money_of(increment: np.ndarray, blocked: np.ndarray) -> np.ndarray:
    """Return increments as a solver takes them, int32 (n, q), blocked cells marked."""
    value = np.rint(increment).astype(np.int64).clip(-(2**31) + 1, 2**31 - 1).astype(np.int32)
    value[blocked != 0] = INELIGIBLE
    return value


def oracle_money(place: Arena, blocked: np.ndarray) -> float:
    """Return the true money of the assignment that knows the truth, under the same rules and time."""
    value = money_of(place.truth.increment_minor, blocked)
    problem = AssignmentProblem(value, place.true_seconds, place.request.plan.capacity_seconds)
    answer = SOLVERS["pricing"](problem, SolveOptions(gap_target=GAP_TARGET))
    worked = answer.queue != UNASSIGNED
    return float(place.truth.increment_minor[np.flatnonzero(worked), answer.queue[worked]].sum())


def money_by_order(trained: Trained, place: Arena, effects: dict[str, object]) -> dict[str, float]:
    """Return the true money of expected value under each kind of effects, of every raw order, of gross value and of the oracle.

    Raw orders are routed by the first kind of effects, the most favourable routing there is for them.
    """
    result: dict[str, float] = {}
    first = None
    for name, effects_of in effects.items():
        made = rank(place.portfolio, place.request, trained.score, SOLVERS["pricing"], learned=LearnedValues(effects_of))
        first = first or made
        result[f"EXPECTED_VALUE {name}"] = true_money(place, made.entries.queue, made.entries.priority)
    keys = {
        o.value: raw_order_key(o, place.portfolio, first.outcomes, first.worth, 1)
        for o in Ordering
        if o is not Ordering.EXPECTED_VALUE
    }
    keys["GROSS_VALUE"] = expected_recovery(first.outcomes.probability, first.worth)
    for name, key in keys.items():
        queue = fill_in_order(key, first.problem)[0]
        result[name] = true_money(place, queue, priority_in_queue(queue, key))
    result["ORACLE"] = oracle_money(place, first.eligibility.blocked_by)
    return result


def confounded_only(contacts: LoggedContacts) -> LoggedContacts:
    """Return a log as a lender without a holdout has it: the rows that the desk chose."""
    return contacts.take(~contacts.log.randomised)


def as_if_randomised(contacts: LoggedContacts, share: float = 0.5) -> LoggedContacts:
    """Plant the fault: rows that the desk chose, passed off as an experiment with one chance for all."""
    rows = confounded_only(contacts)
    log, count = rows.log, rows.log.row_count
    columns = {name: getattr(log, name) for name in log.columns}
    columns |= {"propensity": np.full(count, share), "queue_propensity": np.full(count, share)}
    return replace(rows, log=ContactLog(log.queue_ids, **columns))


def worked_in_time(
    queue: NDArray[np.int16], priority: NDArray[np.int32], minutes: NDArray[np.float64], capacity_minutes: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return whom each queue gets to, in its order, before its minutes are used up, bool (n,).

    Args:
        queue: int16 (n,) assigned queue, ``UNASSIGNED`` for none.
        priority: int32 (n,) place in the queue, 1 first.
        minutes: float64 (n,) minutes each account really takes in its queue.
        capacity_minutes: float64 (q,) minutes of each queue.
    """
    order = np.lexsort((priority, queue))
    sorted_queue, taken = queue[order], np.where(queue[order] == UNASSIGNED, 0.0, minutes[order])
    running = np.cumsum(taken)
    starts = np.searchsorted(sorted_queue, np.arange(capacity_minutes.size))
    before = np.concatenate([[0.0], running])[starts]
    index = np.maximum(sorted_queue, 0)
    inside = (sorted_queue != UNASSIGNED) & (running - before[index] <= capacity_minutes[index] + 1e-9)
    result = np.zeros(queue.size, dtype=bool)
    result[order] = inside
    return result
