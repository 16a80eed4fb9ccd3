"""When something last happened to accounts: what retention runs from. Read without any key: it holds of erased ones too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa

from collections_opt.ledger.store.database import Store
from collections_opt.ledger.store.schema import day_events as table

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BATCH = 1_000


class EventDays(Store):
    """Days of events by account."""

    def last_of_persons(self, numbers: Sequence[int]) -> dict[int, date]:
        """Return the day (UTC) on which the last event told of each person alone was recorded, by key number."""
        last = sa.select(table.c.person_no, sa.func.max(table.c.recorded_at)).where(table.c.person_no.in_(list(numbers)))
        with self._database.read() as connection:
            rows = connection.execute(last.group_by(table.c.person_no)).all()
        return {int(number): (_EPOCH + timedelta(microseconds=int(at))).date() for number, at in rows}

    def last_of_accounts(self, numbers: Sequence[int] | None = None) -> dict[int, date]:
        """Return the day (UTC) on which the last event of each account was recorded, by key number; None asks for all accounts.

        Accounts without events are left out.
        """
        last = sa.select(table.c.account_no, sa.func.max(table.c.recorded_at)).where(table.c.account_no >= 0)
        found: dict[int, date] = {}
        asked = [None] if numbers is None else [numbers[at : at + _BATCH] for at in range(0, len(numbers), _BATCH)]
        with self._database.read() as connection:
            for part in asked:
                query = last if part is None else last.where(table.c.account_no.in_(part))
                for number, recorded_at in connection.execute(query.group_by(table.c.account_no)):
                    found[int(number)] = (_EPOCH + timedelta(microseconds=int(recorded_at))).date()
        return found
