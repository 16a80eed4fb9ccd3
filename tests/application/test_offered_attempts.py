"""Fewer attempts where a cap leaves fewer: valued, recorded, listed, explained, placed, verified, replayed."""

import uuid
from dataclasses import replace

import numpy as np
import pytest

from collections_opt.application.answers.capacity_evaluation import evaluate_capacity
from collections_opt.application.answers.placement_sentence import placement_sentence
from collections_opt.application.evidence.replay import ReplayOutcome
from collections_opt.application.evidence.standalone import verify_evidence
from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.settings import dump
from collections_opt.core.desk.capacity_changes import QueueChange, changed_plan
from collections_opt.core.desk.queues import Queue
from collections_opt.core.problem.assignment import UNASSIGNED, ignore_progress
from collections_opt.core.ranking.ordering import Ordering
from tests.support.books.evidence_worlds import PLAN, book, opened, values

CALLS = replace(PLAN.queues[0], attempts_may_shrink=True)
SHRINKING = replace(PLAN, plan_id="shrinking", queues=(CALLS, PLAN.queues[1]))
MA, WA = "US-MA", "US-WA"


def near_caps(count=160):
    """Return a book of Massachusetts (two attempts about a debt) and Washington (three with a person, of whom some have two)."""
    raw = book(count, 0, bad=0)
    rng = np.random.default_rng(3)
    columns = {
        **raw.columns,
        "state": np.array([MA, WA], dtype=object)[np.arange(count) % 2],
        "customer_id": np.array([f"C-{k:03d}" for k in rng.integers(0, count, count)], dtype=object),
        "attempts_last_7_days_count": rng.integers(0, 4, count),
    }
    return replace(raw, columns=columns)


def ranked(workspace, plan=SHRINKING, ordering=Ordering.EXPECTED_VALUE):
    command = RankingCommand(str(uuid.uuid4()), "p1", plan.plan_id, 1, ordering, values(), "default", 7)
    return workspace.rank(command, ignore_progress)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    made = opened(tmp_path_factory.mktemp("offers"))
    made.books.save_plan(SHRINKING, None)
    made.books.import_portfolio("p1", near_caps())
    yield made
    made.close()


@pytest.fixture(scope="module")
def record(workspace):
    return ranked(workspace)


def left_of(workspace):
    """Return what the caps of the two states leave of three attempts, counted by itself."""
    portfolio = workspace.recorded.portfolio("p1")
    made, person = portfolio.column("attempts_last_7_days_count"), portfolio.column("customer_id")
    of_person = np.array([made[person == name].sum() for name in person.tolist()])
    return np.where(portfolio.column("state") == MA.encode(), 2 - made, 3 - of_person)


@pytest.mark.parametrize("ordering", [Ordering.EXPECTED_VALUE, Ordering.BALANCE])
def test_offers_are_recorded_verified_and_made_anew(workspace, ordering):
    record = ranked(workspace, ordering=ordering)
    entries, left = workspace.recorded.entries(record), left_of(workspace)
    called = entries.queue == 0
    assert np.array_equal(entries.attempts[called], np.where(left >= 3, 0, left)[called])
    assert {1, 2} <= set(entries.attempts[called].tolist())
    assert not entries.attempts[entries.queue == 1].any()
    verdict = workspace.evidence.verification.verify_ranking(record.ranking_id)
    assert all(check.holds for check in verdict.checks), verdict
    fewer = int((called & (entries.attempts > 0)).sum())
    told = next(check.sentence for check in verdict.checks if check.name == "caps")
    assert f"{fewer} account(s) are offered fewer attempts" in told
    assert workspace.evidence.replays.replay(record.ranking_id).outcome is ReplayOutcome.BIT_IDENTICAL
    report = verify_evidence.check_archive(workspace.evidence.archive(record), workspace.evidence.proofs.vkey)
    assert any(line.startswith(f"{fewer} accounts are offered fewer attempts") for line in report)


