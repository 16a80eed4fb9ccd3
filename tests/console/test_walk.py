"""A walk over the bundled accounts, as a manager, an analyst and a validator take it; the pictures come from here."""

from __future__ import annotations

import pytest

from tests.support.console.browser import Looker, driven, why_not
from tests.support.console.desk import shown
from tests.support.console.matured import DOWNTURN, bundled_and_downturn

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "runs")


@pytest.fixture(scope="module")
def browser():
    with driven() as made:
        yield made


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    with shown(tmp_path_factory.mktemp("bundled"), fill=bundled_and_downturn) as made:
        yield made


@pytest.fixture
def person(browser, desk):
    """Sign in somebody in a role; the browser must have complained of nothing."""
    lookers = []

    def signed_in(role, name, width=1280, scheme="light"):
        lookers.append(Looker(browser, desk.url, width, scheme))
        lookers[-1].sign_in(desk.token(role, name=name))
        return lookers[-1]

    yield signed_in
    assert [looker.complaints for looker in lookers] == [[] for _ in lookers]
    for looker in lookers:
        looker.context.close()


def test_a_manager_sees_today_and_re_solves_at_noon_without_two_agents(person, desk):
    ann = person("OPERATIONS_MANAGER", "ann")
    assert "TWD" in ann.page.inner_text("main p >> nth=0")
    ann.picture("console-today")
    ann.go(f"what-if?ranking={desk.ranking_id}")
    ann.page.fill("[aria-label='sick in late-calls']", "2")
    ann.page.fill("[aria-label='agents of early-calls who work elsewhere']", "1")
    ann.page.select_option("[aria-label='queue that agents of early-calls work']", "late-calls")
    ann.page.fill("[name=note]", "flu")
    ann.press("button[value=see]")
    told = ann.page.inner_text("section.note h2")
    assert "agent-hours fewer: costs" in told
    assert "TWD" in told
    ann.picture("console-what-if")
    ann.press("button[value=store]")
    assert "Stored as change 1, 2" in ann.text()
    ann.picture("console-stored")
    ann.press("button[value=rank]")
    assert "is in force" in ann.text()
    ann.picture("console-ranked-again")
    ann.press("section.note a")
    assert "version 2" in ann.text()


def test_an_analyst_finds_whom_the_order_of_probabilities_would_have_left_out(person, desk):
    bob = person("ANALYST", "bob")
    bob.go(f"orders?ranking={desk.ranking_id}")
    bob.press("button[value=rank]")
    assert "than" in bob.page.inner_text("h2 >> nth=0")
    assert "they paid" in bob.text().lower()
    assert "of what all paid" in bob.text()
    assert bob.cut() <= 0
    bob.picture("console-orders")
    bob.press("[aria-label='Who enters and leaves under p_cure']")
    bob.page.select_option("[name=change]", "leaves")
    bob.press("text=Filter")
    assert "priced out" in bob.text()
    paid = bob.page.inner_text("tbody tr >> nth=0 >> td >> nth=-1")
    assert paid.endswith("TWD")
    assert bob.cut() <= 0
    bob.picture("console-accounts")
    bob.press("main table button >> nth=0")
    assert "worked here" in bob.text()
    bob.picture("console-account")


def test_a_validator_sees_that_default_has_left_its_band_and_who_must_act(person, desk):
    """What the service found of a ranking that matured in a downturn with more defaults than its model predicted."""
    found = next(one for one in desk.workspace.monitors.all() if one.portfolio_id == DOWNTURN)
    cell = next(cell for cell in found.cells if cell.key == ("all", "", "default"))
    assert cell.alarm
    assert cell.predicted < cell.realised.low
    val = person("MODEL_VALIDATOR", "val")
    val.go("models")
    told = val.page.inner_text("[role=alert]")
    assert f"{sum(cell.alarm for cell in found.cells)} alarms" in told
    shown = (cell.predicted, cell.realised.value, cell.realised.low, cell.realised.high)
    ranged = "{} predicted, {} [{} to {}] realised".format(*(f"{100 * value:.1f}%" for value in shown))
    assert f"Default of all on {found.as_of_date}: {ranged}." in told
    assert f"{found.model_version}: validator " in told
    assert val.page.locator("[role=alert]").bounding_box()["y"] < 400  # within the first screen
    assert val.cut() <= 0
    assert val.barriers() == []
    val.picture("console-models")


def test_an_auditor_sees_who_did_what(person):
    eve = person("AUDITOR", "eve", 390, "dark")
    eve.go("evidence")
    assert "Yes." in eve.text()
    assert "recorded ranking" in eve.text()
    assert eve.cut() <= 0
    eve.picture("console-evidence-phone")
