"""Legal holds: what forbids the erasure of accounts, and of everything about persons, until it is released."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.records.recorder import Recorder
from collections_opt.application.records.sealed_records import SealedRecords
from collections_opt.core.actors import UNKNOWN, Actor
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.names import check_id
from collections_opt.ledger.events.event_log import EventLog
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.sealing.keystream import KEY_BYTES
from collections_opt.ledger.sealing.sealing import unseal
from collections_opt.ledger.sealing.subject_keys import SubjectKeys
from collections_opt.ledger.tables.erasure import HoldRecord

MAX_SUBJECTS = 10_000
"""Accounts, or persons, of one hold or erasure: an erasure rewrites key blocks and worklists in one transaction."""

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class HoldRequest:
    """Asks to forbid an erasure.

    Attributes:
        hold_id: the caller's id of the hold.
        accounts: ids of accounts.
        customers: ids of persons: what was told of them, and their accounts, those to come too.
        reason: why, recorded as it is; so never with names in it.
        request_id: of the call; the same one again is the same hold. "" for none.
    """

    hold_id: str
    accounts: Sequence[str]
    customers: Sequence[str]
    reason: str
    request_id: str = ""


class Holds:
    """Places, releases and lists holds.

    Args:
        ledger: the records.
        keys: the keys of accounts and persons.
        recorder: what signs the log.
        now: the clock.
    """

    def __init__(self, ledger: Ledger, keys: SubjectKeys, recorder: Recorder, now: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._keys = keys
        self._recorder = recorder
        self._now = now
        self._log = EventLog(ledger.database, keys)

    def check(self, request: HoldRequest) -> None:
        """Refuse a hold that could not be placed; record nothing.

        Raises:
            CollectionsError: as ``place``.
        """
        self._check_placed(request, self.find(request.hold_id))

    def place(self, request: HoldRequest, actor: Actor = UNKNOWN) -> HoldRecord:
        """Forbid the erasure of accounts and persons until the hold is released.

        Raises:
            CollectionsError: NOT_FOUND for an account never seen, or a person of whom no portfolio and no event tells;
                ALREADY_EXISTS for a hold in force under this id; REQUEST_ID_REUSED for a request that placed another.
        """
        tag = self._tag([request.hold_id, *sorted(request.accounts), "", *sorted(request.customers), request.reason])
        standing = self.find(request.hold_id)
        if standing is not None and self._is_repeated(standing, request.request_id, tag):
            return standing
        accounts = self._check_placed(request, standing)
        facts = {"placed": True, "key_numbers": accounts, "reason": request.reason}
        if request.customers:
            facts["person_numbers"] = sorted(self._log.person_numbers(request.customers))
        return self._record(request.hold_id, facts, request.request_id, tag, actor)

    def _check_placed(self, request: HoldRequest, standing: HoldRecord | None) -> list[int]:
        """Refuse a hold that cannot be placed; return the numbers of its accounts' keys."""
        check_id("hold_id", request.hold_id)
        if not request.accounts and not request.customers:
            raise refuse(Reason.INVALID_ARGUMENT, "account_ids", "nobody is named.", "Send accounts, persons, or both.")
        if standing is not None and standing.placed:
            told = f"{request.hold_id!r} is in force."
            raise refuse(Reason.ALREADY_EXISTS, "hold_id", told, "Use another id, or release it first.")
        self._check_persons(request.customers)
        return account_numbers(self._keys, request.accounts) if request.accounts else []

    def in_force(self, hold_id: str) -> HoldRecord:
        """Return a hold that is in force.

        Raises:
            CollectionsError: NOT_FOUND when none of this id is.
        """
        standing = self.find(hold_id)
        if standing is None or not standing.placed:
            raise refuse(Reason.NOT_FOUND, "hold_id", f"no hold {hold_id[:40]!r} is in force.", "Check the id.", hold_id)
        return standing

    def release(self, hold_id: str, reason: str, actor: Actor = UNKNOWN, request_id: str = "") -> HoldRecord:
        """Release a hold.

        Raises:
            CollectionsError: NOT_FOUND when none of this id is in force; REQUEST_ID_REUSED.
        """
        tag = self._tag([hold_id, reason])
        standing = self.find(hold_id)
        if standing is not None and self._is_repeated(standing, request_id, tag):
            return standing
        standing = self.in_force(hold_id)
        facts: dict[str, Any] = {"placed": False, "key_numbers": list(standing.key_numbers), "reason": reason}
        if standing.person_numbers:
            facts["person_numbers"] = list(standing.person_numbers)
        return self._record(hold_id, facts, request_id, tag, actor)

    def find(self, hold_id: str) -> HoldRecord | None:
        """Return a hold as it stands, None for one never placed."""
        return next((one for one in self._ledger.erasure.holds() if one.hold_id == hold_id), None)

    def listed(self, with_released: bool = False) -> list[HoldRecord]:
        """Return holds by id; those that were released only if asked for."""
        return [one for one in self._ledger.erasure.holds() if one.placed or with_released]

    def of_accounts(self, numbers: Sequence[int]) -> dict[int, tuple[str, ...]]:
        """Return the ids of the holds in force over each account, or over its person, by the number of the account's key."""
        found: dict[int, list[str]] = {number: [] for number in numbers}
        in_force = self.listed()
        for hold in in_force:
            for number in found.keys() & set(hold.key_numbers):
                found[number].append(hold.hold_id)
        of_persons = [hold for hold in in_force if hold.person_numbers]
        if of_persons:
            owners = owners_of(self._ledger, self._recorder.sealed, np.array(sorted(found), dtype=np.int64))
            persons = {customer: self._log.person_number(customer) for customers in owners.values() for customer in customers}
            for number, customers in owners.items():
                held = {persons[customer] for customer in customers}
                found[number] += [hold.hold_id for hold in of_persons if held & set(hold.person_numbers)]
        return {number: tuple(sorted(set(holds))) for number, holds in found.items()}

    def of_persons(self, numbers: Sequence[int]) -> dict[int, tuple[str, ...]]:
        """Return the ids of the holds in force over each person, by the number of the key of what was told of them alone."""
        in_force = self.listed()
        return {number: tuple(hold.hold_id for hold in in_force if number in hold.person_numbers) for number in numbers}

    def _record(self, hold_id: str, facts: dict[str, Any], request_id: str, tag: str, actor: Actor) -> HoldRecord:
        asked = {"request": {"id": request_id, "tag": tag}} if request_id else {}
        at = {"actor": actor.recorded(), "at": self._now().isoformat()}
        self._ledger.erasure.record_hold(hold_id, {**facts, **asked, **at})
        self._recorder.publish()
        recorded = self.find(hold_id)
        if recorded is None:
            raise refuse(Reason.OUTCOME_UNKNOWN, "hold_id", "the hold is not there.", "Ask again with the same request id.")
        return recorded

    def _check_persons(self, customers: Sequence[str]) -> None:
        """Refuse persons of whom nothing is known: a hold over a slip of the pen would hold nothing."""
        if len(customers) > MAX_SUBJECTS:
            raise refuse(Reason.LIMIT_EXCEEDED, "customer_ids", f"{len(customers)} persons.", f"Send 1 to {MAX_SUBJECTS}.")
        unseen = {customer for customer in customers if self._log.person_number(customer) is None}
        for stored in self._ledger.portfolios.every():
            if not unseen:
                break
            held = self._recorder.sealed.portfolio(stored.object_digest).portfolio.column("customer_id")
            unseen -= {customer for customer in unseen if customer.encode() in held}
        if unseen:
            told = f"{min(unseen)[:40]!r} owes no account that was ever imported, and no event tells of them."
            raise refuse(Reason.NOT_FOUND, "customer_ids", told, "Check the id.", min(unseen))

    def _is_repeated(self, standing: HoldRecord, request_id: str, tag: str) -> bool:
        if not request_id or standing.request.get("id") != request_id:
            return False
        if (conflict := request_conflict({"request": standing.request}, tag)) is not None:
            raise conflict
        return True

    def _tag(self, content: Sequence[str]) -> str:
        return self._keys.tag(json.dumps(["hold", *content]))


