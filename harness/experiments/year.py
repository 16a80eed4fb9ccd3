"""A year of a simulated lender run by the product through its API: it learns from its own holdout, and its money is counted.

Each month: the book is imported and ranked, the first accounts of every queue are leased and the rest of each worklist is worked,
contacts, payments and outcomes are told as events, the month before matures, models are trained by the service and adopted, and
the next month comes about by what was decided. Beside it, on the same book of each month: a server that never learns, the order
of balances, and an oracle that knows every true effect. Money is the true expected increment of whoever is contacted before the
queue's minutes are really used up; the learner pays for its holdout.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from collections_opt.api.v1 import event_pb2, ranking_pb2
from collections_opt.api.v1.capacity_plan_pb2 import EVIDENCE_GRADE_EXPERIMENT
from collections_opt.api.v1.capacity_service_pb2 import CreateCapacityPlanRequest
from collections_opt.application.settings import bundled_rules
from collections_opt.client.exports import export_entries
from collections_opt.client.outcomes import mature_rankings
from collections_opt.client.portfolios import import_portfolio
from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.portfolio import Portfolio, RawPortfolio
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.models.lifecycle import ModelKind
from collections_opt.core.outcomes.terms import EVERY_OTHER, OutcomeTerms, ProductTerms
from collections_opt.core.problem.assignment import UNASSIGNED, AssignmentProblem, SolveOptions
from collections_opt.core.ranking.ranking import Entries
from collections_opt.core.rules.eligibility import evaluate
from collections_opt.core.value.outcomes import CURE, DEFAULT
from collections_opt.core.value.payoffs import ValueParameters
from collections_opt.core.value.valuation import whole_seconds
from collections_opt.datasets.roll_rates import measured_parameters
from collections_opt.datasets.simulated_lender import desk_plan
from collections_opt.datasets.simulated_lender.truth import PotentialOutcomes
from collections_opt.datasets.simulated_lender.worlds import world
from collections_opt.solvers import SOLVERS
from collections_opt.wire.plans import write_plan
from harness.experiments.desk_by_api import Clock, DeskByApi, desk_by_api
from harness.experiments.living import Came, LivingLender
from harness.worlds.lab import GAP_TARGET, WORLD_VALUE, money_of, worked_in_time

HORIZON_DAYS = 27
"""Shorter than every month, so that no horizon overlaps the next."""
TERMS = OutcomeTerms({EVERY_OTHER: ProductTerms(HORIZON_DAYS, 3_000)}, grace_days=7)
"""Default is what an event says: the world charges off."""
OWN_FROM = 4
"""The first month at which three rankings have matured, which an outcome model of the lender's own needs."""
EFFECTS_FROM = 3
"""The first month at which the holdout is large enough to measure anything."""
NOON = time(17)
"""UTC; lawful hours in every zone of the world."""
POLICIES = ("learning", "no learning", "balance", "oracle")


@dataclass(frozen=True)
class YearSize:
    """How large a year is.

    Attributes:
        book: accounts of the lender; about a tenth are late at a month end.
        months: months lived.
        share: of would-be-worked people who are left alone.
        experiment_months: months for which they are; afterwards everybody is worked, and what was learned stays.
        drawn_months: months that one experiment takes; the next draws everybody afresh.
        capacity: share of the late accounts that all queues have time for.
        leased: accounts of each queue that are leased; the rest of a worklist is worked as a list.
        outcome_every: months between two outcome models of the lender's own, from the fourth month on; 0 learns none.
        world: how people behave, by name (``simulated_lender.worlds``).
    """

    book: int = 40_000
    months: int = 12
    share: float = 0.2
    experiment_months: int = 6
    drawn_months: int = 3
    capacity: float = 0.2
    leased: int = 50
    outcome_every: int = 2
    world: str = "segments"


@dataclass(frozen=True)
class YearMonth:
    """One month: money by policy in minor units, and what decided.

    Attributes:
        number: 1 first.
        money: by name of ``POLICIES``.
        experiment_share: share of the stated money whose effects rest on an experiment.
        model: outcome model that scored.
        effects: where contact effects came from.
        late: accounts of the book.
        worked: accounts contacted.
        held_out: accounts left alone.
        told: events told.
        not_learned: why a model could not be learned, "" where each could or none was due.
    """

    number: int
    money: dict[str, float]
    experiment_share: float
    model: str
    effects: str
    late: int
    worked: int
    held_out: int
    told: int
    not_learned: str


