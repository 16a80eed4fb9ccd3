"""A small desk for tests of the day: persons with one account or two, in four zones, ranked once and worked under our clock."""

from __future__ import annotations

import shutil
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from collections_opt.application.day.lease_requests import LeaseRequest
from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.settings import bundled_parameters
from collections_opt.application.workspace import open_workspace
from collections_opt.core.day.events import Event, EventKind
from collections_opt.core.problem.assignment import ignore_progress
from collections_opt.core.ranking.ordering import Ordering
from tests.support.factories import plan, queue, raw_portfolio, text

MODELS = Path(__file__).parents[3] / "models"
DAY = datetime(2026, 11, 24, tzinfo=UTC)
NOON = DAY + timedelta(hours=18)
"""13:00 in New York, 10:00 in Los Angeles: lawful everywhere here."""
PORTFOLIO = "day"
ZONES = (
    ("US-NY", "America/New_York"),
    ("US-TX", "America/Chicago"),
    ("US-CO", "America/Denver"),
    ("US-CA", "America/Los_Angeles"),
)
CALLS, CARE = "calls", "care"


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self, at=NOON):
        self.at = at

    def __call__(self):
        return self.at

    def forward(self, **span):
        self.at += timedelta(**span)
        return self.at


def desk_plan(**changes):
    """Return a plan of two queues, the second for vulnerable people."""
    first = queue(CALLS, agents=20.0, attempts=2.0, **changes)
    second = queue(CARE, agents=5.0, attempts=1.0, specialisms=("vulnerable",), specialist_only=True)
    return plan(first, second)


def rows(count=24, bad=()):
    """Return accounts: each third person has a second account."""
    person = np.array([f"p{i - (i % 4 == 3):03d}" for i in range(count)], dtype=object)
    place = [ZONES[int(name[1:]) % 4] for name in person]
    none = np.zeros(count, dtype=np.int64)
    return raw_portfolio(
        account_id=text([f"a{i:03d}" for i in range(count)]),
        customer_id=person,
        state=text([state for state, _ in place]),
        time_zone=text([zone for _, zone in place]),
        balance_minor=900_000 - 9_000 * (np.arange(count) % 50),
        arrears_minor=np.full(count, 60_000),
        days_past_due=30 + np.arange(count) % 60,
        calls_last_7_days_count=none,
        attempts_last_7_days_count=none,
        contacts_in_window_count=none,
    )


def open_world(folder, clock, url="", count=24):
    """Open a workspace over a folder; the same folder again is a second server, or the same after a restart."""
    return open_workspace(Path(folder), MODELS, clock, url)


def rank_world(workspace, count=24, the_plan=None):
    """Import the accounts, store the plan, rank; return the ranking's id."""
    made = the_plan or desk_plan()
    workspace.books.save_plan(made, None)
    workspace.books.import_portfolio(PORTFOLIO, rows(count))
    return rank_held(workspace, made.plan_id)


def rank_held(workspace, plan_id="test", ordering=Ordering.EXPECTED_VALUE):
    """Rank the accounts that are imported; return the ranking's id."""
    request_id = str(uuid.UUID(int=5 + list(Ordering).index(ordering), version=4))
    command = RankingCommand(request_id, PORTFOLIO, plan_id, 1, ordering, bundled_parameters(), "greedy")
    return workspace.rank(command, ignore_progress).ranking_id


def asked(ranking_id, holder="agent-1", queue_id=CALLS, **changes):
    """Return a request for leases with an id of its own."""
    return LeaseRequest(str(uuid.uuid4()), ranking_id, queue_id, holder, **changes)


def call(account, at, result="NO_ANSWER", **changes):
    """Return a contact by telephone."""
    event_id = changes.pop("event_id", f"call-{uuid.uuid4()}")
    facts = {"channel": "CALL", "direction": "OUTBOUND", "result": result, "queue_id": CALLS, "seconds": 60, **changes}
    return Event(event_id, EventKind.CONTACT, at, account, **facts)


def made_world(folder):
    """Rank the small desk in a folder, to be copied by tests; return the ranking's id."""
    workspace = open_world(folder, Clock())
    ranking_id = rank_world(workspace)
    workspace.close()
    return ranking_id


def copied_world(template, folder, clock):
    """Open a copy of a folder that ``made_world`` filled."""
    shutil.copytree(template, folder, dirs_exist_ok=True)
    return open_world(folder, clock)
