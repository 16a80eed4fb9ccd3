"""What people read of a what-if: every figure from the what-if, a page that loads nothing and escapes everything."""

import csv
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

from collections_opt.core.ranking.what_if_summary import CapacityCurves
from collections_opt.reports.what_if.page import WhatIfPage, what_if_html
from collections_opt.reports.what_if.report import (
    headline,
    moves_sentence,
    prediction_sentence,
    price_table,
    queue_change_table,
    recovery_table,
    same_recovery_sentence,
    what_if_csv,
)
from tests.support.reports.what_ifs import curves, what_if


def test_the_sentences_say_what_changes_and_how_sure_it_is():
    found = what_if()
    assert headline(found) == "1.0 agent-hours more: costs 490 USD of expected increment (-9.80%) and moves 38 accounts."
    assert prediction_sentence(found) == (
        "The prices before predicted +600 USD; the re-solve found -490. No assignment at the changed minutes can do better than "
        "+700 (gap before 2.0e-04, after 0). Left out, as no price speaks for them: new."
    )
    assert same_recovery_sentence(found) == ""
    assert same_recovery_sentence(what_if(same_share=0.75)) == (
        "The changed plan recovers as much as the one before with 75.0% of its minutes (12.0 of 16.0 hours; before 15.0)."
    )
    assert moves_sentence(found) == "17 accounts enter a worklist, 20 leave, 1 change queue."
    same = what_if(after=found.before, change_minor=0, flows=(), entering_count=0, leaving_count=0, changing_count=0)
    assert headline(same) == "Nothing changes: the plan gives every queue the same minutes."
    moved = what_if(after=replace(found.before, objective_minor=510_000), change_minor=10_000)
    assert headline(moved).startswith("The same hours in all, placed otherwise: adds 100 USD")


def test_tables_show_before_and_after_and_queues_that_come_and_go():
    header, lines = queue_change_table(what_if())
    assert all(len(line) == len(header) for line in lines)
    by_id = {line[0]: dict(zip(header, line, strict=True)) for line in lines}
    assert by_id["calls"]["agents"] == "2 → 3"
    assert (by_id["calls"]["predicted"], by_id["calls"]["change"]) == ("+600", "+500")
    assert (by_id["<texts>"]["worked"], by_id["<texts>"]["predicted"]) == ("20 → none", "-")
    assert by_id["new"]["worked"] == "none → 2"
    assert by_id["all"]["increment"] == "5,000 → 4,510"
    header, lines = price_table(what_if(), curves())
    assert all(len(line) == len(header) for line in lines)
    assert [line[0] for line in lines] == ["calls", "<texts>", "all together"]
    assert lines[0][2:] == ["1.90 to 2.15", "120", "8.3 to 11.7", "+50", "+49"]
    assert lines[1][2].endswith("?")
    assert lines[1][4] == "any to any"
    assert [len(line) for line in price_table(what_if())[1]] == [4, 4]
    assert [line[2:] for line in recovery_table(curves(), "USD")[1]] == [
        ["more than all", "-"],
        ["80.0%", "20.0%"],
        ["40.0%", "60.0%"],
    ]


def test_the_csv_has_a_row_per_queue_with_unrounded_figures():
    rows = list(csv.DictReader(io.StringIO(what_if_csv(what_if()))))
    assert [row["queue_id"] for row in rows] == ["calls", "<texts>", "new"]
    assert rows[0]["after_capacity_minutes"] == "900"
    assert rows[1]["after_agents"] == ""
    assert rows[2]["predicted_change_minor_units"] == ""


class _Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.links = [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [v for k, v in attributes if k in ("src", "href", "xlink:href") and not (v or "").startswith("#")]


def test_the_page_loads_nothing_escapes_ids_and_repeats_its_bytes():
    page = WhatIfPage("What if: <calls>", what_if(), curves(), 0.1, [("ranking", "rk-<1>")])
    html = what_if_html(page)
    assert what_if_html(page) == html
    seen = _Page()
    seen.feed(html)
    assert seen.links == []
    assert seen.tags.count("svg") == 6
    assert "script" not in seen.tags
    assert "texts" not in seen.tags
    assert "a&lt;1&gt;" in html
    assert not re.search(r"https?://(?!www\.w3\.org|purl\.org|creativecommons\.org|matplotlib\.org)", html)


def test_a_page_without_curves_or_moves_still_shows_the_queues():
    bare = what_if(flows=(), moved=())
    for drawn in (None, CapacityCurves(curves().whole, (), ())):
        html = what_if_html(WhatIfPage("t", bare, drawn, 0.0, []))
        assert "The queues before and after" in html
        assert "The same recovery" not in html
