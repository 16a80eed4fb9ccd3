"""Monitors: each matured ranking held against what it predicted, by model, product, bucket and queue, with alarms over time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.outcomes.challengers import Happened, challengers_of
from collections_opt.application.outcomes.figures import cell_figures
from collections_opt.application.outcomes.maturity import MOST_RANKINGS, Maturities, Maturity
from collections_opt.application.rankings.opened_ranking import OpenedRanking
from collections_opt.application.rankings.recorded_rankings import RecordedRankings
from collections_opt.application.records.monitor_facts import CellFigures, Figure, MonitorFacts
from collections_opt.application.records.recorder import Recorder
from collections_opt.core.accounts.persons import persons_of
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.actors import UNKNOWN, Actor
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.outcomes.alarms import TILTS, followed, found_within, shares, thresholds
from collections_opt.core.outcomes.matured import MaturedOutcomes
from collections_opt.core.outcomes.terms import OutcomeTerms
from collections_opt.core.problem.assignment import UNASSIGNED
from collections_opt.core.rules.eligibility import bucket_of
from collections_opt.core.value.decided import DecidedChances, decided_chances
from collections_opt.core.value.outcomes import CURE, DEFAULT
from collections_opt.core.wanted import require_wanted
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.records import OutcomeKind
from collections_opt.scoring.evaluation.probabilities import bootstrap_share
from collections_opt.scoring.outcome.weights import weights_by_time

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

JUDGED = {"cure": CURE, "default": DEFAULT}
"""Outcomes that alarms read."""

CONTACT = "contact"
SEED, DRAWS = 1, 100


class Monitors:
    """Lets rankings mature and holds them against what they predicted.

    Args:
        ledger: the records.
        recorder: signs the log.
        recorded: recorded rankings.
        maturities: outcomes.
        now: the clock.
    """

    def __init__(
        self,
        ledger: Ledger,
        recorder: Recorder,
        recorded: RecordedRankings,
        maturities: Maturities,
        now: Callable[[], datetime],
    ) -> None:
        self._ledger = ledger
        self._recorder = recorder
        self._recorded = recorded
        self.maturities = maturities
        self._now = now
        self.on_recorded: Callable[[MonitorFacts], object] = lambda _facts: None

    def mature(
        self, ranking_ids: Sequence[str], terms: OutcomeTerms, later_portfolio_ids: Sequence[str] = (), actor: Actor = UNKNOWN
    ) -> list[Maturity]:
        """Let rankings mature, those that are due where none is named, and hold each against what it predicted.

        Raises:
            CollectionsError: as ``Maturities.mature``.
        """
        if ranking_ids:
            done = [self.maturities.mature(one, terms, later_portfolio_ids, actor) for one in ranking_ids]
        else:
            done = self.maturities.mature_due(terms, actor)
            self._observe_missed(actor)
        for one in sorted(done, key=lambda maturity: (maturity.as_of_date, maturity.seq)):
            self.observe(one.ranking_id, actor)
        return done

    def _observe_missed(self, actor: Actor) -> None:
        """Hold the latest matured rankings against what they predicted that a server ended before it came to."""
        for record in reversed(self._ledger.outcomes.latest(OutcomeKind.MATURITY, MOST_RANKINGS)):
            if self._ledger.outcomes.last(OutcomeKind.MONITOR, record.ranking_id) is None:
                self.observe(record.ranking_id, actor)

    def observe(self, ranking_id: str, actor: Actor = UNKNOWN) -> MonitorFacts:
        """Hold a matured ranking against what it predicted; what was found of the same outcomes before is found again.

        Raises:
            CollectionsError: NOT_FOUND; RANKING_NOT_MATURE.
        """
        maturity, found = self.maturities.latest(ranking_id)
        before = self._ledger.outcomes.last(OutcomeKind.MONITOR, ranking_id)
        if before is not None:
            held = MonitorFacts.of(before)
            if held.maturity_seq == maturity.seq:
                return held
        require_wanted()
        facts = self._judged(_found_of(self._recorded.open(ranking_id), maturity, found))
        about = (OutcomeKind.MONITOR, facts.portfolio_id, ranking_id)
        self._ledger.outcomes.add(*about, facts.to_payload(), "", self._now(), actor)
        self._recorder.publish()
        self.on_recorded(facts)
        return facts

    def all(self, model_version: str = "", plan_id: str = "") -> list[MonitorFacts]:
        """Return the last monitor of every ranking, by day: of a model, of a desk, or of all."""
        latest = {record.ranking_id: MonitorFacts.of(record) for record in self._ledger.outcomes.every(OutcomeKind.MONITOR)}
        kept = [m for m in latest.values() if model_version in ("", m.model_version) and plan_id in ("", m.plan_id)]
        return sorted(kept, key=lambda facts: (facts.as_of_date, facts.ranking_id))

    def last(self) -> MonitorFacts | None:
        """Return what was found last, None before anything was."""
        record = self._ledger.outcomes.last(OutcomeKind.MONITOR)
        return MonitorFacts.of(record) if record else None

    def _judged(self, facts: MonitorFacts) -> MonitorFacts:
        """Return facts with what overlaps them, else with the evidence so far and its alarms."""
        others = [one for one in self.all(facts.model_version, facts.plan_id) if one.ranking_id != facts.ranking_id]
        counted = [one for one in others if one.is_counted]
        overlapping = next((one.ranking_id for one in counted if _overlap(one, facts)), "")
        if overlapping:
            return replace(facts, overlaps=overlapping)
        return replace(facts, cells=tuple(_alarmed([one for one in counted if one.as_of_date < facts.as_of_date], facts)))


def _overlap(one: MonitorFacts, other: MonitorFacts) -> bool:
    first, second = sorted((one, other), key=lambda facts: facts.as_of_date)
    return second.as_of_date <= first.as_of_date + timedelta(days=first.horizon_days)


def _alarmed(earlier: Sequence[MonitorFacts], facts: MonitorFacts) -> Iterator[CellFigures]:
    """Yield the cells with the evidence of all months; a cell keeps the place among its dimension's that it first had."""
    months = [*earlier, facts]
    places: dict[tuple[str, str], int] = {}
    for month in months:
        for dimension, value in sorted({(cell.dimension, cell.value) for cell in month.cells}):
            if (dimension, value) not in places:
                places[dimension, value] = sum(key[0] == dimension for key in places)
    nothing = (0.0,) * len(TILTS)
    judged = [cell for cell in facts.cells if cell.evidence]
    share = shares([(cell.dimension, places[cell.dimension, cell.value]) for cell in judged], len(JUDGED))
    bars = thresholds(share)
    by_month = [{cell.key: cell.evidence or nothing for cell in month.cells} for month in months]
    evidence = [np.array([held.get(cell.key, nothing) for cell in judged]).reshape(-1, len(TILTS)) for held in by_month]
    level, alarm = followed(evidence, bars)
    told = {
        cell.key: replace(
            cell,
            level_log=float(np.log(max(level[-1][at], 1e-200))),
            threshold_log=float(np.log(bars[at])),
            findable_odds=found_within(_variance(cell), 2, float(share[at])),
            alarm=bool(alarm[-1][at]),
        )
        for at, cell in enumerate(judged)
    }
    for cell in facts.cells:
        yield told.get(cell.key, cell)


