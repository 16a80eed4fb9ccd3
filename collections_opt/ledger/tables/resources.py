"""Versioned resources of every kind: versions and their approvals are added, never changed, each under a leaf of the log."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from collections_opt.core.actors import Actor, recorded_actor
from collections_opt.core.arrays import digest_text
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.models.lifecycle import ApprovalMode
from collections_opt.core.resources import (
    ResourceApproval,
    ResourceKind,
    ResourceVersion,
    check_approval,
    in_force,
    resource_etag,
)
from collections_opt.ledger.log.chain import canonical_json
from collections_opt.ledger.log.log import LogKind
from collections_opt.ledger.log.logged_rows import insert_logged
from collections_opt.ledger.records import RequestKey
from collections_opt.ledger.requests.idempotency import insert_answer, stored_answer
from collections_opt.ledger.store.database import Store, check_size, found, timestamp
from collections_opt.ledger.store.schema import resource_approvals as approvals
from collections_opt.ledger.store.schema import resource_versions as versions


@dataclass(frozen=True)
class NewVersion:
    """A version to be added: version 1 has no ``expected_etag``, later ones that of the latest version."""

    kind: ResourceKind
    resource_id: str
    effective_from: date
    content: str
    saved_by: Actor
    note: str = ""
    expected_etag: str | None = None


class Resources(Store):
    """Versions of resources and who approved them."""

    def add(self, new: NewVersion, now: datetime, request: RequestKey | None = None) -> ResourceVersion:
        """Add the next version of a resource; the same request again returns the version it made.

        Raises:
            CollectionsError: ALREADY_EXISTS, ETAG_MISMATCH or NOT_FOUND as for plans; REQUEST_ID_REUSED.
        """
        with self._database.write() as connection:
            answer = stored_answer(connection, request) if request else None
            if answer is not None:
                return _version(connection, new.kind, new.resource_id, int(json.loads(answer)["version"]))
            number = _next_number(connection, new)
            record = ResourceVersion(
                kind=new.kind,
                resource_id=new.resource_id,
                version=number,
                effective_from=new.effective_from,
                content=new.content,
                digest=digest_text(new.content),
                etag=resource_etag(new.kind, new.resource_id, number, new.effective_from, new.content),
                note=new.note,
                saved_by=new.saved_by,
                created_at=timestamp(now),
            )
            insert_logged(connection, LogKind.RESOURCE, _row(record))
            if request:
                insert_answer(connection, request, canonical_json({"version": number}), record.created_at)
        return record

    def check_next(self, new: NewVersion) -> None:
        """Refuse what ``add`` would refuse now, without adding anything."""
        with self._database.read() as connection:
            _next_number(connection, new)

    def approve(
        self, kind: ResourceKind, resource_id: str, version: int, approval: ResourceApproval, request: RequestKey | None = None
    ) -> ResourceVersion:
        """Record an approval; the same request again returns the version as it stands.

        Raises:
            CollectionsError: NOT_FOUND; as ``check_approval``, against the version at the moment of recording; REQUEST_ID_REUSED.
        """
        with self._database.write() as connection:
            stored = _version(connection, kind, resource_id, version)
            answer = stored_answer(connection, request) if request else None
            if answer is not None:
                return stored
            check_approval(stored, approval.by, approval.mode)
            row = {
                "kind": kind.value,
                "resource_id": resource_id,
                "version": version,
                "digest": stored.digest,
                "mode": approval.mode.value,
                "note": approval.note,
                "approved_by": canonical_json(approval.by.recorded()),
                "created_at": approval.created_at,
            }
            insert_logged(connection, LogKind.RESOURCE_APPROVAL, row)
            if request:
                insert_answer(connection, request, canonical_json({"version": version}), approval.created_at)
        return replace(stored, approval=approval)

    def get(self, kind: ResourceKind, resource_id: str, version: int | None = None) -> ResourceVersion:
        """Return a version of a resource, or its latest.

        Raises:
            CollectionsError: NOT_FOUND naming resource_id or version; INTEGRITY_FAILURE, as every read, when the content is not
                what was saved or approved.
        """
        with self._database.read() as connection:
            return _version(connection, kind, resource_id, version)

    def versions(self, kind: ResourceKind, resource_id: str, before: int | None, size: int) -> list[ResourceVersion]:
        """Return versions of a resource, newest first, before one (None for all), at most ``size``."""
        condition = _is(kind, resource_id)
        if before is not None:
            condition &= versions.c.version < before
        with self._database.read() as connection:
            return _all(connection, condition, versions.c.version.desc(), check_size(size))

    def after(self, kind: ResourceKind, after: str, size: int) -> list[ResourceVersion]:
        """Return the latest version of each resource of a kind by id, after one ("" for all), at most ``size``."""
        other = versions.alias("other")
        latest = (
            sa.select(sa.func.max(other.c.version))
            .where(other.c.kind == versions.c.kind, other.c.resource_id == versions.c.resource_id)
            .correlate(versions)
            .scalar_subquery()
        )
        condition = (versions.c.kind == kind.value) & (versions.c.resource_id > after) & (versions.c.version == latest)
        with self._database.read() as connection:
            return _all(connection, condition, versions.c.resource_id, check_size(size))

    def in_force(self, kind: ResourceKind, day: date) -> list[ResourceVersion]:
        """Return the version of each resource of a kind that is in force on a day, by id."""
        condition = (versions.c.kind == kind.value) & (versions.c.effective_from <= day.isoformat())
        by_id: dict[str, list[ResourceVersion]] = {}
        with self._database.read() as connection:
            for each in _all(connection, condition & approvals.c.version.is_not(None), versions.c.resource_id):
                by_id.setdefault(each.resource_id, []).append(each)
        ready = (in_force(each, day) for each in by_id.values())
        return [each for each in ready if each is not None]


def _is(kind: ResourceKind, resource_id: str) -> sa.ColumnElement[bool]:
    return (versions.c.kind == kind.value) & (versions.c.resource_id == resource_id)


def _version(connection: sa.Connection, kind: ResourceKind, resource_id: str, version: int | None) -> ResourceVersion:
    latest = _all(connection, _is(kind, resource_id), versions.c.version.desc(), 1)
    if not latest:
        return found(None, "resource_id", resource_id)
    if version is None or version == latest[0].version:
        return latest[0]
    named = _all(connection, _is(kind, resource_id) & (versions.c.version == version), versions.c.version, 1)
    return found(named[0] if named else None, "version", f"{resource_id}/{version}")


def _all(
    connection: sa.Connection, condition: sa.ColumnElement[bool], order: sa.ColumnElement[Any], size: int | None = None
) -> list[ResourceVersion]:
    keys = [versions.c[name] == approvals.c[name] for name in ("kind", "resource_id", "version")]
    told = [
        approvals.c.digest.label("approved_digest"),
        approvals.c.mode,
        approvals.c.note.label("approval_note"),
        approvals.c.approved_by,
        approvals.c.created_at.label("approved_at"),
    ]
    joined = versions.outerjoin(approvals, sa.and_(*keys))
    query = sa.select(*versions.c, *told).select_from(joined).where(condition).order_by(order)
    return [_whole(tuple(row.items())) for row in connection.execute(query if size is None else query.limit(size)).mappings()]


def _next_number(connection: sa.Connection, new: NewVersion) -> int:
    latest = _all(connection, _is(new.kind, new.resource_id), versions.c.version.desc(), 1)
    if not latest:
        if new.expected_etag is not None:
            return found(None, "resource_id", new.resource_id)
        return 1
    if new.expected_etag is None:
        raise refuse(Reason.ALREADY_EXISTS, "resource_id", f"{new.resource_id!r} exists.", "Update it with its etag.")
    if latest[0].etag != new.expected_etag:
        raise refuse(Reason.ETAG_MISMATCH, "etag", f"version {latest[0].version} has another etag.", "Read it and try again.")
    return latest[0].version + 1


def _row(record: ResourceVersion) -> dict[str, Any]:
    return {
        "kind": record.kind.value,
        "resource_id": record.resource_id,
        "version": record.version,
        "effective_from": record.effective_from.isoformat(),
        "content": record.content,
        "digest": record.digest,
        "etag": record.etag,
        "note": record.note,
        "saved_by": canonical_json(record.saved_by.recorded()),
        "created_at": record.created_at,
    }


@lru_cache(maxsize=1_024)
def _whole(cells: tuple[tuple[str, Any], ...]) -> ResourceVersion:
    """Return a row as a version; one that is not what was saved, or not what was approved, is never handed out.

    Every call that values or judges accounts reads what is in force, with all that went before: a row is checked once for each
    content it is read with, so that an edit is noticed as it would be by checking it anew.
    """
    row = dict(cells)
    try:
        record = _read(row)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        name = f"{str(row['kind']).lower()}/{row['resource_id']}/{row['version']}"
        found = f"what was saved of {name}, or its approval, cannot be read."
        raise refuse(Reason.INTEGRITY_FAILURE, "resource_id", found, "Restore the database.") from error
    etag = resource_etag(record.kind, record.resource_id, record.version, record.effective_from, record.content)
    if (record.etag, record.digest) != (etag, digest_text(record.content)) or row["approved_digest"] not in (None, record.digest):
        raise refuse(
            Reason.INTEGRITY_FAILURE,
            "resource_id",
            f"the content of {record.name} differs from what was saved or approved.",
            "Restore the database.",
        )
    return record


def _read(row: Any) -> ResourceVersion:
    approval = None
    if row["approved_digest"] is not None:
        by = recorded_actor(json.loads(row["approved_by"]))
        approval = ResourceApproval(by, ApprovalMode(row["mode"]), row["approval_note"], row["approved_at"])
    return ResourceVersion(
        kind=ResourceKind(row["kind"]),
        resource_id=row["resource_id"],
        version=row["version"],
        effective_from=date.fromisoformat(row["effective_from"]),
        content=row["content"],
        digest=row["digest"],
        etag=row["etag"],
        note=row["note"],
        saved_by=recorded_actor(json.loads(row["saved_by"])),
        created_at=row["created_at"],
        approval=approval,
    )
