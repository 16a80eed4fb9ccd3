"""One random key per account, kept apart from everything it seals: deleting the key erases what it sealed, in every copy.

Keys and the directory that finds them are the only tables in which anything is ever overwritten. Both rest encrypted with
AES-256-GCM under a master key that is not in the database, so that neither a copy of the database nor one of the objects
opens anything by itself, and who changes them without the master key is found. Segments of the directory that older code wrote
stand in the clear until an erasure rewrites them.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from numpy.typing import NDArray

from collections_opt.core.arrays import Array
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.ledger.objects.parquet import ColumnTable, columns_to_parquet, parquet_to_columns
from collections_opt.ledger.sealing.keystream import KEY_BYTES
from collections_opt.ledger.store.database import Database
from collections_opt.ledger.store.schema import subject_directory as directory
from collections_opt.ledger.store.schema import subject_key_blocks as blocks

_BLOCK_KEYS = 4_096
_NONCE_BYTES = 12
_BLOCK, _SEGMENT = b"subject-keys/%d", b"subject-directory/%d"
_IN_THE_CLEAR = b"PAR1"
_FEW_KEYS = 64
_ERASURES = sa.text("SELECT COUNT(*) FROM log_entries WHERE kind = 'erasure'")
Ids = NDArray[np.bytes_]
Numbers = NDArray[np.int64]
RandomBytes = Callable[[int], bytes]
"""Returns that many bytes nobody can guess."""


@dataclass(frozen=True)
class KeyVault:
    """What protects keys at rest and where new ones come from.

    Attributes:
        master_key: 32 bytes, kept outside the database and its backups.
        random_bytes: source of keys and nonces; another than the default is for tests.
    """

    master_key: bytes
    random_bytes: RandomBytes = secrets.token_bytes


class SubjectKeys:
    """The keys of all accounts ever imported, by number; numbers are given in order of first sight and never again."""

    def __init__(self, database: Database, vault: KeyVault) -> None:
        self._database = database
        self._cipher = AESGCM(vault.master_key)
        self._random = vault.random_bytes
        self._tag_key = hmac.digest(vault.master_key, b"collections-opt/person", "sha256")
        self._lock = threading.Lock()
        self._held: tuple[int, dict[int, NDArray[np.uint8]]] = (-1, {})
        self._seen: tuple[int, dict[int, Mapping[str, Array]]] = (-1, {})

    def random(self, count: int) -> bytes:
        """Return bytes nobody can guess."""
        return self._random(count)

    def tag(self, text: str) -> str:
        """Return what stands for a person where the name must not: the same for the same text, and nothing without the key."""
        return hmac.digest(self._tag_key, text.encode(), "sha256")[:16].hex()

    def nonce(self) -> bytes:
        """Return 12 bytes for a new table."""
        return self._random(_NONCE_BYTES)

    def numbers(self, account_ids: Ids) -> Numbers:
        """Return the key number of each account, int64 (n,); an account seen for the first time gets a new key."""
        unique, inverse = _unique(account_ids)
        numbers = self.known_numbers(unique)
        if (numbers < 0).any():
            with self._database.write() as connection:
                numbers = self._looked_up(connection, unique)
                missing = np.flatnonzero(numbers < 0)
                numbers[missing] = self._add(connection, unique[missing])
        return numbers if inverse is None else numbers[inverse]

    def find(self, account_id: str) -> int | None:
        """Return the key number of an account, None for one never seen or erased."""
        number = int(self.known_numbers(np.array([account_id.encode() or b"\0"]))[0])
        return None if number < 0 else number

    def account_within(self, connection: sa.Connection, number: int, erasures: int) -> str:
        """Return the account of a key number, "" for one that was erased or never given, within a transaction."""
        with self._lock:
            held = list(self._seen[1].values()) if self._seen[0] == erasures else []
        found = _account_in(held, number)
        return found or _account_in(self._opened_segments(connection, True, erasures), number)

    def known_numbers(self, account_ids: Ids) -> Numbers:
        """Return the key number of each account, int64 (n,); -1 for one never seen or erased."""
        with self._database.read() as connection:
            return self._looked_up(connection, account_ids, remember=True)

    def numbers_within(self, connection: sa.Connection, account_ids: Ids, erasures: int) -> Numbers:
        """Return the key number of each account, int64 (n,), -1 for one never seen or erased, in a transaction that gives none.

        Args:
            connection: of the transaction.
            account_ids: the accounts.
            erasures: how many erasures there were.
        """
        return self._looked_up(connection, account_ids, True, erasures)

    def known(self) -> tuple[Ids, Numbers]:
        """Return every account that was not erased, with its key number, int64 (n,)."""
        with self._database.read() as connection:
            segments = [columns for _, columns in self._segments(connection)]
        if not segments:
            return np.zeros(0, "S1"), np.zeros(0, np.int64)
        accounts, numbers = (np.concatenate([segment[name] for segment in segments]) for name in ("account_id", "key_no"))
        return accounts, numbers

    def keys(self, numbers: Numbers, connection: sa.Connection | None = None, erasures: int | None = None) -> NDArray[np.uint8]:
        """Return keys by number, uint8 (n, 32); zeros for an erased one; within a transaction where one is given.

        Args:
            numbers: of the keys, int64 (n,).
            connection: of the transaction.
            erasures: how many erasures there were, where the transaction knows.

        Raises:
            CollectionsError: INTEGRITY_FAILURE when stored keys were altered or sealed under another master key.
        """
        if numbers.size <= _FEW_KEYS:
            with nullcontext(connection) if connection is not None else self._database.read() as opened:
                return self._few_keys(opened, numbers.tolist(), erasures)
        return self._read_keys(numbers)

    def _few_keys(self, connection: sa.Connection, numbers: list[int], erasures: int | None) -> NDArray[np.uint8]:
        """Return keys of a few accounts, from blocks that stay in memory until somebody is erased."""
        if erasures is None:
            erasures = int(connection.execute(_ERASURES).scalar_one())
        with self._lock:
            if self._held[0] != erasures:
                self._held = (erasures, {})
            held = self._held[1]
            return np.array([self._key(connection, held, number) for number in numbers], np.uint8).reshape(-1, KEY_BYTES)

    def _key(self, connection: sa.Connection, held: dict[int, NDArray[np.uint8]], number: int) -> NDArray[np.uint8]:
        """Return one key; zeros for an erased one, and for a number that was never given."""
        first = max((each for each in held if each <= number), default=None)
        if first is None or number >= first + len(held[first]):
            last = blocks.select().where(blocks.c.first_key_no <= number).order_by(blocks.c.first_key_no.desc()).limit(1)
            row = connection.execute(last).first()
            if row is None:
                return np.zeros(KEY_BYTES, np.uint8)
            first = int(row[0])
            held[first] = self._unwrapped(first, row[1])
        block = held[first]
        return block[number - first] if number < first + len(block) else np.zeros(KEY_BYTES, np.uint8)

    def _read_keys(self, numbers: Numbers) -> NDArray[np.uint8]:
        wanted = blocks.c.first_key_no.between(int(numbers.min()) - _BLOCK_KEYS + 1, int(numbers.max()))
        keys = np.zeros((numbers.size, KEY_BYTES), np.uint8)
        order = np.argsort(numbers, kind="stable")
        ascending = numbers[order]
        with self._database.read() as connection:
            for first, content in connection.execute(sa.select(blocks).where(wanted)):
                block = self._unwrapped(first, content)
                start, stop = np.searchsorted(ascending, [first, first + len(block)])
                held = order[start:stop]
                keys[held] = block[numbers[held] - first]
        return keys

    def erase(self, connection: sa.Connection, numbers: Numbers) -> None:
        """Overwrite keys with zeros and strike their accounts from the directory, within a transaction."""
        with self._lock:
            self._held, self._seen = (-1, {}), (-1, {})
        numbers = np.sort(numbers)
        for first, content in connection.execute(sa.select(blocks)).all():
            block = self._unwrapped(first, content)
            start, end = np.searchsorted(numbers, [first, first + len(block)])
            hit = numbers[start:end] - first
            if hit.size:
                block[hit] = 0
                wrapped = self._wrapped(first, block)
                connection.execute(blocks.update().where(blocks.c.first_key_no == first), {"keys": wrapped})
        for segment, columns in list(self._segments(connection)):
            kept = ~np.isin(columns["key_no"], numbers)
            if not kept.all():
                changed = {"accounts": self._sealed(segment, {name: column[kept] for name, column in columns.items()})}
                connection.execute(directory.update().where(directory.c.segment == segment), changed)

    def seal_anew(self, connection: sa.Connection, vault: KeyVault) -> None:
        """Seal every key and the directory under another master key, within a transaction; what was erased stays so."""
        other = SubjectKeys(self._database, vault)
        for first, content in connection.execute(sa.select(blocks)).all():
            wrapped = other._wrapped(first, self._unwrapped(first, content))
            connection.execute(blocks.update().where(blocks.c.first_key_no == first), {"keys": wrapped})
        for segment, columns in list(self._segments(connection)):
            sealed = {"accounts": other._sealed(segment, columns)}
            connection.execute(directory.update().where(directory.c.segment == segment), sealed)

    def verify(self, erased: Collection[int]) -> list[str]:
        """Return what is wrong with keys and directory, in words; empty when every account has one key and every key one account.

        Args:
            erased: numbers of the keys whose erasure was recorded.
        """
        held, known, count = np.zeros(0, dtype=np.bool_), np.zeros(0, dtype=np.int64), 0
        accounts: set[bytes] = set()
        with self._database.read() as connection:
            for first, content in connection.execute(sa.select(blocks).order_by(blocks.c.first_key_no)):
                if first != held.size:
                    return [f"account keys: block {first} where {held.size} belongs"]
                try:
                    held = np.concatenate([held, self._unwrapped(first, content).any(axis=1)])
                except CollectionsError:
                    return [f"account keys: block {first} was altered"]
            for place, (segment, content) in enumerate(connection.execute(sa.select(directory).order_by(directory.c.segment)), 1):
                if segment != place:
                    return [f"account directory: segment {segment} where {place} belongs"]
                try:
                    columns = self._opened(segment, content)
                    known = np.concatenate([known, columns["key_no"]])
                except (CollectionsError, OSError, ValueError, LookupError):
                    return [f"account directory: segment {segment} was altered"]
                accounts.update(columns["account_id"].tolist())
                count += len(columns["account_id"])
        if len(accounts) < count or not np.array_equal(np.sort(known), np.flatnonzero(held)):
            return ["account directory: it does not give every key to one account"]
        lost = np.setdiff1d(np.flatnonzero(~held), np.array(list(erased), dtype=np.int64))
        return [f"account keys: key {lost[0]} is gone without an erasure"] if lost.size else []

    def _add(self, connection: sa.Connection, accounts: Ids) -> Numbers:
        if not accounts.size:
            return np.zeros(0, np.int64)
        last = connection.execute(sa.select(blocks).order_by(blocks.c.first_key_no.desc()).limit(1)).first()
        first = 0 if last is None else int(last[0]) + len(self._unwrapped(*last))
        keys = np.frombuffer(self._random(KEY_BYTES * accounts.size), np.uint8).reshape(-1, KEY_BYTES)
        for start in range(0, len(keys), _BLOCK_KEYS):  # one by one: a list of all blocks would be a second copy of the keys
            block = {"first_key_no": first + start, "keys": self._wrapped(first + start, keys[start : start + _BLOCK_KEYS])}
            connection.execute(blocks.insert(), block)
        del keys
        numbers = np.arange(first, first + accounts.size, dtype=np.int64)
        segment = 1 + int(connection.execute(sa.select(sa.func.coalesce(sa.func.max(directory.c.segment), 0))).scalar_one())
        content = self._sealed(segment, {"account_id": accounts, "key_no": numbers})
        connection.execute(directory.insert(), {"segment": segment, "accounts": content})
        return numbers

    def _looked_up(
        self, connection: sa.Connection, accounts: Ids, remember: bool = False, erasures: int | None = None
    ) -> Numbers:
        numbers = np.full(accounts.size, -1, dtype=np.int64)
        for columns in self._opened_segments(connection, remember, erasures):
            known = columns["account_id"]
            if not known.size:
                continue
            if known.size == accounts.size and bool((known == accounts).all()):
                return columns["key_no"].copy()
            at = np.minimum(np.searchsorted(known, accounts), known.size - 1)
            found = known[at] == accounts
            numbers[found] = columns["key_no"][at[found]]
        return numbers

    def _opened_segments(
        self, connection: sa.Connection, remember: bool, erasures: int | None = None
    ) -> list[Mapping[str, Array]]:
        """Return the segments in order, those opened before from memory until somebody is erased.

        Only what is committed may be remembered: a segment of a transaction that is undone would be another's number.
        """
        if erasures is None:
            erasures = int(connection.execute(_ERASURES).scalar_one())
        with self._lock:
            held = dict(self._seen[1]) if self._seen[0] == erasures else {}
        newer = sa.select(directory).where(directory.c.segment > max(held, default=0)).order_by(directory.c.segment)
        found = {segment: self._opened(segment, content) for segment, content in connection.execute(newer)}
        if found and remember:
            with self._lock:
                self._seen = (erasures, {**held, **found})
        return [*held.values(), *found.values()]

    def _segments(self, connection: sa.Connection) -> Iterator[tuple[int, Mapping[str, Array]]]:
        """Yield the segments of the directory in order: account_id (n,), sorted, and key_no (n,)."""
        for segment, content in connection.execute(sa.select(directory).order_by(directory.c.segment)):
            yield segment, self._opened(segment, content)

    def _sealed(self, segment: int, columns: Mapping[str, Array]) -> bytes:
        return self._encrypted(columns_to_parquet(ColumnTable(columns)), _SEGMENT % segment)

    def _opened(self, segment: int, content: bytes) -> Mapping[str, Array]:
        plain = content if content.startswith(_IN_THE_CLEAR) else self._decrypted(content, _SEGMENT % segment)
        return parquet_to_columns(plain).columns

    def _wrapped(self, first: int, keys: NDArray[np.uint8]) -> bytes:
        return self._encrypted(keys.tobytes(), _BLOCK % first)

    def _unwrapped(self, first: int, content: bytes) -> NDArray[np.uint8]:
        return np.frombuffer(bytearray(self._decrypted(content, _BLOCK % first)), np.uint8).reshape(-1, KEY_BYTES)

    def _encrypted(self, content: bytes, place: bytes) -> bytes:
        nonce = self._random(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, place)

    def _decrypted(self, content: bytes, place: bytes) -> bytes:
        """Return what was encrypted for this place, so that no content can take another's."""
        try:
            return self._cipher.decrypt(content[:_NONCE_BYTES], content[_NONCE_BYTES:], place)
        except (InvalidTag, ValueError) as error:
            table, _, number = place.decode().partition("/")
            part = f"part {number} of the account {table.removeprefix('subject-')}"
            raise refuse(
                Reason.INTEGRITY_FAILURE,
                table.replace("-", "_"),
                f"{part} was altered, or the master key is another.",
                "Restore it from a backup, or the key file that belongs to this database.",
            ) from error


def _account_in(segments: Iterable[Mapping[str, Array]], number: int) -> str:
    for columns in segments:
        numbers = columns["key_no"]  # they were given in order, and what is left after an erasure still rises
        at = int(np.searchsorted(numbers, number))
        if at < numbers.size and numbers[at] == number:
            return bytes(columns["account_id"][at]).decode()
    return ""


def _unique(ids: Ids) -> tuple[Ids, Numbers | None]:
    """Return distinct ids in order, and where each stands among them (None when nothing had to be done)."""
    if ids.size < 2 or bool((ids[:-1] < ids[1:]).all()):
        return ids, None
    unique, inverse = np.unique(ids, return_inverse=True)
    return unique, inverse.astype(np.int64)
