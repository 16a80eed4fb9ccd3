"""Pages of reports in the browser: whole at both widths, open to all, light and dark, their grade before their title."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collections_opt.core.ranking.what_if_summary import RuleEffectFigures, RuleWhatIfSummary
from collections_opt.reports.comparison.page import comparison_html
from collections_opt.reports.evaluation.page import evaluation_html
from collections_opt.reports.policy.page import policy_html
from collections_opt.reports.what_if.page import WhatIfPage, what_if_html
from collections_opt.reports.what_if.rule_page import RuleWhatIfPage, rule_what_if_html
from tests.support.console.browser import WIDTHS, Looker, driven, why_not
from tests.support.reports.evaluations import model_evaluation, policy_evaluation
from tests.support.reports.reports import BALANCE, FIRST, report_of
from tests.support.reports.what_ifs import curves, what_if

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "runs")
A4_PIXELS = 718
"""Width of an A4 page between margins of a centimetre, at 96 to the inch."""

GRADE = "The money rests on contact effects of grade ASSUMED (100.0%), from plan/desk/1."
EFFECTS = (RuleEffectFigures("city-cap", 2, "=More than <two> attempts. " + "w" * 150, 0, 31),)
PAGES = {
    "comparison": lambda: comparison_html(replace(report_of(FIRST, BALANCE), day="2026-11-24", calibration="default: slope 0.7")),
    "what-if": lambda: what_if_html(WhatIfPage("What if", what_if(), curves(), 0.1, [("ranking", "rk-1")], GRADE, "stay")),
    "rules": lambda: rule_what_if_html(
        RuleWhatIfPage("Rules", RuleWhatIfSummary(what_if(), EFFECTS, 12, 40, "rules-1", "city/1"), [("a", "b")], GRADE)
    ),
    "policy": lambda: policy_html(policy_evaluation()),
}


LATER = {"evaluation": lambda: evaluation_html(model_evaluation(), "# A card\n\n" + "word " * 400)}
"""Pages about models, which rest on no contact effect: what they say first is how the worst class is calibrated."""


@pytest.fixture(scope="module")
def browser():
    with driven() as made:
        yield made


@pytest.mark.parametrize("name", [*PAGES, *LATER])
def test_a_report_is_whole_on_a_screen_and_a_phone_by_day_and_by_night(browser, tmp_path, name):
    path = tmp_path / f"{name}.html"
    path.write_text({**PAGES, **LATER}[name](), encoding="utf-8")
    for width in WIDTHS:
        for scheme in ("light", "dark"):
            looker = Looker(browser, path.as_uri(), width, scheme)
            looker.go("")
            assert looker.cut() <= 0
            assert looker.barriers() == []
            assert looker.complaints == []
            text = looker.text()
            title = looker.page.inner_text("h1")
            assert ("worst calibrated" in title) if name in LATER else text.index("ASSUMED") < text.index(title)
            lines = looker.page.evaluate(
                "(() => { const h = document.querySelector('h1'); const s = getComputedStyle(h);"
                " return h.getBoundingClientRect().height / parseFloat(s.lineHeight); })()"
            )
            assert width < WIDTHS[0] or lines <= 2.1
            looker.context.close()


@pytest.mark.parametrize("name", [*PAGES, *LATER])
def test_a_report_prints_with_its_headline_on_the_first_page_and_no_table_cut(browser, tmp_path, name):
    """On A4 nothing is wider than the page, rows and figures stay whole, and each page of a table repeats its head."""
    path = tmp_path / f"{name}.html"
    path.write_text({**PAGES, **LATER}[name](), encoding="utf-8")
    looker = Looker(browser, path.as_uri(), A4_PIXELS)
    looker.go("")
    looker.page.emulate_media(media="print")
    assert looker.cut() <= 0
    every = "[...document.querySelectorAll('table, figure, svg, pre')]"
    wide = f"{every}.filter(e => e.clientWidth && e.scrollWidth > e.clientWidth + 1).length"
    assert looker.page.evaluate(wide) == 0
    bottom = looker.page.evaluate("document.querySelector('h1').getBoundingClientRect().bottom")
    assert bottom < A4_PIXELS
    rules = "[...document.querySelectorAll('tr, figure, .card')].every(e => getComputedStyle(e).breakInside === 'avoid')"
    assert looker.page.evaluate(rules)
    heads = "[...document.querySelectorAll('thead')].every(e => getComputedStyle(e).display === 'table-header-group')"
    assert looker.page.evaluate(heads)
    looker.context.close()
