"""Bugs planted on purpose: a harness that does not notice one of them proves nothing."""

from __future__ import annotations

import os
import signal
import uuid
from dataclasses import replace

import numpy as np

from collections_opt.application.rankings import books, making
from collections_opt.application.rankings import runs as ranking_runs
from collections_opt.application.records.recorder import Recorder
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.ranking import pipeline, ranking
from collections_opt.ledger.events import event_writer
from collections_opt.ledger.events.event_log import EventLog
from collections_opt.ledger.events.event_writer import EventWriter
from collections_opt.ledger.events.leases import LeaseTurn
from collections_opt.ledger.events.stored_events import Told
from collections_opt.ledger.requests import requests
from collections_opt.ledger.store import database
from collections_opt.ledger.tables import rankings, worklists

PLANTS: dict[str, object] = {}
DAY_PLANTS: set[str] = set()
"""Those of events and leases."""
DISK_PLANTS: dict[str, object] = {}
"""Those that ``disks`` notices."""


def planted(function):
    """Register a bug by its name."""
    PLANTS[function.__name__] = function
    return function


def planted_in_the_day(function):
    """Register a bug of events or leases by its name."""
    DAY_PLANTS.add(function.__name__)
    return planted(function)


def planted_on_disks(function):
    """Register a bug that only a disk that fails shows, by its name."""
    DISK_PLANTS[function.__name__] = function
    return function


def plant(name: str, session) -> None:
    """Put a bug into this process; no name, no bug."""
    if name:
        {**PLANTS, **DISK_PLANTS}[name](session)


@planted
def acknowledge_before_commit(session):
    insert = rankings.insert_state

    def told_early(connection, ranking_id, state, *rest):
        made = insert(connection, ranking_id, state, *rest)
        row = rankings.request_where(connection, rankings.ranking_requests.c.ranking_id == ranking_id)
        stored = rankings._ranking(connection, rankings.rankings.c.ranking_id == ranking_id)
        if stored is not None:
            session.say("recorded", request=row.request_id, ranking=ranking_id, seq=stored.seq, digest=stored.record_digest)
        return made

    rankings.insert_state = told_early


def _after_commit(session, owner, name):
    """Move a write of the recording transaction into one of its own."""
    write, late = getattr(owner, name), []
    complete = session.workspace.ledger.rankings.complete
    setattr(owner, name, lambda *arguments, **named: late.append((arguments, named)))

    def completed(*arguments):
        made = complete(*arguments)
        while late:
            given, named = late.pop()
            with session.workspace.ledger.database.write() as connection:
                given = [connection if hasattr(value, "exec_driver_sql") else value for value in given]
                write(*given, **named)
        return made

    session.workspace.ledger.rankings.complete = completed


@planted
def entries_outside_the_transaction(session):
    insert = worklists.AssignedColumns.insert
    late = []
    worklists.AssignedColumns.insert = lambda self, _connection, seq: late.append((self, seq))
    complete = session.workspace.ledger.rankings.complete

    def completed(*arguments):
        made = complete(*arguments)
        while late:
            columns, seq = late.pop()
            with session.workspace.ledger.database.write() as connection:
                insert(columns, connection, seq)
        return made

    session.workspace.ledger.rankings.complete = completed


@planted
def leaf_outside_the_transaction(session):
    _after_commit(session, rankings, "append_log")


@planted
def event_outside_the_transaction(session):
    _after_commit(session, requests, "insert_event")


@planted
def failed_commit_taken_for_success(session):
    chained, complete, last = rankings.chain_digest, session.workspace.ledger.rankings.complete, {}

    def remembered(row):
        last["seq"], last["digest"] = row["seq"], chained(row)
        return last["digest"]

    def completed(ranking_id, *rest):
        try:
            return complete(ranking_id, *rest)
        except CollectionsError as error:
            if error.reason is not Reason.OUTCOME_UNKNOWN:
                raise
            request = session.workspace.ledger.requests.requested(ranking_id).request_id
            session.say("recorded", request=request, ranking=ranking_id, **last)
            os.kill(os.getpid(), signal.SIGKILL)

    rankings.chain_digest = remembered
    session.workspace.ledger.rankings.complete = completed


@planted
def retry_with_a_new_key(session):
    session.key = lambda request_id, attempt: request_id if attempt == 0 else str(uuid.UUID(int=attempt, version=4))


@planted
def keys_forgotten(session):
    counter = iter(range(1, 1_000_000))
    session.key = lambda _request_id, _attempt: str(uuid.UUID(int=(os.getpid() << 32) + next(counter), version=4))


@planted
def recovery_forgets(session):
    session.workspace.ledger.claims.recover = lambda *_: []


