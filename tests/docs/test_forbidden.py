"""The page tells what the shipped rules forbid against 0.2.0 as it follows from the two tables."""

from harness.docs.forbidden import END, PAGE, START, page_part


def test_the_page_tells_what_the_rules_forbid_that_those_of_0_2_0_did_not():
    told = PAGE.read_text("utf-8").partition(START)[2].partition(END)[0]
    assert told == f"\n{page_part()}\n", "python -m harness.docs.forbidden writes it anew"
