"""Retention and erasure of accounts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.records.holds import MAX_SUBJECTS, Holds, account_numbers, request_conflict
from collections_opt.application.records.recorder import Recorder
from collections_opt.application.records.retention import RETENTION_YEARS, lapsed_accounts, years_after
from collections_opt.core.actors import UNKNOWN, Actor
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse
from collections_opt.core.problem.assignment import ProgressCallback, ignore_progress
from collections_opt.ledger.events.event_log import EventLog
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.log.log import LogKind
from collections_opt.ledger.sealing.subject_keys import SubjectKeys

MAX_ACCOUNTS = MAX_SUBJECTS
"""Accounts of one erasure."""


@dataclass(frozen=True)
class ErasureReceipt:
    """What an erasure did: its id, how many accounts, and its place in the log (0 first), None when only checked.

    ``held_count`` accounts would have been erased with them but for a legal hold.
    """

    erasure_id: str
    account_count: int
    position: int | None
    held_count: int = 0


@dataclass(frozen=True)
class ErasureRequest:
    """Why somebody asks to erase, and under which request.

    Attributes:
        reason: recorded as it is; so never with names in it.
        request_id: of the call; the same one again is the same erasure. "" for none.
        validate_only: check only.
    """

    reason: str
    request_id: str = ""
    validate_only: bool = False


@dataclass(frozen=True)
class KeptAccount:
    """What keeps an account.

    Attributes:
        account_id: which.
        last_worked: as-of date of the last ranking that put it into a worklist, None for one never worked.
        last_event: day of its last event, None for none.
        keep_until: the first day on which time does not keep it any more, None where it never did.
        hold_ids: the legal holds over it or its person.
    """

    account_id: str
    last_worked: date | None
    last_event: date | None
    keep_until: date | None
    hold_ids: tuple[str, ...]


class Erasures:
    """Erases accounts that may be erased.

    Args:
        ledger: the records.
        keys: the keys of accounts.
        recorder: what signs the log.
        now: the clock.
        retention_years: years to keep an account after the last ranking that put it into a worklist.

    Attributes:
        holds: what forbids it.
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
        self.holds = Holds(ledger, keys, recorder, now)
        self._now = now
        self.retention_years = retention_years

    def erase(self, accounts: Sequence[str], request: ErasureRequest, actor: Actor = UNKNOWN) -> ErasureReceipt:
        """Erase accounts for good: all of them, or none when one must be kept.

        Args:
            accounts: their ids, 1 to ``MAX_ACCOUNTS``.
            request: why.
            actor: who asks.

        Raises:
            CollectionsError: NOT_FOUND for an account never seen or erased before; MUST_BE_KEPT naming each account under
                retention or hold; REQUEST_ID_REUSED; as ``Erasure.erase``.
        """
        if (before := self._repeated(request, "accounts", accounts)) is not None:
            return before
        numbers = account_numbers(self._keys, accounts)
        self._refuse_kept(accounts, numbers)
        unique = sorted(set(accounts))
        return self._erased(request, actor, unique, np.unique(np.array(numbers)), {}, self._tag("accounts", accounts))

    def erase_persons(self, customers: Sequence[str], request: ErasureRequest, actor: Actor = UNKNOWN) -> ErasureReceipt:
        """Erase for good what was told of persons alone, under no account: all of them, or none when one must be kept.

        What was told of their accounts goes with the accounts, as ``erase``.

        Args:
            customers: their ids, 1 to ``MAX_ACCOUNTS``.
            request: why.
            actor: who asks.

        Raises:
            CollectionsError: NOT_FOUND for a person of whom nothing was told; MUST_BE_KEPT naming each one under retention or
                hold; REQUEST_ID_REUSED.
        """
        if not 1 <= len(customers) <= MAX_ACCOUNTS:
            raise refuse(Reason.LIMIT_EXCEEDED, "customers", f"{len(customers)} persons.", f"Send 1 to {MAX_ACCOUNTS}.")
        if (before := self._repeated(request, "persons", customers)) is not None:
            return before
        log = EventLog(self._ledger.database, self._keys)
        found: dict[str, int] = {}
        for customer in customers:
            number = log.person_number(customer)
            if number is None:
                told = f"nothing was told of {customer[:40]!r} alone, or it was erased before."
                raise refuse(Reason.NOT_FOUND, "customers", told, "Check the id.", customer)
            found[customer] = number
        self._refuse_heard(list(customers), found)
        numbers = np.array(sorted(found.values()), dtype=np.int64)
        return self._erased(request, actor, (), numbers, {"persons": True}, self._tag("persons", customers))

    def erase_lapsed(
        self, before: date, request: ErasureRequest, actor: Actor = UNKNOWN, progress: ProgressCallback = ignore_progress
    ) -> ErasureReceipt:
        """Erase every account whose retention ended before a day, as ``lapsed_accounts``, but those under hold; all in one.

        For a time when nothing is imported: an account that comes again meanwhile would be erased with the others.

        Raises:
            CollectionsError: INVALID_ARGUMENT for a day to come; REQUEST_ID_REUSED; as ``Erasure.erase``.
        """
        if (done := self._repeated(request, "lapsed", [before.isoformat()])) is not None:
            return done
        if before > self._now().date():
            raise refuse(Reason.INVALID_ARGUMENT, "before", f"{before} is yet to come.", "Send today or an earlier day.")
        sealed, years = self._recorder.sealed, self.retention_years
        found = lapsed_accounts(self._ledger, sealed, self._keys, before, years, self._held_among, progress)
        accounts = np.char.decode(found.account_id, "utf-8").tolist()
        if not accounts:
            return ErasureReceipt(_erasure_id(self._now(), (), request.request_id), 0, None, found.held_count)
        lapsed = {"lapsed": {"before": before.isoformat(), "held_count": found.held_count}}
        tag = self._tag("lapsed", [before.isoformat()])
        return self._erased(request, actor, accounts, np.sort(found.key_no), lapsed, tag)

    def kept(self, accounts: Sequence[str]) -> list[KeptAccount]:
        """Return what keeps accounts.

        Raises:
            CollectionsError: NOT_FOUND for an account never seen or erased before.
        """
        numbers = account_numbers(self._keys, accounts)
        held, told = self.holds.of_accounts(numbers), self._ledger.event_days.last_of_accounts(numbers)
        return [
            self._kept(account, self._ledger.history.last_worked_on(account), told.get(number), held[number])
            for account, number in zip(accounts, numbers, strict=True)
        ]

    def _kept(self, account: str, worked: date | None, heard: date | None, holds: tuple[str, ...]) -> KeptAccount:
        until = max((years_after(day, self.retention_years) for day in (worked, heard) if day), default=None)
        return KeptAccount(account, worked, heard, until, holds)

    def _refuse_kept(self, accounts: Sequence[str], numbers: Sequence[int]) -> None:
        today, found = self._now().date(), []
        held = self.holds.of_accounts(numbers)
        told = self._ledger.event_days.last_of_accounts(numbers)
        for index, (account, number) in enumerate(zip(accounts, numbers, strict=True)):
            found += _under(held[number], f"accounts[{index}]")
            last, heard = self._ledger.history.last_worked_on(account), told.get(number)
            for day, what in ((last, "was last worked"), (heard, "had its last event")):
                until = years_after(day, self.retention_years) if day else None
                if until and today < until:
                    found.append(FieldViolation(f"accounts[{index}]", f"{what} on {day}.", f"Keep it until {until}."))
        _refuse(found)

    def _refuse_heard(self, customers: Sequence[str], numbers: Mapping[str, int]) -> None:
        today, found = self._now().date(), []
        heard = self._ledger.event_days.last_of_persons(list(numbers.values()))
        held = self.holds.of_persons(list(numbers.values()))
        for index, customer in enumerate(customers):
            found += _under(held[numbers[customer]], f"customers[{index}]")
            last = heard.get(numbers[customer])
            until = years_after(last, self.retention_years) if last else None
            if until and today < until:
                found.append(FieldViolation(f"customers[{index}]", f"had its last event on {last}.", f"Keep it until {until}."))
        _refuse(found)

    def _held_among(self, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        held = self.holds.of_accounts(numbers.tolist())
        return np.array([bool(held[number]) for number in numbers.tolist()], dtype=bool)

    def _erased(
        self,
        request: ErasureRequest,
        actor: Actor,
        accounts: Sequence[str],
        numbers: NDArray[np.int64],
        what: Mapping[str, Any],
        tag: str,
    ) -> ErasureReceipt:
        at = self._now()
        erasure_id = _erasure_id(at, numbers.tolist(), request.request_id)
        held = int(what.get("lapsed", {}).get("held_count", 0))
        if request.validate_only:
            return ErasureReceipt(erasure_id, int(numbers.size), None, held)
        asked = {"request": {"id": request.request_id, "tag": tag}} if request.request_id else {}
        facts = {"reason": request.reason, "actor": actor.recorded(), "at": at.isoformat(), **what, **asked}
        entry = self._ledger.erasure.erase(erasure_id, accounts, numbers, self._keys, facts)
        self._recorder.publish()
        return ErasureReceipt(erasure_id, int(numbers.size), entry.position, held)

    def _repeated(self, request: ErasureRequest, kind: str, content: Sequence[str]) -> ErasureReceipt | None:
        """Return what a request did before, None for a new one."""
        if not request.request_id:
            return None
        erasure_id = _erasure_id(self._now(), (), request.request_id)
        entry = self._ledger.log.entry_of(LogKind.ERASURE, erasure_id)
        if entry is None:
            return None
        if (conflict := request_conflict(entry.facts, self._tag(kind, content))) is not None:
            raise conflict
        held = int(entry.facts.get("lapsed", {}).get("held_count", 0))
        return ErasureReceipt(erasure_id, len(entry.facts["key_numbers"]), entry.position, held)

    def _tag(self, kind: str, content: Sequence[str]) -> str:
        """Return what stands for the content of a request: it names nobody, and says nothing without the master key."""
        return self._keys.tag(json.dumps(["erasure", kind, *sorted(set(content))]))


def _under(holds: Sequence[str], path: str) -> list[FieldViolation]:
    return [FieldViolation(path, f"is under legal hold {hold_id}.", "Release the hold first.") for hold_id in holds]


def _refuse(found: Sequence[FieldViolation]) -> None:
    if found:
        raise CollectionsError(Reason.MUST_BE_KEPT, f"{len(found)} reason(s) to keep; nothing was erased.", tuple(found))


def _erasure_id(at: datetime, numbers: Sequence[int], request_id: str) -> str:
    raw = request_id or f"{at.isoformat()}/{sorted(numbers)}"
    return "er-" + hashlib.sha256(raw.encode()).hexdigest()[:20]
