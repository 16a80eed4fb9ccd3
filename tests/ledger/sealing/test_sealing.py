"""Sealed tables: what was sealed comes back, an erased key takes its row and nothing else, no altered byte passes."""

import io
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.ledger.log.merkle import MerkleTree, check_inclusion, leaf_hash
from collections_opt.ledger.objects.parquet import ColumnTable, columns_to_parquet
from collections_opt.ledger.sealing import sealing as module
from collections_opt.ledger.sealing.sealing import LeafKind, disclose, from_parquet, seal, to_parquet, unseal

NONCE = b"twelve bytes"


def made(count, seed=0):
    rng = np.random.default_rng(seed)
    columns = {
        "account_id": np.array([f"A{i:05d}" for i in range(count)], dtype="S12"),
        "state": rng.choice(np.array([b"US-NY", b"TW"], dtype="S5"), count),
        "balance": rng.integers(-5, 2**31, count),
        "flag": rng.random(count) < 0.5,
    }
    keys = rng.integers(1, 256, (count, 32), dtype=np.uint8)
    return columns, keys, seal(LeafKind.INPUT, columns, np.arange(count), keys, NONCE, {"a": "b"}, ("state",))


@settings(deadline=None)
@given(st.integers(0, 40), st.data())
def test_rows_come_back_and_an_erased_key_takes_only_its_own(count, data):
    columns, keys, table = made(count)
    stored = from_parquet(to_parquet(table))
    assert to_parquet(stored) == to_parquet(table)
    erased = np.array(data.draw(st.lists(st.booleans(), min_size=count, max_size=count)), dtype=bool)
    left = np.where(erased[:, np.newaxis], 0, keys).astype(np.uint8)
    opened = unseal(stored, left, check=True)
    np.testing.assert_array_equal(opened.rows, np.flatnonzero(~erased))
    for name, column in columns.items():
        assert opened.columns[name].tobytes() == column[~erased].tobytes()
    assert MerkleTree(stored.leaves).root == MerkleTree(table.leaves).root
    assert stored.header == {"a": "b"}


@pytest.mark.parametrize("count", [0, 1, 7, 8, 30])
def test_a_table_that_is_never_whole_in_memory_has_the_same_bytes(count, monkeypatch):
    monkeypatch.setattr(module, "_ROW_GROUP_ROWS", 7)
    monkeypatch.setattr(module, "_BLOCK_ROWS", 3)
    columns, keys, table = made(count)
    parts = module.seal_parts(LeafKind.INPUT, columns, np.arange(count), lambda part: keys[part], NONCE, {"a": "b"}, ("state",))
    written = io.BytesIO()
    module.write_parquet(parts, written)
    assert written.getvalue() == to_parquet(table)
    assert pq.ParquetFile(written).num_row_groups == max(1, -(-count // 7))


def test_a_disclosed_row_is_a_leaf_of_the_tree():
    _, keys, table = made(9)
    tree = MerkleTree(table.leaves)
    for row in range(9):
        shown = disclose(table, row, keys[row])
        assert shown.row.startswith(f"A{row:05d}".encode())
        assert check_inclusion(leaf_hash(shown.leaf), row, 9, tree.inclusion_proof(row), tree.root)


def test_equal_rows_do_not_look_equal():
    columns = {"account_id": np.array([b"same"] * 2)}
    keys = np.random.default_rng(0).integers(1, 256, (2, 32), dtype=np.uint8)
    table = seal(LeafKind.INPUT, columns, np.arange(2), keys, NONCE, {})
    assert (table.leaves[0] != table.leaves[1]).any()
    assert (table.sealed[0] != table.sealed[1]).any()
    again = seal(LeafKind.DECIDED, columns, np.arange(2), keys, NONCE, {})
    assert (again.leaves != table.leaves).any(axis=1).all()


@pytest.mark.parametrize("part", ["sealed", "leaves", "keys"])
def test_no_flipped_bit_passes_the_check(part):
    _, keys, table = made(3)
    whole = {"sealed": table.sealed, "leaves": table.leaves, "keys": keys}[part]
    for place in np.ndindex(whole.shape):
        altered = whole.copy()
        altered[place] ^= 1
        changed = table if part == "keys" else replace(table, **{part: altered})
        with pytest.raises(CollectionsError) as caught:
            unseal(changed, altered if part == "keys" else keys, check=True)
        assert caught.value.violations[0].field == f"rows[{place[0]}]"


def test_other_parquet_is_refused():
    with pytest.raises(CollectionsError) as caught:
        from_parquet(columns_to_parquet(ColumnTable({"balance": np.arange(3)})))
    assert caught.value.reason is Reason.SCHEMA_MISMATCH
