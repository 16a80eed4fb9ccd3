"""Rows of bytes: every column comes back to the bit, and the layout alone is enough to read a cell by hand."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from collections_opt.application.evidence.standalone.verify_evidence import cells
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.ledger.sealing.packing import Layout, unpack
from tests.support.ledger.packed import pack

LETTERS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=6)


@st.composite
def tables(draw):
    count = draw(st.integers(0, 12))
    months = draw(st.integers(0, 4))
    texts = [draw(LETTERS).encode() for _ in range(count)]
    codes = [draw(st.sampled_from([b"", b"US-NY", b"TW", "é".encode()])) for _ in range(count)]
    low, high = draw(st.sampled_from([(0, 0), (-1, 1), (-128, 127), (0, 255), (-(2**63), 2**63 - 1), (0, 2**31)]))
    return {
        "account_id": np.array(texts, dtype="S40").reshape(count),
        "state": np.array(codes, dtype="S8").reshape(count),
        "number": draw(npst.arrays(np.int64, count, elements=st.integers(low, high))),
        "small": draw(npst.arrays(np.int16, count)),
        "seconds": draw(npst.arrays(np.uint16, count)),
        "rate": draw(npst.arrays(np.float64, count)),
        "flag": draw(npst.arrays(np.bool_, count)),
        "history": draw(npst.arrays(np.int64, (count, months), elements=st.integers(low, high))),
        "history?": draw(npst.arrays(np.bool_, (count, months))),
    }


@settings(deadline=None)
@given(tables())
def test_every_column_comes_back_to_the_bit(columns):
    layout, rows = pack(columns, ("state",))
    stored = Layout.parse(json.loads(json.dumps(layout.plain())), layout.width)
    assert stored == layout
    back = unpack(stored, rows)
    assert set(back) == set(columns)
    for name, column in columns.items():
        assert (back[name].dtype, back[name].shape) == (column.dtype, column.shape), name
        assert back[name].tobytes() == column.tobytes(), name


@settings(deadline=None)
@given(tables())
def test_a_cell_is_read_by_hand_from_the_layout(columns):
    layout, rows = pack(columns, ("state",))
    fields = {field.name: field for field in layout.fields}
    for index, row in enumerate(rows):
        raw = row.tobytes()

        def number(name, raw=raw):
            field = fields[name]
            return int.from_bytes(raw[field.offset : field.offset + field.width], "little", signed=True)

        text = fields["account_id"]
        assert raw[text.offset : text.offset + text.width].rstrip(b"\0") == columns["account_id"][index]
        assert number("number") == columns["number"][index]
        assert fields["state"].values[number("state")].encode() == columns["state"][index]
        bit = fields["flag"].offset
        assert raw[bit // 8] >> (7 - bit % 8) & 1 == columns["flag"][index]


def test_columns_take_no_more_than_they_need():
    layout, rows = pack(
        {
            "none": np.zeros(3, np.int64),
            "small": np.array([-128, 0, 127]),
            "more": np.array([0, 0, 128]),
            "text": np.array([b"ab"] * 3, "S128"),
        }
    )
    assert [field.width for field in layout.fields] == [0, 1, 2, 2]
    assert rows.shape == (3, 5)


def test_too_many_codes_are_refused():
    column = np.char.mod(b"%d", np.arange(70_000))
    with pytest.raises(CollectionsError) as caught:
        pack({"state": column.astype("S5")}, ("state",))
    assert caught.value.reason is Reason.LIMIT_EXCEEDED


@settings(deadline=None)
@given(
    st.integers(0, 18), st.sampled_from(["", "A-", "\u00e9", "7"]), st.sampled_from(["", "-X", "0"]), st.integers(0, 2**32 - 1)
)
def test_account_numbers_are_kept_as_numbers(digits, prefix, suffix, seed):
    numbers = np.random.default_rng(seed).integers(0, 10**digits, 300) if digits else np.zeros(300, np.int64)
    texts = [f"{prefix}{int(number):0{digits}d}{suffix}" if digits else prefix + suffix for number in numbers]
    column = np.array([text.encode() for text in texts], dtype="S40")
    layout, rows = pack({"account_id": column})
    stored = Layout.parse(json.loads(json.dumps(layout.plain())), layout.width)
    back = unpack(stored, rows)["account_id"]
    assert (back.dtype, back.tobytes()) == (column.dtype, column.tobytes())
    assert cells(layout.plain(), rows[7].tobytes())["account_id"] == texts[7]
    if prefix.isascii() and digits:
        assert rows.shape[1] <= 8


@settings(deadline=None)
@given(st.sampled_from(["", "A-", "7", "AC0"]), st.lists(st.text("0123456789", max_size=16), min_size=2, max_size=9))
def test_account_numbers_of_any_length_are_kept_as_numbers(prefix, numbers):
    texts = [prefix + number for number in numbers] * 200
    column = np.array([text.encode() for text in texts], dtype="S40")
    layout, rows = pack({"account_id": column})
    stored = Layout.parse(json.loads(json.dumps(layout.plain())), layout.width)
    back = unpack(stored, rows)["account_id"]
    assert (back.dtype, back.tobytes()) == (column.dtype, column.tobytes())
    assert [cells(layout.plain(), row.tobytes())["account_id"] for row in rows[: len(numbers)]] == texts[: len(numbers)]
    assert layout.width <= 8


def test_a_number_that_many_rows_share_takes_no_byte_and_one_that_few_share_is_not_told():
    for count, width in ((300, 0), (3, 4)):
        column = np.full(count, 1_000_000_000)
        layout, rows = pack({"propensity": column, "low": np.full((count, 2), -7, np.int16)})
        assert layout.fields[0].width == width
        assert np.array_equal(unpack(layout, rows)["propensity"], column)
        assert np.array_equal(unpack(layout, rows)["low"], np.full((count, 2), -7))
        assert cells(layout.plain()[:1], rows[1].tobytes()) == {"propensity": 1_000_000_000}


def test_letters_shared_by_few_rows_are_not_told():
    layout, _ = pack({"account_id": np.array([b"SMITH-1", b"SMITH-2"])})
    assert layout.fields[0].values == ()
    layout, _ = pack({"account_id": np.char.mod(b"N%03d", np.arange(300)).astype("S4")})
    assert layout.fields[0].values == ("N\0\0\0",)
