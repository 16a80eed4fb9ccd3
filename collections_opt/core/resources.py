"""Settings that decide money or law, kept as versions: effective-dated, never changed, in force once a second person approved.

A version is in force on a day when it is approved and starts by that day; of several, the one that starts last, and of those that
start on one day the last saved. So a version for next January does not undo what a later one says of December, and a correction
is saved with the day of what it corrects.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from collections_opt.core.actors import Actor
from collections_opt.core.arrays import digest_text
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.models.lifecycle import NAMED, ApprovalMode


class ResourceKind(StrEnum):
    """What a resource holds."""

    VALUE_PARAMETERS = "value_parameters"
    """What accounts are worth, by product."""
    RULE_TABLE = "rule_table"
    """Whom the law and the lender let be contacted."""
    EXPERIMENT = "experiment"
    """Whom a draw leaves alone, to learn what contact is worth."""


@dataclass(frozen=True)
class ResourceApproval:
    """Who let a version come into force; ``mode`` says whether a second person did."""

    by: Actor
    mode: ApprovalMode
    note: str
    created_at: str


@dataclass(frozen=True)
class ResourceVersion:
    """One version of a resource; it never changes.

    Attributes:
        kind: what it holds.
        resource_id: which resource.
        version: 1 first.
        effective_from: first day on which it may be in force.
        content: its text, as its kind writes it.
        digest: SHA-256 (hex) of the content.
        etag: digest of the version, which the next one names.
        note: why, for the record.
        saved_by: who saved it.
        created_at: when, ISO 8601 in UTC.
        approval: None until somebody approves it.
    """

    kind: ResourceKind
    resource_id: str
    version: int
    effective_from: date
    content: str
    digest: str
    etag: str
    note: str
    saved_by: Actor
    created_at: str
    approval: ResourceApproval | None = None

    @property
    def name(self) -> str:
        """What people call it: id and version."""
        return f"{self.resource_id}/{self.version}"


def resource_etag(kind: ResourceKind, resource_id: str, version: int, effective_from: date, content: str) -> str:
    """Return the etag (16 hex digits) of a version, from everything it says."""
    return digest_text(f"{kind}/{resource_id}/{version}/{effective_from}/{content}")[:16]


def check_approval(version: ResourceVersion, by: Actor, mode: ApprovalMode) -> None:
    """Refuse an approval that would let one person decide alone, unless it says so where it may.

    Raises:
        CollectionsError: INVALID_ARGUMENT for somebody without a name; RESOURCE_STATE_CONFLICT for a version that is approved;
            PERMISSION_DENIED for whoever saved it, and for a self-approval on a server that checks who calls.
    """
    if not by.name:
        raise refuse(Reason.INVALID_ARGUMENT, "actor", "has no name.", "Say who approves.")
    if version.approval is not None:
        raise refuse(
            Reason.RESOURCE_STATE_CONFLICT,
            "version",
            f"{version.name} was approved by {version.approval.by.name}.",
            "Save the next version and have that one approved.",
        )
    if mode is ApprovalMode.SELF_APPROVED and by.issuer:
        raise refuse(
            Reason.PERMISSION_DENIED,
            "self_approved",
            "a server that checks tokens lets nobody approve alone.",
            "Ask a second person to approve it.",
        )
    if mode in NAMED and _person(by) == _person(version.saved_by):
        raise refuse(
            Reason.PERMISSION_DENIED,
            "actor",
            f"{by.name!r} saved {version.name}; who saves a version does not approve it.",
            "Ask a second person, or for a trial mark it as self-approved.",
        )


def approval_mode(saved_by: Actor, by: Actor, self_approved: bool) -> ApprovalMode:
    """Return what stands behind an approval: two persons only where a token vouched for each of them."""
    if self_approved:
        return ApprovalMode.SELF_APPROVED
    return ApprovalMode.PEOPLE if saved_by.issuer and by.issuer else ApprovalMode.CLAIMED


def is_claimed(version: ResourceVersion) -> bool:
    """Return whether a version's approval rests on names that nobody authenticated, whatever an older record calls it."""
    held = version.approval
    return held is not None and held.mode in NAMED and not (version.saved_by.issuer and held.by.issuer)


def in_force(versions: Iterable[ResourceVersion], day: date) -> ResourceVersion | None:
    """Return the version of one resource that is in force on a day, None for none."""
    ready = [each for each in versions if each.approval is not None and each.effective_from <= day]
    return max(ready, key=lambda each: (each.effective_from, each.version), default=None)


def _person(actor: Actor) -> str:
    return actor.name.strip().casefold()
