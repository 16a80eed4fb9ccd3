"""Challengers held against what happened: what their kind predicted, and what their lists are worth as far as that can be known.

Of whom both lists treat alike the difference is nothing, whatever happened. Of the others one thing was done and seen, and the
other was not. Where an experiment drew who is left alone, both were done to people who are alike: what contact brought to those
whom a challenger would leave alone is measured there. What contact would have brought to those whom it would add was done to
nobody: without a draw no method tells it, and all that is certain are bounds, the best and the worst that could have come of
every such account (Manski 1990). Only a randomised split of a desk between two lists tells the whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.models.shadow import log_losses, meant_queue, scores_of
from collections_opt.application.outcomes.figures import share_figure
from collections_opt.application.rankings.experiments_of import of_kind
from collections_opt.application.rankings.opened_ranking import OpenedRanking
from collections_opt.application.records.monitor_facts import ChallengerFacts, ChallengerMoney, Figure
from collections_opt.application.records.scoring_facts import ShadowScores
from collections_opt.core.accounts.persons import persons_of
from collections_opt.core.arrays import Array
from collections_opt.core.errors import CollectionsError
from collections_opt.core.evaluation.logged_rewards import payoff_table
from collections_opt.core.evaluation.policy_value import LoggedActions, PolicyEstimate, doubly_robust_gain
from collections_opt.core.evaluation.worked_outcomes import worked_outcomes
from collections_opt.core.experiments.arms import Arm
from collections_opt.core.experiments.design import SHARE_SCALE, ArmKind
from collections_opt.core.limits import MIN_CELL_COUNT
from collections_opt.core.models.lifecycle import ModelKind
from collections_opt.core.outcomes.matured import MaturedOutcomes
from collections_opt.core.problem.assignment import UNASSIGNED
from collections_opt.core.value.decided import DecidedChances
from collections_opt.core.value.outcomes import CURE, DEFAULT, PROBABILITY_SCALE
from collections_opt.core.value.payoffs import payoffs

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

Z = 1.959963984540054
UNWORKED, WORKED, TRIED, NOTHING = "UNWORKED", "WORKED", "TRIED", "NOTHING"
"""On which accounts a kind is judged; nothing that is told of an account says what a recovery model was right about, nor one of a
kind that predicts neither outcomes nor contacts."""


@dataclass(frozen=True)
class Happened:
    """What a matured ranking said and what became of its n accounts.

    Attributes:
        opened: the ranking.
        chances: what it predicted of its own list.
        found: what became of them.
        weight: float64 (n,) for how many accounts each stands, 0 for those that left sight; None where all were seen.
    """

    opened: OpenedRanking
    chances: DecidedChances
    found: MaturedOutcomes
    weight: Floats | None


def challengers_of(happened: Happened) -> dict[str, ChallengerFacts]:
    """Return what became of what every challenger of a ranking said, by version; those that failed are not told."""
    told = happened.opened.challengers
    shadows = [one for one in happened.opened.facts.shadow if one.model_version in told]
    drawn = _Drawn(happened) if any(one.list_object for one in shadows) else None
    figures = {}
    for shadow in shadows:
        columns = told[shadow.model_version]
        judged = _judged(ModelKind(shadow.model_version.partition("/")[0]), columns, happened)
        money = drawn.money(shadow, columns) if drawn is not None and shadow.list_object else None
        if money is not None or judged.loss_nano:
            figures[shadow.model_version] = replace(judged, money=money)
    return figures


def _judged(kind: ModelKind, told: Mapping[str, Array], happened: Happened) -> ChallengerFacts:
    """Return predicted against realised of a challenger and of what decided, on the accounts that tell of its kind."""
    entries, found, chances = happened.opened.entries, happened.found, happened.chances
    worked, outcome = entries.queue != UNASSIGNED, found.outcome.astype(np.int64)
    if kind is ModelKind.CONTACT:
        rates = [_pair(np.rint(chances.rpc_rate * PROBABILITY_SCALE)), _pair(told["contact_nano"])]
        return _held_against(TRIED, worked & (found.contacts > 0), rates, np.where(found.reached > 0, 0, 1), None, 0)
    seen = ~found.is_censored
    if kind is ModelKind.OUTCOME:
        return _held_against(
            UNWORKED,
            seen & ~worked & ~entries.of_other_plan,
            [scores_of(entries.columns()), scores_of(told)],
            outcome,
            happened.weight,
            DEFAULT,
        )
    if kind is not ModelKind.EFFECT:
        return ChallengerFacts(NOTHING, 0)
    decided = np.rint(chances.decided * PROBABILITY_SCALE).astype(np.int64)
    theirs = scores_of({f"p_{name}_nano": told[f"decided_{name}_nano"] for name in ("cure", "default")})
    return _held_against(WORKED, seen & worked, [decided, theirs], outcome, happened.weight, CURE)


def _held_against(
    judged_on: str, mine: Mask, predicted: list[Ints], happened: Ints, weight: Floats | None, shown: int
) -> ChallengerFacts:
    """Return how what decided and a challenger predicted accounts: means of one outcome and the difference of log losses.

    Args:
        judged_on: which accounts these are.
        mine: bool (n,) them.
        predicted: int64 (n, k) chances in 1e-9, of what decided and of the challenger.
        happened: int64 (n,) which of them came true.
        weight: float64 (n,) for how many accounts each stands; None for one.
        shown: column whose mean is shown.
    """
    rows = np.flatnonzero(mine)
    if rows.size < MIN_CELL_COUNT:
        return ChallengerFacts(judged_on, int(rows.size))
    w = np.ones(rows.size) if weight is None else weight[rows]
    own = w / w.sum()
    worse = log_losses(predicted[1][rows], happened[rows]) - log_losses(predicted[0][rows], happened[rows])
    mean = float(own @ worse)
    spread = Z * float(np.sqrt((own**2) @ (worse - mean) ** 2))
    realised = share_figure(float(own @ (happened[rows] == shown)), w)
    model, challenger = (round(float(own @ one[rows, shown])) for one in predicted)
    loss = Figure(mean, mean - spread, mean + spread)
    return ChallengerFacts(judged_on, int(rows.size), model, challenger, realised.nano(), loss.nano())


def _pair(nano: Floats | Ints) -> Ints:
    whole = nano.astype(np.int64)
    return np.column_stack([whole, PROBABILITY_SCALE - whole])


class _Drawn:
    """What draws of experiments tell of a ranking's contacts, and bounds of what nothing tells."""

    def __init__(self, happened: Happened) -> None:
        opened, self._found = happened.opened, happened.found
        entries = self._entries = opened.entries
        count = entries.queue.size
        worth = payoff_table(payoffs(opened.portfolio, opened.parameters, opened.learned))
        self._low, self._high = worth.min(axis=1), worth.max(axis=1)
        self._seen = ~self._found.is_censored
        without = entries.recovery_without_contact_minor.astype(np.float64)
        became = np.where(self._seen, self._found.outcome, 0).astype(np.int64)
        # Who left sight counts as predicted, in both arms alike, as readings of experiments count him.
        self._value = np.where(self._seen, worth[np.arange(count), became], without)
        self._meant = meant_queue(entries)
        arm = np.zeros(count, dtype=np.uint8) if entries.arm is None else entries.arm
        self._known = (arm != Arm.NONE) & (self._meant != UNASSIGNED) & of_kind(opened, ArmKind.HOLDOUT)
        shares = np.array([0, *(one.share_nano for one in opened.facts.inputs.running.designs)]) / SHARE_SCALE
        share = shares[np.zeros(count, dtype=np.uint8) if entries.experiment is None else entries.experiment]
        contact = arm == Arm.CONTACT
        self._worked = contact & (entries.queue != UNASSIGNED)
        self._action = np.where(contact, self._meant, UNASSIGNED).astype(np.int64)
        self._chance = np.where(contact, 1.0 - share, np.maximum(share, 1.0 / SHARE_SCALE))
        self._reward = self._value - np.where(contact, happened.chances.cost, 0.0)
        self._predicted = (without, without + entries.increment_minor)
        persons = persons_of(opened.portfolio)
        self._person = np.arange(count) if persons is None else persons.of.astype(np.int64)
        self._queues = len(opened.plan.queues)

    def money(self, shadow: ShadowScores, told: Mapping[str, Array]) -> ChallengerMoney:
        """Return what a challenger's list is worth beside the one decided, as far as that can be known; minor units."""
        counted = (self._entries.explored == 0) & (told["explored"] == 0)
        mine, theirs = self._meant, told["meant_queue"]
        works, would = counted & (mine != UNASSIGNED), counted & (theirs != UNASSIGNED)
        changed = counted & (mine != theirs)
        dropped = works & ~would
        known = self._worth(self._known)
        # A reserve draws from whom no experiment leaves alone: leaving its accounts out here would tell the arms apart.
        drawn = self._known & (theirs == UNASSIGNED)
        held = self._worth(drawn)
        judged = self._known & self._worked & counted
        low, high = self._bounds(changed, theirs)
        cash = worked_outcomes(would, works, self._found).cash_difference
        return ChallengerMoney(
            dropped_count=int(dropped.sum()),
            added_count=int((would & ~works).sum()),
            moved_count=int((works & would & changed).sum()),
            gain_by_model_minor=shadow.gain_by_model_minor or 0,
            gain_by_challenger_minor=shadow.gain_by_challenger_minor or 0,
            gain_bounds_minor=(round(low), round(high)),
            cash_difference_minor=() if cash is None else tuple(round(one) for one in (cash.value, cash.low, cash.high)),
            drawn_count=int(self._known.sum()),
            contact_worth_minor=_per_account(known),
            contact_worth_by_model_minor=_mean(self._entries.increment_minor, judged),
            contact_worth_by_challenger_minor=_mean(told["here_minor"], judged),
            dropped_drawn_count=int(drawn.sum()),
            dropped_worth_minor=_total(held),
            why_unknown=held if isinstance(held, str) else "",
        )

    def _worth(self, mine: Mask) -> PolicyEstimate | str:
        """Return what contact brought per account over leaving alone, net of its cost, on drawn accounts; else why none knows.

        The comparison is by intention to treat, doubly robust, and counts accounts of one person together.
        """
        rows = np.flatnonzero(mine)
        if not rows.size:
            return "no experiment drew any of them: what contact brought to them is not known."
        log = LoggedActions(self._action[rows], self._chance[rows], self._reward[rows], self._person[rows])
        nobody, contact = (one[rows] for one in self._predicted)
        predicted = np.column_stack([nobody, *([contact] * self._queues)])
        try:
            return doubly_robust_gain(log, self._meant[rows].astype(np.int64), predicted)
        except CollectionsError as error:
            return str(error.violations[0].description if error.violations else error.message)

    def _bounds(self, changed: Mask, theirs: NDArray[np.int16]) -> tuple[float, float]:
        """Return between what the list's value over the one decided must lie, before cost, whatever contact does."""
        y, low, high, decided = self._value, self._low, self._high, self._entries.queue
        of_mine = self._seen & (decided == self._meant)  # what the list decided upon was done, and its outcome seen
        of_theirs = self._seen & ~of_mine & (decided == theirs)
        least = np.select([of_mine, of_theirs], [low - y, y - high], low - high)
        most = np.select([of_mine, of_theirs], [high - y, y - low], high - low)
        return float(least[changed].sum()), float(most[changed].sum())


def _per_account(one: PolicyEstimate | str) -> tuple[int, ...]:
    return () if isinstance(one, str) else (round(one.value), round(one.low), round(one.high))


def _total(one: PolicyEstimate | str) -> tuple[int, ...]:
    return () if isinstance(one, str) else tuple(round(each * one.row_count) for each in (one.value, one.low, one.high))


def _mean(column: Array, mine: Mask) -> int | None:
    return round(float(column[mine].mean())) if mine.any() else None
