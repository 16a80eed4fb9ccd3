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
from collections_opt.ledger.requests.idempotency import insert_answer, stored_answer
from collections_opt.ledger.store.database import Store, check_size, found, timestamp
from collections_opt.ledger.store.schema import capacity_plans as plans
from collections_opt.ledger.tables.records import PlanRecord, RequestKey


class Plans(Store):
    """Versions of capacity plans; the payload is the caller's JSON."""

    def add_plan(
        self,
        plan_id: str,
        effective_from: date,
        payload: str,
        expected_etag: str | None,
        now: datetime,
        request: RequestKey | None = None,
        actor: Actor = UNKNOWN,
    ) -> PlanRecord:
        """Add a version of a plan and who saved it; version 1 needs no etag, later ones the current version's.

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
            current = _latest(connection, plans.c.plan_id == plan_id)
            _check_etag(current, plan_id, expected_etag)
            version = current.version + 1 if current else 1
            record = PlanRecord(
                plan_id, version, effective_from.isoformat(), plan_etag(plan_id, version, payload), payload, created_at
            )
            insert_logged(connection, LogKind.PLAN, asdict(record), actor)
            if request:
                insert_answer(connection, request, canonical_json(asdict(record)), created_at)
        return record

    def check_next_plan(self, plan_id: str, expected_etag: str | None) -> None:
        """Refuse what ``add_plan`` would refuse now, without adding anything.

        Raises:
            CollectionsError: as ``add_plan``.
        """
        with self._database.read() as connection:
            _check_etag(_latest(connection, plans.c.plan_id == plan_id), plan_id, expected_etag)

    def plan(self, plan_id: str, version: int | None = None) -> PlanRecord:
        """Return a version of a plan, or its latest.

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
                record = _latest(connection, of_plan)
        return found(record, "plan_id", plan_id)

    def plan_effective(self, plan_id: str, day: date) -> PlanRecord:
        """Return the latest version in force on a day.

        Raises:
            CollectionsError: CAPACITY_PLAN_NOT_EFFECTIVE when every version starts later, NOT_FOUND when there is none.
        """
        with self._database.read() as connection:
            record = _latest(connection, (plans.c.plan_id == plan_id) & (plans.c.effective_from <= day.isoformat()))
        if record is None:
            self.plan(plan_id)
            raise refuse(
                Reason.CAPACITY_PLAN_NOT_EFFECTIVE,
                "plan_id",
                f"no version of {plan_id!r} is in force on {day}.",
                "Add a version that starts by then, or rank a later day.",
            )
        return record

    def plan_versions(self, plan_id: str, before: int | None, size: int) -> list[PlanRecord]:
        """Return versions of a plan, newest first, before one (None for all), at most ``size``."""
        query = plans.select().where(plans.c.plan_id == plan_id).order_by(plans.c.version.desc()).limit(check_size(size))
        if before is not None:
            query = query.where(plans.c.version < before)
        with self._database.read() as connection:
            return [_whole(row) for row in connection.execute(query).mappings()]

    def plans_after(self, after: str, size: int) -> list[PlanRecord]:
        """Return the latest version of each plan by id, after one ("" for all), at most ``size``."""
        outside = plans.alias("outside")
        latest = sa.select(sa.func.max(plans.c.version)).where(plans.c.plan_id == outside.c.plan_id).correlate(outside)
        query = outside.select().where(outside.c.plan_id > after, outside.c.version == latest.scalar_subquery())
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(outside.c.plan_id).limit(check_size(size))).mappings()
            return [_whole(row) for row in rows]


def plan_etag(plan_id: str, version: int, payload: str) -> str:
    """Return the etag (16 hex digits) of a version, from its content."""
    return digest_text(f"{plan_id}/{version}/{payload}")[:16]


def _latest(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> PlanRecord | None:
    row = connection.execute(plans.select().where(condition).order_by(plans.c.version.desc()).limit(1)).mappings().first()
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
