"""The approved models that serve beside the outcome model, pinned for one ranking, and those that challenge them.

Where no effect model may serve the plan's effects stand, without a contact model their own right-party-contact rates, without a
recovery model the LGD of the value parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Generic

from collections_opt.application.records.scoring_facts import BesideFacts, ServedModel
from collections_opt.core.accounts.own_features import lacked
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.models.lifecycle import ModelKind, ModelStanding, ModelState, terms_to_serve
from collections_opt.core.value.effects import EffectsOf, PlannedEffects
from collections_opt.core.value.payoffs import LearnedValues
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.objects.folder import ObjectStore
from collections_opt.scoring.contact.artifacts import CONTACTS
from collections_opt.scoring.contact.model import ContactModel
from collections_opt.scoring.effect.artifacts import EFFECTS, AnyEffectModel
from collections_opt.scoring.recovery.artifacts import RECOVERIES
from collections_opt.scoring.recovery.model import RecoveryModel
from collections_opt.scoring.versions.text_artifacts import M, M_co, TextArtifact, TextFormat

CACHED_VERSIONS = 4
"""Loaded versions of a kind that are kept: the champion and some challengers."""


@dataclass(frozen=True)
class Pinned(Generic[M_co]):
    """The version of a kind that serves, None where none does; and why the champion could not, "" if it did or there is none."""

    artifact: TextArtifact[M_co] | None = None
    problem: str = ""

    @property
    def model(self) -> M_co | None:
        """The model that serves."""
        return self.artifact.model if self.artifact else None

    @property
    def version(self) -> str:
        """Kind and version; empty without one."""
        return self.artifact.name if self.artifact else ""

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of its manifest; empty without one. Equal only where the same model serves."""
        return self.artifact.digest if self.artifact else ""

    def recorded(self, objects: ObjectStore | None, version: str | None = None) -> ServedModel:
        """Return what a record says of it, so that the record can be valued anew alone; objects, if given, keep its text."""
        text = objects.put(self.artifact.text.encode()) if self.artifact and objects else ""
        return ServedModel(self.version if version is None else version, self.digest, text, self.problem)


@dataclass(frozen=True)
class PinnedBeside:
    """The models beside the outcome model that serve a portfolio."""

    effect: Pinned[AnyEffectModel]
    contact: Pinned[ContactModel]
    recovery: Pinned[RecoveryModel]

    @property
    def learned(self) -> LearnedValues:
        """What they say in place of plan and value parameters."""
        return _learned(self.effect.model, self.contact.model, self.recovery.model)

    @property
    def identity(self) -> tuple[str, ...]:
        """Digests of the models; equal only where the same ones serve."""
        return self.effect.digest, self.contact.digest, self.recovery.digest

    def recorded(self, effects_version: str, objects: ObjectStore | None = None) -> BesideFacts:
        """Return what a record says of them.

        Args:
            effects_version: what the effects call themselves.
            objects: keeps the models' texts; None where nothing is recorded.
        """
        return BesideFacts(
            effects=self.effect.recorded(objects, effects_version),
            contact=self.contact.recorded(objects),
            recovery=self.recovery.recorded(objects),
        )


def recorded_learned(objects: ObjectStore, beside: BesideFacts) -> LearnedValues:
    """Return what the models of a recorded ranking say, from the texts it kept; plan and value parameters where it kept none.

    Raises:
        CollectionsError: INTEGRITY_FAILURE when a kept text is missing or damaged; MODEL_UNAVAILABLE where LightGBM is missing.
    """
    return _learned(
        _kept(EFFECTS, beside.effects, objects),
        _kept(CONTACTS, beside.contact, objects),
        _kept(RECOVERIES, beside.recovery, objects),
    )


def _kept(form: TextFormat[M], served: ServedModel, objects: ObjectStore) -> M | None:
    return form.parse(objects.get(served.text).decode()) if served.text else None


def _learned(effect: AnyEffectModel | None, contact: ContactModel | None, recovery: RecoveryModel | None) -> LearnedValues:
    effects_of: EffectsOf = effect.effects_of if effect else PlannedEffects
    return LearnedValues(
        effects_of=contact.over(effects_of) if contact else effects_of,
        losses_of=recovery.losses_of if recovery else None,
    )


