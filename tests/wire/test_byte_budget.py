"""What an import may hold: refused with the message that is too much, and given back at its end."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress

import numpy as np
import pytest

from collections_opt.api.v1 import columns_pb2 as pb
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.limits import MAX_CELL_BYTES, MAX_ROW_TEXT_BYTES
from collections_opt.wire import columns as module
from collections_opt.wire.byte_budget import ByteBudget
from collections_opt.wire.columns import ColumnCollector, Columns, encode_chunks


def texts(name, values):
    return pb.Column(name=name, text=pb.TextColumn(values=values))


def chunk(*columns, rows=1):
    return pb.ColumnChunk(row_count=rows, columns=columns)


def refused(collector, message):
    with pytest.raises(CollectionsError) as caught:
        collector.add(message)
    return caught.value


def test_a_text_or_a_row_that_is_too_long_is_refused_by_name():
    collector = ColumnCollector(3, compact=True)
    collector.add(chunk(texts("account_id", ["é" * (MAX_CELL_BYTES // 2)])))
    error = refused(collector, chunk(texts("account_id", ["a", "é" * (MAX_CELL_BYTES // 2) + "."]), rows=2))
    assert error.reason is Reason.LIMIT_EXCEEDED
    assert "'account_id' of row 2" in error.message
    many = [texts(f"c{n}", ["x" * MAX_CELL_BYTES]) for n in range(MAX_ROW_TEXT_BYTES // MAX_CELL_BYTES + 1)]
    assert "row 0" in refused(ColumnCollector(1), chunk(*many)).message


def test_a_chunk_without_rows_is_refused_where_there_are_some():
    assert refused(ColumnCollector(1), chunk(rows=0)).violations[0].field == "chunk.row_count"
    empty = ColumnCollector(0)
    empty.add(chunk(rows=0))
    assert refused(empty, chunk(rows=0)).reason is Reason.SCHEMA_MISMATCH
    assert empty.columns().row_count == 0


def test_a_stream_holds_no_more_than_its_share_and_all_no_more_than_there_is():
    budget = ByteBudget(each=100, total=150)
    with budget.stream() as first:
        first.add(100)
        with pytest.raises(CollectionsError) as caught:
            first.add(1)
        assert caught.value.reason is Reason.LIMIT_EXCEEDED
        with budget.stream() as second:
            second.add(50)
            with pytest.raises(CollectionsError) as caught:
                second.add(1)
            assert caught.value.reason is Reason.OVERLOADED
        assert budget.held == 100
    assert budget.held == 0
    with pytest.raises(ZeroDivisionError), budget.stream() as third:
        third.add(1 // 0)
    assert budget.held == 0


def flood(budget, chunks=200, rows=2_000):
    """Send ids of half a kilobyte without end; return how much memory was taken at most."""
    tracemalloc.start()
    try:
        with budget.stream() as held, suppress(CollectionsError):
            collector = ColumnCollector(10**6, compact=True, hold=held.add)
            for number in range(chunks):
                collector.add(chunk(texts("account_id", [f"{number}-{row}".ljust(500) for row in range(rows)]), rows=rows))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_flood_is_refused_before_the_memory_is_gone(monkeypatch):
    budget = ByteBudget(each=8 * 2**20, total=2**30)
    assert flood(budget, 10) < 20 * 2**20
    # The planted bug: texts that are not counted, only the pointers to them.
    monkeypatch.setattr(module, "_checked_bytes", lambda chunk, _first: sum(v.nbytes for v in chunk.values.values()))
    assert flood(budget, 40) > 20 * 2**20


def test_what_is_counted_is_what_is_held():
    rows = 20_000
    rng = np.random.default_rng(1)
    table = Columns(
        rows,
        {
            "account_id": np.array([f"account number {n}" for n in range(rows)], dtype=object),
            "note": np.array([f"{n} is a text too long to be kept in bytes ".ljust(90) for n in range(rows)], dtype=object),
            "balance_minor": rng.integers(0, 1_000, rows),
        },
        {"balance_minor": rng.random(rows) < 0.5},
    )
    messages = list(encode_chunks(table))
    counted = 0

    def hold(count):
        nonlocal counted
        counted += count

    tracemalloc.start()
    collector = ColumnCollector(rows, compact=True, hold=hold)
    for message in messages:
        collector.add(message)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert 0.7 < counted / held < 1.5
