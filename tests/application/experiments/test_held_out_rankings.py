"""Held-out people from the start of an experiment to evidence: in no worklist, valued like all, recorded, verified, replayed."""

import uuid
from dataclasses import replace

import numpy as np
import pytest

from collections_opt.application.answers.capacity_evaluation import evaluate_capacity
from collections_opt.application.answers.placement_sentence import placement_sentence
from collections_opt.application.evidence.replay import ReplayOutcome
from collections_opt.application.evidence.standalone import verify_evidence
from collections_opt.application.rankings.command import RankingCommand
from collections_opt.core.experiments.arms import Arm, arms_of
from collections_opt.core.experiments.design import Scope
from collections_opt.core.problem.assignment import UNASSIGNED, ignore_progress
from collections_opt.core.problem.constraints import RankingConstraints
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.ranking import Disposition
from tests.support.books.evidence_worlds import PLAN, opened, values
from tests.support.experiments.trials import design, owned, started

TIGHT = replace(PLAN, plan_id="tight", queues=tuple(replace(queue, paid_minutes=queue.paid_minutes / 2) for queue in PLAN.queues))
NANO = 10**9


def ranked(workspace, ordering=Ordering.EXPECTED_VALUE, plan=TIGHT, share=0.0):
    constraints = RankingConstraints((), None, share)
    command = RankingCommand(str(uuid.uuid4()), "p1", plan.plan_id, 1, ordering, values(), "default", 7, constraints)
    return workspace.rank(command, ignore_progress)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    made = opened(tmp_path_factory.mktemp("held"))
    made.books.save_plan(TIGHT, None)
    made.books.import_portfolio("p1", owned())
    object.__setattr__(made, "plain", ranked(made))
    started(made)
    yield made
    made.close()


@pytest.fixture(scope="module")
def record(workspace):
    return ranked(workspace)


def test_nobody_left_alone_is_worked_and_everybody_is_valued(workspace, record):
    entries, portfolio = workspace.recorded.entries(record), workspace.recorded.portfolio("p1")
    arms = arms_of(portfolio, "p1", [design()])
    assert np.array_equal(entries.arm, arms.arm)
    held = entries.held_out
    assert 60 < held.sum() < 180
    assert (entries.queue[held] == UNASSIGNED).all()
    assert set(entries.disposition[held].tolist()) <= {Disposition.HELD_OUT, Disposition.INELIGIBLE}
    assert (entries.disposition[~held] != Disposition.HELD_OUT).all()
    told = entries.disposition == Disposition.HELD_OUT
    assert (entries.best_queue[told] != UNASSIGNED).all()
    assert (entries.increment_minor[told & (entries.intended_queue != UNASSIGNED)] > 0).all()
    by_person = {}
    for name, arm in zip(portfolio.column("customer_id").tolist(), entries.arm.tolist(), strict=True):
        assert not name or by_person.setdefault(name, arm) == arm
    vulnerable = portfolio.column("vulnerable").astype(bool)
    assert (entries.arm[vulnerable] == Arm.NONE).all()


def test_final_prices_say_who_would_have_been_worked_in_both_arms(workspace, record):
    entries = workspace.recorded.entries(record)
    contact, held = (entries.arm == arm for arm in (Arm.CONTACT, Arm.HELD_OUT))
    meant = entries.intended_queue != UNASSIGNED
    assert (entries.surplus_minor[meant & held] > 0).all()
    agree = meant[contact] == (entries.queue[contact] != UNASSIGNED)
    assert agree.mean() > 0.97  # up to ties and rounding
    assert abs(meant[held].mean() - meant[contact].mean()) < 0.2
    assert (entries.propensity_nano[meant & held] == 0.3 * NANO).all()
    assert (entries.propensity_nano[~meant & held] == NANO).all()
    assert (entries.propensity_nano[contact & (entries.queue != UNASSIGNED)] == 0.7 * NANO).all()
    assert (entries.propensity_nano[contact & (entries.queue == UNASSIGNED) & ~meant] == NANO).all()


def test_the_record_names_the_experiment_and_what_it_holds_back(workspace, record):
    held = record.record
    assert [each["experiment_id"] for each in held["experiments"]] == ["holdout"]
    alone = held["left_alone"][0]
    entries = workspace.recorded.entries(record)
    assert alone["held_out_count"] == int(entries.held_out.sum())
    assert 0 < alone["surplus_minor"] < alone["increment_minor"]
    assert held["counts"]["HELD_OUT"] == int((entries.disposition == Disposition.HELD_OUT).sum())
    plain = workspace.plain.record
    assert {"experiments", "left_alone"}.isdisjoint(plain)
    assert "HELD_OUT" not in plain["counts"]
    assert "arm" not in workspace.recorded.entries(workspace.plain).columns()
    lost = plain["objective_minor"] - held["objective_minor"]
    assert alone["surplus_minor"] * 0.5 < lost < alone["increment_minor"]


@pytest.mark.parametrize("share", [0.0, 0.2])
@pytest.mark.parametrize("ordering", [Ordering.EXPECTED_VALUE, Ordering.BALANCE])
def test_evidence_holds_and_the_ranking_can_be_made_again(workspace, ordering, share):
    made = ranked(workspace, ordering, share=share)
    entries = workspace.recorded.entries(made)
    assert (entries.queue[entries.held_out] == UNASSIGNED).all()
    assert not (entries.explored.astype(bool) & entries.held_out).any()
    verdict = workspace.evidence.verification.verify_ranking(made.ranking_id)
    assert all(check.holds for check in verdict.checks), verdict
    assert [check.name for check in verdict.checks].count("experiments") == 2
    assert workspace.evidence.replays.replay(made.ranking_id).outcome is ReplayOutcome.BIT_IDENTICAL
    report = verify_evidence.check_archive(workspace.evidence.archive(made), workspace.evidence.proofs.vkey)
    assert report


