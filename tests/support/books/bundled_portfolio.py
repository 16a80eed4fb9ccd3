"""The bundled portfolio in a workspace, imported and ranked without a network; loads nothing that trains."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.settings import bundled_parameters
from collections_opt.application.workspace import Workspace
from collections_opt.core.problem.assignment import ignore_progress
from collections_opt.core.problem.constraints import RankingConstraints
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.datasets.credit_card import PORTFOLIO_MONTH, load_accounts, snapshot
from collections_opt.ledger.records import PortfolioRecord

MODELS = Path(__file__).parents[3] / "models"
NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
BUNDLED_PORTFOLIO_ID = "uci-2005-08"


def import_bundled(workspace: Workspace) -> PortfolioRecord:
    """Import the August snapshot; importing it again is free."""
    return workspace.books.import_portfolio(BUNDLED_PORTFOLIO_ID, snapshot(load_accounts(), PORTFOLIO_MONTH).raw)


def rank_bundled(workspace, **changes):
    """Rank the bundled accounts and return the record."""
    fields = {"ordering": Ordering.EXPECTED_VALUE, "solver": "greedy", **changes}
    command = RankingCommand(
        request_id=str(uuid.uuid4()),
        portfolio_id=BUNDLED_PORTFOLIO_ID,
        plan_id="credit-card-desk",
        plan_version=1,
        parameters=bundled_parameters(),
        **fields,
    )
    return workspace.rank(command, ignore_progress).record


def command_for(constraints=None, **changes):
    """Return the command to rank the bundled accounts by expected value, under an id of its own."""
    base = RankingCommand(
        str(uuid.uuid4()),
        BUNDLED_PORTFOLIO_ID,
        "credit-card-desk",
        1,
        Ordering.EXPECTED_VALUE,
        bundled_parameters(),
        constraints=constraints or RankingConstraints(),
    )
    return replace(base, **changes)
