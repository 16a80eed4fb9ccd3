"""Evidence end to end: verified in three strengths, proven to the stand-alone verifier, found broken where it was altered."""

import random
import subprocess
import sys
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from collections_opt.application.evidence import replay as replay_module
from collections_opt.application.evidence.findings import Strength
from collections_opt.application.evidence.replay import ReplayOutcome
from collections_opt.application.evidence.standalone import verify_evidence
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.ranking import pipeline
from collections_opt.core.ranking.ordering import Ordering
from tests.support.books.evidence_worlds import book, opened, ranked
from tests.support.ledger.ledgers import without_triggers


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    workspace = opened(tmp_path_factory.mktemp("evidence"))
    workspace.books.import_portfolio("p1", book(40))
    made = ranked(workspace)
    yield workspace, made
    workspace.close()


def test_every_order_and_solver_is_certified_and_bit_identical(tmp_path, database_url):
    workspace = opened(tmp_path / "data", database_url)
    workspace.books.import_portfolio("p1", book(60))
    made = [ranked(workspace, ordering=ordering) for ordering in Ordering]
    made += [ranked(workspace, solver=solver) for solver in ("exact", "greedy", "pricing")]
    evidence = workspace.evidence
    assert evidence.verification.verify_log().broken == ()
    for ranking in made:
        verdict = evidence.verification.verify_ranking(ranking.ranking_id)
        assert verdict.reached is Strength.CERTIFICATE, verdict.broken
        replayed = evidence.replays.replay(ranking.ranking_id)
        assert replayed.outcome is ReplayOutcome.BIT_IDENTICAL, replayed.detail
    workspace.close()


def test_every_row_that_came_in_has_a_leaf_and_a_proof(world):
    workspace, made = world
    leaves = made.record["leaves"]
    assert (leaves["count"], leaves["accepted_count"], leaves["refused_count"]) == (40, 38, 2)
    seen = set()
    for number in range(40):
        proof = workspace.evidence.prove(made, f"AC-{number:05d}")
        report = verify_evidence.check_proof(proof.content, workspace.evidence.proofs.vkey)
        assert f"AC-{number:05d}" in report[-1]
        seen.add(proof.index)
    assert seen == set(range(40))


def test_the_archive_is_accepted_by_another_python_and_says_so_in_words(world, tmp_path):
    workspace, made = world
    archive = tmp_path / "evidence.zip"
    content = workspace.evidence.archive(made)
    assert content == workspace.evidence.archive(made)
    archive.write_bytes(content)
    command = [sys.executable, "-I", "-S", verify_evidence.__file__, str(archive), "--key", workspace.evidence.proofs.vkey]
    shown = subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert shown.stdout.startswith("HOLDS.")
    assert "38 accounts decided, 2 rows refused" in shown.stdout
    assert "no other choice could be worth more" in shown.stdout


def test_an_archive_shows_only_the_accounts_asked_for(world):
    workspace, made = world
    content = workspace.evidence.archive(made, ["AC-00007"])
    assert b"AC-00007" in content
    assert b"AC-00008" not in content
    assert "1 shown here, 39 withheld or erased" in " ".join(verify_evidence.check_archive(content, ""))
    with pytest.raises(CollectionsError) as caught:
        workspace.evidence.archive(made, ["AC-99999"])
    assert caught.value.reason is Reason.NOT_FOUND


def refused(check, content, key):
    try:
        check(content, key)
    except Exception:  # noqa: BLE001 - whatever stops it makes the program say that it does not hold
        return True
    return False


def test_the_verifier_refuses_altered_bytes(world):
    """A sample of places; ``make evidence`` tries many more."""
    workspace, made = world
    key, chance = workspace.evidence.proofs.vkey, random.Random(5)
    proof = workspace.evidence.prove(made, "AC-00003").content
    archive = workspace.evidence.archive(made)
    for check, content in ((verify_evidence.check_proof, proof), (verify_evidence.check_archive, archive)):
        for place in chance.sample(range(len(content)), 60):
            altered = bytearray(content)
            altered[place] ^= 1 << chance.randrange(8)
            assert refused(check, bytes(altered), key), place


def test_another_key_is_refused(world, tmp_path):
    workspace, made = world
    other = opened(tmp_path / "other", seed=2)
    vkey = other.evidence.proofs.vkey
    other.close()
    assert refused(verify_evidence.check_archive, workspace.evidence.archive(made), vkey)
    assert refused(verify_evidence.check_proof, workspace.evidence.prove(made, "AC-00003").content, vkey)