def test_chances_of_what_was_not_done_add_up_with_the_reserves(workspace):
    made = ranked(workspace, share=0.2)
    entries = workspace.recorded.entries(made)
    meant = entries.intended_queue != UNASSIGNED
    alone = entries.propensity_nano[entries.held_out & meant]
    assert ((alone >= 0.3 * NANO) & (alone < 0.9 * NANO)).all()
    drawn = entries.propensity_nano[(entries.explored == 1) & (entries.arm == Arm.CONTACT)]
    assert (drawn <= 0.7 * NANO).all()


def test_explanations_placements_and_what_ifs_leave_them_alone(workspace, record):
    entries = workspace.recorded.entries(record)
    row = int(np.flatnonzero((entries.disposition == Disposition.HELD_OUT) & (entries.surplus_minor > 0))[0])
    account = entries.account_id[row].decode()
    told = workspace.explanations.explain(record.ranking_id, account)
    assert told.disposition is Disposition.HELD_OUT
    assert "drawn to be left alone" in told.sentence
    everybody = workspace.placer.place_admitted(record.ranking_id, workspace.recorded.portfolio("p1"))
    assert np.array_equal(everybody.placements.queue[entries.held_out], entries.queue[entries.held_out])
    assert everybody.unchanged.all()
    assert "drawn to be left alone" in placement_sentence(everybody, row)
    baseline = workspace.baselines.of_ranking(record.ranking_id)
    more = replace(
        baseline.answer.plan, queues=tuple(replace(queue, agents=queue.agents * 3) for queue in baseline.answer.plan.queues)
    )
    found = evaluate_capacity(baseline, more)
    assert (found.after.assignment.queue[entries.held_out] == UNASSIGNED).all()


def test_a_changed_or_new_account_of_somebody_left_alone_is_placed_nowhere(workspace, record):
    entries, portfolio = workspace.recorded.entries(record), workspace.recorded.portfolio("p1")
    raw = owned()
    names = portfolio.column("customer_id")
    held = {name.decode() for name in names[entries.held_out & (names != b"")].tolist()}
    columns = dict(raw.columns)
    richer = columns["balance_minor"] * 3
    changed = replace(raw, columns={**columns, "balance_minor": richer})
    placed = workspace.placer.place(record.ranking_id, changed)
    assert (placed.placements.queue[entries.held_out] == UNASSIGNED).all()
    new_ids = np.array([f"NEW-{i:05d}" for i in range(400)], dtype=object)
    new = workspace.placer.place(record.ranking_id, replace(raw, columns={**columns, "account_id": new_ids}))
    theirs = np.isin(new.valued.portfolio.column("customer_id"), [name.encode() for name in held])
    assert theirs.any()
    assert (new.placements.queue[theirs] == UNASSIGNED).all()
    assert (new.placements.queue[~theirs] != UNASSIGNED).any()
    shielded = replace(raw, columns={**columns, "vulnerable": np.ones(400, dtype=bool)})
    freed = workspace.placer.place(record.ranking_id, shielded)
    assert (freed.placements.disposition != Disposition.HELD_OUT).all()


def test_planted_somebody_left_alone_is_worked_and_every_verifier_says_so(tmp_path, monkeypatch):
    workspace = opened(tmp_path)
    workspace.books.save_plan(TIGHT, None)
    workspace.books.import_portfolio("p1", owned())
    started(workspace)
    monkeypatch.setattr("collections_opt.core.value.valued_accounts.offered", lambda problem, _arms: problem)
    made = ranked(workspace)
    checks = workspace.evidence.verification.verify_ranking(made.ranking_id).checks
    assert "experiments" in [check.name for check in checks if not check.holds]
    with pytest.raises(verify_evidence.Refused, match="left alone"):
        verify_evidence.check_archive(workspace.evidence.archive(made), workspace.evidence.proofs.vkey)
    workspace.close()


def test_planted_another_draw_is_found_by_the_salt(tmp_path, monkeypatch):
    workspace = opened(tmp_path)
    workspace.books.save_plan(TIGHT, None)
    workspace.books.import_portfolio("p1", owned())
    started(workspace)
    lucky = lambda _salt, _share, person: np.arange(person.size) % 3 == 0  # noqa: E731
    monkeypatch.setattr("collections_opt.core.experiments.arms.held_out", lucky)
    made = ranked(workspace)
    checks = workspace.evidence.verification.verify_ranking(made.ranking_id).checks
    assert "experiments" in [check.name for check in checks if not check.holds]
    workspace.close()


def test_out_of_scope_nothing_is_recorded(workspace, tmp_path):
    other = opened(tmp_path)
    other.books.save_plan(TIGHT, None)
    other.books.import_portfolio("p1", owned())
    started(other, made=design(scope=Scope(portfolios=("cards-*",))))
    made = ranked(other)
    assert "experiments" not in made.record
    assert made.record["entries_digest"] == workspace.plain.record["entries_digest"]
    other.close()
