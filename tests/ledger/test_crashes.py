"""A crash leaves a whole ranking or none, and what was acknowledged is there."""

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.ledger.ledger import open_ledger
from collections_opt.ledger.objects.folder import FolderObjectStore
from collections_opt.ledger.objects.parquet import ColumnTable, columns_to_parquet
from collections_opt.ledger.records import RankingState
from tests.support.entries import entries_of
from tests.support.ledger.ledgers import NOW, PORTFOLIO, add, add_ranking

ROOT = Path(__file__).parents[2]
ENTRIES = entries_of([0, 0, -1, 1])


@pytest.fixture
def ledger(database_url, tmp_path):
    opened = open_ledger(database_url, FolderObjectStore(tmp_path / "objects"))
    opened.portfolios.add(PORTFOLIO)
    yield opened
    opened.close()


def crash_at(point, database_url, tmp_path):
    """Run the process that dies; return whether it acknowledged."""
    command = [sys.executable, "-m", "tests.support.ledger.crashing_process", database_url, str(tmp_path / "objects"), point]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == -9, ended.stderr
    return "ack" in ended.stdout


def broken_promises(ledger, acknowledged):
    """Return what a crash broke."""
    made = ledger.rankings.find_request("r1", "x")
    broken = ["acknowledged and lost"] if acknowledged and made is None else []
    if made is None:
        with ledger.database.read() as connection:
            rows = connection.exec_driver_sql("SELECT count(*) FROM ranking_entries").scalar()
        broken += [f"{rows} entries of no ranking"] if rows else []
    else:
        broken += ledger.rankings.verify(made.ranking_id)
        broken += [] if ledger.objects.verify(made.record["entries_object"]) else ["its object is missing"]
    return broken + ledger.chain.verify()


@pytest.mark.parametrize(
    ("point", "exists"),
    [("after_object", False), ("before_commit", False), ("before_acknowledgement", True), ("after_acknowledgement", True)],
)
def test_a_killed_process_leaves_all_or_nothing_and_a_retry_finishes(ledger, database_url, tmp_path, point, exists):
    acknowledged = crash_at(point, database_url, tmp_path)
    assert broken_promises(ledger, acknowledged) == []
    before = ledger.rankings.find_request("r1", "x")
    assert (before is not None) is exists
    digest = ledger.objects.put(columns_to_parquet(ColumnTable(ENTRIES.columns())))
    objects = [path for path in (tmp_path / "objects").rglob("*") if path.is_file()]
    assert [path.name for path in objects] == [digest]
    after = add_ranking(ledger, "g1", "r1", "x", "p1", {"entries_object": digest}, ENTRIES, NOW)
    assert before in (None, after)
    assert ledger.chain.head().seq == 1


def test_acknowledging_before_the_commit_is_noticed(ledger, database_url, tmp_path):
    acknowledged = crash_at("planted_acknowledge_before_commit", database_url, tmp_path)
    assert broken_promises(ledger, acknowledged) == ["acknowledged and lost"]


@pytest.mark.parametrize("kept", [False, True])
def test_a_failed_commit_is_an_unknown_outcome_and_a_retry_settles_it(ledger, kept):
    engine = ledger.database._engine

    def fail(connection):
        if kept:
            connection.connection.dbapi_connection.commit()
        raise sa.exc.OperationalError("COMMIT", None, OSError("disk I/O error"))

    begun = ledger.requests.begin("g1", "r1", "x", "p1", "{}", NOW)
    sa.event.listen(engine, "commit", fail)
    with pytest.raises(CollectionsError) as caught:
        ledger.rankings.complete(begun.ranking_id, {"note": "n"}, ENTRIES, NOW)
    assert caught.value.reason is Reason.OUTCOME_UNKNOWN
    sa.event.remove(engine, "commit", fail)
    assert (ledger.rankings.find_request("r1", "x") is not None) is kept
    made = add(ledger)
    assert ledger.chain.head().seq == made.seq == 1
    assert ledger.chain.verify() + ledger.rankings.verify(made.ranking_id) == []


@pytest.mark.parametrize("failing", range(6))
def test_whichever_statement_fails_nothing_is_left(ledger, failing):
    """Fail the n-th write of a ranking's transaction: ranking, entries, leaf of the log, state, event."""
    engine, seen = ledger.database._engine, []
    begun = ledger.requests.begin("g1", "r1", "x", "p1", "{}", NOW)

    def fail(connection, cursor, statement, *_):
        if statement.startswith("INSERT"):
            seen.append(statement)
            if len(seen) == failing + 1:
                raise sa.exc.OperationalError(statement, None, OSError("disk full"))

    sa.event.listen(engine, "before_cursor_execute", fail)
    # PostgreSQL takes the entries by COPY, which is no statement of SQLAlchemy's: it has one INSERT less.
    expected = 4 if engine.dialect.name == "postgresql" else 5
    if failing < expected:
        with pytest.raises(CollectionsError) as caught:
            add(ledger)
        assert caught.value.reason is Reason.STORAGE_UNAVAILABLE
    else:
        add(ledger)
        assert len(seen) == expected
    sa.event.remove(engine, "before_cursor_execute", fail)
    if failing < expected:
        assert ledger.rankings.find_request("r1", "x") is None
        assert ledger.requests.unfinished() == [begun]
        assert ledger.outbox.after(0, 9) == []
        assert ledger.chain.head().seq == 0
    made = add(ledger)
    assert [s.state for s in ledger.requests.states(made.ranking_id)] == [RankingState.REQUESTED, RankingState.SUCCEEDED]
    assert ledger.rankings.verify(made.ranking_id) == []
