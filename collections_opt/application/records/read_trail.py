"""Notes who reads data about accounts, by the numbers of their keys: the trail outlives an erasure and names nobody then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from collections_opt.application.records.sealed_records import SealedRecords
from collections_opt.core.actors import Actor
from collections_opt.core.names import normal_account_id
from collections_opt.ledger.ledger import Ledger

MAX_ACCOUNTS = 100
"""Accounts that one note tells apart; of more it tells how many."""


@dataclass(frozen=True)
class ReadTrail:
    """Notes reads before they are answered."""

    ledger: Ledger
    sealed: SealedRecords
    now: Callable[[], datetime]

    def note(self, method: str, actor: Actor, named: Mapping[str, str], accounts: list[str]) -> int:
        """Record that somebody asks, and return the number of the note.

        Args:
            method: what was called.
            actor: who asks.
            named: which ranking, portfolio, queue or day.
            accounts: ids of the accounts asked for, if single ones are.

        Raises:
            CollectionsError: as ``Reads.record``; then nothing may be answered.
        """
        subject: dict[str, Any] = dict(named)
        if accounts:
            subject["account_count"] = len(accounts)
            if len(accounts) <= MAX_ACCOUNTS:
                numbers = [self.sealed.key_number(normal_account_id(account)) for account in accounts]
                subject["key_numbers"] = [-1 if number is None else number for number in numbers]
        return self.ledger.reads.record(method, actor, subject, self.now())
