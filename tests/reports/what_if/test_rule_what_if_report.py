"""What people read of a what-if of rules: a page that loads nothing and escapes everything, and rows with unrounded figures."""

import csv
import io
import re
from dataclasses import replace

from collections_opt.core.ranking.what_if_summary import RuleEffectFigures, RuleWhatIfSummary
from collections_opt.reports.what_if.rule_page import RuleWhatIfPage, rule_what_if_html
from collections_opt.reports.what_if.rule_what_if_report import rule_what_if_csv
from tests.support.reports.what_ifs import what_if

EFFECTS = (RuleEffectFigures("city-cap", 2, "=More than <two> attempts.", 0, 31), RuleEffectFigures("us-cap", 1, "Seven.", 9, 4))
FOUND = RuleWhatIfSummary(what_if(), EFFECTS, 12, 40, "rules-1", "rules-1, city/1")


def test_the_page_tells_rules_queues_and_accounts_and_loads_nothing():
    page = RuleWhatIfPage("What if: <city>.toml", FOUND, [("ranking", "rk-<1>")])
    html = rule_what_if_html(page)
    assert rule_what_if_html(page) == html
    for told in ("If these rules were in force: costs 490 USD", "city-cap/2", ">31</td>", "+28", "12 before", "a&lt;1&gt;"):
        assert told in html
    assert "=More than &lt;two&gt; attempts." in html
    assert "<city>" not in html
    assert html.count("<svg") == 1
    assert not re.search(r"https?://(?!www\.w3\.org|purl\.org|creativecommons\.org|matplotlib\.org)|<script|predicted", html)


def test_rules_that_change_nothing_leave_a_page_that_says_so():
    compared = replace(FOUND.compared, change_minor=0, flows=(), moved=(), entering_count=0, leaving_count=0, changing_count=0)
    html = rule_what_if_html(RuleWhatIfPage("t", replace(FOUND, compared=compared, effects=()), []))
    assert "Nothing changes: these rules block no account that was not blocked." in html
    assert "Rules that block other accounts" not in html
    assert "<svg" not in html


def test_the_csv_has_a_row_per_queue_and_per_rule_and_runs_nothing_in_a_spreadsheet():
    rows = list(csv.DictReader(io.StringIO(rule_what_if_csv(FOUND))))
    assert [row["queue_id"] for row in rows] == ["calls", "<texts>", "new", "", ""]
    assert rows[0]["after_capacity_minutes"] == "900"
    assert "predicted_change_minor_units" not in rows[0]
    assert [(row["rule_id"], row["before_blocked_count"], row["after_blocked_count"]) for row in rows[3:]] == [
        ("city-cap", "0", "31"),
        ("us-cap", "9", "4"),
    ]
    assert not rows[3]["rule_says"].startswith("=")
    assert not rows[3]["after_capacity_minutes"]
