"""Which recoveries serve: the approved champion's, else the value parameters' LGD; what did is recorded whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from collections_opt.application.models.approved_champion import ApprovedChampion
from collections_opt.application.records.scoring_facts import BesideFacts, ServedModel
from collections_opt.core.models.lifecycle import ModelKind
from collections_opt.core.value.losses import LossesOf
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.objects.folder import ObjectStore
from collections_opt.scoring.recovery.artifacts import RecoveryArtifact, load_recovery, parse_recovery


@dataclass(frozen=True)
class ServedRecovery:
    """The recoveries of one ranking, whatever is promoted meanwhile.

    Attributes:
        artifact: the recovery model; None where the value parameters' LGD stands.
        problem: why the champion could not serve; empty when it did or there is none.
    """

    artifact: RecoveryArtifact | None = None
    problem: str = ""

    @property
    def losses_of(self) -> LossesOf | None:
        """What gives the LGD of accounts that bring none of their own."""
        return self.artifact.model.losses_of if self.artifact else None

    @property
    def version(self) -> str:
        """Kind and version of the model; empty without one."""
        return f"{self.artifact.manifest.kind}/{self.artifact.manifest.version}" if self.artifact else ""

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of its manifest; empty without one. Equal only where the same model serves."""
        return self.artifact.digest if self.artifact else ""

    def record(self, objects: ObjectStore | None = None) -> ServedModel:
        """Return what a ranking's record says of it, so that the record can be valued anew alone; its text is kept in objects."""
        text = objects.put(self.artifact.text.encode()) if self.artifact and objects else ""
        return ServedModel(self.version, self.digest, text, self.problem)


class RecoveryServing:
    """Pins the recoveries that serve."""

    def __init__(self, ledger: Ledger, root: Path, now: Callable[[], datetime]) -> None:
        self._recoveries = ApprovedChampion(ModelKind.RECOVERY, ledger, root, now, load_recovery)

    def pin(self, portfolio_id: str) -> ServedRecovery:
        """Return the recoveries of a portfolio now ("" for rows that belong to none)."""
        return ServedRecovery(*self._recoveries.find(portfolio_id))


def recorded_losses(objects: ObjectStore, beside: BesideFacts) -> LossesOf | None:
    """Return the LGD that a recorded ranking was made with, from the text it kept; None where it kept none.

    Raises:
        CollectionsError: INTEGRITY_FAILURE when a kept text is missing or damaged; MODEL_UNAVAILABLE where LightGBM is missing.
    """
    kept = beside.recovery.text
    return parse_recovery(objects.get(kept).decode()).losses_of if kept else None
