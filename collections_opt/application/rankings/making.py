"""Make and record rankings."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime

import structlog

from collections_opt.application.models.serving import ModelServing, PinnedModels, Serving
from collections_opt.application.models.serving_record import serving_record
from collections_opt.application.models.shadow import Shadowed, shadow_of
from collections_opt.application.rankings.command import OwedRanking, RankingCommand, check_command, options_of
from collections_opt.application.rankings.decided_facts import answer_facts, input_facts
from collections_opt.application.rankings.health.clipped_values import checked_payoffs
from collections_opt.application.rankings.health.score_health import health_of_scores, scoring_record, warnings_of
from collections_opt.application.rankings.health.suspect_scores import LOOK_BACK, checked_drift
from collections_opt.application.rankings.in_force import require_one_plan
from collections_opt.application.rankings.jobs import Jobs, JobStatus, internal_error
from collections_opt.application.rankings.on_engine import RankedBy, rank_on_engine, why_not_on_an_engine
from collections_opt.application.rankings.recorded_rankings import RecordedRankings
from collections_opt.application.rankings.rolling import Rolling
from collections_opt.application.rankings.runs import RankingRuns
from collections_opt.application.records.derivation import read_derivation
from collections_opt.application.records.provenance import clock_went_back, health, times
from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.application.records.recorder import Recorder
from collections_opt.application.records.scoring_facts import ScoreSpread, ShadowScores, ValueSources
from collections_opt.application.resources.capacity_calendar import CapacityCalendar
from collections_opt.application.resources.experiments import Experiments
from collections_opt.application.resources.named_experiments import NamedExperiment, running
from collections_opt.application.resources.rule_tables import RuleTables
from collections_opt.application.resources.value_sets import ValueSets
from collections_opt.application.settings import dump, load
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.actors import UNKNOWN, Actor
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.incidents import trace_of
from collections_opt.core.models.lifecycle import LadderStep
from collections_opt.core.problem.assignment import ProgressCallback, SolveProgress, ignore_progress
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.pipeline import RankingRequest, check_request, rank
from collections_opt.core.ranking.policy import without_a_model
from collections_opt.core.ranking.purpose import RankingPurpose, purpose_of
from collections_opt.core.ranking.ranking import Ranking
from collections_opt.core.rules.eligibility import RuleTable
from collections_opt.core.value.payoffs import ValueParameters
from collections_opt.engines import Engine
from collections_opt.ledger.records import RequestedRanking
from collections_opt.ledger.requests.claims import Recovery
from collections_opt.solvers import SOLVERS, Finding, solve_in_order, verify

_log = structlog.get_logger()


class Rankings:
    """Makes rankings, one at a time; ``recorded`` reads them, from any thread."""

    def __init__(
        self,
        models: ModelServing,
        rule_tables: RuleTables,
        values: ValueSets,
        experiments: Experiments,
        now: Callable[[], datetime],
        recorder: Recorder,
        rolling: Rolling,
        worker: str = "local",
    ) -> None:
        ledger = self._ledger = recorder.ledger
        self._models = models
        self._rule_tables = rule_tables
        self._values = values
        self._experiments = experiments
        self._now = now
        self._recorder = recorder
        self._sealed = recorder.sealed
        self._rolling = rolling
        self._calendar = CapacityCalendar(ledger, now, recorder.publish)
        self._jobs = Jobs(_failed)
        self._runs = RankingRuns(ledger, self._jobs, self._make_requested, worker, now)
        self.engine: Engine | None = None
        """Where rankings of many accounts are made; None for this process."""
        self.on_recorded: Callable[[RankingFacts], None] = lambda _: None
        """Is told the record of every ranking that this process makes."""
        self.recorded = RecordedRankings(ledger, recorder.sealed, self._runs.status)

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
        check_command(command)
        if self._ledger.rankings.find_request(command.request_id, command.payload_digest):
            return command.ranking_id
        asked = command
        if command.remaining_capacity:
            command = self._of_what_remains(command, validate_only, actor)
        portfolio = self.recorded.portfolio(command.portfolio_id)
        binding = self._rule_tables.in_force(portfolio.as_of_date)
        chosen = self._values.settle(command.parameters, asked.portfolio_id, portfolio)
        plan = self._asked_plan(command, portfolio.as_of_date, validate_only)
        day, name = portfolio.as_of_date, asked.portfolio_id
        if purpose_of(command.purpose, command.ordering) is RankingPurpose.WORK:
            require_one_plan(self._ledger, self._experiments, day, name, command.plan_id)
        experiments = self._experiments.in_force(day, name, command.plan_id)
        request = self._request(command, plan, binding.rules, chosen.parameters, (name, experiments))
        check_request(portfolio, request)
        if not validate_only:
            # Plan, rule tables and values are settled here: made again later, it is the ranking that was asked for.
            settling = {**vars(command), "plan_version": request.plan.version, "parameters": chosen.parameters}
            owed = OwedRanking(
                **settling,
                actor=actor,
                rule_tables=binding.versions,
                value_choices=chosen.choices,
                experiments=experiments,
                experiments_of=name if experiments and name != command.portfolio_id else "",
            )
            settled = dump(owed)
            self._runs.begin(command.ranking_id, command.request_id, asked.payload_digest, command.portfolio_id, settled)
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

    def _of_what_remains(self, command: RankingCommand, validate_only: bool, actor: Actor) -> RankingCommand:
        """Return a command for what remains of its day; a check alone settles nothing, and checks the whole day."""
        worked = self._rolling.worked_ranking(command)
        return (
            replace(command, previous_ranking_id=worked.ranking_id) if validate_only else self._rolling.remaining(command, actor)
        )

    def _asked_plan(self, command: RankingCommand, day: date, validate_only: bool) -> CapacityPlan:
        """Return the version that a caller names, else what is in force on the day, under a version that a record can name."""
        if command.plan_version:
            return self._calendar.version_on(command.plan_id, command.plan_version, day)
        return self._calendar.on(command.plan_id, day).plan if validate_only else self._calendar.settled(command.plan_id, day)

    def _request(
        self,
        command: RankingCommand,
        plan: CapacityPlan,
        rules: RuleTable,
        parameters: ValueParameters,
        experiments: tuple[str, tuple[NamedExperiment, ...]],
    ) -> RankingRequest:
        """Return what is ranked by; ``experiments`` are those in force, with the portfolio that they name."""
        previous = self.recorded.previous(command.previous_ranking_id, plan, command.constraints)
        return RankingRequest(
            plan,
            rules,
            parameters,
            command.ordering,
            replace(options_of(command), warm_prices=previous.prices, warm_side_prices=previous.side_prices),
            command.constraints,
            previous.decisions,
            experiments=running(experiments[0], command.plan_id, experiments[1]),
        )

    def _make_requested(self, requested: RequestedRanking, progress: ProgressCallback) -> None:
        command = load(requested.command, OwedRanking)
        if not command.rule_tables:  # asked for before rule tables were kept: settled now
            day = self.recorded.portfolio(command.portfolio_id).as_of_date
            command = replace(command, rule_tables=self._rule_tables.in_force(day).versions)
        plan = self._calendar.stored(self._ledger.plans.get(command.plan_id, command.plan_version))
        named = command.experiments_of or command.portfolio_id, command.experiments
        request = self._request(command, plan, self._rule_tables.of(command.rule_tables), command.parameters, named)
        self._make(command, request, progress, datetime.fromisoformat(requested.created_at))

    def _make(self, command: OwedRanking, request: RankingRequest, progress: ProgressCallback, received: datetime) -> None:
        stored = self._ledger.portfolios.get(command.portfolio_id)
        inputs = self._sealed.portfolio(stored.object_digest)
        portfolio = inputs.portfolio
        models = self._models.pin_all(command.portfolio_id, portfolio)
        serving = models.outcome
        if serving.step is LadderStep.POLICY_ORDER:
            request = replace(request, ordering=without_a_model(request.ordering))
        ranking, findings = self._ranked(command, request, portfolio, models, progress)
        spread, let_pass = self._drift(command, ranking, serving)
        clipped = checked_payoffs(ranking.worth, command.parameters, command.accept_clipped_values)
        progress(SolveProgress("verify", 0.92, ranking.assignment.gap))
        if findings:
            raise CollectionsError(
                Reason.INTEGRITY_FAILURE, "The independent verifier refused the assignment: " + str(findings[0])
            )
        progress(SolveProgress("record", 0.95, ranking.assignment.gap))
        decided = self._now()
        kept = self._recorder.keep(ranking, request, stored, inputs, serving.scorer, command.actor)
        scored = serving_record(serving, portfolio, decided)
        beside = Shadowed(ranking, request.plan, request.parameters, inputs.key_no, self._sealed)
        well = replace(
            health(ranking),
            suspect_scores_accepted=let_pass,
            clipped=clipped,
            clock_went_back_seconds=clock_went_back(self._ledger.chain.last_recorded_at(), decided),
        )
        facts = RankingFacts(
            inputs=input_facts(command, request, ranking, portfolio.digest, command.experiments),
            answer=answer_facts(request, ranking),
            kept=kept,
            scored=scored,
            sources=ValueSources(command.rule_tables, command.values.source.value, command.value_choices),
            spread=spread,
            beside=models.recorded(ranking.effects_version, self._ledger.objects),
            scoring=scoring_record(serving),
            derived_from=read_derivation(inputs.derivation),
            shadow=self._shadows(command, request, models, beside, progress),
            times=times(received, decided, self._now()),
            health=health_of_scores(well, scored, serving, portfolio.account_count),
        )
        facts = facts.with_warnings(warnings_of(facts, serving, ranking, self._ledger))
        made = self._runs.record(command.ranking_id, facts.to_record(), ranking.entries)
        self._recorder.publish()
        self.on_recorded(facts)
        _log.info("ranking recorded", ranking_id=made.ranking_id, seq=made.seq, termination=facts.answer.termination.value)

    def _shadows(
        self,
        command: OwedRanking,
        request: RankingRequest,
        models: PinnedModels,
        beside: Shadowed,
        progress: ProgressCallback,
    ) -> tuple[ShadowScores, ...]:
        """Let every challenger make its list; a stop is heard between two of them."""

        def tried(others: PinnedModels) -> tuple[Ranking, str]:
            ranking, findings = self._ranked(command, request, beside.ranking.portfolio, others, ignore_progress)
            return ranking, str(findings[0]) if findings else ""

        told = []
        for challenger in self._models.challengers(models, command.portfolio_id, beside.ranking.portfolio):
            progress(SolveProgress("record", 0.95, beside.ranking.assignment.gap))
            told.append(shadow_of(challenger, beside, tried))
        return tuple(told)

    def _ranked(
        self,
        command: OwedRanking,
        request: RankingRequest,
        portfolio: Portfolio,
        models: PinnedModels,
        progress: ProgressCallback,
    ) -> tuple[Ranking, tuple[Finding, ...]]:
        """Return the ranking and what the verifier finds wrong with it; where it is made does not change a byte."""
        score = models.outcome.scorer.score
        if self.engine is not None:
            why_not = why_not_on_an_engine(portfolio, request, command.solver, self.engine)
            if not why_not:
                by = RankedBy(score, models.learned)
                return rank_on_engine(portfolio, request, by, self.engine, command.solver, progress)
            _log.warning("ranked in this process, not on the engine", ranking_id=command.ranking_id, why=why_not)
        ranking = rank(
            portfolio,
            request,
            score,
            SOLVERS[command.solver],
            progress,
            learned=models.learned,
            solve_in_order=solve_in_order,
        )
        return ranking, verify(ranking.problem, ranking.assignment, ranking.ordering is not Ordering.EXPECTED_VALUE).findings

    def _drift(self, command: RankingCommand, ranking: Ranking, serving: Serving) -> tuple[ScoreSpread, tuple[str, ...]]:
        """Return the spread of scores and what was suspect of it, and refuse what nobody has let pass."""
        return checked_drift(
            ranking.outcomes,
            self._ledger.rankings.before(None, LOOK_BACK),
            command.plan_id,
            "" if serving.step is LadderStep.POLICY_ORDER else serving.scorer.digest,
            command.accept_suspect_scores,
        )


def _failed(job_id: str, error: Exception) -> CollectionsError:
    incident = uuid.uuid4().hex[:12]
    _log.error("ranking failed", ranking_id=job_id, incident=incident, error=type(error).__name__, exception=trace_of(error))
    return internal_error(incident)
