"""What proves a recorded event: its row and salt, and its way to the root of the batch that the log holds a leaf about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa

from collections_opt.ledger.log.merkle import HASH_BYTES, MerkleTree
from collections_opt.ledger.sealing.keystream import NONCE_BYTES, keystream
from collections_opt.ledger.sealing.sealing import SALT_BYTES
from collections_opt.ledger.sealing.subject_keys import SubjectKeys
from collections_opt.ledger.store.database import Store
from collections_opt.ledger.store.schema import day_events as table
from collections_opt.ledger.store.schema import event_batches as batches


@dataclass(frozen=True)
class EventDisclosure:
    """One event opened.

    Attributes:
        batch: the row of its batch, whose canonical JSON the log's leaf holds the digest of.
        index: its place in the batch, 0 first.
        path: hashes to the batch's root, lowest first.
        salt: of its leaf.
        row: its padded JSON.
    """

    batch: dict[str, Any]
    index: int
    path: tuple[bytes, ...]
    salt: bytes
    row: bytes


class EventProofs(Store):
    """Opens events for whoever is to check them."""

    def __init__(self, database: Any, keys: SubjectKeys) -> None:
        super().__init__(database)
        self._keys = keys

    def disclosed(self, sequences: Sequence[int]) -> dict[int, EventDisclosure]:
        """Return events opened, by sequence; those whose key is gone, and unknown ones, are left out."""
        found: dict[int, EventDisclosure] = {}
        trees: dict[int, MerkleTree] = {}
        for sequence in sequences:
            with self._database.read() as connection:
                row = connection.execute(table.select().where(table.c.sequence == sequence)).mappings().first()
                query = batches.select().where(batches.c.first_sequence <= sequence).order_by(batches.c.first_sequence.desc())
                batch = connection.execute(query.limit(1)).mappings().first()
                if row is None or batch is None:
                    continue
                first = int(batch["first_sequence"])
                if first not in trees:
                    trees[first] = _tree(connection, first, int(batch["event_count"]))
                number = row["account_no"] if row["account_no"] >= 0 else row["person_no"]
                keys = self._keys.keys(np.array([number], dtype=np.int64), connection)
            if keys.any():
                path = tuple(trees[first].inclusion_proof(sequence - first))
                found[sequence] = EventDisclosure(dict(batch), sequence - first, path, *_opened(row, keys))
        return found


def _tree(connection: sa.Connection, first: int, count: int) -> MerkleTree:
    query = sa.select(table.c.leaf).where(table.c.sequence.between(first, first + count - 1)).order_by(table.c.sequence)
    leaves = b"".join(bytes(leaf) for leaf in connection.execute(query).scalars())
    return MerkleTree(np.frombuffer(leaves, dtype=np.uint8).reshape(-1, HASH_BYTES))


def _opened(row: Any, keys: Any) -> tuple[bytes, bytes]:
    """Return salt and row of an event."""
    sealed, nonce = bytes(row["sealed"]), np.frombuffer(bytes(row["nonce"]), dtype=np.uint8).reshape(1, NONCE_BYTES)
    stream = keystream(keys, nonce, SALT_BYTES + len(sealed))[0]
    return stream[:SALT_BYTES].tobytes(), np.bitwise_xor(np.frombuffer(sealed, np.uint8), stream[SALT_BYTES:]).tobytes()
