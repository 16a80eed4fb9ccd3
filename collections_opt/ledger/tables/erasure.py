"""Erase accounts: their keys and worklist rows go, what proves everything else stays, and the erasure itself is recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.exc import ProgrammingError

from collections_opt.core.errors import Reason, refuse
from collections_opt.ledger.log.log import LogEntry, LogKind, append_log
from collections_opt.ledger.sealing.erased import worklists_digests_after_erasures
from collections_opt.ledger.sealing.subject_keys import SubjectKeys
from collections_opt.ledger.store.database import Store
from collections_opt.ledger.store.schema import erasure_permits as permits
from collections_opt.ledger.store.schema import ranking_entries as entries
from collections_opt.ledger.store.schema import rankings
from collections_opt.ledger.tables.rankings import LEDGER_KEY
from collections_opt.ledger.tables.worklists import AssignedColumns


@dataclass(frozen=True)
class HoldRecord:
    """A legal hold as it stands, by the latest leaf of the log about it.

    Attributes:
        hold_id: its caller's id.
        placed: it is in force; else it was released.
        key_numbers: of the accounts.
        person_numbers: of the keys of what was told of persons alone.
        reason: why it was placed, or released.
        actor: who did, as recorded.
        at: when, ISO 8601.
        position: of the leaf, 0 first.
        request: id and tag of the request, empty where it had none.
    """

    hold_id: str
    placed: bool
    key_numbers: tuple[int, ...]
    person_numbers: tuple[int, ...]
    reason: str
    actor: Mapping[str, str]
    at: str
    position: int
    request: Mapping[str, str]


class Erasure(Store):
    """The one way in which something leaves the ledger, and the holds that forbid it."""

    def erase(
        self,
        erasure_id: str,
        accounts: Sequence[str],
        numbers: NDArray[np.int64],
        keys: SubjectKeys,
        facts: Mapping[str, Any],
    ) -> LogEntry:
        """Erase accounts in one transaction: worklist rows, keys, and a leaf in the log that names keys and never accounts.

        Worklists are checked before a row leaves them, so that an erasure cannot cover an earlier edit.

        Raises:
            CollectionsError: INTEGRITY_FAILURE when a worklist is not what was recorded; OUTCOME_UNKNOWN when the commit failed;
                PERMISSION_DENIED where the database's role may not erase.
        """
        permitted = entries.c.account_id.in_(sa.select(permits.c.account_id))
        with _rights(), self._database.write() as connection:
            if accounts:  # what was told of persons alone is in no worklist
                connection.execute(permits.insert(), [{"account_id": account} for account in accounts])
            touched = sa.select(rankings.c.ranking_id, rankings.c.seq).join(entries, entries.c.seq == rankings.c.seq)
            numbered = dict(connection.execute(touched.where(permitted).distinct()).all())
            before = worklists_digests_after_erasures(connection)
            for ranking_id, seq in numbered.items():
                _check_worklists(connection, ranking_id, seq, before.get(ranking_id))
            connection.execute(entries.delete().where(permitted))
            connection.execute(permits.delete())
            after = {name: AssignedColumns.stored(connection, seq).digest for name, seq in numbered.items()}
            keys.erase(connection, numbers)
            content = {**facts, "key_numbers": numbers.tolist(), "worklists": after}
            return append_log(connection, LogKind.ERASURE, erasure_id, content)

    def record_hold(self, hold_id: str, facts: Mapping[str, Any]) -> LogEntry:
        """Record that a legal hold was placed or released; the latest leaf of a hold says which."""
        with self._database.write() as connection:
            return append_log(connection, LogKind.HOLD, hold_id, facts)

    def erased_numbers(self) -> list[int]:
        """Return the numbers of all keys whose erasure was recorded."""
        query = sa.text("SELECT content FROM log_entries WHERE kind = 'erasure'")
        with self._database.read() as connection:
            contents = connection.execute(query).scalars().all()
        return [number for content in contents for number in json.loads(content)["key_numbers"]]

    def holds(self) -> list[HoldRecord]:
        """Return every hold as it stands, released ones too, by id."""
        query = sa.text("SELECT reference, content, position FROM log_entries WHERE kind = 'hold' ORDER BY position")
        with self._database.read() as connection:
            latest = {reference: (json.loads(content), position) for reference, content, position in connection.execute(query)}
        return [_hold(hold_id, *latest[hold_id]) for hold_id in sorted(latest)]


@contextmanager
def _rights() -> Iterator[None]:
    """Say what a role lacks that may read and add alone."""
    try:
        yield
    except ProgrammingError as error:
        if "permission denied" not in str(error.orig):
            raise
        told = "this server's role may read and add, not erase."
        remedy = "Ask a server whose database URL names the eraser that ledger-roles made."
        raise refuse(Reason.PERMISSION_DENIED, "database", told, remedy) from error


def _hold(hold_id: str, facts: Mapping[str, Any], position: int) -> HoldRecord:
    return HoldRecord(
        hold_id=hold_id,
        placed=facts["placed"],
        key_numbers=tuple(facts["key_numbers"]),
        person_numbers=tuple(facts.get("person_numbers", ())),
        reason=facts["reason"],
        actor=facts["actor"],
        at=facts["at"],
        position=position,
        request=facts.get("request", {}),
    )


def _check_worklists(connection: sa.Connection, ranking_id: str, seq: int, expected: str | None) -> None:
    text = connection.execute(sa.select(rankings.c.record).where(rankings.c.seq == seq)).scalar_one()
    expected = expected or json.loads(text)[LEDGER_KEY]["worklists_digest"]
    if AssignedColumns.stored(connection, seq).digest != expected:
        raise refuse(
            Reason.INTEGRITY_FAILURE,
            "ranking_id",
            f"the worklists of {ranking_id} are not what was recorded.",
            "Restore them before erasing.",
        )
