"""Make a recorded ranking anew from its recorded inputs, and say whether every bit is the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from collections_opt.application.evidence.verification import certificate_checks, first_difference
from collections_opt.application.models.outcome_scorers import RecordedModel
from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.rankings.decided_facts import answer_facts, input_facts
from collections_opt.application.rankings.opened_ranking import OpenedRanking
from collections_opt.application.records.provenance import same_environment
from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.application.records.record_parts import write_part
from collections_opt.application.records.sealed_records import SealedRecords
from collections_opt.application.settings import load
from collections_opt.core.errors import CollectionsError
from collections_opt.core.problem.assignment import ProgressCallback, Solve, SolveOptions, ignore_progress
from collections_opt.core.ranking.pipeline import RankingRequest, rank
from collections_opt.core.ranking.ranking import Ranking
from collections_opt.core.wanted import require_wanted
from collections_opt.ledger.ledger import Ledger
from collections_opt.solvers import SOLVERS, solve_in_order


class ReplayOutcome(StrEnum):
    """What a replay showed."""

    BIT_IDENTICAL = "BIT_IDENTICAL"
    """Scored and solved anew, every recorded bit is the same."""
    CERTIFICATE_ONLY = "CERTIFICATE_ONLY"
    """It cannot be made anew here, for the reason given; its values and bound follow from its inputs all the same."""
    MISMATCH = "MISMATCH"
    """Made anew in the same environment it differs, or its values do not follow from its inputs."""


@dataclass(frozen=True)
class Replay:
    """The outcome of a replay, and the reason or the first difference."""

    ranking_id: str
    outcome: ReplayOutcome
    detail: str


def request_again(opened: OpenedRanking, options: SolveOptions) -> RankingRequest:
    """Return what a recorded ranking was asked for, to be asked again."""
    return RankingRequest(
        opened.plan,
        opened.rules,
        opened.parameters,
        opened.ordering,
        options,
        opened.constraints,
        opened.previous.decisions,
        opened.facts.answer.persons.one_contact,
        opened.facts.inputs.running,
    )


class Replays:
    """Replays rankings.

    Args:
        ledger: the records.
        sealed: what opens them.
        scorer_of: returns the recorded model; raises MODEL_UNAVAILABLE.
        options_of: how hard a request was tried, from its command.
    """

    def __init__(
        self,
        ledger: Ledger,
        sealed: SealedRecords,
        scorer_of: RecordedModel,
        options_of: Callable[[RankingCommand], SolveOptions],
    ) -> None:
        self._ledger = ledger
        self._sealed = sealed
        self._scorer_of = scorer_of
        self._options_of = options_of

    def replay(self, ranking_id: str, progress: ProgressCallback = ignore_progress, threads: int = 2) -> Replay:
        """Score and solve a recorded ranking anew and compare.

        Raises:
            CollectionsError: NOT_FOUND; INTEGRITY_FAILURE when stored content is damaged.
        """
        opened = OpenedRanking(self._ledger.rankings.get(ranking_id), self._ledger, self._sealed)
        reason = self._why_not(opened)
        require_wanted()
        difference = "" if reason else self._difference(opened, progress, threads)
        if not reason and not difference:
            return Replay(ranking_id, ReplayOutcome.BIT_IDENTICAL, "")
        reason = reason or same_environment(opened.facts.kept.runtime)
        if not reason:
            return Replay(ranking_id, ReplayOutcome.MISMATCH, difference)
        if opened.erased_count:
            return Replay(ranking_id, ReplayOutcome.CERTIFICATE_ONLY, reason)
        require_wanted()
        broken = [check.sentence for check in certificate_checks(opened) if not check.holds]
        outcome = ReplayOutcome.MISMATCH if broken else ReplayOutcome.CERTIFICATE_ONLY
        return Replay(ranking_id, outcome, broken[0] if broken else reason)

    def _why_not(self, opened: OpenedRanking) -> str:
        """Return why a ranking cannot be made anew, empty when it can."""
        if opened.erased_count:
            return f"{opened.erased_count} account(s) were erased since"
        facts = opened.facts
        if not facts.health.replayable:
            return facts.health.why_not_replayable
        try:
            self._scorer_of(*facts.scored_with)
        except CollectionsError as error:
            return error.message
        return ""

    def _difference(self, opened: OpenedRanking, progress: ProgressCallback, threads: int) -> str:
        facts, record = opened.facts, opened.record
        command = load(self._ledger.requests.requested(record.ranking_id).command, RankingCommand)
        previous = opened.previous
        options = replace(
            self._options_of(command), threads=threads, warm_prices=previous.prices, warm_side_prices=previous.side_prices
        )
        request = request_again(opened, options)
        scorer = self._scorer_of(*facts.scored_with)
        again = rank(
            opened.portfolio,
            request,
            scorer.score,
            solver_of(facts, command),
            progress,
            learned=opened.learned,
            solve_in_order=solve_in_order,
        )
        found = first_difference(opened.entries.columns(), again.entries.columns())
        return found or first_fact(command, request, again, facts)


def solver_of(facts: RankingFacts, command: RankingCommand) -> Solve:
    """Return the solver that answered: which one "default" stands for may change, what it chose then does not."""
    return SOLVERS.get(facts.answer.solver, SOLVERS[command.solver])


def first_fact(command: RankingCommand, request: RankingRequest, ranking: Ranking, facts: RankingFacts) -> str:
    """Return the first recorded fact in which a second run differs, "" where it repeats them all."""
    inputs = facts.inputs
    again = write_part(input_facts(command, request, ranking, inputs.input_digest, inputs.experiments))
    again |= {**write_part(answer_facts(request, ranking)), "effects_version": ranking.effects_version}
    held = write_part(facts)
    for name, value in again.items():
        if name in held and held[name] != value and name != "code_version":
            return f"{name}: {held[name]} was recorded, {value} follows"
    return ""
