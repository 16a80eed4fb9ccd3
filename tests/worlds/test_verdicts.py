"""Promises over worlds are judged by figures alone: planted figures that break one are told as missed."""

import pytest

from harness.benchmarks.learning import policy_value
from harness.benchmarks.support.cases import Result
from harness.worlds.verdicts import PARTS, SHARES, Figures, learned_arm, percent, promises, spread

ARMS = [learned_arm(share, part) for share in SHARES for part, _ in PARTS]


def made(**changed):
    """Two worlds over two seeds in which every promise is kept, but for what is changed: (world, arm) to true money."""
    true = {
        "types": {"ORACLE": [100.0, 110.0], "REACHABLE": [60.0, 66.0], "ASSUMED": [50.0, 55.0], "BALANCE": [40.0, 44.0]},
        "nothing": {"ORACLE": [0.0, 0.0], "REACHABLE": [0.0, 0.0], "ASSUMED": [-10.0, -10.0], "BALANCE": [-10.0, -10.0]},
    }
    true["types"] |= {"AS_SHIPPED": [45.0, 50.0], **{arm: [59.0, 64.0] for arm in ARMS}}
    true["nothing"] |= {"AS_SHIPPED": [-9.0, -9.0], **{arm: [-8.0, -8.0] for arm in ARMS}}
    stated = {world: {arm: list(money) for arm, money in arms.items()} for world, arms in true.items()}
    for where, money in changed.get("true", {}).items():
        true[where[0]][where[1]] = money
    for where, money in changed.get("stated", {}).items():
        stated[where[0]][where[1]] = money
    low = {world: {arm: [one - 5.0 for one in money] for arm, money in arms.items()} for world, arms in true.items()}
    high = {world: {arm: [one + 5.0 for one in money] for arm, money in arms.items()} for world, arms in true.items()}
    for where, money in changed.get("high", {}).items():
        high[where[0]][where[1]] = money
    return Figures(true, stated, low, high, {"types": True, "nothing": False})


def missed(figures):
    return [promise.text for promise in promises(figures) if not promise.kept]


def test_all_is_kept_where_all_is_well():
    assert missed(made()) == []
    assert all(": kept (" in promise.sentence() for promise in promises(made()))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"true": {("types", "LEARNED 1% 1/16"): [48.0, 53.0]}}, "below ASSUMED"),
        ({"true": {("types", "BALANCE"): [61.0, 66.0]}}, "below BALANCE"),
        ({"true": {("types", "LEARNED 20% whole"): [56.0, 61.0]}}, "95% of what the columns"),
        ({"true": {("types", "LEARNED 5% whole"): [53.0, 58.0]}}, "90% of what the columns"),
        ({"true": {("nothing", "LEARNED 5% 1/4"): [-10.5, -10.5]}}, "loses at most 2 %"),
        ({"true": {("types", "AS_SHIPPED"): [39.0, 43.0]}}, "As shipped"),
        ({"stated": {("types", "LEARNED 5% whole"): [80.0, 85.0]}}, "Stated money"),
        ({"stated": {("nothing", "LEARNED 5% whole"): [40.0, 40.0]}}, "Stated money"),
        ({"high": {("types", "AS_SHIPPED"): [46.0, 49.0]}}, "range stated as shipped"),
        ({"high": {("nothing", "LEARNED 20% whole"): [-9.0, 0.0]}}, "range stated with 20%"),
    ],
)
def test_planted_figures_that_break_a_promise_are_told(changed, told):
    broken = missed(made(**changed))
    assert any(told in text for text in broken), broken


def test_the_worst_world_comes_first_and_one_seed_has_no_interval():
    assert made().worlds() == ["nothing", "types"]
    assert spread([1.0]).half == float("inf")
    assert spread([1.0, 3.0]).mean == 2.0


def result(name, **figures):
    return Result(name, 1, 1.0, (1.0, 1.0), 0, (), {key.replace("_", " ", 1): value for key, value in figures.items()})


def test_a_page_of_what_is_kept_says_what_it_rests_on_and_shows_no_interval_of_one_seed():
    learned = {f"{kind}_{arm}": 59.0 for arm in ARMS for kind in ("true", "stated", "low", "high")}
    sizes = {f"rows_{share:.0%}": 900 for share in SHARES} | {f"randomised_{share:.0%}": 45 for share in SHARES}
    orders = {f"true_{arm}": 50.0 for arm in (*policy_value.BASELINES, "ORACLE", "REACHABLE")}
    orders |= {f"{kind}_{arm}": 50.0 for arm in ("ASSUMED", "AS_SHIPPED") for kind in ("stated", "low", "high")}
    results = [
        result("reachable-types", accounts=9),
        result("orders-types-501", accounts=300, **orders),
        result("learning-types-501", **learned, **sizes),
    ]
    page = policy_value.report(results)
    assert page.tables[0].lines[0][:2] == ("types", "100.0")
    assert "1 of 6 seeds" in page.tables[0].note
    assert "Not run: segments, payday," in page.tables[0].note
    assert percent(spread([0.5])) == "50.0"
    assert percent(spread([0.5, 0.5])) == "50.0 ± 0.0"
