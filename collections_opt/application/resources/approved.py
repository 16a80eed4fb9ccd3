"""Versioned resources of one kind as use cases: save, approve, list, and find what is in force. Every kind of settings reuses it.

How to keep a new kind of settings (value parameters are the example, ``application/value_sets.py``):

1. Name it in ``core.resources.ResourceKind``. Tables, leaves, migration and approval are there; the ledger stays as it is.
2. Give a ``ResourceFormat``: ``dump`` to text, ``load`` from text (reading what older releases saved), ``check`` raising
   ``CollectionsError`` with every field at fault. ``check`` runs before a version is saved and before it is approved.
3. Open it in ``workspace.py``: ``ApprovedResources(ledger, now, recorder.publish, format)``.
4. Ship a first version with ``declare(SavedContent(...), by)``: a ledger that has none of that id, or only shipped ones, saves
   and approves it as BOOTSTRAP; a person's version always stands.
5. When a ranking is made ask ``in_force(as_of_date)``, choose among what it returns, and settle the choice in the owed
   ranking before it is begun, so that it is the same when it is made again. Record the content (or its object) and the names.
6. The service: messages hold ``ResourceState`` (``resource.proto``) beside the content;
   ``service/converters/approved/resources.py`` writes it. Save and update take request_id, etag and validate_only; approve takes
   request_id, version, note and self_approved.

Who saves a version does not approve it. ``self_approved`` lets one person do both, is recorded as such, and is refused where the
server checks tokens: there names are known, and a second person exists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, TypeVar

from collections_opt.core.actors import Actor
from collections_opt.core.arrays import digest_text
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.limits import MAX_NOTE_CHARACTERS
from collections_opt.core.models.lifecycle import NAMED, ApprovalMode
from collections_opt.core.names import check_id
from collections_opt.core.resources import ResourceApproval, ResourceKind, ResourceVersion, approval_mode, check_approval
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.records import RequestKey
from collections_opt.ledger.store.database import timestamp
from collections_opt.ledger.store.paging import every_row
from collections_opt.ledger.tables.resources import NewVersion

ContentT = TypeVar("ContentT")


@dataclass(frozen=True)
class ResourceFormat(Generic[ContentT]):
    """How the content of a kind is written, read and checked."""

    kind: ResourceKind
    dump: Callable[[ContentT], str]
    load: Callable[[str], ContentT]
    check: Callable[[ContentT], None]


@dataclass(frozen=True)
class SavedContent(Generic[ContentT]):
    """What somebody saves: ``etag`` is that of the version it follows, None for a first one."""

    resource_id: str
    effective_from: date
    content: ContentT
    etag: str | None = None
    note: str = ""
    request_id: str = ""


@dataclass(frozen=True)
class ApprovalCommand:
    """What somebody approves; with ``self_approved`` who saved it may, and the record says that no second person looked."""

    resource_id: str
    version: int
    self_approved: bool = False
    note: str = ""
    request_id: str = ""


@dataclass(frozen=True)
class Stored(Generic[ContentT]):
    """A version with its content read."""

    version: ResourceVersion
    content: ContentT


class ApprovedResources(Generic[ContentT]):
    """The use cases around one kind of resource.

    Args:
        ledger: where versions and approvals are recorded.
        now: the clock.
        publish: signs the log after a record.
        how: the kind and its format.
    """

    def __init__(
        self, ledger: Ledger, now: Callable[[], datetime], publish: Callable[[], object], how: ResourceFormat[ContentT]
    ) -> None:
        self._ledger = ledger
        self._now = now
        self._publish = publish
        self._how = how

    def save(self, new: SavedContent[ContentT], by: Actor, validate_only: bool = False) -> Stored[ContentT]:
        """Save a first version (no etag) or the next one; nothing is in force before it is approved.

        With ``validate_only`` nothing is saved, and version 0 without etag is returned.

        Raises:
            CollectionsError: INVALID_ARGUMENT with every field at fault; as ``Resources.add``.
        """
        self._check(new, by)
        content = self._how.dump(new.content)
        record = NewVersion(self._how.kind, new.resource_id, new.effective_from, content, by, new.note, new.etag)
        if validate_only:
            self._ledger.resources.check_next(record)
            checked = ResourceVersion(
                kind=record.kind,
                resource_id=record.resource_id,
                version=0,
                effective_from=record.effective_from,
                content=content,
                digest=digest_text(content),
                etag="",
                note=record.note,
                saved_by=by,
                created_at=timestamp(self._now()),
            )
            return Stored(checked, new.content)
        payload = f"{new.resource_id}/{new.effective_from}/{new.etag}/{new.note}/{content}"
        added = self._ledger.resources.add(record, self._now(), self._key(new.request_id, "save", payload))
        self._publish()
        return self._read(added)

    def approve(self, command: ApprovalCommand, by: Actor, validate_only: bool = False) -> Stored[ContentT]:
        """Let a version come into force.

        Raises:
            CollectionsError: NOT_FOUND; as ``check_approval`` and the check of the content, which may have become stricter.
        """
        _check_note(command.note)
        # The payload's own word for it, the same whoever is authenticated: a repeated request must meet its answer.
        asked = ApprovalMode.SELF_APPROVED if command.self_approved else ApprovalMode.PEOPLE
        payload = f"{command.resource_id}/{command.version}/{asked}/{command.note}"
        key = self._key(command.request_id, "approve", payload)
        stored = self.version(command.resource_id, command.version)
        mode = approval_mode(stored.version.saved_by, by, command.self_approved)
        self._how.check(stored.content)
        approval = ResourceApproval(by, mode, command.note, timestamp(self._now()))
        if validate_only:
            check_approval(stored.version, by, mode)
            return stored
        approved = self._ledger.resources.approve(self._how.kind, command.resource_id, command.version, approval, key)
        self._publish()
        return self._read(approved)

    def declare(self, new: SavedContent[ContentT], by: Actor, mode: ApprovalMode = ApprovalMode.BOOTSTRAP) -> Stored[ContentT]:
        """Save and approve at once what a release ships, or what whoever starts a server declares; the same again is free.

        What is shipped (BOOTSTRAP) gives way to any version that somebody saved. What is declared (SELF_APPROVED) is refused
        then: who starts a server does not overrule who approved.

        Raises:
            CollectionsError: RESOURCE_STATE_CONFLICT; as ``save``.
        """
        self._check(new, by)
        try:
            return self._declared(new, by, mode)
        except CollectionsError as error:
            if error.reason not in (Reason.ALREADY_EXISTS, Reason.ETAG_MISMATCH, Reason.RESOURCE_STATE_CONFLICT):
                raise
            return self._declared(new, by, mode)  # another process may have declared the same at the same moment: look again

    def version(self, resource_id: str, version: int | None = None) -> Stored[ContentT]:
        """Return a version of a resource, or its latest, approved or not.

        Raises:
            CollectionsError: as ``Ledger.resource``.
        """
        return self._read(self._ledger.resources.get(self._how.kind, resource_id, version))

    def versions(self, resource_id: str, before: int | None, size: int) -> list[Stored[ContentT]]:
        """Return versions of a resource, newest first, before one (None for all), at most ``size``."""
        return [self._read(each) for each in self._ledger.resources.versions(self._how.kind, resource_id, before, size)]

    def latest(self, after: str, size: int) -> list[Stored[ContentT]]:
        """Return the latest version of each resource by id, after one ("" for all), at most ``size``."""
        return [self._read(each) for each in self._ledger.resources.after(self._how.kind, after, size)]

    def every_version(self, resource_id: str) -> Iterator[Stored[ContentT]]:
        """Yield all versions of a resource, newest first, approved or not."""
        return every_row(lambda before, size: self.versions(resource_id, before, size), None, lambda held: held.version.version)

    def every_latest(self) -> Iterator[Stored[ContentT]]:
        """Yield the latest version of all resources by id."""
        return every_row(self.latest, "", lambda held: held.version.resource_id)

    def in_force(self, day: date) -> list[Stored[ContentT]]:
        """Return the version of each resource that is approved and in force on a day, by id; remembered within a moment."""

        def read() -> tuple[Stored[ContentT], ...]:
            return tuple(self._read(each) for each in self._ledger.resources.in_force(self._how.kind, day))

        return list(self._ledger.moments.remembered(("in_force", self._how.kind, day), read))

    def _declared(self, new: SavedContent[ContentT], by: Actor, mode: ApprovalMode) -> Stored[ContentT]:
        content = self._how.dump(new.content)
        every = [each.version for each in self.every_version(new.resource_id)]
        latest = every[0] if every else None
        same = latest and (latest.content, latest.effective_from) == (content, new.effective_from)
        if latest and same and latest.approval:
            return self._read(latest)
        if latest and same and latest.saved_by == by:  # whoever declared it ended before it was approved
            return self._approve_declared(latest, new.note, by, mode)
        modes = {each.approval.mode if each.approval else None for each in every}
        if latest and mode is ApprovalMode.BOOTSTRAP and modes != {ApprovalMode.BOOTSTRAP}:
            return self._read(latest)
        if modes & {*NAMED, None}:
            raise refuse(
                Reason.RESOURCE_STATE_CONFLICT,
                "resource_id",
                f"{new.resource_id!r} holds other content that people saved or approved.",
                "Save this as its next version and have it approved, or give it another id.",
            )
        etag = latest.etag if latest else None
        record = NewVersion(self._how.kind, new.resource_id, new.effective_from, content, by, new.note, etag)
        return self._approve_declared(self._ledger.resources.add(record, self._now()), new.note, by, mode)

    def _approve_declared(self, added: ResourceVersion, note: str, by: Actor, mode: ApprovalMode) -> Stored[ContentT]:
        approval = ResourceApproval(by, mode, note, timestamp(self._now()))
        approved = self._ledger.resources.approve(self._how.kind, added.resource_id, added.version, approval)
        self._publish()
        return self._read(approved)

    def _check(self, new: SavedContent[ContentT], by: Actor) -> None:
        check_id("resource_id", new.resource_id)
        if not by.name:
            raise refuse(Reason.INVALID_ARGUMENT, "actor", "has no name.", "Say who saves it.")
        _check_note(new.note)
        self._how.check(new.content)

    def _key(self, request_id: str, act: str, payload: str) -> RequestKey | None:
        return RequestKey(request_id, f"{self._how.kind}.{act}", digest_text(payload)) if request_id else None

    def _read(self, version: ResourceVersion) -> Stored[ContentT]:
        return Stored(version, self._how.load(version.content))


def _check_note(note: str) -> None:
    if len(note) > MAX_NOTE_CHARACTERS:
        raise refuse(Reason.INVALID_ARGUMENT, "note", f"has {len(note)} characters.", f"Use at most {MAX_NOTE_CHARACTERS:,}.")
