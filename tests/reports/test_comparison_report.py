"""The comparison as table, CSV and a page that loads nothing from anywhere."""

import csv
import io
import re

from collections_opt.core.comparison import Interval, OrderingOutcome
from collections_opt.core.ordering import Ordering
from collections_opt.reports.comparison_report import (
    CAUSALITY_NOTE,
    TITLES,
    ComparisonReport,
    comparison_csv,
    comparison_html,
    comparison_table,
)

PLAIN = OrderingOutcome(Ordering.EXPECTED_VALUE, 10, 60.0, 123_456_00, 1.0, 1.0, 0, 0)
REALISED = OrderingOutcome(
    Ordering.BALANCE,
    8,
    60.0,
    99_900,
    0.5,
    float("nan"),
    3,
    5,
    Interval(1e6, 9e5, 1.1e6),
    Interval(3, 1, 5),
    Interval(2, 0, 4),
    Interval(0.25, 0.2, 0.3),
)


def report_of(*outcomes):
    return ComparisonReport("Orders <compared>", "TWD", outcomes, [("portfolio", "p&1")], [{"queue": "early", "price": "1.00"}])


def test_every_order_has_a_title():
    assert set(TITLES) == set(Ordering)


def test_table_shows_major_units_and_realised_columns_only_when_known():
    header, cells = comparison_table([PLAIN])
    assert "123,456" in cells[0]
    assert not any("cash" in name for name in header)
    header, cells = comparison_table([REALISED])
    assert cells[0][header.index("cash")] == "10,000"
    assert cells[0][header.index("cash share [95 %]")] == "25.0% [20.0%, 30.0%]"


def test_csv_reads_back_with_unrounded_figures():
    rows = list(csv.DictReader(io.StringIO(comparison_csv([REALISED]))))
    assert rows[0]["ordering"] == "BALANCE"
    assert float(rows[0]["cash_share_high"]) == 0.3


def test_page_is_offline_escaped_repeatable_and_warns_about_causality():
    page = comparison_html(report_of(REALISED, REALISED))
    assert page == comparison_html(report_of(REALISED, REALISED))
    assert "Orders &lt;compared&gt;" in page
    assert "p&amp;1" in page
    assert CAUSALITY_NOTE.split(".")[0] in page
    assert page.count("<svg") == 2
    assert not re.search(r"""(src|href)=["'](https?:)?//""", page)


def test_page_without_outcomes_makes_no_claim_about_them():
    page = comparison_html(report_of(PLAIN))
    assert "what the worked accounts did" not in page
    assert page.count("<svg") == 1
