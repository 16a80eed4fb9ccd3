"""Small ledgers with recorded rankings for tests of evidence: accounts of every kind, some refused at the door."""

import uuid
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.settings import bundled_parameters
from collections_opt.application.workspace import open_workspace
from collections_opt.core.accounts.portfolio import RawPortfolio
from collections_opt.core.desk.queues import CapacityPlan, ContactEffect, Queue
from collections_opt.core.problem.assignment import ignore_progress
from collections_opt.core.ranking.ordering import Ordering

MODELS = Path(__file__).parents[3] / "models"
NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
PLAN = CapacityPlan(
    "desk",
    1,
    date(2026, 1, 1),
    "USD",
    (
        Queue("calls", "Calls", 2.0, 120.0, ContactEffect(0.4, 0.9, 0.6), dial_minutes=0.6, attempts=3, talk_minutes=6.0),
        Queue(
            "letters", "Letters", 1.0, 60.0, ContactEffect(0.7, 0.2, 0.1), channel="LETTER", wrap_minutes=1.0, talk_minutes=0.5
        ),
    ),
)


def values():
    """Return value parameters of the book's products: those of the shipped card for both."""
    shipped = bundled_parameters()
    card = shipped.products["CREDIT_CARD"]
    return replace(shipped, products={"CREDIT_CARD": card, "LOAN": card})


def book(count, seed=0, as_of=date(2026, 11, 23), bad=2):
    """Return a portfolio of which ``bad`` rows are refused and a few are blocked by flags."""
    rng = np.random.default_rng(seed)
    ids = np.array([f"AC-{i:05d}" for i in rng.permutation(count)], dtype=object)
    balance = rng.integers(20_000, 900_000, count)
    balance[:bad] = 3_000_000_000  # above the cap: refused at the door
    columns = {
        "account_id": ids,
        "product": rng.choice(np.array(["CREDIT_CARD", "LOAN"], dtype=object), count),
        "state": rng.choice(np.array(["US-IL", "US-TX"], dtype=object), count),
        "balance_minor": balance,
        "arrears_minor": np.minimum(balance // 5, 100_000),
        "days_past_due": rng.integers(30, 200, count),
        "bankruptcy": rng.random(count) < 0.1,
        "calls_last_7_days_count": np.arange(count) % 3,
        "attempts_last_7_days_count": np.arange(count) % 3,
        "status_history": rng.integers(0, 4, (count, 6)),
        "balance_history_minor": rng.integers(0, 900_000, (count, 6)),
        "payment_history_minor": rng.integers(0, 50_000, (count, 6)),
    }
    return RawPortfolio(as_of, "America/New_York", "USD", columns, products=("CREDIT_CARD", "LOAN"))


def opened(folder, database_url="", seed=1, now=lambda: NOW, models=MODELS):
    """Open a ledger whose keys follow from a seed, with the plan in it."""
    keys = np.random.default_rng(seed)
    workspace = open_workspace(folder, models, now, database_url, random_bytes=keys.bytes)
    if not any(stored.plan_id == PLAN.plan_id for stored in workspace.ledger.plans.after("", 100)):
        workspace.books.save_plan(PLAN, None)
    return workspace


def ranked(workspace, portfolio_id="p1", ordering=Ordering.EXPECTED_VALUE, solver="default", seed=7):
    """Rank an imported portfolio."""
    name = f"{portfolio_id}/{ordering}/{solver}/{seed}"
    request_id = str(uuid.UUID(bytes=uuid.uuid5(uuid.NAMESPACE_URL, name).bytes, version=4))
    command = RankingCommand(request_id, portfolio_id, PLAN.plan_id, 1, ordering, values(), solver, seed)
    return workspace.rank(command, ignore_progress)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        """Return the time it is set to."""
        return self.at
