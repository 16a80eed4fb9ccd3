"""The bundled portfolio in a workspace, without a network."""

from __future__ import annotations

from collections_opt.application.workspace import Workspace
from collections_opt.datasets.credit_card import PORTFOLIO_MONTH, load_accounts, snapshot
from collections_opt.ledger.records import PortfolioRecord

BUNDLED_PORTFOLIO_ID = "uci-2005-08"


def import_bundled(workspace: Workspace) -> PortfolioRecord:
    """Import the August snapshot; importing it again is free."""
    return workspace.books.import_portfolio(BUNDLED_PORTFOLIO_ID, snapshot(load_accounts(), PORTFOLIO_MONTH).raw)
