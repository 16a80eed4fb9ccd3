"""The lives of rankings checked: requests, states and events against the records that they led to."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from collections_opt.core.arrays import digest_text
from collections_opt.ledger.log.chain import canonical_json
from collections_opt.ledger.records import RankingState, RequestedRanking, StateRecord
from collections_opt.ledger.requests.requests import event_of, may_follow, request_where
from collections_opt.ledger.store.database import Store
from collections_opt.ledger.store.schema import outbox, ranking_entries, rankings
from collections_opt.ledger.store.schema import ranking_requests as requests
from collections_opt.ledger.store.schema import ranking_states as states

_PAGE = 1_000


class Lives(Store):
    """Checks over all requests, recorded or not."""

    def verify(self) -> list[str]:
        """Return where requests, states and events do not follow from each other, in words; empty when they do.

        What led to a recorded ranking is also under its digest and checked with it (``Rankings.verify``).
        """
        broken, after = self._gaps(), ""
        while page := self._ids_after(after):
            after = page[-1]
            for ranking_id in page:
                with self._database.read() as connection:
                    broken += [f"ranking {ranking_id}: {line}" for line in _broken_steps(connection, ranking_id)]
        return broken + self._strangers()

    def _ids_after(self, after: str) -> list[str]:
        query = sa.select(requests.c.ranking_id).where(requests.c.ranking_id > after).order_by(requests.c.ranking_id)
        with self._database.read() as connection:
            return list(connection.execute(query.limit(_PAGE)).scalars())

    def _gaps(self) -> list[str]:
        with self._database.read() as connection:
            numbers = connection.execute(sa.select(outbox.c.seq).order_by(outbox.c.seq)).scalars().all()
        wrong = ((seq, place) for place, seq in enumerate(numbers, 1) if seq != place)
        return [f"event {seq} where {place} belongs" for seq, place in wrong][:1]

    def _strangers(self) -> list[str]:
        """Return what belongs to a ranking that nobody asked for, or that was never recorded."""
        known = sa.select(requests.c.ranking_id)
        loose = {
            "has states, but nobody asked for it": _outside(states.c.ranking_id, known),
            "nobody asked for it": _outside(rankings.c.ranking_id, known),
            "has an event, but nobody asked for it": _outside(outbox.c.subject, known),
        }
        unrecorded = _outside(ranking_entries.c.seq, sa.select(rankings.c.seq))
        with self._database.read() as connection:
            numbers = connection.execute(unrecorded).scalars()
            broken = [f"ranking number {seq}: has worklist entries, but is not recorded" for seq in numbers]
            for line, query in loose.items():
                broken += [f"ranking {name}: {line}" for name in connection.execute(query).scalars()]
        return broken


def _outside(column: sa.Column[Any], known: sa.Select[Any]) -> sa.Select[Any]:
    return sa.select(column).where(column.not_in(known)).distinct().order_by(column)


def life_digest(connection: sa.Connection, ranking_id: str, last_step: int) -> str:
    """Return the SHA-256 (hex) of a request and its states up to a step, within a transaction."""
    request = connection.execute(requests.select().where(requests.c.ranking_id == ranking_id)).mappings().one()
    query = states.select().where(states.c.ranking_id == ranking_id, states.c.step <= last_step).order_by(states.c.step)
    steps = [dict(row) for row in connection.execute(query).mappings()]
    return digest_text(canonical_json({"request": dict(request), "states": steps}))


def broken_life(connection: sa.Connection, ranking: Any, kept_digest: str | None) -> list[str]:
    """Return how what led to a recorded ranking differs from what was recorded of it; records of older versions kept nothing."""
    request = request_where(connection, requests.c.ranking_id == ranking["ranking_id"])
    if request is None:
        return ["nobody asked for it"]
    broken = []
    if any(getattr(request, name) != ranking[name] for name in ("request_id", "payload_digest", "portfolio_id")):
        broken.append("its request differs from its record")
    last = request.latest
    if (last.state, last.created_at, last.reason, last.worker) != (RankingState.SUCCEEDED, ranking["created_at"], "", ""):
        broken.append("its last state differs from its record")
    elif kept_digest is not None and life_digest(connection, request.ranking_id, request.latest.step - 1) != kept_digest:
        broken.append("its request or its states differ from their digest")
    return broken


def _broken_steps(connection: sa.Connection, ranking_id: str) -> list[str]:
    request = request_where(connection, requests.c.ranking_id == ranking_id)
    if request is None:
        return ["its request has no state"]
    query = states.select().where(states.c.ranking_id == ranking_id).order_by(states.c.step)
    steps = [StateRecord(**{**row, "state": RankingState(row["state"])}) for row in connection.execute(query).mappings()]
    broken = []
    for number, step in enumerate(steps, 1):
        before = steps[number - 2].state if number > 1 else None
        if step.step != number or not may_follow(before, step.state):
            broken.append(f"its step {step.step} does not follow the one before")
    columns = (rankings.c.seq, rankings.c.record_digest)
    recorded = connection.execute(sa.select(*columns).where(rankings.c.ranking_id == ranking_id)).mappings().first()
    if (recorded is not None) != (steps[-1].state is RankingState.SUCCEEDED):
        broken.append(f"its last state is {steps[-1].state}, but it is {'recorded' if recorded else 'not recorded'}")
    return broken + _broken_events(connection, request, steps, dict(recorded or {}))


def _broken_events(
    connection: sa.Connection, request: RequestedRanking, steps: list[StateRecord], recorded: dict[str, Any]
) -> list[str]:
    query = outbox.select().where(outbox.c.subject == request.ranking_id).order_by(outbox.c.seq)
    found = [(row["kind"], row["payload"], row["created_at"]) for row in connection.execute(query).mappings()]
    expected = []
    for step in (step for step in steps if step.state.is_finished):
        kind, _, payload = event_of(request, step, recorded if step.state is RankingState.SUCCEEDED else {})
        expected.append((kind, canonical_json(payload), step.created_at))
    if found == expected or not (found or any(step.worker for step in steps)):
        return []  # requests of before there were events have none
    return ["its events differ from its states"]
