"""The desk that is worked: persons of whom every other has two accounts, in four zones, ranked once."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.settings import bundled_parameters
from collections_opt.application.workspace import Workspace, open_workspace
from collections_opt.core.accounts.portfolio import RawPortfolio
from collections_opt.core.problem.assignment import ignore_progress
from collections_opt.core.ranking.ordering import Ordering
from tests.support.factories import plan, queue, raw_portfolio, text

MODELS = Path(__file__).parents[2] / "models"
MORNING = datetime(2026, 11, 24, 18, tzinfo=UTC)
"""13:00 in New York and 10:00 in Los Angeles: calls are lawful in all zones here for hours to come."""
QUEUE = "calls"
MOST_AGENTS = 50_000
"""More than a million accounts can keep busy; a plan may name twice as many."""
ZONES = (
    ("US-NY", "America/New_York"),
    ("US-TX", "America/Chicago"),
    ("US-CO", "America/Denver"),
    ("US-CA", "America/Los_Angeles"),
)


def clock_from(started: float) -> Callable[[], datetime]:
    """Return a clock that showed the desk's morning when the machine's showed an instant; alike in all processes."""
    return lambda: MORNING + timedelta(seconds=time.time() - started)


def open_world(folder: Path, url: str, started: float) -> Workspace:
    """Open the ledger of the world."""
    return open_workspace(folder, MODELS, clock_from(started), url)


def rows(count: int) -> RawPortfolio:
    """Return the accounts: of each three, two are one person's."""
    number = np.arange(count)
    person = number - (number % 3 == 2)
    place = [ZONES[at] for at in (person % 4).tolist()]
    none = np.zeros(count, dtype=np.int64)
    return raw_portfolio(
        account_id=text([f"a{at:07d}" for at in number.tolist()]),
        customer_id=text([f"p{at:07d}" for at in person.tolist()]),
        state=text([state for state, _ in place]),
        time_zone=text([zone for _, zone in place]),
        balance_minor=900_000 - 90 * (number % 5_000),
        arrears_minor=np.full(count, 60_000),
        days_past_due=30 + number % 60,
        calls_last_7_days_count=none,
        attempts_last_7_days_count=none,
        contacts_in_window_count=none,
    )


def rank_world(workspace: Workspace, count: int) -> str:
    """Import the accounts and rank them with minutes for all; return the ranking's id."""
    made = replace(plan(queue(QUEUE, agents=float(min(count, MOST_AGENTS)), attempts=1.0)), several_contacts_per_person=True)
    workspace.books.save_plan(made, None)
    workspace.books.import_portfolio("world", rows(count))
    command = RankingCommand(
        str(uuid.UUID(int=5, version=4)), "world", made.plan_id, 1, Ordering.EXPECTED_VALUE, bundled_parameters(), "greedy"
    )
    return workspace.rank(command, ignore_progress).ranking_id