def test_minutes_and_money_are_those_of_a_queue_that_makes_so_many_attempts(workspace, record):
    entries = workspace.recorded.entries(record)
    baseline = workspace.baselines.of_ranking(record.ranking_id)
    for offered in (1, 2):
        rows = np.flatnonzero((entries.queue == 0) & (entries.attempts == offered))
        rate = 1 - (1 - CALLS.effect.right_party_contact_rate) ** (offered / 3)
        effect = replace(CALLS.effect, right_party_contact_rate=rate)
        alike = replace(CALLS, queue_id="alike", attempts=float(offered), effect=effect, attempts_may_shrink=False)
        same = baseline.problem_under(replace(SHRINKING, queues=(alike,)))
        assert np.array_equal(same.value[rows, 0], entries.increment_minor[rows])
        assert np.array_equal(same.seconds[rows, 0], entries.seconds[rows])
        assert (entries.seconds[rows] <= np.ceil(60 * (offered * 0.6 + rate * 6.0))).all()


def test_the_list_is_worth_more_than_where_the_caps_block(workspace, record):
    once = ranked(workspace, PLAN)
    assert workspace.recorded.entries(once).attempts is None
    assert "attempts_may_shrink" not in dump(PLAN)
    assert record.record["objective_minor"] > once.record["objective_minor"]
    stated = record.record["stated_money"]
    assert stated["chosen_by_minor"] == pytest.approx(record.record["objective_minor"], abs=len(left_of(workspace)))
    baseline = workspace.baselines.of_ranking(once.ranking_id)
    found = evaluate_capacity(baseline, replace(baseline.answer.plan, queues=SHRINKING.queues))
    assert found.after.assignment.objective_minor == record.record["objective_minor"]
    opened_queue = replace(CALLS, queue_id="second")
    assert changed_plan(PLAN, [QueueChange("second", opened=opened_queue)]).queues[-1].attempts_may_shrink


def test_worklists_explanations_and_placements_say_what_is_offered(workspace, record):
    entries = workspace.recorded.entries(record)
    listed = {entry.account_id: entry.attempts for entry in workspace.ledger.worklists.page(record.ranking_id, 0, 0, 1_000)}
    worked = np.flatnonzero(entries.queue == 0)
    assert listed == {entries.account_id[row].decode(): int(entries.attempts[row]) for row in worked}
    portfolio = workspace.recorded.portfolio("p1")
    raw = near_caps()
    for state, rule in ((MA, "us-ma-two-in-seven"), (WA, "us-wa-three-a-week")):
        row = next(r for r in worked if entries.attempts[r] == 2 and portfolio.column("state")[r] == state.encode())
        name = entries.account_id[row].decode()
        why = workspace.explanations.explain(record.ranking_id, name)
        assert (why.queues[0].offered_attempts, why.queues[0].limiting_rule_id) == (2, rule)
        assert why.queues[0].increment_minor == entries.increment_minor[row]
        assert f"It is offered 2 of 3 attempts: {rule} leaves no more." in why.sentence
        at = np.flatnonzero(raw.columns["account_id"] == name)
        one = replace(raw, columns={key: column[at] for key, column in raw.columns.items()})
        placed = workspace.placer.place(record.ranking_id, one)
        assert placed.offered_attempts(0, 0) == 2
        assert placed.valued.problem.value[0, 0] == entries.increment_minor[row]
        assert "It is offered 2 of 3 attempts" in placement_sentence(placed, 0)


def test_of_several_debts_of_a_person_a_placement_is_offered_what_all_of_them_leave(workspace, record):
    raw = near_caps()
    one = replace(raw, columns={key: column[:1].copy() for key, column in raw.columns.items()})
    one.columns["account_id"][0], one.columns["state"][0], one.columns["attempts_last_7_days_count"][0] = "new", WA, 0
    portfolio, left = workspace.recorded.portfolio("p1"), left_of(workspace)
    row = int(np.flatnonzero((portfolio.column("state") == WA.encode()) & (left == 2))[0])
    one.columns["customer_id"][0] = portfolio.column("customer_id")[row].decode()
    placed = workspace.placer.place(record.ranking_id, one)
    assert placed.offered_attempts(0, 0) == 2


