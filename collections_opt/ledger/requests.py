"""Requests for rankings and how far each came: recorded before any work starts, so that a crash is seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from collections_opt.core.errors import Reason, refuse
from collections_opt.ledger.database import Store, found, one, reused, timestamp
from collections_opt.ledger.records import PortfolioRecord, RankingState, RequestedRanking, StateRecord
from collections_opt.ledger.schema import portfolios
from collections_opt.ledger.schema import ranking_requests as requests
from collections_opt.ledger.schema import ranking_states as states

_S = RankingState
_NEXT: Mapping[RankingState, frozenset[RankingState]] = {
    _S.REQUESTED: frozenset({_S.RUNNING, _S.SUCCEEDED, _S.FAILED, _S.ABANDONED}),
    _S.RUNNING: frozenset({_S.SUCCEEDED, _S.FAILED, _S.ABANDONED}),
    # The same request again is worth another try; work thought lost that arrives after all is kept.
    _S.FAILED: frozenset({_S.RUNNING, _S.SUCCEEDED}),
    _S.ABANDONED: frozenset({_S.RUNNING, _S.SUCCEEDED}),
    _S.SUCCEEDED: frozenset(),
}


class Requests(Store):
    """Requests for rankings and their states, append-only."""

    def begin_ranking(
        self, ranking_id: str, request_id: str, payload_digest: str, portfolio_id: str, command: str, now: datetime
    ) -> RequestedRanking:
        """Record a request in state REQUESTED; the same request again returns it with its latest state.

        Raises:
            CollectionsError: REQUEST_ID_REUSED for another payload, NOT_FOUND for an unknown portfolio,
                ALREADY_EXISTS when the ranking id belongs to another request.
        """
        created_at = timestamp(now)
        with self._database.write() as connection:
            return insert_request(connection, ranking_id, request_id, payload_digest, portfolio_id, command, created_at)

    def append_state(self, ranking_id: str, state: RankingState, reason: str, now: datetime) -> StateRecord:
        """Record the next state of a ranking; SUCCEEDED comes from ``complete_ranking`` alone, with the ranking itself.

        Raises:
            CollectionsError: NOT_FOUND, or INVALID_ARGUMENT for a step that cannot follow (nothing follows SUCCEEDED).
        """
        created_at = timestamp(now)
        if state is RankingState.SUCCEEDED:
            raise refuse(Reason.INVALID_ARGUMENT, "state", "SUCCEEDED needs its ranking.", "Call complete_ranking.")
        with self._database.write() as connection:
            return insert_state(connection, ranking_id, state, reason, created_at)

    def requested_ranking(self, ranking_id: str) -> RequestedRanking:
        """Return a request with its latest state.

        Raises:
            CollectionsError: NOT_FOUND.
        """
        with self._database.read() as connection:
            return found(request_where(connection, requests.c.ranking_id == ranking_id), "ranking_id", ranking_id)

    def ranking_states(self, ranking_id: str) -> list[StateRecord]:
        """Return all states of a ranking in order; empty for an unknown one."""
        with self._database.read() as connection:
            query = states.select().where(states.c.ranking_id == ranking_id).order_by(states.c.step)
            return [_state(row) for row in connection.execute(query).mappings()]

    def unfinished_rankings(self) -> list[RequestedRanking]:
        """Return the requests on which work is owed, oldest first."""
        with self._database.read() as connection:
            return _unfinished(connection)

    def abandon_unfinished(self, reason: str, now: datetime) -> list[RequestedRanking]:
        """Mark every unfinished request ABANDONED and return them as they were.

        For the start of a process that is the only one making rankings: whoever left these is gone.
        """
        created_at = timestamp(now)
        with self._database.write() as connection:
            owed = _unfinished(connection)
            for request in owed:
                insert_state(connection, request.ranking_id, RankingState.ABANDONED, reason, created_at)
        return owed


def insert_request(
    connection: sa.Connection,
    ranking_id: str,
    request_id: str,
    payload_digest: str,
    portfolio_id: str,
    command: str,
    created_at: str,
) -> RequestedRanking:
    """Record a request, or return the one made before, within a transaction; errors as ``Requests.begin_ranking``."""
    stored = request_where(connection, requests.c.request_id == request_id)
    if stored is not None:
        if stored.payload_digest != payload_digest:
            raise reused(request_id)
        return stored
    if request_where(connection, requests.c.ranking_id == ranking_id) is not None:
        raise refuse(Reason.ALREADY_EXISTS, "ranking_id", f"{ranking_id!r} belongs to another request.", "Use a new id.")
    found(one(connection, portfolios, portfolios.c.portfolio_id == portfolio_id, PortfolioRecord), "portfolio_id", portfolio_id)
    first = StateRecord(ranking_id, 1, RankingState.REQUESTED, "", created_at)
    made = RequestedRanking(ranking_id, request_id, payload_digest, portfolio_id, command, created_at, first)
    connection.execute(requests.insert(), {name: value for name, value in asdict(made).items() if name != "latest"})
    connection.execute(states.insert(), asdict(first))
    return made


def insert_state(connection: sa.Connection, ranking_id: str, state: RankingState, reason: str, created_at: str) -> StateRecord:
    """Record the next state, within a transaction; errors as ``Requests.append_state``."""
    request = found(request_where(connection, requests.c.ranking_id == ranking_id), "ranking_id", ranking_id)
    if state not in _NEXT[request.latest.state]:
        raise refuse(
            Reason.INVALID_ARGUMENT, "state", f"{state} cannot follow {request.latest.state}.", "Read the latest state first."
        )
    record = StateRecord(ranking_id, request.latest.step + 1, state, reason, created_at)
    connection.execute(states.insert(), asdict(record))
    return record


def request_where(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> RequestedRanking | None:
    """Return the request that meets a condition with its latest state, within a transaction."""
    rows = _with_latest(connection, condition)
    return rows[0] if rows else None


def _unfinished(connection: sa.Connection) -> list[RequestedRanking]:
    return _with_latest(connection, states.c.state.in_([state for state in RankingState if not state.is_finished]))


def _with_latest(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> list[RequestedRanking]:
    last = sa.select(sa.func.max(states.c.step)).where(states.c.ranking_id == requests.c.ranking_id)
    query = (
        sa.select(
            requests,
            states.c.step.label("state_step"),
            states.c.state.label("state_state"),
            states.c.reason.label("state_reason"),
            states.c.created_at.label("state_created_at"),
        )
        .join(states, states.c.ranking_id == requests.c.ranking_id)
        .where(states.c.step == last.correlate(requests).scalar_subquery(), condition)
        .order_by(requests.c.created_at, requests.c.ranking_id)
    )
    return [_request(row) for row in connection.execute(query).mappings()]


def _request(row: Any) -> RequestedRanking:
    latest = {name.removeprefix("state_"): value for name, value in row.items() if name.startswith("state_")}
    own = {name: value for name, value in row.items() if not name.startswith("state_")}
    return RequestedRanking(**own, latest=_state({"ranking_id": own["ranking_id"], **latest}))


def _state(row: Any) -> StateRecord:
    return StateRecord(**{**row, "state": RankingState(row["state"])})
