"""Portfolios deleted and expired: what they held is gone everywhere, and whatever rests on one keeps it."""

from datetime import timedelta

import pytest

from collections_opt.application.records.erasures import ErasureRequest
from collections_opt.application.records.holds import HoldRequest
from collections_opt.core.actors import UNKNOWN
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.ledger.log.log import LogKind
from collections_opt.ledger.objects.named import missing_objects, referenced_digests
from tests.support.books.evidence_worlds import NOW, Clock, book, opened, ranked

FEW = 6


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def workspace(tmp_path, database_url, clock):
    made = opened(tmp_path / "data", database_url, now=clock)
    made.books.import_portfolio("p1", book(FEW))
    yield made
    made.close()


def refused(call, *given):
    with pytest.raises(CollectionsError) as caught:
        call(*given)
    return caught.value


def whole(workspace):
    """Return what verification of the log and of its objects finds wrong."""
    verdict = workspace.evidence.verification.verify_log()
    return [check.sentence for check in verdict.checks if not check.holds]


def test_a_deleted_portfolio_is_gone_and_the_log_holds(workspace):
    record, deletions = workspace.ledger.portfolios.get("p1"), workspace.books.deletions
    assert deletions.delete("p1", "by mistake", validate_only=True).position is None
    done = deletions.delete("p1", "by mistake")
    assert (done.row_count, done.kept_because) == (record.row_count, "")
    assert deletions.delete("p1", "another reason") == done
    gone = refused(workspace.ledger.portfolios.get, "p1")
    assert (gone.reason, gone.resource) == (Reason.NOT_FOUND, "p1")
    assert workspace.ledger.portfolios.after("", 9) == workspace.ledger.portfolios.newest(9) == []
    digests = {record.object_digest, record.quarantine_digest}
    assert not any(workspace.ledger.objects.exists(digest) for digest in digests)
    assert not digests & referenced_digests(workspace.ledger.database)
    assert missing_objects(workspace.ledger.database, workspace.ledger.objects, lambda _record: ()) == []
    assert whole(workspace) == []
    again = refused(workspace.books.import_portfolio, "p1", book(FEW))
    assert again.reason is Reason.ALREADY_EXISTS
    assert workspace.ledger.log.entry_of(LogKind.PORTFOLIO_DELETION, "p1").facts["reason"] == "by mistake"


def test_whatever_rests_on_a_portfolio_keeps_it(workspace, clock):
    delete = workspace.books.deletions.delete
    assert refused(delete, "p1", " ").reason is Reason.INVALID_ARGUMENT
    assert refused(delete, "none", "x").reason is Reason.NOT_FOUND
    workspace.evidence.holds.place(HoldRequest("case-1", ["AC-00001"], (), "court"))
    assert "case-1" in str(refused(delete, "p1", "x"))
    workspace.evidence.holds.release("case-1", "settled")
    record, _ = workspace.rolling.roll_forward("p1", clock().date() + timedelta(days=1))
    assert record.portfolio_id in str(refused(delete, "p1", "x"))
    delete(record.portfolio_id, "derived")
    made = ranked(workspace, seed=1)
    kept = refused(delete, "p1", "x")
    assert (kept.reason, made.ranking_id in str(kept)) == (Reason.MUST_BE_KEPT, True)
    assert workspace.ledger.portfolios.get("p1").portfolio_id == "p1"
    assert whole(workspace) == []


def test_a_ranking_asked_for_meanwhile_keeps_it(workspace):
    """Between the look at the records and the transaction somebody asks for a ranking: the transaction looks again."""
    deletions = workspace.books.deletions
    deletions._resting = lambda *_: ""
    ranked(workspace, seed=1)
    assert refused(deletions.delete, "p1", "x").reason is Reason.MUST_BE_KEPT


def test_what_expired_goes_and_what_must_be_kept_is_told(workspace, clock):
    workspace.books.import_counted("p2", book(FEW), retention_days=30)
    workspace.books.import_counted("p3", book(FEW), retention_days=400)
    ranked(workspace, seed=1)
    expire = workspace.books.deletions.delete_expired
    assert expire("retention") == []
    clock.at = NOW + timedelta(days=31)
    assert [(one.portfolio_id, one.position) for one in expire("retention", validate_only=True)] == [("p2", None)]
    (done,) = expire("retention")
    assert (done.portfolio_id, done.position is not None) == ("p2", True)
    assert [each.portfolio_id for each in workspace.ledger.portfolios.after("", 9)] == ["p1", "p3"]
    wrong = refused(workspace.books.import_counted, "p4", book(FEW), False, UNKNOWN, -1)
    assert [violation.field for violation in wrong.violations] == ["retention_days"]


def test_accounts_that_only_a_deleted_portfolio_had_lapse(workspace):
    workspace.books.deletions.delete("p1", "by mistake")
    found = workspace.evidence.erasures.erase_lapsed(NOW.date(), ErasureRequest("gone", validate_only=True))
    assert found.account_count == FEW
