"""A file that came over a wire: held in memory under its name while it is read, and refused where it unpacks to too much."""

from __future__ import annotations

import gzip
import os
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from collections_opt.core.errors import Reason, refuse

MAX_FILE_BYTES = 64 * 2**20
"""Of a file as it comes; larger ones are read where they are, by the command that imports."""

MAX_UNPACKED_BYTES = 512 * 2**20
"""Of what is packed in it."""

MAX_NAME_CHARACTERS = 200
_BLOCK_BYTES = 2**20


@contextmanager
def uploaded(name: str, parts: Iterable[bytes]) -> Iterator[Path]:
    """Yield the path of a file that comes in parts, under its name; it is gone after the block.

    Where the system can, the file is in memory alone: portfolios are personal data.

    Raises:
        CollectionsError: INVALID_ARGUMENT for what is no name of a file, or a file that is not what its name says;
            STORAGE_UNAVAILABLE where there is no room for it; LIMIT_EXCEEDED beyond ``MAX_FILE_BYTES``, and for one that
            unpacks to more than ``MAX_UNPACKED_BYTES``.
    """
    if not 1 <= len(name) <= MAX_NAME_CHARACTERS or not name.isprintable() or name.startswith(".") or set(name) & set("/\\:"):
        raise refuse(Reason.INVALID_ARGUMENT, "file_name", "is no name of a file.", "Send it without folders, such as book.csv.")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(_folder()))
        path = folder / name
        if sys.platform == "linux":
            number = os.memfd_create("uploaded")
            stack.callback(os.close, number)
            path.symlink_to(f"/proc/{os.getpid()}/fd/{number}")
        count = 0
        with path.open("wb") as file:
            for part in parts:
                count += len(part)
                if count > MAX_FILE_BYTES:
                    remedy = "Import it with the command import, which reads it where it is."
                    raise refuse(Reason.LIMIT_EXCEEDED, "file_name", f"has more than {MAX_FILE_BYTES:,} bytes.", remedy)
                file.write(part)
        if not count:
            raise refuse(Reason.INVALID_ARGUMENT, "file_name", "is a file of no bytes.", "Send the file after the header.")
        _check_unpacked(path)
        yield path


def _folder() -> tempfile.TemporaryDirectory[str]:
    """Return a temporary folder.

    Raises:
        CollectionsError: STORAGE_UNAVAILABLE where none can be made.
    """
    try:
        return tempfile.TemporaryDirectory(prefix="uploaded-")
    except OSError as error:
        told = f"cannot be taken in: {error.strerror or type(error).__name__}."
        raise refuse(Reason.STORAGE_UNAVAILABLE, "file", told, "Give TMPDIR a folder with room, then send it again.") from error


def _check_unpacked(path: Path) -> None:
    try:
        unpacked = _unpacked_bytes(path)
    except (OSError, EOFError, zipfile.BadZipFile, NotImplementedError, RuntimeError, pa.ArrowException, ValueError) as error:
        told = "is not what its name says, or is damaged."
        raise refuse(Reason.INVALID_ARGUMENT, "file_name", told, "Save it anew and send it again.") from error
    if unpacked > MAX_UNPACKED_BYTES:
        told = f"unpacks to more than {MAX_UNPACKED_BYTES:,} bytes."
        raise refuse(Reason.LIMIT_EXCEEDED, "file_name", told, "Import it with the command import, which reads it in parts.")


def _unpacked_bytes(path: Path) -> int:
    """Return how much a file unpacks to, counted rather than believed, and no further than what is too much."""
    ending = path.suffix.lower()
    if ending == ".gz":
        with gzip.open(path) as file:
            return _counted(iter(lambda: file.read(_BLOCK_BYTES), b""))
    if ending == ".parquet":
        groups = pq.read_metadata(path)
        return sum(groups.row_group(index).total_byte_size for index in range(groups.num_row_groups))
    if ending == ".zip" or zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return _counted(_members(archive))
    return path.stat().st_size


def _members(archive: zipfile.ZipFile) -> Iterator[bytes]:
    for member in archive.infolist():
        with archive.open(member) as file:
            yield from iter(lambda file=file: file.read(_BLOCK_BYTES), b"")  # type: ignore[misc]


def _counted(blocks: Iterator[bytes]) -> int:
    count = 0
    for block in blocks:
        count += len(block)
        if count > MAX_UNPACKED_BYTES:
            break
    return count
