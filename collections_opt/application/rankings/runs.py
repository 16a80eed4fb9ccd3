"""The life of rankings being made: recorded before work starts, claimed by one worker, resumed or abandoned when it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import structlog

from collections_opt.application.rankings.jobs import Jobs, JobStatus, State, Stopped
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.problem.assignment import ProgressCallback, SolveProgress
from collections_opt.core.ranking.ranking import Entries
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.records import RankingRecord, RankingState, RequestedRanking, StateRecord
from collections_opt.ledger.requests.claims import Recovery
from collections_opt.ledger.requests.requests import abandoned

_log = structlog.get_logger()

Make = Callable[[RequestedRanking, ProgressCallback], None]
"""Makes a requested ranking and records it."""

COMMIT_ATTEMPTS = 3
"""How often a ranking's commit is tried before its outcome is left to the caller's retry."""

_PASSING = frozenset({Reason.OUTCOME_UNKNOWN, Reason.STORAGE_UNAVAILABLE, Reason.OVERLOADED})
"""Failures of the storage, which may be over by the next try."""

_STATES = {
    RankingState.REQUESTED: State.RUNNING,
    RankingState.RUNNING: State.RUNNING,
    RankingState.SUCCEEDED: State.SUCCEEDED,
    RankingState.FAILED: State.FAILED,
    RankingState.ABANDONED: State.ABANDONED,
}


class RankingRuns:
    """Requested rankings on their way to a record. The ledger is the truth; this process adds progress and errors in full.

    Args:
        ledger: where requests, states and rankings are recorded.
        jobs: runs the work.
        make: the work.
        worker: name of this process, used by no other.
        now: the clock.
    """

    def __init__(self, ledger: Ledger, jobs: Jobs, make: Make, worker: str, now: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._jobs = jobs
        self._make = make
        self._worker = worker
        self._now = now

    def begin(self, ranking_id: str, request_id: str, payload_digest: str, portfolio_id: str, command: str) -> None:
        """Record a request and make its ranking, unless it is made or another living worker makes it.

        Once this returns the ranking is owed: it survives the caller that leaves and the process that dies.

        Raises:
            CollectionsError: REQUEST_ID_REUSED; OUTCOME_UNKNOWN, OVERLOADED or STORAGE_UNAVAILABLE when the ledger did not
                confirm the request.
        """
        self._ledger.workers.join(self._worker)
        self._ledger.requests.begin(ranking_id, request_id, payload_digest, portfolio_id, command, self._now())
        request = self._ledger.claims.claim(ranking_id, self._worker, self._ledger.workers.is_alive, self._now())
        if request.latest.worker == self._worker:
            self._start(request)

    def recover(self) -> list[Recovery]:
        """Resume the rankings that were running when their worker ended, abandon those tried too often, and say which.

        For the start of a process; rankings of workers that live are left alone.
        """
        self._ledger.workers.join(self._worker)
        recovered = self._ledger.claims.recover(self._worker, self._ledger.workers.is_alive, self._now())
        for recovery in recovered:
            latest = recovery.request.latest
            event = "ranking resumed" if recovery.resumed else "ranking abandoned"
            _log.warning(event, ranking_id=latest.ranking_id, why=latest.reason, lost_worker=recovery.lost_worker)
            if recovery.resumed:
                self._start(recovery.request)
        return recovered

    def cancel(self, ranking_id: str) -> None:
        """Record that nobody wants a ranking any more and stop its work; one that has ended stays as it is.

        Raises:
            CollectionsError: NOT_FOUND.
        """
        latest = self._ledger.claims.cancel(ranking_id, "cancelled by its caller", self._now())
        if latest.state is RankingState.ABANDONED:
            self._jobs.stop(ranking_id)

    def record(self, ranking_id: str, record: Mapping[str, Any], entries: Entries) -> RankingRecord:
        """Record a ranking that was begun; a commit whose outcome is unknown is settled by asking again.

        Raises:
            CollectionsError: as ``Rankings.complete``; OUTCOME_UNKNOWN after ``COMMIT_ATTEMPTS``.
        """
        for attempt in range(1, COMMIT_ATTEMPTS + 1):
            try:
                return self._ledger.rankings.complete(ranking_id, record, entries, self._now())
            except CollectionsError as error:
                if error.reason is not Reason.OUTCOME_UNKNOWN or attempt == COMMIT_ATTEMPTS:
                    raise
                _log.warning("commit failed, asking again", ranking_id=ranking_id, attempt=attempt, why=str(error))
        raise AssertionError("unreachable")

    def status(self, ranking_id: str) -> JobStatus | None:
        """Return where a requested ranking stands, whichever process makes it; None for an unknown one."""
        try:
            latest = self._ledger.requests.requested(ranking_id).latest
        except CollectionsError as error:
            if error.reason is Reason.NOT_FOUND:
                return None
            raise
        job = self._jobs.status(ranking_id)
        if job is not None and _knows_more(job, latest, self._worker):
            return JobStatus(job.state, job.progress, job.error, latest.reason)
        return recorded_status(latest)

    def watch(self, ranking_id: str, timeout_seconds: float) -> Iterator[JobStatus]:
        """Yield where a ranking stands as it changes, until it ends or nothing changes for the time given."""
        if self._jobs.status(ranking_id) is not None:
            yield from self._jobs.watch(ranking_id, timeout_seconds)
            return
        status = self.status(ranking_id)
        if status is not None and status.state is State.RUNNING:
            yield status
            self._jobs.wait_for_change(timeout_seconds)  # another process makes it: the caller looks again after the time given

    def _start(self, request: RequestedRanking) -> None:
        self._jobs.start(request.ranking_id, lambda progress: self._run(request, progress))

    def _run(self, request: RequestedRanking, progress: ProgressCallback) -> None:
        def report(reached: SolveProgress) -> None:
            if self._ledger.requests.requested(request.ranking_id).latest.state is RankingState.ABANDONED:
                raise Stopped(request.ranking_id)  # cancelled through another process
            progress(reached)

        try:
            self._make_again(request, _per_stage(report, progress))
        except Stopped:
            raise
        except CollectionsError as error:
            if error.reason is Reason.RANKING_ABANDONED:
                raise Stopped(request.ranking_id) from error
            # Also when the storage failed: a record that was kept after all stands, and is not called failed.
            self._fail(request.ranking_id, f"{error.reason}: {error.message}")
            raise
        except Exception:
            self._fail(request.ranking_id, f"{Reason.INTERNAL}: unexpected failure; the server's log has the details")
            raise

    def _make_again(self, request: RequestedRanking, progress: ProgressCallback) -> None:
        """Make a ranking, once more when the storage failed: its caller may have left and would not ask again."""
        try:
            self._make(request, progress)
        except CollectionsError as error:
            if error.reason not in _PASSING:
                raise
            _log.warning("storage failed, making it again", ranking_id=request.ranking_id, why=str(error))
            self._make(request, progress)

    def _fail(self, ranking_id: str, reason: str) -> None:
        try:
            self._ledger.claims.fail(ranking_id, self._worker, reason, self._now())
        except CollectionsError as error:  # the failure itself is what the caller must see
            _log.warning("failure not recorded", ranking_id=ranking_id, why=str(error))


def recorded_status(latest: StateRecord) -> JobStatus:
    """Return where a ranking stands from what is recorded alone."""
    state = _STATES[latest.state]
    stage = {RankingState.REQUESTED: "queued", RankingState.RUNNING: "running"}.get(latest.state, "ended")
    error = None
    if latest.state is RankingState.FAILED:
        name, _, message = latest.reason.partition(": ")
        known = name in Reason.__members__
        error = CollectionsError(Reason(name) if known else Reason.RANKING_FAILED, message if known else latest.reason)
    elif latest.state is RankingState.ABANDONED:
        error = abandoned(latest)
    return JobStatus(state, SolveProgress(stage, 1.0 if latest.state.is_finished else 0.0), error, latest.reason)


def _knows_more(job: JobStatus, latest: StateRecord, worker: str) -> bool:
    """A running job knows its progress; a failed one its error in full, and whether the ledger could not be told."""
    if latest.state is RankingState.FAILED:
        return job.state is State.FAILED
    return not latest.state.is_finished and latest.worker == worker and job.state in (State.RUNNING, State.FAILED)


def _per_stage(check: ProgressCallback, progress: ProgressCallback) -> ProgressCallback:
    """Return a callback that takes the dearer path once per stage."""
    seen: set[str] = set()

    def report(reached: SolveProgress) -> None:
        (progress if reached.stage in seen else check)(reached)
        seen.add(reached.stage)

    return report
