"""What models are learned from without a file: matured rankings, with their propensities, contacts and outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.outcomes.monitors import Monitors
from collections_opt.application.rankings.experiments_of import of_kind
from collections_opt.application.rankings.opened_ranking import OpenedRanking
from collections_opt.application.training.draws import fresh_draws
from collections_opt.application.training.outcome import TrainingData
from collections_opt.application.training.own import period_of
from collections_opt.application.workspace import Workspace
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.evaluation.contact_log import NO_QUEUE, ContactLog
from collections_opt.core.experiments.arms import Arm
from collections_opt.core.experiments.design import ArmKind
from collections_opt.core.outcomes.matured import MaturedOutcomes
from collections_opt.core.outcomes.terms import Outcome
from collections_opt.core.problem.assignment import UNASSIGNED
from collections_opt.datasets.files.training_files import CENSORED, MIN_PERIODS
from collections_opt.scoring.outcome.rows import TrainingPeriod

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

DESCRIPTION = "Accounts of matured rankings of this ledger; outcomes by their horizons, from events, later portfolios and files."
LIMITS = "What was never ranked was never learned from. Worked accounts are left out and stood for by unworked ones alike."
LEAST_OWN = MIN_PERIODS
"""Matured rankings that an outcome model of one's own needs; fewer recalibrate the champion."""
_NANO = 1e9
_NAMED = {outcome.name: int(outcome) for outcome in Outcome}


@dataclass(frozen=True)
class MaturedRanking:
    """A ranking with what became of its accounts, aligned by row; ``grace_days`` and later portfolios are those it matured by."""

    ranking_id: str
    portfolio_id: str
    day: date
    opened: OpenedRanking
    found: MaturedOutcomes
    grace_days: int = 0
    later_portfolio_ids: tuple[str, ...] = ()


def matured_rankings(workspace: Workspace, ranking_ids: Sequence[str], least: int = MIN_PERIODS) -> list[MaturedRanking]:
    """Return matured rankings in order of time, one a day: those named, else all that alarms read.

    Raises:
        CollectionsError: NOT_FOUND; RANKING_NOT_MATURE; INVALID_ARGUMENT for two of one day, or fewer than ``least``.
    """
    names = list(dict.fromkeys(ranking_ids)) or _that_count(workspace.monitors)
    made = []
    for ranking_id in names:
        maturity, found = workspace.monitors.maturities.latest(ranking_id)
        opened = workspace.recorded.open(ranking_id)
        if not np.array_equal(found.account_id, opened.entries.account_id):
            raise refuse(Reason.RANKING_NOT_MATURE, "ranking_ids", f"accounts of {ranking_id} were erased.", "Mature it again.")
        sources = maturity.terms.grace_days, maturity.later_portfolio_ids
        made.append(MaturedRanking(ranking_id, maturity.portfolio_id, maturity.as_of_date, opened, found, *sources))
    made.sort(key=lambda one: one.day)
    if len({one.day for one in made}) < len(made):
        told = "name two of one day."
        raise refuse(Reason.INVALID_ARGUMENT, "ranking_ids", told, "Name one ranking per month: periods are in order of time.")
    if len(made) < least:
        why = ": one each is needed to fit, to calibrate and to judge." if least >= MIN_PERIODS else "."
        told = f"{len(made)} matured ranking(s){why}"
        raise refuse(Reason.INVALID_ARGUMENT, "ranking_ids", told, f"Let at least {least} mature, or name them.")
    return made


def outcome_data(matured: Sequence[MaturedRanking]) -> TrainingData:
    """Return training data of outcomes without contact; the last ranking is judged on.

    Raises:
        CollectionsError: as ``period_of``.
    """
    periods = outcome_periods(matured)
    return TrainingData("matured rankings", DESCRIPTION, LIMITS, periods[:-1], periods[-1])


def outcome_periods(matured: Sequence[MaturedRanking]) -> list[TrainingPeriod]:
    """Return what became of accounts without contact, a period for each ranking.

    Worked accounts, by assignment or by contact, are left out; those held out by an experiment are not worked. Whom another plan
    works counts as worked, as far as this ranking knows.

    Raises:
        CollectionsError: as ``period_of``.
    """
    periods = []
    for one in matured:
        found, entries = one.found, one.opened.entries
        worked = (entries.queue != UNASSIGNED) | (found.contacts > 0) | entries.of_other_plan
        days = found.day.astype(np.int64) if np.unique(found.horizon).size <= 1 else None
        periods.append(period_of(str(one.day), one.opened.portfolio, _labels(found), days, worked))
    return periods


