"""A log that a checkpoint contradicts takes no writes before a person decided; nothing of that is forgotten."""

import shutil

import pytest

from collections_opt.application.evidence.findings import Strength
from collections_opt.application.records.standing import Standing
from collections_opt.application.workspace import open_workspace
from collections_opt.core.actors import Actor
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.ledger.ledger import open_ledger
from tests.support.books.evidence_worlds import MODELS, NOW, book


@pytest.fixture(scope="module")
def histories(tmp_path_factory):
    """Return a data folder, an older state of its database, and a second place of its checkpoints."""
    folder = tmp_path_factory.mktemp("histories")
    outside = folder / "outside"
    workspace = reopened(folder / "data", outside)
    workspace.books.import_portfolio("p1", book(20))
    shutil.copyfile(folder / "data" / "ledger.db", folder / "old.db")
    workspace.books.import_portfolio("p2", book(20, seed=2))
    workspace.close()
    return folder


@pytest.fixture
def data(histories, tmp_path):
    """Return a copy of it."""
    shutil.copytree(histories, tmp_path / "world")
    return tmp_path / "world"


def reopened(data, *outside):
    return open_workspace(data, MODELS, lambda: NOW, checkpoints_at=[str(place) for place in outside])


def restore_old(world):
    shutil.copyfile(world / "old.db", world / "data" / "ledger.db")


def refuses_writes(workspace):
    try:
        workspace.books.import_portfolio("p3", book(20, seed=3))
    except CollectionsError as error:
        return error.reason is Reason.LEDGER_HALTED
    return False


def test_an_old_database_reads_but_does_not_record(data):
    restore_old(data)
    workspace = reopened(data / "data")
    assert workspace.ledger.portfolios.get("p1").portfolio_id == "p1"
    assert refuses_writes(workspace)
    assert "its tail was cut off" in str(workspace.ledger.database.halted)
    workspace.close()


def test_a_start_that_does_not_look_is_noticed(data, monkeypatch):
    """The planted bug: the log is not compared at start, as before; it goes on recording beside the other history."""
    monkeypatch.setattr(Standing, "look", lambda _: [])
    restore_old(data)
    workspace = reopened(data / "data")
    assert not refuses_writes(workspace)
    workspace.close()


@pytest.mark.parametrize("told", [True, False])
def test_records_removed_with_their_checkpoints_show_beside_any_other_copy(data, told):
    """Whoever owns the data folder takes the newest records away, and their checkpoints with them."""
    restore_old(data)
    size = max(path.name for path in (data / "outside").glob("*.txt"))
    newest = (data / "outside" / size).read_text("utf-8")
    old = opened_size(data)
    for path in (data / "data" / "checkpoints").glob("*.txt"):
        if int(path.stem.partition("-")[0]) > old:
            path.unlink()
    workspace = reopened(data / "data", *([data / "outside"] if told else []))
    assert refuses_writes(workspace) == told
    verification = workspace.evidence.verification
    if not told:
        assert not verification.verify_log().broken
        assert "kept elsewhere" in verification.verify_log().limits[0]
        shown = verification.verify_log([newest])
        assert [check.name for check in shown.broken] == ["kept checkpoint 1"]
        assert shown.reached is Strength.NOTHING
    workspace.close()


def opened_size(data):
    """Return the size of the log in the older database."""
    ledger = open_ledger(f"sqlite:///{data / 'old.db'}", None)
    size = ledger.log.tree().size
    ledger.close()
    return size


def test_two_histories_of_one_size_are_told_apart(data):
    restore_old(data)
    for path in (data / "data" / "checkpoints").glob("*.txt"):
        path.unlink()
    forked = reopened(data / "data")
    forked.books.import_portfolio("p2", book(20, seed=4))
    forked.close()
    again = reopened(data / "data", data / "outside")
    assert "history was rewritten" in str(again.ledger.database.halted)
    again.close()


def test_a_person_decides_and_everyone_learns_of_it(data):
    restore_old(data)
    workspace = reopened(data / "data", data / "outside")
    standing = workspace.evidence.verification._standing
    with pytest.raises(CollectionsError, match="reason: is empty"):
        standing.decide(Actor("ann"), " ")
    standing.decide(Actor("ann"), "restored Monday's backup")
    workspace.close()
    again = reopened(data / "data", data / "outside")
    again.books.import_portfolio("p3", book(20, seed=3))
    shown = again.evidence.verification.verify_log()
    assert shown.broken == ()
    told = next(check.sentence for check in shown.checks if check.name == "decision")
    assert "ann (as claimed) decided that" in told
    assert "restored Monday's backup" in told
    with pytest.raises(CollectionsError, match="none contradicts"):
        again.evidence.verification._standing.decide(Actor("ann"), "again")
    again.close()


def test_a_checkpoint_kept_elsewhere_is_extended_and_proved(data):
    workspace = reopened(data / "data")
    kept = min((data / "outside").glob("*.txt")).read_text("utf-8")
    shown = workspace.evidence.verification.verify_log([kept])
    assert (shown.reached, shown.limits) == (Strength.INTEGRITY, ())
    origin, size, rest = kept.split("\n", 2)
    altered = workspace.evidence.verification.verify_log([f"{origin}\n{int(size) + 1}\n{rest}"])
    assert "is not signed" in altered.broken[0].sentence
    workspace.close()


def test_a_second_place_that_cannot_be_written_stops_nothing_and_is_told(data):
    (data / "file").write_text("no folder")
    workspace = reopened(data / "data", data / "file" / "below")
    workspace.books.import_portfolio("p4", book(20, seed=5))
    assert [check.name for check in workspace.evidence.verification.verify_log().broken] == [
        f"checkpoints at {data / 'file' / 'below'}"
    ]
    workspace.close()
