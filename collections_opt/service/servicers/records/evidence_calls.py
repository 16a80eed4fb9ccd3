"""The calls of RankingService around evidence: explain with proof, verify, replay, export."""

from __future__ import annotations

from collections.abc import Iterator

from collections_opt.api.v1 import evidence_pb2, ranking_service_pb2
from collections_opt.application.evidence.evidence import DatedAnswer, Evidence
from collections_opt.application.evidence.findings import Verdict
from collections_opt.application.records.erasures import MAX_ACCOUNTS
from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.names import normal_account_id
from collections_opt.service.access.call import Call
from collections_opt.service.converters.rankings import write_explanation
from collections_opt.wire.common import read_date, write_enum

CHUNK_BYTES = 1 << 20
"""Bytes of an archive per message."""

MAX_KEPT = 100
"""Checkpoints that one call may send to be compared."""


class EvidenceCalls:
    """Answers from evidence."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence

    def explain_assignment(
        self, request: ranking_service_pb2.ExplainAssignmentRequest, _context: Call
    ) -> ranking_service_pb2.ExplainAssignmentResponse:
        """Return why an account is worked or not, in a ranking or in the one in force on a day."""
        account_id = normal_account_id(request.account_id)
        dated = request.HasField("as_of_date")
        if dated == bool(request.ranking_id):
            raise refuse(
                Reason.INVALID_ARGUMENT, "ranking_id", "is given beside as_of_date, or neither is.", "Give one of the two."
            )
        if dated:
            day = read_date(request.as_of_date, "as_of_date")
            return write_answer(self._evidence.answer_at(account_id, day), request.with_proof)
        if request.with_proof:
            return write_answer(self._evidence.answer(request.ranking_id, account_id), True)
        opened = self._evidence.recorded.open(request.ranking_id)
        found = self._evidence.explanations.explain_opened(opened, account_id)
        answer = write_explanation(found, opened.facts.inputs.currency_code)
        answer.ranking_id = request.ranking_id
        return answer

    def verify_ranking(self, request: evidence_pb2.VerifyRankingRequest, _context: Call) -> evidence_pb2.VerifyRankingResponse:
        """Return how much of a ranking holds."""
        verdict = self._evidence.verification.verify_ranking(request.ranking_id)
        return evidence_pb2.VerifyRankingResponse(verdict=_write_verdict(verdict))

    def verify_log(self, request: evidence_pb2.VerifyLogRequest, _context: Call) -> evidence_pb2.VerifyLogResponse:
        """Return whether the log holds, with its signed state, and how it relates to the checkpoints sent."""
        kept = list(request.kept_checkpoints)
        if len(kept) > MAX_KEPT:
            raise refuse(Reason.LIMIT_EXCEEDED, "kept_checkpoints", f"{len(kept)} checkpoints.", f"Send at most {MAX_KEPT}.")
        found = self._evidence.verification.verify_log(kept)
        state = self._evidence.proofs.state(kept)
        return evidence_pb2.VerifyLogResponse(
            verdict=_write_verdict(found),
            checkpoint=state.checkpoint,
            verifier_key=self._evidence.proofs.vkey,
            consistency=[
                evidence_pb2.ConsistencyProof(size=each.size, contradiction=each.wrong, hashes=each.proof) for each in state.kept
            ],
            key_hand_overs=[note for _, note in self._evidence.proofs.hand_overs],
        )

    def replay_ranking(self, request: evidence_pb2.ReplayRankingRequest, _context: Call) -> evidence_pb2.ReplayRankingResponse:
        """Make a ranking anew and return what differs."""
        found = self._evidence.replays.replay(request.ranking_id)
        outcome = write_enum(evidence_pb2.ReplayOutcome.DESCRIPTOR, found.outcome.value)
        return evidence_pb2.ReplayRankingResponse(ranking_id=found.ranking_id, outcome=outcome, detail=found.detail)

    def export_evidence(
        self, request: evidence_pb2.ExportEvidenceRequest, _context: Call
    ) -> Iterator[evidence_pb2.ExportEvidenceResponse]:
        """Yield the archive of a ranking."""
        accounts = [normal_account_id(account_id) for account_id in request.account_ids]
        if len(accounts) > MAX_ACCOUNTS:
            raise refuse(Reason.LIMIT_EXCEEDED, "account_ids", f"{len(accounts)} accounts.", f"Send at most {MAX_ACCOUNTS}.")
        record = self._evidence.recorded.finished(request.ranking_id)
        content = self._evidence.archive(record, accounts or None)
        for start in range(0, len(content), CHUNK_BYTES):
            yield evidence_pb2.ExportEvidenceResponse(content=content[start : start + CHUNK_BYTES])


def write_answer(found: DatedAnswer, with_proof: bool) -> ranking_service_pb2.ExplainAssignmentResponse:
    """Return what was decided for an account, and with ``with_proof`` what proves it."""
    currency_code = RankingFacts.from_record(found.record.record).inputs.currency_code
    account_id = found.proof.answer["account_id"]
    answer = ranking_service_pb2.ExplainAssignmentResponse(account_id=account_id, currency_code=currency_code)
    if found.explanation is not None:
        answer = write_explanation(found.explanation, currency_code)
    answer.ranking_id, answer.sentence = found.record.ranking_id, found.sentence
    answer.other_ranking_ids.extend(found.others)
    if with_proof:
        answer.proof = found.proof.content
    return answer


def _write_verdict(verdict: Verdict) -> evidence_pb2.EvidenceVerdict:
    return evidence_pb2.EvidenceVerdict(
        subject=verdict.subject,
        strength=write_enum(evidence_pb2.EvidenceStrength.DESCRIPTOR, verdict.reached.value),
        checks=[evidence_pb2.EvidenceCheck(name=c.name, holds=c.holds, sentence=c.sentence) for c in verdict.checks],
        limits=verdict.limits,
    )
