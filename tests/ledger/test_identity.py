"""A store and a ledger that do not name each other never meet: nothing is bound, and nothing is swept."""

import os
from dataclasses import replace
from datetime import timedelta

import pytest

from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.ledger.identity import bind_store, identity, retire
from collections_opt.ledger.ledger import open_ledger
from collections_opt.ledger.objects import sweeping
from collections_opt.ledger.objects.folder import FolderObjectStore
from tests.support.ledger.ledgers import NOW, PORTFOLIO

LONG_AGO, GRACE = (0, 0), timedelta(hours=2)
COUNT = iter(range(1, 1_000))


def random_bytes(size):
    return next(COUNT).to_bytes(size, "big")


def world(folder, filled=True):
    """Return a ledger with its own store and the digests that a record names."""
    store = FolderObjectStore(folder / "objects")
    ledger = open_ledger(f"sqlite:///{folder / 'ledger.db'}", store)
    bind_store(ledger.database, store, random_bytes, NOW)
    named = {}
    if filled:
        named = {name: store.put(f"{folder.name} {name}".encode()) for name in ("object_digest", "quarantine_digest")}
        ledger.portfolios.add(replace(PORTFOLIO, **named))
        for path in (folder / "objects").glob("??/*"):
            os.utime(path, LONG_AGO)
    return ledger, store, set(named.values())


def swept(ledger, store):
    """Sweep as operators do: only what is bound; return why not, or the names removed."""
    try:
        bind_store(ledger.database, store, random_bytes, NOW)
        return sweeping.sweep_objects(ledger.database, store, GRACE, NOW, False).orphans
    except CollectionsError as error:
        return error.reason


def test_ledger_and_store_name_each_other_and_meet_again(tmp_path):
    ledger, store, _ = world(tmp_path)
    known = identity(ledger.database)
    assert bind_store(ledger.database, store, random_bytes, NOW) == known
    again = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}", store)
    assert bind_store(again.database, FolderObjectStore(tmp_path / "objects"), random_bytes, NOW) == known


def test_a_store_of_before_markers_is_taken_where_the_ledger_names_what_it_holds(tmp_path):
    store = FolderObjectStore(tmp_path / "objects")
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}", store)
    named = {name: store.put(name.encode()) for name in ("object_digest", "quarantine_digest")}
    ledger.portfolios.add(replace(PORTFOLIO, **named))
    bind_store(ledger.database, store, random_bytes, NOW)
    assert store.marker() == identity(ledger.database).marker


def test_a_process_that_died_between_leaf_and_marker_leaves_nothing_undecided(tmp_path):
    ledger, store, _ = world(tmp_path)
    (tmp_path / "objects" / "collections-opt-store.json").unlink()
    bind_store(ledger.database, store, random_bytes, NOW)
    assert store.marker() == identity(ledger.database).marker


WRONG = {
    "an empty ledger at a live folder": lambda here, there: (open_ledger(f"sqlite:///{here / 'new.db'}", None), there[1]),
    "another ledger at a live folder": lambda here, there: (world(here / "other")[0], there[1]),
    "an empty folder beside a ledger": lambda here, there: (there[0], FolderObjectStore(here / "nothing")),
    "a ledger that was moved": lambda here, there: (moved(there[0]), there[1]),
}


def moved(ledger):
    with ledger.database.write() as connection:
        retire(ledger.database, connection, "elsewhere", NOW)
    return ledger


@pytest.mark.parametrize("name", WRONG)
def test_nothing_is_removed_in_a_wrong_place(tmp_path, name):
    (tmp_path / "other").mkdir()
    (tmp_path / "live").mkdir()
    live = world(tmp_path / "live")
    ledger, store = WRONG[name](tmp_path, live)
    assert swept(ledger, store) in (Reason.STORE_MISMATCH, Reason.LEDGER_HALTED)
    assert all(live[1].exists(digest) for digest in live[2])


@pytest.mark.parametrize("name", list(WRONG)[:2])
def test_a_sweep_that_trusts_its_arguments_is_noticed(tmp_path, name):
    """The planted bug: nobody asks whose the store is, nor whether everything would go, as before."""
    (tmp_path / "other").mkdir()
    (tmp_path / "live").mkdir()
    live = world(tmp_path / "live")
    ledger, store = WRONG[name](tmp_path, live)
    named = sweeping.referenced_digests(ledger.database)
    assert all(file.name not in named for file in store.files())


def test_a_store_in_which_all_would_go_is_not_swept(tmp_path):
    """Also where ledger and store name each other, such as after a restore of a database from before its first import."""
    ledger, store, _ = world(tmp_path, filled=False)
    digest = store.put(b"of a record that this ledger lost")
    os.utime(tmp_path / "objects" / digest[:2] / digest, LONG_AGO)
    with pytest.raises(CollectionsError, match="every one would be removed"):
        sweeping.sweep_objects(ledger.database, store, GRACE, NOW, False)
    assert store.exists(digest)


def test_files_of_other_names_are_nobodys_business(tmp_path):
    ledger, store, _ = world(tmp_path)
    strangers = ["hr/contract.pdf", "ab/" + "c" * 64, "zz/" + "a" * 64, "ab/notes.txt", "abc/" + "a" * 64]
    for name in strangers:
        path = tmp_path / "objects" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("theirs")
        os.utime(path, LONG_AGO)
    assert swept(ledger, store) == ()
    assert all((tmp_path / "objects" / name).exists() for name in strangers)


def test_a_moved_ledger_takes_no_writes_and_says_where_it_went(tmp_path):
    moved(world(tmp_path)[0]).close()
    again = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}", None)
    with pytest.raises(CollectionsError, match="was moved to elsewhere") as caught:
        again.portfolios.add(replace(PORTFOLIO, portfolio_id="p2"))
    assert caught.value.reason is Reason.LEDGER_HALTED
    assert again.portfolios.get("p1").portfolio_id == "p1"
