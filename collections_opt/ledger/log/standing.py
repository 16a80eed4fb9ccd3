"""Whether the log is the one that its checkpoints tell of: compared before anything is written, decided by a person where not.

A database that was restored from an old backup, or cut by whoever owns it, would otherwise go on recording beside the history
that others hold checkpoints of: a fork, in which both sides look whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from collections_opt.core.actors import Actor, recorded_actor
from collections_opt.core.arrays import digest_text
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.ledger.log.checkpoints import Checkpoints, FoundNote, difference, opened
from collections_opt.ledger.log.log import LogEntry, LogKind, append_log
from collections_opt.ledger.log.merkle import MerkleTree
from collections_opt.ledger.log.signed_notes import Checkpoint
from collections_opt.ledger.store.database import Database, timestamp

DECISION = "decision"
"""What the leaf of a person's decision about the history is called."""


@dataclass(frozen=True)
class Contradiction:
    """A signed checkpoint of another history: where it was found, its digest, and what it says against the log."""

    where: str
    digest: str
    found: str


@dataclass(frozen=True)
class Decision:
    """A person's decision that the log goes on although checkpoints contradict it.

    Attributes:
        actor: who decided.
        reason: why, in that person's words.
        at: when, ISO 8601.
        set_aside: digests (hex) of the notes that count no more.
    """

    actor: Actor
    reason: str
    at: str
    set_aside: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """Who set what aside and why."""
        proof = f"by a token of {self.actor.issuer}" if self.actor.issuer else "as claimed"
        who = f"{self.actor.name or 'somebody unnamed'} ({proof})"
        what = f"{len(self.set_aside)} checkpoint(s) of another history count no more"
        return f"On {self.at[:10]} {who} decided that {what}: {self.reason}"


def contradictions(
    checkpoints: Checkpoints, notes: Iterable[FoundNote], tree: MerkleTree, decided: Sequence[Decision]
) -> list[Contradiction]:
    """Return the signed checkpoints that the log does not extend and that nobody set aside.

    A note that no key of the log signed says nothing about it; ``verify log`` tells of it. The notes must be read before the
    tree: another server may publish meanwhile.
    """
    aside = {digest for decision in decided for digest in decision.set_aside}
    found = []
    for each in notes:
        wrong = _wrong(checkpoints, each.note, tree)
        digest = digest_text(each.note)
        if wrong and digest not in aside:
            found.append(Contradiction(f"{each.place}/{each.name}", digest, wrong))
    return found


def _wrong(checkpoints: Checkpoints, note: str, tree: MerkleTree) -> str:
    try:
        # Unsigned first: a note that says what the log says contradicts nothing, and checking a signature costs far more.
        wrong = difference(Checkpoint.parse(note.partition("\n\n")[0] + "\n"), checkpoints.origin, tree)
        return wrong and difference(Checkpoint.parse(opened(note, checkpoints.verifiers)), checkpoints.origin, tree)
    except CollectionsError:
        return ""


def decisions(entries: Iterable[LogEntry]) -> list[Decision]:
    """Return what people decided about the history, from the leaves about the ledger itself."""
    return [_decision(entry.facts) for entry in entries if entry.reference == DECISION]


def halted_by(found: Sequence[Contradiction]) -> CollectionsError:
    """Return the refusal of writes to a log that checkpoints contradict."""
    first, more = found[0], f", and {len(found) - 1} more" if len(found) > 1 else ""
    return refuse(
        Reason.LEDGER_HALTED,
        "ledger",
        f"takes no writes: the checkpoint {first.where} {first.found}{more}.",
        "Restore the newest database, or let a person decide with: collections-opt settle-fork --help.",
    )


def decide(database: Database, found: Sequence[Contradiction], actor: Actor, reason: str, now: datetime) -> LogEntry:
    """Record that a person sets contradicting checkpoints aside; writes are let through from then on.

    Raises:
        CollectionsError: INVALID_ARGUMENT for nothing to decide, or no reason given.
    """
    if not found:
        raise refuse(Reason.INVALID_ARGUMENT, "checkpoints", "none contradicts the log.", "There is nothing to decide.")
    if not reason.strip():
        raise refuse(Reason.INVALID_ARGUMENT, "reason", "is empty.", "Say why the log goes on, for whoever reads it later.")
    facts: Mapping[str, Any] = {
        "actor": actor.recorded(),
        "reason": reason,
        "at": timestamp(now),
        "set_aside": [{"digest": each.digest, "found": each.found, "where": each.where} for each in found],
    }
    with database.write(despite_halt=True) as connection:
        entry = append_log(connection, LogKind.LEDGER, DECISION, facts)
    database.halt(None)
    return entry


def _decision(facts: Mapping[str, Any]) -> Decision:
    aside = tuple(each["digest"] for each in facts["set_aside"])
    return Decision(recorded_actor(facts["actor"]), facts["reason"], facts["at"], aside)
