"""What is remembered within a moment of the ledger is never stale, on SQLite and on PostgreSQL, whoever writes."""

from datetime import date

import pytest

from collections_opt.core.models.lifecycle import ModelAction, ModelEvent, ModelKind
from collections_opt.core.resources import ResourceKind
from collections_opt.ledger.ledger import open_ledger
from collections_opt.ledger.log import moments
from collections_opt.ledger.objects.folder import FolderObjectStore
from collections_opt.ledger.store.database import Database
from tests.support.ledger.ledgers import NOW, fill

JANUARY = date(2026, 1, 1)


@pytest.fixture
def ledger(database_url, tmp_path):
    opened = open_ledger(database_url, FolderObjectStore(tmp_path / "objects"))
    fill(opened)
    yield opened
    opened.close()


@pytest.fixture
def reads(monkeypatch):
    """Return a list that grows by one with every transaction that reads, and every row asked of the driver."""
    made, honest, honest_row = [], Database.read, Database.first_row
    monkeypatch.setattr(Database, "read", lambda self: made.append(1) or honest(self))
    monkeypatch.setattr(Database, "first_row", lambda self, statement: made.append(1) or honest_row(self, statement))
    return made


def remembered(ledger):
    """Return everything that callers remember, by name."""
    return {
        "standings": [ledger.model_events.standing(kind) for kind in ModelKind],
        "plan": ledger.moments.remembered(("plan", "desk"), lambda: ledger.plans.get("desk")),
        "rules": ledger.moments.remembered("rules", lambda: ledger.resources.in_force(ResourceKind.RULE_TABLE, JANUARY)),
    }


def in_a_moment(ledger):
    with ledger.moments.one():
        return remembered(ledger)


def test_a_second_moment_asks_once_and_outside_of_moments_everything_is_read(ledger, reads):
    first = in_a_moment(ledger)
    asked = len(reads)
    assert in_a_moment(ledger) == first
    assert len(reads) == asked + 1
    assert remembered(ledger) == first
    assert len(reads) > asked + len(ModelKind)


def test_what_another_process_writes_is_seen_in_the_next_moment(ledger, database_url, tmp_path):
    before = in_a_moment(ledger)
    other = open_ledger(database_url, FolderObjectStore(tmp_path / "objects"))
    promoted = ModelEvent(ModelKind.OUTCOME, "v1", "d", ModelAction.PROMOTE, "op", NOW)
    etag = other.plans.get("desk").etag
    for write, changed in (
        (lambda: other.model_events.add([promoted]), "standings"),
        (lambda: other.plans.add("desk", JANUARY, '{"a":1}', etag, NOW), "plan"),
    ):
        write()
        after = in_a_moment(ledger)
        assert after == remembered(ledger)
        assert {name for name in after if after[name] != before[name]} == {changed}
        before = after
    other.close()


def test_a_block_within_a_block_is_the_same_moment(ledger, reads):
    with ledger.moments.one():
        remembered(ledger)
        asked = len(reads)
        assert in_a_moment(ledger) == remembered(ledger)
    assert len(reads) == asked


def test_a_write_while_something_is_read_is_read_again_and_not_kept_as_older(ledger):
    def read_late():
        held = ledger.plans.get("desk")
        ledger.plans.add("desk", JANUARY, f'{{"after":"{held.version}"}}', held.etag, NOW)
        return held

    with ledger.moments.one():
        assert ledger.moments.remembered("late", read_late).version == 1
    with ledger.moments.one():
        assert ledger.moments.remembered("late", lambda: ledger.plans.get("desk")).version == 2


def test_only_the_latest_reads_are_kept(ledger, reads, monkeypatch):
    monkeypatch.setattr(moments, "MOST_REMEMBERED", 2)
    with ledger.moments.one():
        for name in ("a", "b", "c", "b"):
            ledger.moments.remembered(name, lambda: reads.append(1))
    assert len(reads) == 1 + 3
    with ledger.moments.one():
        ledger.moments.remembered("a", lambda: reads.append(1))
    assert len(reads) == 2 + 4
