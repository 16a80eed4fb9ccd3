"""Make, record, read, explain and compare rankings."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

import collections_opt
from collections_opt.application.effect_serving import recorded_effects
from collections_opt.application.increment_reasons import increment_reasons
from collections_opt.application.jobs import Jobs, JobStatus, State, internal_error
from collections_opt.application.model_serving import ModelServing, OutcomeScorer
from collections_opt.application.previous_ranking import PreviousRanking, previous_ranking
from collections_opt.application.provenance import times
from collections_opt.application.quarantine import refused_rows
from collections_opt.application.ranking_runs import RankingRuns
from collections_opt.application.recorded_constraints import (
    RecordedSide,
    constraints_record,
    recorded_constraints,
    recorded_side,
)
from collections_opt.application.recorder import Recorder
from collections_opt.application.registry_policy import LadderStep
from collections_opt.application.serving_record import health_of_scores, serving_record
from collections_opt.application.settings import dump, load
from collections_opt.application.shadow import shadow_losses, shadow_scores
from collections_opt.core.actors import UNKNOWN, Actor
from collections_opt.core.admission import admit
from collections_opt.core.arrays import digest_text
from collections_opt.core.assignment import (
    Assignment,
    AssignmentProblem,
    ProgressCallback,
    SolveOptions,
    SolveProgress,
    SolverIdentity,
    Termination,
    ignore_progress,
)
from collections_opt.core.comparison import OrderingOutcome, compare
from collections_opt.core.constraints import RankingConstraints
from collections_opt.core.eligibility import RuleTable
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.explanation import QueueExplanation, explain, minutes_ahead, summary_sentence
from collections_opt.core.features import FEATURE_SET_VERSION
from collections_opt.core.names import check_seed
from collections_opt.core.ordering import Ordering
from collections_opt.core.outcomes import PROBABILITY_SCALE, OutcomeProbabilities, from_nano
from collections_opt.core.payoffs import ValueParameters
from collections_opt.core.pipeline import EffectsOf, RankingRequest, check_request, rank
from collections_opt.core.policy import without_a_model
from collections_opt.core.portfolio import Portfolio, RawPortfolio
from collections_opt.core.queues import CapacityPlan
from collections_opt.core.ranking import Disposition, Entries, Ranking, make_entries
from collections_opt.core.valued_accounts import ValuedAccounts, value_accounts
from collections_opt.ledger.claims import Recovery
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.records import RankingRecord, RequestedRanking, WorklistEntry
from collections_opt.scoring.scorer import Reason as ScoreReason
from collections_opt.solvers import SOLVERS, verify

_log = structlog.get_logger()


@dataclass(frozen=True)
class RankingCommand:
    """What a caller asks for; ``request_id`` (a UUID) makes it idempotent.

    The solver starts from the prices of ``previous_ranking_id``, and moves are counted from its decisions.
    """

    request_id: str
    portfolio_id: str
    plan_id: str
    plan_version: int | None
    ordering: Ordering
    parameters: ValueParameters
    solver: str = "default"
    seed: int = 20_050_801
    constraints: RankingConstraints = field(default_factory=RankingConstraints)
    previous_ranking_id: str = ""

    @property
    def payload_digest(self) -> str:
        """SHA-256 (hex) of everything but the request id."""
        return digest_text(dump(replace(self, request_id="")))

    @property
    def ranking_id(self) -> str:
        """Id of the ranking the request makes; from the request id, so that a retry after a crash finds it."""
        return "rk-" + hashlib.sha256(self.request_id.encode()).hexdigest()[:20]


@dataclass(frozen=True)
class OwedRanking(RankingCommand):
    """A command as it is kept until its ranking is recorded: with who asked first, which is no part of what was asked."""

    actor: Actor = UNKNOWN


@dataclass(frozen=True)
class AccountExplanation:
    """Why an account was worked or not, in one sentence and per queue."""

    account_id: str
    disposition: Disposition
    sentence: str
    queues: tuple[QueueExplanation, ...]
    reasons: tuple[ScoreReason, ...]
    probability: tuple[float, float, float]


@dataclass(frozen=True)
class ScoredAccounts:
    """Scores and increments of accounts sent in rows; ``ranking.assignment`` is empty: nobody is assigned."""

    ranking: Ranking
    plan: CapacityPlan
    reasons: tuple[tuple[ScoreReason, ...], ...]
    model_use: Mapping[str, Any]


class Rankings:
    """The use cases around rankings; one worker makes them, any thread reads them."""

    def __init__(
        self,
        ledger: Ledger,
        models: ModelServing,
        rules: RuleTable,
        now: Callable[[], datetime],
        recorder: Recorder,
        worker: str = "local",
    ) -> None:
        self._ledger = ledger
        self._models = models
        self._rules = rules
        self._now = now
        self._recorder = recorder
        self._sealed = recorder.sealed
        self._jobs = Jobs(_failed)
        self._runs = RankingRuns(ledger, self._jobs, self._make_requested, worker, now)

    def close(self) -> None:
        """Wait for the running ranking."""
        self._jobs.close()

    def create(self, command: RankingCommand, validate_only: bool = False, actor: Actor = UNKNOWN) -> str:
        """Record a request and start its ranking, or find the one it already made; return its id.

        ``actor`` is kept with the request and recorded with the ranking; of several who send one request, the first is.

        Raises:
            CollectionsError: what is wrong with the request, before anything runs; REQUEST_ID_REUSED for another payload; as
                ``RankingRuns.begin`` when the request could not be recorded.
        """
        _check_command(command)
        if self._ledger.find_request(command.request_id, command.payload_digest):
            return command.ranking_id
        request = self._request(command)
        check_request(self.portfolio(command.portfolio_id), request)
        if not validate_only:
            # The plan's version is settled here: made again later, it is the ranking that was asked for.
            settled = dump(OwedRanking(**{**vars(command), "plan_version": request.plan.version}, actor=actor))
            self._runs.begin(command.ranking_id, command.request_id, command.payload_digest, command.portfolio_id, settled)
        return command.ranking_id

    def recover(self) -> list[Recovery]:
        """Resume or abandon what a lost process left, as ``RankingRuns.recover``."""
        return self._runs.recover()

    def cancel(self, ranking_id: str) -> None:
        """Stop an unfinished ranking for good, as ``RankingRuns.cancel``."""
        self._runs.cancel(ranking_id)

    def status(self, ranking_id: str) -> JobStatus | None:
        """Return where a requested ranking stands, whichever process makes it; None for an unknown one."""
        return self._runs.status(ranking_id)

    def watch(self, ranking_id: str, timeout_seconds: float) -> Iterator[JobStatus]:
        """Yield progress until the ranking ends or nothing changes for the time given."""
        return self._runs.watch(ranking_id, timeout_seconds)

    def finished(self, ranking_id: str) -> RankingRecord:
        """Return a recorded ranking.

        Raises:
            CollectionsError: RANKING_NOT_COMPLETE while it runs, its own error if it failed, RANKING_ABANDONED, NOT_FOUND.
        """
        status = self._runs.status(ranking_id)
        if status is not None and status.state is State.RUNNING:
            raise refuse(Reason.RANKING_NOT_COMPLETE, "ranking_id", f"{ranking_id} is still running.", "Watch it until it ends.")
        if status is not None and status.error is not None:
            raise status.error
        return self._ledger.ranking(ranking_id)

    def portfolio(self, portfolio_id: str) -> Portfolio:
        """Return a stored portfolio without accounts erased since; the last one read stays in memory."""
        return self._sealed.portfolio(self._ledger.portfolio(portfolio_id).object_digest).portfolio

    def plan_of(self, record: RankingRecord) -> CapacityPlan:
        """Return the plan a ranking was made with."""
        stored = self._ledger.plan(record.record["plan_id"], record.record["plan_version"])
        return replace(load(stored.payload, CapacityPlan), version=stored.version)

    def effects_of(self, record: RankingRecord) -> EffectsOf:
        """Return the contact effects a ranking was made with, as ``recorded_effects``."""
        return recorded_effects(self._ledger.objects, record.record)

    def entries(self, record: RankingRecord) -> Entries:
        """Return a ranking's entries, one per account that was not erased since.

        Raises:
            CollectionsError: INTEGRITY_FAILURE when the object's bytes differ from the record.
        """
        stored = self._sealed.entries(record.record["entries_object"])
        if not stored.erased_count and stored.entries.digest != record.record["entries_digest"]:
            raise refuse(Reason.INTEGRITY_FAILURE, "entries", "their digest differs from the record.", "Restore the object.")
        return stored.entries

    def shadow_losses(self, ranking_id: str, account_id: NDArray[np.bytes_], outcome: NDArray[np.int64]) -> dict[str, float]:
        """Return the log loss of a ranking's model and of every challenger on accounts whose outcome is known.

        Raises:
            CollectionsError: as ``finished``; NOT_FOUND for an account that the ranking does not hold.
        """
        record = self.finished(ranking_id)
        stored = self._sealed.entries(record.record["entries_object"])
        return shadow_losses(record.record, stored, account_id, outcome, self._ledger.objects)

    def worklist(
        self, ranking_id: str, queue_id: str, after_priority: int, size: int
    ) -> tuple[RankingRecord, list[WorklistEntry]]:
        """Return a page of a queue's accounts in order."""
        record = self.finished(ranking_id)
        queue = self.plan_of(record).queue_index(queue_id)
        return record, self._ledger.worklist(ranking_id, queue, after_priority, size)

    def explain(self, ranking_id: str, account_id: str) -> AccountExplanation:
        """Return why an account was worked or not, from recorded inputs, scores and prices.

        Raises:
            CollectionsError: NOT_FOUND when the ranking has no such account.
        """
        record = self.finished(ranking_id)
        entries, portfolio, plan = self.entries(record), self.portfolio(record.portfolio_id), self.plan_of(record)
        row = row_of(entries.account_id, account_id, ranking_id)
        held = row_of(portfolio.column("account_id"), account_id, ranking_id)
        one = portfolio.take(slice(held, held + 1))
        nano = np.array([[entries.p_cure_nano[row], entries.p_default_nano[row], entries.p_stay_nano[row]]])
        outcomes = OutcomeProbabilities(from_nano(nano), record.record["model_version"], "", np.zeros(1, dtype=bool))
        parameters = load(record.record["parameters"], ValueParameters)
        prices = np.array(record.record["prices"], dtype=np.int64)
        effects = self.effects_of(record)(one, plan)
        rules = load(self._ledger.objects.get(record.record["rules_object"]).decode(), RuleTable)
        side = self.side_of(record, one, plan)
        valued = value_accounts(one, outcomes, plan, rules, parameters, lambda _, __: effects)
        ranking = _single(valued, prices, entries.queue[row : row + 1], side)
        ahead = minutes_ahead(entries, ranking.problem.value[0], ranking.problem.seconds[0])
        queues = explain(ranking, 0, plan, effects, parameters, ahead)
        disposition = Disposition(int(entries.disposition[row]))
        explored = bool(entries.explored[row])
        sentence = summary_sentence(disposition, queues, portfolio.currency_code, explored)
        p = outcomes.probability[0]
        reasons = self._reasons(record, one)
        return AccountExplanation(account_id, disposition, sentence, queues, reasons, (float(p[0]), float(p[1]), float(p[2])))

    def compare(self, ranking_ids: Sequence[str]) -> list[OrderingOutcome]:
        """Return rankings of one portfolio and capacity beside the first.

        Raises:
            CollectionsError: INVALID_ARGUMENT when they rank different accounts or capacities.
        """
        records = [self._compared(index, ranking_id) for index, ranking_id in enumerate(ranking_ids)]
        first = records[0]
        for index, record in enumerate(records):
            for name in ("input_digest", "plan_id", "plan_version", "rules_version"):
                if record.record[name] != first.record[name]:
                    raise refuse(
                        Reason.INVALID_ARGUMENT,
                        f"ranking_ids[{index}]",
                        f"differs from the first in {name}.",
                        "Compare like with like.",
                    )
        reference = self.entries(first)
        return [compare(Ordering(r.record["ordering"]), self.entries(r), reference) for r in records]

    def _compared(self, index: int, ranking_id: str) -> RankingRecord:
        try:
            return self.finished(ranking_id)
        except CollectionsError as error:
            found = tuple(replace(v, field=f"ranking_ids[{index}]") for v in error.violations)
            raise CollectionsError(error.reason, error.message, found) from error

    def score(
        self, raw: RawPortfolio, plan: CapacityPlan, parameters: ValueParameters, with_reasons: bool = True
    ) -> ScoredAccounts:
        """Score rows at once: probabilities, expected recovery, increments and eligibility per queue; nothing is recorded.

        Raises:
            CollectionsError: INVALID_ARGUMENT naming every row that the door refuses.
        """
        admission = admit(raw)
        if admission.quarantine.row.size:
            raise refused_rows(admission.quarantine)
        request = RankingRequest(plan, self._rules, parameters)
        serving = self._models.pin("")
        effects_of = self._models.effects.pin("").effects_of
        ranking = rank(admission.portfolio, request, serving.scorer.score, _assign_nobody, effects_of=effects_of)
        nothing: tuple[tuple[ScoreReason, ...], ...] = ((),) * admission.portfolio.account_count
        reasons = nothing
        if with_reasons:
            pushes = serving.scorer.group_pushes(admission.portfolio)
            worth = increment_reasons(ranking, pushes, plan, parameters, effects_of)
            reasons = tuple(a + b for a, b in zip(serving.scorer.reasons(admission.portfolio), worth, strict=True))
        return ScoredAccounts(ranking, plan, reasons, serving_record(serving, admission.portfolio, self._now()))

    def side_of(self, record: RankingRecord, portfolio: Portfolio, plan: CapacityPlan) -> RecordedSide:
        """Return the side rows that a recorded ranking kept to, for these accounts, with their recorded prices."""
        return recorded_side(record, portfolio, plan, self._previous_queues(record, portfolio, plan))

    def _previous_queues(self, record: RankingRecord, portfolio: Portfolio, plan: CapacityPlan) -> NDArray[np.int16] | None:
        """Return where the accounts were in the ranking that a recorded one counts moves from; None if it counts none."""
        constraints = recorded_constraints(record)
        if constraints.max_moved_count is None:
            return None
        decisions = self._previous(record.record["previous_ranking_id"], plan, constraints).decisions
        return decisions.of(portfolio) if decisions else None

    def _reasons(self, record: RankingRecord, one: Portfolio) -> tuple[ScoreReason, ...]:
        """Return why the recorded model scored an account as it did; a model that is gone is said to be gone."""
        try:
            scorer: OutcomeScorer = self._models.recorded(record.record["model_version"], record.record["model_digest"])
        except CollectionsError as error:
            return (ScoreReason("MODEL_NOT_READABLE", f"The model that scored it cannot be read: {error.message}", 0.0),)
        return scorer.reasons(one)[0]

    def _request(self, command: RankingCommand) -> RankingRequest:
        stored = self._ledger.plan(command.plan_id, command.plan_version)
        plan = replace(load(stored.payload, CapacityPlan), version=stored.version)
        previous = self._previous(command.previous_ranking_id, plan, command.constraints)
        return RankingRequest(
            plan,
            self._rules,
            command.parameters,
            command.ordering,
            replace(options_of(command), warm_prices=previous.prices, warm_side_prices=previous.side_prices),
            command.constraints,
            previous.decisions,
        )

    def _previous(self, ranking_id: str, plan: CapacityPlan, constraints: RankingConstraints) -> PreviousRanking:
        """Return the previous ranking, a blank one if none is named."""
        if not ranking_id:
            return PreviousRanking(None, None, None)
        try:
            record = self.finished(ranking_id)
        except CollectionsError as error:
            remedy = "Name a recorded ranking, or none."
            raise refuse(error.reason, "previous_ranking_id", f"cannot be used: {error.message}", remedy) from error
        entries = self.entries(record) if constraints.max_moved_count is not None else None
        return previous_ranking(record, entries, self.plan_of(record), plan, constraints)

    def _make_requested(self, requested: RequestedRanking, progress: ProgressCallback) -> None:
        command = load(requested.command, OwedRanking)
        self._make(command, self._request(command), progress, datetime.fromisoformat(requested.created_at))

    def _make(self, command: OwedRanking, request: RankingRequest, progress: ProgressCallback, received: datetime) -> None:
        stored = self._ledger.portfolio(command.portfolio_id)
        inputs = self._sealed.portfolio(stored.object_digest)
        portfolio = inputs.portfolio
        serving = self._models.pin(command.portfolio_id)
        if serving.step is LadderStep.POLICY_ORDER:
            request = replace(request, ordering=without_a_model(request.ordering))
        effects = self._models.effects.pin(command.portfolio_id)
        ranking = rank(portfolio, request, serving.scorer.score, SOLVERS[command.solver], progress, effects.effects_of)
        progress(SolveProgress("verify", 0.92, ranking.assignment.gap))
        if ranking.ordering is Ordering.EXPECTED_VALUE:
            findings = verify(ranking.problem, ranking.assignment).findings
            if findings:
                raise CollectionsError(
                    Reason.INTEGRITY_FAILURE, "The independent verifier refused the assignment: " + str(findings[0])
                )
        progress(SolveProgress("record", 0.95, ranking.assignment.gap))
        decided = self._now()
        kept = self._recorder.keep(ranking, request, stored, inputs, serving.scorer, command.actor)
        used = serving_record(serving, portfolio, decided)
        record = {
            **decided_facts(command, request, ranking, portfolio.digest),
            "entries_object": kept.entries_object,
            **kept.facts,
            **used,
            **effects.record(self._ledger.objects),
            "health": {**kept.facts["health"], **health_of_scores(used, portfolio.account_count)},
            "shadow": shadow_scores(serving, portfolio, ranking.outcomes, self._ledger.objects),
            "times": times(received, decided, self._now()),
        }
        made = self._runs.record(command.ranking_id, record, ranking.entries)
        self._recorder.publish()
        _log.info("ranking recorded", ranking_id=made.ranking_id, seq=made.seq, termination=record["termination"])


