"""Everything around evidence in one place: verify, explain at a date, replay, export, erase."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from collections_opt.application.answers.account_explanation import AccountExplanation, AccountExplanations
from collections_opt.application.evidence.proofs import AccountProof, LogMoment, Proofs
from collections_opt.application.evidence.replay import Replays
from collections_opt.application.evidence.verification import Verification
from collections_opt.application.rankings.opened_ranking import OpenedRanking
from collections_opt.application.rankings.recorded_rankings import RecordedRankings
from collections_opt.application.records.erasures import Erasures
from collections_opt.application.records.holds import Holds
from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.records import RankingRecord


@dataclass(frozen=True)
class DatedAnswer:
    """Was an account worked on a day, where and why; and the proof.

    Attributes:
        record: the ranking in force.
        sentence: the answer in one sentence.
        explanation: the answer per queue; None for a row that was refused at the door.
        proof: what proves it.
        others: other rankings of the same day.
    """

    record: RankingRecord
    sentence: str
    explanation: AccountExplanation | None
    proof: AccountProof
    others: tuple[str, ...]


@dataclass(frozen=True)
class Evidence:
    """The use cases around evidence."""

    ledger: Ledger
    recorded: RecordedRankings
    explanations: AccountExplanations
    verification: Verification
    proofs: Proofs
    replays: Replays
    erasures: Erasures

    @property
    def holds(self) -> Holds:
        """What forbids erasures."""
        return self.erasures.holds

    def answer(self, ranking_id: str, account_id: str) -> DatedAnswer:
        """Return what one ranking decided for an account, with the proof.

        Raises:
            CollectionsError: NOT_FOUND when the ranking has no such account, or it was erased.
        """
        return self._answer(self.recorded.open(ranking_id), account_id, ())

    def answer_of(self, opened: OpenedRanking, account_id: str, moment: LogMoment) -> DatedAnswer:
        """Return the same of a ranking that is open, with the log at a moment.

        Raises:
            CollectionsError: as ``answer``.
        """
        return self._answer(opened, account_id, (), moment)

    def answer_at(self, account_id: str, day: date) -> DatedAnswer:
        """Return what was in force for an account on a day: the last ranking up to it, by expected value where there is one.

        Raises:
            CollectionsError: NOT_FOUND when nothing was ranked up to that day, or no ranking of that day has the account.
        """
        records = list(self._in_force(day))
        if not records:
            raise refuse(Reason.NOT_FOUND, "as_of_date", f"nothing was ranked up to {day}.", "Ask for a later day.", str(day))
        for record in records:
            others = tuple(other.ranking_id for other in records if other is not record)
            try:
                return self._answer(self.recorded.opened(record), account_id, others)
            except CollectionsError as error:
                if error.reason is not Reason.NOT_FOUND:
                    raise
        last = RankingFacts.from_record(records[0].record).inputs.as_of_date
        told = f"{account_id!r} is in no ranking of {last}, or was erased."
        raise refuse(Reason.NOT_FOUND, "account_id", told, "Check the id.", account_id)

    def prove(self, record: RankingRecord, account_id: str) -> AccountProof:
        """Return the proof of one account, as ``Proofs.prove``."""
        return self.proofs.prove(self.recorded.opened(record), account_id)

    def archive(self, record: RankingRecord, accounts: Sequence[str] | None = None) -> bytes:
        """Return everything about a ranking as one archive, as ``Proofs.archive``."""
        return self.proofs.archive(self.recorded.opened(record), accounts)

    def _in_force(self, day: date) -> Iterator[RankingRecord]:
        records = [self.ledger.rankings.get(ranking_id) for ranking_id in self.ledger.history.in_force(day)]
        yield from sorted(records, key=lambda record: not _by_expected_value(record))

    def _answer(
        self, opened: OpenedRanking, account_id: str, others: tuple[str, ...], moment: LogMoment | None = None
    ) -> DatedAnswer:
        record, proof = opened.record, self.proofs.prove(opened, account_id, moment)
        if "disposition" not in proof.answer:
            sentence = "Not worked: its row {row} was refused at the door, {field} {rule} ({value}).".format(**proof.answer)
            return DatedAnswer(record, sentence, None, proof, others)
        explanation = self.explanations.explain_opened(opened, account_id)
        return DatedAnswer(record, explanation.sentence, explanation, proof, others)


def _by_expected_value(record: RankingRecord) -> bool:
    return RankingFacts.from_record(record.record).answer.ordering is Ordering.EXPECTED_VALUE
