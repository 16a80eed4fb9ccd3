"""Lines and faults of a file's rows over the wire: cut anywhere they come back at their rows, and nonsense is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_opt.api.v1 import portfolio_service_pb2 as pb
from collections_opt.core.accounts.row_faults import RowFaults
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.wire import file_rows
from collections_opt.wire.file_rows import FileRowsCollector, encode_file_rows


def faults_at(rows):
    count = len(rows)
    texts = (("state",) * count, ("State",) * count, tuple(map(str, rows)), ("NOT_A_NUMBER",) * count, ("Send it.",) * count)
    return RowFaults(np.array(rows, dtype=np.int64), *texts)


@given(sizes=st.lists(st.integers(0, 5), max_size=6), draws=st.data())
def test_lines_and_faults_come_back_at_their_rows(sizes, draws):
    total = sum(sizes)
    rows = sorted(draws.draw(st.lists(st.integers(0, total - 1), max_size=12))) if total else []
    lines, faults = np.arange(total) * 3 + 2, faults_at(rows)
    with_lines = [draws.draw(st.booleans()) for _ in sizes]
    collector, start = FileRowsCollector(), 0
    wanted = np.zeros(total, dtype=np.int64)
    for size, has_lines in zip(sizes, with_lines, strict=True):
        collector.chunk(size)
        part = lines[start : start + size]
        for message in encode_file_rows(part if has_lines and size else None, faults.between(start, start + size)):
            collector.add(pb.FileRows.FromString(message.SerializeToString()))
        wanted[start : start + size] = part if has_lines else 0
        start += size
    read = collector.lines()
    assert (np.zeros(total) if read is None else read).tolist() == wanted.tolist()
    assert collector.faults().row.tolist() == rows
    assert collector.faults().value == faults.value


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (pb.FileRows(lines=[2]), "file_rows.lines"),
        (pb.FileRows(faults=[pb.RowFault(row=2, rule="A")]), "file_rows.faults[0].row"),
        (pb.FileRows(faults=[pb.RowFault(row=0, rule="no code")]), "file_rows.faults[0].rule"),
        (pb.FileRows(faults=[pb.RowFault(row=0, rule="A", field="shoe size")]), "file_rows.faults[0].field"),
    ],
)
def test_what_is_about_no_row_is_refused_at_its_field(message, field):
    collector = FileRowsCollector()
    collector.chunk(2)
    with pytest.raises(CollectionsError) as refused:
        collector.add(message)
    assert refused.value.violations[0].field == field


def test_lines_come_once_per_chunk_and_faults_have_a_limit(monkeypatch):
    collector = FileRowsCollector()
    collector.chunk(1)
    collector.add(pb.FileRows(lines=[2]))
    with pytest.raises(CollectionsError):
        collector.add(pb.FileRows(lines=[3]))
    monkeypatch.setattr(file_rows, "MAX_ROW_FAULTS", 1)
    with pytest.raises(CollectionsError) as refused:
        collector.add(pb.FileRows(faults=[pb.RowFault(rule="A")] * 2))
    assert refused.value.reason is Reason.LIMIT_EXCEEDED