def options_of(command: RankingCommand) -> SolveOptions:
    """Return how hard a request is tried."""
    return SolveOptions(seed=command.seed)


def row_of(account_ids: np.ndarray, account_id: str, ranking_id: str) -> int:
    """Return the row of an account among sorted ids.

    Raises:
        CollectionsError: NOT_FOUND when it is not there, or was erased.
    """
    wanted = account_id.encode()
    row = int(np.searchsorted(account_ids, wanted))
    if row >= account_ids.size or account_ids[row] != wanted:
        raise refuse(Reason.NOT_FOUND, "account_id", f"{account_id!r} is not in {ranking_id}.", "Check the id or the quarantine.")
    return row


def _check_command(command: RankingCommand) -> None:
    try:
        uuid.UUID(command.request_id)
    except ValueError as error:
        raise refuse(
            Reason.INVALID_ARGUMENT, "request_id", f"{command.request_id!r} is not a UUID.", "Send a new UUID4."
        ) from error
    check_seed(command.seed)
    if command.solver not in SOLVERS:
        raise refuse(Reason.INVALID_ARGUMENT, "solver", f"{command.solver!r} is unknown.", f"Use one of {', '.join(SOLVERS)}.")


def _failed(job_id: str, error: Exception) -> CollectionsError:
    incident = uuid.uuid4().hex[:12]
    _log.error("ranking failed", ranking_id=job_id, incident=incident, exc_info=error)
    return internal_error(incident)


