"""Erasure, retention and holds: the content is gone everywhere, every proof of everything else still holds."""

from datetime import date, timedelta

import numpy as np
import pytest

from collections_opt.application.evidence.findings import Strength
from collections_opt.application.evidence.replay import ReplayOutcome
from collections_opt.application.evidence.standalone import verify_evidence
from collections_opt.application.records.erasures import ErasureRequest
from collections_opt.application.records.holds import HoldRequest
from collections_opt.application.records.retention import years_after
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.ledger.log.log import LogKind
from tests.support.books.evidence_worlds import NOW, Clock, book, opened, ranked
from tests.support.ledger.ledgers import without_triggers

LATER = NOW + timedelta(days=4 * 366)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def workspace(tmp_path, database_url, clock):
    made = opened(tmp_path / "data", database_url, now=clock)
    made.books.import_portfolio("p1", book(30))
    yield made
    made.close()


def worked(workspace, record):
    entries = workspace.recorded.entries(record)
    return [account.decode() for account in entries.account_id[entries.queue >= 0]]


def stored_bytes(tmp_path):
    files = [path for path in tmp_path.rglob("*") if path.is_file() and "keys" not in path.parts]
    return b"".join(path.read_bytes() for path in files)


def test_an_erased_account_is_gone_and_every_proof_still_holds(tmp_path, workspace, clock):
    made = [ranked(workspace, seed=seed) for seed in (1, 2)]
    evidence, name = workspace.evidence, worked(workspace, made[0])[0]
    other, entries = worked(workspace, made[0])[1], workspace.recorded.entries(made[0])
    idle = entries.account_id[entries.queue < 0][0].decode()
    old_archive = evidence.archive(made[0], [other])
    clock.at = LATER
    size = workspace.ledger.log.tree().size
    receipt = evidence.erasures.erase([name, idle], ErasureRequest("asked for"))
    assert (receipt.account_count, receipt.position) == (2, size)

    for ranking in made:
        with pytest.raises(CollectionsError) as caught:
            evidence.answer(ranking.ranking_id, name)
        assert caught.value.reason is Reason.NOT_FOUND
        assert workspace.ledger.worklists.entry(ranking.ranking_id, name) is None
        assert name.encode() not in workspace.recorded.entries(ranking).account_id
        verdict = evidence.verification.verify_ranking(ranking.ranking_id)
        assert verdict.reached is Strength.INTEGRITY, verdict.broken
        assert "2 account(s) were erased" in verdict.limits[0]
        replayed = evidence.replays.replay(ranking.ranking_id)
        assert (replayed.outcome, replayed.detail) == (ReplayOutcome.CERTIFICATE_ONLY, "2 account(s) were erased since")
        proof = evidence.prove(ranking, other)
        assert other in verify_evidence.check_proof(proof.content, evidence.proofs.vkey)[-1]
        report = verify_evidence.check_archive(evidence.archive(ranking), evidence.proofs.vkey)
        assert "2 withheld or erased" in " ".join(report)
    assert verify_evidence.check_archive(old_archive, evidence.proofs.vkey)
    assert evidence.verification.verify_log().broken == ()
    assert name not in workspace.recorded.portfolio("p1").column("account_id").astype(str)
    entry = workspace.ledger.log.entry_of(LogKind.ERASURE, receipt.erasure_id)
    assert entry.facts["reason"] == "asked for"
    assert name not in entry.content
    if workspace.ledger.database.dialect == "sqlite":
        assert name.encode() not in stored_bytes(tmp_path)
        assert other.encode() in stored_bytes(tmp_path)


def test_a_ranking_after_an_erasure_is_certified_without_the_account(workspace):
    workspace.evidence.erasures.erase(["AC-00004"], ErasureRequest("never worked"))
    made = ranked(workspace)
    assert made.record["rows"]["erased_before"] + made.record["rows"]["refused_erased_before"] == 1
    assert workspace.evidence.verification.verify_ranking(made.ranking_id).reached is Strength.CERTIFICATE
    assert workspace.evidence.replays.replay(made.ranking_id).outcome is ReplayOutcome.BIT_IDENTICAL
    with pytest.raises(CollectionsError) as caught:
        workspace.evidence.erasures.erase(["AC-00004"], ErasureRequest("again"))
    assert caught.value.reason is Reason.NOT_FOUND


