"""Readings from the ledger: people enter once, payments of their horizon count, stops and starts need two persons."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from collections_opt.application.experiments.planning import PlanQuestion
from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.resources.approved import ApprovalCommand
from collections_opt.application.resources.experiments import ExperimentState, NewExperiment, StopCommand, state_of
from collections_opt.application.training.draws import fresh_draws
from collections_opt.core.actors import UNKNOWN, Actor
from collections_opt.core.day.events import Event, EventKind
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.experiments.arms import Arm, person_keys
from collections_opt.core.experiments.design import Scope
from collections_opt.core.experiments.power import OutcomeSpread
from collections_opt.core.problem.assignment import UNASSIGNED, ignore_progress
from collections_opt.core.ranking.ordering import Ordering
from tests.support.books.evidence_worlds import NOW, PLAN, opened, values
from tests.support.experiments.trials import ANN, BEN, DAY, design, owned, started

ROOMY = replace(PLAN, plan_id="roomy", queues=tuple(replace(queue, agents=queue.agents * 40) for queue in PLAN.queues))
COUNT = 2_400


class Clock:
    at = NOW

    def __call__(self):
        return self.at


def ranked(workspace, portfolio_id):
    command = RankingCommand(str(uuid.uuid4()), portfolio_id, ROOMY.plan_id, 1, Ordering.EXPECTED_VALUE, values(), "greedy", 7)
    return workspace.rank(command, ignore_progress)


def pay(workspace, entries, clock):
    """Tell payments: contacted people pay 100 more than people left alone, on the tenth day; and one payment too late."""
    meant = entries.intended_queue != UNASSIGNED
    noise = np.random.default_rng(3).integers(0, 4_000, entries.arm.size)
    amounts = 3_000 + noise + 10_000 * (entries.arm == Arm.CONTACT)
    at = datetime(DAY.year, DAY.month, DAY.day, 15, tzinfo=UTC)
    names = entries.account_id[meant].tolist()
    events = [
        Event(f"pay-{name.decode()}", EventKind.PAYMENT, at + timedelta(days=10), name.decode(), amount_minor=int(amount))
        for name, amount in zip(names, amounts[meant].tolist(), strict=True)
    ]
    late = replace(events[0], event_id="late", occurred_at=at + timedelta(days=40), amount_minor=9_999_999)
    clock.at = NOW + timedelta(days=50)
    for start in range(0, len(events), 1_000):
        workspace.day.events.record(events[start : start + 1_000], UNKNOWN)
    workspace.day.events.record([late], UNKNOWN)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    clock = Clock()
    workspace = opened(tmp_path_factory.mktemp("read"), now=clock)
    workspace.books.save_plan(ROOMY, None)
    workspace.books.import_portfolio("p1", owned(COUNT))
    started(workspace, made=design(0.4))
    first = ranked(workspace, "p1")
    before = workspace.readings.read("holdout")
    entries = workspace.recorded.entries(first)
    pay(workspace, entries, clock)
    workspace.books.import_portfolio("p2", owned(COUNT, as_of=DAY + timedelta(days=45)))
    ranked(workspace, "p2")
    yield workspace, entries, before
    workspace.close()


def test_people_enter_once_and_are_read_when_their_horizon_has_passed(world):
    workspace, entries, before = world
    meant = entries.intended_queue != UNASSIGNED
    people = np.unique(person_keys(workspace.recorded.portfolio("p1"))[meant]).size
    assert (before.matured_count, before.waiting_count) == (0, people)
    assert "Too few people" in before.headline
    found = workspace.readings.read("holdout")
    assert found.matured_count == people
    assert found.waiting_count < people / 2  # who entered on the first day does not enter again


def test_who_enters_a_reading_is_whose_draw_teaches_effects(world):
    workspace, entries, _ = world
    records = workspace.ledger.rankings.before(None, 10)[::-1]
    fresh = fresh_draws(workspace, [record.ranking_id for record in records])
    people = [np.unique(person_keys(workspace.recorded.portfolio(r.portfolio_id))[fresh[r.ranking_id]]).size for r in records]
    found = workspace.readings.read("holdout")
    assert people == [found.matured_count, found.waiting_count]
    assert (fresh[records[0].ranking_id] == (entries.intended_queue != UNASSIGNED)).all()
    assert fresh_draws(workspace, [records[1].ranking_id]).keys() == fresh.keys()  # what is not named is read all the same


def test_the_effect_is_what_was_paid_within_the_horizon(world):
    workspace, entries, _ = world
    found = workspace.readings.read("holdout")
    cash = found.cash
    assert cash.effect == pytest.approx(10_000, rel=0.1)
    assert cash.anytime_low < cash.fixed_low < 10_000 < cash.fixed_high < cash.anytime_high
    assert cash.mean_held_out < 12_000  # what came after the horizon does not count
    meant = (entries.intended_queue != UNASSIGNED) & entries.held_out
    assert found.predicted_cost_minor == int(np.maximum(entries.surplus_minor[meant], 0).sum())
    assert found.predicted_cost_minor <= found.predicted_most_minor
    assert not found.is_final
    assert found.headline == "Contact brings in more cash than leaving people alone."
    queues = found.reading.groups[1:]
    assert sum(group.contact_count for group in queues) == found.reading.groups[0].contact_count
    assert not found.reading.draw_doubted


def test_a_restart_reads_the_same(world, tmp_path):
    workspace, _, _ = world
    assert workspace.readings.read("holdout") == workspace.readings.read("holdout")


def test_a_plan_says_what_it_shows_and_costs_from_a_ranking(world):
    workspace, entries, _ = world
    first = workspace.ledger.rankings.before(None, 10)[-1].ranking_id
    question = PlanQuestion(first, 0.2, 60, 30, Scope(), OutcomeSpread(30_000.0, 0.5), 3_000.0)
    planned = workspace.trials.plan(question)
    assert planned.worked_count >= np.unique(entries.person[entries.intended_queue != UNASSIGNED]).size * 0.9
    assert planned.plan.entering_count == planned.worked_count  # one ranking tells of no new people
    assert planned.protected_count > 0
    assert 0 < planned.plan.cost.least_minor <= planned.plan.cost.most_minor
    nowhere = workspace.trials.plan(replace(question, scope=Scope(portfolios=("elsewhere",))))
    assert (nowhere.worked_count, nowhere.plan.detectable_minor) == (0, None)
    measured = workspace.trials.plan(replace(question, spread=None))
    assert "measured on payments" in measured.spread_source
    assert 3_000 < measured.spread.standard_deviation_minor < 8_000
    with pytest.raises(CollectionsError) as refused:
        workspace.trials.plan(replace(question, spread=None, horizon_days=300))
    assert refused.value.violations[0].field == "standard_deviation"


@pytest.fixture
def empty(tmp_path):
    workspace = opened(tmp_path)
    yield workspace.experiments
    workspace.close()


def test_who_creates_does_not_start_and_what_is_started_is_not_changed(empty):
    saved = empty.create(NewExperiment("e", design(), request_id=str(uuid.uuid4())), ANN)
    assert state_of(saved, DAY) is ExperimentState.DRAFT
    assert empty.in_force(DAY, "p1", "any") == ()
    with pytest.raises(CollectionsError) as refused:
        empty.start(ApprovalCommand("e", 1), ANN)
    assert refused.value.reason is Reason.PERMISSION_DENIED
    second = empty.create(NewExperiment("e", design(0.1), saved.version.etag), ANN)
    held = empty.start(ApprovalCommand("e", second.version.version), BEN)
    assert [each.name for each in empty.in_force(DAY, "p1", "any")] == ["e/2"]
    assert empty.in_force(DAY - timedelta(days=1), "p1", "any") == ()
    with pytest.raises(CollectionsError) as refused:
        empty.create(NewExperiment("e", design(0.3), held.version.etag), ANN)
    assert refused.value.reason is Reason.RESOURCE_STATE_CONFLICT
    with pytest.raises(CollectionsError) as refused:
        empty.start(ApprovalCommand("e", 1), BEN)
    assert refused.value.reason is Reason.RESOURCE_STATE_CONFLICT


def test_two_that_somebody_could_be_in_do_not_run_together(empty):
    for name, scope in (("a", Scope()), ("b", Scope(products=("LOAN",))), ("c", Scope(products=("LOAN",)))):
        empty.create(NewExperiment(name, design(scope=scope)), ANN)
    empty.start(ApprovalCommand("b", 1), BEN)
    for name in ("a", "c"):
        with pytest.raises(CollectionsError) as refused:
            empty.start(ApprovalCommand(name, 1), BEN)
        assert refused.value.violations[0].field == "scope"
    stop = StopCommand("b", DAY + timedelta(days=5), "enough", self_approved=True, request_id=str(uuid.uuid4()))
    stopped = empty.stop(stop, BEN)
    assert state_of(stopped, DAY) is ExperimentState.STOPPED
    later = design(scope=Scope(products=("LOAN",)), starts_on=DAY + timedelta(days=5))
    empty.create(NewExperiment("d", later), ANN)
    empty.start(ApprovalCommand("d", 1), BEN)


def test_a_stop_needs_two_persons_and_leaves_earlier_days_as_they_were(empty):
    empty.create(NewExperiment("e", design()), ANN)
    empty.start(ApprovalCommand("e", 1), BEN)
    day = DAY + timedelta(days=9)
    saved = empty.stop(StopCommand("e", day, "decided"), ANN)
    assert [each.name for each in empty.in_force(day, "p", "any")] == ["e/1"]
    for by, reason in ((ANN, Reason.PERMISSION_DENIED),):
        with pytest.raises(CollectionsError) as refused:
            empty.stop(StopCommand("e", version=saved.version.version), by)
        assert refused.value.reason is reason
    empty.stop(StopCommand("e", version=saved.version.version), BEN)
    assert empty.in_force(day, "p", "any") == ()
    assert [each.name for each in empty.in_force(day - timedelta(days=1), "p", "any")] == ["e/1"]
    with pytest.raises(CollectionsError) as refused:
        empty.stop(StopCommand("e", day, "again"), ANN)
    assert refused.value.reason is Reason.RESOURCE_STATE_CONFLICT


def test_a_stop_before_the_first_day_leaves_nobody_alone(empty):
    empty.create(NewExperiment("e", design(starts_on=DAY + timedelta(days=30))), ANN)
    empty.start(ApprovalCommand("e", 1), BEN)
    stop = StopCommand("e", DAY, "not wanted", self_approved=True, request_id=str(uuid.uuid4()))
    empty.stop(stop, Actor("Ann"))
    assert empty.in_force(DAY + timedelta(days=31), "p", "any") == ()


def test_a_salt_follows_from_the_request_so_that_a_repeated_one_is_the_same(empty):
    request = NewExperiment("e", design(salt=""), request_id=str(uuid.uuid4()))
    assert empty.create(request, ANN).content.salt == empty.create(request, ANN).content.salt
    other = empty.create(NewExperiment("f", design(salt=""), request_id=str(uuid.uuid4())), ANN)
    assert other.content.salt != empty.create(request, ANN).content.salt
