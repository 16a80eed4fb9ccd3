"""What services of things that people save and approve have in common: which version, whose approval, which page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Generic, Protocol, TypeVar

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from collections_opt.application.resources.approved import ApprovalCommand, ApprovedResources, Stored
from collections_opt.core.errors import Reason, refuse
from collections_opt.service.converters.approved.resources import read_version
from collections_opt.service.servicers.lists.listing import Listing
from collections_opt.service.servicers.lists.paging import read_page
from collections_opt.wire.common import read_uuid, told_as

ContentT = TypeVar("ContentT")
MessageT = TypeVar("MessageT", bound=Message)
VERSIONED = ("effective_from", "version", "create_time")
"""By what versions are filtered and ordered."""


class _Approval(Protocol):
    version: int
    self_approved: bool
    note: str
    request_id: str


class _Request(Protocol):
    filter: str
    order_by: str
    page_size: int
    page_token: str


def read_etag(etag: str) -> str:
    """Return the etag of the version that the next one follows.

    Raises:
        CollectionsError: INVALID_ARGUMENT for none.
    """
    if not etag:
        raise refuse(Reason.INVALID_ARGUMENT, "etag", "is empty.", "Send the etag of the version this one follows.")
    return etag


def read_approval(request: _Approval, resource_id: str) -> ApprovalCommand:
    """Return what somebody approves.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a version or request id that is none.
    """
    return ApprovalCommand(
        resource_id=resource_id,
        version=read_version(request.version),
        self_approved=request.self_approved,
        note=request.note,
        request_id=read_uuid(request.request_id),
    )


class Shelf(Generic[ContentT, MessageT]):
    """Reads the versions of one kind.

    Args:
        resources: the stored ones.
        name: what page tokens call a list of them.
        id_field: what requests call the id of one.
        message: what it is shown as.
        write: shows one.
    """

    def __init__(
        self,
        resources: ApprovedResources[ContentT],
        name: str,
        id_field: str,
        message: Descriptor,
        write: Callable[[Stored[ContentT]], MessageT],
    ) -> None:
        self._resources = resources
        self._name = name
        self._write = write
        self._latest = Listing(message, (id_field, *VERSIONED), id_field)
        self._versions = Listing(message, VERSIONED, "version")
        self.told = MappingProxyType({"resource_id": id_field})

    def version(self, resource_id: str, number: int) -> MessageT:
        """Return a version, the latest for 0.

        Raises:
            CollectionsError: NOT_FOUND; INVALID_ARGUMENT.
        """
        version = read_version(number) if number else None
        with told_as(self.told):
            return self._write(self._resources.version(resource_id, version))

    def latest(self, request: _Request) -> tuple[Sequence[MessageT], str]:
        """Return a page of the latest version of each, and the token of the next page.

        Raises:
            CollectionsError: as ``Listing.page``.
        """

        def plainly() -> tuple[Sequence[MessageT], str]:
            page = read_page(self._name, request.page_size, request.page_token, "")
            found, more = page.cut(self._resources.latest(page.after, page.size + 1))
            token = page.next_token(found[-1].version.resource_id) if more else ""
            return list(map(self._write, found)), token

        return self._latest.page(request, self._name, plainly, lambda: map(self._write, self._resources.every_latest()))

    def versions(self, request: _Request, resource_id: str) -> tuple[Sequence[MessageT], str]:
        """Return a page of the versions of one, newest first, and the token of the next page.

        Raises:
            CollectionsError: NOT_FOUND: what does not exist is no empty list; as ``Listing.page``.
        """
        with told_as(self.told):
            self._resources.version(resource_id)
        scope = f"{self._name}/{resource_id}"

        def plainly() -> tuple[Sequence[MessageT], str]:
            page = read_page(scope, request.page_size, request.page_token, 0)
            found, more = page.cut(self._resources.versions(resource_id, page.after or None, page.size + 1))
            return list(map(self._write, found)), page.next_token(found[-1].version.version) if more else ""

        return self._versions.page(request, scope, plainly, lambda: map(self._write, self._resources.every_version(resource_id)))
