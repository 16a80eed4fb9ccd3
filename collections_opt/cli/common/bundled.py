"""The bundled portfolio as any portfolio: a file with a mapping, imported through the API, and what really happened next."""

from __future__ import annotations

from importlib import resources

import numpy as np

from collections_opt.api.v1 import portfolio_service_pb2
from collections_opt.client.client import Client
from collections_opt.client.portfolios import import_portfolio
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.evaluation.known_outcomes import KnownOutcomes
from collections_opt.core.problem.assignment import ProgressCallback, ignore_progress
from collections_opt.core.value.outcomes import CURE
from collections_opt.datasets.credit_card import PORTFOLIO_MONTH, load_accounts, snapshot
from collections_opt.datasets.files.mappings import FileMapping
from collections_opt.datasets.files.portfolio_files import FileReading, read_portfolio
from collections_opt.datasets.settings_files import read_bundled_settings

BUNDLED_PORTFOLIO = "uci-2005-08"
BUNDLED_PLAN = "credit-card-desk"


def read_bundled() -> FileReading:
    """Return the August 2005 accounts two or more months past due, read from the bundled file by its mapping."""
    mapping = read_bundled_settings("mappings/credit_card.toml", FileMapping)
    folder = resources.files("collections_opt.datasets").joinpath("bundled/uci_credit_card")
    with resources.as_file(folder.joinpath("uci_credit_card_default.parquet")) as path:
        return read_portfolio(path, mapping)


def bundled_outcomes() -> KnownOutcomes:
    """Return what these accounts did in September 2005."""
    shot = snapshot(load_accounts(), PORTFOLIO_MONTH)
    ids = np.array(shot.raw.columns["account_id"].tolist(), dtype="S")
    return KnownOutcomes(ids, shot.cash_minor, shot.outcome == CURE, shot.rolled_worse)


def ensure_portfolio(
    client: Client, portfolio_id: str, progress: ProgressCallback = ignore_progress
) -> portfolio_service_pb2.Portfolio:
    """Return a portfolio's header; the bundled one is imported where it is missing.

    Raises:
        CollectionsError: NOT_FOUND for any other portfolio that was not imported.
    """
    try:
        request = portfolio_service_pb2.GetPortfolioRequest(portfolio_id=portfolio_id)
        return client.portfolios.GetPortfolio(request).portfolio
    except CollectionsError as error:
        if error.reason is not Reason.NOT_FOUND or portfolio_id != BUNDLED_PORTFOLIO:
            raise
    return import_portfolio(client, BUNDLED_PORTFOLIO, read_bundled().raw, progress=progress)