@planted
def late_work_after_a_cancel(session):
    following = dict(requests._NEXT)
    following[requests._S.ABANDONED] = following[requests._S.FAILED]
    requests._NEXT = following
    session.workspace.rankings._runs._jobs.stop = lambda _: None
    ranking_runs._per_stage = lambda _check, progress: progress


@planted
def fallback_without_label(session):
    serving = session.workspace.serving
    pin = serving.pin

    class Fallback:
        """Answers with other accounts' scores when the model cannot, as if it were the model."""

        def __init__(self, scorer):
            self.scorer = scorer

        def __getattr__(self, name):
            return getattr(self.scorer, name)

        def score(self, portfolio):
            known = self.scorer.score(portfolio)
            return replace(known, probability=known.probability[::-1])

    def pinned(portfolio_id, *accounts):
        found = pin(portfolio_id, *accounts)
        return replace(found, scorer=Fallback(found.scorer))

    serving.pin = pinned


@planted
def float_sum(_session):
    verify = making.verify

    def summed(problem, assignment, *rest):
        report = verify(problem, assignment, *rest)
        worked = np.flatnonzero(assignment.queue >= 0)
        total = np.sum(problem.value[worked, assignment.queue[worked]].astype(np.float32) / np.float32(3)) * 3
        object.__setattr__(assignment, "objective_minor", int(total) + 1)
        return report

    making.verify = summed


@planted
def hash_tie_break(_session):
    make = ranking.make_entries

    def shuffled(*arguments, **named):
        entries = make(*arguments, **named)
        priority = entries.priority.copy()
        for number in np.unique(entries.queue[entries.queue >= 0]):
            rows = np.flatnonzero(entries.queue == number)
            order = sorted(rows, key=lambda row: (-entries.increment_minor[row], hash(bytes(entries.account_id[row]))))
            priority[order] = np.arange(1, rows.size + 1)
        return replace(entries, priority=priority)

    pipeline.make_entries = shuffled


@planted
def quarantine_drops_a_row(_session):
    admit = books.admit

    def dropping(given):
        admission = admit(given)
        refused = admission.quarantine
        kept = slice(1, None)
        names = ("account_id", "field", "value", "rule", "remedy")
        fewer = replace(refused, row=refused.row[kept], **{name: getattr(refused, name)[kept] for name in names})
        return replace(admission, quarantine=fewer, row_count=admission.row_count - 1)

    books.admit = dropping


@planted
def clock_back_untold(_session):
    making.clock_went_back = lambda *_: 0


@planted_in_the_day
def told_before_commit(session):
    take = EventWriter.take

    def told_early(self, events, *rest):
        told = take(self, events, *rest)
        session.say("told", events={event.event_id: one.sequence for event, one in zip(events, told, strict=True)})
        _dawdle(session.workspace.day.events.log)
        return told

    EventWriter.take = told_early


def _dawdle(log):
    """Make some calls, so that there is time to die."""
    for _ in range(12):
        log.last_sequence()


@planted_in_the_day
def batch_outside_the_transaction(session):
    insert, record, late = event_writer.insert_logged, EventLog.record, []
    event_writer.insert_logged = lambda connection, *given: late.append(given)

    def recorded(self, *arguments):
        told = record(self, *arguments)
        _dawdle(self)
        while late:
            with session.workspace.ledger.database.write() as connection:
                insert(connection, *late.pop())
        return told

    EventLog.record = recorded


@planted_in_the_day
def lease_ends_outside_the_transaction(session):
    dispatch = session.workspace.day.dispatch
    change, complete, late = LeaseTurn.change, dispatch.complete, []

    def later(self, lease_id, **changes):
        late.append((lease_id, changes))
        return replace(self.find(lease_id), state=changes["state"])

    def completed(*arguments):
        ended = complete(*arguments)
        _dawdle(session.workspace.day.events.log)
        while late:
            lease_id, changes = late.pop()
            with dispatch._turns._leases.turn() as turn:
                change(turn, lease_id, **changes)
        return ended

    LeaseTurn.change = later
    dispatch.complete = completed


@planted_in_the_day
def lease_request_forgotten(_session):
    LeaseTurn.of_request = lambda *_: []


@planted_on_disks
def kept_read_only_connections(_session):
    database.reopened_if_writable = lambda _: None


@planted_on_disks
def checkpoint_fails_its_record(_session):
    def publish(self, tree):
        self.checkpoints.publish(tree)

    Recorder._publish = publish


@planted_on_disks
def failed_write_taken_for_success(_session):
    record = EventLog.record

    def recorded(self, events, *rest):
        try:
            return record(self, events, *rest)
        except CollectionsError as error:
            if error.reason is not Reason.STORAGE_UNAVAILABLE:
                raise
            return [Told(self.last_sequence() + at, False) for at in range(1, len(events) + 1)]

    EventLog.record = recorded
