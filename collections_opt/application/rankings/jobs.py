"""Work on rankings: progress that can be watched, a stop that can be asked for, one thread so that memory stays that of one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.problem.assignment import ProgressCallback, SolveProgress

KEPT_STATUSES = 1_000
"""Statuses of ended jobs that are remembered; what became of a ranking is in the ledger."""


class State(StrEnum):
    """State of a ranking."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    ABANDONED = "ABANDONED"


class Stopped(Exception):  # noqa: N818 - what a stopped job is, not an error
    """Raised within a job at its next report of progress after it was told to stop."""


@dataclass(frozen=True)
class JobStatus:
    """Where a ranking stands: state, latest progress, the error if it failed, and for people why it is in this state."""

    state: State
    progress: SolveProgress
    error: CollectionsError | None = None
    why: str = ""


class Jobs:
    """Runs jobs by id; a caller that leaves changes nothing, a second caller of the same id joins the first.

    Args:
        failed: returns the error shown for a failure that nobody expected.
        ended: called with how each job ended, before anybody is told.
    """

    def __init__(
        self,
        failed: Callable[[str, Exception], CollectionsError],
        ended: Callable[[str, JobStatus], None] = lambda _job_id, _status: None,
    ) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ranking")
        self._changed = threading.Condition()
        self._statuses: dict[str, JobStatus] = {}
        self._attempts: dict[str, int] = {}
        self._stopping: set[tuple[str, int]] = set()
        self._failed, self._ended = failed, ended

    def start(self, job_id: str, work: Callable[[ProgressCallback], None]) -> None:
        """Start a job unless it is running; one that failed, was stopped or is about to stop is tried again."""
        with self._changed:
            current, attempt = self._statuses.get(job_id), self._attempts.get(job_id, 0)
            if current and current.state is State.RUNNING and (job_id, attempt) not in self._stopping:
                return
            self._forget_oldest()
            self._attempts[job_id] = attempt + 1
            self._statuses[job_id] = JobStatus(State.RUNNING, SolveProgress("queued", 0.0))
        self._pool.submit(self._run, job_id, attempt + 1, work)

    def status(self, job_id: str) -> JobStatus | None:
        """Return where a job stands, None if this process does not know it."""
        with self._changed:
            return self._statuses.get(job_id)

    def stop(self, job_id: str) -> None:
        """Let a job end at its next report of progress; nothing happens to one that is not running."""
        with self._changed:
            current = self._statuses.get(job_id)
            if current is not None and current.state is State.RUNNING:
                self._stopping.add((job_id, self._attempts[job_id]))

    def wait_for_change(self, timeout_seconds: float) -> None:
        """Wait until any job changes, at most for the time given."""
        with self._changed:
            self._changed.wait(timeout_seconds)

    def watch(self, job_id: str, timeout_seconds: float) -> Iterator[JobStatus]:
        """Yield each new status until the job ends or nothing changes for the time given; nothing for an unknown job."""
        seen: JobStatus | None = None
        if self.status(job_id) is None:
            return
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._statuses.get(job_id) is not seen, timeout_seconds)  # noqa: B023
                current = self._statuses.get(job_id)
            if current is None or current is seen:
                return
            yield current
            if current.state is not State.RUNNING:
                return
            seen = current

    def close(self) -> None:
        """Wait for the running job and stop."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _forget_oldest(self) -> None:
        ended = [job_id for job_id, status in self._statuses.items() if status.state is not State.RUNNING]
        for job_id in ended[: max(0, len(ended) - KEPT_STATUSES)]:
            del self._statuses[job_id], self._attempts[job_id]

    def _set(self, job_id: str, attempt: int, status: JobStatus) -> None:
        if status.state is not State.RUNNING:
            self._ended(job_id, status)  # before anybody is told
        with self._changed:
            if self._attempts.get(job_id) == attempt:  # not when a later attempt waits for this one to end
                self._statuses[job_id] = status
            if status.state is not State.RUNNING:
                self._stopping.discard((job_id, attempt))
            self._changed.notify_all()

    def _run(self, job_id: str, attempt: int, work: Callable[[ProgressCallback], None]) -> None:
        latest = SolveProgress("started", 0.0)

        def report(progress: SolveProgress) -> None:
            nonlocal latest
            latest = progress
            if (job_id, attempt) in self._stopping:
                raise Stopped(job_id)
            self._set(job_id, attempt, JobStatus(State.RUNNING, progress))

        try:
            report(SolveProgress("started", 0.0))
            work(report)
        except Stopped:
            self._set(job_id, attempt, JobStatus(State.ABANDONED, latest))
        except CollectionsError as error:
            self._set(job_id, attempt, JobStatus(State.FAILED, latest, error))
        except Exception as error:  # noqa: BLE001 - the worker must outlive any ranking; the error is reported with an id
            self._set(job_id, attempt, JobStatus(State.FAILED, latest, self._failed(job_id, error)))
        else:
            self._set(job_id, attempt, JobStatus(State.SUCCEEDED, SolveProgress("recorded", 1.0, latest.gap)))


def internal_error(incident_id: str) -> CollectionsError:
    """Return the error shown for an unexpected failure: an incident id and nothing else."""
    return CollectionsError(Reason.INTERNAL, f"Unexpected failure, incident {incident_id}; the log has the details.")
