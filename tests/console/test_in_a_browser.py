"""The console in Debian's Chromium: nothing cut, no barrier, no complaint, and each page's main task by keyboard alone.

The walk of the pictures does the same tasks with a pointer.
"""

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


def signed_in(browser, where, width, scheme="light"):
    looker = Looker(browser, where.url, width, scheme)
    looker.sign_in(where.token())
    yield looker
    looker.context.close()


@pytest.fixture(scope="module", params=WIDTHS)
def person(request, browser, desk):
    """A person at a screen of each width, signed in once."""
    yield from signed_in(browser, desk, request.param)


@pytest.fixture
def ann(person):
    """The same, of whose page the browser has not complained when a test ends."""
    person.complaints.clear()
    yield person
    assert person.complaints == []


@pytest.fixture(scope="module", params=WIDTHS)
def early(request, browser, empty):
    """A person in the dark, before anything was ranked."""
    yield from signed_in(browser, empty, request.param, "dark")


def sound(looker):
    assert looker.cut() <= 0
    assert looker.barriers() == []


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_whole_and_open_to_all(ann, path):
    ann.go(path[1:])
    assert ann.page.title().startswith(dict(PAGES)[path])
    sound(ann)


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_whole_in_the_dark_and_on_an_empty_day(early, path):
    early.go(path[1:])
    sound(early)
    assert [told for told in early.complaints if "404" not in told] == []  # there is no ranking: the page says so


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
    ann.go("today")
    ann.page.keyboard.press("Tab")
    assert ann.page.evaluate("document.activeElement.textContent") == "To the content"
    ann.page.keyboard.press("Enter")
    assert ann.page.evaluate("document.activeElement.id") == "content"
    ann.enter("nav a[href='/what-if']")
    assert "People on these days" in ann.text()


def test_a_manager_marks_who_is_sick_moves_one_sees_the_money_stores_it_and_ranks_again(ann, desk):
    """In three steps: fill in, see, store; then the day is ranked again, and the change is taken back."""
    page = ann.page
    ann.go(f"what-if?ranking={desk.ranking_id}")
    ann.type("[aria-label='sick in calls']", "2")
    ann.type("[aria-label='agents of calls who work elsewhere']", "1")
    ann.type("[aria-label='queue that agents of calls work']", "care")
    ann.type("[name=note]", "flu")
    ann.enter("button[value=see]")
    assert "agent-hours fewer" in ann.text()
    assert "JPY" in page.inner_text("section.note h2")
    assert "Nothing is stored yet" in ann.text()
    sound(ann)
    ann.enter("button[value=store]")
    page.wait_for_selector("text=Stored as change")
    assert page.input_value("[aria-label='sick in calls']") == ""  # asked again, it would count twice
    sound(ann)
    ann.enter("button[value=rank]")
    page.wait_for_selector("text=is in force")
    sound(ann)
    assert page.inner_text("section.note a") != desk.ranking_id
    while page.locator("button[value=back]").count():
        ann.enter("button[value=back]")
        assert "was taken back" in ann.text()
    assert "None from" in ann.text()


def test_a_desk_is_saved_as_its_next_version_with_why(ann, desk):
    page = ann.page
    ann.go(f"what-if?ranking={desk.ranking_id}")
    ann.type("[aria-label='agents of care']", "7" if page.viewport_size["width"] == WIDTHS[0] else "8")
    ann.type("[name=note]", "two more, =1+1")
    ann.type("[name=effective_from]", "01042027")
    ann.enter("button[value=save]")
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
    ann.type("[name=curve_queue]", "calls")
    ann.enter("button[value=curve]")
    ann.page.wait_for_selector("svg.curve circle.today")
    assert "100.0%, today" in ann.text()
    sound(ann)


def test_an_analyst_finds_whom_another_order_would_have_left_out(ann, desk):
    page = ann.page
    ann.go(f"orders?ranking={desk.ranking_id}")
    if page.locator("button[value=rank]").count():
        ann.enter("button[value=rank]")
        page.wait_for_selector("text=ranked for analysis")
    sound(ann)
    ann.enter("[aria-label='Who enters and leaves under days past due']")
    page.wait_for_selector("text=that only one of both orders works")
    sound(ann)
    ann.type("[name=change]", "leaves")
    ann.enter("form[action='/orders/accounts'] button:not([name])")
    assert "enters" not in page.inner_text("tbody")
    ann.reach("button[value=csv]")
    with page.expect_download() as got:
        page.keyboard.press("Enter")
    lines = got.value.path().read_text("utf-8").splitlines()
    assert "account_id" in lines[0]
    assert "currency_code" in lines[0]
    assert all('"leaves"' in line and '"JPY"' in line for line in lines[1:])


def test_an_import_shows_what_was_refused(ann):
    ann.go("data")
    ann.enter("main table a")
    assert "came in" in ann.text()
    sound(ann)


def test_a_validator_sees_how_well_each_outcome_is_calibrated_the_worst_first(ann):
    ann.go("models")
    assert "worst calibrated" in ann.page.inner_text("main p >> nth=0")
    assert "95 % interval" in ann.page.inner_html("main")
    ann.enter("main table a")
    assert "Its card" in ann.text()
    sound(ann)


def test_an_account_is_found_and_explained(ann):
    ann.go("account")
    ann.type("[name=account]", "a003")
    ann.page.keyboard.press("Enter")
    ann.page.wait_for_selector("h2:has-text('a003')")
    assert "a003" not in ann.page.url
    assert "Why here, why not there" in ann.text()
    sound(ann)


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
    ann.enter("button[value=verify]")
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
