"""What a gate is asked before a contact, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from collections_opt.application.day.desk.gate import RULE
from collections_opt.core.accounts.schema import BLOCK_FLAGS
from collections_opt.core.day.event_checks import subject_fault
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse
from collections_opt.core.limits import MAX_LIST_ITEMS
from collections_opt.core.names import list_violations, text_violation

HELD = "HELD"
"""Somebody holds the account, or another of the person."""

FACTS_TOO_OLD = "FACTS_TOO_OLD"
"""A rule reads facts that are older than the plan allows, or of no known age."""

LAST_CONTACT = "LAST_CONTACT"
"""A budget leaves this contact, and none after it."""

PROPOSED_RULE = "PROPOSED_RULE"
"""A rule that is only proposed would forbid it."""

RESERVED = "RESERVED"
"""A rule reserves the account for specialists, and the holder is said to be none."""


class ContactVerdict(StrEnum):
    """Whether a contact may be made, the gravest last."""

    ALLOWED = "ALLOWED"
    WARNING = "WARNING"
    """It may be made; somebody should know something."""
    APPROVAL_REQUIRED = "APPROVAL_REQUIRED"
    """Only a specialist may make it: a person of that skill must take it."""
    BLOCKED = "BLOCKED"
    """It must not be made."""


@dataclass(frozen=True)
class ContactRequest:
    """Asks whether a contact may be made.

    Attributes:
        ranking_id: the ranking in work, whose plan and accounts judge.
        account_id: the account, "" to ask about a person.
        customer_id: the person, whose accounts are all judged; "" to ask about an account.
        channel: by which medium.
        holder_kind: PERSON or AUTOMATED: a bot, an artificial voice, a platform that sends by itself.
        skills: block flags whose accounts the holder may take.
        lease_id: the lease under which it would be made, "" for none: what is held under another must not be contacted.
        at: when, today on the desk's clocks; None for now.
    """

    ranking_id: str
    account_id: str
    customer_id: str
    channel: str
    holder_kind: str
    skills: tuple[str, ...] = ()
    lease_id: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class ContactReason:
    """One thing that a gate has to say.

    Attributes:
        account_id: of which account.
        verdict: what it makes of the contact by itself.
        kind: a ``Removal``, HELD_OUT, OTHER_PLAN, PERSON_WORKED, RULE, HOURS, CHOSEN_HOURS, HELD, FACTS_TOO_OLD, RESERVED,
            LAST_CONTACT or PROPOSED_RULE.
        rule_id: the rule, "" where none is.
        rule_version: its version, 0 where none is.
        description: in a sentence.
        event: sequence of the event that is to blame, 0 where none is.
        since: first day, where the person is, on which it does not stand in the way any more; None where nobody can say.
        until: the instant at which it ends by itself, of what ends at one.
    """

    account_id: str
    verdict: ContactVerdict
    kind: str
    description: str
    rule_id: str = ""
    rule_version: int = 0
    event: int = 0
    since: date | None = None
    until: datetime | None = None

    @property
    def by_hours(self) -> bool:
        """Whether only the time of the day stands in the way."""
        return self.kind in ("HOURS", "CHOSEN_HOURS")

    @property
    def ends(self) -> bool:
        """Whether it is known when it ends."""
        return self.by_hours or self.since is not None or self.until is not None

    def recorded(self) -> dict[str, str | int]:
        """Return it without the account."""
        told: dict[str, str | int] = {"verdict": self.verdict.value, "kind": self.kind}
        if self.rule_id:
            told |= {"rule_id": self.rule_id, "rule_version": self.rule_version}
        return told | ({"event": self.event} if self.event else {})


@dataclass(frozen=True)
class BudgetLeft:
    """What a budget leaves of an account before this contact: those allowed, and those left, 0 where those made are unknown."""

    account_id: str
    rule_id: str
    rule_version: int
    allowed_count: int
    left_count: int


@dataclass(frozen=True)
class KnownFacts:
    """How old what a gate knows is.

    Attributes:
        as_of_date: the day that the rows describe.
        imported_at: when they came.
        through_event: number of the last event that was taken in, about anybody.
        last_event: number of the last event about these accounts, 0 for none.
        days_old: age in days of groups of facts (``contacts``, ``flags``), the oldest of the accounts; without those of no
            known age.
    """

    as_of_date: date
    imported_at: datetime
    through_event: int
    last_event: int
    days_old: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ContactAnswer:
    """What a gate answers.

    Attributes:
        verdict: the gravest of its reasons.
        at: the instant that was judged.
        reasons: all that there is to say, the gravest first.
        budgets: what budgets leave.
        next_at: the first instant at which nothing that is known now stands in the way; None where nobody can say.
        facts: how old what it knows is.
        rules_version: of the rules that judged.
        plan_id: the plan that judged.
        plan_version: its version.
        note: number of the note in the trail of reads that holds question and answer.
    """

    verdict: ContactVerdict
    at: datetime
    reasons: tuple[ContactReason, ...]
    budgets: tuple[BudgetLeft, ...]
    next_at: datetime | None
    facts: KnownFacts
    rules_version: str
    plan_id: str
    plan_version: int
    note: int = 0


def check_contact_request(request: ContactRequest) -> None:
    """Refuse a question that no gate could answer.

    Raises:
        CollectionsError: INVALID_ARGUMENT unless an account or a person is named, and for skills that are none.
    """
    if bool(request.account_id) == bool(request.customer_id):
        told = "name an account or a person, not both."
        raise refuse(Reason.INVALID_ARGUMENT, "account_id", told, "Send one of account_id and customer_id.")
    found = [one for name in ("account_id", "customer_id") if (one := subject_fault(name, getattr(request, name)))]
    if wrong := text_violation("lease_id", request.lease_id, may_be_empty=True):
        found.append(wrong)
    found += list_violations("skills", request.skills)
    found += [
        FieldViolation(f"skills[{at}]", f"{value[:40]!r} is no block flag.", f"Use one of {', '.join(BLOCK_FLAGS)}.")
        for at, value in enumerate(request.skills[:MAX_LIST_ITEMS])
        if value not in BLOCK_FLAGS
    ]
    if found:
        raise CollectionsError(Reason.INVALID_ARGUMENT, str(found[0]), tuple(found))


def gravest(reasons: tuple[ContactReason, ...]) -> ContactVerdict:
    """Return the gravest verdict; ALLOWED where there is nothing to say."""
    order = list(ContactVerdict)
    return max((one.verdict for one in reasons), key=order.index, default=ContactVerdict.ALLOWED)


def rule_kind(is_proposed: bool, specialism: str) -> tuple[ContactVerdict, str]:
    """Return what a rule that hits makes of a contact, and the kind of its reason."""
    if is_proposed:
        return ContactVerdict.WARNING, PROPOSED_RULE
    if specialism:
        return ContactVerdict.APPROVAL_REQUIRED, RESERVED
    return ContactVerdict.BLOCKED, RULE
