from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from collections_opt.api.v1 import columns_pb2 as pb
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.limits import MAX_CHUNK_BYTES
from collections_opt.wire.columns import ColumnCollector, Columns, decode_chunk, encode_chunks

INT64 = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@st.composite
def tables(draw):
    rows, months = draw(st.integers(0, 30)), draw(st.integers(0, 5))
    values = {
        "text": np.array(draw(st.lists(TEXT, min_size=rows, max_size=rows)), dtype=object).reshape(rows),
        "money": draw(hnp.arrays(np.int64, rows, elements=INT64)),
        "rate": draw(hnp.arrays(np.float64, rows, elements=st.floats(width=64))),
        "flag": draw(hnp.arrays(np.bool_, rows)),
        "history": draw(hnp.arrays(np.int64, (rows, months), elements=INT64)),
    }
    masked = draw(st.sets(st.sampled_from(sorted(values))))
    present = {name: draw(hnp.arrays(np.bool_, values[name].shape)) for name in masked}
    return Columns(rows, values, present)


@settings(max_examples=150, deadline=None)
@given(table=tables(), target=st.integers(1, 2_000))
def test_any_table_cut_anywhere_comes_back(table, target):
    collector = ColumnCollector(table.row_count)
    for chunk in encode_chunks(table, target):
        collector.add(pb.ColumnChunk.FromString(chunk.SerializeToString()))
    back = collector.columns()
    assert back.row_count == table.row_count
    assert list(back.values) == list(table.values)
    for name, wanted in table.values.items():
        mask = table.present.get(name, np.ones(wanted.shape, dtype=bool))
        np.testing.assert_array_equal(back.present.get(name, np.ones(wanted.shape, dtype=bool)), mask)
        assert back.values[name].dtype == wanted.dtype
        assert back.values[name].shape == wanted.shape
        np.testing.assert_array_equal(back.values[name][mask], wanted[mask])


@settings(max_examples=60, deadline=None)
@given(table=tables(), target=st.integers(1, 2_000))
def test_compact_texts_are_the_same_texts(table, target):
    collector = ColumnCollector(table.row_count, compact=True)
    for chunk in encode_chunks(table, target):
        collector.add(chunk)
    back, wanted = collector.columns().values["text"], table.values["text"]
    mask = table.present.get("text", np.ones(wanted.shape, dtype=bool))
    read, sent = ([one.decode() if isinstance(one, bytes) else one for one in side[mask].tolist()] for side in (back, wanted))
    assert read == sent


@settings(max_examples=40, deadline=None)
@given(table=tables(), target=st.integers(200, 4_000))
def test_chunks_keep_the_size_asked_for(table, target):
    overhead = 60 + 12 * len(table.values)
    for chunk in encode_chunks(table, target):
        assert chunk.ByteSize() <= target + overhead or chunk.row_count == 1


def test_chunks_of_the_widest_rows_fit_the_wire():
    rows = 40_000
    values = {"id": np.array(["x" * 128] * rows, dtype="S128"), "history": np.full((rows, 24), -(2**63), dtype=np.int64)}
    mask = {"history": np.arange(rows * 24).reshape(rows, 24) % 2 == 0}
    sizes = [chunk.ByteSize() for chunk in encode_chunks(Columns(rows, values, mask))]
    assert len(sizes) > 1
    assert max(sizes) < MAX_CHUNK_BYTES


def test_missing_text_is_none():
    column = pb.Column(name="t", presence_bitmap=b"\x01", text=pb.TextColumn(values=["a", "b"]))
    assert decode_chunk(pb.ColumnChunk(row_count=2, columns=[column])).values["t"].tolist() == ["a", None]


def integers(name="a", count=2, **more):
    return pb.Column(name=name, integers=pb.Int64Column(values=[1] * count), **more)


@pytest.mark.parametrize(
    ("chunk", "field"),
    [
        (pb.ColumnChunk(row_count=-1), "chunk.row_count"),
        (pb.ColumnChunk(row_count=2, columns=[integers(count=3)]), "chunk.columns[0]"),
        (pb.ColumnChunk(row_count=2, columns=[integers(name="")]), "chunk.columns[0].name"),
        (pb.ColumnChunk(row_count=2, columns=[integers(), integers()]), "chunk.columns[1].name"),
        (pb.ColumnChunk(row_count=2, columns=[pb.Column(name="a")]), "chunk.columns[0]"),
        (pb.ColumnChunk(row_count=2, columns=[integers(presence_bitmap=b"12")]), "chunk.columns[0].presence_bitmap"),
        (
            pb.ColumnChunk(row_count=1, columns=[pb.Column(name="a", history=pb.HistoryColumn(month_count=2_000_000_000))]),
            "chunk.columns[0].history.month_count",
        ),
        (
            pb.ColumnChunk(row_count=1, columns=[pb.Column(name="a", history=pb.HistoryColumn(month_count=-1))]),
            "chunk.columns[0].history.month_count",
        ),
    ],
)
def test_wrong_chunks_are_refused_by_field(chunk, field):
    with pytest.raises(CollectionsError) as caught:
        decode_chunk(chunk)
    assert caught.value.violations[0].field == field


def test_rows_must_be_as_many_as_announced():
    for announced, sent in ((3, 2), (1, 2), (1, 0)):
        collector = ColumnCollector(announced)
        with pytest.raises(CollectionsError, match=rf"{announced} rows were announced, {sent} came"):
            _feed(collector, *([pb.ColumnChunk(row_count=sent, columns=[integers(count=sent)])] if sent else []))


def _feed(collector, *chunks):
    for chunk in chunks:
        collector.add(chunk)
    return collector.columns()


@pytest.mark.parametrize(
    "second",
    [
        [integers("b")],
        [integers(), integers("b")],
        [pb.Column(name="a", reals=pb.DoubleColumn(values=[1, 2]))],
        [],
    ],
)
def test_chunks_must_carry_the_same_columns(second):
    with pytest.raises(CollectionsError) as caught:
        _feed(ColumnCollector(4), pb.ColumnChunk(row_count=2, columns=[integers()]), pb.ColumnChunk(row_count=2, columns=second))
    assert caught.value.reason is Reason.SCHEMA_MISMATCH
