"""What people did to model versions: each event is checked against the standing in the transaction that records it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from collections_opt.core.models.lifecycle import (
    ApprovalMode,
    ApprovalTerms,
    KindStanding,
    ModelAction,
    ModelEvent,
    ModelKind,
    check_event,
    standing_of,
)
from collections_opt.ledger.log.chain import canonical_json
from collections_opt.ledger.log.log import LogKind
from collections_opt.ledger.log.logged_rows import insert_logged
from collections_opt.ledger.log.moments import Moments
from collections_opt.ledger.records import RequestKey
from collections_opt.ledger.requests.idempotency import insert_answer, stored_answer
from collections_opt.ledger.store.database import Database, Store, check_size, timestamp
from collections_opt.ledger.store.paging import every_row
from collections_opt.ledger.store.schema import model_events as events

_LAST = sa.select(sa.func.max(events.c.seq))


class ModelEvents(Store):
    """The lifecycle of model versions."""

    def __init__(self, database: Database, moments: Moments) -> None:
        super().__init__(database)
        self._moments = moments

    def add(self, new: Sequence[ModelEvent], request: RequestKey | None = None) -> list[ModelEvent]:
        """Record events of one kind in order, all or none; the same request again returns what it recorded.

        Raises:
            CollectionsError: as ``check_event``, against the standing at the moment of recording; REQUEST_ID_REUSED.
        """
        with self._database.write() as connection:
            answer = stored_answer(connection, request) if request else None
            if answer is not None:
                wanted = events.select().where(events.c.seq.in_(json.loads(answer)["seq"])).order_by(events.c.seq)
                return [_event(row) for row in connection.execute(wanted).mappings()]
            recorded = _added(connection, new)
            if request:
                text = canonical_json({"seq": [event.seq for event in recorded]})
                insert_answer(connection, request, text, timestamp(new[-1].at))
        return recorded

    def standing(self, kind: ModelKind) -> KindStanding:
        """Return where every version of a kind stands; within a moment of the ledger it is remembered."""
        return self._moments.remembered(("model_standing", kind), lambda: self._read_standing(kind))

    def _read_standing(self, kind: ModelKind) -> KindStanding:
        with self._database.read() as connection:
            return standing_of(kind, _known(connection, kind))

    def after(self, kind: ModelKind, version: str, seq: int, size: int) -> list[ModelEvent]:
        """Return events of a kind, and of one version unless it is "", in order after a sequence number, at most ``size``."""
        query = events.select().where(events.c.kind == kind.value, events.c.seq > seq).order_by(events.c.seq)
        if version:
            query = query.where(events.c.version == version)
        with self._database.read() as connection:
            return [_event(row) for row in connection.execute(query.limit(check_size(size))).mappings()]

    def every(self, kind: ModelKind, version: str) -> Iterator[ModelEvent]:
        """Yield all events of a version in order."""
        return every_row(lambda seq, size: self.after(kind, version, seq, size), 0, lambda event: event.seq)


def _added(connection: sa.Connection, new: Sequence[ModelEvent]) -> list[ModelEvent]:
    """Return events of one kind as they are recorded; nobody else writes meanwhile, so what stands is read once."""
    if not new:
        return []
    kind = new[0].kind
    known = _known(connection, kind)
    seq = int(connection.execute(_LAST).scalar() or 0)
    recorded = [replace(event, seq=number) for number, event in enumerate(new, seq + 1)]
    for event in recorded:
        check_event(standing_of(kind, known), event)
        insert_logged(connection, LogKind.MODEL_EVENT, _row(event))
        known.append(event)
    return recorded


def _known(connection: sa.Connection, kind: ModelKind) -> list[ModelEvent]:
    return [_event(row) for row in connection.execute(events.select().where(events.c.kind == kind.value)).mappings()]


def _row(event: ModelEvent) -> dict[str, Any]:
    told = event.told()
    del told["at"]
    return {**told, "terms": canonical_json(told["terms"]), "created_at": timestamp(event.at)}


def _event(row: Any) -> ModelEvent:
    given = json.loads(row["terms"])
    terms = None
    if given:
        expires_at = datetime.fromisoformat(given["expires_at"])
        terms = ApprovalTerms(expires_at, tuple(given["allowed_portfolios"]), given["score_valid_days"])
    return ModelEvent(
        kind=ModelKind(row["kind"]),
        version=row["version"],
        digest=row["digest"],
        action=ModelAction(row["action"]),
        actor=row["actor"],
        at=datetime.fromisoformat(row["created_at"]),
        mode=ApprovalMode(row["mode"]),
        note=row["note"],
        terms=terms,
        seq=row["seq"],
    )
