"""Capacity plans: versions are added, never changed."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from collections_opt.core.actors import UNKNOWN, Actor
from collections_opt.core.arrays import digest_text
from collections_opt.core.errors import Reason, refuse
from collections_opt.ledger.log.chain import canonical_json
from collections_opt.ledger.log.log import LogKind
from collections_opt.ledger.log.logged_rows import insert_logged
from collections_opt.ledger.records import CapacityActKind, PlanRecord, RequestKey
from collections_opt.ledger.requests.idempotency import insert_answer, stored_answer
from collections_opt.ledger.store.database import Store, check_size, found, timestamp
from collections_opt.ledger.store.schema import capacity_acts as acts
from collections_opt.ledger.store.schema import capacity_plans as plans


class Plans(Store):
    """Versions of capacity plans; the payload is the caller's JSON."""

    def add(
        self,
        plan_id: str,
        effective_from: date,
        payload: str,
        expected_etag: str | None,
        now: datetime,
        request: RequestKey | None = None,
        actor: Actor = UNKNOWN,
    ) -> PlanRecord:
        """Add a version of a plan and who saved it; version 1 needs no etag, later ones that of the latest standing version.

        With a request key the same request again returns the version it made, even if others followed.

        Raises:
            CollectionsError: ALREADY_EXISTS when a first version exists, ETAG_MISMATCH when another version came between,
                NOT_FOUND when an etag is given for a plan that does not exist, REQUEST_ID_REUSED.
        """
        created_at = timestamp(now)
        with self._database.write() as connection:
            answer = stored_answer(connection, request) if request else None
            if answer is not None:
                return PlanRecord(**json.loads(answer))
            _check_etag(_latest(connection, (plans.c.plan_id == plan_id) & standing(plans)), plan_id, expected_etag)
            record = insert_plan(connection, plan_id, effective_from, payload, created_at, actor)
            if request:
                insert_answer(connection, request, canonical_json(asdict(record)), created_at)
        return record

    def check_next(self, plan_id: str, expected_etag: str | None) -> None:
        """Refuse what ``add`` would refuse now, without adding anything.

        Raises:
            CollectionsError: as ``add``.
        """
        with self._database.read() as connection:
            _check_etag(_latest(connection, (plans.c.plan_id == plan_id) & standing(plans)), plan_id, expected_etag)

    def get(self, plan_id: str, version: int | None = None) -> PlanRecord:
        """Return a version of a plan, or the latest that stands.

        Raises:
            CollectionsError: NOT_FOUND naming plan_id or plan_version, or INTEGRITY_FAILURE when its content differs from its
                etag (as every read).
        """
        of_plan = plans.c.plan_id == plan_id
        with self._database.read() as connection:
            if version is not None:
                record = _latest(connection, of_plan & (plans.c.version == version))
                if record is None and _latest(connection, of_plan) is not None:
                    return found(None, "plan_version", f"{plan_id}/{version}")
            else:
                record = _latest(connection, of_plan & standing(plans))
        return found(record, "plan_id", plan_id)

    def versions(self, plan_id: str, before: int | None, size: int) -> list[PlanRecord]:
        """Return versions of a plan, standing or not, newest first, before one (None for all), at most ``size``."""
        query = plans.select().where(plans.c.plan_id == plan_id).order_by(plans.c.version.desc()).limit(check_size(size))
        if before is not None:
            query = query.where(plans.c.version < before)
        with self._database.read() as connection:
            return [_whole(row) for row in connection.execute(query).mappings()]

    def after(self, after: str, size: int) -> list[PlanRecord]:
        """Return the latest standing version of each plan by id, after one ("" for all), at most ``size``."""
        outside = plans.alias("outside")
        of_plan = (plans.c.plan_id == outside.c.plan_id) & standing(plans)
        latest = sa.select(sa.func.max(plans.c.version)).where(of_plan).correlate(outside)
        query = outside.select().where(outside.c.plan_id > after, outside.c.version == latest.scalar_subquery())
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(outside.c.plan_id).limit(check_size(size))).mappings()
            return [_whole(row) for row in rows]


def plan_etag(plan_id: str, version: int, payload: str) -> str:
    """Return the etag (16 hex digits) of a version, from its content."""
    return digest_text(f"{plan_id}/{version}/{payload}")[:16]


def standing(table: Any) -> sa.ColumnElement[bool]:
    """Return the condition that a version was neither taken back nor settled for one day."""
    ended = (CapacityActKind.VERSION_TAKEN_BACK.value, CapacityActKind.SETTLED.value)
    named = (acts.c.plan_id == table.c.plan_id) & (acts.c.number == table.c.version) & acts.c.kind.in_(ended)
    return ~sa.exists().where(named)


def insert_plan(
    connection: sa.Connection, plan_id: str, effective_from: date, payload: str, created_at: str, actor: Actor
) -> PlanRecord:
    """Insert the next version of a plan and its leaf, within a transaction."""
    highest = sa.select(sa.func.coalesce(sa.func.max(plans.c.version), 0)).where(plans.c.plan_id == plan_id)
    version = connection.execute(highest).scalar_one() + 1
    etag = plan_etag(plan_id, version, payload)
    record = PlanRecord(plan_id, version, effective_from.isoformat(), etag, payload, created_at)
    insert_logged(connection, LogKind.PLAN, asdict(record), actor)
    return record


def _latest(connection: sa.Connection, condition: sa.ColumnElement[bool], *first_by: sa.ColumnElement[Any]) -> PlanRecord | None:
    query = plans.select().where(condition).order_by(*first_by, plans.c.version.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return _whole(row) if row else None


def _whole(row: Any) -> PlanRecord:
    """Return a row as a record; a row that is not what was written is never handed out."""
    record = PlanRecord(**row)
    if record.etag != plan_etag(record.plan_id, record.version, record.payload):
        raise refuse(
            Reason.INTEGRITY_FAILURE,
            "plan_id",
            f"the content of {record.plan_id}/{record.version} differs from its etag.",
            "Restore the database.",
        )
    return record


def _check_etag(current: PlanRecord | None, plan_id: str, expected: str | None) -> None:
    if expected is None and current is not None:
        raise refuse(Reason.ALREADY_EXISTS, "plan_id", f"{plan_id!r} exists.", "Update it with its etag.")
    if expected is not None and current is None:
        raise refuse(Reason.NOT_FOUND, "plan_id", f"{plan_id!r} does not exist.", "Create it first.", plan_id)
    if current is not None and current.etag != expected:
        raise refuse(Reason.ETAG_MISMATCH, "etag", f"version {current.version} has another etag.", "Read it and try again.")
