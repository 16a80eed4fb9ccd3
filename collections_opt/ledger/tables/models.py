"""Models that were seen: which artifact stood behind a version."""

from __future__ import annotations

from dataclasses import asdict

import sqlalchemy as sa

from collections_opt.core.errors import Reason, refuse
from collections_opt.ledger.log.log import LogKind
from collections_opt.ledger.log.logged_rows import insert_logged
from collections_opt.ledger.records import ModelRecord
from collections_opt.ledger.store.database import Store, found, one
from collections_opt.ledger.store.schema import models


class Models(Store):
    """Models by kind and version."""

    def add(self, record: ModelRecord) -> ModelRecord:
        """Record a model; seeing it again changes nothing.

        Raises:
            CollectionsError: ALREADY_EXISTS when the version came before with another artifact.
        """
        with self._database.write() as connection:
            stored = one(connection, models, _is(record.kind, record.version), ModelRecord)
            if stored is None:
                insert_logged(connection, LogKind.MODEL, asdict(record))
        if stored is not None and stored.digest != record.digest:
            raise refuse(
                Reason.ALREADY_EXISTS, "version", f"{record.kind} {record.version!r} had another artifact.", "Use a new version."
            )
        return stored or record

    def get(self, kind: str, version: str) -> ModelRecord:
        """Return a model.

        Raises:
            CollectionsError: NOT_FOUND.
        """
        with self._database.read() as connection:
            stored = one(connection, models, _is(kind, version), ModelRecord)
        return found(stored, "version", f"{kind}/{version}")


def _is(kind: str, version: str) -> sa.ColumnElement[bool]:
    return (models.c.kind == kind) & (models.c.version == version)