def test_the_answer_at_a_date_is_that_of_the_ranking_in_force(tmp_path):
    workspace = opened(tmp_path / "data")
    for day in (20, 22):
        workspace.books.import_portfolio(f"p{day}", book(30, seed=day, as_of=date(2026, 11, day)))
        ranked(workspace, f"p{day}")
        ranked(workspace, f"p{day}", Ordering.BALANCE)
    evidence = workspace.evidence
    answers = {day: evidence.answer_at("AC-00005", date(2026, 11, day)) for day in (20, 21, 22, 30)}
    assert [a.record.portfolio_id for a in answers.values()] == ["p20", "p20", "p22", "p22"]
    assert all(a.record.record["ordering"] == "EXPECTED_VALUE" and len(a.others) == 1 for a in answers.values())
    for answer in answers.values():
        assert answer.sentence.startswith(("Worked in", "Not worked"))
        verify_evidence.check_proof(answer.proof.content, evidence.proofs.vkey)
    bad = next(i for i in range(30) if evidence.answer_at(f"AC-{i:05d}", date(2026, 11, 20)).explanation is None)
    assert "refused at the door" in evidence.answer_at(f"AC-{bad:05d}", date(2026, 11, 20)).sentence
    for account, day in (("AC-00005", 19), ("nobody", 22)):
        with pytest.raises(CollectionsError) as caught:
            evidence.answer_at(account, date(2026, 11, day))
        assert caught.value.reason is Reason.NOT_FOUND
    workspace.close()


EDITS = (
    "UPDATE rankings SET record = replace(record, 'OPTIMAL', 'LIMIT')",
    "UPDATE rankings SET created_at = '2020'",
    "UPDATE ranking_entries SET priority = priority + 1000",
    "UPDATE ranking_entries SET increment_minor = increment_minor + 1 WHERE priority = 1",
    "DELETE FROM ranking_entries WHERE priority = 2",
    "UPDATE portfolios SET accepted_count = accepted_count - 1, row_count = row_count - 1",
    "UPDATE log_entries SET content = replace(content, 'ranking', 'rankinq')",
    "DELETE FROM log_entries",
    "UPDATE log_entries SET leaf_hash = 'ab'",
    "UPDATE subject_key_blocks SET keys = zeroblob(32)",
)


@pytest.mark.parametrize("edit", EDITS)
def test_edits_of_the_database_break_the_verdict(tmp_path, edit):
    workspace = opened(tmp_path / "data")
    workspace.books.import_portfolio("p1", book(25))
    made = ranked(workspace)
    with without_triggers(f"sqlite:///{tmp_path / 'data' / 'ledger.db'}") as engine, engine.begin() as connection:
        connection.exec_driver_sql(edit)
    verification = workspace.evidence.verification
    try:
        assert verification.verify_ranking(made.ranking_id).reached is Strength.NOTHING or verification.verify_log().broken
    except CollectionsError as error:
        assert error.reason is Reason.INTEGRITY_FAILURE  # noqa: PT017 - refusing to read is noticing too
    workspace.close()


def test_a_database_rewritten_with_fitting_hashes_is_exposed_by_its_checkpoint(tmp_path):
    """Someone who owns the database and the code records another history; only the published checkpoint stays."""
    workspace = opened(tmp_path / "data")
    workspace.books.import_portfolio("p1", book(25))
    ranked(workspace)
    note = list(workspace.evidence.verification._checkpoints.published())[-1]
    size = workspace.ledger.log.tree().size
    workspace.close()
    forged = opened(tmp_path / "forged")
    forged.books.import_portfolio("p1", book(25, seed=9))
    ranked(forged)
    path = tmp_path / "forged" / "checkpoints" / note[0]
    path.write_text(note[1], encoding="utf-8")
    sentences = [check.sentence for check in forged.evidence.verification.verify_log().broken]
    assert sentences == [f"Checkpoint {note[0]} saw other entries among the first {size}: history was rewritten."]
    forged.close()


def test_a_missing_checkpoint_is_noticed_and_written_at_the_next_start(tmp_path):
    workspace = opened(tmp_path / "data")
    workspace.books.import_portfolio("p1", book(25))
    ranked(workspace)
    max((tmp_path / "data" / "checkpoints").glob("*.txt")).unlink()
    assert [check.name for check in workspace.evidence.verification.verify_log().broken] == ["checkpoints"]
    workspace.close()
    again = opened(tmp_path / "data")  # as after a process that ended between the commit and its checkpoint
    assert again.evidence.verification.verify_log().broken == ()
    again.close()


def test_a_lost_object_breaks_the_verdict_and_says_which(tmp_path):
    workspace = opened(tmp_path / "data")
    workspace.books.import_portfolio("p1", book(25))
    made = ranked(workspace)
    digest = made.record["rules_object"]
    next((tmp_path / "data" / "objects").rglob(digest)).unlink()
    broken = workspace.evidence.verification.verify_ranking(made.ranking_id).broken
    assert digest in broken[0].sentence
    workspace.close()


def swapped(priority):
    return np.where(priority == 1, 2, np.where(priority == 2, 1, priority)).astype(np.int32)


