"""Rank the bundled portfolio in every order and compare with what happened."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from collections_opt.application.rankings import RankingCommand
from collections_opt.application.settings import bundled_parameters, bundled_plan
from collections_opt.application.workspace import Workspace
from collections_opt.core.assignment import SolveProgress
from collections_opt.core.comparison import OrderingOutcome
from collections_opt.core.ordering import Ordering
from collections_opt.datasets.credit_card import PORTFOLIO_MONTH, load_accounts, snapshot
from collections_opt.ledger.records import PortfolioRecord, RankingRecord

BUNDLED_PORTFOLIO_ID = "uci-2005-08"
_NAMESPACE = uuid.UUID("6f1d1c1e-2a55-4d0e-9a7e-6d3c0b8f2005")


@dataclass(frozen=True)
class BundledComparison:
    """The portfolio, one ranking per order (expected value first) and their comparison."""

    portfolio: PortfolioRecord
    rankings: tuple[RankingRecord, ...]
    outcomes: tuple[OrderingOutcome, ...]


def import_bundled(workspace: Workspace) -> PortfolioRecord:
    """Import the August snapshot; importing it again is free."""
    return workspace.books.import_portfolio(BUNDLED_PORTFOLIO_ID, snapshot(load_accounts(), PORTFOLIO_MONTH).raw)


def compare_bundled(workspace: Workspace, seed: int, progress: Callable[[SolveProgress], None]) -> BundledComparison:
    """Rank the August snapshot in every order under the latest bundled plan, and compare with September's cash, cures and rolls.

    Request ids follow from plan version, model and seed, so that a second run finds the rankings of the first.
    """
    record = import_bundled(workspace)
    plan_id = bundled_plan().plan_id
    version = workspace.books.plan(plan_id)[1].version
    made = []
    for index, ordering in enumerate(Ordering):
        name = f"{record.digest}/{plan_id}/{version}/{workspace.scorer.artifact.digest}/{seed}/{ordering}"
        command = RankingCommand(
            request_id=str(uuid.uuid5(_NAMESPACE, name)),
            portfolio_id=record.portfolio_id,
            plan_id=plan_id,
            plan_version=version,
            ordering=ordering,
            parameters=bundled_parameters(),
            seed=seed,
        )
        made.append(workspace.rank(command, lambda _: None))
        progress(SolveProgress(ordering.value, (index + 1) / (len(Ordering) + 1)))
    realised = snapshot(load_accounts(), PORTFOLIO_MONTH).realised_for(workspace.rankings.portfolio(record.portfolio_id))
    outcomes = workspace.rankings.compare([m.ranking_id for m in made], realised, seed)
    progress(SolveProgress("compared", 1.0))
    return BundledComparison(record, tuple(made), tuple(outcomes))
