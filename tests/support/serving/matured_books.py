"""A small book of months ago, ranked to be worked and matured by a file: what MonitorService is asked about."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.settings import bundled_parameters
from collections_opt.core.day.event_columns import day_number
from collections_opt.core.outcomes.terms import Outcome, OutcomeTerms, ProductTerms, ToldOutcomes
from collections_opt.core.problem.assignment import ignore_progress
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.purpose import RankingPurpose
from tests.support.day.day_worlds import desk_plan, rows

BOOK, LATER = "matured-book", "matured-later"
OLD = date(2026, 9, 1)
TERMS = OutcomeTerms({"CREDIT_CARD": ProductTerms(30, 90)}, grace_days=7)


def book(count=12, day=OLD, **columns):
    """Return accounts of a day."""
    return replace(rows(count), as_of_date=day, columns={**rows(count).columns, **columns})


def told(account_id, outcomes, day=OLD + timedelta(days=20), cash=-1):
    """Return rows of a file about the first accounts."""
    count = len(outcomes)
    when, money = np.full(count, day_number(day)), np.full(count, cash)
    return ToldOutcomes(account_id[:count], np.array(outcomes, dtype=np.int64), when, money)


def rank_book(workspace, name=BOOK, count=12, number=77):
    """Import a book, rank it for analysis and return the ranking's id."""
    made = replace(desk_plan(), plan_id="matured-desk", effective_from=date(2026, 1, 1))
    if not any(plan.plan_id == made.plan_id for plan in workspace.ledger.plans.after("", 100)):
        workspace.books.save_plan(made, None)
    workspace.books.import_portfolio(name, book(count))
    command = RankingCommand(
        str(uuid.UUID(int=number, version=4)),
        name,
        made.plan_id,
        1,
        Ordering.EXPECTED_VALUE,
        bundled_parameters(),
        "greedy",
        purpose=RankingPurpose.ANALYSIS,
    )
    return workspace.rank(command, ignore_progress).ranking_id


def save_matured(workspace):
    """Rank the book, tell of some accounts, let it mature; return the ranking's id."""
    ranking_id = rank_book(workspace)
    workspace.books.import_portfolio(LATER, book(12, OLD + timedelta(days=33), days_past_due=np.full(12, 63)))
    ids = workspace.recorded.portfolio(BOOK).column("account_id")
    workspace.monitors.maturities.record_file(BOOK, told(ids, [Outcome.CURED, Outcome.SOLD], cash=700), "a file")
    workspace.monitors.mature([ranking_id], TERMS)
    return ranking_id
