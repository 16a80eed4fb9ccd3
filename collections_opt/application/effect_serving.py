"""Which contact effects serve: the approved effect champion, else the capacity plan's; what did is recorded whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from collections_opt.core.effects import PlannedEffects
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.model_lifecycle import ModelKind, ModelStanding
from collections_opt.core.pipeline import EffectsOf
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.objects import ObjectStore
from collections_opt.scoring.effect_artifacts import EffectArtifact, load_effect, parse_effect


@dataclass(frozen=True)
class ServedEffects:
    """The effects of one ranking, whatever is promoted meanwhile.

    Attributes:
        effects_of: gives the effects of a portfolio under a plan.
        artifact: the effect model; None where the plan's effects stand.
        problem: why the champion could not serve; empty when it did or there is none.
    """

    effects_of: EffectsOf
    artifact: EffectArtifact | None = None
    problem: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the model's manifest, empty for the plan's effects."""
        return self.artifact.digest if self.artifact else ""

    def record(self, objects: ObjectStore) -> dict[str, Any]:
        """Keep the model's text and return what a ranking's record says of it, so that the record can be valued anew alone."""
        kept = objects.put(self.artifact.text.encode()) if self.artifact else ""
        return {"effects_digest": self.digest, "effects_object": kept, "effects_problem": self.problem}


class EffectServing:
    """Pins effects; the last model loaded is kept by digest."""

    def __init__(self, ledger: Ledger, root: Path, now: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._root = root
        self._now = now
        self._loaded: EffectArtifact | None = None

    def pin(self, portfolio_id: str) -> ServedEffects:
        """Return the effects of a portfolio now ("" for rows that belong to none); the plan's where no model may serve."""
        standing = self._ledger.model_standing(ModelKind.EFFECT)
        if not standing.champion:
            return ServedEffects(PlannedEffects)
        try:
            artifact = self._approved(standing.of(standing.champion), portfolio_id)
        except CollectionsError as error:
            return ServedEffects(PlannedEffects, problem=f"effect/{standing.champion}: {error.message}")
        return ServedEffects(artifact.model.effects_of, artifact)

    def _approved(self, standing: ModelStanding, portfolio_id: str) -> EffectArtifact:
        terms = standing.terms
        if not standing.state.may_serve or terms is None:
            raise refuse(Reason.MODEL_UNAVAILABLE, standing.version, f"is {standing.state}, not approved.", "Approve it.")
        if terms.expires_at <= self._now():
            raise refuse(Reason.MODEL_UNAVAILABLE, standing.version, "its approval has expired.", "Approve it again.")
        if not terms.allow(portfolio_id):
            raise refuse(Reason.MODEL_UNAVAILABLE, standing.version, "is not approved for this portfolio.", "Approve it for it.")
        loaded = self._loaded
        if loaded is None or (loaded.manifest.version, loaded.digest) != (standing.version, standing.digest):
            loaded = load_effect(self._root, standing.version)
            if loaded.digest != standing.digest:
                raise refuse(Reason.MODEL_UNAVAILABLE, standing.version, "is not the artifact approved.", "Restore the version.")
            self._loaded = loaded
        return loaded


def recorded_effects(objects: ObjectStore, held: Mapping[str, Any]) -> EffectsOf:
    """Return the effects that a recorded ranking was made with, from the text it kept; the plan's where it kept none.

    Raises:
        CollectionsError: INTEGRITY_FAILURE when the kept text is missing or damaged.
    """
    kept = held.get("effects_object", "")
    return parse_effect(objects.get(kept).decode()).effects_of if kept else PlannedEffects