def contact_log(one: MaturedRanking, plan: CapacityPlan, fresh: Mask | None) -> ContactLog:
    """Return whom a ranking meant to work, by what chance, and what came of it; accounts that left sight are left out, and whom
    another plan works: they were not left alone, and the other plan's ranking tells of them.

    The chance is that of an experiment's draw, told where nothing before had touched it. What an exploration reserve draws is
    always contacted, and is no experiment.

    Args:
        one: the ranking with its outcomes.
        plan: of which the log names the queues.
        fresh: rows whose draw is an experiment, bool (n,), as ``fresh_draws``; None for none.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a ranking that worked queues which the plan does not have.
    """
    entries, found = one.opened.entries, one.found
    queue_ids = tuple(queue.queue_id for queue in plan.queues)
    own = tuple(queue.queue_id for queue in one.opened.plan.queues)
    unknown = sorted(set(own) - set(queue_ids))
    if unknown:
        told = f"{one.ranking_id} has queues that {plan.plan_id} has not: {', '.join(unknown[:5])}."
        raise refuse(Reason.INVALID_ARGUMENT, "ranking_ids", told, "Name rankings of one desk.")
    place = np.array([NO_QUEUE, *(queue_ids.index(name) for name in own)], dtype=np.int16)
    queue, meant, held_out = entries.queue.astype(np.int64), np.zeros(entries.queue.size, dtype=bool), entries.held_out
    if entries.intended_queue is not None and entries.arm is not None:
        # Whom a reserve drew for another queue was not drawn by the experiment: his tiny chance would outweigh all others.
        meant = (entries.arm != Arm.NONE) & (entries.intended_queue >= 0) & (entries.explored == 0)
        for kind in (ArmKind.RANDOM_QUEUE, ArmKind.TWO_PLANS):  # contacted or not does not follow from their draws
            meant &= ~of_kind(one.opened, kind)
        queue = np.where(meant, entries.intended_queue, queue)
    taken = entries.propensity_nano / _NANO
    chance = np.where(held_out, 1.0 - taken, taken)
    drawn = meant & (chance > 0.0) & (chance < 1.0) & (False if fresh is None else fresh)
    contacted = (queue != UNASSIGNED) & ~held_out & (meant | (found.contacts > 0))
    nothing = np.full(queue.size, np.nan)
    log = ContactLog(
        queue_ids,
        entries.account_id,
        place[queue + 1],
        contacted,
        contacted & found.reached.astype(bool),
        np.where(drawn, chance, nothing),
        np.where(drawn, 1.0, nothing),
        np.minimum(found.outcome, Outcome.STAYED).astype(np.int64),
        np.maximum(found.cash_minor, 0),
    )
    return log.take(~(found.is_censored | entries.of_other_plan))


def contact_logs(workspace: Workspace, matured: Sequence[MaturedRanking], plan: CapacityPlan) -> list[tuple[str, ContactLog]]:
    """Return the portfolio and the contact log of each ranking.

    Raises:
        CollectionsError: as ``contact_log`` and ``fresh_draws``.
    """
    fresh = fresh_draws(workspace, [one.ranking_id for one in matured])
    return [(one.portfolio_id, contact_log(one, plan, fresh.get(one.ranking_id))) for one in matured]


def _that_count(monitors: Monitors) -> list[str]:
    """Return the rankings whose horizons do not overlap, once each, however many models scored."""
    return list(dict.fromkeys(one.ranking_id for one in monitors.all() if one.is_counted))


def _labels(found: MaturedOutcomes) -> NDArray[np.int64]:
    """Return outcomes as training knows them: what it has no name for is CLOSED, which is weighed alike."""
    known = {_NAMED[name] for name in CENSORED}
    labels = found.outcome.astype(np.int64)
    return np.where((labels > Outcome.STAYED) & ~np.isin(labels, sorted(known)), CENSORED["CLOSED"], labels)
