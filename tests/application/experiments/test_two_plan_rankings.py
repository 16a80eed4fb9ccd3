"""Two plans that share the work, from start to reading: nobody worked by both, refusals, evidence, replays, planted faults."""

import uuid
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from collections_opt.application.answers.capacity_evaluation import evaluate_capacity
from collections_opt.application.answers.placement_sentence import placement_sentence
from collections_opt.application.evidence.replay import ReplayOutcome
from collections_opt.application.evidence.standalone import verify_evidence
from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.resources.approved import ApprovalCommand
from collections_opt.application.resources.experiments import NewExperiment, StopCommand
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.evaluation.fair_treatment import fair_treatment
from collections_opt.core.experiments.arms import Arm, person_keys
from collections_opt.core.problem.assignment import UNASSIGNED
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.purpose import RankingPurpose
from collections_opt.core.ranking.ranking import Disposition
from tests.support.books.evidence_worlds import PLAN, values
from tests.support.experiments.trials import ANN, BEN, DAY, design, owned
from tests.support.experiments.two_plans import COUNT, MADE, OURS, THEIRS, begun, by_balance, of_both, ranked, stored

NANO = 10**9


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def workspace(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("two-plans")
    if request.param == "sqlite":
        made = begun(folder)
        yield made
        made.close()
        return
    with request.getfixturevalue("postgres_databases").taken() as url:
        made = begun(folder, url)
        yield made
        made.close()


@pytest.fixture(scope="module")
def records(workspace):
    """The plan as it is works by balance, the challenger's by expected value."""
    return by_balance(workspace), ranked(workspace, THEIRS.plan_id)


def test_each_person_is_worked_by_one_plan_within_its_minutes_and_the_other_is_told(workspace, records):
    ours, theirs = of_both(workspace, records)
    assert (ours.kept_out ^ theirs.kept_out).all()
    assert not (ours.held_out | theirs.held_out).any()
    keys = person_keys(workspace.recorded.portfolio("p1"))
    people = [set(keys[entries.queue != UNASSIGNED].tolist()) for entries in (ours, theirs)]
    assert min(map(len, people)) > 30
    assert not people[0] & people[1]
    vulnerable = workspace.recorded.portfolio("p1").column("vulnerable").astype(bool)
    assert {Arm.CONTACT, Arm.OTHER_PLAN} == set(ours.arm[vulnerable].tolist())
    for record, entries in zip(records, (ours, theirs), strict=True):
        told = entries.disposition == Disposition.OTHER_PLAN
        assert np.array_equal(told, entries.arm == Arm.OTHER_PLAN)
        assert record.record["counts"]["OTHER_PLAN"] == int(told.sum())
        assert record.record["left_alone"][0]["held_out_count"] == int(told.sum())
        assert record.record["left_alone"][0]["surplus_minor"] == 0
        assert (np.array(record.record["queue_seconds"]) <= np.array(record.record["capacity_seconds"])).all()
        assert (entries.propensity_nano == NANO).all()  # the plan's own chance: nothing else was drawn
        row = int(np.flatnonzero(told)[0])
        sentence = workspace.explanations.explain(record.ranking_id, entries.account_id[row].decode()).sentence
        other = THEIRS.plan_id if record is records[0] else OURS.plan_id
        assert f"plan {other}" in sentence
        assert "not left alone" in sentence


@pytest.mark.parametrize(("ordering", "reserve"), [("EXPECTED_VALUE", 0.0), ("EXPECTED_VALUE", 0.2), ("BALANCE", 0.0)])
def test_evidence_holds_and_the_ranking_can_be_made_again(workspace, ordering, reserve):
    for plan_id in (OURS.plan_id, THEIRS.plan_id):
        made = ranked(workspace, plan_id, "p1", Ordering(ordering), RankingPurpose.WORK, reserve)
        entries = workspace.recorded.entries(made)
        assert not (entries.explored.astype(bool) & entries.kept_out).any()
        verdict = workspace.evidence.verification.verify_ranking(made.ranking_id)
        assert all(check.holds for check in verdict.checks), verdict
        told = " ".join(check.sentence for check in verdict.checks if check.name == "experiments")
        assert "Nobody of the other plan" in told
        assert f"accounts worked by {THEIRS.plan_id if plan_id == OURS.plan_id else OURS.plan_id}" in told
        assert workspace.evidence.replays.replay(made.ranking_id).outcome is ReplayOutcome.BIT_IDENTICAL
        assert verify_evidence.check_archive(workspace.evidence.archive(made), workspace.evidence.proofs.vkey)


def test_placements_and_what_ifs_keep_the_other_plans_people_out_and_fair_treatment_counts_no_neglect(workspace, records):
    record, entries = records[1], workspace.recorded.entries(records[1])
    raw = owned(COUNT)
    richer = replace(raw, columns={**raw.columns, "balance_minor": raw.columns["balance_minor"] * 2})
    placed = workspace.placer.place(record.ranking_id, richer)
    assert (placed.placements.queue[entries.of_other_plan] == UNASSIGNED).all()
    assert (placed.placements.queue != UNASSIGNED).any()
    row = int(np.flatnonzero(entries.of_other_plan)[0])
    assert f"plan {OURS.plan_id}" in placement_sentence(placed, row)
    renamed = {**raw.columns, "account_id": np.array([f"N-{k}" for k in range(COUNT)], dtype=object)}
    new = workspace.placer.place(
        record.ranking_id, replace(richer, columns=renamed | {"balance_minor": richer.columns["balance_minor"]})
    )
    named = dict(zip(person_keys(workspace.recorded.portfolio("p1")).tolist(), entries.arm.tolist(), strict=True))
    for key, disposition in zip(person_keys(new.valued.portfolio).tolist(), new.placements.disposition.tolist(), strict=True):
        if key in named:
            assert (disposition == Disposition.OTHER_PLAN) == (named[key] == Arm.OTHER_PLAN)
    baseline = workspace.baselines.of_ranking(record.ranking_id)
    more = replace(baseline.answer.plan, queues=tuple(replace(q, agents=q.agents * 5) for q in baseline.answer.plan.queues))
    assert (evaluate_capacity(baseline, more).after.assignment.queue[entries.of_other_plan] == UNASSIGNED).all()
    groups = {"kept": np.where(entries.of_other_plan, "other", "own")}
    told = {one.group: one for one in fair_treatment(entries, groups, [])}
    assert (told["other"].other_plan_share, told["own"].other_plan_share) == (1.0, 0.0)
    assert told["other"].held_out_share == 0.0
    assert told["other"].unworked_share is None


def refused(act, *given, **named):
    with pytest.raises(CollectionsError) as found:
        act(*given, **named)
    assert found.value.reason is Reason.RESOURCE_STATE_CONFLICT, found.value
    return found.value.violations[0]


def test_a_third_plan_may_look_and_not_work(workspace, records):
    assert "two other plans" in refused(ranked, workspace, PLAN.plan_id).description
    looked = ranked(workspace, PLAN.plan_id, purpose=RankingPurpose.ANALYSIS)
    assert workspace.recorded.entries(looked).experiment is None
    assert "experiments" not in looked.record


def test_where_the_experiment_does_not_reach_one_of_the_two_plans_works_alone(tmp_path):
    workspace = begun(tmp_path)
    for name, day in (("q1", DAY), ("p2", DAY + timedelta(days=80)), ("p3", DAY + timedelta(days=9))):
        workspace.books.import_portfolio(name, owned(200, as_of=day))
    stop = StopCommand("plans", DAY + timedelta(days=9), "enough", self_approved=True, request_id=str(uuid.uuid4()))
    workspace.experiments.stop(stop, BEN)
    for name in ("q1", "p2", "p3"):  # not named; after the last day; after the stop
        assert "experiments" not in ranked(workspace, portfolio_id=name).record
        assert "works" in refused(ranked, workspace, THEIRS.plan_id, name).description
        ranked(workspace, THEIRS.plan_id, name, purpose=RankingPurpose.ANALYSIS)
        ranked(workspace, portfolio_id=name)
    assert "experiments" in ranked(workspace, THEIRS.plan_id).record
    workspace.close()


@pytest.mark.parametrize(
    ("plans", "field", "words"),
    [
        ((OURS,), "challenger_plan_id", "no version in force"),
        ((OURS, replace(THEIRS, effective_from=DAY + timedelta(days=1))), "challenger_plan_id", "no version in force"),
        ((OURS, replace(THEIRS, currency_code="EUR")), "challenger_plan_id", "EUR"),
        (
            (OURS, replace(THEIRS, queues=tuple(replace(q, queue_id=f"x-{q.queue_id}") for q in THEIRS.queues))),
            "challenger_plan_id",
            "no queue",
        ),
        (
            (OURS, replace(THEIRS, queues=tuple(replace(q, agents=q.agents * 1.1) for q in THEIRS.queues))),
            "challenger_plan_id",
            "calls has",
        ),
    ],
)
def test_plans_that_cannot_share_the_work_do_not_start(tmp_path, plans, field, words):
    workspace = stored(tmp_path, plans=plans)
    workspace.experiments.create(NewExperiment("plans", MADE), ANN)
    found = refused(workspace.experiments.start, ApprovalCommand("plans", 1), BEN)
    assert found.field == field
    assert words in found.description
    assert found.remedy
    workspace.close()


def test_days_that_are_ranked_already_are_not_shared_and_others_that_meet_do_not_start(tmp_path):
    workspace = stored(tmp_path)
    ranked(workspace, PLAN.plan_id, purpose=RankingPurpose.ANALYSIS)
    workspace.experiments.create(NewExperiment("plans", MADE), ANN)
    workspace.experiments.start(ApprovalCommand("plans", 1), BEN, validate_only=True)
    ranked(workspace, PLAN.plan_id)
    assert refused(workspace.experiments.start, ApprovalCommand("plans", 1), BEN).field == "start_date"
    tomorrow = replace(MADE, starts_on=DAY + timedelta(days=1))
    later = workspace.experiments.create(NewExperiment("later", tomorrow), ANN)
    held = workspace.experiments.start(ApprovalCommand("later", later.version.version), BEN)
    assert held.version.approval is not None
    workspace.experiments.create(NewExperiment("alone", design(0.1)), ANN)
    assert refused(workspace.experiments.start, ApprovalCommand("alone", 1), BEN).field == "scope"
    workspace.close()


def test_a_ranking_that_is_being_made_counts_as_made(tmp_path, monkeypatch):
    workspace = stored(tmp_path)
    workspace.experiments.create(NewExperiment("plans", MADE), ANN)
    monkeypatch.setattr(workspace.ledger.claims, "claim", lambda ranking_id, *_: workspace.ledger.requests.requested(ranking_id))
    command = RankingCommand(str(uuid.uuid4()), "p1", PLAN.plan_id, None, Ordering.EXPECTED_VALUE, values(), "default", 7)
    workspace.rankings.create(command)  # asked for, and nobody makes it yet
    assert "is making" in refused(workspace.experiments.start, ApprovalCommand("plans", 1), BEN).description
    workspace.rankings.cancel(command.ranking_id)
    workspace.experiments.start(ApprovalCommand("plans", 1), BEN)
    workspace.books.import_portfolio("q1", owned(200))
    workspace.rankings.create(replace(command, request_id=str(uuid.uuid4()), portfolio_id="q1", plan_id=OURS.plan_id))
    assert "works" in refused(ranked, workspace, THEIRS.plan_id, "q1").description
    workspace.close()


@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")
def test_planted_the_other_plans_people_are_worked_and_every_verifier_says_so(tmp_path, monkeypatch):
    workspace = begun(tmp_path)
    monkeypatch.setattr("collections_opt.core.value.valued_accounts.offered", lambda problem, _arms: problem)
    made = ranked(workspace)
    checks = workspace.evidence.verification.verify_ranking(made.ranking_id).checks
    assert [check.name for check in checks if not check.holds] == ["experiments"]
    assert "drawn for another plan" in next(check.sentence for check in checks if not check.holds)
    with pytest.raises(verify_evidence.Refused, match="drawn for another plan"):
        verify_evidence.check_archive(workspace.evidence.archive(made), workspace.evidence.proofs.vkey)
    workspace.close()


@pytest.mark.parametrize("fault", ["another draw", "somebody in neither plan"])
def test_planted_another_draw_is_found(tmp_path, monkeypatch, fault):
    workspace = begun(tmp_path)
    if fault == "another draw":
        monkeypatch.setattr(
            "collections_opt.core.experiments.arms.held_out", lambda _salt, _share, person: np.arange(person.size) % 3 == 0
        )
    else:
        monkeypatch.setattr(
            "collections_opt.core.experiments.arms.in_scope", lambda portfolio, *_: np.arange(portfolio.account_count) > 5
        )
    made = ranked(workspace)
    checks = workspace.evidence.verification.verify_ranking(made.ranking_id).checks
    assert "experiments" in [check.name for check in checks if not check.holds]
    workspace.close()
