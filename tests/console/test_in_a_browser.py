"""The console in Debian's Chromium: nothing cut, no barrier, no complaint of the browser, and each page's main task."""

from __future__ import annotations

import pytest

from collections_opt.console.pages import PAGES
from tests.support.console.browser import WIDTHS, Looker, driven, why_not
from tests.support.console.desk import HOSTILE, LONG, shown

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "runs")
PATHS = [path for path, _ in PAGES]


@pytest.fixture(scope="module")
def browser():
    with driven() as made:
        yield made


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    with shown(tmp_path_factory.mktemp("desk")) as made:
        yield made


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    with shown(tmp_path_factory.mktemp("empty"), ranked=False) as made:
        yield made


@pytest.fixture(params=WIDTHS)
def ann(request, browser, desk):
    """A person at a screen of each width, who ends without complaints of the browser."""
    looker = Looker(browser, desk.url, request.param)
    looker.sign_in(desk.token())
    yield looker
    assert looker.complaints == []
    looker.context.close()


def sound(looker):
    assert looker.cut() <= 0
    assert looker.barriers() == []


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_whole_and_open_to_all(ann, path):
    ann.go(path[1:])
    assert ann.page.title().startswith(dict(PAGES)[path])
    sound(ann)
    ann.picture(f"console-{path[1:]}-{ann.page.viewport_size['width']}")


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_whole_in_the_dark_and_on_an_empty_day(browser, empty, path):
    for width in WIDTHS:
        looker = Looker(browser, empty.url, width, "dark")
        looker.sign_in(empty.token())
        looker.go(path[1:])
        sound(looker)
        assert "nothing to show" not in looker.page.title()
        assert looker.complaints in ([], [looker.complaints[0]] if "404" in "".join(looker.complaints) else [])
        looker.context.close()


def test_the_sign_in_is_whole(browser, desk, empty):
    for width in WIDTHS:
        looker = Looker(browser, desk.url, width)
        looker.go("sign-in")
        sound(looker)
        looker.context.close()


def test_today_says_first_what_its_money_rests_on(ann):
    ann.go("today")
    lead = ann.page.inner_text("main p >> nth=0")
    assert "ASSUMED" in lead
    assert "JPY" in lead
    assert "." not in lead.split("JPY")[0].rsplit(" ", 2)[1]  # yen have no decimals
    assert "worst calibrated" in ann.text()
    assert LONG in ann.text()
    assert "left to work" in ann.text().lower()


def test_an_account_is_found_by_keyboard_alone(ann):
    ann.go("account")
    ann.page.keyboard.press("Tab")
    assert ann.page.evaluate("document.activeElement.textContent") == "To the content"
    while ann.page.evaluate("document.activeElement.name") != "account":
        ann.page.keyboard.press("Tab")
    ann.page.keyboard.type("a003")
    ann.page.keyboard.press("Enter")
    ann.page.wait_for_selector("h2:has-text('a003')")
    assert "a003" not in ann.page.url
    assert "Why here, why not there" in ann.text()
    sound(ann)
    ann.picture(f"console-account-found-{ann.page.viewport_size['width']}")


def test_a_hostile_id_does_nothing(ann):
    ann.go("account")
    ann.page.fill("[name=account]", HOSTILE.replace("\u202e", "") + "\u202e")
    ann.page.click("main button")
    assert ann.page.title().startswith("Account")
    assert ann.page.locator("main img").count() == 0
    assert "<img src=x" in ann.text()
    sound(ann)


def test_the_log_is_whole_and_a_record_holds(ann):
    ann.go("evidence")
    assert "Yes." in ann.text()
    ann.page.click("text=Verify >> nth=0")
    ann.page.wait_for_selector("text=It holds")
    sound(ann)


def test_a_page_that_is_cut_would_be_noticed(ann):
    ann.go("today")
    ann.page.evaluate(
        "document.querySelector('main p').style.width = '3000px'; document.querySelector('main p').style.maxWidth = 'none'"
    )
    assert ann.cut() > 0
    ann.page.evaluate("document.querySelector('nav a').removeAttribute('href'); document.documentElement.lang = ''")
    assert ann.barriers()
