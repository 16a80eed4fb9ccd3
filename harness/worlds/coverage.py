"""Do stated 95 % intervals cover? Worlds are drawn again and again; each interval is held against the population's value.

The population value of an average effect or policy is the mean of what is true in each drawn world, so that intervals are judged
on what they claim: the next world of the same lender, not the accounts at hand.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import lightgbm as lgb
import numpy as np

from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.desk.queues import CapacityPlan, EvidenceGrade
from collections_opt.core.evaluation.contact_log import ContactLog
from collections_opt.core.evaluation.policy_value import LoggedActions, doubly_robust, doubly_robust_gain, ips, snips
from collections_opt.core.rules.eligibility import RuleTable
from collections_opt.core.value.basis import ValueBasis, value_accounts
from collections_opt.core.value.effects import PlannedEffects
from collections_opt.core.value.outcomes import CURE, DEFAULT
from collections_opt.core.value.payoffs import ValueParameters
from collections_opt.core.value.valuation import contacted_probability
from collections_opt.core.value.valued_accounts import ValuedAccounts
from collections_opt.datasets.simulated_lender import SimulatedLender, desk_plan
from collections_opt.datasets.simulated_lender.truth import PotentialOutcomes, potential_outcomes
from collections_opt.scoring.effect.experiment import learn_experiment
from collections_opt.scoring.effect.likelihood import EffectPrior
from collections_opt.scoring.effect.rows import EffectPeriod, logged_contacts
from collections_opt.scoring.effect.segments import Segments
from harness.worlds.lab import score_with


@dataclass
class Claims:
    """Intervals by what they are of, beside what is true in their world."""

    low: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    high: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    true: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, name: str, low: float, high: float, true: float) -> None:
        """Add one interval and its world's truth."""
        self.low[name].append(low)
        self.high[name].append(high)
        self.true[name].append(true)

    def coverage(self) -> dict[str, tuple[float, int]]:
        """Return the share of intervals that hold the population's value, and their number, by name."""
        result = {}
        for name, truths in self.true.items():
            value = float(np.mean(truths))
            inside = (np.array(self.low[name]) <= value) & (value <= np.array(self.high[name]))
            result[name] = (float(inside.mean()), inside.size)
        return result


@dataclass(frozen=True)
class Setting:
    """What stays the same in all worlds: the outcome model of another world, segments, prior, rules and values."""

    booster: lgb.Booster
    segments: Segments
    prior: EffectPrior
    rules: RuleTable
    parameters: ValueParameters
    book: int


def claim(setting: Setting, seed: int, claims: Claims) -> None:
    """Draw one world and add its intervals of average effects and of a policy's value."""
    lender = SimulatedLender(seed, setting.book)
    lived = lender.month(0)
    plan = desk_plan(0.02 * setting.book)
    portfolio = admit(lived.snapshot.raw).portfolio
    outcomes = score_with(setting.booster, portfolio)
    truth = potential_outcomes(lender, 0, plan)
    _claim_effects(setting, lived.log, portfolio, plan, truth, claims)
    valued = value_accounts(portfolio, outcomes, ValueBasis(plan, setting.rules, setting.parameters))
    rows = lived.snapshot.rows_of(portfolio)
    _claim_values(lived.log.take(rows), valued, plan, truth, rows, claims)


def _claim_effects(
    setting: Setting, log: ContactLog, portfolio: Portfolio, plan: CapacityPlan, truth: PotentialOutcomes, claims: Claims
) -> None:
    outcomes = score_with(setting.booster, portfolio)
    contacts = logged_contacts([EffectPeriod(portfolio, outcomes, log)], plan)
    learned = learn_experiment(contacts, plan, setting.segments, setting.prior)
    for index, queue in enumerate(learned.queues):
        if queue.evidence is not EvidenceGrade.EXPERIMENT or queue.cure is None or queue.default is None:
            continue
        mine = log.randomised & (log.queue == index)
        change = (truth.contacted[mine, index] - truth.alone[mine]).mean(axis=0)
        for name, estimate, outcome in (("cure", queue.cure, CURE), ("default", queue.default, DEFAULT)):
            claims.add(f"{name}, {queue.queue_id}", estimate.low, estimate.high, float(change[outcome]))


def _claim_values(
    log: ContactLog, valued: ValuedAccounts, plan: CapacityPlan, truth: PotentialOutcomes, rows: np.ndarray, claims: Claims
) -> None:
    """Judge, on the holdout, the policy that gives every account its densest queue where that earns more than twenty dollars."""
    drawn = np.flatnonzero(log.randomised)
    problem, worth = valued.problem, valued.worth
    density = np.where(problem.value > 2_000, problem.value / np.maximum(problem.seconds, 1), -np.inf)
    policy = np.where(np.isfinite(density.max(axis=1)), density.argmax(axis=1), -1)[drawn]
    payoff = np.column_stack([worth.cure, worth.default, worth.stay])[drawn]
    picked = np.arange(drawn.size)
    contacted = log.contacted[drawn]
    chance = np.where(contacted, log.queue_propensity[drawn] * log.propensity[drawn], 1.0 - log.propensity[drawn])
    logged = LoggedActions(np.where(contacted, log.queue[drawn], -1).astype(np.int64), chance, payoff[picked, log.outcome[drawn]])
    probability = valued.outcomes.probability[drawn]
    effects = PlannedEffects(valued.portfolio.take(drawn), plan)
    everyone = slice(0, drawn.size)
    arms = [
        probability,
        *(contacted_probability(probability, effects.block(everyone, q, probability)) for q in range(len(plan.queues))),
    ]
    predicted = np.column_stack([(arm * payoff).sum(axis=1) for arm in arms])
    alone, by_queue = truth.alone[rows][drawn], truth.contacted[rows][drawn]
    true_arm = np.where((policy >= 0)[:, np.newaxis], by_queue[picked, np.maximum(policy, 0)], alone)
    value, base = float((true_arm * payoff).sum(axis=1).mean()), float((alone * payoff).sum(axis=1).mean())
    for made in (ips(logged, policy), snips(logged, policy), doubly_robust(logged, policy, predicted)):
        claims.add(f"policy value, {made.method}", made.low, made.high, value)
    gain = doubly_robust_gain(logged, policy, predicted)
    claims.add("policy gain, DR", gain.low, gain.high, value - base)