def planted(monkeypatch, workspace, change):
    """Let the pipeline record something else than what follows from its inputs."""
    made = pipeline.make_entries
    monkeypatch.setattr(pipeline, "make_entries", lambda *given: change(made(*given)))
    return ranked(workspace, seed=99)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        # A sum of floats whose order depends on threads: one unit here or there.
        (lambda e: replace(e, increment_minor=e.increment_minor + (e.priority == 1)), "increment_minor of account"),
        # Ties broken by hash(): two neighbours change places.
        (
            lambda e: replace(
                e, priority=np.where(e.priority == 1, 2, np.where(e.priority == 2, 1, e.priority)).astype(np.int32)
            ),
            "priority of account",
        ),
        (lambda e: replace(e, surplus_minor=e.surplus_minor + 1), "surplus_minor of account"),
        (lambda e: replace(e, best_queue=np.zeros_like(e.best_queue)), "best_queue of account"),
    ],
)
def test_the_certificate_catches_planted_decisions(tmp_path, monkeypatch, change, what):
    workspace = opened(tmp_path / "data")
    workspace.books.import_portfolio("p1", book(40))
    made = planted(monkeypatch, workspace, change)
    verdict = workspace.evidence.verification.verify_ranking(made.ranking_id)
    assert verdict.reached is Strength.NOTHING
    assert what in verdict.broken[0].sentence
    monkeypatch.undo()
    replayed = workspace.evidence.replays.replay(made.ranking_id)
    assert replayed.outcome is ReplayOutcome.MISMATCH
    assert what in replayed.detail
    workspace.close()


def test_a_quarantine_that_drops_a_row_is_caught(tmp_path, monkeypatch):
    workspace = opened(tmp_path / "data")
    sealed = workspace.rankings._recorder.sealed
    honest = sealed.put_refusals

    def dropping(quarantine):
        kept = quarantine.row != quarantine.row.min()
        texts = {
            n: tuple(np.array(getattr(quarantine, n), dtype=object)[kept])
            for n in ("account_id", "field", "value", "rule", "remedy")
        }
        return honest(replace(quarantine, row=quarantine.row[kept], **texts))

    monkeypatch.setattr(sealed, "put_refusals", dropping)
    workspace.books.import_portfolio("p1", book(25))
    made = ranked(workspace)
    assert "dropped" in workspace.evidence.verification.verify_ranking(made.ranking_id).broken[0].sentence
    workspace.close()


def test_replay_says_why_it_cannot(world, monkeypatch):
    workspace, made = world
    replays = workspace.evidence.replays

    def missing(version, *_):
        raise CollectionsError(Reason.MODEL_UNAVAILABLE, f"the model {version} is not at hand.")

    with monkeypatch.context() as patched:
        patched.setattr(replays, "_scorer_of", missing)
        found = replays.replay(made.ranking_id)
    assert (found.outcome, found.detail) == (ReplayOutcome.CERTIFICATE_ONLY, "the model outcome/credit-card-4 is not at hand.")
    with monkeypatch.context() as patched:
        patched.setattr(
            replay_module,
            "rank",
            lambda portfolio, request, *rest, **by: pipeline.rank(
                portfolio, replace(request, ordering=Ordering.BALANCE), *rest, **by
            ),
        )
        assert replays.replay(made.ranking_id).outcome is ReplayOutcome.MISMATCH
        patched.setattr(replay_module, "same_environment", lambda _: "numpy was 1, is 2")
        found = replays.replay(made.ranking_id)
    assert (found.outcome, found.detail) == (ReplayOutcome.CERTIFICATE_ONLY, "numpy was 1, is 2")


def test_the_record_says_who_when_on_what_and_how_healthy(world):
    _, made = world
    held = made.record
    rows = held["rows"]
    assert (rows["in"], rows["accepted"], rows["quarantined"], rows["erased_before"]) == (40, 38, 2, 0)
    assert rows["findings_by_rule"] == {"OUT_OF_RANGE": 2}
    assert held["health"] == {
        "degraded": [],
        "clipped_payoffs_count": 0,
        "clipped_payoffs_accepted": False,
        "stale_score_count": 0,
        "suspect_scores_accepted": [],
        "replayable": True,
        "why_not_replayable": "",
        "domain_declared": True,
        "outside_domain": {"bucket 1": 7, "country US": 38, "currency USD": 38, "product LOAN": 22},
        "outside_domain_count": 38,
        "lacking_features": dict.fromkeys(("credit_limit", "utilisation", "utilisation_change"), 16),
        "lacking_features_count": 16,
        "hours_not_planned_count": held["health"]["hours_not_planned_count"],
        "warnings": held["health"]["warnings"],
    }
    assert [told.split(" accounts ")[1].split()[0] for told in held["health"]["warnings"]] == ["are", "lack", "are"]
    assert held["health"]["hours_not_planned_count"] > 0  # the plan does not say when its queues work
    assert set(held["times"]) == {"received", "decided", "recorded"}
    assert held["times"]["received"] == "2026-11-24T06:00:00+00:00"
    assert held["time_zone"] == "America/New_York"
    assert held["actor"] == {"claimed_name": "", "claimed_role": "", "authenticated_system": ""}
    assert len(held["runtime"]["lock_digest"]) == 64
    assert held["runtime"]["libraries"]["lightgbm"]
    assert held["model_files"]["CARD.md"] == held["model_card_object"]
