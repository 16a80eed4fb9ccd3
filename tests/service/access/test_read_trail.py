"""Who read data about accounts is recorded before it is answered, chained, covered by the log, and names no account."""

from __future__ import annotations

import contextlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from collections_opt.api.v1 import evidence_pb2, portfolio_service_pb2, ranking_service_pb2
from collections_opt.client.policy import CONTRACT
from collections_opt.core.actors import Actor
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.ledger.ledger import open_ledger
from collections_opt.ledger.log.log import LogKind
from collections_opt.ledger.objects.folder import FolderObjectStore
from collections_opt.ledger.tables import reads as module
from collections_opt.ledger.tables.reads import reads_in_log
from collections_opt.service.access.audited import AUDITED, read_note
from tests.support.ledger.ledgers import NOW, without_triggers
from tests.support.scripts.processes import call
from tests.support.serving.calls import WAIT

METHODS = {m.name: m for file in CONTRACT for service in file.services_by_name.values() for m in service.methods}
ANN = Actor("ann", "ANALYST", "", "desk")


@pytest.fixture
def ledger(database_url, tmp_path):
    opened = open_ledger(database_url, FolderObjectStore(tmp_path / "objects"))
    yield opened
    opened.close()


def broken(ledger):
    return ledger.reads.verify(reads_in_log(list(ledger.log.entries(LogKind.READS))))[0]


def filled(ledger, count=5):
    for number in range(count):
        ledger.reads.record("ListWorklist", ANN, {"ranking_id": f"rk-{number}"}, NOW)
    ledger.reads.anchor()


def test_reads_are_chained_and_the_log_covers_them(ledger, monkeypatch):
    monkeypatch.setattr(module, "ANCHOR_EVERY", 2)
    filled(ledger)
    found = ledger.reads.after(0, 10)
    assert [(read.seq, json.loads(read.subject)) for read in found] == [(n + 1, {"ranking_id": f"rk-{n}"}) for n in range(5)]
    assert json.loads(found[0].actor)["authenticated_name"] == "ann"
    assert sorted(reads_in_log(list(ledger.log.entries(LogKind.READS)))) == [2, 4, 5]
    assert ledger.reads.anchor() is None
    assert broken(ledger) == ledger.log.verify() == []


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE account_reads SET actor = '{}' WHERE seq = 2",
        "UPDATE account_reads SET subject = '{}' WHERE seq = 5",
        "UPDATE account_reads SET digest = 'x' WHERE seq = 3",
        "DELETE FROM account_reads WHERE seq = 3",
        "DELETE FROM account_reads WHERE seq = 5",
        "DELETE FROM account_reads",
    ],
)
def test_an_edited_trail_is_found(ledger, database_url, edit):
    filled(ledger)
    with without_triggers(database_url) as engine, engine.begin() as connection:
        connection.exec_driver_sql(edit)
    assert broken(ledger)


def test_audited_methods_are_of_the_contract_and_ask_once():
    assert set(METHODS) >= AUDITED
    assert not any(METHODS[name].client_streaming for name in AUDITED)


def test_every_answer_about_accounts_leaves_a_note_that_names_no_account(client, ranking, data):
    queue = ranking.queues[0].queue_id
    page = ranking_service_pb2.ListWorklistRequest(ranking_id=ranking.ranking_id, queue_id=queue)
    account = client.rankings.ListWorklist(page, timeout=WAIT).entries[0].account_id
    asked = ranking_service_pb2.ExplainAssignmentRequest(ranking_id=ranking.ranking_id, account_id=account)
    client.rankings.ExplainAssignment(asked, timeout=WAIT)
    list(client.rankings.ExportRanking(ranking_service_pb2.ExportRankingRequest(ranking_id=ranking.ranking_id), timeout=WAIT))
    client.portfolios.ListQuarantinedAccounts(
        portfolio_service_pb2.ListQuarantinedAccountsRequest(portfolio_id="book", page_size=5), timeout=WAIT
    )
    client.rankings.GetRanking(ranking_service_pb2.GetRankingRequest(ranking_id=ranking.ranking_id), timeout=WAIT)
    shown = json.loads(call("reads.py", "--data", data, "--json").stdout)
    assert [read["method"] for read in shown] == ["ListWorklist", "ExplainAssignment", "ExportRanking", "ListQuarantinedAccounts"]
    assert json.loads(shown[1]["subject"])["key_numbers"][0] >= 0
    assert account not in json.dumps(shown)
    verdict = client.rankings.VerifyLog(evidence_pb2.VerifyLogRequest(), timeout=WAIT).verdict
    assert next(check for check in verdict.checks if check.name == "reads").holds
    assert "as claimed" in call("reads.py", "--data", data, "--csv").stdout


def test_nothing_is_answered_that_could_not_be_noted():
    def failing(*_):
        raise refuse(Reason.STORAGE_UNAVAILABLE, "database", "is full.")

    with pytest.raises(CollectionsError, match="is full"):
        read_note(failing)("ListWorklist", ranking_service_pb2.ListWorklistRequest(ranking_id="x"), Nobody())


class Nobody:
    """A call without metadata or certificate."""

    def invocation_metadata(self):
        return ()

    def auth_context(self):
        return {}


class Counted(list):
    """Notes that wait, and a word for each that came."""

    def __init__(self):
        super().__init__()
        self.came = threading.Semaphore(0)

    def append(self, one):
        super().append(one)
        self.came.release()


def together(ledger, count):
    """Note so many reads at once, all of them while the turn before is not over; return the pool's futures."""
    reads = ledger.reads
    reads._together._waiting = Counted()
    with ThreadPoolExecutor(count) as pool, contextlib.ExitStack() as turn:
        turn.enter_context(reads._together.alone())
        notes = [pool.submit(reads.record, "ListWorklist", ANN, {"ranking_id": f"rk-{n}"}, NOW) for n in range(count)]
        for _ in notes:
            reads._together._waiting.came.acquire()
        turn.close()
        return notes


def test_notes_that_wait_together_are_kept_by_one_transaction(ledger, monkeypatch):
    monkeypatch.setattr(module, "ANCHOR_EVERY", 3)
    begun, write = [], ledger.database.write
    monkeypatch.setattr(ledger.reads._database, "write", lambda **how: begun.append(how) or write(**how))
    assert sorted(note.result() for note in together(ledger, 8)) == list(range(1, 9))
    assert len(begun) == 1
    assert broken(ledger) == ledger.log.verify() == []


def test_where_the_transaction_fails_nobody_is_told_that_a_note_was_kept(ledger, monkeypatch):
    def fails(*_):
        raise refuse(Reason.STORAGE_UNAVAILABLE, "database", "is full.", "Free space.")

    monkeypatch.setattr(ledger.reads, "_insert", fails)
    assert all(isinstance(note.exception(), CollectionsError) for note in together(ledger, 4))
    assert ledger.reads.after(0, 10) == []
