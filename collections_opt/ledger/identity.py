"""Which ledger this is, and which object store is its own: each names the other, so that no sweep meets somebody else's objects.

The ledger says it in a leaf of its log, the store in a marker beside its objects. A ledger that was moved says so in a leaf too
and takes no more writes: whatever was recorded after the move stands in the other one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.ledger.log.log import LogKind, append_log
from collections_opt.ledger.objects.folder import ObjectStore
from collections_opt.ledger.objects.named import referenced_digests
from collections_opt.ledger.store.database import Database, timestamp
from collections_opt.ledger.store.schema import log_entries

IDENTITY, RETIRED = "identity", "retired"
"""What leaves about the ledger itself are called."""

_ID_BYTES = 16
_REMEDY = "Name the database and the objects that belong together; docs/how-to/backup-and-restore.md says how to tell."


@dataclass(frozen=True)
class LedgerIdentity:
    """The ids of a ledger and of the store that is its own; 32 hex digits each."""

    ledger_id: str
    store_id: str

    @property
    def marker(self) -> str:
        """What the store says of itself."""
        return json.dumps({"ledger_id": self.ledger_id, "store_id": self.store_id}, sort_keys=True) + "\n"


def identity(database: Database) -> LedgerIdentity | None:
    """Return what a ledger says of itself; None for one of before that was recorded."""
    held = latest_fact(database, IDENTITY)
    return LedgerIdentity(held["ledger_id"], held["store_id"]) if held else None


def bind_store(database: Database, objects: ObjectStore, random_bytes: Callable[[int], bytes], now: datetime) -> LedgerIdentity:
    """Return the identity of a ledger whose store is its own, giving both one where neither has any.

    A store of before markers is taken for the ledger's when the ledger names objects in it, or both are empty.

    Raises:
        CollectionsError: STORE_MISMATCH when store and ledger do not name each other.
    """
    known, marker = identity(database), _read_marker(objects)
    if known is None and marker is not None:
        raise _mismatch(f"belong to the ledger {marker.ledger_id}, and this one has no name yet")
    if known is not None and marker is not None:
        if marker.ledger_id != known.ledger_id:
            raise _mismatch(f"belong to the ledger {marker.ledger_id}, this one is {known.ledger_id}")
        if marker.store_id != known.store_id:
            raise _mismatch(f"are the store {marker.store_id}, the ledger's is {known.store_id}")
        return known
    _require_kinship(database, objects)
    if known is None:
        known = _named(database, random_bytes, now)
    # The leaf comes before the marker: a marker without leaf could be anybody's, a leaf without marker is met here again.
    objects.mark(known.marker)
    return known


def retire(database: Database, connection: sa.Connection, where: str, now: datetime) -> None:
    """Say within a transaction that a ledger lives elsewhere now."""
    append_log(connection, LogKind.LEDGER, RETIRED, {"moved_to": where, "at": timestamp(now)})
    database.halt(_retired(where))


def refuse_retired(database: Database) -> None:
    """Let a ledger that was moved take no writes."""
    held = latest_fact(database, RETIRED)
    if held:
        database.halt(_retired(held["moved_to"]))


def latest_fact(database: Database, reference: str) -> Mapping[str, Any] | None:
    """Return what the latest leaf about the ledger itself says under a reference, None where there is none."""
    query = sa.select(log_entries.c.content).where(
        log_entries.c.kind == LogKind.LEDGER.value, log_entries.c.reference == reference
    )
    with database.read() as connection:
        content = connection.execute(query.order_by(log_entries.c.position.desc()).limit(1)).scalar()
    return dict(json.loads(content)) if content else None


def _named(database: Database, random_bytes: Callable[[int], bytes], now: datetime) -> LedgerIdentity:
    made = LedgerIdentity(random_bytes(_ID_BYTES).hex(), random_bytes(_ID_BYTES).hex())
    with database.write() as connection:
        query = sa.select(log_entries.c.content).where(
            log_entries.c.kind == LogKind.LEDGER.value, log_entries.c.reference == IDENTITY
        )
        held = connection.execute(query.limit(1)).scalar()
        if held:  # another process was first
            facts = json.loads(held)
            return LedgerIdentity(facts["ledger_id"], facts["store_id"])
        append_log(connection, LogKind.LEDGER, IDENTITY, {**vars(made), "at": timestamp(now)})
    return made


def _require_kinship(database: Database, objects: ObjectStore) -> None:
    """Refuse a store without marker unless ledger and store are both empty, or the ledger names an object that is in it."""
    named = referenced_digests(database)
    held = [file.name for file in objects.files() if file.is_object]
    if (held or named) and not named.intersection(held):
        raise _mismatch(
            f"are {len(held)} without a marker, and none of them is among the {len(named)} digests that the ledger names"
        )


def _read_marker(objects: ObjectStore) -> LedgerIdentity | None:
    text = objects.marker()
    if text is None:
        return None
    try:
        return LedgerIdentity(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise _mismatch("have a marker that cannot be read") from error


def _mismatch(what: str) -> CollectionsError:
    return refuse(Reason.STORE_MISMATCH, "objects", f"{what}.", _REMEDY)


def _retired(where: str) -> CollectionsError:
    return refuse(Reason.LEDGER_HALTED, "ledger", f"was moved to {where} and takes no more writes.", "Open it there.")
