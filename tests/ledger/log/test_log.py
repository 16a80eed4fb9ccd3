"""The log: a leaf per ranking in its own transaction, proofs between sizes, and no edit unnoticed."""

import pytest
import sqlalchemy as sa

from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.log.log import LogKind, append_log
from collections_opt.ledger.log.merkle import check_consistency, leaf_hash
from collections_opt.ledger.store.database import open_database
from collections_opt.ledger.tables import rankings as rankings_module
from tests.support.ledger.inclusion import check_inclusion
from tests.support.ledger.ledgers import PORTFOLIO, add, without_triggers


@pytest.fixture
def ledger(database_url):
    opened = Ledger(open_database(database_url), None)
    opened.portfolios.add(PORTFOLIO)
    yield opened
    opened.close()


def test_every_ranking_has_its_leaf_and_every_log_extends_the_one_before(ledger):
    before = []
    for number in range(5):
        made = add(ledger, f"r{number}")
        tree = ledger.log.tree()
        entry = ledger.log.entry_of(LogKind.RANKING, made.ranking_id)
        assert (entry.position, entry.facts["record_digest"]) == (number + 1, made.record_digest)  # after the portfolio
        leaf = leaf_hash(entry.content.encode())
        assert check_inclusion(leaf, number + 1, tree.size, tree.inclusion_proof(number + 1), tree.root)
        for size, root in before:
            assert check_consistency(size, root, tree.size, tree.root, tree.consistency_proof(size))
        before.append((tree.size, tree.root))
    assert ledger.log.verify() == []
    assert [entry.position for entry in ledger.log.entries(LogKind.RANKING)] == list(range(1, 6))
    assert ledger.log.entry_of(LogKind.RANKING, "nothing") is None


def test_a_leaf_outside_the_transaction_is_noticed(ledger, monkeypatch):
    """The planted bug: the leaf is written after the commit, and the process dies in between."""
    monkeypatch.setattr(rankings_module, "append_log", lambda *_: None)
    made = add(ledger)
    assert ledger.log.verify() == [f"ranking {made.ranking_id}: recorded, but has no leaf in the log"]


def test_a_leaf_whose_ranking_was_rolled_back_is_noticed(ledger):
    """The planted bug: the leaf is committed before the ranking is."""
    with ledger.database.write() as connection:
        append_log(connection, LogKind.RANKING, "lost", {"record_digest": "d", "seq": 1, "leaves": {}})
    assert ledger.log.verify() == ["ranking lost: the log holds another record of it"]


def test_edits_of_the_log_are_noticed(ledger, database_url):
    for number in range(3):
        add(ledger, f"r{number}")
    edits = (
        "UPDATE log_entries SET content = content || ' ' WHERE position = 1",
        "UPDATE log_entries SET leaf_hash = 'ab' WHERE position = 1",
        "UPDATE log_entries SET reference = 'x' WHERE position = 1",
        "UPDATE log_entries SET kind = 'erasure' WHERE position = 1",
        "UPDATE log_entries SET position = 9 WHERE position = 1",
        "DELETE FROM log_entries WHERE position = 2",
    )
    with without_triggers(database_url) as engine:
        for edit in edits:
            with engine.connect() as connection:
                kept = connection.exec_driver_sql("SELECT * FROM log_entries").mappings().all()
            with engine.begin() as connection:
                connection.execute(sa.text(edit))
            assert ledger.log.verify(), edit
            with engine.begin() as connection:
                connection.exec_driver_sql("DELETE FROM log_entries")
                names = "position, kind, reference, content, leaf_hash"
                places = ", ".join(f":{name}" for name in names.split(", "))
                for row in kept:
                    connection.execute(sa.text(f"INSERT INTO log_entries ({names}) VALUES ({places})"), dict(row))
            assert ledger.log.verify() == []
