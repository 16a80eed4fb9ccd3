"""Pages of reports in the browser: whole at both widths, open to all, light and dark, their grade before their title."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collections_opt.core.ranking.what_if_summary import RuleEffectFigures, RuleWhatIfSummary
from collections_opt.reports.comparison.page import comparison_html
from collections_opt.reports.what_if.page import WhatIfPage, what_if_html
from collections_opt.reports.what_if.rule_page import RuleWhatIfPage, rule_what_if_html
from tests.support.console.browser import WIDTHS, Looker, driven, why_not
from tests.support.reports.reports import BALANCE, FIRST, report_of
from tests.support.reports.what_ifs import curves, what_if

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "runs")
GRADE = "The money rests on contact effects of grade ASSUMED (100.0%), from plan/desk/1."
EFFECTS = (RuleEffectFigures("city-cap", 2, "=More than <two> attempts. " + "w" * 150, 0, 31),)
PAGES = {
    "comparison": lambda: comparison_html(replace(report_of(FIRST, BALANCE), day="2026-11-24", calibration="default: slope 0.7")),
    "what-if": lambda: what_if_html(WhatIfPage("What if", what_if(), curves(), 0.1, [("ranking", "rk-1")], GRADE, "stay")),
    "rules": lambda: rule_what_if_html(
        RuleWhatIfPage("Rules", RuleWhatIfSummary(what_if(), EFFECTS, 12, 40, "rules-1", "city/1"), [("a", "b")], GRADE)
    ),
}


@pytest.fixture(scope="module")
def browser():
    with driven() as made:
        yield made


@pytest.mark.parametrize("name", PAGES)
def test_a_report_is_whole_on_a_screen_and_a_phone_by_day_and_by_night(browser, tmp_path, name):
    path = tmp_path / f"{name}.html"
    path.write_text(PAGES[name](), encoding="utf-8")
    for width in WIDTHS:
        for scheme in ("light", "dark"):
            looker = Looker(browser, path.as_uri(), width, scheme)
            looker.go("")
            assert looker.cut() <= 0
            assert looker.barriers() == []
            assert looker.complaints == []
            text = looker.text()
            assert text.index("ASSUMED") < text.index(looker.page.inner_text("h1"))
            lines = looker.page.evaluate(
                "(() => { const h = document.querySelector('h1'); const s = getComputedStyle(h);"
                " return h.getBoundingClientRect().height / parseFloat(s.lineHeight); })()"
            )
            assert width < WIDTHS[0] or lines <= 2.1
            looker.context.close()
