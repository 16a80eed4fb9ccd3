"""A small book with equal accounts, a scarce plan and two bad rows: what the children rank."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.settings import bundled_parameters
from collections_opt.core.accounts.portfolio import RawPortfolio
from collections_opt.core.ranking.ordering import Ordering
from tests.support.factories import plan, queue, raw_portfolio, text

MODELS = Path(__file__).parents[2] / "models"
NOW = datetime(2026, 11, 24, 18, tzinfo=UTC)
"""Noon in Texas: whoever is asked may be called, also by a clock that is an hour wrong."""
PORTFOLIO_ID = "faults"
PLAN = plan(queue("early", agents=0.2), queue("late", agents=0.1))
ROWS = 40
BAD_ROWS = 2


def raw() -> RawPortfolio:
    """Return the rows: blocks of ten are equal but for their id, so that only the tie-break tells them apart."""
    balance = np.repeat(np.array([900_000.0, 700_000.0, 500_000.0, 300_000.0]), ROWS // 4)
    balance[[5, 25]] = np.nan
    days = np.where(np.arange(ROWS) % 2 == 0, 45, 75)
    none = np.zeros(ROWS, dtype=np.int64)  # contacts made; where these or the state are not known, rules block
    return raw_portfolio(
        account_id=text([f"acc-{i:03d}" for i in range(ROWS)]),
        balance_minor=balance,
        days_past_due=days,
        state=text(["US-TX"] * ROWS),
        calls_last_7_days_count=none,
        attempts_last_7_days_count=none,
    )


def command(request_id: str, portfolio_id: str = PORTFOLIO_ID) -> RankingCommand:
    """Return the request; every fourth is optimised, the others follow an order."""
    ordering = Ordering.EXPECTED_VALUE if uuid.UUID(request_id).int % 4 == 0 else Ordering.BALANCE
    return RankingCommand(request_id, portfolio_id, PLAN.plan_id, 1, ordering, bundled_parameters(), "greedy")


def prepare(workspace) -> None:
    """Store book and plan."""
    workspace.books.save_plan(PLAN, None)
    workspace.books.import_portfolio(PORTFOLIO_ID, raw())