def live_year(folder: Path, seed: int, size: YearSize) -> Iterator[YearMonth]:
    """Yield the months of a year as they are lived, over two servers in a folder."""
    lender = world(size.world).lender(seed, size.book, randomised_share=0.0)
    living = LivingLender(lender)
    values = _own_values(seed, size)
    plan = desk_plan(size.capacity * 0.1 * size.book, lender.month_end(0))
    clock = Clock(_noon(lender.month_end(0)))
    with desk_by_api(folder / "learning", clock) as desk, desk_by_api(folder / "frozen", clock) as frozen:
        for each in (desk, frozen):
            each.client.capacity.CreateCapacityPlan(CreateCapacityPlanRequest(capacity_plan=write_plan(plan)))
            each.save_values(values)
        for number in range(1, size.months + 1):
            clock.at = _noon(lender.month_end(number - 1))
            if number in range(1, size.experiment_months + 1, size.drawn_months):
                last = min(number + size.drawn_months - 1, size.experiment_months)
                days = (lender.month_end(last - 1) - lender.month_end(number - 1)).days
                people = max(round(size.capacity * 0.1 * size.book * (last - number + 1) / 2), 1)
                desk.start_experiment(f"holdout-{number:02d}", size.share, days, HORIZON_DAYS, people)
            yield _month(desk, frozen, living, plan, number, size)


def _month(
    desk: DeskByApi, frozen: DeskByApi, living: LivingLender, plan: CapacityPlan, number: int, size: YearSize
) -> YearMonth:
    raw, name = living.portfolio(), f"month-{number:02d}"
    for each in (desk, frozen):
        import_portfolio(each.client, name, raw)
    why = ""
    if number > 1:
        mature_rankings(desk.client, TERMS)
        why = _learn(desk, number, size)
    ranking = desk.rank(name, plan.plan_id)
    orders = {"learning": ranking, "no learning": frozen.rank(name, plan.plan_id)}
    orders["balance"] = frozen.rank(name, plan.plan_id, "ORDERING_BALANCE")
    scene = _Scene.of(raw, living.truth(plan), plan)
    entries = {policy: export_entries(desk.client if policy == "learning" else frozen.client, o) for policy, o in orders.items()}
    worked = {policy: scene.worked(found) for policy, found in entries.items()}
    money = {policy: scene.money(*who) for policy, who in worked.items()} | {"oracle": scene.oracle()}
    queue, _ = worked["learning"]
    told, contacted = _work(desk, ranking, scene, worked["learning"], size.leased, scene.reached(living, queue))
    came = living.settle(scene.by_raw(queue), scene.by_raw(contacted))
    told += _tell(desk, scene, came)
    by_grade = {one.grade: one.money_share for one in ranking.evidence}
    return YearMonth(
        number,
        money,
        by_grade.get(EVIDENCE_GRADE_EXPERIMENT, 0.0),
        ranking.inputs.model_version,
        ranking.inputs.effects_version,
        scene.portfolio.account_count,
        int(contacted.sum()),
        ranking.counts.held_out_count,
        told,
        why,
    )


@dataclass(frozen=True)
class _Scene:
    """A month's book with its truth, by the rows of the portfolio; ``row`` is each account's row as it was imported."""

    portfolio: Portfolio
    truth: PotentialOutcomes
    plan: CapacityPlan
    row: NDArray[np.int64]

    @classmethod
    def of(cls, raw: RawPortfolio, truth: PotentialOutcomes, plan: CapacityPlan) -> _Scene:
        portfolio = admit(raw).portfolio
        ids = truth.account_id
        order = np.argsort(ids)
        row = order[np.searchsorted(ids[order], portfolio.column("account_id"))]
        names = PotentialOutcomes.__dataclass_fields__
        return cls(portfolio, PotentialOutcomes(**{name: getattr(truth, name)[row] for name in names}), plan, row)

    @property
    def seconds(self) -> NDArray[np.int32]:
        """Whole seconds that contact really takes, (n, q)."""
        return np.column_stack([whole_seconds(column) for column in self.truth.minutes.T])

    def worked(self, entries: Entries) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
        """Return the queue of each account, and whom the queue gets to before its minutes are really used up."""
        minutes = self.seconds[np.arange(entries.queue.size), np.maximum(entries.queue, 0)] / 60.0
        return entries.queue, worked_in_time(entries.queue, entries.priority, minutes, self.plan.capacity_seconds / 60.0)

    def money(self, queue: NDArray[np.int16], contacted: NDArray[np.bool_]) -> float:
        """Return the true expected increment of whoever is contacted."""
        return float(self.truth.increment_minor[np.flatnonzero(contacted), queue[contacted]].sum())

    def oracle(self) -> float:
        """Return the money of the assignment that knows the truth, under the same rules and time; it may call a person twice."""
        blocked = evaluate(self.portfolio, self.plan, bundled_rules()).blocked_by
        problem = AssignmentProblem(money_of(self.truth.increment_minor, blocked), self.seconds, self.plan.capacity_seconds)
        answer = SOLVERS["pricing"](problem, SolveOptions(gap_target=GAP_TARGET))
        return self.money(answer.queue, answer.queue != UNASSIGNED)

    def reached(self, living: LivingLender, queue: NDArray[np.int16]) -> NDArray[np.bool_]:
        """Return whom a contact by the queue of each account would reach, bool (n,)."""
        return living.would_reach(self.by_raw(queue))[self.row]

    def by_raw(self, column: NDArray[np.generic]) -> NDArray[np.generic]:
        """Return a column in the order of the book as it was imported; who was refused at the door is worked by nobody."""
        found = np.full(self.row.size, 0, dtype=column.dtype)
        found[self.row] = column
        return found