def _variance(cell: CellFigures) -> float:
    """Return about the sum of p (1 - p) over the accounts of a cell; at most that of equal chances."""
    return 0.0 if np.isnan(cell.predicted) else cell.account_count * cell.predicted * (1.0 - cell.predicted)


def _found_of(opened: OpenedRanking, maturity: Maturity, found: MaturedOutcomes) -> MonitorFacts:
    """Return what a ranking's predictions were and what happened, with no alarms yet."""
    facts, portfolio = opened.facts, opened.portfolio
    if not np.array_equal(found.account_id, opened.entries.account_id):
        remedy = "Let the ranking mature again."
        raise refuse(Reason.RANKING_NOT_MATURE, "ranking_id", "accounts were erased while it was read.", remedy)
    predicted = _predicted(opened)
    weight = None
    if found.is_censored.any():
        weight = np.zeros(found.day.size)
        for horizon in np.unique(found.horizon).tolist():
            mine = found.horizon == horizon
            weight[mine] = weights_by_time(found.day[mine].astype(np.int64), found.is_censored[mine])
    one_each = _first_of_each_person(portfolio)
    cells: list[CellFigures] = []
    for dimension, value, mine in _parts(opened, portfolio):
        chances = predicted.without if dimension == "unworked" else predicted.decided
        mine_weight = None if weight is None else weight[mine]
        for name, column in JUDGED.items():
            happened = found.outcome[mine] == column
            cells.append(cell_figures((dimension, value, name), chances[mine, column], happened, mine_weight, one_each[mine]))
        if dimension == "queue":
            tried = mine & (found.contacts > 0)
            if tried.any():
                key = (dimension, value, CONTACT)
                cells.append(cell_figures(key, predicted.rpc_rate[tried], found.reached[tried].astype(bool), None, None))
    return MonitorFacts(
        maturity.seq,
        maturity.ranking_id,
        maturity.portfolio_id,
        maturity.as_of_date,
        int(found.horizon.max(initial=0)),
        facts.inputs.plan_id,
        facts.answer.model_version,
        facts.beside.effects.version,
        "",
        int(found.is_censored.sum()),
        _captured(opened, found),
        tuple(cells),
        challengers_of(Happened(opened, predicted, found, weight)),
    )


