"""What a forked child does: open the real workspace, let things go wrong, and tell what it was told."""

from __future__ import annotations

import os
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
import structlog

from collections_opt.application.rankings.jobs import State
from collections_opt.application.workspace import open_workspace
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.service.server.build import ServerOptions, build_server
from collections_opt.service.server.services import all_services
from harness.faults.book import MODELS, NOW, command, prepare, raw
from harness.faults.day import Desk, until_known
from harness.faults.injection import Faults
from harness.faults.plants import plant

RETRIED = (Reason.OUTCOME_UNKNOWN, Reason.STORAGE_UNAVAILABLE, Reason.OVERLOADED, Reason.INTERNAL)
ATTEMPTS = 40
DUPLICATES = 4
LOOK_AGAIN_SECONDS = 0.05

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))


class Session:
    """A child at work."""

    def __init__(self, channel, job) -> None:
        self.channel, self.job = channel, job
        skew = timedelta(seconds=job.get("skew_seconds", 0))
        self.workspace = self._opened(lambda: NOW + skew)
        database = self.workspace.ledger.database
        if job.get("fault") == "lock":
            sa.event.listen(database._engine, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout=0"))
            database._engine.dispose()
        self.key = lambda request_id, _attempt: request_id
        restart = lambda: channel.ask(kind="restart")  # noqa: E731
        at, often, of_day = job.get("at", 0), job.get("every_call", False), job.get("of_day", False)
        self.faults = Faults(job.get("fault", "none"), at, database.file, restart, self.say, often, counting=not of_day)
        self.faults.crash_at(job.get("commit", 0), job.get("then", 0))
        self.desk = Desk(self.workspace, self.say, until_known(RETRIED, ATTEMPTS, self.say, self._unreachable))
        plant(job.get("plant", ""), self)
        self.faults.install(database._engine)

    def _opened(self, now):
        """Open the workspace; while its server restarts that is refused, as any call is, and tried again."""
        for left in reversed(range(ATTEMPTS)):
            try:
                return open_workspace(Path(self.job["folder"]), MODELS, now, self.job.get("url", ""))
            except CollectionsError as error:
                if error.reason not in RETRIED or not left:
                    raise
                self._unreachable()
        raise AssertionError("every attempt returns or raises")

    def _unreachable(self) -> None:
        if self.job.get("ask_when_unreachable"):
            self.channel.ask(kind="unreachable")

    def say(self, kind: str, **facts) -> None:
        self.channel.say(kind=kind, **facts)

    def rank(self, request_id: str) -> None:
        """Ask until told, as a platform would: only what says so is retried, with the same key."""
        rankings = self.workspace.rankings
        self.say("asked", request=request_id)
        for attempt in range(ATTEMPTS):
            wanted = command(self.key(request_id, attempt))
            try:
                ranking_id = rankings.create(wanted)
                self.say("accepted", request=request_id, ranking=ranking_id)
                while (status := rankings.status(ranking_id)) is not None and status.state is State.RUNNING:
                    list(rankings.watch(ranking_id, LOOK_AGAIN_SECONDS))
                made = rankings.recorded.finished(ranking_id)
            except CollectionsError as error:
                if error.reason in RETRIED:
                    self._unreachable()
                    continue
                self.say("refused", request=request_id, reason=error.reason.value)
                return
            self.say("recorded", request=request_id, ranking=ranking_id, seq=made.seq, digest=made.record_digest)
            return
        self.say("gave_up", request=request_id)

    def import_again(self, portfolio_id: str) -> None:
        """Import the book under another name."""
        for _ in range(ATTEMPTS):
            try:
                record = self.workspace.books.import_portfolio(portfolio_id, raw())
            except CollectionsError as error:
                if error.reason in RETRIED:
                    continue
                raise
            self.say("imported", portfolio=portfolio_id, digest=record.object_digest)
            return

    def cancel_when_told(self, request_id: str) -> None:
        """Cancel a ranking as soon as the chosen call was reached."""
        self.faults.cancelled.wait()
        self.say("cancelling", request=request_id)
        try:
            self.workspace.rankings.cancel(command(request_id).ranking_id)
        except CollectionsError:
            return  # not begun yet
        status = self.workspace.rankings.status(command(request_id).ranking_id)
        if status is not None and status.state is State.ABANDONED:
            self.say("cancelled", request=request_id)

    def recover(self) -> None:
        """Resume what others left and wait until nothing is owed."""
        self.workspace.rankings.recover()
        for owed in self.workspace.ledger.requests.unfinished():
            while True:
                status = self.workspace.rankings.status(owed.ranking_id)
                if status is None or status.state is not State.RUNNING or not self._is_made(owed.ranking_id):
                    break
                list(self.workspace.rankings.watch(owed.ranking_id, LOOK_AGAIN_SECONDS))

    def _is_made(self, ranking_id: str) -> bool:
        worker = self.workspace.ledger.requests.requested(ranking_id).latest.worker
        return bool(worker) and self.workspace.ledger.workers.is_alive(worker)

    def do(self, operation: str, name: str) -> None:
        if operation in ("tell", "work"):
            self.faults.counting = True
        if operation == "rank":
            self.rank(name)
        elif operation == "duplicates":
            with ThreadPoolExecutor(DUPLICATES) as pool:
                list(pool.map(self.rank, [name] * DUPLICATES))
        elif operation == "import":
            self.import_again(name)
        elif operation == "tell":
            self.desk.tell(name)
        elif operation == "work":
            self.desk.work(name)
        elif operation == "recover":
            self.recover()
        elif operation == "prepare":
            prepare(self.workspace)
        elif operation == "serve":
            self.serve()

    def serve(self) -> None:
        """Be the whole server until killed."""
        built = build_server(all_services(self.workspace), ServerOptions(insecure_loopback=True))
        built.start()
        self.workspace.rankings.recover()
        self.say("serving", port=built.port)
        built.wait()


def work(channel, job) -> None:
    """Do a job's operations; what a fault cuts short is cut short."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    try:
        _work(channel, job)
    except BaseException:
        channel.say(kind="unexpected", trace=traceback.format_exc())
        raise


def _work(channel, job) -> None:
    session = Session(channel, job)
    session.say("opened")
    for operation, name in job["operations"]:
        if job.get("fault") == "cancel" and operation == "rank":
            threading.Thread(target=session.cancel_when_told, args=(name,), daemon=True).start()
        session.do(operation, name)
    session.faults.lift()
    session.workspace.close()
    session.say("ended")
