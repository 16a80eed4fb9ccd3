"""Sealed tables: what was sealed comes back, an erased key takes its row and nothing else, no altered byte passes."""

import io
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.ledger.log.merkle import MerkleTree, hash_rows, leaf_hash
from collections_opt.ledger.objects.parquet import ColumnTable, columns_to_parquet
from collections_opt.ledger.sealing import sealing as module
from collections_opt.ledger.sealing.keystream import keystream, row_nonces
from collections_opt.ledger.sealing.sealing import LeafKind, disclose, from_parquet, seal, unseal, write_parquet
from tests.support.ledger.inclusion import check_inclusion
from tests.support.ledger.packed import pack

NONCE = b"twelve bytes"


def to_parquet(table):
    buffer = io.BytesIO()
    write_parquet([table], buffer)
    return buffer.getvalue()


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


def streams_of_one_account(count, seed, kind=LeafKind.FINDING):
    """Seal rows that all concern one account; return the stream under each row, found as who knows the rows finds it."""
    rng = np.random.default_rng(seed)
    columns = {"account_id": np.array([b"same"] * count), "value": rng.integers(-(2**60), 2**60, count)}
    key = np.broadcast_to(rng.integers(1, 256, 32, dtype=np.uint8), (count, 32))
    table = seal(kind, columns, np.zeros(count, np.int64), key, rng.bytes(12), {})
    _, plain = pack(columns)
    return table, plain, table.sealed ^ plain


def assert_no_stream_twice(table, plain, streams):
    """What two sealed rows have in common by XOR is never what the rows have in common, and no stream or leaf comes twice."""
    assert len(np.unique(streams, axis=0)) == len(streams)
    assert len(np.unique(table.leaves, axis=0)) == len(streams)
    for row in range(1, len(plain)):
        others = np.arange(row)
        assert not ((table.sealed[others] ^ table.sealed[row]) == (plain[others] ^ plain[row])).all(axis=1).any()


@settings(deadline=None, max_examples=30)
@given(st.sampled_from([2, 3, 63, 64, 65, 130]), st.integers(0, 2**32 - 1), st.sampled_from(LeafKind))
def test_rows_of_one_account_never_share_a_stream(count, seed, kind):
    assert_no_stream_twice(*streams_of_one_account(count, seed, kind))


def test_parts_of_a_table_never_share_a_stream(monkeypatch):
    monkeypatch.setattr(module, "_ROW_GROUP_ROWS", 70)
    monkeypatch.setattr(module, "_BLOCK_ROWS", 33)
    assert_no_stream_twice(*streams_of_one_account(200, 5))


@pytest.mark.parametrize("count", [2, 130])
def test_one_nonce_for_all_rows_would_be_noticed(count, monkeypatch):
    """The planted bug is version 1 of the format: rows of one account under one stream."""
    monkeypatch.setattr(module, "row_nonces", lambda nonce, rows: np.tile(np.frombuffer(nonce, np.uint8), (len(rows), 1)))
    with pytest.raises(AssertionError):
        assert_no_stream_twice(*streams_of_one_account(count, 1))


def test_a_block_counted_anew_would_be_noticed(monkeypatch):
    """Another planted bug: rows numbered within their block, so that blocks repeat each other's nonces."""
    monkeypatch.setattr(module, "_BLOCK_ROWS", 33)
    monkeypatch.setattr(module, "row_nonces", lambda nonce, rows: row_nonces(nonce, rows % 33))
    with pytest.raises(AssertionError):
        assert_no_stream_twice(*streams_of_one_account(100, 1))


def test_rows_that_change_places_are_found_even_under_one_key():
    table, _, _ = streams_of_one_account(3, 7)
    order = np.array([1, 0, 2])
    changed = replace(table, sealed=table.sealed[order], leaves=table.leaves[order])
    key = np.random.default_rng(7)
    key.integers(-(2**60), 2**60, 3)
    keys = np.broadcast_to(key.integers(1, 256, 32, dtype=np.uint8), (3, 32))
    unseal(table, keys, check=True)
    with pytest.raises(CollectionsError):
        unseal(changed, keys, check=True)


def test_tables_of_version_1_are_read_and_keep_their_bytes():
    columns, keys, table = made(70)
    layout, rows = pack(columns, ("state",))
    stream = keystream(keys, NONCE, 16 + layout.width)
    leaf = np.hstack([np.broadcast_to(np.array([0, LeafKind.INPUT], np.uint8), (70, 2)), stream[:, :16], rows])
    old = replace(table, sealed=rows ^ stream[:, 16:], leaves=hash_rows(np.ascontiguousarray(leaf)), version=1)
    stored = from_parquet(to_parquet(old))
    assert stored.version == 1
    assert to_parquet(stored) == to_parquet(old)
    for name, column in columns.items():
        assert unseal(stored, keys, check=True).columns[name].tobytes() == column.tobytes()
    assert disclose(stored, 69, keys[69]).row == rows[69].tobytes()
    with pytest.raises(CollectionsError):
        unseal(replace(stored, version=2), keys, check=True)


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
