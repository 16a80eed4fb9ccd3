"""Requests for rankings and how far each came: recorded before any work starts, so that a crash is seen."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.listing import Order, Place, Term
from collections_opt.ledger.log.outbox import insert_event
from collections_opt.ledger.records import PortfolioRecord, RankingState, RequestedRanking, StateRecord
from collections_opt.ledger.store.database import Store, check_size, found, one, reused, timestamp
from collections_opt.ledger.store.ordering import conditions, ordered, ranking_columns
from collections_opt.ledger.store.schema import portfolios
from collections_opt.ledger.store.schema import ranking_requests as requests
from collections_opt.ledger.store.schema import ranking_states as states
from collections_opt.ledger.store.standing_portfolios import standing_portfolio

_S = RankingState
_NEXT: Mapping[RankingState, frozenset[RankingState]] = {
    _S.REQUESTED: frozenset({_S.RUNNING, _S.SUCCEEDED, _S.FAILED, _S.ABANDONED}),
    # Running again: another worker took over from one that ended.
    _S.RUNNING: frozenset({_S.RUNNING, _S.SUCCEEDED, _S.FAILED, _S.ABANDONED}),
    # The same request again is worth another try.
    _S.FAILED: frozenset({_S.RUNNING, _S.SUCCEEDED}),
    # Nothing arrives late: who was told that a ranking is abandoned must never find it recorded, unless it is asked for again.
    _S.ABANDONED: frozenset({_S.RUNNING}),
    _S.SUCCEEDED: frozenset(),
}

NEWEST = Order("create_time", descending=True)
"""The order of requests where nobody asks for another."""


class Requests(Store):
    """Requests for rankings and their states, append-only."""

    def begin(
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

    def requested(self, ranking_id: str) -> RequestedRanking:
        """Return a request with its latest state.

        Raises:
            CollectionsError: NOT_FOUND.
        """
        with self._database.read() as connection:
            return found(request_where(connection, requests.c.ranking_id == ranking_id), "ranking_id", ranking_id)

    def states(self, ranking_id: str) -> list[StateRecord]:
        """Return all states of a ranking in order; empty for an unknown one."""
        with self._database.read() as connection:
            query = states.select().where(states.c.ranking_id == ranking_id).order_by(states.c.step)
            return [_state(row) for row in connection.execute(query).mappings()]

    def unfinished(self) -> list[RequestedRanking]:
        """Return the requests on which work is owed, oldest first."""
        with self._database.read() as connection:
            return unfinished(connection)

    def in_states(
        self,
        wanted: Collection[RankingState],
        after: Place | None,
        size: int,
        terms: Sequence[Term] = (),
        order: Order = NEWEST,
    ) -> list[tuple[RequestedRanking, Place]]:
        """Return requests whose latest state is one of those wanted with their places, in order, at most ``size``.

        Args:
            wanted: the states.
            after: the last place before; None for all.
            size: rows at most.
            terms: on the fields of ``ranking_columns``.
            order: by one of them.
        """
        columns = ranking_columns(requests.c, requests.c.command, self._database.dialect)
        condition = sa.and_(states.c.state.in_(list(wanted)), *conditions(terms, columns))
        query = _with_latest(condition).join(portfolios, portfolios.c.portfolio_id == requests.c.portfolio_id)
        query = ordered(query, order, columns, requests.c.ranking_id, after).limit(check_size(size))
        with self._database.read() as connection:
            rows = [dict(row) for row in connection.execute(query).mappings()]
        return [(_request(row), (place, row["ranking_id"])) for row in rows for place in [row.pop("place")]]


def insert_request(
    connection: sa.Connection,
    ranking_id: str,
    request_id: str,
    payload_digest: str,
    portfolio_id: str,
    command: str,
    created_at: str,
) -> RequestedRanking:
    """Record a request, or return the one made before, within a transaction; errors as ``Requests.begin``."""
    stored = request_where(connection, requests.c.request_id == request_id)
    if stored is not None:
        if stored.payload_digest != payload_digest:
            raise reused(request_id)
        return stored
    if request_where(connection, requests.c.ranking_id == ranking_id) is not None:
        raise refuse(Reason.ALREADY_EXISTS, "ranking_id", f"{ranking_id!r} belongs to another request.", "Use a new id.")
    stands = (portfolios.c.portfolio_id == portfolio_id) & standing_portfolio()
    found(one(connection, portfolios, stands, PortfolioRecord), "portfolio_id", portfolio_id)
    first = StateRecord(ranking_id, 1, RankingState.REQUESTED, "", created_at)
    made = RequestedRanking(ranking_id, request_id, payload_digest, portfolio_id, command, created_at, first)
    connection.execute(requests.insert(), {name: value for name, value in asdict(made).items() if name != "latest"})
    connection.execute(states.insert(), asdict(first))
    return made


def insert_state(
    connection: sa.Connection,
    ranking_id: str,
    state: RankingState,
    reason: str,
    created_at: str,
    worker: str = "",
    detail: Mapping[str, Any] = MappingProxyType({}),
) -> StateRecord:
    """Record the next state, and an event (with ``detail``) when it is a final one, within a transaction.

    Raises:
        CollectionsError: NOT_FOUND, INVALID_ARGUMENT for a step that cannot follow (nothing follows SUCCEEDED), or
            RANKING_ABANDONED where only a new attempt can.
    """
    request = found(request_where(connection, requests.c.ranking_id == ranking_id), "ranking_id", ranking_id)
    before = request.latest.state
    if state not in _NEXT[before]:
        if before is _S.ABANDONED:
            raise abandoned(request.latest)
        raise refuse(Reason.INVALID_ARGUMENT, "state", f"{state} cannot follow {before}.", "Read the latest state first.")
    record = StateRecord(ranking_id, request.latest.step + 1, state, reason, created_at, worker)
    connection.execute(states.insert(), asdict(record))
    if state.is_finished:
        insert_event(connection, *event_of(request, record, detail), created_at)
    return record


def event_of(request: RequestedRanking, step: StateRecord, detail: Mapping[str, Any]) -> tuple[str, str, dict[str, Any]]:
    """Return the kind, the subject and the payload of the event that tells how a ranking ended."""
    told = {"ranking_id": request.ranking_id, "request_id": request.request_id, "portfolio_id": request.portfolio_id}
    payload = {**told, "state": step.state.value, "step": step.step, "reason": step.reason, **detail}
    return f"ranking.{step.state.value.lower()}", request.ranking_id, payload


def may_follow(before: RankingState | None, state: RankingState) -> bool:
    """Return whether a state can follow another, or (None) be the first."""
    return state is _S.REQUESTED if before is None else state in _NEXT[before]


def abandoned(latest: StateRecord) -> CollectionsError:
    """Return the refusal of what an abandoned ranking cannot give."""
    return refuse(
        Reason.RANKING_ABANDONED,
        "ranking_id",
        f"{latest.ranking_id} was abandoned: {latest.reason}.",
        "Send the same request again to make it after all.",
    )


def request_where(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> RequestedRanking | None:
    """Return the request that meets a condition with its latest state, within a transaction."""
    row = connection.execute(_with_latest(condition)).mappings().first()
    return _request(row) if row else None


def unfinished(connection: sa.Connection) -> list[RequestedRanking]:
    """Return the requests on which work is owed, oldest first, within a transaction."""
    owed = states.c.state.in_([state for state in RankingState if not state.is_finished])
    query = _with_latest(owed, requests.c.created_at, requests.c.ranking_id)
    return [_request(row) for row in connection.execute(query).mappings()]


def _with_latest(condition: sa.ColumnElement[bool], *order: sa.ColumnElement[Any]) -> sa.Select[Any]:
    last = sa.select(sa.func.max(states.c.step)).where(states.c.ranking_id == requests.c.ranking_id)
    return (
        sa.select(
            requests,
            states.c.step.label("state_step"),
            states.c.state.label("state_state"),
            states.c.reason.label("state_reason"),
            states.c.created_at.label("state_created_at"),
            states.c.worker.label("state_worker"),
        )
        .join(states, states.c.ranking_id == requests.c.ranking_id)
        .where(states.c.step == last.correlate(requests).scalar_subquery(), condition)
        .order_by(*order)
    )


def _request(row: Any) -> RequestedRanking:
    latest = {name.removeprefix("state_"): value for name, value in row.items() if name.startswith("state_")}
    own = {name: value for name, value in row.items() if not name.startswith("state_")}
    return RequestedRanking(**own, latest=_state({"ranking_id": own["ranking_id"], **latest}))


def _state(row: Any) -> StateRecord:
    return StateRecord(**{**row, "state": RankingState(row["state"])})
