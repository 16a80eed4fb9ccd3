"""A clock that went back is told in the record, and only then."""

from datetime import timedelta

from collections_opt.application.records.provenance import MOST_SKEW_SECONDS
from tests.support.books.evidence_worlds import NOW, book, opened, ranked


def test_a_record_tells_of_a_clock_that_went_back(tmp_path):
    times = [NOW]
    workspace = opened(tmp_path, now=lambda: times[0])
    workspace.books.import_portfolio("p1", book(20))
    first = ranked(workspace)
    times[0] = NOW - timedelta(seconds=MOST_SKEW_SECONDS)
    within = ranked(workspace, seed=8)
    times[0] = NOW - timedelta(hours=25)
    back = ranked(workspace, seed=9)
    for record in (first, within):
        assert "clock_went_back_seconds" not in record.record["health"]
    told = back.record["health"]
    assert told["clock_went_back_seconds"] == 25 * 3_600 - MOST_SKEW_SECONDS
    assert any("The clock went back" in warning for warning in told["warnings"])
    assert [record.seq for record in (first, within, back)] == [1, 2, 3]
    workspace.close()