def account_numbers(keys: SubjectKeys, accounts: Sequence[str]) -> list[int]:
    """Return the numbers of accounts' keys.

    Raises:
        CollectionsError: LIMIT_EXCEEDED; NOT_FOUND for an account never seen or erased before.
    """
    if not 1 <= len(accounts) <= MAX_SUBJECTS:
        raise refuse(Reason.LIMIT_EXCEEDED, "accounts", f"{len(accounts)} accounts.", f"Send 1 to {MAX_SUBJECTS}.")
    numbers = [keys.find(account) for account in accounts]
    unknown = [account for account, number in zip(accounts, numbers, strict=True) if number is None]
    if unknown:
        told = f"{unknown[0][:40]!r} was never imported, or was erased before."
        raise refuse(Reason.NOT_FOUND, "accounts", told, "Check the id.", unknown[0])
    return [number for number in numbers if number is not None]


def owners_of(ledger: Ledger, sealed: SealedRecords, numbers: Numbers) -> Mapping[int, set[str]]:
    """Return whoever owes each account in any portfolio ever imported, by the number of its key.

    Only rows of these accounts are opened. A row that was refused at the door names nobody.

    Args:
        ledger: the records.
        sealed: opens rows.
        numbers: int64 (n,) of the accounts' keys.
    """
    found: dict[int, set[str]] = {int(number): set() for number in numbers}
    for stored in ledger.portfolios.every():
        for number, customer in _owners_in(sealed, stored.object_digest, numbers):
            found[number].add(customer)
    return found


def _owners_in(sealed: SealedRecords, digest: str, numbers: Numbers) -> Iterator[tuple[int, str]]:
    table = sealed.table(digest)
    rows = np.flatnonzero(np.isin(table.key_no, numbers))
    if not rows.size:
        return
    keys = np.zeros((table.row_count, KEY_BYTES), dtype=np.uint8)
    keys[rows] = sealed.keys_of_numbers(table.key_no[rows])
    opened = unseal(table, keys)
    owners = opened.columns["customer_id"].tolist()
    for row, customer in zip(opened.rows.tolist(), owners, strict=True):
        if customer:
            yield int(table.key_no[row]), customer.decode()


def request_conflict(facts: Mapping[str, Any], tag: str) -> CollectionsError | None:
    """Return the refusal of a request id that was used for another request, None where it was for this one."""
    if facts.get("request", {}).get("tag") == tag:
        return None
    return refuse(Reason.REQUEST_ID_REUSED, "request_id", "was used for another request.", "Use a new UUID.")
