"""The example of a queue for each part of the day: its minutes are kept apart, and each takes whom the law lets it call then."""

import numpy as np

from collections_opt.application.settings import bundled_rules
from collections_opt.core.accounts.admission import admit
from collections_opt.core.desk.plan_checks import check_plan
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.rules.eligibility import evaluate
from collections_opt.datasets.files.mappings import FileMapping
from collections_opt.datasets.files.portfolio_files import read_portfolio
from collections_opt.datasets.settings_files import read_settings
from tests.support.scripts.processes import ROOT

EXAMPLES = ROOT / "examples"


def test_each_part_of_the_day_has_its_own_minutes_and_its_own_window_of_each_account():
    plan = read_settings(EXAMPLES / "plan_by_window.toml", CapacityPlan)
    check_plan(plan)
    morning, evening = plan.queues
    assert morning.capacity_seconds < evening.capacity_seconds
    portfolio = admit(read_portfolio(EXAMPLES / "book.csv", read_settings(EXAMPLES / "book.toml", FileMapping)).raw).portfolio
    found = evaluate(portfolio, plan, bundled_rules())
    zones = portfolio.column("time_zone")
    seen = {}
    for row in np.flatnonzero(found.allowed(slice(None)).all(axis=1)):
        seen.setdefault(zones[row].decode(), {found.call_window(row, queue) for queue in (0, 1)})
    chicago, coast = seen["America/Chicago"], seen["America/Los_Angeles"]
    assert chicago == {(8 * 60, 12 * 60), (17 * 60, 20 * 60)}
    assert coast == {(10 * 60, 12 * 60), (17 * 60, 20 * 60)}  # eight o'clock there is ten here
