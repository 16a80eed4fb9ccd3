"""Signed checkpoints of the log in a folder outside the database: whoever rewrites the database cannot rewrite these."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from collections_opt.core.errors import CollectionsError
from collections_opt.ledger.log.merkle import MerkleTree
from collections_opt.ledger.log.places import SUFFIX, CheckpointPlace, FolderPlace
from collections_opt.ledger.log.signed_notes import Checkpoint, Signer, Verifier


@dataclass(frozen=True)
class FoundNote:
    """A checkpoint where it was found: the place, the file's name, the signed note."""

    place: str
    name: str
    note: str


@dataclass(frozen=True)
class Checkpoints:
    """Checkpoints as files named by the size of the log; the same log gives the same bytes.

    Attributes:
        folder: where they are written; best on storage that the database's owner cannot change.
        origin: name of the log in each of them.
        signer: the key that signs.
        former: the keys that signed before it.
        others: further places that get a copy of each.
        hand_overs: per former key, in order, its text and the note in which it vouches for the next.
    """

    folder: Path
    origin: str
    signer: Signer
    former: tuple[Verifier, ...] = ()
    others: tuple[CheckpointPlace, ...] = ()
    hand_overs: tuple[tuple[str, str], ...] = ()

    @property
    def verifiers(self) -> tuple[Verifier, ...]:
        """The keys whose signatures count, the present one first."""
        return (self.signer.verifier, *self.former)

    def note(self, tree: MerkleTree) -> str:
        """Return the signed checkpoint of a tree."""
        return self.signer.sign(Checkpoint(self.origin, tree.size, tree.root).text)

    def publish(self, tree: MerkleTree) -> Path:
        """Write the checkpoint of a tree durably, unless it is there already.

        Another one of the same size, of another history or by a former key, stays; this one is then named by its root too.
        """
        return self.folder / self._publish(FolderPlace(self.folder), tree)

    def publish_everywhere(self, tree: MerkleTree) -> list[tuple[str, OSError]]:
        """Write it to the folder and to the other places; return which of them could not be written, and why."""
        failed = []
        for place in (FolderPlace(self.folder), *self.others):
            try:
                self._publish(place, tree)
            except OSError as error:
                failed.append((place.title, error))
        return failed

    def published(self) -> Iterator[tuple[str, str]]:
        """Yield every checkpoint in the folder in order of size: its file's name and its note."""
        yield from FolderPlace(self.folder).notes()

    def found(self) -> Iterator[FoundNote]:
        """Yield every checkpoint in the folder and in the other places.

        Raises:
            CollectionsError: STORAGE_UNAVAILABLE for a place that cannot be read.
        """
        for place in (FolderPlace(self.folder), *self.others):
            yield from (FoundNote(place.title, name, note) for name, note in place.notes())

    def _publish(self, place: CheckpointPlace, tree: MerkleTree) -> str:
        note, name = self.note(tree), f"{tree.size:010d}{SUFFIX}"
        there = place.read(name)
        if there is not None and not _same(there, note):
            name = f"{tree.size:010d}-{tree.root.hex()[:16]}{SUFFIX}"
            there = place.read(name)
        if there is None:
            place.write(name, note)
        return name


def _same(one: str, other: str) -> bool:
    """Return whether two notes tell of the same log; who signed them does not matter."""
    return one.partition("\n\n")[0] == other.partition("\n\n")[0]


def check_note(note: str, verifiers: tuple[Verifier, ...], origin: str, tree: MerkleTree) -> str:
    """Return what is wrong with a checkpoint of a log that has grown since, in words; empty when the log extends it."""
    try:
        checkpoint = Checkpoint.parse(opened(note, verifiers))
    except CollectionsError as error:
        return f"is not signed by the log's key: {error.message}"
    return difference(checkpoint, origin, tree)


def opened(note: str, verifiers: tuple[Verifier, ...]) -> str:
    """Return the text of a note that one of the keys signed.

    Raises:
        CollectionsError: INTEGRITY_FAILURE when none did.
    """
    for verifier in verifiers[1:]:
        try:
            return verifier.open(note)
        except CollectionsError:
            continue
    return verifiers[0].open(note)


def difference(checkpoint: Checkpoint, origin: str, tree: MerkleTree) -> str:
    """Return how a log contradicts a checkpoint, in words; empty when it extends it."""
    if checkpoint.origin != origin:
        return f"belongs to another log, {checkpoint.origin}"
    if checkpoint.size > tree.size:
        return f"saw {checkpoint.size} entries, the log has {tree.size}: its tail was cut off"
    if tree.root_at(checkpoint.size) != checkpoint.root:
        return f"saw other entries among the first {checkpoint.size}: history was rewritten"
    return ""