def test_planted_offers_over_a_cap_are_noticed_by_the_check_that_does_not_decide(tmp_path, monkeypatch):
    """Planted: a judge that sees one contact more left than there is, also where the ranking is verified."""
    workspace = opened(tmp_path)
    workspace.books.save_plan(SHRINKING, None)
    workspace.books.import_portfolio("p1", near_caps())
    left = "collections_opt.core.rules.eligibility.budget_left"
    honest = __import__("collections_opt.core.rules.facts", fromlist=["budget_left"]).budget_left
    monkeypatch.setattr(left, lambda *of: honest(*of) + 1)
    record = ranked(workspace)
    checks = workspace.evidence.verification.verify_ranking(record.ranking_id).checks
    assert [check.name for check in checks if not check.holds] == ["caps"]
    monkeypatch.setattr(left, honest)
    checks = workspace.evidence.verification.verify_ranking(record.ranking_id).checks
    assert {"caps", "values"} <= {check.name for check in checks if not check.holds}
    workspace.close()


def test_the_standalone_verifier_refuses_offers_beside_the_plan_and_times_of_other_attempts():
    plan = {"queues": [_plain(CALLS)]}
    good = {"queue": 0, "attempts": 2, "seconds": 150}
    assert verify_evidence.check_attempts(plan, [good, {"queue": 0, "seconds": 200}])
    assert verify_evidence.check_attempts(plan, [{"queue": 0, "attempts": 0, "seconds": 200}]) == []
    for wrong in ({"attempts": 3}, {"seconds": 71}, {"seconds": 434}):
        with pytest.raises(verify_evidence.Refused, match="attempts"):
            verify_evidence.check_attempts(plan, [{**good, **wrong}])
    with pytest.raises(verify_evidence.Refused, match="beside the plan"):
        verify_evidence.check_attempts({"queues": [_plain(PLAN.queues[0])]}, [good])


def _plain(queue: Queue):
    return {name: getattr(queue, name) for name in ("attempts", "dial_minutes", "talk_minutes", "wrap_minutes")} | (
        {"attempts_may_shrink": True} if queue.attempts_may_shrink else {}
    )


def test_somebody_unworked_shows_the_offer_of_the_best_queue(workspace, record):
    entries, left = workspace.recorded.entries(record), left_of(workspace)
    waiting = (entries.queue == UNASSIGNED) & (entries.best_queue == 0)
    assert waiting.any()
    assert np.array_equal(entries.attempts[waiting], np.where(left >= 3, 0, left)[waiting])


def test_several_contacts_of_a_person_stay_within_that_persons_cap_together(workspace):
    several = replace(SHRINKING, plan_id="several", several_contacts_per_person=True)
    workspace.books.save_plan(several, None)
    record = ranked(workspace, several)
    entries, portfolio = workspace.recorded.entries(record), workspace.recorded.portfolio("p1")
    person, made = portfolio.column("customer_id"), portfolio.column("attempts_last_7_days_count")
    planned = np.where(entries.queue == 0, np.where(entries.attempts == 0, 3, entries.attempts), entries.queue == 1)
    twice = 0
    for name in np.unique(person[portfolio.column("state") == WA.encode()]).tolist():
        theirs = person == name
        called = planned[theirs].sum() if (portfolio.column("state")[theirs] == WA.encode()).all() else 0
        twice += int((planned[theirs] > 0).sum() > 1)
        assert not called or made[theirs].sum() + called <= 3
    assert twice > 0
    assert all(check.holds for check in workspace.evidence.verification.verify_ranking(record.ranking_id).checks)
    baseline = workspace.baselines.of_ranking(record.ranking_id)
    once = evaluate_capacity(baseline, replace(baseline.answer.plan, several_contacts_per_person=False))
    assert once.after.assignment.objective_minor == ranked(workspace).record["objective_minor"]


def test_a_cap_that_is_not_shared_among_several_contacts_is_noticed(tmp_path, monkeypatch):
    """Planted: a judge that forgets that the person's other accounts may be worked too."""
    workspace = opened(tmp_path)
    several = replace(SHRINKING, plan_id="several", several_contacts_per_person=True)
    workspace.books.save_plan(several, None)
    workspace.books.import_portfolio("p1", near_caps())
    monkeypatch.setattr("collections_opt.core.rules.eligibility.shares_of", lambda *_: 1)
    record = ranked(workspace, several)
    checks = workspace.evidence.verification.verify_ranking(record.ranking_id).checks
    assert [check.name for check in checks if not check.holds] == ["caps"]
    workspace.close()


