"""Objects in any file system that pyarrow reaches (S3 and what speaks like it, Google Cloud Storage, HDFS), opened by URL."""

from __future__ import annotations

import hashlib
import io
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlparse

import pyarrow as pa
from pyarrow import fs

from collections_opt.core.errors import Reason, refuse
from collections_opt.ledger.objects.folder import (
    MARKER,
    TEMPORARY,
    FolderObjectStore,
    ObjectStore,
    StoredFile,
    check_digest,
    checked,
    checked_file,
    is_digest,
    is_ours,
    unreadable_marker,
    unreadable_object,
)
from collections_opt.ledger.store.refusals import unwritable

_BLOCK_BYTES = 1 << 20
_WHOLE_WRITES = ("s3", "gcs", "abfs")
"""File systems in which a file exists only once it is whole; elsewhere it is written aside and renamed."""


def open_objects(url: str) -> ObjectStore:
    """Open an object store: a folder by path or ``file://``, synced to disk; anything else by a pyarrow URL.

    An S3-compatible endpoint is ``s3://KEY:SECRET@bucket/prefix?endpoint_override=HOST:PORT&scheme=https&region=...``; without
    a key the usual AWS settings apply.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a URL that no file system answers to.
    """
    folder = folder_of(url)
    return FolderObjectStore(folder) if folder else FilesystemObjectStore(*open_filesystem(url, "objects_url"))


def folder_of(where: str) -> Path | None:
    """Return the folder of a path or a ``file://`` URL, None for any other URL."""
    parts = urlparse(where)
    if len(parts.scheme) <= 1:  # a path, perhaps with a drive letter
        return Path(where)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def open_filesystem(url: str, field: str) -> tuple[fs.FileSystem, str]:
    """Return the pyarrow file system of a URL and the root below which it names things.

    Raises:
        CollectionsError: INVALID_ARGUMENT at ``field`` for a URL that no file system answers to, without repeating its secrets.
    """
    parts = urlparse(url)
    try:
        filesystem, root = fs.FileSystem.from_uri(url)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        cause = f"{parts.scheme}://{parts.hostname}: {without_secrets(str(error).splitlines()[0], url)}"
        raise refuse(Reason.INVALID_ARGUMENT, field, f"cannot be opened ({cause}).", "Check the URL.") from error
    if not root.strip("/"):
        raise refuse(Reason.INVALID_ARGUMENT, field, f"{parts.scheme}:// names no folder or bucket.", "Name one.")
    return filesystem, root


def without_secrets(text: str, url: str) -> str:
    """Return what somebody said about a URL without the URL, its user and its password."""
    parts = urlparse(url)
    for secret in (url, parts.netloc.rpartition("@")[0], parts.password, parts.username, parts.query):
        text = text.replace(secret, "...") if secret else text
    return text