def _parts(opened: OpenedRanking, portfolio: Portfolio) -> Iterator[tuple[str, str, Mask]]:
    """Yield the parts of the accounts by dimension; whom another plan works, this ranking said nothing of."""
    queue, own = opened.entries.queue, ~opened.entries.of_other_plan
    yield "all", "", own
    yield "unworked", "", own & (queue == UNASSIGNED)
    product, bucket = portfolio.column("product"), bucket_of(portfolio.column("days_past_due"))
    for code in np.unique(product[own]).tolist():
        yield "product", code.decode(), own & (product == code)
    for number in np.unique(bucket[own]).tolist():
        yield "bucket", str(number), own & (bucket == number)
    for index, one in enumerate(opened.plan.queues):
        mine = queue == index
        if mine.any():
            yield "queue", one.queue_id, mine


def _predicted(opened: OpenedRanking) -> DecidedChances:
    """Return the chances as they were recorded, and those of worked accounts as their queue was said to change them."""
    entries, plan = opened.entries, opened.plan
    effects = opened.learned.effects_of(opened.portfolio, plan)
    return decided_chances(opened.outcomes().probability, effects, plan, opened.parameters, entries.queue, entries.attempts)


def _first_of_each_person(portfolio: Portfolio) -> Mask:
    """Return one account of each person, bool (n,), by id alone: outcomes of one person's accounts go together."""
    persons = persons_of(portfolio)
    if persons is None:
        return np.ones(portfolio.account_count, dtype=bool)
    first = np.zeros(portfolio.account_count, dtype=bool)
    first[persons.order[persons.start[:-1]]] = True
    return first


def _captured(opened: OpenedRanking, found: MaturedOutcomes) -> Mapping[str, Figure]:
    """Return the share of the money paid that is held by as many accounts as were worked, by order; empty without money.

    It says where money was, not what work brought: accounts may have paid because they were worked.
    """
    known = (found.cash_minor >= 0) & ~opened.entries.of_other_plan
    cash = found.cash_minor[known].astype(np.float64)
    worked = opened.entries.queue[known] != UNASSIGNED
    if not worked.any() or cash.sum() <= 0:
        return {}
    keys = {
        "worked": worked.astype(np.float64),
        "balance": opened.portfolio.column("balance_minor")[known].astype(np.float64),
        "hindsight": cash,
    }
    share = float(worked.mean())
    found_shares = {
        name: bootstrap_share(cash, cash, np.argsort(-key, kind="stable"), share, SEED, DRAWS) for name, key in keys.items()
    }
    return {name: Figure(one.value, one.low, one.high) for name, one in found_shares.items()}
