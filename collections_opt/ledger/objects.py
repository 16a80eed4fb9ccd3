"""Content-addressed objects in a folder: written, synced and renamed, so that a crash leaves at worst an unreferenced object."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Protocol

from collections_opt.core.errors import Reason, refuse


class ObjectStore(Protocol):
    """Where inputs and full entries live; the digest is the name."""

    def put(self, content: bytes) -> str:
        """Store content durably and return its SHA-256 (hex)."""
        ...

    def get(self, digest: str) -> bytes:
        """Return content.

        Raises:
            CollectionsError: INTEGRITY_FAILURE when it is missing or its bytes have another digest.
        """
        ...

    def exists(self, digest: str) -> bool:
        """Return whether there is an object of that name, unread."""
        ...

    def verify(self, digest: str) -> bool:
        """Return whether the object is there with the bytes its name promises."""
        ...


class FolderObjectStore:
    """Objects as files ``ab/abcdef...`` below one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True)

    def put(self, content: bytes) -> str:
        """Store content durably and return its SHA-256 (hex); storing it again writes only what is missing or damaged."""
        digest = hashlib.sha256(content).hexdigest()
        path = self._path(digest)
        if not self.verify(digest):
            path.parent.mkdir(exist_ok=True)
            _write_synced(path, content)
        # Also for an object already there: another process may have renamed it without having synced the folder yet.
        for folder in (path.parent, self._root):
            _sync_folder(folder)
        return digest

    def get(self, digest: str) -> bytes:
        """Return content.

        Raises:
            CollectionsError: INTEGRITY_FAILURE when it is missing or its bytes have another digest.
        """
        try:
            content = self._path(digest).read_bytes()
        except OSError as error:
            raise refuse(
                Reason.INTEGRITY_FAILURE, "object", f"{digest} cannot be read: {error.strerror}.", "Restore it."
            ) from error
        if hashlib.sha256(content).hexdigest() != digest:
            raise refuse(Reason.INTEGRITY_FAILURE, "object", f"{digest} has other bytes.", "Restore it from a backup.")
        return content

    def exists(self, digest: str) -> bool:
        """Return whether there is an object of that name, unread."""
        return self._path(digest).is_file()

    def verify(self, digest: str) -> bool:
        """Return whether the object is there with the bytes its name promises; reads it in blocks."""
        try:
            with self._path(digest).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == digest
        except OSError:
            return False

    def _path(self, digest: str) -> Path:
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise refuse(Reason.INTEGRITY_FAILURE, "object", f"{digest[:80]!r} is not a digest.")
        return self._root / digest[:2] / digest


def _write_synced(path: Path, content: bytes) -> None:
    """Write beside the path, sync, rename: the path holds all of the content or what it held before."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".put-", delete=False) as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
