"""Text files as they come packed: plain, .gz, or a .zip of one file; always opened anew, never unpacked to disk."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from collections_opt.core.errors import Reason, refuse


@dataclass(frozen=True)
class PackedFile:
    """A text file on disk, packed or not."""

    path: Path

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Open its bytes, unpacked."""
        ending = self.path.suffix.lower()
        if ending == ".gz":
            with gzip.open(self.path) as file:
                yield cast(IO[bytes], file)
        elif ending == ".zip":
            with zipfile.ZipFile(self.path) as archive, archive.open(_only_member(self.path)) as member:
                yield member
        else:
            with self.path.open("rb") as plain:
                yield plain


def inner_name(path: Path) -> str:
    """Return the name of the file that is packed in this one; its own where it is not packed.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a .zip of none or several files, or one that is none.
    """
    ending = path.suffix.lower()
    if ending == ".gz":
        return path.stem
    return _only_member(path) if ending == ".zip" else path.name


def _only_member(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [
                one.filename for one in archive.infolist() if not one.is_dir() and not one.filename.startswith("__MACOSX/")
            ]
            locked = any(one.flag_bits & 1 for one in archive.infolist())
    except zipfile.BadZipFile as error:
        raise refuse(Reason.INVALID_ARGUMENT, path.name, "is no .zip file.", "Send the file anew.") from error
    if len(members) != 1 or locked:
        problem = "is locked with a password." if locked else f"holds {len(members)} files."
        raise refuse(Reason.INVALID_ARGUMENT, path.name, problem, "Send a .zip of one file, without a password.")
    return members[0]
