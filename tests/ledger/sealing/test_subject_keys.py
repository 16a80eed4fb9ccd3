"""Keys per account: one each, found again, gone when erased, useless without the master key."""

from contextlib import contextmanager

import numpy as np
import pytest
import sqlalchemy as sa

from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.ledger.objects.parquet import ColumnTable, columns_to_parquet
from collections_opt.ledger.sealing.subject_keys import KeyVault, SubjectKeys
from collections_opt.ledger.store.database import open_database
from collections_opt.ledger.store.schema import subject_directory as directory

VAULT = KeyVault(bytes(range(32)))


def ids(*names):
    return np.array([name.encode() for name in names])


@pytest.fixture
def keys(database_url):
    database = open_database(database_url)
    yield SubjectKeys(database, VAULT)
    database.close()


def test_an_account_keeps_its_key_and_new_ones_get_new_ones(keys):
    first = keys.numbers(ids("b", "a", "b"))
    assert first.tolist() == [1, 0, 1]
    second = keys.numbers(ids("a", "b", "c"))
    assert second.tolist() == [0, 1, 2]
    held = keys.keys(np.array([2, 0, 1, 0]))
    assert held.any(axis=1).all()
    assert (held[1] == held[3]).all()
    assert len(np.unique(held, axis=0)) == 3
    assert (keys.find("c"), keys.find("nobody"), keys.find("")) == (2, None, None)
    assert keys.keys(np.zeros(0, np.int64)).shape == (0, 32)


def test_what_is_wrong_with_keys_and_directory_is_found(keys):
    keys.numbers(ids("a", "b"))
    keys.numbers(ids("c"))
    assert keys.verify([]) == []
    mixed = {"account_id": ids("a", "b"), "key_no": np.array([0, 0])}
    altered = "UPDATE {0} SET {1} = (SELECT {1} FROM {0} WHERE {2})"
    edits = {
        "DELETE FROM subject_key_blocks WHERE first_key_no = 0": "account keys: block 2 where 0 belongs",
        "DELETE FROM subject_key_blocks WHERE first_key_no = 2": "account directory: it does not give every key to one account",
        altered.format("subject_key_blocks", "keys", "first_key_no = 0"): "account keys: block 2 was altered",
        "DELETE FROM subject_directory WHERE segment = 1": "account directory: segment 2 where 1 belongs",
        altered.format("subject_directory", "accounts", "segment = 1"): "account directory: segment 2 was altered",
    }
    for edit, expected in edits.items():
        with keys._database._engine.connect() as connection:
            connection.execute(sa.text(edit))
            assert SubjectKeys(OneConnection(connection), VAULT).verify([]) == [expected], edit
            connection.rollback()
    with keys._database.write() as connection:  # as older code wrote it
        plain = columns_to_parquet(ColumnTable({**mixed, "key_no": np.array([0, 1])}))
        connection.execute(directory.update().where(directory.c.segment == 1), {"accounts": plain})
    assert (keys.verify([]), keys.find("b")) == ([], 1)
    with keys._database.write() as connection:
        keys.erase(connection, np.array([0]))
    assert keys.verify([]) == ["account keys: key 0 is gone without an erasure"]
    assert keys.verify([0]) == []
    with keys._database.write() as connection:
        connection.execute(
            directory.update().where(directory.c.segment == 1), {"accounts": columns_to_parquet(ColumnTable(mixed))}
        )
    assert keys.verify([0]) == ["account directory: it does not give every key to one account"]


class OneConnection:
    """A database whose reads see a transaction that is still open."""

    def __init__(self, connection):
        self._connection = connection

    @contextmanager
    def read(self):
        yield self._connection


def test_blocks_of_many_keys(keys):
    names = np.char.mod(b"%07d", np.arange(9_000)).astype("S7")
    numbers = keys.numbers(names)
    np.testing.assert_array_equal(numbers, np.arange(9_000))
    np.testing.assert_array_equal(keys.numbers(names[::-1]), numbers[::-1])
    held = keys.keys(numbers)
    assert len(np.unique(held, axis=0)) == 9_000
    np.testing.assert_array_equal(keys.keys(numbers[5_000:5_001]), held[5_000:5_001])


def test_an_erased_key_is_gone_and_its_account_starts_anew(keys):
    numbers = keys.numbers(ids("a", "b"))
    before = keys.keys(numbers)
    with keys._database.write() as connection:
        keys.erase(connection, np.array([0]))
    after = keys.keys(numbers)
    assert not after[0].any()
    np.testing.assert_array_equal(after[1], before[1])
    assert keys.find("a") is None
    assert keys.numbers(ids("a", "b")).tolist() == [2, 1]
    with keys._database.read() as connection:
        stored = b"".join(connection.execute(sa.text("SELECT keys FROM subject_key_blocks")).scalars().all())
    assert before[1].tobytes() not in stored  # what rests is encrypted


def test_another_master_key_or_an_altered_block_opens_nothing(keys):
    numbers = keys.numbers(ids("a"))
    other = SubjectKeys(keys._database, KeyVault(bytes(32)))
    with pytest.raises(CollectionsError) as caught:
        other.keys(numbers)
    assert caught.value.reason is Reason.INTEGRITY_FAILURE