def placed_attempts(placed, row):
    """Return the attempts with which a placement works an account, 0 where it does not."""
    queue = int(placed.placements.queue[row])
    if queue == UNASSIGNED:
        return 0
    return placed.offered_attempts(row, queue) or placed.opened.plan.queues[queue].attempts


@pytest.fixture(scope="module")
def several(workspace):
    """Return a ranking that may contact a person about several debts, and what it plans, float64 (n,)."""
    plan = replace(SHRINKING, plan_id="several-placed", several_contacts_per_person=True)
    workspace.books.save_plan(plan, None)
    record = ranked(workspace, plan)
    entries = workspace.recorded.entries(record)
    return record, np.where(entries.queue == 0, np.where(entries.attempts == 0, 3, entries.attempts), entries.queue == 1)


def new_debts(workspace, count):
    """Return debts of Washington without contacts, one for each of its persons, and a book of the ranking's own accounts."""
    portfolio, raw = workspace.recorded.portfolio("p1"), near_caps()
    washington = portfolio.column("state") == WA.encode()
    names = np.unique(portfolio.column("customer_id")[washington])
    rows = np.repeat(np.flatnonzero(np.isin(raw.columns["customer_id"].astype("S"), names[:1]))[:1], names.size * count)
    new = {key: column[rows].copy() for key, column in raw.columns.items()}
    new["account_id"] = np.array([f"new-{k:04d}" for k in range(rows.size)], dtype=object)
    new["customer_id"] = np.array([name.decode() for name in np.repeat(names, count)], dtype=object)
    new["state"], new["attempts_last_7_days_count"] = np.full(rows.size, WA, dtype=object), np.zeros(rows.size, np.int64)
    return raw, replace(raw, columns=new)


@pytest.mark.parametrize("with_old", [False, True])
@pytest.mark.parametrize("count", [1, 2])
def test_what_a_ranking_plans_for_a_person_counts_before_more_is_placed(workspace, several, count, with_old):
    record, planned = several
    old, new = new_debts(workspace, count)
    both = replace(new, columns={key: np.concatenate([new.columns[key], old.columns[key]]) for key in new.columns})
    placed = workspace.placer.place(record.ranking_id, both if with_old else new)
    ids, customer = placed.valued.portfolio.column("account_id"), placed.valued.portfolio.column("customer_id")
    portfolio = workspace.recorded.portfolio("p1")
    fresh = np.char.startswith(ids, b"new-")
    assert placed.unchanged[~fresh].all()
    entries = workspace.recorded.entries(record)
    for row in np.flatnonzero(~fresh):
        at = int(np.searchsorted(entries.account_id, ids[row]))
        assert placed_attempts(placed, row) == planned[at]
    more = 0
    for name in np.unique(customer[fresh]):
        theirs = portfolio.column("customer_id") == name
        made = portfolio.column("attempts_last_7_days_count")[theirs].sum() + planned[theirs].sum()
        added = sum(placed_attempts(placed, row) for row in np.flatnonzero(fresh & (customer == name)))
        more += added
        assert not added or made + added <= 3
    assert more > 0 or count == 2  # nobody has two contacts left


def test_a_placement_that_forgets_what_is_planned_would_overspend(workspace, several, monkeypatch):
    """Planted: other accounts of the person are seen, and nothing is seen planned for them."""
    record, planned = several
    _, new = new_debts(workspace, 1)
    honest = "collections_opt.core.rules.others.OtherAccounts.attempts"
    monkeypatch.setattr(honest, lambda self, *_: np.zeros(self.share.size))
    placed = workspace.placer.place(record.ranking_id, new)
    portfolio = workspace.recorded.portfolio("p1")
    customer = placed.valued.portfolio.column("customer_id")
    over = 0
    for row in range(customer.size):
        theirs = portfolio.column("customer_id") == customer[row]
        made = portfolio.column("attempts_last_7_days_count")[theirs].sum() + planned[theirs].sum()
        over += placed_attempts(placed, row) > 0 and made + placed_attempts(placed, row) > 3
    assert over > 0
