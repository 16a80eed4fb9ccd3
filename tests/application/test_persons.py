"""One contact per person from import to evidence: recorded, verified, replayed, explained, placed, and refused when broken."""

import io
import uuid
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from collections_opt.application.answers.capacity_evaluation import evaluate_capacity
from collections_opt.application.answers.placement_sentence import placement_sentence
from collections_opt.application.evidence.evidence import Evidence
from collections_opt.application.evidence.replay import ReplayOutcome
from collections_opt.application.evidence.standalone import verify_evidence
from collections_opt.application.rankings import making
from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.records.sealed_records import SealedRecords
from collections_opt.application.settings import dump, load
from collections_opt.core.accounts.portfolio import RawPortfolio
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.problem.assignment import UNASSIGNED, ignore_progress
from collections_opt.core.problem.constraints import RankingConstraints
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.ranking import Disposition
from collections_opt.solvers import SOLVERS
from tests.support.books.evidence_worlds import PLAN, book, opened, values

COUNT = 240
SEVERAL = replace(PLAN, plan_id="several", several_contacts_per_person=True)


def owned(count=COUNT, seed=0):
    """Return a book whose accounts belong to fewer persons; every tenth account has no customer id."""
    raw = book(count, seed, bad=0)
    rng = np.random.default_rng(seed + 5)
    names = np.array([f"C-{k:04d}" for k in rng.integers(0, count // 2, count)], dtype=object)
    columns = {**raw.columns, "customer_id": names}
    present = {**raw.present, "customer_id": np.arange(count) % 10 > 0}
    return replace(raw, columns=columns, present=present)


def ranked(workspace, ordering=Ordering.EXPECTED_VALUE, plan=PLAN, share=0.0, solver="default"):
    command = RankingCommand(
        str(uuid.uuid4()), "p1", plan.plan_id, 1, ordering, values(), solver, 7, RankingConstraints((), None, share)
    )
    return workspace.rank(command, ignore_progress)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    made = opened(tmp_path_factory.mktemp("persons"))
    made.books.save_plan(SEVERAL, None)
    made.books.import_portfolio("p1", owned())
    yield made
    made.close()


def contacts(workspace, record):
    """Return how often the busiest person is contacted, and how many persons there are."""
    entries, names = workspace.recorded.entries(record), workspace.recorded.portfolio("p1").column("customer_id")
    worked = [name for name in names[entries.queue != UNASSIGNED].tolist() if name]
    _, counts = np.unique(worked, return_counts=True)
    return int(counts.max()), len(set(names[names != b""].tolist())) + int((names == b"").sum())


@pytest.mark.parametrize("share", [0.0, 0.2])
@pytest.mark.parametrize("ordering", [Ordering.EXPECTED_VALUE, Ordering.BALANCE, Ordering.P_CURE])
def test_a_ranking_contacts_each_person_once_and_its_evidence_says_so(workspace, ordering, share):
    record = ranked(workspace, ordering, share=share)
    most, persons = contacts(workspace, record)
    assert most == 1
    most_accounts = np.unique(workspace.recorded.portfolio("p1").column("customer_id"), return_counts=True)[1][1:].max()
    assert record.record["persons"] == {"one_contact": True, "person_count": persons, "most_account_count": most_accounts}
    assert record.record["counts"]["ANOTHER_ACCOUNT_WORKED"] > 0
    evidence: Evidence = workspace.evidence
    verdict = evidence.verification.verify_ranking(record.ranking_id)
    assert all(check.holds for check in verdict.checks), verdict
    assert evidence.replays.replay(record.ranking_id).outcome is ReplayOutcome.BIT_IDENTICAL
    report = verify_evidence.check_archive(evidence.archive(record), evidence.proofs.vkey)
    assert f"The accounts belong to {persons} persons; each is contacted about one of them at most." in report


def test_a_plan_may_allow_several_contacts_which_is_said_and_earns_more(workspace):
    once, several = ranked(workspace), ranked(workspace, plan=SEVERAL)
    assert contacts(workspace, several)[0] > 1
    assert several.record["objective_minor"] > once.record["objective_minor"]
    assert several.record["persons"] == {"one_contact": False, "person_count": 0, "most_account_count": 0}
    assert "ANOTHER_ACCOUNT_WORKED" not in several.record["counts"]
    report = verify_evidence.check_archive(workspace.evidence.archive(several), workspace.evidence.proofs.vkey)
    assert any("several of their accounts" in line for line in report)
    baseline = workspace.baselines.of_ranking(once.ranking_id)
    found = evaluate_capacity(baseline, replace(baseline.answer.plan, several_contacts_per_person=True))
    assert found.after.assignment.objective_minor == several.record["objective_minor"]
    assert found.change_minor > 0


def test_the_flag_is_written_where_it_says_something_so_that_old_plans_keep_their_digest():
    assert "several_contacts_per_person" not in dump(PLAN)
    assert load(dump(SEVERAL), CapacityPlan) == SEVERAL


@pytest.mark.parametrize("known", [True, False], ids=["persons recorded", "persons hidden"])
def test_two_contacts_of_one_person_are_refused_by_every_verifier(tmp_path, monkeypatch, known):
    """Planted: a solver that ignores persons, and a check of answers that lets it pass."""
    workspace = opened(tmp_path)
    workspace.books.import_portfolio("p1", owned())
    free = {name: lambda p, o, r=ignore_progress, s=solve: s(replace(p, persons=None), o, r) for name, solve in SOLVERS.items()}
    monkeypatch.setattr(making, "SOLVERS", free)
    with pytest.raises(Exception, match="PERSON_WORKED_TWICE"):
        ranked(workspace)
    real = making.verify
    monkeypatch.setattr(making, "verify", lambda p, a, w=False: real(replace(p, persons=None), a, w))
    if not known:
        monkeypatch.setattr("collections_opt.core.ranking.pipeline.persons_of", lambda _: None)
    record = ranked(workspace)
    assert contacts(workspace, record)[0] > 1
    failed = [check.name for check in workspace.evidence.verification.verify_ranking(record.ranking_id).checks if not check.holds]
    assert "bound" in failed
    if known:
        with pytest.raises(verify_evidence.Refused, match="more than one account"):
            verify_evidence.check_archive(workspace.evidence.archive(record), workspace.evidence.proofs.vkey)
    else:
        assert "values" in failed
    workspace.close()


def test_the_standalone_verifier_adds_up_persons(workspace):
    record = ranked(workspace)
    with zipfile.ZipFile(io.BytesIO(workspace.evidence.archive(record))) as archive:
        assert b"check_persons" in archive.read("verify_evidence.py")
    cells = [{"person": 0}, {"person": 1}, {"person": 0}]
    held = {"persons": {"one_contact": True, "person_count": 2}}
    assert verify_evidence.check_persons(held, cells, cells[:2])
    with pytest.raises(verify_evidence.Refused, match="more than one"):
        verify_evidence.check_persons(held, cells, [cells[0], cells[2]])
    with pytest.raises(verify_evidence.Refused, match="differ"):
        verify_evidence.check_persons({"persons": {"one_contact": True, "person_count": 3}}, cells, cells[:2])
    assert verify_evidence.check_persons({}, cells, cells) == []


def test_an_explanation_names_the_account_that_is_worked_instead_and_what_would_change_it(workspace):
    record = ranked(workspace)
    entries = workspace.recorded.entries(record)
    left = np.flatnonzero(entries.disposition == Disposition.ANOTHER_ACCOUNT_WORKED)
    for row in left[:10].tolist():
        told = workspace.evidence.explanations.explain(record.ranking_id, entries.account_id[row].decode())
        other = int(np.searchsorted(entries.account_id, told.worked_account_id.encode()))
        assert entries.person[other] == entries.person[row]
        assert entries.queue[other] != UNASSIGNED
        assert told.worked_account_id in told.sentence
        assert told.sentence.startswith("Not worked: a person is contacted about one account at most")
        assert any(queue.verdict == "ANOTHER_ACCOUNT_WORKED" for queue in told.queues)
    worked = int(np.flatnonzero(entries.queue != UNASSIGNED)[0])
    assert workspace.evidence.explanations.explain(record.ranking_id, entries.account_id[worked].decode()).worked_account_id == ""


@pytest.mark.parametrize("plan", [PLAN, SEVERAL])
def test_explaining_one_account_reads_rows_of_its_person_alone(workspace, plan, monkeypatch):
    """The portfolio is not opened as a whole: one row group is read for the account, one for its person's others."""
    record = ranked(workspace, plan=plan)
    entries, held = workspace.recorded.entries(record), workspace.recorded.portfolio("p1")
    customers = held.column("customer_id")
    rows = workspace.recorded.opened(record).rows
    for row in (0, 1, 2):
        theirs = np.flatnonzero((customers == customers[row]) & (customers[row] != b""))
        found = (rows.of_customer(customers[row]), rows.accounts(held.column("account_id")[theirs])) if theirs.size else ()
        for each in found:
            assert each.account_count == theirs.size
            for name, column in held.take(theirs).columns.items():
                np.testing.assert_array_equal(each.columns[name], column)
    monkeypatch.setattr(SealedRecords, "portfolio", None)
    before = rows.row_groups_read
    for count, row in enumerate((0, 1, 2), 1):
        workspace.evidence.explanations.explain(record.ranking_id, entries.account_id[row].decode())
        assert rows.row_groups_read <= before + 2 * count


def taken(raw, rows, **columns):
    picked = {name: column[rows] for name, column in raw.columns.items()}
    masks = {name: mask[rows] for name, mask in raw.present.items()}
    return replace(raw, columns={**picked, **columns}, present=masks)


def test_placing_keeps_to_one_account_per_person_within_a_call_and_beside_the_worklists(workspace):
    record, raw = ranked(workspace), owned()
    entries = workspace.recorded.entries(record)
    everyone = workspace.placer.place(record.ranking_id, raw)
    np.testing.assert_array_equal(everyone.placements.queue, entries.queue)
    np.testing.assert_array_equal(everyone.placements.disposition, entries.disposition)
    place_of = {name: row for row, name in enumerate(raw.columns["account_id"].tolist())}
    queue = entries.queue.copy()
    named = np.array([bool(raw.present["customer_id"][place_of[name.decode()]]) for name in entries.account_id])
    rows = [place_of[name.decode()] for name in entries.account_id[(queue != UNASSIGNED) & named]]
    copies = np.array([f"NEW-{k:03d}" for k in range(len(rows))], dtype=object)
    tied = workspace.placer.place(record.ranking_id, taken(raw, np.array(rows), account_id=copies))
    assert (tied.placements.queue == UNASSIGNED).all()  # as good as what is worked is no reason to change
    assert [name.decode() for name in tied.worked_account_id] == [raw.columns["account_id"][row] for row in rows]
    poor = np.argsort([raw.columns["balance_minor"][row] for row in rows])[:5]
    rich = {"balance_minor": np.full(5, 90_000_000), "arrears_minor": np.full(5, 900_000)}
    picked = np.array(rows)[poor]
    better = workspace.placer.place(record.ranking_id, taken(raw, picked, account_id=copies[:5], **rich))
    assert (better.placements.queue != UNASSIGNED).all()
    assert "It takes the place of" in placement_sentence(better, 0)
    both = RawPortfolio(
        raw.as_of_date,
        raw.time_zone,
        raw.currency_code,
        {name: np.concatenate([column[picked], column[picked]]) for name, column in taken(raw, np.arange(COUNT)).columns.items()}
        | {"account_id": np.concatenate([raw.columns["account_id"][picked], copies[:5]])}
        | {name: np.concatenate([raw.columns[name][picked], column]) for name, column in rich.items()},
        {name: np.concatenate([mask[picked], mask[picked]]) for name, mask in raw.present.items()},
    )
    joint = workspace.placer.place(record.ranking_id, both)
    old = np.isin(joint.valued.portfolio.column("account_id"), [name.encode() for name in raw.columns["account_id"][picked]])
    assert (joint.placements.disposition[old] == Disposition.ANOTHER_ACCOUNT_WORKED).all()
    assert (joint.placements.queue[~old] != UNASSIGNED).all()
    assert "NEW-" in placement_sentence(joint, int(np.flatnonzero(old)[0]))


def test_an_id_on_too_many_accounts_is_said_to_look_like_a_placeholder(tmp_path):
    workspace, raw = opened(tmp_path), owned()
    raw.columns["customer_id"][:60] = "UNKNOWN"
    workspace.books.import_portfolio("p1", raw)
    (told,) = [each for each in ranked(workspace).record["health"]["warnings"] if "customer_id" in each]
    workspace.close()
    assert told.startswith("One person has 54 accounts")
