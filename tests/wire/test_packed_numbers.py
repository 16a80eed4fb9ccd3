"""Packed numbers are read and written as protobuf reads and writes them, however they stand on the wire."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.api.v1 import columns_pb2 as pb
from collections_opt.wire.packed_numbers import FEW, read_numbers, write_numbers

MESSAGES = (pb.Int64Column, pb.HistoryColumn, pb.DoubleColumn, pb.BoolColumn)
NUMBERS = {
    pb.DoubleColumn: st.floats(width=64),
    pb.BoolColumn: st.booleans(),
    pb.Int64Column: st.integers(-(2**63), 2**63 - 1) | st.integers(-70, 70) | st.sampled_from([-(2**63), 2**63 - 1]),
}
COUNTS = (0, 1, FEW, FEW + 1, 4 * FEW)


@st.composite
def columns(draw):
    kind, count = draw(st.sampled_from(MESSAGES)), draw(st.sampled_from(COUNTS))
    few = draw(st.lists(NUMBERS.get(kind, NUMBERS[pb.Int64Column]), min_size=1, max_size=9))
    values = (few * (count // len(few) + 1))[:count]
    months = {"month_count": draw(st.sampled_from([0, 1, 200, 2**31 - 1]))} if kind is pb.HistoryColumn else {}
    return kind, months, values


@settings(max_examples=200, deadline=None)
@given(drawn=columns())
def test_numbers_are_those_that_protobuf_reads_and_writes(drawn):
    kind, months, values = drawn
    sent = kind(values=values, **months)
    dtype = {pb.DoubleColumn: np.float64, pb.BoolColumn: np.bool_}.get(kind, np.int64)
    wanted = np.array(values, dtype=dtype)
    read = read_numbers(sent)
    assert read.dtype == dtype
    assert read.tobytes() == wanted.tobytes()
    written = kind(**months)
    write_numbers(written, wanted)
    assert written.SerializeToString() == sent.SerializeToString()


@pytest.mark.parametrize("kind", MESSAGES)
@pytest.mark.parametrize("odd", [b"\x1a\x02\xff\xff", b"\x78\x80\x01", b"\x79" + b"\0" * 8])
def test_fields_of_a_later_version_change_nothing(kind, odd):
    values = [1] * (FEW + 5)
    later = kind.FromString(kind(values=values).SerializeToString() + odd)
    assert read_numbers(later).tolist() == values
