"""Retention, legal holds and erasure of accounts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from collections_opt.application.records.recorder import Recorder
from collections_opt.application.records.retention import RETENTION_YEARS, lapsed_accounts, years_after
from collections_opt.core.actors import UNKNOWN, Actor
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse
from collections_opt.core.problem.assignment import ProgressCallback, ignore_progress
from collections_opt.ledger.events.event_log import EventLog
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.sealing.subject_keys import SubjectKeys

MAX_ACCOUNTS = 10_000
"""Accounts of one erasure: it rewrites key blocks and worklists in one transaction."""


@dataclass(frozen=True)
class ErasureReceipt:
    """What an erasure did: its id, how many accounts, and its place in the log (0 first), None when only checked.

    ``held_count`` accounts would have been erased with them but for a legal hold.
    """

    erasure_id: str
    account_count: int
    position: int | None
    held_count: int = 0


class Erasures:
    """Erases accounts that may be erased.

    Args:
        ledger: the records.
        keys: the keys of accounts.
        recorder: what signs the log.
        now: the clock.
        retention_years: years to keep an account after the last ranking that put it into a worklist.
    """

    def __init__(
        self,
        ledger: Ledger,
        keys: SubjectKeys,
        recorder: Recorder,
        now: Callable[[], datetime],
        retention_years: int = RETENTION_YEARS,
    ) -> None:
        self._ledger = ledger
        self._keys = keys
        self._recorder = recorder
        self._now = now
        self._retention_years = retention_years

    def erase(self, accounts: Sequence[str], reason: str, actor: Actor = UNKNOWN, validate_only: bool = False) -> ErasureReceipt:
        """Erase accounts for good: all of them, or none when one must be kept.

        Args:
            accounts: their ids, 1 to ``MAX_ACCOUNTS``.
            reason: why, recorded as it is; so never with names in it.
            actor: who asks.
            validate_only: check only.

        Raises:
            CollectionsError: NOT_FOUND for an account never seen or erased before; MUST_BE_KEPT naming each account under
                retention or hold; as ``Ledger.erase_accounts``.
        """
        numbers = self._numbers(accounts)
        self._refuse_kept(accounts, numbers)
        at = self._now()
        erasure_id = _erasure_id(at, numbers)
        if validate_only:
            return ErasureReceipt(erasure_id, len(accounts), None)
        facts = {"reason": reason, "actor": actor.recorded(), "at": at.isoformat()}
        unique = sorted(set(accounts))
        entry = self._ledger.erasure.erase(erasure_id, unique, np.unique(np.array(numbers)), self._keys, facts)
        self._recorder.publish()
        return ErasureReceipt(erasure_id, len(unique), entry.position)

    def erase_persons(
        self, customers: Sequence[str], reason: str, actor: Actor = UNKNOWN, validate_only: bool = False
    ) -> ErasureReceipt:
        """Erase for good what was told of persons alone, under no account: all of them, or none when one must be kept.

        What was told of their accounts goes with the accounts, as ``erase``.

        Args:
            customers: their ids, 1 to ``MAX_ACCOUNTS``.
            reason: as ``erase``.
            actor: as ``erase``.
            validate_only: as ``erase``.

        Raises:
            CollectionsError: NOT_FOUND for a person of whom nothing was told; MUST_BE_KEPT naming each one under retention.
        """
        if not 1 <= len(customers) <= MAX_ACCOUNTS:
            raise refuse(Reason.LIMIT_EXCEEDED, "customers", f"{len(customers)} persons.", f"Send 1 to {MAX_ACCOUNTS}.")
        log = EventLog(self._ledger.database, self._keys)
        found = {customer: log.person_number(customer) for customer in dict.fromkeys(customers)}
        for customer, number in found.items():
            if number is None:
                told = f"nothing was told of {customer[:40]!r} alone, or it was erased before."
                raise refuse(Reason.NOT_FOUND, "customers", told, "Check the id.", customer)
        numbers = sorted(number for number in found.values() if number is not None)
        self._refuse_heard(list(customers), found)
        at = self._now()
        erasure_id = _erasure_id(at, numbers)
        if validate_only:
            return ErasureReceipt(erasure_id, len(numbers), None)
        facts = {"reason": reason, "actor": actor.recorded(), "at": at.isoformat(), "persons": True}
        entry = self._ledger.erasure.erase(erasure_id, (), np.array(numbers), self._keys, facts)
        self._recorder.publish()
        return ErasureReceipt(erasure_id, len(numbers), entry.position)

    def _refuse_heard(self, customers: Sequence[str], numbers: Mapping[str, int | None]) -> None:
        today, kept = self._now().date(), []
        heard = self._ledger.event_days.last_of_persons([number for number in numbers.values() if number is not None])
        for index, customer in enumerate(customers):
            last = heard.get(_number(numbers[customer]))
            until = years_after(last, self._retention_years) if last else None
            if until and today < until:
                kept.append(FieldViolation(f"customers[{index}]", f"had its last event on {last}.", f"Keep it until {until}."))
        if kept:
            raise CollectionsError(Reason.MUST_BE_KEPT, f"{len(kept)} reason(s) to keep; nothing was erased.", tuple(kept))

    def erase_lapsed(
        self,
        before: date,
        reason: str,
        actor: Actor = UNKNOWN,
        validate_only: bool = False,
        progress: ProgressCallback = ignore_progress,
    ) -> ErasureReceipt:
        """Erase every account whose retention ended before a day, as ``lapsed_accounts``, but those under hold; all in one.

        For a time when nothing is imported: an account that comes again meanwhile would be erased with the others.

        Raises:
            CollectionsError: INVALID_ARGUMENT for a day to come; as ``Ledger.erase_accounts``.
        """
        at = self._now()
        if before > at.date():
            raise refuse(Reason.INVALID_ARGUMENT, "before", f"{before} is yet to come.", "Send today or an earlier day.")
        found = lapsed_accounts(self._ledger, self._recorder.sealed, self._keys, before, self._retention_years, progress)
        numbers = np.sort(found.key_no)
        erasure_id, count = _erasure_id(at, numbers.tolist()), int(numbers.size)
        if validate_only or not count:
            return ErasureReceipt(erasure_id, count, None, found.held_count)
        lapsed = {"before": before.isoformat(), "held_count": found.held_count}
        facts = {"reason": reason, "actor": actor.recorded(), "at": at.isoformat(), "lapsed": lapsed}
        accounts = np.char.decode(found.account_id, "utf-8").tolist()
        entry = self._ledger.erasure.erase(erasure_id, accounts, numbers, self._keys, facts)
        self._recorder.publish()
        return ErasureReceipt(erasure_id, count, entry.position, found.held_count)

    def hold(self, hold_id: str, accounts: Sequence[str], reason: str, actor: Actor = UNKNOWN) -> None:
        """Forbid the erasure of accounts until the hold is released.

        Raises:
            CollectionsError: NOT_FOUND for an account never seen; ALREADY_EXISTS for a hold in force under this id.
        """
        if hold_id in self._ledger.erasure.held_numbers():
            raise refuse(Reason.ALREADY_EXISTS, "hold_id", f"{hold_id!r} is in force.", "Use another id, or release it first.")
        self._record(hold_id, {"placed": True, "key_numbers": self._numbers(accounts), "reason": reason}, actor)

    def release(self, hold_id: str, reason: str, actor: Actor = UNKNOWN) -> None:
        """Release a hold.

        Raises:
            CollectionsError: NOT_FOUND when none of this id is in force.
        """
        numbers = self._ledger.erasure.held_numbers().get(hold_id)
        if numbers is None:
            raise refuse(Reason.NOT_FOUND, "hold_id", f"no hold {hold_id!r} is in force.", "Check the id.", hold_id)
        self._record(hold_id, {"placed": False, "key_numbers": numbers, "reason": reason}, actor)

    def _record(self, hold_id: str, facts: dict[str, Any], actor: Actor) -> None:
        self._ledger.erasure.record_hold(hold_id, {**facts, "actor": actor.recorded(), "at": self._now().isoformat()})
        self._recorder.publish()

    def _numbers(self, accounts: Sequence[str]) -> list[int]:
        if not 1 <= len(accounts) <= MAX_ACCOUNTS:
            raise refuse(Reason.LIMIT_EXCEEDED, "accounts", f"{len(accounts)} accounts.", f"Send 1 to {MAX_ACCOUNTS}.")
        numbers = [self._keys.find(account) for account in accounts]
        unknown = [account for account, number in zip(accounts, numbers, strict=True) if number is None]
        if unknown:
            told = f"{unknown[0]!r} was never imported, or was erased before."
            raise refuse(Reason.NOT_FOUND, "accounts", told, "Check the id.", unknown[0])
        return [number for number in numbers if number is not None]

    def _refuse_kept(self, accounts: Sequence[str], numbers: Sequence[int]) -> None:
        today, found = self._now().date(), []
        held = {number: hold_id for hold_id, under in self._ledger.erasure.held_numbers().items() for number in under}
        told = self._ledger.event_days.last_of_accounts(numbers)
        for index, (account, number) in enumerate(zip(accounts, numbers, strict=True)):
            if number in held:
                found.append(
                    FieldViolation(f"accounts[{index}]", f"is under legal hold {held[number]}.", "Release the hold first.")
                )
            last = self._ledger.history.last_worked_on(account)
            until = years_after(last, self._retention_years) if last else None
            if until and today < until:
                found.append(FieldViolation(f"accounts[{index}]", f"was last worked on {last}.", f"Keep it until {until}."))
            heard = told.get(number)
            until = years_after(heard, self._retention_years) if heard else None
            if until and today < until:
                found.append(FieldViolation(f"accounts[{index}]", f"had its last event on {heard}.", f"Keep it until {until}."))
        if found:
            raise CollectionsError(Reason.MUST_BE_KEPT, f"{len(found)} reason(s) to keep; nothing was erased.", tuple(found))


def _number(number: int | None) -> int:
    return -1 if number is None else number


def _erasure_id(at: datetime, numbers: Sequence[int]) -> str:
    raw = f"{at.isoformat()}/{sorted(numbers)}"
    return "er-" + hashlib.sha256(raw.encode()).hexdigest()[:20]
