"""The bundled book of August 2005 ranked, and matured by what its accounts did in September."""

from __future__ import annotations

from datetime import date

import numpy as np

from collections_opt.core.day.event_columns import day_number
from collections_opt.core.outcomes.terms import Outcome, OutcomeTerms, ProductTerms, ToldOutcomes
from collections_opt.core.problem.assignment import ignore_progress
from collections_opt.core.value.outcomes import CURE, DEFAULT
from collections_opt.datasets.credit_card import PORTFOLIO_MONTH, load_accounts, snapshot
from tests.support.books.bundled_portfolio import BUNDLED_PORTFOLIO_ID, command_for, import_bundled

TERMS = OutcomeTerms({"CREDIT_CARD": ProductTerms(30, 120)}, grace_days=7)


def bundled(workspace):
    """Import and rank the book, tell what became of its accounts by the end of September, and let it mature."""
    book = import_bundled(workspace)
    ranking_id = workspace.rank(command_for(), ignore_progress).ranking_id
    shot = snapshot(load_accounts(), PORTFOLIO_MONTH)
    kinds = np.select([shot.outcome == CURE, shot.outcome == DEFAULT], [Outcome.CURED, Outcome.DEFAULTED], Outcome.STAYED)
    day = np.full(kinds.size, day_number(date.fromisoformat(book.as_of_date)) + 30)
    told = ToldOutcomes(
        np.array(shot.raw.columns["account_id"].tolist(), dtype="S"), kinds.astype(np.int64), day, shot.cash_minor
    )
    workspace.monitors.maturities.record_file(BUNDLED_PORTFOLIO_ID, told, "statement of September 2005")
    workspace.monitors.mature([ranking_id], TERMS)
    return ranking_id