def _work(
    desk: DeskByApi,
    ranking: ranking_pb2.Ranking,
    scene: _Scene,
    meant: tuple[NDArray[np.int16], NDArray[np.bool_]],
    leased: int,
    reached: NDArray[np.bool_],
) -> tuple[int, NDArray[np.bool_]]:
    """Lease the first accounts of each queue, work the rest of its list; return events told and who was contacted."""
    queue, in_time = meant
    ids = scene.portfolio.column("account_id")
    contacted, told = np.zeros(ids.size, dtype=bool), 0
    for index, each in enumerate(scene.plan.queues):
        rows = np.flatnonzero((queue == index) & in_time)
        names = {ids[row].decode(): bool(reached[row]) for row in np.flatnonzero(queue == index).tolist()}
        done = desk.work_leased(ranking.ranking_id, each.queue_id, min(leased, rows.size), names)
        contacted[np.isin(ids, np.array(done, dtype=ids.dtype))] = True
        rest = rows[~contacted[rows]]
        told += len(done) + desk.tell(
            [desk.contact(ids[row].decode(), each.queue_id, bool(reached[row])) for row in rest.tolist()]
        )
        contacted[rest] = True
    return told, contacted


def _tell(desk: DeskByApi, scene: _Scene, came: Came) -> int:
    """Tell payments and outcomes on their days; return how many events were recorded."""
    ids, start = scene.portfolio.column("account_id"), desk.clock()
    desk.clock.at = start + timedelta(days=HORIZON_DAYS - 1)
    outcome, cash = came.outcome[scene.row], came.cash[scene.row]
    events = []
    for row in np.flatnonzero(cash > 0).tolist():
        payment = event_pb2.Payment(amount_minor_units=int(cash[row]))
        events.append(desk.event(ids[row].decode(), "payment", start + timedelta(days=10), payment=payment))
    for code, told, day in (
        (CURE, event_pb2.OUTCOME_CODE_CURED, 12),
        (DEFAULT, event_pb2.OUTCOME_CODE_CHARGED_OFF, 20),
    ):
        for row in np.flatnonzero(outcome == code).tolist():
            left = event_pb2.AccountOutcome(outcome=told)
            events.append(desk.event(ids[row].decode(), "outcome", start + timedelta(days=day), outcome=left))
    return desk.tell(events)


def _learn(desk: DeskByApi, number: int, size: YearSize) -> str:
    """Learn what is due, and return what could not be.

    In the second and third month the shipped outcome model is recalibrated and serves. Models of the lender's own score in its
    shadow, and serve once a matured ranking had them better. Effects are learned and serve each month from the third on.
    """
    failed = {}
    if size.outcome_every and number < OWN_FROM:
        failed[ModelKind.OUTCOME] = desk.learn(ModelKind.OUTCOME, f"outcome-{number:02d}")
    elif size.outcome_every:
        desk.promote_what_was_better()
        if (number - OWN_FROM) % size.outcome_every == 0:
            failed[ModelKind.OUTCOME] = desk.learn(ModelKind.OUTCOME, f"outcome-{number:02d}", shadow=True)
    if number >= EFFECTS_FROM:
        failed[ModelKind.EFFECT] = desk.learn(ModelKind.EFFECT, f"effect-{number:02d}")
    return "; ".join(f"{kind.value}: {why}" for kind, why in failed.items() if why)


def _own_values(seed: int, size: YearSize) -> ValueParameters:
    """Return values measured on three months of another lender of the same world, as a lender measures them on its past."""
    past = world(size.world).lender(seed + 1_000, size.book).history([0, 1, 2])
    return measured_parameters(WORLD_VALUE, [month.snapshot for month in past], [month.recovery_minor for month in past])


def _noon(day: date) -> datetime:
    return datetime.combine(day, NOON, UTC)
