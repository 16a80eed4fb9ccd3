"""Books that were worked against the law once: what the shipped rules say of each row now."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from collections_opt.application.settings import bundled_rules
from collections_opt.core.accounts.admission import admit
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.rules.eligibility import evaluate, next_eligible_date
from collections_opt.datasets.files.mappings import FileMapping
from collections_opt.datasets.files.portfolio_files import read_portfolio
from collections_opt.datasets.settings_files import read_settings

REPORTS = Path(__file__).parent.parent / "data" / "field_reports"


@pytest.fixture(scope="module")
def desk():
    return read_settings(REPORTS / "big_plan.toml", CapacityPlan)


def judged(name, desk, table=None):
    """Return the accounts of a report that the calls queue may work, and of the others the date of lifting."""
    mapping = read_settings(REPORTS / f"{name}.toml", FileMapping)
    portfolio = admit(read_portfolio(REPORTS / f"{name}.csv", mapping).raw).portfolio
    found = evaluate(portfolio, desk, table or bundled_rules())
    queue = desk.queue_index("calls")
    reasons = [found.reason(row, queue) for row in range(portfolio.account_count)]
    ids = [account.decode() for account in portfolio.column("account_id").tolist()]
    free = {name for name, reason in zip(ids, reasons, strict=True) if reason is None}
    lifts = {
        name: next_eligible_date(reason, portfolio, row)
        for row, (name, reason) in enumerate(zip(ids, reasons, strict=True))
        if reason is not None
    }
    return free, lifts


def test_budgets_states_and_persons_of_the_legal_report(desk):
    free, lifts = judged("legal", desk)
    assert free == set()
    assert lifts["talk-day-6"] == date(2026, 11, 26)


def test_a_conversation_blocks_days_one_to_seven(desk):
    """The report sends no counts of calls, which the federal budget does not let pass; here the wait is asked alone."""
    assert judged("a3_conversation", desk)[0] == set()
    table = bundled_rules()
    wait = replace(table, rules=tuple(rule for rule in table.rules if rule.rule_id == "us-conversation-wait"))
    free, lifts = judged("a3_conversation", desk, wait)
    assert free == {"seven-days-ago", "eight-days-ago"}
    assert lifts == {"today": date(2026, 12, 1), "six-days-ago": date(2026, 11, 25)}


def test_a_person_who_is_deceased_or_represented_is_so_on_every_debt(desk):
    free, _ = judged("a6_person", desk)
    assert not free & {"loan", "loan2"}
