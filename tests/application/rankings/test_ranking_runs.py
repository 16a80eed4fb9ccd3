"""The life of rankings being made: nothing accepted is lost, nothing is made twice, and whoever asks is told which."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog

from collections_opt.application.rankings.jobs import Jobs, State, internal_error
from collections_opt.application.settings import dump
from collections_opt.application.workspace import open_workspace
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.problem.assignment import SolveProgress, ignore_progress
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.ledger.records import RankingState
from collections_opt.ledger.requests.claims import MAX_ATTEMPTS
from tests.support.books.bundled_portfolio import MODELS, NOW, command_for, import_bundled
from tests.support.ledger.ledgers import verify_everything
from tests.support.scripts.born_ready import BORN_READY

WAIT = 60.0


@pytest.fixture
def workspace(tmp_path, database_url):
    opened = open_workspace(tmp_path / "data", MODELS, lambda: NOW, database_url)
    import_bundled(opened)
    yield opened
    opened.close()


def cheap(**changes):
    return command_for(ordering=Ordering.BALANCE, **changes)


def left_behind(workspace, command, worker="gone-1"):
    """Record a ranking that a worker claimed and left."""
    settled = dump(replace(command, plan_version=1))
    ledger = workspace.ledger
    ledger.requests.begin(command.ranking_id, command.request_id, command.payload_digest, command.portfolio_id, settled, NOW)
    ledger.claims.claim(command.ranking_id, worker, lambda _: False, NOW)


def finished(workspace, ranking_id):
    while workspace.rankings.status(ranking_id).state is State.RUNNING:
        list(workspace.rankings.watch(ranking_id, WAIT))
    return workspace.recorded.finished(ranking_id)


def states_of(workspace, ranking_id):
    return [s.state for s in workspace.ledger.requests.states(ranking_id)]


def test_a_ranking_is_owed_before_work_starts(workspace, monkeypatch):
    command, may_go_on, seen = cheap(), threading.Event(), []

    def make(requested, progress):
        seen.extend(states_of(workspace, requested.ranking_id))
        may_go_on.wait(WAIT)
        progress(SolveProgress("assign", 0.5))

    monkeypatch.setattr(workspace.rankings._runs, "_make", make)
    workspace.rankings.create(command)
    assert states_of(workspace, command.ranking_id) == [RankingState.REQUESTED, RankingState.RUNNING]
    with pytest.raises(CollectionsError) as caught:
        workspace.recorded.finished(command.ranking_id)
    assert caught.value.reason is Reason.RANKING_NOT_COMPLETE
    may_go_on.set()
    list(workspace.rankings.watch(command.ranking_id, WAIT))
    assert seen == [RankingState.REQUESTED, RankingState.RUNNING]


def test_what_a_dead_server_left_is_resumed_at_start_up_and_says_so(workspace):
    command = cheap()
    left_behind(workspace, command)
    with structlog.testing.capture_logs() as logs:
        recovered = workspace.rankings.recover()
    assert [(r.request.ranking_id, r.resumed) for r in recovered] == [(command.ranking_id, True)]
    said = [log for log in logs if log["event"] == "ranking resumed"]
    assert (said[0]["ranking_id"], said[0]["lost_worker"]) == (command.ranking_id, "gone-1")
    made = finished(workspace, command.ranking_id)
    assert made.record["plan_version"] == 1
    assert "gone-1" in workspace.ledger.requests.states(command.ranking_id)[2].reason
    assert workspace.rank(command, ignore_progress) == made
    assert workspace.rankings.recover() == []


def test_a_ranking_that_kills_every_server_is_abandoned_and_says_so(workspace):
    command = cheap()
    for number in range(MAX_ATTEMPTS):
        left_behind(workspace, command, f"gone-{number}")
    recovered = workspace.rankings.recover()
    assert [r.resumed for r in recovered] == [False]
    status = workspace.rankings.status(command.ranking_id)
    assert (status.state, status.error.reason) == (State.ABANDONED, Reason.RANKING_ABANDONED)
    with pytest.raises(CollectionsError, match="ended 3 times"):
        workspace.recorded.finished(command.ranking_id)
    assert workspace.rank(command, ignore_progress).seq == 1


def test_a_ranking_that_another_living_process_makes_is_left_to_it(workspace):
    command, other = cheap(), "other-1"
    left_behind(workspace, command, other)
    workspace.ledger.workers.join(other)
    assert workspace.rankings.recover() == []
    assert workspace.rankings.create(command) == command.ranking_id
    assert workspace.rankings._jobs.status(command.ranking_id) is None
    assert workspace.rankings.status(command.ranking_id).state is State.RUNNING
    assert states_of(workspace, command.ranking_id) == [RankingState.REQUESTED, RankingState.RUNNING]


def test_a_cancelled_ranking_stops_stays_away_and_can_be_asked_for_again(workspace, monkeypatch):
    command, started, cancelled = cheap(), threading.Event(), threading.Event()
    make = workspace.rankings._runs._make

    def slow(requested, progress):
        started.set()
        cancelled.wait(WAIT)
        make(requested, progress)

    monkeypatch.setattr(workspace.rankings._runs, "_make", slow)
    workspace.rankings.create(command)
    started.wait(WAIT)
    workspace.rankings.cancel(command.ranking_id)
    assert workspace.rankings.status(command.ranking_id).state is State.ABANDONED
    monkeypatch.setattr(workspace.rankings._runs, "_make", make)
    cancelled.set()
    list(workspace.rankings.watch(command.ranking_id, WAIT))
    assert workspace.ledger.chain.head().seq == 0
    with pytest.raises(CollectionsError) as caught:
        workspace.recorded.finished(command.ranking_id)
    assert caught.value.reason is Reason.RANKING_ABANDONED
    made = workspace.rank(command, ignore_progress)
    workspace.rankings.cancel(command.ranking_id)
    assert workspace.recorded.finished(command.ranking_id) == made


def test_one_cancelled_through_another_process_is_not_recorded(workspace, monkeypatch):
    command, reached = cheap(), []
    make = workspace.rankings._runs._make

    def cancelled_elsewhere(requested, progress):
        workspace.ledger.claims.cancel(requested.ranking_id, "cancelled elsewhere", NOW)
        make(requested, lambda report: (progress(report), reached.append(report)))

    monkeypatch.setattr(workspace.rankings._runs, "_make", cancelled_elsewhere)
    workspace.rankings.create(command)
    list(workspace.rankings.watch(command.ranking_id, WAIT))
    assert reached == []
    assert workspace.rankings.status(command.ranking_id).state is State.ABANDONED
    assert workspace.ledger.chain.head().seq == 0


def test_failures_are_recorded_and_read_after_the_process_is_gone(workspace, monkeypatch, tmp_path, database_url):
    command = cheap()

    def fail(_requested, _progress):
        raise CollectionsError(Reason.MODEL_UNAVAILABLE, "No model can be loaded.")

    make = workspace.rankings._runs._make
    monkeypatch.setattr(workspace.rankings._runs, "_make", fail)
    workspace.rankings.create(command)
    list(workspace.rankings.watch(command.ranking_id, WAIT))
    again = open_workspace(tmp_path / "data", MODELS, lambda: NOW, database_url)
    for reader in (workspace, again):
        with pytest.raises(CollectionsError, match="No model can be loaded") as caught:
            reader.recorded.finished(command.ranking_id)
        assert caught.value.reason is Reason.MODEL_UNAVAILABLE
    again.close()
    monkeypatch.setattr(workspace.rankings._runs, "_make", make)
    assert workspace.rank(command, ignore_progress).seq == 1


@pytest.mark.parametrize(("failures", "kept"), [(1, False), (1, True), (99, False)])
def test_a_commit_of_unknown_outcome_is_settled_by_asking_again(workspace, failures, kept):
    engine, seen = workspace.ledger.database._engine, []
    command = cheap()

    def fail(connection):
        recorded = connection.exec_driver_sql("SELECT count(*) FROM rankings").scalar()
        if not recorded or len(seen) == failures:
            return
        seen.append("failed")
        if kept:
            connection.connection.dbapi_connection.commit()
        raise sa.exc.OperationalError("COMMIT", None, OSError("disk I/O error"))

    sa.event.listen(engine, "commit", fail)
    try:
        if failures == 1:
            assert workspace.rank(command, ignore_progress).seq == 1
        else:
            with pytest.raises(CollectionsError) as caught:
                workspace.rank(command, ignore_progress)
            assert caught.value.reason is Reason.OUTCOME_UNKNOWN
    finally:
        sa.event.remove(engine, "commit", fail)
    made = workspace.rank(command, ignore_progress)
    assert verify_everything(workspace.ledger, [made.ranking_id]) == []
    told = [event.kind for event in workspace.ledger.outbox.after(0, 9)]
    assert told == ["ranking.failed"] * (failures > 1) + ["ranking.succeeded"]
    assert workspace.ledger.chain.head().seq == 1


def ask(folder, url, request_id, answers, callers):
    """Be one process of many callers with one key."""
    workspace = open_workspace(Path(folder), MODELS, lambda: NOW, url)
    command = cheap(request_id=request_id)
    with ThreadPoolExecutor(callers) as pool:
        made = list(pool.map(lambda _: workspace.rank(command, ignore_progress), range(callers)))
    answers.put({(m.ranking_id, m.seq, m.record_digest) for m in made})
    workspace.close()


def test_callers_of_several_processes_with_one_key_get_one_record(workspace, tmp_path, database_url):
    request_id = str(uuid.uuid4())
    answers = BORN_READY.Queue()
    arguments = (str(tmp_path / "data"), database_url, request_id, answers, 8)
    processes = [BORN_READY.Process(target=ask, args=arguments) for _ in range(2)]
    for process in processes:
        process.start()
    found = [answers.get(timeout=WAIT) for _ in processes]
    for process in processes:
        process.join()
    assert len(set.union(*found)) == 1
    assert workspace.ledger.chain.head().seq == len(workspace.ledger.outbox.after(0, 9)) == 1


def test_a_stopped_job_that_is_started_again_runs_again():
    jobs, may_go_on, runs = Jobs(lambda _job, _error: internal_error("i1")), threading.Event(), []

    def work(report):
        runs.append("run")
        may_go_on.wait(WAIT)
        report(SolveProgress("half", 0.5))

    jobs.start("one", work)
    next(jobs.watch("one", WAIT))
    jobs.stop("one")
    jobs.start("one", work)
    may_go_on.set()
    assert [s.state for s in jobs.watch("one", WAIT)][-1] is State.SUCCEEDED
    assert runs == ["run", "run"]
    jobs.stop("one")
    jobs.start("one", work)
    assert [s.state for s in jobs.watch("one", WAIT)][-1] is State.SUCCEEDED
    jobs.close()
