"""Queues and worklists for people."""

from collections_opt.reports.ranking_report import count_sentence, gap_sentence, queue_table, worklist_table
from tests.reports.reports import LINE, PLAN, SUMMARY


def test_queues_show_fill_price_and_evidence_and_a_closed_one_is_said_to_be():
    header, lines = queue_table(SUMMARY, PLAN)
    early = dict(zip(header, lines[0], strict=True))
    assert (early["fill"], early["a minute more"], early["an agent-hour more"]) == ("50.0%", "2.50", "150")
    assert early["evidence"] == "ASSUMED"
    assert dict(zip(header, lines[1], strict=True))["fill"] == "closed"


def test_sentences_hold_every_count_the_bound_and_the_reason_to_stop():
    assert count_sentence(SUMMARY) == "10 assigned, 3 priced out, 2 cost more than they earn, 1 ineligible"
    assert gap_sentence(SUMMARY) == (
        "123,456.00 TWD expected increment; no assignment can exceed 124,000.00 (optimality gap 4.4e-03, GAP_REACHED)."
    )


def test_a_worklist_line_carries_its_reason():
    header, lines = worklist_table([LINE])
    assert dict(zip(header, lines[0], strict=True))["strongest reason"] == LINE.reason
