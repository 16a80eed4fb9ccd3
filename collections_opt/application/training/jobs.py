"""Training as a job of the service: started by one request, watched, stopped; what it writes is a draft for people to approve."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from collections_opt.application.models.registry import ModelRegistry
from collections_opt.application.rankings.jobs import Jobs, JobStatus, State, internal_error
from collections_opt.application.training.kept import KeptTraining, KeptTrainings, error_of
from collections_opt.application.training.learners import Learning, TrainingRequest, learner_of
from collections_opt.application.workspace import Workspace
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.models.lifecycle import ModelKind
from collections_opt.core.names import check_id
from collections_opt.core.problem.assignment import ProgressCallback, SolveProgress

_log = structlog.get_logger()


@dataclass(frozen=True)
class Training:
    """Where a training stands; ``started_at`` is ISO 8601."""

    training_id: str
    request: TrainingRequest
    status: JobStatus
    started_at: str = ""


class TrainingJobs:
    """Trains one model at a time, beside the rankings.

    Args:
        workspace: the open use cases.
        now: the clock.
    """

    def __init__(self, workspace: Workspace, now: Callable[[], datetime]) -> None:
        self._workspace = workspace
        self._registry: ModelRegistry = workspace.models
        self._now = now
        self._jobs = Jobs(_failed, self._keep_end)
        self._requests: dict[str, TrainingRequest] = {}
        self._workers = workspace.ledger.workers
        self._worker = f"training-{uuid.uuid4().hex}"
        self._kept = KeptTrainings(workspace.models.root, self._workers.is_alive, now)
        workspace.closers.append(self.close)

    def start(self, request_id: str, request: TrainingRequest) -> Training:
        """Start a training; the same request again joins it.

        Raises:
            CollectionsError: INVALID_ARGUMENT for a version that is no id, or a kind that nothing is learned of; NOT_FOUND for a
                ranking or plan; REQUEST_ID_REUSED for another training.
        """
        check_id("version", request.version)
        learner_of(request.kind)
        for ranking_id in request.ranking_ids:
            self._workspace.recorded.finished(ranking_id)
        if request.plan_id:
            self._workspace.books.plan(request.plan_id)
        training_id = training_name(request_id)
        kept = self._kept.find(training_id)
        held = self._requests.setdefault(training_id, request if kept is None else _request_of(kept))
        if held != request:
            raise refuse(Reason.REQUEST_ID_REUSED, "request_id", "was another training.", "Send a new id.")
        done = (State.RUNNING, State.SUCCEEDED)
        current = self._jobs.status(training_id)
        if not any(state in done for state in (current and current.state, kept and State(kept.state))):
            self._workers.join(self._worker)
            self._kept.keep(_kept_of(training_id, request, self._worker, self._now()))
            self._jobs.start(training_id, lambda report: self._train(request, report))
        return self.get(training_id)

    def get(self, training_id: str) -> Training:
        """Return where a training stands.

        Raises:
            CollectionsError: NOT_FOUND for one of which nothing is kept.
        """
        kept = self._kept.find(training_id)
        if kept is None:
            told = f"{training_id[:40]!r} is not known."
            raise refuse(Reason.NOT_FOUND, "training_id", told, "Look for it with ListTrainings, or start it again.", training_id)
        return self._seen(kept)

    def all(self) -> list[Training]:
        """Return the trainings kept, that which was started last first; those of servers that ended are among them."""
        return [self._seen(kept) for kept in self._kept.newest()]

    def _seen(self, kept: KeptTraining) -> Training:
        """Return a training as this server knows it, else as it was kept."""
        status = self._jobs.status(kept.training_id) if kept.worker == self._worker else None
        if status is None:
            stage = "runs in another server" if kept.state == "RUNNING" else "ended"
            done = 1.0 if kept.state == "SUCCEEDED" else 0.0
            status = JobStatus(State(kept.state), SolveProgress(stage, done), error_of(kept))
        return Training(kept.training_id, _request_of(kept), status, kept.started_at)

    def stop(self, training_id: str) -> Training:
        """Let a training end at its next report of progress, without a draft; one that has ended stays as it is.

        Raises:
            CollectionsError: as ``get``.
        """
        self.get(training_id)
        self._jobs.stop(training_id)  # one that runs in another server ends there alone
        return self.get(training_id)

    def close(self) -> None:
        """Stop what runs and wait for it."""
        for training_id in list(self._requests):
            self._jobs.stop(training_id)
        self._jobs.close()

    def _keep_end(self, training_id: str, status: JobStatus) -> None:
        """Keep how a training ended."""
        kept = self._kept.find(training_id)
        if kept is None:
            return
        reason, message = (status.error.reason.value, str(status.error)) if status.error else ("", "")
        ended = replace(kept, state=status.state.value, ended_at=self._now().isoformat())
        with suppress(CollectionsError):  # it is in the log and, where there is one, in the draft
            self._kept.keep(replace(ended, error_reason=reason, error_message=message))

    def _train(self, request: TrainingRequest, report: ProgressCallback) -> None:
        from collections_opt.application.training.matured import matured_rankings  # noqa: PLC0415 - takes a second to load; a server starts without it

        learner = learner_of(request.kind)
        report(SolveProgress("read matured rankings", 0.0))
        matured = matured_rankings(self._workspace, request.ranking_ids, learner.least_matured)
        report(SolveProgress("learn", 0.1))

        def progress(stage: str, fraction: float) -> None:
            report(SolveProgress(stage, 0.1 + 0.9 * fraction))

        learner.learn(Learning(self._workspace, request, matured, self._now(), progress))


def training_name(request_id: str) -> str:
    """Return the id of the training that a request starts."""
    return f"tr-{uuid.uuid5(uuid.NAMESPACE_OID, request_id).hex[:20]}"


def _kept_of(training_id: str, request: TrainingRequest, worker: str, at: datetime) -> KeptTraining:
    named = (request.kind.value, request.version, request.ranking_ids, request.plan_id, request.seed)
    return KeptTraining(training_id, *named, worker, at.isoformat(), State.RUNNING.value)


def _request_of(kept: KeptTraining) -> TrainingRequest:
    return TrainingRequest(ModelKind(kept.kind), kept.version, kept.ranking_ids, kept.plan_id, kept.seed)


def _failed(training_id: str, error: Exception) -> CollectionsError:
    incident = uuid.uuid4().hex[:12]
    _log.error("training failed", training_id=training_id, incident_id=incident, exc_info=error)
    return internal_error(incident)
