"""Content-addressed objects in a folder: written, synced and renamed, so that a crash leaves at worst an unreferenced object."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.ledger.store.refusals import unwritable

_BLOCK_BYTES = 1 << 20

TEMPORARY = ".put-"
"""Start of the name of what is not yet an object, left by a writer that died."""

MARKER = "collections-opt-store.json"
"""Name of what a store says of itself, beside its objects."""


@dataclass(frozen=True)
class StoredFile:
    """A file of an object store: an object by its digest, or the rest of a write that never ended."""

    name: str
    size_bytes: int
    modified_at: datetime

    @property
    def is_object(self) -> bool:
        """False for the rest of a write."""
        return is_digest(self.name)


class ObjectStore(Protocol):
    """Where inputs and full entries live; the digest is the name."""

    def put(self, content: bytes) -> str:
        """Store content durably and return its SHA-256 (hex); an object that is there already counts as just written.

        Raises:
            CollectionsError: STORAGE_UNAVAILABLE when it could not be stored; nothing of it is left under its name.
        """
        ...

    def put_written(self, write: Callable[[BinaryIO], None]) -> str:
        """Store what a function writes, as ``put``; large content need not be in memory as a whole."""
        ...

    def get(self, digest: str) -> bytes:
        """Return content.

        Raises:
            CollectionsError: INTEGRITY_FAILURE when it is missing or its bytes have another digest.
        """
        ...

    def open(self, digest: str, check: bool = True) -> BinaryIO:
        """Open content, for the caller to close; large content need not be in memory as a whole.

        Args:
            digest: names it.
            check: hold its bytes against the digest first, in blocks.

        Raises:
            CollectionsError: as ``get``.
        """
        ...

    def exists(self, digest: str) -> bool:
        """Return whether there is an object of that name, unread."""
        ...

    def verify(self, digest: str) -> bool:
        """Return whether the object is there with the bytes its name promises."""
        ...

    def files(self) -> Iterator[StoredFile]:
        """Yield the objects of the store and the rests of writes, in any order; other files are nobody's business here."""
        ...

    def marker(self) -> str | None:
        """Return what the store says of itself; None before anything was said.

        Raises:
            CollectionsError: STORAGE_UNAVAILABLE.
        """
        ...

    def mark(self, text: str) -> None:
        """Let the store say something of itself, durably.

        Raises:
            CollectionsError: STORAGE_UNAVAILABLE.
        """
        ...

    def remove(self, name: str, before: datetime) -> bool:
        """Remove a file unless it was written since ``before``; return whether it was removed."""
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
        try:
            if not self._touch(path) or not self.verify(digest):
                path.parent.mkdir(exist_ok=True)
                with _written_aside(path.parent, lambda file: file.write(content)) as aside:
                    aside.replace(path)
            self._sync(path)
        except OSError as error:
            raise unwritable("object", error) from error
        return digest

    def put_written(self, write: Callable[[BinaryIO], None]) -> str:
        """Store what a function writes, as ``put``: beside the objects first, as its name is known only when it is whole."""
        beside = self._root / "00"
        try:
            beside.mkdir(exist_ok=True)
            with _written_aside(beside, write) as aside:
                with aside.open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
                path = self._path(digest)
                if not self._touch(path) or not self.verify(digest):
                    path.parent.mkdir(exist_ok=True)
                    aside.replace(path)
            self._sync(path)
        except OSError as error:
            raise unwritable("object", error) from error
        return digest

    def _sync(self, path: Path) -> None:
        """Sync the folders of an object, also of one already there: another process may have renamed it and not synced yet."""
        for folder in (path.parent, self._root):
            _sync_folder(folder)

    def get(self, digest: str) -> bytes:
        """Return content.

        Raises:
            CollectionsError: INTEGRITY_FAILURE when it is missing or its bytes have another digest.
        """
        try:
            content = self._path(digest).read_bytes()
        except OSError as error:
            raise unreadable_object(digest, error) from error
        return checked(digest, content)

    def open(self, digest: str, check: bool = True) -> BinaryIO:
        """Open content, for the caller to close; with ``check`` it is held against its digest first, in blocks.

        Raises:
            CollectionsError: as ``get``.
        """
        try:
            file = self._path(digest).open("rb")
        except OSError as error:
            raise unreadable_object(digest, error) from error
        return checked_file(digest, file) if check else file

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

    def files(self) -> Iterator[StoredFile]:
        """Yield the objects of the store and the rests of writes, in any order; other files are nobody's business here."""
        for path in self._root.glob("??/*"):
            if not is_ours(path.parent.name, path.name):
                continue
            try:
                facts = path.stat()
            except FileNotFoundError:
                continue  # a writer's temporary file got its name meanwhile
            yield StoredFile(path.name, facts.st_size, datetime.fromtimestamp(facts.st_mtime, UTC))

    def remove(self, name: str, before: datetime) -> bool:
        """Remove a file unless it was written since ``before``; return whether it was removed."""
        path = self._path(name) if is_digest(name) else next(self._root.glob(f"??/{name}"), self._root / name)
        aside = path.with_name(f"{TEMPORARY}removing-{path.name}")
        try:
            path.rename(aside)  # a writer that counts on the object from here on finds it missing and writes it
        except FileNotFoundError:
            return False
        if aside.stat().st_mtime >= before.timestamp():
            aside.rename(path)
            return False
        aside.unlink()
        return True

    def marker(self) -> str | None:
        """Return what the store says of itself; None before anything was said.

        Raises:
            CollectionsError: STORAGE_UNAVAILABLE.
        """
        try:
            return (self._root / MARKER).read_text("utf-8")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise unreadable_marker(error) from error

    def mark(self, text: str) -> None:
        """Let the store say something of itself, durably.

        Raises:
            CollectionsError: STORAGE_UNAVAILABLE.
        """
        try:
            with _written_aside(self._root, lambda file: file.write(text.encode())) as aside:
                aside.replace(self._root / MARKER)
            _sync_folder(self._root)
        except OSError as error:
            raise unwritable("object", error) from error

    def _touch(self, path: Path) -> bool:
        """Keep an object from being swept as forgotten while a record that names it is being made."""
        try:
            os.utime(path)
        except FileNotFoundError:
            return False
        return True

    def _path(self, digest: str) -> Path:
        return self._root / check_digest(digest)[:2] / digest


