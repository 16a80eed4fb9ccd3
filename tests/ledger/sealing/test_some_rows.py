"""Some rows of a sealed file: the same as all of it says of them, by no more reading than they need, and never altered."""

from __future__ import annotations

import io

import numpy as np
import pytest

from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.ledger.sealing import sealing
from collections_opt.ledger.sealing.sealing import LeafKind, seal_parts, unseal, write_parquet
from collections_opt.ledger.sealing.some_rows import SealedFile

COUNT, GROUP = 20_000, 2_000
RNG = np.random.default_rng(4)
COLUMNS = {
    "account_id": np.char.add("A-", np.arange(COUNT).astype(str)).astype("S8"),
    "customer_id": RNG.integers(0, 300, COUNT).astype("S4"),
    "balance_minor": RNG.integers(-(2**40), 2**40, COUNT),
    "history": RNG.integers(0, 9, (COUNT, 40)),
    "history?": RNG.random((COUNT, 40)) < 0.5,
}
KEY_NO = RNG.permutation(COUNT)
KEYS = RNG.integers(1, 256, (COUNT, 32)).astype(np.uint8)
KEYS[KEY_NO[7]] = 0
"""The account of row 7 was erased."""


class Counted(io.BytesIO):
    """A file that counts the bytes that are read of it."""

    count = 0

    def read(self, size=-1):
        found = super().read(size)
        Counted.count += len(found)
        return found


@pytest.fixture(scope="module")
def content():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealing, "_ROW_GROUP_ROWS", GROUP)
        parts = seal_parts(LeafKind.INPUT, COLUMNS, KEY_NO, lambda part: KEYS[KEY_NO[part]], b"n" * 12, {"of": "us"})
        file = io.BytesIO()
        write_parquet(parts, file)
    return file.getvalue()


def opened(content):
    return SealedFile(io.BytesIO(content), lambda: Counted(content))


@pytest.mark.parametrize("wanted", [[0], [1_999, 2_000], [5, 5_000, 5_001, 19_999], []])
def test_rows_are_those_of_the_whole_table(content, wanted):
    file, rows = opened(content), np.array(wanted, dtype=np.int64)
    found = file.rows(rows, KEYS[KEY_NO[rows]])
    table = sealing.from_parquet(content)
    whole = unseal(table, KEYS[table.key_no], check=True)
    at = np.searchsorted(whole.rows, rows)
    for name, column in whole.columns.items():
        assert found[name].dtype == column.dtype
        np.testing.assert_array_equal(found[name], column[at])
    assert file.header == {"of": "us"}
    assert file.row_groups_read == len(set(rows // GROUP))


def test_a_column_is_read_for_all_rows_and_empty_for_the_erased(content):
    found = opened(content).column("customer_id", lambda numbers: KEYS[numbers])
    np.testing.assert_array_equal(found, np.where(np.arange(COUNT) == 7, b"", COLUMNS["customer_id"]))


def test_one_row_of_ten_groups_reads_less_than_a_fifth_of_the_file(content):
    file = opened(content)
    Counted.count = 0
    file.rows(np.array([555]), KEYS[KEY_NO[[555]]])
    assert 0 < Counted.count < len(content) / 5


def test_a_row_that_was_altered_after_the_file_was_opened_is_refused(content):
    table = sealing.from_parquet(content)
    at = content.index(table.sealed[555].tobytes())
    altered = bytearray(content)
    altered[at] ^= 1
    file = SealedFile(io.BytesIO(content), lambda: io.BytesIO(bytes(altered)))
    assert file.rows(np.array([554]), KEYS[KEY_NO[[554]]])["account_id"] == b"A-554"
    with pytest.raises(CollectionsError) as caught:
        file.rows(np.array([554, 555]), KEYS[KEY_NO[[554, 555]]])
    assert caught.value.reason is Reason.INTEGRITY_FAILURE
    assert caught.value.violations[0].field == "rows[555]"