@dataclass(frozen=True)
class Challenging:
    """A challenger of a kind: its full name, and its version, or why it cannot be tried."""

    kind: ModelKind
    model_version: str
    pinned: Pinned[Any]


class Champion(Generic[M]):
    """Finds the champion of a kind where it may serve, and its challengers; loaded versions are kept by digest.

    Args:
        form: how the kind is kept.
        ledger: where approvals are recorded.
        root: folder of the versions.
        now: the time.
    """

    def __init__(self, form: TextFormat[M], ledger: Ledger, root: Path, now: Callable[[], datetime]) -> None:
        self._form = form
        self._ledger = ledger
        self._root = root
        self._now = now
        self._loaded: dict[tuple[str, str], TextArtifact[M]] = {}

    def pin(self, portfolio_id: str, portfolio: Portfolio | None = None) -> Pinned[M]:
        """Return the version that serves a portfolio now ("" for rows that belong to none), or why none does.

        With the accounts given, a version that learned from own columns gives way where they come without.
        """
        standing = self._ledger.model_events.standing(self._form.kind)
        return self._tried(standing.of(standing.champion), portfolio_id, portfolio) if standing.champion else Pinned()

    def challengers(self, portfolio_id: str, portfolio: Portfolio) -> tuple[Challenging, ...]:
        """Return every challenger of the kind, by version, as ``pin``."""
        kind = self._form.kind
        standing = self._ledger.model_events.standing(kind)
        return tuple(
            Challenging(kind, f"{kind}/{version}", self._tried(model, portfolio_id, portfolio))
            for version, model in sorted(standing.models.items())
            if model.state is ModelState.CHALLENGER
        )

    def _tried(self, standing: ModelStanding, portfolio_id: str, portfolio: Portfolio | None) -> Pinned[M]:
        try:
            found = self._approved(standing, portfolio_id)
            lacks = lacked(portfolio, found.manifest.own_columns) if portfolio is not None else {}
            if lacks:
                told = "; ".join(f"{name} {why}" for name, why in lacks.items())
                raise refuse(Reason.MODEL_UNAVAILABLE, found.manifest.version, f"{told}.", "Send what it learned from.")
            return Pinned(found)
        except CollectionsError as error:
            return Pinned(problem=f"{self._form.kind}/{standing.version}: {error.message}")

    def _approved(self, standing: ModelStanding, portfolio_id: str) -> TextArtifact[M]:
        terms_to_serve(standing, portfolio_id, self._now())
        wanted = (standing.version, standing.digest)
        loaded = self._loaded.get(wanted)
        if loaded is None:
            loaded = self._form.load(self._root, standing.version)
            if loaded.digest != standing.digest:
                raise refuse(Reason.MODEL_UNAVAILABLE, standing.version, "is not the artifact approved.", "Restore the version.")
            self._loaded = {**dict(list(self._loaded.items())[1 - CACHED_VERSIONS :]), wanted: loaded}
        return loaded


class Champions:
    """The kinds that serve beside the outcome model."""

    def __init__(self, ledger: Ledger, root: Path, now: Callable[[], datetime]) -> None:
        self._effects = Champion(EFFECTS, ledger, root, now)
        self._contacts = Champion(CONTACTS, ledger, root, now)
        self._recoveries = Champion(RECOVERIES, ledger, root, now)

    def pin(self, portfolio_id: str, portfolio: Portfolio | None = None) -> PinnedBeside:
        """Return what serves a portfolio now ("" for rows that belong to none), as ``Champion.pin``."""
        asked = (portfolio_id, portfolio)
        return PinnedBeside(self._effects.pin(*asked), self._contacts.pin(*asked), self._recoveries.pin(*asked))

    def challengers(self, portfolio_id: str, portfolio: Portfolio) -> tuple[Challenging, ...]:
        """Return the challengers of every kind beside the outcome model, as ``Champion.challengers``."""
        kinds = (self._effects, self._contacts, self._recoveries)
        return tuple(one for kind in kinds for one in kind.challengers(portfolio_id, portfolio))
