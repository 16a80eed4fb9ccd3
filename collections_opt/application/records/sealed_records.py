"""Portfolios, quarantines and entries as sealed objects: stored under their accounts' keys, read back without the erased ones."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.admission import Quarantine
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.arrays import Array
from collections_opt.core.ranking.ranking import Entries
from collections_opt.core.value.outcomes import PROBABILITY_SCALE
from collections_opt.ledger.events.event_log import EventLog
from collections_opt.ledger.events.stored_events import PERSON
from collections_opt.ledger.log.merkle import MerkleTree
from collections_opt.ledger.objects.folder import ObjectStore
from collections_opt.ledger.sealing.account_rows import AccountRows, portfolio_of
from collections_opt.ledger.sealing.freed_memory import give_back
from collections_opt.ledger.sealing.sealing import (
    LeafKind,
    SealedTable,
    from_parquet,
    header_of_parquet,
    seal,
    seal_parts,
    unseal,
    write_parquet,
)
from collections_opt.ledger.sealing.some_rows import SealedFile
from collections_opt.ledger.sealing.subject_keys import SubjectKeys
from collections_opt.ledger.store.database import Database

_CODES = ("product", "state", "time_zone")
_FINDING_TEXTS = ("account_id", "field", "value", "rule", "remedy")
_SOURCE = "column"
_RULE = "rule"
_DERIVATION = "derived_from"
_KEPT_DERIVATIONS = 63
_MANY_ROWS = 100_000
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class StoredTable:
    """A sealed table in the object store: the digest that names it, and the table for its leaves and layout."""

    digest: str
    table: SealedTable


@dataclass(frozen=True)
class StoredPortfolio:
    """A portfolio as it can still be read.

    Attributes:
        portfolio: its accounts without the erased ones.
        rows: int64 (n,) row of each in the sealed table.
        key_no: int64 (n,) number of each one's key.
        leaf_count: rows of the sealed table, erased ones among them.
        root: root over the leaves of the sealed table.
        derivation: JSON of what it was derived from, "" for one that was imported.
    """

    portfolio: Portfolio
    rows: Numbers
    key_no: Numbers
    leaf_count: int
    root: bytes
    derivation: str = ""


@dataclass(frozen=True)
class StoredEntries:
    """Entries as they can still be read.

    Attributes:
        entries: one per account that was not erased.
        rule: uint8 (n,) code of the rule that left an account without queue, 0 for none.
        rows: int64 (n,) row of each in the sealed table.
        erased_count: accounts that were erased since.
    """

    entries: Entries
    rule: NDArray[np.uint8]
    rows: Numbers
    erased_count: int


@dataclass(frozen=True)
class StoredOutcomes:
    """What became of accounts, by column, as it can still be read, and int64 (n,) row of each in the sealed table."""

    columns: Mapping[str, Array]
    rows: Numbers


Stored = TypeVar("Stored", StoredPortfolio, StoredEntries, StoredOutcomes, AccountRows)


class SealedRecords:
    """Seals what belongs to accounts and opens what is left of it; the last portfolio and the last entries stay in memory.

    Args:
        objects: where sealed tables live.
        keys: the keys of accounts.
        erasure_count: how many erasures there were; what was opened before the last one is never served again.
    """

    def __init__(self, objects: ObjectStore, keys: SubjectKeys, erasure_count: Callable[[], int]) -> None:
        self._objects = objects
        self._keys = keys
        self._erasure_count = erasure_count
        self._lock = threading.Lock()
        self._last: dict[type, tuple[tuple[str, int], Any]] = {}
        self._derivations: dict[str, str] = {}

    def put_portfolio(self, portfolio: Portfolio, derivation: str = "") -> str:
        """Seal and store the accepted accounts, a part at a time, with what they were derived from; return the table's digest."""
        columns = {**portfolio.columns, **{f"{name}?": mask for name, mask in portfolio.present.items()}}
        header = {
            "as_of_date": portfolio.as_of_date.isoformat(),
            "time_zone": portfolio.time_zone,
            "currency_code": portfolio.currency_code,
        }
        if derivation:
            header[_DERIVATION] = derivation
        if portfolio.own is not None:  # texts of categories are sealed with their rows: some may tell whose they are
            columns |= portfolio.own.plain()
            header["own_columns"] = portfolio.own.header()
        key_no = self._keys.numbers(portfolio.column("account_id"))

        def keys_of(part: slice) -> NDArray[np.uint8]:
            return self._keys.keys(key_no[part])

        parts = seal_parts(LeafKind.INPUT, columns, key_no, keys_of, self._keys.nonce(), header, _CODES)
        return self._objects.put_written(lambda file: write_parquet(parts, file))

    def portfolio(self, digest: str) -> StoredPortfolio:
        """Return a stored portfolio without its erased accounts.

        Raises:
            CollectionsError: INTEGRITY_FAILURE when the object or the keys are damaged.
        """
        return self._remembered(StoredPortfolio, digest, self._read_portfolio)

    def _read_portfolio(self, digest: str) -> StoredPortfolio:
        table, rows, columns = self._open(digest)
        portfolio, derivation = portfolio_of(table.header, columns), table.header.get(_DERIVATION, "")
        return StoredPortfolio(portfolio, rows, table.key_no[rows], table.row_count, MerkleTree(table.leaves).root, derivation)

    def account_rows(self, digest: str) -> AccountRows:
        """Return what reads single accounts of a stored portfolio; the last one stays in memory, which is small.

        Raises:
            CollectionsError: INTEGRITY_FAILURE when the object is damaged.
        """
        return self._remembered(AccountRows, digest, self._read_account_rows)

    def _read_account_rows(self, digest: str) -> AccountRows:
        with self._objects.open(digest) as file:
            return AccountRows(SealedFile(file, lambda: self._objects.open(digest, check=False)), self._keys)

    def derivation(self, digest: str) -> str:
        """Return the JSON of what a stored portfolio was derived from, "" for one that was imported; its accounts stay sealed."""
        with self._lock:
            known = self._derivations.get(digest)
        if known is None:
            known = header_of_parquet(self._objects.get(digest)).get(_DERIVATION, "")
            with self._lock:
                self._derivations = {**dict(list(self._derivations.items())[-_KEPT_DERIVATIONS:]), digest: known}
        return known

    def put_quarantine(self, quarantine: Quarantine) -> StoredTable:
        """Seal and store the findings about refused rows."""
        columns = {**_finding_columns(quarantine), "line": quarantine.line, _SOURCE: _text(quarantine.column)}
        key_no = self._keys.numbers(columns["account_id"])
        return self._put(LeafKind.FINDING, columns, key_no, {}, ("field", "rule", "remedy", _SOURCE))

    def quarantine(self, digest: str) -> Quarantine:
        """Return the findings about refused rows that were not erased."""
        _, _, columns = self._open(digest)
        texts = [tuple(value.decode() for value in columns[name].tolist()) for name in _FINDING_TEXTS]
        account_id, field, value, rule, remedy = texts
        found = Quarantine(columns["row"], account_id, field, value, rule, remedy)
        if _SOURCE not in columns:  # recorded before lines were
            return found
        return replace(found, line=columns["line"], column=tuple(value.decode() for value in columns[_SOURCE].tolist()))

    def put_entries(self, entries: Entries, rule: NDArray[np.uint8], key_no: Numbers) -> StoredTable:
        """Seal and store what was decided for every accepted account; p_stay follows from the other two and is not kept."""
        columns = {name: column for name, column in entries.columns().items() if name != "p_stay_nano"}
        return self._put(LeafKind.DECIDED, {**columns, _RULE: rule}, key_no, {})

    def entries(self, digest: str, table: SealedTable | None = None) -> StoredEntries:
        """Return stored entries without those of erased accounts; ``table`` is the sealed one, where it was read before.

        Raises:
            CollectionsError: INTEGRITY_FAILURE when the object or the keys are damaged.
        """
        return self._remembered(StoredEntries, digest, lambda named: self._unsealed_entries(table or self.table(named)))

    def _unsealed_entries(self, sealed: SealedTable) -> StoredEntries:
        table, rows, columns = self._unsealed(sealed)
        rule = columns.pop(_RULE)
        columns["p_stay_nano"] = PROBABILITY_SCALE - columns["p_cure_nano"] - columns["p_default_nano"]
        return StoredEntries(Entries(**columns), rule, rows, table.row_count - rows.size)

    def put_refusals(self, quarantine: Quarantine) -> StoredTable:
        """Seal and store one leaf per refused row: its first finding."""
        _, first = np.unique(quarantine.row, return_index=True)
        columns = {name: column[first] for name, column in _finding_columns(quarantine).items() if name != "remedy"}
        key_no = self._keys.numbers(columns["account_id"])
        return self._put(LeafKind.QUARANTINED, columns, key_no, {}, ("field", "rule"))

    def put_outcomes(self, columns: Mapping[str, Array]) -> str:
        """Seal and store rows about accounts, one per ``account_id``; return the digest of the table."""
        return self._put(LeafKind.OUTCOME, columns, self._keys.numbers(columns["account_id"]), {}).digest

    def put_shadow(self, columns: Mapping[str, Array], key_no: Numbers) -> str:
        """Seal and store what a challenger said of the accounts of a ranking, in their order; return the digest of the table."""
        return self._put(LeafKind.SHADOWED, columns, key_no, {}).digest

    def shadow(self, digest: str) -> dict[str, Array]:
        """Return such rows without those of erased accounts, by column."""
        return self._open(digest)[2]

    def outcomes(self, digest: str) -> dict[str, Array]:
        """Return such rows without those of erased accounts, by column; the last ones read stay in memory."""
        return dict(self._remembered(StoredOutcomes, digest, self._read_outcomes).columns)

    def _read_outcomes(self, digest: str) -> StoredOutcomes:
        _, rows, columns = self._open(digest)
        return StoredOutcomes(columns, rows)

    def table(self, digest: str) -> SealedTable:
        """Return a sealed table unopened."""
        return from_parquet(self._objects.get(digest))

    def keys_of(self, table: SealedTable) -> NDArray[np.uint8]:
        """Return the key of every row, uint8 (n, 32); zeros for erased ones."""
        return self._keys.keys(table.key_no)

    def keys_of_numbers(self, numbers: Numbers) -> NDArray[np.uint8]:
        """Return keys by number, uint8 (n, 32); zeros for erased ones."""
        return self._keys.keys(numbers)

    def has_keys_of(self, account_id: NDArray[np.bytes_], key_no: Numbers) -> bool:
        """Return whether the directory gives these accounts (n,) these keys (n,)."""
        return bool(np.array_equal(self._keys.known_numbers(account_id), key_no))

    def broken_events(self, database: Database, erased: list[int]) -> list[str]:
        """Return which events differ from what the log says of them, as ``EventLog.verify``."""
        return EventLog(database, self._keys).verify(erased)

    def broken_keys(self, erased: list[int]) -> list[str]:
        """Return what is wrong with keys and directory, as ``SubjectKeys.verify``."""
        return self._keys.verify(erased)

    def key_number(self, account_id: str) -> int | None:
        """Return the number of an account's key, None for one never seen or erased."""
        return self._keys.find(account_id)

    def has_person_of(self, digest: str, person_numbers: Sequence[int]) -> bool:
        """Return whether a stored portfolio has an account of one of some persons, by the numbers of the keys of what was told of
        them alone."""
        if not person_numbers:
            return False
        customers = np.unique(self.portfolio(digest).portfolio.column("customer_id"))
        named = np.char.add(PERSON, customers[customers != b""])
        return bool(np.isin(self._keys.known_numbers(named), np.array(person_numbers)).any())

    def erasure_count(self) -> int:
        """Return how many erasures there were: what was opened before the last one is never served again."""
        return self._erasure_count()

    def _remembered(self, kind: type[Stored], digest: str, read: Callable[[str], Stored]) -> Stored:
        wanted = (digest, self._erasure_count())
        with self._lock:
            found = self._last.get(kind)
        if found is None or found[0] != wanted:
            found = (wanted, read(digest))
            with self._lock:
                self._last[kind] = found
            if found[1].rows.size >= _MANY_ROWS:  # what reading took besides is as much again
                give_back()
        value: Stored = found[1]
        return value

    def _put(
        self,
        kind: LeafKind,
        columns: Mapping[str, Array],
        key_no: Numbers,
        header: Mapping[str, str],
        codes: tuple[str, ...] = (),
    ) -> StoredTable:
        table = seal(kind, columns, key_no, self._keys.keys(key_no), self._keys.nonce(), header, codes)
        return StoredTable(self._objects.put_written(lambda file: write_parquet([table], file)), table)

    def _open(self, digest: str) -> tuple[SealedTable, Numbers, dict[str, Array]]:
        return self._unsealed(self.table(digest))

    def _unsealed(self, table: SealedTable) -> tuple[SealedTable, Numbers, dict[str, Array]]:
        opened = unseal(table, self.keys_of(table))
        return table, opened.rows, opened.columns


def _finding_columns(quarantine: Quarantine) -> dict[str, Array]:
    texts = {name: _text(getattr(quarantine, name)) for name in _FINDING_TEXTS}
    return {"row": quarantine.row, **texts}


def _text(values: tuple[str, ...]) -> Array:
    return np.array([value.encode() for value in values], dtype=np.bytes_ if values else "S1")
