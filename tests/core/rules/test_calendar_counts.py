"""Caps by day and by calendar month: made and planned counts, a count that is not sent blocks, the first of a month lifts."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from collections_opt.application.settings import bundled_rules
from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.schema import CALENDAR
from collections_opt.core.rules.eligibility import evaluate, next_eligible_date
from collections_opt.core.rules.tables import Rule, RuleKind, RuleScope, RuleTable
from tests.support.factories import plan, queue, raw_portfolio, text

MONTHLY = Rule(
    "monthly",
    1,
    RuleKind.BUDGET,
    "attempts_this_month_count",
    date(2000, 1, 1),
    threshold=3,
    next_eligible_days=31,
    scope=RuleScope.PERSON,
)
COUNTS = ("calls_last_7_days_count", "attempts_last_7_days_count", *(name for name, _ in CALENDAR))
CAPPED = {
    "AU": ("attempts_this_month_count", 10),
    "RU": ("calls_this_month_count", 8),
    "TH": ("attempts_today_count", 1),
    "CO": ("attempts_today_count", 1),
    "GR": ("calls_last_2_days_count", 1),
    "IE": ("attempts_this_month_count", 3),
}


@pytest.mark.parametrize("place", CAPPED)
@pytest.mark.parametrize("over", [False, True])
def test_a_cap_of_a_place_blocks_beyond_it_and_where_its_count_is_not_sent(place, over):
    column, most = CAPPED[place]
    columns = {name: np.zeros(1, dtype=np.int64) for name in COUNTS}
    columns[column] = np.array([most if over else most - 1])
    raw = raw_portfolio(
        account_id=text(["a"]), state=text([{"CO": "CO-ANT"}.get(place, place)]), days_past_due=np.array([40]), **columns
    )
    raw = replace(raw, columns={**raw.columns, "days_since_conversation": np.array([90])})
    found = evaluate(admit(raw).portfolio, plan(queue("calls", attempts=1.0)), bundled_rules())
    reason = found.reason(0, 0)
    assert (reason is not None) == over
    without = replace(raw, columns={name: held for name, held in raw.columns.items() if name != column})
    unknown = evaluate(admit(without).portfolio, plan(queue("calls", attempts=1.0)), bundled_rules()).reason(0, 0)
    assert unknown is not None
    assert unknown.rule_id.startswith(place.lower())


@pytest.mark.parametrize("day", [date(2026, 1, 31), date(2026, 2, 1), date(2024, 2, 29), date(2026, 12, 31), date(2026, 4, 30)])
def test_a_count_of_the_month_lifts_on_the_first_of_the_next(day):
    raw = raw_portfolio(account_id=text(["a"]), attempts_this_month_count=np.array([3]))
    portfolio = admit(replace(raw, as_of_date=day)).portfolio
    reason = evaluate(portfolio, plan(queue("q")), RuleTable("t", (MONTHLY,), True)).reason(0, 0)
    lifts = next_eligible_date(reason, portfolio, 0)
    assert lifts.day == 1
    assert lifts > day
    assert (lifts - timedelta(days=1)).month == day.month


def test_counts_of_all_debts_of_a_person_add_up_and_attempts_shrink_to_what_is_left():
    raw = raw_portfolio(
        account_id=text(["a", "b", "c"]), customer_id=text(["p", "p", "s"]), attempts_this_month_count=np.array([1, 1, 0])
    )
    desk = plan(queue("calls", attempts=3.0, attempts_may_shrink=True))
    found = evaluate(admit(raw).portfolio, desk, RuleTable("t", (MONTHLY,), True))
    assert found.attempts[:, 0].tolist() == [1, 1, 0]
    assert found.allowed(slice(None)).all()


def test_portfolios_without_the_counts_hold_what_they_held():
    portfolio = admit(raw_portfolio(account_id=text(["a"]))).portfolio
    assert not set(portfolio.columns) & {name for name, _ in CALENDAR}
