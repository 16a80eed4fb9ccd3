"""Whether the records may be added to: their history beside every checkpoint that can be found, before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from collections_opt.core.actors import Actor
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.log.checkpoints import Checkpoints
from collections_opt.ledger.log.log import LogEntry, LogKind
from collections_opt.ledger.log.standing import Contradiction, Decision, contradictions, decide, decisions, halted_by


@dataclass(frozen=True)
class Standing:
    """Compares the log with its checkpoints and lets a person decide what goes on."""

    ledger: Ledger
    checkpoints: Checkpoints
    now: Callable[[], datetime]

    def look(self) -> list[Contradiction]:
        """Return the checkpoints that contradict the log; where there are any, the ledger takes no writes from now on.

        Raises:
            CollectionsError: STORAGE_UNAVAILABLE for a place of checkpoints that cannot be read: what it holds is not known.
        """
        notes = list(self.checkpoints.found())
        found = contradictions(self.checkpoints, notes, self.ledger.log.tree(), self.decisions())
        if found and self.ledger.database.halted is None:
            self.ledger.database.halt(halted_by(found))
        return found

    def decisions(self) -> list[Decision]:
        """Return what people decided about the history before."""
        return decisions(self.ledger.log.entries(LogKind.LEDGER))

    def decide(self, actor: Actor, reason: str) -> LogEntry:
        """Record that a person lets the log go on as it is, and sets aside what contradicts it now.

        Raises:
            CollectionsError: as ``look`` and ``standing.decide``.
        """
        entry = decide(self.ledger.database, self.look(), actor, reason, self.now())
        self.checkpoints.publish(self.ledger.log.tree())
        return entry