def test_what_was_worked_is_kept_three_years_and_nothing_is_erased_beside_it(workspace, clock):
    made = ranked(workspace)
    name = worked(workspace, made)[0]
    erasures = workspace.evidence.erasures
    for at, kept in ((NOW, True), (NOW.replace(year=2029, day=22), True), (NOW.replace(year=2029, day=23), False)):
        clock.at = at
        if kept:
            with pytest.raises(CollectionsError) as caught:
                erasures.erase(["AC-00011", name], ErasureRequest("asked for"))
            assert caught.value.reason is Reason.MUST_BE_KEPT
            assert "2029-11-23" in caught.value.violations[-1].remedy
            assert workspace.ledger.log.erasure_count() == 0
        else:
            assert erasures.erase([name], ErasureRequest("asked for", validate_only=True)).position is None
            assert erasures.erase([name], ErasureRequest("asked for")).position == workspace.ledger.log.tree().size - 1


def test_a_legal_hold_forbids_erasure_until_it_is_released(workspace, clock):
    ranked(workspace)
    clock.at = LATER
    erasures, holds = workspace.evidence.erasures, workspace.evidence.holds
    holds.place(HoldRequest("case-7", ["AC-00003", "AC-00004"], (), "dispute in court"))
    with pytest.raises(CollectionsError) as caught:
        erasures.erase(["AC-00003"], ErasureRequest("asked for"))
    assert (caught.value.reason, "case-7" in str(caught.value)) == (Reason.MUST_BE_KEPT, True)
    with pytest.raises(CollectionsError) as caught:
        holds.place(HoldRequest("case-7", ["AC-00003"], (), "again"))
    assert caught.value.reason is Reason.ALREADY_EXISTS
    holds.release("case-7", "settled")
    with pytest.raises(CollectionsError) as caught:
        holds.release("case-7", "again")
    assert caught.value.reason is Reason.NOT_FOUND
    assert erasures.erase(["AC-00003"], ErasureRequest("asked for")).position == workspace.ledger.log.tree().size - 1
    assert workspace.evidence.verification.verify_log().broken == ()


def test_an_erasure_covers_no_earlier_edit(workspace, clock, database_url):
    made = ranked(workspace)
    names = worked(workspace, made)
    clock.at = LATER
    with without_triggers(database_url) as engine, engine.begin() as connection:
        connection.exec_driver_sql("UPDATE ranking_entries SET surplus_minor = surplus_minor + 1 WHERE priority = 1")
    with pytest.raises(CollectionsError) as caught:
        workspace.evidence.erasures.erase([names[-1]], ErasureRequest("asked for"))
    assert caught.value.reason is Reason.INTEGRITY_FAILURE
    assert workspace.ledger.log.erasure_count() == 0


def test_a_row_that_disappears_without_an_erasure_is_noticed(workspace, database_url):
    """The planted bug: the worklist row is deleted and the key kept, or the key deleted and nothing recorded."""
    made = ranked(workspace)
    verify = workspace.evidence.verification.verify_ranking
    name = worked(workspace, made)[0]
    number = np.array([workspace.evidence.erasures._keys.find(name)])
    with workspace.ledger.database.write() as connection:
        workspace.evidence.erasures._keys.erase(connection, number)
    assert verify(made.ranking_id).reached is Strength.NOTHING
    assert "without an erasure" in verify(made.ranking_id).broken[0].sentence


def test_three_years_after_a_leap_day():
    assert years_after(date(2028, 2, 29), 3) == date(2031, 3, 1)
    assert years_after(date(2026, 11, 23), 3) == date(2029, 11, 23)
