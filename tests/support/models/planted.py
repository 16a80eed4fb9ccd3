"""Contact logs whose effects are planted on the accounts of a simulated lender: cheap, and known exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.features import FEATURE_NAMES, build_features
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.evaluation.contact_log import ContactLog
from collections_opt.core.value.outcomes import OutcomeProbabilities
from collections_opt.datasets.simulated_lender import SimulatedLender, desk_plan
from collections_opt.scoring.effect.likelihood import EffectPrior, EffectRows, contact_probabilities, fit_effects
from collections_opt.scoring.effect.residual.model import planned_change
from collections_opt.scoring.effect.rows import EffectPeriod, LoggedContacts, logged_contacts

PLAN = desk_plan(1_000)
QUEUES = 3
"""Only the first three queues of the plan are drawn or chosen."""


@dataclass(frozen=True)
class Planted:
    """A portfolio, its true chances without contact (n, 3), the log, and the true change of cure of each row's queue."""

    portfolio: Portfolio
    probability: np.ndarray
    log: ContactLog
    truth: np.ndarray

    @property
    def contacts(self) -> LoggedContacts:
        """The log beside the accounts, scored by the true chances."""
        scored = OutcomeProbabilities(self.probability, "planted", "")
        return logged_contacts([EffectPeriod(self.portfolio, scored, self.log)], PLAN)

    def without_slice(self) -> LoggedContacts:
        """The same log as a lender without a holdout has it."""
        contacts = self.contacts
        log, nan = contacts.log, np.full(contacts.log.row_count, np.nan)
        columns = {name: getattr(log, name) for name in log.columns} | {"propensity": nan, "queue_propensity": nan}
        return replace(contacts, log=ContactLog(log.queue_ids, **columns))


def accounts(book: int = 80_000, seed: int = 5) -> Portfolio:
    """Return the late accounts of a simulated lender, about a tenth of its book."""
    return admit(SimulatedLender(seed, book).month(0).snapshot.raw).portfolio


def plant(
    portfolio: Portfolio,
    effect: Callable[[np.ndarray, np.ndarray], np.ndarray] | None,
    seed: int,
    randomised_share: float = 0.3,
    hidden: float = 0.0,
) -> Planted:
    """Return a log drawn from a known truth.

    Args:
        portfolio: the accounts.
        effect: change of p_cure of the features (n, f) and the queue (n,); None where the plan is right.
        seed: of the draws.
        randomised_share: of the rows, contacted at one half; of the others the desk works hard cases.
        hidden: how much more the desk works those that are about to cure anyway, which no column tells.
    """
    rng = np.random.default_rng(seed)
    count, features = portfolio.account_count, build_features(portfolio).matrix
    late = months_late(features)
    cure, default = 0.54 / (1.0 + late), 0.05 + 0.08 * late
    probability = np.column_stack([cure, default, 1.0 - cure - default])
    queue = rng.integers(0, QUEUES, count)
    change = np.zeros((count, 2))
    for index in range(QUEUES):
        mine = queue == index
        decayed = portfolio.column("contacts_in_window_count")[mine].astype(np.float64)
        change[mine] = planned_change(probability[mine], decayed, PLAN.queues[index].effect)
    if effect is not None:
        change[:, 0] = effect(features, queue)
    luck = rng.normal(size=count) if hidden else np.zeros(count)
    about_to = np.clip(probability[:, 0] + 0.25 * np.tanh(luck), 0.02, 0.85)
    drawn = rng.random(count) < randomised_share
    chance = np.where(drawn, 0.5, 1.0 / (1.0 + np.exp(0.6 - 0.8 * late - hidden * luck)))
    contacted = rng.random(count) < chance
    now = np.column_stack([np.clip(about_to + contacted * change[:, 0], 0.0, 0.95), default + contacted * change[:, 1]])
    draw = rng.random(count)
    outcome = np.where(draw < now[:, 0], 0, np.where(draw < now[:, 0] + np.clip(now[:, 1], 0.0, 1.0 - now[:, 0]), 1, 2))
    log = ContactLog(
        tuple(one.queue_id for one in PLAN.queues),
        portfolio.column("account_id"),
        queue.astype(np.int16),
        contacted,
        contacted & (rng.random(count) < 0.5),
        np.where(drawn, 0.5, np.nan),
        np.where(drawn, 1.0 / QUEUES, np.nan),
        outcome.astype(np.int64),
        np.zeros(count, dtype=np.int64),
    )
    return Planted(portfolio, probability, log, change[:, 0])


def months_late(features: np.ndarray) -> np.ndarray:
    """Return days past due in units of two months, at most 3."""
    return np.clip(features[:, FEATURE_NAMES.index("days_past_due")].astype(np.float64) / 60.0, 0.0, 3.0)


def persuadable(features: np.ndarray, queue: np.ndarray) -> np.ndarray:
    """A planted effect that the plan does not know: those who are less late are helped, by the first queue more."""
    late = months_late(features)
    return np.clip(0.35 - 0.3 * late, -0.1, 0.35) + 0.05 * (queue == 0)


def made_rows(rng, count, theta, base=(0.2, -1.5), queues=1):
    """Return rows drawn from the likelihood itself, with an intercept and one segment."""
    design = np.column_stack([np.ones(count), rng.normal(size=count)])
    offset = np.column_stack([np.full(count, base[0]), np.full(count, base[1])]) + 0.5 * rng.normal(size=(count, 1))
    rows = EffectRows(
        design,
        offset,
        rng.integers(0, queues, count),
        rng.random(count) < 0.5,
        np.full(count, 0.5),
        np.ones(count),
        np.zeros(count, dtype=np.int64),
        np.ones(count),
    )
    truth = fit_effects(rows.take(np.arange(0)), EffectPrior(np.zeros((queues, 2))))
    truth = replace(truth, theta=np.asarray(theta, dtype=np.float64))
    alone, under = contact_probabilities(rows, truth)
    chance = np.where(rows.contacted[:, np.newaxis], under, alone)
    outcome = (rng.random(count)[:, np.newaxis] > np.cumsum(chance, axis=1)[:, :2]).sum(axis=1)
    return replace(rows, outcome=outcome)
