"""Keys change and everything signed or sealed before holds; lost or foreign keys stop the opening."""

import secrets
import shutil

import pytest

from collections_opt.application.evidence.standalone import verify_evidence
from collections_opt.application.records import key_rotation
from collections_opt.application.records.opening import Whereabouts, open_rotation
from collections_opt.application.workspace import open_workspace
from collections_opt.core.actors import Actor
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.ledger.log import key_history
from collections_opt.ledger.log.key_history import fingerprint
from tests.support.books.evidence_worlds import MODELS, NOW, book, opened, ranked

ANN = Actor("ann")
KEYS = ("master.key", "checkpoint.skey")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a folder with one ranking, and evidence of before any change of keys."""
    folder = tmp_path_factory.mktemp("keys")
    workspace = opened(folder / "data")
    workspace.books.import_portfolio("p1", book(20))
    record = ranked(workspace)
    (folder / "before.zip").write_bytes(workspace.evidence.archive(record))
    (folder / "before.txt").write_text(workspace.evidence.proofs.checkpoint(), encoding="utf-8")
    (folder / "vkey").write_text(workspace.evidence.proofs.vkey)
    workspace.close()
    return folder


@pytest.fixture
def folder(made, tmp_path):
    shutil.copytree(made, tmp_path / "world")
    return tmp_path / "world"


def rotation(folder):
    return open_rotation(Whereabouts(folder / "data"), lambda: NOW, secrets.token_bytes)


def rotated(folder, how):
    change = rotation(folder)
    getattr(change, how)(ANN)
    change.ledger.close()


def reopened(folder):
    return open_workspace(folder / "data", MODELS, lambda: NOW)


@pytest.mark.parametrize("how", ["rotate_signing", "rotate_master"])
def test_after_a_change_of_keys_everything_holds(folder, how):
    secret = {name: (folder / "data" / "keys" / name).read_text() for name in KEYS}
    rotated(folder, how)
    changed = [name for name in KEYS if (folder / "data" / "keys" / name).read_text() != secret[name]]
    assert changed == (["checkpoint.skey"] if how == "rotate_signing" else ["master.key"])
    workspace = reopened(folder)
    kept = (folder / "before.txt").read_text("utf-8")
    assert workspace.evidence.verification.verify_log([kept]).broken == ()
    record = workspace.ledger.rankings.before(None, 1)[0]
    assert workspace.evidence.verification.verify_ranking(record.ranking_id).broken == ()
    workspace.close()


def test_whoever_trusts_a_former_key_verifies_what_the_next_ones_sign(folder):
    for _ in range(2):
        rotated(folder, "rotate_signing")
    workspace = reopened(folder)
    record = workspace.ledger.rankings.before(None, 1)[0]
    archive = workspace.evidence.archive(record)
    proof = workspace.evidence.prove(record, "AC-00003").content
    workspace.close()
    trusted = (folder / "vkey").read_text()
    for key in (trusted, fingerprint(trusted)):
        assert verify_evidence.check_archive(archive, key)
        assert verify_evidence.check_proof(proof, key)
        assert verify_evidence.check_archive((folder / "before.zip").read_bytes(), key)
    since = (folder / "before.txt").read_text("utf-8")
    assert any(
        "everything that the older checkpoint saw" in line for line in verify_evidence.check_archive(archive, trusted, since)
    )


def test_a_later_archive_that_lost_entries_is_told_from_an_older_checkpoint(folder):
    """The planted history: an archive of before, shown as if it were of now, beside a checkpoint of later."""
    workspace = reopened(folder)
    workspace.books.import_portfolio("p2", book(20, seed=2))
    later = workspace.evidence.proofs.checkpoint()
    workspace.close()
    with pytest.raises(verify_evidence.Refused, match="its newest were taken away"):
        verify_evidence.check_archive((folder / "before.zip").read_bytes(), "", later)


def test_a_key_that_nobody_vouched_for_is_refused(folder, tmp_path):
    """The planted leaf: whoever holds the database names a key of their own, without the former key's word."""
    change = rotation(folder)
    other = key_history.Signer("collections-opt", bytes(32))
    forged = key_history.hand_over(other, other.verifier)
    with change.ledger.database.write() as connection:
        key_history.record_keys(connection, other.verifier.vkey, "x", forged, ANN, NOW)
    change.ledger.close()
    with pytest.raises(CollectionsError) as caught:
        reopened(folder)
    assert caught.value.reason is Reason.INTEGRITY_FAILURE


@pytest.mark.parametrize("lost", [*KEYS, "all"])
def test_a_lost_key_stops_the_opening_and_nothing_new_is_made(folder, lost):
    keys = folder / "data" / "keys"
    for name in KEYS if lost == "all" else [lost]:
        (keys / name).unlink()
    with pytest.raises(CollectionsError, match="is missing, and the ledger holds records") as caught:
        reopened(folder)
    assert caught.value.reason is Reason.KEYS_MISMATCH
    assert sorted(path.name for path in keys.iterdir() if path.name in KEYS) == sorted(
        set(KEYS) - set(KEYS if lost == "all" else [lost])
    )


@pytest.mark.parametrize("name", KEYS)
def test_the_keys_of_another_ledger_stop_the_opening(folder, tmp_path, name):
    other = opened(tmp_path / "other", seed=9)
    other.close()
    shutil.copyfile(tmp_path / "other" / "keys" / name, folder / "data" / "keys" / name)
    with pytest.raises(CollectionsError, match="is not the key that the log names") as caught:
        reopened(folder)
    assert caught.value.reason is Reason.KEYS_MISMATCH


@pytest.mark.parametrize("how", ["rotate_signing", "rotate_master"])
@pytest.mark.parametrize("dies", ["before the leaf", "after it"])
def test_a_change_that_dies_is_carried_to_its_end_or_never_was(folder, monkeypatch, how, dies):
    def dying(*_):
        raise KeyboardInterrupt

    change = rotation(folder)
    monkeypatch.setattr(key_rotation, "record_keys" if dies == "before the leaf" else "take_next", dying)
    with pytest.raises(KeyboardInterrupt):
        getattr(change, how)(ANN)
    change.ledger.close()
    monkeypatch.undo()
    workspace = reopened(folder)
    assert workspace.evidence.verification.verify_log().broken == ()
    assert workspace.ledger.portfolios.get("p1").portfolio_id == "p1"
    record = workspace.ledger.rankings.before(None, 1)[0]
    assert workspace.evidence.verification.verify_ranking(record.ranking_id).broken == ()
    workspace.close()
