"""Objects keep their bytes, and Parquet keeps columns exactly."""

import hashlib

import numpy as np
import pytest

from collections_opt.core.admission import admit
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.datasets.credit_card import load_accounts, snapshot
from collections_opt.ledger.objects import FolderObjectStore
from collections_opt.ledger.parquet import entries_to_parquet, parquet_to_entries, parquet_to_portfolio, portfolio_to_parquet
from tests.core.test_comparison import entries_of


def test_objects_are_named_by_content_and_read_back(tmp_path):
    store = FolderObjectStore(tmp_path)
    digest = store.put(b"content")
    assert store.put(b"content") == digest
    assert store.get(digest) == b"content"
    assert len([p for p in tmp_path.rglob("*") if p.is_file()]) == 1


@pytest.mark.parametrize("damage", [lambda p: p.write_bytes(b"other"), lambda p: p.unlink()])
def test_damaged_or_missing_objects_are_refused(tmp_path, damage):
    store = FolderObjectStore(tmp_path)
    digest = store.put(b"content")
    damage(next(p for p in tmp_path.rglob("*") if p.is_file()))
    with pytest.raises(CollectionsError) as caught:
        store.get(digest)
    assert caught.value.reason is Reason.INTEGRITY_FAILURE


def test_only_digests_name_objects(tmp_path):
    with pytest.raises(CollectionsError):
        FolderObjectStore(tmp_path).get("../../etc/passwd")


def test_a_real_portfolio_survives_parquet_to_the_bit():
    portfolio = admit(snapshot(load_accounts(), 8).raw).portfolio
    content = portfolio_to_parquet(portfolio)
    again = parquet_to_portfolio(content)
    assert again.digest == portfolio.digest
    assert hashlib.sha256(portfolio_to_parquet(again)).digest() == hashlib.sha256(content).digest()


def test_entries_survive_parquet_to_the_bit():
    entries = entries_of([0, 1, -1])
    again = parquet_to_entries(entries_to_parquet(entries))
    assert again.digest == entries.digest
    np.testing.assert_array_equal(again.queue, entries.queue)
