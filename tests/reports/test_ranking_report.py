"""Queues and worklists for people."""

from dataclasses import replace

from collections_opt.reports.ranking_report import count_sentence, evidence_sentence, gap_sentence, queue_table, worklist_table
from tests.support.reports.reports import LINE, PLAN, SUMMARY


def test_queues_show_fill_price_and_evidence_and_a_closed_one_is_said_to_be():
    header, lines = queue_table(SUMMARY, PLAN)
    early = dict(zip(header, lines[0], strict=True))
    assert (early["fill"], early["a minute more"], early["an agent-hour more"]) == ("50.0%", "2.50", "150")
    assert early["plan's evidence"] == "ASSUMED"
    assert dict(zip(header, lines[1], strict=True))["fill"] == "closed"


def test_sentences_hold_every_count_the_bound_and_the_reason_to_stop():
    assert count_sentence(SUMMARY) == "10 assigned, 3 priced out, 2 cost more than they earn, 1 ineligible"
    assert gap_sentence(SUMMARY) == (
        "123,456.00 TWD expected increment; no assignment can exceed 124,000.00 (optimality gap 4.4e-03, GAP_REACHED)."
    )


def test_the_evidence_of_the_money_is_said_by_grade_and_nothing_where_there_is_none():
    said = evidence_sentence(SUMMARY)
    assert said == "The money rests on contact effects of grade ASSUMED (75.0%), EXPERIMENT (25.0%), from plan/desk/1."
    assert evidence_sentence(replace(SUMMARY, money_by_grade=())) == ""


def test_a_worklist_line_carries_its_reason():
    header, lines = worklist_table([LINE], "USD")
    assert dict(zip(header, lines[0], strict=True))["strongest reason"] == LINE.reason
