"""Who makes a ranking: one living worker at a time, and what became of the rankings that dead ones left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from collections_opt.ledger.records import RankingState, RequestedRanking, StateRecord
from collections_opt.ledger.requests.requests import insert_state, request_where, unfinished
from collections_opt.ledger.store.database import Store, found, timestamp
from collections_opt.ledger.store.schema import ranking_requests as requests
from collections_opt.ledger.store.schema import ranking_states as states

IsAlive = Callable[[str], bool]
"""Tells whether a worker still runs."""

MAX_ATTEMPTS = 3
"""Times in a row that work on a ranking may end with its worker: a ranking that kills every worker must not be tried for ever."""

_S = RankingState


@dataclass(frozen=True)
class Recovery:
    """A ranking whose worker ended: ``request`` holds its state from now on, RUNNING (resumed) or ABANDONED."""

    request: RequestedRanking
    lost_worker: str

    @property
    def resumed(self) -> bool:
        """True when it is to be made by the worker that recovered it."""
        return self.request.latest.state is _S.RUNNING


class Claims(Store):
    """Claims of workers on requested rankings; each is one transaction, so that two workers never hold the same claim."""

    def claim(self, ranking_id: str, worker: str, is_alive: IsAlive, now: datetime) -> RequestedRanking:
        """Make a worker the one that makes a ranking, unless it is recorded or another living worker makes it.

        Returns the request with its latest state; ``latest.worker`` says who makes it.

        Raises:
            CollectionsError: NOT_FOUND.
        """
        created_at = timestamp(now)
        with self._database.write() as connection:
            request = _request(connection, ranking_id)
            latest = request.latest
            if latest.state is _S.SUCCEEDED or latest.worker == worker or (latest.worker and is_alive(latest.worker)):
                return request
            reason = _why_claimed(latest)
            insert_state(connection, ranking_id, _S.RUNNING, reason, created_at, worker)
            return _request(connection, ranking_id)

    def fail(self, ranking_id: str, worker: str, reason: str, now: datetime) -> StateRecord:
        """Record that a worker's attempt failed, unless the ranking has ended or is another's by now; return its latest state.

        Raises:
            CollectionsError: NOT_FOUND.
        """
        return self._end(ranking_id, _S.FAILED, reason, now, worker)

    def cancel(self, ranking_id: str, reason: str, now: datetime) -> StateRecord:
        """Record that nobody wants an unfinished ranking any more; return its latest state, which says what it is instead.

        Raises:
            CollectionsError: NOT_FOUND.
        """
        return self._end(ranking_id, _S.ABANDONED, reason, now, None)

    def recover(self, worker: str, is_alive: IsAlive, now: datetime) -> list[Recovery]:
        """Take over the unfinished rankings of workers that ended, and abandon those that ended ``MAX_ATTEMPTS`` workers."""
        created_at = timestamp(now)
        recovered = []
        with self._database.write() as connection:
            for request in unfinished(connection):
                lost = request.latest.worker
                if lost == worker or (lost and is_alive(lost)):
                    continue
                attempts = _attempts(connection, request.ranking_id)
                if attempts < MAX_ATTEMPTS:
                    reason = _why_claimed(request.latest)
                    insert_state(connection, request.ranking_id, _S.RUNNING, reason, created_at, worker)
                else:
                    reason = f"its worker ended {attempts} times before it was made"
                    insert_state(connection, request.ranking_id, _S.ABANDONED, reason, created_at)
                recovered.append(Recovery(_request(connection, request.ranking_id), lost))
        return recovered

    def _end(self, ranking_id: str, state: RankingState, reason: str, now: datetime, worker: str | None) -> StateRecord:
        created_at = timestamp(now)
        with self._database.write() as connection:
            latest = _request(connection, ranking_id).latest
            if latest.state.is_finished or worker not in (None, latest.worker):
                return latest
            return insert_state(connection, ranking_id, state, reason, created_at)


def _request(connection: sa.Connection, ranking_id: str) -> RequestedRanking:
    return found(request_where(connection, requests.c.ranking_id == ranking_id), "ranking_id", ranking_id)


def _why_claimed(latest: StateRecord) -> str:
    if latest.state is _S.RUNNING:
        return f"resumed after worker {latest.worker or 'unknown'} ended"
    return "" if latest.state is _S.REQUESTED else f"asked for again after it was {latest.state.value.lower()}"


def _attempts(connection: sa.Connection, ranking_id: str) -> int:
    """Return how many times in a row a ranking was running without an end."""
    ended = sa.select(sa.func.max(states.c.step)).where(
        states.c.ranking_id == ranking_id, states.c.state.in_([state for state in _S if state.is_finished])
    )
    query = sa.select(sa.func.count()).where(
        states.c.ranking_id == ranking_id,
        states.c.state == _S.RUNNING,
        states.c.step > sa.func.coalesce(ended.scalar_subquery(), 0),
    )
    return int(connection.execute(query).scalar_one())
