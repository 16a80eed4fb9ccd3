"""Which contact effects serve, and how often contact reaches: approved champions, else the plan; what did is recorded whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from collections_opt.application.models.approved_champion import ApprovedChampion
from collections_opt.application.records.scoring_facts import BesideFacts, ServedModel
from collections_opt.core.models.lifecycle import ModelKind
from collections_opt.core.value.basis import EffectsOf
from collections_opt.core.value.effects import PlannedEffects
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.objects.folder import ObjectStore
from collections_opt.scoring.contact.artifacts import ContactArtifact, load_contact, parse_contact
from collections_opt.scoring.effect.artifacts import EffectArtifact, load_effect, parse_effect


@dataclass(frozen=True)
class ServedEffects:
    """The effects of one ranking, whatever is promoted meanwhile.

    Attributes:
        artifact: the effect model; None where the plan's effects stand.
        problem: why the effect champion could not serve; empty when it did or there is none.
        contact: the contact model; None where the effects' own right-party-contact rates stand.
        contact_problem: why the contact champion could not serve, likewise.
    """

    artifact: EffectArtifact | None = None
    problem: str = ""
    contact: ContactArtifact | None = None
    contact_problem: str = ""

    @property
    def effects_of(self) -> EffectsOf:
        """What gives the effects of a portfolio under a plan."""
        effects_of: EffectsOf = self.artifact.model.effects_of if self.artifact else PlannedEffects
        return self.contact.model.over(effects_of) if self.contact else effects_of

    @property
    def identity(self) -> str:
        """Digests of the models; equal only where the same ones serve."""
        return f"{self.artifact.digest if self.artifact else ''}/{self.contact.digest if self.contact else ''}"

    def record(self, effects_version: str, objects: ObjectStore | None = None) -> tuple[ServedModel, ServedModel]:
        """Return what a ranking's record says of effects and contact, so that the record can be valued anew alone.

        Args:
            effects_version: what the effects call themselves.
            objects: keeps the models' texts; None where nothing is recorded.
        """
        effects, contact = ServedModel(effects_version, problem=self.problem), ServedModel(problem=self.contact_problem)
        if self.artifact:
            effects = replace(effects, digest=self.artifact.digest, text=_kept(self.artifact.text, objects))
        if self.contact:
            manifest, text = self.contact.manifest, _kept(self.contact.text, objects)
            contact = ServedModel(f"{manifest.kind}/{manifest.version}", self.contact.digest, text, self.contact_problem)
        return effects, contact


def _kept(text: str, objects: ObjectStore | None) -> str:
    return objects.put(text.encode()) if objects else ""


class EffectServing:
    """Pins the effects and the contact probabilities that serve."""

    def __init__(self, ledger: Ledger, root: Path, now: Callable[[], datetime]) -> None:
        self._effects = ApprovedChampion(ModelKind.EFFECT, ledger, root, now, load_effect)
        self._contacts = ApprovedChampion(ModelKind.CONTACT, ledger, root, now, load_contact)

    def pin(self, portfolio_id: str) -> ServedEffects:
        """Return the effects of a portfolio now ("" for rows that belong to none); the plan's where no model may serve."""
        return ServedEffects(*self._effects.find(portfolio_id), *self._contacts.find(portfolio_id))


def recorded_effects(objects: ObjectStore, beside: BesideFacts) -> EffectsOf:
    """Return the effects that a recorded ranking was made with, from the texts it kept; the plan's where it kept none.

    Raises:
        CollectionsError: INTEGRITY_FAILURE when a kept text is missing or damaged.
    """
    kept, contact = beside.effects.text, beside.contact.text
    effects_of: EffectsOf = parse_effect(objects.get(kept).decode()).effects_of if kept else PlannedEffects
    return parse_contact(objects.get(contact).decode()).over(effects_of) if contact else effects_of
