"""People in drawn queues, from start to reading of an experiment: only where rules allow, within capacity, proven, replayed."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from collections_opt.application.answers.capacity_evaluation import evaluate_capacity
from collections_opt.application.answers.placement_sentence import placement_sentence
from collections_opt.application.evidence.replay import ReplayOutcome
from collections_opt.application.evidence.standalone import verify_evidence
from collections_opt.application.experiments.planning import PlanQuestion
from collections_opt.application.rankings.command import RankingCommand
from collections_opt.core.actors import UNKNOWN
from collections_opt.core.day.events import Event, EventKind
from collections_opt.core.experiments.arms import Arm
from collections_opt.core.experiments.design import ArmKind, Scope
from collections_opt.core.experiments.power import OutcomeSpread
from collections_opt.core.experiments.recorded import offered
from collections_opt.core.problem.assignment import INELIGIBLE, UNASSIGNED, ignore_progress
from collections_opt.core.problem.constraints import RankingConstraints
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.ranking import Disposition
from tests.support.books.evidence_worlds import NOW, PLAN, Clock, opened, values
from tests.support.experiments.trials import DAY, alone, design, started

COUNT = 1_600
ROOMY = replace(PLAN, plan_id="roomy", queues=tuple(replace(queue, agents=queue.agents * 12) for queue in PLAN.queues))
NANO = 10**9
MADE = design(0.5, arm=ArmKind.RANDOM_QUEUE)


def ranked(workspace, ordering=Ordering.EXPECTED_VALUE, share=0.0, portfolio_id="p1"):
    constraints = RankingConstraints((), None, share)
    command = RankingCommand(str(uuid.uuid4()), portfolio_id, ROOMY.plan_id, 1, ordering, values(), "default", 7, constraints)
    return workspace.rank(command, ignore_progress)


def begun(folder, url="", clock=None):
    """Open a ledger with a book and an experiment that draws queues."""
    made = opened(folder, url, now=clock or (lambda: NOW))
    made.books.save_plan(ROOMY, None)
    made.books.import_portfolio("p1", alone(COUNT))
    started(made, "queues", MADE)
    return made


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def workspace(request, tmp_path_factory):
    folder, clock = tmp_path_factory.mktemp("drawn"), Clock()
    if request.param == "sqlite":
        made = begun(folder, clock=clock)
        yield made
        made.close()
        return
    with request.getfixturevalue("postgres_databases").taken() as url:
        made = begun(folder, url, clock)
        yield made
        made.close()


@pytest.fixture(scope="module")
def record(workspace):
    return ranked(workspace)


def test_who_is_drawn_is_worked_in_the_drawn_queue_or_nowhere_and_no_rule_or_minute_is_broken(workspace, record):
    entries, opened_one = workspace.recorded.entries(record), workspace.recorded.open(record.ranking_id)
    problem = opened_one.valued().problem
    drawn = entries.in_drawn_queue
    worked = drawn & (entries.queue != UNASSIGNED)
    assert 300 < drawn.sum() < 1_200
    assert worked.sum() > 100
    assert (entries.queue[worked] == entries.best_queue[worked]).all()
    assert (problem.value[np.flatnonzero(worked), entries.queue[worked]] != INELIGIBLE).all()
    assert (entries.surplus_minor[worked] >= 0).all()
    able = (problem.value != INELIGIBLE).sum(axis=1)
    there = np.bincount(entries.best_queue[drawn & (able == 2)], minlength=2)
    assert abs(there[0] - there.sum() / 2) < 4 * np.sqrt(there.sum() / 4)  # else prices would choose nearly always one
    chosen = np.bincount(entries.queue[(entries.arm == Arm.CONTACT) & (entries.queue != UNASSIGNED)], minlength=2)
    assert chosen.max() > 1.2 * chosen.min()
    assert (np.array(record.record["queue_seconds"]) <= np.array(record.record["capacity_seconds"])).all()
    persons = workspace.recorded.portfolio("p1").column("customer_id")
    _, first, counts = np.unique(persons, return_inverse=True, return_counts=True)
    assert (entries.experiment[counts[first] > 1] == 0).all()
    assert not (entries.disposition == Disposition.HELD_OUT).any()
    assert record.record["left_alone"][0]["held_out_count"] == int(drawn.sum())


def test_the_chance_of_every_decision_is_recorded(workspace, record):
    entries = workspace.recorded.entries(record)
    able = (workspace.recorded.open(record.ranking_id).valued().problem.value != INELIGIBLE).sum(axis=1)
    meant, worked = entries.intended_queue != UNASSIGNED, entries.queue != UNASSIGNED
    as_meant = worked & meant & (entries.queue == entries.intended_queue) & (entries.experiment == 1) & (able == 2)
    assert (entries.propensity_nano[as_meant] == 0.75 * NANO).all()
    elsewhere = entries.in_drawn_queue & worked & (entries.queue != entries.intended_queue) & (able == 2)
    assert elsewhere.any()
    assert (entries.propensity_nano[elsewhere] == 0.25 * NANO).all()
    nowhere = entries.in_drawn_queue & ~worked & meant & (able == 2)
    assert (entries.propensity_nano[nowhere] == 0.25 * NANO).all()
    assert (entries.propensity_nano[entries.experiment == 0] == NANO).all()


@pytest.mark.parametrize(("ordering", "share"), [("EXPECTED_VALUE", 0.0), ("EXPECTED_VALUE", 0.2), ("BALANCE", 0.0)])
def test_evidence_holds_and_the_ranking_can_be_made_again(workspace, ordering, share):
    made = ranked(workspace, Ordering(ordering), share)
    entries = workspace.recorded.entries(made)
    assert not (entries.explored.astype(bool) & (entries.experiment > 0)).any()
    assert (entries.experiment > 0).any() == (ordering == "EXPECTED_VALUE")
    verdict = workspace.evidence.verification.verify_ranking(made.ranking_id)
    assert all(check.holds for check in verdict.checks), verdict
    assert workspace.evidence.replays.replay(made.ranking_id).outcome is ReplayOutcome.BIT_IDENTICAL
    assert verify_evidence.check_archive(workspace.evidence.archive(made), workspace.evidence.proofs.vkey)


def test_explanations_placements_and_what_ifs_keep_to_the_drawn_queue(workspace, record):
    entries = workspace.recorded.entries(record)
    drawn = entries.in_drawn_queue
    two = (workspace.recorded.open(record.ranking_id).valued().problem.value != INELIGIBLE).sum(axis=1) == 2
    for worked, words in ((True, "Worked in"), (False, "Not worked: in")):
        row = int(np.flatnonzero(drawn & two & ((entries.queue != UNASSIGNED) == worked) & (entries.increment_minor > 0))[0])
        told = workspace.explanations.explain(record.ranking_id, entries.account_id[row].decode())
        assert told.sentence.startswith(words)
        assert "drew its queue at random" in told.sentence
        assert [queue.verdict for queue in told.queues].count("DRAWN_ELSEWHERE") >= 1
        assert told.queues[int(entries.best_queue[row])].verdict == ("WORKED_HERE" if worked else "PRICED_OUT")
    raw = alone(COUNT)
    richer = replace(raw, columns={**raw.columns, "balance_minor": raw.columns["balance_minor"] * 2})
    placed = workspace.placer.place(record.ranking_id, richer)
    inside = placed.placements.queue[drawn]
    assert np.isin(inside, [UNASSIGNED, *range(2)]).all()
    assert ((inside == UNASSIGNED) | (inside == entries.best_queue[drawn])).all()
    assert (inside != UNASSIGNED).any()
    row = int(np.flatnonzero(drawn & two & (placed.placements.queue != UNASSIGNED))[0])
    assert "drew its queue at random" in placement_sentence(placed, row)
    baseline = workspace.baselines.of_ranking(record.ranking_id)
    more = replace(baseline.answer.plan, queues=tuple(replace(q, agents=q.agents * 2) for q in baseline.answer.plan.queues))
    after = evaluate_capacity(baseline, more).after.assignment.queue[drawn]
    assert ((after == UNASSIGNED) | (after == entries.best_queue[drawn])).all()


def pay(workspace, entries):
    """Tell payments: 100.00 more of whom calls reach; of everybody who would have been worked, on the tenth day."""
    meant = np.flatnonzero(entries.intended_queue != UNASSIGNED)
    noise = np.random.default_rng(3).integers(0, 3_000, entries.queue.size)
    at = datetime(DAY.year, DAY.month, DAY.day, 15, tzinfo=UTC) + timedelta(days=10)
    amounts = 3_000 + noise + 10_000 * (entries.queue == 0)
    events = [
        Event(f"pay-{row}", EventKind.PAYMENT, at, entries.account_id[row].decode(), amount_minor=int(amounts[row]))
        for row in meant.tolist()
    ]
    workspace.now.at = NOW + timedelta(days=50)
    for start in range(0, len(events), 1_000):
        workspace.day.events.record(events[start : start + 1_000], UNKNOWN)


def test_queues_are_read_against_each_other_and_the_plan_says_what_it_costs(tmp_path):
    workspace = begun(tmp_path, clock=Clock())
    record = ranked(workspace)
    entries = workspace.recorded.entries(record)
    question = PlanQuestion(record.ranking_id, 0.5, 60, 30, Scope(), OutcomeSpread(3_000.0, 0.2), None, ArmKind.RANDOM_QUEUE)
    planned = workspace.trials.plan(question)
    held = workspace.trials.plan(replace(question, arm=ArmKind.HOLDOUT))
    assert 0 < planned.plan.cost.least_minor < held.plan.cost.least_minor  # a drawn queue is worth something
    pay(workspace, entries)
    found = workspace.readings.read("queues")
    (pair,) = found.reading.pairs
    assert [found.queue_ids[pair.first], found.queue_ids[pair.second]] == ["calls", "letters"]
    cash = next(each for each in pair.effects if each.outcome == "cash")
    assert cash.fixed_low < 10_000 < cash.fixed_high
    assert cash.effect == pytest.approx(10_000, rel=0.05)
    meant = entries.intended_queue != UNASSIGNED
    assert found.matured_count == int(meant.sum())
    assert found.reading.groups[0].held_out_count == int((meant & entries.in_drawn_queue).sum())
    assert not found.reading.draw_doubted
    assert found.contacted_count == 0
    assert 0 < found.predicted_cost_minor <= found.predicted_most_minor
    assert found.predicted_cost_minor == pytest.approx(planned.plan.cost.least_minor, rel=0.2)
    workspace.close()


def as_drawn(valued, rows, margin, workable):
    """Return cells as a record says them that keeps to the draw, whatever the solver was given."""
    closed = (valued.arms.arm[rows] == Arm.RANDOM_QUEUE)[:, np.newaxis]
    closed = closed & (offered(valued.problem, valued.arms).value[rows] == INELIGIBLE)
    return np.where(closed, -np.inf, margin), workable & ~closed


@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")
@pytest.mark.parametrize("told", [False, True])
def test_planted_somebody_is_worked_in_another_queue_and_every_verifier_says_so(tmp_path, monkeypatch, told):
    workspace = begun(tmp_path)
    monkeypatch.setattr("collections_opt.core.value.valued_accounts.offered", lambda problem, _arms: problem)
    if told:  # the record says which queue was drawn, and keeps to another
        monkeypatch.setattr("collections_opt.core.ranking.ranking._where_drawn", as_drawn)
    made = ranked(workspace)
    checks = workspace.evidence.verification.verify_ranking(made.ranking_id).checks
    assert [check.name for check in checks if not check.holds] == ["experiments"]
    assert "draws another queue" in next(check.sentence for check in checks if not check.holds)
    if told:
        with pytest.raises(verify_evidence.Refused, match="another queue than drawn"):
            verify_evidence.check_archive(workspace.evidence.archive(made), workspace.evidence.proofs.vkey)
    workspace.close()
