"""The bundled book of August 2005 ranked, and matured by what its accounts did in September; and a month of a downturn."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np

from collections_opt.core.day.event_columns import day_number
from collections_opt.core.outcomes.terms import Outcome, OutcomeTerms, ProductTerms, ToldOutcomes
from collections_opt.core.problem.assignment import ignore_progress
from collections_opt.core.ranking.purpose import RankingPurpose
from collections_opt.core.value.outcomes import CURE, DEFAULT
from collections_opt.datasets.credit_card import PORTFOLIO_MONTH, load_accounts, snapshot
from tests.support.books.bundled_portfolio import BUNDLED_PORTFOLIO_ID, command_for, import_bundled

TERMS = OutcomeTerms({"CREDIT_CARD": ProductTerms(30, 120)}, grace_days=7)


DOWNTURN, DOWNTURN_DAY, EVERY = "downturn-2006-02", date(2006, 2, 28), 10


def bundled(workspace):
    """Import and rank the book, tell what became of its accounts by the end of September, and let it mature."""
    book = import_bundled(workspace)
    ranking_id = workspace.rank(command_for(), ignore_progress).ranking_id
    shot = snapshot(load_accounts(), PORTFOLIO_MONTH)
    told = _told(shot, _outcomes(shot), date.fromisoformat(book.as_of_date))
    workspace.monitors.maturities.record_file(BUNDLED_PORTFOLIO_ID, told, "statement of September 2005")
    workspace.monitors.mature([ranking_id], TERMS)
    return ranking_id


def bundled_and_downturn(workspace):
    """Do the same, after a month in which the lender's accounts went bad; return the ranking of the book.

    A third of the accounts stand half a year later as they stood in August, and every tenth of those that neither cured nor
    defaulted in September is told to have defaulted: the service finds by itself what that makes of its model.
    """
    shot = snapshot(load_accounts(), PORTFOLIO_MONTH)
    columns = {name: column[::3] for name, column in shot.raw.columns.items()}
    workspace.books.import_portfolio(DOWNTURN, replace(shot.raw, as_of_date=DOWNTURN_DAY, columns=columns))
    changes = {"portfolio_id": DOWNTURN, "purpose": RankingPurpose.ANALYSIS, "solver": "greedy"}
    ranking_id = workspace.rank(command_for(**changes), ignore_progress).ranking_id
    kinds = _outcomes(shot)
    kinds[np.flatnonzero(kinds == Outcome.STAYED)[::EVERY]] = Outcome.DEFAULTED
    told = _told(shot, kinds, DOWNTURN_DAY, slice(None, None, 3))
    workspace.monitors.maturities.record_file(DOWNTURN, told, "statement of March 2006")
    workspace.monitors.mature([ranking_id], TERMS)
    return bundled(workspace)


def _outcomes(shot):
    kinds = np.select([shot.outcome == CURE, shot.outcome == DEFAULT], [Outcome.CURED, Outcome.DEFAULTED], Outcome.STAYED)
    return kinds.astype(np.int64)


def _told(shot, kinds, as_of_date, rows=slice(None)):
    account_id = np.array(shot.raw.columns["account_id"].tolist(), dtype="S")[rows]
    day = np.full(account_id.size, day_number(as_of_date) + 30)
    return ToldOutcomes(account_id, kinds[rows], day, shot.cash_minor[rows])
