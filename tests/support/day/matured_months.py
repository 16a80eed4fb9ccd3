"""Months of a desk: books that are ranked for analysis, and outcomes drawn from what was predicted, or from a change of it."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np

from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.settings import bundled_parameters
from collections_opt.core.day.event_columns import day_number
from collections_opt.core.outcomes.terms import Outcome, OutcomeTerms, ProductTerms, ToldOutcomes
from collections_opt.core.problem.assignment import ignore_progress
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.purpose import RankingPurpose
from tests.support.day.day_worlds import desk_plan, rows

COUNT = 3_000
FIRST = date(2026, 1, 5)
TERMS = OutcomeTerms({"": ProductTerms(20, 120)})
LATE = datetime(2026, 11, 24, 12, tzinfo=UTC)


def ranked(workspace, number, day):
    """Rank a book of a day, and return the ranking's id."""
    raw = rows(COUNT)
    late = np.random.default_rng(number).integers(30, 119, COUNT)
    raw = replace(raw, as_of_date=day, columns={**raw.columns, "days_past_due": late})
    workspace.books.import_portfolio(f"book-{number}", raw)
    command = RankingCommand(
        str(uuid.UUID(int=number, version=4)),
        f"book-{number}",
        "calls-desk",
        1,
        Ordering.EXPECTED_VALUE,
        bundled_parameters(),
        "greedy",
        purpose=RankingPurpose.ANALYSIS,
    )
    return workspace.rank(command, ignore_progress).ranking_id


def month(number):
    """Return the day of a month."""
    return FIRST + timedelta(days=30 * (number - 1))


def save_desk(workspace, agents=20.0):
    """Store the plan of the desk."""
    made = desk_plan()
    queues = (replace(made.queues[0], agents=agents), *made.queues[1:])
    made = replace(made, queues=queues, plan_id="calls-desk", effective_from=date(2026, 1, 1))
    workspace.books.save_plan(made, None)


def tell(workspace, number, change=lambda default: default, left=0.0):
    """Draw outcomes from what a ranking recorded, defaults from a change of it, and tell them; return the ranking's id."""
    record = next(r for r in workspace.ledger.rankings.before(None, 10) if r.portfolio_id == f"book-{number}")
    opened = workspace.recorded.opened(record)
    rng = np.random.default_rng(100 + number)
    p = opened.outcomes().probability
    default = np.clip(change(p[:, 1]), 0.0, 1.0)
    draw = rng.random(COUNT)
    outcome = np.where(draw < default, Outcome.DEFAULTED, np.where(draw < default + p[:, 0], Outcome.CURED, Outcome.STAYED))
    outcome = np.where(rng.random(COUNT) < left, Outcome.SOLD, outcome).astype(np.int64)
    day = day_number(opened.portfolio.as_of_date) + np.where(outcome == Outcome.STAYED, 20, 10)
    cash = rng.integers(1, 50_000, COUNT)
    told = ToldOutcomes(opened.entries.account_id, outcome, day, cash)
    workspace.monitors.maturities.record_file(f"book-{number}", told, "a file")
    return record.ranking_id
