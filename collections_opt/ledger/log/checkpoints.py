"""Signed checkpoints of the log in a folder outside the database: whoever rewrites the database cannot rewrite these."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from collections_opt.core.errors import CollectionsError
from collections_opt.ledger.log.merkle import MerkleTree
from collections_opt.ledger.log.signed_notes import Checkpoint, Signer, Verifier


@dataclass(frozen=True)
class Checkpoints:
    """Checkpoints as files named by the size of the log; the same log gives the same bytes.

    Attributes:
        folder: where they are written; best on storage that the database's owner cannot change.
        origin: name of the log in each of them.
        signer: the key that signs.
    """

    folder: Path
    origin: str
    signer: Signer

    def note(self, tree: MerkleTree) -> str:
        """Return the signed checkpoint of a tree."""
        return self.signer.sign(Checkpoint(self.origin, tree.size, tree.root).text)

    def publish(self, tree: MerkleTree) -> Path:
        """Write the checkpoint of a tree durably, unless it is there already."""
        path = self.folder / f"{tree.size:010d}.txt"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            # Two calls of one server may publish the same size at once: a name that they share would be renamed away once.
            beside = path.with_suffix(f".{uuid.uuid4().hex}.new")
            with beside.open("x", encoding="utf-8", newline="\n") as file:
                file.write(self.note(tree))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        return path

    def published(self) -> Iterator[tuple[str, str]]:
        """Yield every published checkpoint in order of size: its file's name and its note."""
        if self.folder.is_dir():
            for path in sorted(self.folder.glob("*.txt")):
                yield path.name, path.read_text("utf-8")


def check_note(note: str, verifier: Verifier, origin: str, tree: MerkleTree) -> str:
    """Return what is wrong with a checkpoint of a log that has grown since, in words; empty when the log extends it."""
    try:
        checkpoint = Checkpoint.parse(verifier.open(note))
    except CollectionsError as error:
        return f"is not signed by the log's key: {error.message}"
    if checkpoint.origin != origin:
        return f"belongs to another log, {checkpoint.origin}"
    if checkpoint.size > tree.size:
        return f"saw {checkpoint.size} entries, the log has {tree.size}: its tail was cut off"
    if tree.root_at(checkpoint.size) != checkpoint.root:
        return f"saw other entries among the first {checkpoint.size}: history was rewritten"
    return ""
