"""Send a lender's file as it is: the server drafts its mapping, and imports it by one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from collections_opt.api.v1 import portfolio_service_pb2 as pb
from collections_opt.client.client import Client
from collections_opt.wire.common import write_date

_PART_BYTES = 2**20


def draft_mapping(client: Client, content: bytes, header: pb.DraftMappingHeader) -> pb.DraftMappingResponse:
    """Return a mapping of a file as far as it can be told, to be read and corrected by a person; nothing is stored.

    Args:
        client: where to.
        content: the file, 64 MiB at most.
        header: its name, and what is known about it.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a file that cannot be read; LIMIT_EXCEEDED.
    """
    request = pb.DraftMappingRequest

    def messages() -> Iterator[pb.DraftMappingRequest]:
        yield request(header=header)
        yield from (request(part=part) for part in _parts(content))

    return client.portfolios.DraftMapping(messages())


def import_file(
    client: Client, content: bytes, header: pb.ImportFileHeader, as_of_date: date | None = None
) -> pb.ImportFileResponse:
    """Import a file by the mapping in its header, or check what that would do; ``as_of_date`` goes before the mapping's.

    Raises:
        CollectionsError: INVALID_ARGUMENT, SCHEMA_MISMATCH or MIXED_CURRENCIES for what file and mapping lack; LIMIT_EXCEEDED;
            ALREADY_EXISTS when the id holds other accounts.
    """
    request = pb.ImportFileRequest
    head = pb.ImportFileHeader()
    head.CopyFrom(header)
    if as_of_date is not None:
        head.as_of_date.CopyFrom(write_date(as_of_date))

    def messages() -> Iterator[pb.ImportFileRequest]:
        yield request(header=head)
        yield from (request(part=part) for part in _parts(content))

    return client.portfolios.ImportFile(messages())


def _parts(content: bytes) -> Iterator[bytes]:
    return (content[start : start + _PART_BYTES] for start in range(0, len(content), _PART_BYTES))