class FilesystemObjectStore:
    """Objects as files ``ab/abcdef...`` below a root; a write is durable when the file system says that it has ended."""

    def __init__(self, filesystem: fs.FileSystem, root: str) -> None:
        self._fs = filesystem
        self._root = root.rstrip("/")

    def put(self, content: bytes) -> str:
        """Store content and return its SHA-256 (hex); storing it again writes it again, so that it counts as just written."""
        digest = hashlib.sha256(content).hexdigest()
        path = self._path(digest)
        try:
            self._fs.create_dir(path.rpartition("/")[0], recursive=True)
            if self._fs.type_name in _WHOLE_WRITES:
                self._write(path, content)
            else:
                self._write_aside(path, content)
        except OSError as error:
            raise unwritable("object", error) from error
        return digest

    def put_written(self, write: Callable[[BinaryIO], None]) -> str:
        """Store what a function writes, as ``put``; it is in memory as a whole, since these files are named when they begin."""
        buffer = io.BytesIO()
        write(buffer)
        return self.put(buffer.getvalue())

    def get(self, digest: str) -> bytes:
        """Return content.

        Raises:
            CollectionsError: INTEGRITY_FAILURE when it is missing or its bytes have another digest.
        """
        try:
            with self._fs.open_input_file(self._path(digest)) as file:
                content: bytes = file.read()
        except OSError as error:
            raise unreadable_object(digest, error) from error
        return checked(digest, content)

    def open(self, digest: str, check: bool = True) -> BinaryIO:
        """Open content, for the caller to close; with ``check`` it is held against its digest first, in blocks.

        Raises:
            CollectionsError: as ``get``.
        """
        try:
            file: BinaryIO = self._fs.open_input_file(self._path(digest))
            return checked_file(digest, file) if check else file
        except OSError as error:
            raise unreadable_object(digest, error) from error

    def exists(self, digest: str) -> bool:
        """Return whether there is an object of that name, unread."""
        return bool(self._fs.get_file_info(self._path(digest)).type == fs.FileType.File)

    def verify(self, digest: str) -> bool:
        """Return whether the object is there with the bytes its name promises; reads it in blocks."""
        sha = hashlib.sha256()
        try:
            with self._fs.open_input_stream(self._path(digest)) as file:
                while block := file.read(_BLOCK_BYTES):
                    sha.update(block)
        except OSError:
            return False
        return sha.hexdigest() == digest

    def files(self) -> Iterator[StoredFile]:
        """Yield the objects of the store and the rests of writes, in any order; other files are nobody's business here."""
        for found in self._fs.get_file_info(fs.FileSelector(self._root, recursive=True, allow_not_found=True)):
            folder, _, _ = found.path.removeprefix(f"{self._root}/").rpartition("/")
            if found.type == fs.FileType.File and is_ours(folder, found.base_name):
                yield StoredFile(found.base_name, found.size, _when(found))

    def remove(self, name: str, before: datetime) -> bool:
        """Remove a file unless it was written since ``before``; return whether it was removed."""
        path = self._path(name) if is_digest(name) else self._find(name)
        found = self._fs.get_file_info(path)
        if found.type != fs.FileType.File or _when(found) >= before:
            return False
        self._fs.delete_file(path)
        return True

    def marker(self) -> str | None:
        """Return what the store says of itself; None before anything was said.

        Raises:
            CollectionsError: STORAGE_UNAVAILABLE.
        """
        path = f"{self._root}/{MARKER}"
        try:
            if self._fs.get_file_info(path).type == fs.FileType.NotFound:
                return None
            with self._fs.open_input_file(path) as file:
                return str(file.read().decode("utf-8", "replace"))
        except OSError as error:
            raise unreadable_marker(error) from error

    def mark(self, text: str) -> None:
        """Let the store say something of itself, durably.

        Raises:
            CollectionsError: STORAGE_UNAVAILABLE.
        """
        try:
            self._fs.create_dir(self._root, recursive=True)
            if self._fs.type_name in _WHOLE_WRITES:
                self._write(f"{self._root}/{MARKER}", text.encode())
            else:
                self._write_aside(f"{self._root}/{MARKER}", text.encode())
        except OSError as error:
            raise unwritable("object", error) from error

    def _write(self, path: str, content: bytes) -> None:
        with self._fs.open_output_stream(path) as file:
            file.write(content)

    def _write_aside(self, path: str, content: bytes) -> None:
        folder, _, _ = path.rpartition("/")
        aside = f"{folder}/{TEMPORARY}{uuid.uuid4().hex}"
        try:
            self._write(aside, content)
            self._fs.move(aside, path)
        except BaseException:
            if self._fs.get_file_info(aside).type == fs.FileType.File:
                self._fs.delete_file(aside)
            raise

    def _find(self, name: str) -> str:
        selector = fs.FileSelector(self._root, recursive=True, allow_not_found=True)
        return next((f.path for f in self._fs.get_file_info(selector) if f.base_name == name), f"{self._root}/{name}")

    def _path(self, digest: str) -> str:
        return f"{self._root}/{check_digest(digest)[:2]}/{digest}"


def _when(found: fs.FileInfo) -> datetime:
    return datetime.fromtimestamp((found.mtime_ns or 0) / 1e9, UTC)
