"""A file is chosen, its mapping drafted and corrected, tried and imported, on the page of data; hostile names are only shown.

By keyboard alone, but for the system's own chooser of files.
"""

from __future__ import annotations

import pytest

from tests.support.console.browser import WIDTHS, Looker, driven, why_not
from tests.support.console.desk import shown
from tests.support.serving.requests.files import CSV

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "runs")
HOSTILE_NAME = "<img src=x onerror=alert(1)>.csv"


@pytest.fixture(scope="module")
def ann(tmp_path_factory):
    with shown(tmp_path_factory.mktemp("files"), ranked=False) as desk, driven() as browser:
        looker = Looker(browser, desk.url, WIDTHS[1])
        looker.sign_in(desk.token("OPERATIONS_MANAGER"))
        looker.complaints.clear()  # there is no ranking yet
        yield looker
        assert looker.complaints == []


def choose(ann, content, name="book.csv"):
    ann.go("data")
    ann.page.set_input_files("[name=file]", {"name": name, "mimeType": "text/csv", "buffer": content})
    ann.type("[name=as_of]", "11242026")
    ann.type("[name=time_zone]", "Asia/Taipei")
    ann.type("[name=currency]", "twd")
    ann.enter("form[action='/data/mapping'] button")


def sound(ann):
    assert ann.cut() <= 0
    assert ann.barriers() == []


def test_a_file_is_drafted_corrected_tried_and_imported(ann):
    ann.go("data")
    sound(ann)
    choose(ann, CSV)
    assert "3 rows were looked at" in ann.text()
    assert "Current Balance" in ann.text()
    sound(ann)
    drafted = ann.page.input_value("[name=text]")
    ann.page.fill("[name=text]", drafted.replace('"Current Balance"', '"Balance"'))
    ann.enter("button[value=try]")
    assert "has no column Balance" in ann.text()
    sound(ann)
    ann.page.fill("[name=text]", drafted)
    ann.type("[name=portfolio]", "tried")
    ann.enter("button[value=try]")
    assert "nothing is stored yet" in ann.text()
    assert "2 of 3 rows would be accepted and 1 quarantined" in ann.text()
    sound(ann)
    ann.enter("button[value=import]")
    ann.enter("section.note a")
    assert "tried" in ann.page.inner_text("main h2 >> nth=0")
    assert "Current Balance" in ann.text()


def test_a_name_of_markup_is_only_shown(ann):
    choose(ann, CSV, HOSTILE_NAME)
    assert ann.page.locator("main img").count() == 0
    assert "<img src=x" in ann.text()
    ann.page.fill("[name=portfolio]", "bad/../id")
    ann.enter("button[value=try]")
    assert ann.page.locator("[role=alert]").count() == 1
    ann.complaints.clear()  # the refusal is a 400


def test_what_is_too_large_or_no_table_is_refused_in_words(ann):
    choose(ann, b"\x00\x01" * 100)
    assert ann.page.locator("[role=alert]").count() == 1
    ann.complaints.clear()
