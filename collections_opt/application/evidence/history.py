"""What checkpoints show of the log's history, in words that claim no more than they show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from collections_opt.application.evidence.findings import Check
from collections_opt.core.arrays import digest_text
from collections_opt.core.errors import CollectionsError
from collections_opt.ledger.log.checkpoints import Checkpoints, check_note, opened
from collections_opt.ledger.log.merkle import MerkleTree
from collections_opt.ledger.log.signed_notes import Checkpoint
from collections_opt.ledger.log.standing import Decision


@dataclass(frozen=True)
class KeptCheckpoint:
    """A checkpoint that somebody kept elsewhere, compared with the log.

    Attributes:
        size: entries that it saw; -1 where it cannot be read.
        wrong: how the log contradicts it, in words; empty when the log extends it.
        proof: the RFC 6962 consistency proof from it to the log, hashes lowest first; empty where there is none.
    """

    size: int
    wrong: str
    proof: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class History:
    """The log beside its checkpoints and what people decided about them.

    ``covers`` says whether a checkpoint of one size is enough for a log of another: what is signed a moment later may be missing.
    """

    checkpoints: Checkpoints
    decisions: Sequence[Decision]
    tree: MerkleTree
    covers: Callable[[int, int], bool] = int.__eq__

    def checks(self) -> Iterator[Check]:
        """Yield what the checkpoints in the folder and in the other places show, and what people decided."""
        aside = {digest for decision in self.decisions for digest in decision.set_aside}
        notes = list(self.checkpoints.found())
        counted = [each for each in notes if digest_text(each.note) not in aside]
        wrong = [(each, found) for each in counted if (found := self._wrong(each.note))]
        for each, found in wrong:
            where = each.name if each.place == str(self.checkpoints.folder) else f"{each.name} at {each.place}"
            yield Check(f"checkpoint {where}", False, f"Checkpoint {where} {found}.")
        newest: dict[str, str] = {}
        for each in counted:
            newest[each.place] = each.name
        if not wrong:
            name = newest.get(str(self.checkpoints.folder), "none")
            covered = not self.tree.size or self.covers(_size_of(name), self.tree.size)
            told = f"All {len(counted)} checkpoints found here are signed and extended by the log; the newest is {name}."
            yield Check("checkpoints", covered, told if covered else _uncovered("", name, self.tree.size))
        for place in self.checkpoints.others:
            name = newest.get(place.title, "none")
            if not wrong and self.tree.size and not self.covers(_size_of(name), self.tree.size):
                yield Check(f"checkpoints at {place.title}", False, _uncovered(f" at {place.title}", name, self.tree.size))
        yield from (Check("decision", True, f"{decision.sentence}.") for decision in self.decisions)

    def compared(self, kept: str) -> KeptCheckpoint:
        """Compare the log with a checkpoint that somebody kept elsewhere."""
        wrong = self._wrong(kept)
        try:
            size = Checkpoint.parse(opened(kept, self.checkpoints.verifiers)).size
        except CollectionsError:
            return KeptCheckpoint(-1, wrong)
        return KeptCheckpoint(size, wrong, () if wrong or not size else tuple(self.tree.consistency_proof(size)))

    def kept_checks(self, kept: Sequence[str]) -> Iterator[Check]:
        """Yield what checkpoints kept elsewhere show."""
        for number, note in enumerate(kept, 1):
            found = self.compared(note)
            name = f"kept checkpoint {number}"
            told = f"The log extends it: its first {found.size} entries are those that it saw."
            yield Check(name, not found.wrong, f"It {found.wrong}." if found.wrong else told)

    def limits(self, kept_count: int) -> tuple[str, ...]:
        """Return what was not shown."""
        if kept_count or self.checkpoints.others:
            return ()
        return (
            "whether the newest records were taken away together with their checkpoints, or everything was rewritten with the "
            "log's own key, shows only beside a checkpoint kept elsewhere; none was given",
        )

    def _wrong(self, note: str) -> str:
        return check_note(note, self.checkpoints.verifiers, self.checkpoints.origin, self.tree)


def _size_of(name: str) -> int:
    digits = name.partition(".")[0].partition("-")[0]
    return int(digits) if digits.isdecimal() else -1


def _uncovered(where: str, newest: str, size: int) -> str:
    return f"The newest checkpoint{where} is {newest}, the log has {size} entries: publish the missing one."
