"""The day on which each cell's block lifts, asked of all cells at once, is what is told of one."""

from __future__ import annotations

from datetime import date

import numpy as np

from collections_opt.application.settings import bundled_plan, bundled_rules
from collections_opt.core.accounts.admission import admit
from collections_opt.core.rules.eligibility import evaluate, lifts_on
from collections_opt.core.rules.lifting import lift_days
from tests.support.factories import raw_portfolio, text


def test_every_cell_lifts_on_the_day_that_is_told_of_it():
    rng, count = np.random.default_rng(4), 400
    places = np.array(["US-MA", "US-NY", "AU", "GR", "RU", "TH", "CA-ON", "TW", "GB", ""], dtype=object)
    raw = raw_portfolio(
        account_id=text([f"a{at:03d}" for at in range(count)]),
        state=rng.choice(places, count),
        time_zone=rng.choice(np.array(["Asia/Kolkata", "America/New_York", "Australia/Sydney"], dtype=object), count),
        days_past_due=rng.integers(0, 60, count),
        calls_last_7_days_count=rng.integers(0, 9, count),
        attempts_last_7_days_count=rng.integers(0, 9, count),
        attempts_this_month_count=rng.integers(0, 12, count),
        days_since_conversation=rng.integers(1, 12, count),
        cease=rng.random(count) < 0.1,
    )
    for day in (date(2026, 11, 28), date(2026, 12, 25)):  # a Saturday, and a feast of many places
        portfolio = admit(type(raw)(**{**vars(raw), "as_of_date": day})).portfolio
        found = evaluate(portfolio, bundled_plan(), bundled_rules())
        days = lift_days(found, portfolio)
        told = [[lifts_on(found, portfolio, row, queue) for queue in range(days.shape[1])] for row in range(count)]
        assert days.tolist() == told
        assert sum(one is not None for row in told for one in row) > 300
        assert any(found.legend[code - 1].by_hours for code in np.unique(found.blocked_by).tolist() if code)
