"""The comparison as tables, CSV, sentences and a page that loads nothing from anywhere."""

import csv
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

from collections_opt.core.evaluation.comparison import Interval
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.reports.comparison.page import comparison_html
from collections_opt.reports.comparison.report import comparison_csv, expected_table, realised_table
from collections_opt.reports.comparison.sentences import CAUSALITY_NOTE, finding, headline, realised_sentence
from collections_opt.reports.order_names import TITLES
from tests.support.reports.reports import BALANCE, BALANCE_REALISED, FIRST, FIRST_REALISED, report_of


def test_every_order_has_a_title():
    assert set(TITLES) == set(Ordering)


def cell(table, line, name):
    return table[1][line][table[0].index(name)]


def test_tables_show_major_units_and_what_is_undefined_as_a_dash():
    table = expected_table([FIRST, BALANCE], "USD")
    assert cell(table, 0, "increment") == "123,456"
    assert cell(table, 1, "of first") == "0.8%"
    assert cell(table, 1, "rank corr.") == "-"


def test_realised_lines_only_where_outcomes_are_known():
    assert realised_table([FIRST, BALANCE], "USD")[1] == []
    table = realised_table([FIRST_REALISED, BALANCE_REALISED], "USD")
    assert cell(table, 1, "cash") == "10,000"
    assert cell(table, 1, "share of all cash") == "25.0% [20.0, 30.0]"
    assert cell(table, 1, "cash vs first") == "-9.1% [-18.2, 2.7]"
    assert cell(table, 0, "cash vs first") == "-"


def test_csv_reads_back_with_unrounded_figures():
    rows = list(csv.DictReader(io.StringIO(comparison_csv([BALANCE_REALISED], "JPY"))))
    assert rows[0]["ordering"] == "BALANCE"
    assert float(rows[0]["cash_share_high"]) == 0.3
    assert "cash_minor_units" in rows[0]
    assert rows[0]["currency_code"] == "JPY"


def test_the_title_is_short_and_says_day_and_currency():
    said = finding([FIRST, BALANCE], "TWD", "2005-08-31")
    assert said == "2005-08-31: 123,456 TWD expected increment by expected value, 122,457 TWD more than by balance"
    assert finding([FIRST], "TWD", "") == "123,456 TWD expected increment by expected value"
    assert " less than by expected value" in finding([BALANCE, FIRST], "TWD", "")


def test_the_headline_says_what_is_added_and_how_much_more_than_the_best_other_order():
    said = headline([FIRST, BALANCE, replace(BALANCE, ordering=Ordering.RANDOM, incremental_minor=5)], "TWD")
    assert said == (
        "Working 10 accounts by expected value is expected to add 123,456 TWD: 122,457 TWD (12258.0%) more than balance, "
        "the best other order, from the same minutes."
    )
    assert headline([FIRST], "TWD").endswith("add 123,456 TWD.")
    assert "more than" not in headline([BALANCE, FIRST], "TWD")


def test_the_realised_sentence_claims_a_lead_only_where_the_interval_leaves_out_zero():
    said = realised_sentence([FIRST_REALISED, BALANCE_REALISED], "TWD")
    assert said.startswith("Balance alone is a strong order on this data")
    assert "a difference of 1,000 [95 % interval -300 to 2,000]: neither is shown to be ahead." in said
    clear = replace(BALANCE_REALISED, cash_difference=Interval(-1e5, -2e5, -3e4), ordering=Ordering.P_CURE)
    said = realised_sentence([FIRST_REALISED, clear], "TWD")
    assert said.startswith("Strongest of the others: ")
    assert said.endswith("[95 % interval 300 to 2,000]: expected value is ahead on this measure.")
    assert realised_sentence([FIRST, BALANCE], "TWD") == ""


def test_page_is_offline_escaped_repeatable_and_warns_about_causality():
    page = comparison_html(report_of(FIRST_REALISED, BALANCE_REALISED))
    assert page == comparison_html(report_of(FIRST_REALISED, BALANCE_REALISED))
    assert page.startswith("<!doctype html>")
    for escaped in ("Orders &lt;compared&gt;", "p&amp;1", "acc-&lt;1&gt;"):
        assert escaped in page
    assert CAUSALITY_NOTE.split(".")[0] in page
    assert page.count("<svg") == 4
    assert not re.search(r"""(src|href)=["'](https?:)?//""", page)
    assert page.index("is expected to add") < page.index("<svg") < page.index("Read this with care")


class Balance(HTMLParser):
    """Fails at the first tag that closes what is not open."""

    VOID = frozenset({"meta", "br", "link"})

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_every_tag_of_the_page_is_closed_in_order():
    parser = Balance()
    parser.feed(comparison_html(report_of(FIRST_REALISED, BALANCE_REALISED)))
    assert parser.open == []


def test_page_without_outcomes_makes_no_claim_about_them():
    page = comparison_html(report_of(FIRST, BALANCE))
    assert "not what contact caused" not in page
    assert page.count("<svg") == 3


def test_page_of_a_single_order_compares_with_nobody():
    assert comparison_html(report_of(FIRST)).count("<svg") == 2
