"""Acts on the calendar of a capacity plan: days changed, changes and versions taken back, days settled; added, never changed."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from collections_opt.core.actors import UNKNOWN, Actor
from collections_opt.core.errors import Reason, refuse
from collections_opt.ledger.log.chain import canonical_json
from collections_opt.ledger.log.log import LogKind
from collections_opt.ledger.log.logged_rows import insert_logged
from collections_opt.ledger.records import CapacityAct, CapacityActKind, CapacityBook, PlanRecord, RequestKey
from collections_opt.ledger.requests.idempotency import insert_answer, stored_answer
from collections_opt.ledger.store.database import Store, timestamp
from collections_opt.ledger.store.schema import capacity_acts as acts
from collections_opt.ledger.store.schema import capacity_plans as plans
from collections_opt.ledger.tables.plans import insert_plan, standing

CALENDAR_STATE = "calendar_state"
"""Field of the refusal of an act that was decided on another state than the calendar is in."""


class CapacityActs(Store):
    """Calendars; payloads are the caller's JSON. Every act names the state of the calendar that it was decided on."""

    def book(self, plan_id: str, first: date | None = None, last: date | None = None) -> CapacityBook:
        """Return what a plan's calendar is made of; with days, only the changes that touch them.

        Raises:
            CollectionsError: NOT_FOUND.
        """
        with self._database.read() as connection:
            state = _state(connection, plan_id)
            stand = sa.select(plans.c.version, plans.c.effective_from).where(plans.c.plan_id == plan_id, standing(plans))
            versions = tuple((row.version, row.effective_from) for row in connection.execute(stand))
            query = acts.select().where(acts.c.plan_id == plan_id).order_by(acts.c.act)
            if first is not None and last is not None:
                touched = (acts.c.first_day <= last.isoformat()) & (acts.c.last_day >= first.isoformat())
                query = query.where(touched | (acts.c.kind == CapacityActKind.DAYS_TAKEN_BACK.value))
            found = tuple(_act(row) for row in connection.execute(query).mappings())
        if not state:
            raise refuse(Reason.NOT_FOUND, "plan_id", f"{plan_id!r} does not exist.", "Create it first.", plan_id)
        return CapacityBook(state, versions, found)

    def add(
        self, act: CapacityAct, state: str, now: datetime, actor: Actor = UNKNOWN, request: RequestKey | None = None
    ) -> CapacityAct:
        """Add an act under the next number, and who did it; its own ``act`` and ``created_at`` are not read.

        With a request key the same request again returns the act that it made.

        Raises:
            CollectionsError: ETAG_MISMATCH when the calendar is in another state; REQUEST_ID_REUSED.
        """
        created_at = timestamp(now)
        with self._database.write() as connection:
            answer = stored_answer(connection, request) if request else None
            if answer is not None:
                return _kept(answer)
            _check_state(connection, act.plan_id, state)
            made = _insert(connection, act, created_at, actor)
            if request:
                insert_answer(connection, request, canonical_json(_row(made)), created_at)
            return made

    def made_by(self, request: RequestKey) -> CapacityAct | None:
        """Return the act that a request made, None while it made none.

        Raises:
            CollectionsError: REQUEST_ID_REUSED.
        """
        with self._database.read() as connection:
            answer = stored_answer(connection, request)
        return None if answer is None else _kept(answer)

    def add_settled_plan(
        self, act: CapacityAct, plan_payload: str, state: str, now: datetime, actor: Actor = UNKNOWN
    ) -> PlanRecord:
        """Add the version that a changed day comes to, with the act that says so; ``act.number`` is not read.

        Raises:
            CollectionsError: ETAG_MISMATCH when the calendar is in another state.
        """
        created_at = timestamp(now)
        with self._database.write() as connection:
            _check_state(connection, act.plan_id, state)
            day = date.fromisoformat(act.first_day)
            record = insert_plan(connection, act.plan_id, day, plan_payload, created_at, actor)
            _insert(connection, _numbered(act, record.version), created_at, actor)
        return record


def _numbered(act: CapacityAct, number: int) -> CapacityAct:
    return CapacityAct(**{**vars(act), "number": number})


def _state(connection: sa.Connection, plan_id: str) -> str:
    """Return the state of a calendar, "" where there is no such plan."""
    version = connection.execute(sa.select(sa.func.max(plans.c.version)).where(plans.c.plan_id == plan_id)).scalar()
    act = connection.execute(sa.select(sa.func.max(acts.c.act)).where(acts.c.plan_id == plan_id)).scalar()
    return f"{version}/{act or 0}" if version else ""


def _check_state(connection: sa.Connection, plan_id: str, expected: str) -> None:
    if _state(connection, plan_id) != expected:
        raise refuse(Reason.ETAG_MISMATCH, CALENDAR_STATE, "the calendar changed meanwhile.", "Read it and try again.")


def _insert(connection: sa.Connection, act: CapacityAct, created_at: str, actor: Actor) -> CapacityAct:
    highest = sa.select(sa.func.coalesce(sa.func.max(acts.c.act), 0)).where(acts.c.plan_id == act.plan_id)
    number = connection.execute(highest).scalar_one() + 1
    made = CapacityAct(**{**vars(act), "act": number, "created_at": created_at})
    insert_logged(connection, LogKind.CAPACITY_ACT, _row(made), actor)
    return made


def _row(act: CapacityAct) -> dict[str, Any]:
    return {**asdict(act), "kind": act.kind.value}


def _kept(answer: str) -> CapacityAct:
    row = json.loads(answer)
    return CapacityAct(**{**row, "kind": CapacityActKind(row["kind"])})


def _act(row: sa.RowMapping) -> CapacityAct:
    return CapacityAct(**{**row, "kind": CapacityActKind(row["kind"])})
