"""Parquet keeps columns exactly, by the same bytes each time, and can be read a row group at a time."""

import hashlib
import io
from datetime import date

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from collections_opt.core.admission import admit
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.portfolio import Portfolio
from collections_opt.datasets.credit_card import load_accounts, snapshot
from collections_opt.ledger import arrow_columns, parquet
from collections_opt.ledger.parquet import (
    ColumnTable,
    columns_to_parquet,
    entries_to_parquet,
    iter_parquet,
    parquet_to_columns,
    parquet_to_entries,
    parquet_to_portfolio,
    portfolio_to_parquet,
)
from tests.core.test_comparison import entries_of

DTYPES = st.sampled_from(["<i8", "<i4", "<i2", "|u1", "<f8", "|b1"])
WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)


@st.composite
def tables(draw):
    count = draw(st.integers(0, 20))
    words = draw(st.lists(WORDS, min_size=count, max_size=count))
    text = np.array([word.encode() for word in words], dtype=f"S{max([1, *(len(word.encode()) for word in words)])}")
    columns = {
        "text": text,
        "number": draw(hnp.arrays(draw(DTYPES), count)),
        "history": draw(hnp.arrays(draw(DTYPES), (count, draw(st.integers(0, 4))))),
        "plain": draw(hnp.arrays(draw(DTYPES), count)),
    }
    present = {name: draw(hnp.arrays(np.bool_, columns[name].shape)) for name in ("text", "number", "history")}
    for name, mask in present.items():
        columns[name] = np.where(mask, columns[name], np.zeros_like(columns[name])).astype(columns[name].dtype)
    return ColumnTable(columns, present, {"as_of_date": "2026-11-24"})


def differences(table, again):
    """Return the columns that did not come back to the bit."""
    pairs = {name: (column, again.columns[name]) for name, column in table.columns.items()}
    pairs |= {f"{name}?": (mask, again.present[name]) for name, mask in table.present.items()}
    return [name for name, (a, b) in pairs.items() if (a.dtype, a.shape) != (b.dtype, b.shape) or a.tobytes() != b.tobytes()] + [
        name for name in again.columns if name not in table.columns
    ]


@given(tables())
def test_columns_survive_to_the_bit_and_give_the_same_bytes_again(table):
    content = columns_to_parquet(table)
    again = parquet_to_columns(content)
    assert differences(table, again) == []
    assert again.header == table.header
    assert columns_to_parquet(again) == content


def test_presence_that_is_lost_on_the_way_is_noticed(monkeypatch):
    table = ColumnTable({"a": np.array([0, 1])}, {"a": np.array([False, True])})
    original = arrow_columns.to_arrow
    monkeypatch.setattr(parquet, "to_arrow", lambda name, column, present: original(name, column, None))
    assert differences(table, parquet_to_columns(columns_to_parquet(table))) == ["a?"]


def test_other_tools_see_nulls_lists_and_text():
    columns = {"history": np.array([[1, 0], [3, 4]]), "name": np.array([b"\xc3\xa9", b""])}
    present = {"history": np.array([[True, False], [True, True]]), "name": np.array([True, False])}
    table = pq.read_table(io.BytesIO(columns_to_parquet(ColumnTable(columns, present))))
    assert table.to_pydict() == {"history": [[1, None], [3, 4]], "name": ["é", None]}


@pytest.mark.parametrize(
    "table",
    [
        ColumnTable({"text": np.array([b"\xff"])}),
        ColumnTable({"text": np.array([1])}, {"text": np.array([False])}),
        ColumnTable({"text": np.array([np.nan])}, {"text": np.array([False])}),
        ColumnTable({"text": np.array([b"a"])}, {"text": np.array([False])}),
    ],
)
def test_what_would_not_come_back_is_refused(table):
    with pytest.raises(CollectionsError) as caught:
        columns_to_parquet(table)
    assert caught.value.reason is Reason.INVALID_ARGUMENT
    assert caught.value.violations[0].field == "text"


def test_row_groups_are_read_one_at_a_time_and_only_the_columns_asked_for(monkeypatch):
    monkeypatch.setattr(parquet, "_ROW_GROUP_ROWS", 4)
    history = np.arange(20).reshape(10, 2)
    text = np.array([f"{i}".encode() for i in range(10)])
    nothing = np.zeros((10, 0), dtype=np.int64)
    table = ColumnTable({"a": np.arange(10), "h": history, "t": text, "none": nothing}, {"h": np.ones((10, 2), dtype=bool)})
    parts = list(iter_parquet(columns_to_parquet(table), ["t", "h", "none"]))
    assert [part.columns["t"].size for part in parts] == [4, 4, 2]
    assert all(set(part.columns) == {"t", "h", "none"} and set(part.present) == {"h"} for part in parts)
    joined = {name: np.concatenate([part.columns[name] for part in parts]) for name in ("t", "h", "none")}
    assert all(np.array_equal(joined[name], table.columns[name]) for name in joined)
    with pytest.raises(CollectionsError) as caught:
        next(iter_parquet(columns_to_parquet(table), ["missing"]))
    assert caught.value.reason is Reason.NOT_FOUND


def test_parquet_of_others_is_refused():
    buffer = io.BytesIO()
    pq.write_table(
        pq.read_table(io.BytesIO(columns_to_parquet(ColumnTable({"a": np.arange(3)})))).replace_schema_metadata({}), buffer
    )
    with pytest.raises(CollectionsError) as caught:
        parquet_to_columns(buffer.getvalue())
    assert caught.value.reason is Reason.SCHEMA_MISMATCH


def test_a_real_portfolio_survives_parquet_to_the_bit():
    portfolio = admit(snapshot(load_accounts(), 8).raw).portfolio
    content = portfolio_to_parquet(portfolio)
    again = parquet_to_portfolio(content)
    assert again.digest == portfolio.digest
    assert hashlib.sha256(portfolio_to_parquet(again)).digest() == hashlib.sha256(content).digest()


def test_a_portfolio_keeps_its_dates_zone_currency_and_missing_cells():
    columns = {"account_id": np.array([b"a", b"b"]), "balance_minor": np.array([5, 0])}
    present = {"account_id": np.array([True, True]), "balance_minor": np.array([True, False])}
    portfolio = Portfolio(date(2024, 2, 29), "Asia/Taipei", "TWD", columns, present)
    again = parquet_to_portfolio(portfolio_to_parquet(portfolio))
    assert (again.as_of_date, again.time_zone, again.currency_code) == (date(2024, 2, 29), "Asia/Taipei", "TWD")
    assert again.is_present("balance_minor").tolist() == [True, False]
    assert again.digest == portfolio.digest


def test_entries_survive_parquet_to_the_bit():
    entries = entries_of([0, 1, -1])
    again = parquet_to_entries(entries_to_parquet(entries))
    assert again.digest == entries.digest
    np.testing.assert_array_equal(again.queue, entries.queue)
