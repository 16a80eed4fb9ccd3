"""What to expect, in words: the weakest evidence first, an interval only where there is one, and when another order is ahead."""

from dataclasses import replace

from collections_opt.core.desk.queues import EvidenceGrade
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.value.stated_money import StatedMoney
from collections_opt.reports.comparison.page import comparison_html
from collections_opt.reports.stated_report import expected_sentence, sensitivity_sentence
from tests.support.reports.reports import BALANCE, FIRST, SUMMARY, report_of

ASSUMED = StatedMoney(900_000, 900_000, 0, 0, 0, 1_000_000, 100_000, 10**9, 400_000, 1_900_000, 10**8)
LEARNED = StatedMoney(600_000, 900_000, 700_000, 500_000, 900_000, 0, 100_000, 7 * 10**8, 600_000, 600_000, 0)


def summary(stated, ordering=Ordering.EXPECTED_VALUE):
    return replace(SUMMARY, stated=stated, ordering=ordering, money_by_grade=((EvidenceGrade.ASSUMED, 1.0),))


def test_assumed_money_is_a_range_from_nothing_to_twice_with_half_and_break_even_and_no_interval():
    said = expected_sentence(summary(ASSUMED))
    assert said.startswith("ASSUMED effects, so a range and no interval: -1,000 to 19,000 TWD, from contact that does nothing")
    assert "As assumed: 9,000; half as strong: 4,000." in said
    assert said.endswith("Below 10% of the assumed strength it costs more than it adds.")


def test_learned_money_is_said_with_its_interval_and_how_much_it_was_shrunk():
    said = expected_sentence(summary(LEARNED))
    assert said.startswith("Expect 6,000 TWD (95 %: 4,000 to 8,000), 66.7% of what the estimates that chose say")
    assert expected_sentence(summary(None)) == ""


def test_the_strength_below_which_another_order_adds_more_is_said():
    cheaper = replace(
        ASSUMED,
        expected_minor=500_000,
        assumed_minor=510_000,
        cost_minor=10_000,
        if_half_minor=250_000,
        if_double_minor=1_000_000,
    )
    said = sensitivity_sentence([summary(ASSUMED), summary(cheaper, Ordering.BALANCE)])
    assert said == "Were the assumed effects of another strength, these orders would add more: balance below 19% of it."
    stronger = replace(cheaper, expected_minor=890_000, assumed_minor=990_000, if_double_minor=2_400_000)
    assert "balance above 102% of it" in sensitivity_sentence([summary(ASSUMED), summary(stronger, Ordering.BALANCE)])
    weaker = replace(ASSUMED, expected_minor=100_000, assumed_minor=200_000, if_half_minor=50_000, if_double_minor=200_000)
    assert sensitivity_sentence([summary(ASSUMED), summary(weaker, Ordering.BALANCE)]).startswith("At every strength")
    assert sensitivity_sentence([summary(LEARNED), summary(LEARNED, Ordering.BALANCE)]) == ""


def test_the_page_says_it_on_its_first_screen():
    page = comparison_html(replace(report_of(FIRST, BALANCE), summary=summary(ASSUMED), sensitivity="balance is ahead below 19%"))
    first_screen = page[page.index("<main>") : page.index("<h2>")]
    assert "ASSUMED effects, so a range" in first_screen[: first_screen.index("<h1>")]
    assert "-1,000 to 19,000" in first_screen[first_screen.index("<h1>") :]
    assert "balance is ahead below 19%" in first_screen
    assert "TWD to expect" in first_screen
