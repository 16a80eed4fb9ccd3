"""Parquet keeps columns exactly, by the same bytes each time."""

import io

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from collections_opt.core.accounts.admission import admit
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.datasets.credit_card import load_accounts, snapshot
from collections_opt.ledger.objects import arrow_columns, parquet
from collections_opt.ledger.objects.parquet import (
    ColumnTable,
    columns_to_parquet,
    parquet_to_columns,
)

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
    table = ColumnTable(portfolio.columns, portfolio.present)
    assert differences(table, parquet_to_columns(columns_to_parquet(table))) == []
