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


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_whole_in_the_dark_and_on_an_empty_day(browser, empty, path):
    for width in WIDTHS:
        looker = Looker(browser, empty.url, width, "dark")
        looker.sign_in(empty.token())
        looker.go(path[1:])
        sound(looker)
        assert [told for told in looker.complaints if "404" not in told] == []  # there is no ranking: the page says so
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


def test_a_manager_marks_who_is_sick_moves_one_sees_the_money_stores_it_and_ranks_again(ann, desk):
    """In three steps: fill in, see, store; then the day is ranked again, and the change is taken back."""
    page = ann.page
    ann.go(f"what-if?ranking={desk.ranking_id}")
    page.fill("[aria-label='sick in calls']", "2")
    page.fill("[aria-label='agents of calls who work elsewhere']", "1")
    page.select_option("[aria-label='queue that agents of calls work']", "care")
    page.fill("[name=note]", "flu")
    ann.press("button[value=see]")
    assert "agent-hours fewer" in ann.text()
    assert "JPY" in page.inner_text("section.note h2")
    assert "Nothing is stored yet" in ann.text()
    sound(ann)
    ann.press("button[value=store]")
    page.wait_for_selector("text=Stored as change")
    assert page.input_value("[aria-label='sick in calls']") == ""  # asked again, it would count twice
    sound(ann)
    ann.press("button[value=rank]")
    page.wait_for_selector("text=is in force")
    sound(ann)
    assert page.inner_text("section.note a") != desk.ranking_id
    while page.locator("button[value=back]").count():
        ann.press("button[value=back] >> nth=0")
        assert "was taken back" in ann.text()
    assert "None from" in ann.text()


def test_a_desk_is_saved_as_its_next_version_with_why(ann, desk):
    page = ann.page
    ann.go(f"what-if?ranking={desk.ranking_id}")
    page.fill("[aria-label='agents of care']", "7" if page.viewport_size["width"] == WIDTHS[0] else "8")
    page.fill("[name=note]", "two more, =1+1")
    page.fill("[name=effective_from]", "2027-01-04")
    ann.press("button[value=save]")
    page.wait_for_selector("text=Stored as version")
    assert "in force from 2027-01-04" in ann.text()
    ann.go("evidence")
    assert "two more, =1+1" in ann.text()


def test_a_form_that_says_nothing_or_nonsense_is_refused_in_words(ann, desk):
    page = ann.page
    ann.go(f"what-if?ranking={desk.ranking_id}")
    ann.press("button[value=see]")
    assert "changes nothing" in ann.text()
    page.fill("[aria-label='sick in calls']", "99999")
    ann.press("button[value=see]")
    assert page.locator("[role=alert]").count()
    assert page.input_value("[aria-label='sick in calls']") == "99999"
    sound(ann)


def test_a_curve_shows_where_today_is(ann, desk):
    ann.go(f"what-if?ranking={desk.ranking_id}")
    ann.page.select_option("[name=curve_queue]", "calls")
    ann.press("button[value=curve]")
    ann.page.wait_for_selector("svg.curve circle.today")
    assert "100.0%, today" in ann.text()
    sound(ann)


def test_an_analyst_finds_whom_another_order_would_have_left_out(ann, desk):
    page = ann.page
    ann.go(f"orders?ranking={desk.ranking_id}")
    if page.locator("button[value=rank]").count():
        ann.press("button[value=rank]")
        page.wait_for_selector("text=ranked for analysis")
    sound(ann)
    ann.press("[aria-label='Who enters and leaves under days past due']")
    page.wait_for_selector("text=that only one of both orders works")
    sound(ann)
    page.select_option("[name=change]", "leaves")
    ann.press("text=Filter")
    assert "enters" not in page.inner_text("tbody")
    with page.expect_download() as got:
        page.click("button[value=csv]")
    lines = got.value.path().read_text("utf-8").splitlines()
    assert "account_id" in lines[0]
    assert "currency_code" in lines[0]
    assert all('"leaves"' in line and '"JPY"' in line for line in lines[1:])


def test_an_import_shows_what_was_refused(ann):
    ann.go("data")
    ann.press("main table a >> nth=0")
    assert "came in" in ann.text()
    sound(ann)


def test_a_validator_sees_how_well_each_outcome_is_calibrated_the_worst_first(ann):
    ann.go("models")
    assert "worst calibrated" in ann.page.inner_text("main p >> nth=0")
    assert "95 % interval" in ann.page.inner_html("main")
    ann.press("main table a >> nth=0")
    assert "Its card" in ann.text()
    sound(ann)


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


def reach(looker, selector):
    """Press Tab until what is wanted has the focus; whoever has no pointer needs no more."""
    for _ in range(150):
        looker.page.keyboard.press("Tab")
        if looker.page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
            return
    raise AssertionError(f"{selector} is not reached by keyboard")


KEYBOARD = {
    "what-if": ([("[aria-label='sick in calls']", "2"), ("button[value=see]", "")], "agent-hours fewer"),
    "orders": ([("main button[aria-label^='Who enters'], main button[value=rank]", "")], "Orders"),
    "data": ([("main table a", "")], "came in"),
    "models": ([("main table a", "")], "Its card"),
    "evidence": ([("button[value=verify]", "")], "It holds"),
    "today": ([("nav a[href='/what-if']", "")], "People on these days"),
}
"""By page what is reached in turn and typed, and what the page then says; a button or link without a text is pressed."""


@pytest.mark.parametrize("path", KEYBOARD)
def test_the_main_task_of_each_page_is_done_by_keyboard_alone(ann, desk, path):
    steps, told = KEYBOARD[path]
    ann.go(f"{path}?ranking={desk.ranking_id}" if path in ("what-if", "orders", "today") else path)
    for selector, text in steps:
        reach(ann, selector)
        if text:
            ann.page.keyboard.type(text)
        else:
            with ann.page.expect_navigation(wait_until="load"):
                ann.page.keyboard.press("Enter")
    assert told in ann.text()


def test_a_hostile_id_does_nothing(ann):
    ann.go("account")
    ann.page.fill("[name=account]", HOSTILE.replace("\u202e", "") + "\u202e")
    ann.press("main button")
    assert ann.page.title().startswith("Account")
    assert ann.page.locator("main img").count() == 0
    assert "<img src=x" in ann.text()
    sound(ann)


def test_the_log_is_whole_and_a_record_holds(ann):
    ann.go("evidence")
    assert "Yes." in ann.text()
    ann.press("text=Verify >> nth=0")
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
