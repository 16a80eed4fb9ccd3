"""Rankings being made: progress that can be watched, and one worker so that memory stays that of one ranking."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

from collections_opt.core.assignment import ProgressCallback, SolveProgress
from collections_opt.core.errors import CollectionsError, Reason


class State(StrEnum):
    """State of a ranking."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


@dataclass(frozen=True)
class JobStatus:
    """Where a ranking stands: state, latest progress, and the error if it failed."""

    state: State
    progress: SolveProgress
    error: CollectionsError | None = None


class Jobs:
    """Runs jobs by id; a caller that leaves changes nothing, a second caller of the same id joins the first."""

    def __init__(self, failed: Callable[[str, Exception], CollectionsError]) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ranking")
        self._changed = threading.Condition()
        self._statuses: dict[str, JobStatus] = {}
        self._failed = failed

    def start(self, job_id: str, work: Callable[[ProgressCallback], None]) -> None:
        """Start a job unless it is running; a failed one is tried again."""
        with self._changed:
            current = self._statuses.get(job_id)
            if current and current.state is State.RUNNING:
                return
            self._statuses[job_id] = JobStatus(State.RUNNING, SolveProgress("queued", 0.0))
        self._pool.submit(self._run, job_id, work)

    def status(self, job_id: str) -> JobStatus | None:
        """Return where a job stands, None if this process does not know it."""
        with self._changed:
            return self._statuses.get(job_id)

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

    def _set(self, job_id: str, status: JobStatus) -> None:
        with self._changed:
            self._statuses[job_id] = status
            self._changed.notify_all()

    def _run(self, job_id: str, work: Callable[[ProgressCallback], None]) -> None:
        latest = SolveProgress("started", 0.0)

        def report(progress: SolveProgress) -> None:
            nonlocal latest
            latest = progress
            self._set(job_id, JobStatus(State.RUNNING, progress))

        try:
            work(report)
        except CollectionsError as error:
            self._set(job_id, JobStatus(State.FAILED, latest, error))
        except Exception as error:  # noqa: BLE001 - the worker must outlive any ranking; the error is reported with an id
            self._set(job_id, JobStatus(State.FAILED, latest, self._failed(job_id, error)))
        else:
            self._set(job_id, JobStatus(State.SUCCEEDED, SolveProgress("recorded", 1.0, latest.gap)))


def internal_error(incident_id: str) -> CollectionsError:
    """Return the error shown for an unexpected failure: an incident id and nothing else."""
    return CollectionsError(Reason.INTERNAL, f"Unexpected failure, incident {incident_id}; the log has the details.")