def is_digest(name: str) -> bool:
    """Return whether a name is a SHA-256 in hex."""
    return len(name) == 64 and set(name) <= set("0123456789abcdef")


def is_ours(folder: str, name: str) -> bool:
    """Return whether a store made a file of this name in this folder: an object in its place, or the rest of a write."""
    hex_folder = len(folder) == 2 and set(folder) <= set("0123456789abcdef")
    return hex_folder and (name.startswith(TEMPORARY) or (is_digest(name) and name.startswith(folder)))


def check_digest(digest: str) -> str:
    """Return the digest.

    Raises:
        CollectionsError: INTEGRITY_FAILURE when it is none.
    """
    if not is_digest(digest):
        raise refuse(Reason.INTEGRITY_FAILURE, "object", f"{digest[:80]!r} is not a digest.")
    return digest


def checked(digest: str, content: bytes) -> bytes:
    """Return an object's content.

    Raises:
        CollectionsError: INTEGRITY_FAILURE when its bytes have another digest.
    """
    if hashlib.sha256(content).hexdigest() != digest:
        raise refuse(Reason.INTEGRITY_FAILURE, "object", f"{digest} has other bytes.", "Restore it from a backup.")
    return content


def checked_file(digest: str, file: BinaryIO) -> BinaryIO:
    """Return an object's file at its start.

    Raises:
        CollectionsError: INTEGRITY_FAILURE when its bytes have another digest; the file is closed then.
    """
    found = hashlib.sha256()
    while block := file.read(_BLOCK_BYTES):
        found.update(block)
    if found.hexdigest() != digest:
        file.close()
        raise refuse(Reason.INTEGRITY_FAILURE, "object", f"{digest} has other bytes.", "Restore it from a backup.")
    file.seek(0)
    return file


def unreadable_marker(error: OSError) -> CollectionsError:
    """Return the refusal of a store whose marker cannot be read."""
    return refuse(
        Reason.STORAGE_UNAVAILABLE, "objects", f"cannot be read: {error.strerror or error}.", "Check the storage, then retry."
    )


def unreadable_object(digest: str, error: OSError) -> CollectionsError:
    """Return the refusal of an object that is missing or cannot be read."""
    return refuse(Reason.INTEGRITY_FAILURE, "object", f"{digest} cannot be read: {error.strerror or error}.", "Restore it.")


@contextmanager
def _written_aside(folder: Path, write: Callable[[BinaryIO], object]) -> Iterator[Path]:
    """Write a file and sync it, for the block to rename: its name holds all of the content or what it held before."""
    with tempfile.NamedTemporaryFile(dir=folder, prefix=TEMPORARY, delete=False) as file:
        aside = Path(file.name)
        try:
            write(cast("BinaryIO", file))
            file.flush()
            os.fsync(file.fileno())
            yield aside
        finally:
            aside.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
