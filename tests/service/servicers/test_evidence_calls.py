"""Evidence over the wire: verdicts, dated answers with proofs, replays and archives of a real server."""

import re
import unicodedata
from datetime import date

import pytest

from collections_opt.api.v1 import evidence_pb2, ranking_pb2
from collections_opt.api.v1.ranking_service_pb2 import ExplainAssignmentRequest
from collections_opt.application.evidence.standalone import verify_evidence
from collections_opt.client.exports import export_evidence
from collections_opt.core.actors import Actor
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.service.server.services import all_services
from collections_opt.wire.common import write_date
from tests.support.books.evidence_worlds import book, opened, ranked, values
from tests.support.ledger.ledgers import without_triggers
from tests.support.serving.servers import served

DAY = date(2026, 11, 23).isoformat()
COMPOSED = unicodedata.normalize("NFC", "Zoë-31")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evidence")
    workspace = opened(folder)
    raw = book(40)
    raw.columns["account_id"][raw.columns["account_id"] == "AC-00031"] = COMPOSED
    workspace.books.import_portfolio("p1", raw)
    workspace.values.declare(values(), Actor("ann"))
    made = ranked(workspace)
    with served(all_services(workspace)) as client:
        yield client, made, f"sqlite:///{folder / 'ledger.db'}"
    workspace.close()


def test_the_log_and_a_ranking_are_verified_and_replayed(world):
    client, made, _ = world
    log = client.rankings.VerifyLog(evidence_pb2.VerifyLogRequest())
    entries = int(re.search(r"The log holds (\d+) entries", " ".join(check.sentence for check in log.verdict.checks))[1])
    assert log.verdict.strength == evidence_pb2.EVIDENCE_STRENGTH_INTEGRITY
    text = verify_evidence.signed_text(log.checkpoint, log.verifier_key)
    assert text.split("\n")[1] == str(entries)
    found = client.rankings.VerifyRanking(evidence_pb2.VerifyRankingRequest(ranking_id=made.ranking_id)).verdict
    assert found.strength == evidence_pb2.EVIDENCE_STRENGTH_CERTIFICATE
    assert all(check.holds and check.sentence for check in found.checks)
    again = client.rankings.ReplayRanking(evidence_pb2.ReplayRankingRequest(ranking_id=made.ranking_id))
    assert (again.outcome, again.detail) == (evidence_pb2.REPLAY_OUTCOME_BIT_IDENTICAL, "")
    with pytest.raises(CollectionsError) as caught:
        client.rankings.VerifyRanking(evidence_pb2.VerifyRankingRequest(ranking_id="nobody"))
    assert caught.value.reason is Reason.NOT_FOUND


def test_an_account_is_found_however_its_letters_are_composed(world):
    client, made, _ = world
    apart = unicodedata.normalize("NFD", COMPOSED)
    assert apart != COMPOSED
    for said in (apart, COMPOSED):
        for request in (
            ExplainAssignmentRequest(account_id=said, ranking_id=made.ranking_id),
            ExplainAssignmentRequest(account_id=said, ranking_id=made.ranking_id, with_proof=True),
            ExplainAssignmentRequest(account_id=said, as_of_date=write_date(DAY)),
        ):
            assert client.rankings.ExplainAssignment(request).account_id == COMPOSED
    archives = [export_evidence(client, made.ranking_id, [said]) for said in (apart, COMPOSED)]
    assert archives[0] == archives[1]


def test_a_dated_answer_carries_its_proof(world):
    client, made, _ = world
    key = client.rankings.VerifyLog(evidence_pb2.VerifyLogRequest()).verifier_key
    for number in (0, 7, 12):
        request = ExplainAssignmentRequest(account_id=f"AC-{number:05d}", as_of_date=write_date(DAY), with_proof=True)
        answer = client.rankings.ExplainAssignment(request)
        assert answer.ranking_id == made.ranking_id
        assert f"AC-{number:05d}" in verify_evidence.check_proof(answer.proof, key)[-1]
        same = client.rankings.ExplainAssignment(
            ExplainAssignmentRequest(account_id=request.account_id, ranking_id=made.ranking_id, with_proof=True)
        )
        assert (same.sentence, same.proof) == (answer.sentence, answer.proof)
        if answer.disposition != ranking_pb2.DISPOSITION_UNSPECIFIED:
            plain = ExplainAssignmentRequest(account_id=request.account_id, ranking_id=made.ranking_id)
            assert (client.rankings.ExplainAssignment(plain).sentence, len(answer.queues)) == (answer.sentence, 2)


@pytest.mark.parametrize("fields", [{}, {"ranking_id": "x", "as_of_date": write_date(DAY)}])
def test_a_ranking_or_a_day_is_needed_and_not_both(world, fields):
    with pytest.raises(CollectionsError) as caught:
        world[0].rankings.ExplainAssignment(ExplainAssignmentRequest(account_id="AC-00001", **fields))
    assert (caught.value.reason, caught.value.violations[0].field) == (Reason.INVALID_ARGUMENT, "ranking_id")


def test_an_archive_comes_whole(world):
    client, made, _ = world
    report = verify_evidence.check_archive(export_evidence(client, made.ranking_id), "")
    assert "38 accounts decided, 2 rows refused" in " ".join(report)
    one = export_evidence(client, made.ranking_id, ["AC-00001"])
    assert "1 shown here" in " ".join(verify_evidence.check_archive(one, ""))
    with pytest.raises(CollectionsError) as caught:
        export_evidence(client, made.ranking_id, ["a"] * 10_001)
    assert caught.value.reason is Reason.LIMIT_EXCEEDED


def test_an_edit_is_told(world):
    client, made, url = world
    with without_triggers(url) as engine, engine.begin() as connection:
        connection.exec_driver_sql("UPDATE ranking_entries SET surplus_minor = surplus_minor + 1 WHERE priority = 1")
    found = client.rankings.VerifyRanking(evidence_pb2.VerifyRankingRequest(ranking_id=made.ranking_id)).verdict
    assert found.strength == evidence_pb2.EVIDENCE_STRENGTH_NOTHING
    assert [check.sentence for check in found.checks if not check.holds] == ["its worklists differ from their digest"]
