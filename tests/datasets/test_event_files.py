"""Events of files: read by a mapping, faults named by line, nothing guessed."""

from datetime import UTC, datetime

import pytest

from collections_opt.core.day.events import Event, EventKind
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.datasets.files.event_files import EventMapping, read_events
from collections_opt.datasets.settings_files import parse_settings

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
PAYMENTS = """time_zone = "America/New_York"
currency_code = "USD"
[columns]
event_id = "Txn No"
occurred_at = "Posted"
account_id = "Loan"
amount_minor = "Amount"
[constants]
kind = "PAYMENT"
"""


def written(tmp_path, text):
    file = tmp_path / "events.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_lenders_columns_are_read_by_a_mapping(tmp_path):
    file = written(tmp_path, "Txn No,Posted,Loan,Amount,Note\nt1,2026-11-25 09:30,a1,12.34,x\n")
    (event,) = read_events(file, parse_settings(PAYMENTS, EventMapping, "m.toml"), NOW)
    assert event == Event("t1", EventKind.PAYMENT, datetime(2026, 11, 25, 14, 30, tzinfo=UTC), "a1", amount_minor=1_234)


def test_columns_of_fields_need_no_mapping(tmp_path):
    file = written(tmp_path, "event_id,kind,occurred_at,account_id,flag,is_set\nf,flag,2026-11-25T09:30:00Z,a1,dispute,false\n")
    (event,) = read_events(file, EventMapping(), NOW)
    assert (event.kind, event.flag, event.is_set) == (EventKind.FLAG, "dispute", False)


def test_a_case_systems_reviews_are_read_by_a_mapping(tmp_path):
    mapping = """[columns]
event_id = "Case"
occurred_at = "Closed"
account_id = "Loan"
ranking_id = "Ranking"
review_outcome = "Verdict"
note = "Findings"
[constants]
kind = "REVIEW"
reviewed = "RULES"
"""
    file = written(tmp_path, 'Case,Closed,Loan,Ranking,Verdict,Findings\nq7,2026-11-25T09:30:00Z,a1,rk-1,UPHELD,"Seen, fine."\n')
    (event,) = read_events(file, parse_settings(mapping, EventMapping, "m.toml"), NOW)
    expected = {"reviewed": "RULES", "review_outcome": "UPHELD", "note": "Seen, fine.", "ranking_id": "rk-1"}
    assert event == Event("q7", EventKind.REVIEW, datetime(2026, 11, 25, 9, 30, tzinfo=UTC), "a1", **expected)
    file = written(tmp_path, "Case,Closed,Loan,Ranking,Verdict,Findings\nq7,2026-11-25T09:30:00Z,a1,rk-1,SPLENDID,\n")
    with pytest.raises(CollectionsError) as caught:
        list(read_events(file, parse_settings(mapping, EventMapping, "m.toml"), NOW))
    assert {found.field for found in caught.value.violations} == {"line 2.review.review_outcome", "line 2.review.note"}


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("t1,2026-11-25 25:30,a1,12.34", "line 2.occurred_at"),
        ("t1,2026-11-25 09:30,a1,12.345", "line 2.amount_minor"),
        ("t1,2026-11-25 09:30,,12.34", "line 2.account_id"),
        ("t1,2027-11-25 09:30,a1,12.34", "line 2.occurred_at"),
        (",2026-11-25 09:30,a1,12.34", "line 2.event_id"),
    ],
)
def test_faults_are_named_by_line_and_field(tmp_path, row, field):
    file = written(tmp_path, f"Txn No,Posted,Loan,Amount\n{row}\nt2,2026-11-25 09:30,a1,1\n")
    with pytest.raises(CollectionsError) as caught:
        list(read_events(file, parse_settings(PAYMENTS, EventMapping, "m.toml"), NOW))
    assert field in {violation.field for violation in caught.value.violations}


def test_a_column_that_is_not_there_and_a_field_that_is_none_are_refused(tmp_path):
    file = written(tmp_path, "Txn,Posted\n")
    for mapping in (parse_settings(PAYMENTS, EventMapping, "m.toml"), EventMapping(columns={"mood": "Txn"})):
        with pytest.raises(CollectionsError) as caught:
            list(read_events(file, mapping, NOW))
        assert caught.value.reason is Reason.SCHEMA_MISMATCH
