"""Where signed checkpoints are kept beside the data folder: another folder or any file system that pyarrow reaches.

A place that whoever owns the database cannot change is what makes a checkpoint worth something. Files are written once, whole,
and never written over.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlparse

from pyarrow import fs

from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.ledger.objects.remote import folder_of, open_filesystem

SUFFIX = ".txt"


class CheckpointPlace(Protocol):
    """Notes as files."""

    @property
    def title(self) -> str:
        """What people call the place; never with a secret in it."""
        ...

    def notes(self) -> Iterator[tuple[str, str]]:
        """Yield every note in order of its file's name: the name and the text.

        Raises:
            CollectionsError: STORAGE_UNAVAILABLE.
        """
        ...

    def read(self, name: str) -> str | None:
        """Return a note, None where there is none of that name."""
        ...

    def write(self, name: str, note: str) -> None:
        """Keep a note durably; whole or not at all."""
        ...


@dataclass(frozen=True)
class FolderPlace:
    """Notes in a folder, synced to disk; the folder is made with the first note."""

    folder: Path

    @property
    def title(self) -> str:
        """The folder's path."""
        return str(self.folder)

    def notes(self) -> Iterator[tuple[str, str]]:
        """Yield every note in order of its file's name: the name and the text."""
        if self.folder.is_dir():
            for path in sorted(self.folder.glob(f"*{SUFFIX}")):
                yield path.name, path.read_text("utf-8", "replace")

    def read(self, name: str) -> str | None:
        """Return a note, None where there is none of that name."""
        try:
            return (self.folder / name).read_text("utf-8", "replace")
        except FileNotFoundError:
            return None

    def write(self, name: str, note: str) -> None:
        """Keep a note durably; whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / name
        # Two calls of one server may publish the same size at once: a name that they share would be renamed away once.
        beside = path.with_suffix(f".{uuid.uuid4().hex}.new")
        try:
            with beside.open("x", encoding="utf-8", newline="\n") as file:
                file.write(note)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except OSError:
            beside.unlink(missing_ok=True)  # a full disk keeps the names of what it could not take
            raise


@dataclass(frozen=True)
class FilesystemPlace:
    """Notes below a root of a pyarrow file system."""

    title: str
    filesystem: fs.FileSystem
    root: str

    def notes(self) -> Iterator[tuple[str, str]]:
        """Yield every note in order of its file's name: the name and the text."""
        try:
            found = self.filesystem.get_file_info(fs.FileSelector(self.root, allow_not_found=True))
            names = sorted(each.base_name for each in found if each.base_name.endswith(SUFFIX))
            texts = [(name, self.read(name)) for name in names]
        except OSError as error:
            raise _unreadable(self.title, error) from error
        yield from ((name, text) for name, text in texts if text is not None)

    def read(self, name: str) -> str | None:
        """Return a note, None where there is none of that name."""
        path = f"{self.root}/{name}"
        if self.filesystem.get_file_info(path).type != fs.FileType.File:
            return None
        with self.filesystem.open_input_file(path) as file:
            return str(file.read().decode("utf-8", "replace"))

    def write(self, name: str, note: str) -> None:
        """Keep a note durably; whole or not at all."""
        self.filesystem.create_dir(self.root, recursive=True)
        with self.filesystem.open_output_stream(f"{self.root}/{name}") as file:
            file.write(note.encode())


def open_place(where: str) -> CheckpointPlace:
    """Open a place of checkpoints: a folder by path or ``file://``, anything else by a pyarrow URL.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a URL that no file system answers to.
    """
    folder = folder_of(where)
    if folder:
        return FolderPlace(folder)
    parts = urlparse(where)
    filesystem, root = open_filesystem(where, "checkpoints_at")
    return FilesystemPlace(f"{parts.scheme}://{parts.hostname}{parts.path}", filesystem, root.rstrip("/"))


def _unreadable(title: str, error: OSError) -> CollectionsError:
    cause = error.strerror or str(error).splitlines()[0]
    return refuse(
        Reason.STORAGE_UNAVAILABLE, "checkpoints_at", f"{title} cannot be read: {cause}.", "Restore it, or leave it out."
    )