def _assign_nobody(problem: AssignmentProblem, options: SolveOptions, progress: ProgressCallback = ignore_progress) -> Assignment:  # noqa: ARG001 - the interface of solvers
    nobody = np.full(problem.account_count, -1, dtype=np.int16)
    free = np.zeros(problem.queue_count, dtype=np.int64)
    return Assignment(nobody, free, free[:0], 0, 0, Termination.HEURISTIC, SolverIdentity("none", "1"))


def _single(valued: ValuedAccounts, prices: np.ndarray, queue: np.ndarray, side: RecordedSide) -> Ranking:
    """Return a ranking of one account under recorded prices."""
    problem = replace(valued.problem, side=side.rows)
    answer = Assignment(queue, prices, side.prices, 0, 0, Termination.HEURISTIC, SolverIdentity("recorded", "1"))
    one, outcomes, eligibility, worth = valued.portfolio, valued.outcomes, valued.eligibility, valued.worth
    entries = make_entries(one, outcomes, worth, eligibility, problem, answer, None)
    return Ranking(one, Ordering.EXPECTED_VALUE, outcomes, eligibility, worth, problem, answer, entries)


def decided_facts(command: RankingCommand, request: RankingRequest, ranking: Ranking, input_digest: str) -> dict[str, object]:
    """Return what a second run of the same request must repeat, as integers and strings: what decided, and how well."""
    assignment, entries = ranking.assignment, ranking.entries
    return {
        "portfolio_id": command.portfolio_id,
        "input_digest": input_digest,
        "as_of_date": ranking.portfolio.as_of_date.isoformat(),
        "currency_code": ranking.portfolio.currency_code,
        "plan_id": request.plan.plan_id,
        "plan_version": request.plan.version,
        "plan_digest": digest_text(dump(request.plan)),
        "rules_version": request.rules.version,
        "rules_digest": digest_text(dump(request.rules)),
        "parameters": dump(request.parameters),
        "ordering": ranking.ordering.value,
        "ordering_asked": command.ordering.value,
        "feature_set_version": FEATURE_SET_VERSION,
        "model_version": ranking.outcomes.model_version,
        "calibration_version": ranking.outcomes.calibration_version,
        "effects_version": ranking.effects_version,
        "evidence_by_queue": [grade.value for grade in ranking.evidence],
        "evidence_minor": {grade.value: money for grade, money in ranking.money_by_evidence().items()},
        "requested_solver": command.solver,
        "solver": assignment.solver.name,
        "solver_version": assignment.solver.version,
        "solver_parameters": dict(assignment.solver.parameters),
        "seed": command.seed,
        **constraints_record(request, ranking, command.previous_ranking_id),
        "code_version": collections_opt.__version__,
        "objective_minor": assignment.objective_minor,
        "bound_minor": assignment.bound_minor,
        "termination": assignment.termination.value,
        "replayable": assignment.replayable,
        "prices": assignment.prices.tolist(),
        "queue_seconds": ranking.queue_seconds().tolist(),
        "capacity_seconds": request.plan.capacity_seconds.tolist(),
        "counts": {d.name: entries.count(d) for d in Disposition},
        "payoffs_out_of_order_count": int(ranking.worth.out_of_order.sum()),
        "entries_digest": entries.digest,
        "probability_scale": PROBABILITY_SCALE,
    }
