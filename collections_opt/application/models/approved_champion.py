"""The champion of a kind of model beside the outcome model, where one may serve: approved, unexpired, allowed and unchanged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.models.lifecycle import ModelKind, ModelStanding
from collections_opt.ledger.ledger import Ledger
from collections_opt.scoring.versions.artifacts import Manifest


class LoadedArtifact(Protocol):
    """What is read from a version's folder."""

    @property
    def manifest(self) -> Manifest:
        """What the version is."""
        ...

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of its manifest."""
        ...


ArtifactT = TypeVar("ArtifactT", bound=LoadedArtifact)


class ApprovedChampion(Generic[ArtifactT]):
    """Finds the champion of a kind; the last version loaded is kept by digest.

    Args:
        kind: the kind.
        ledger: where approvals are recorded.
        root: folder of the versions.
        now: the time.
        load: returns a version of the folder; raises MODEL_UNAVAILABLE.
    """

    def __init__(
        self,
        kind: ModelKind,
        ledger: Ledger,
        root: Path,
        now: Callable[[], datetime],
        load: Callable[[Path, str], ArtifactT],
    ) -> None:
        self._kind = kind
        self._ledger = ledger
        self._root = root
        self._now = now
        self._load = load
        self._loaded: ArtifactT | None = None

    def find(self, portfolio_id: str) -> tuple[ArtifactT | None, str]:
        """Return the version that serves a portfolio now ("" for rows that belong to none), or None and why.

        Why is empty where there is no champion.
        """
        standing = self._ledger.model_standing(self._kind)
        if not standing.champion:
            return None, ""
        try:
            return self._approved(standing.of(standing.champion), portfolio_id), ""
        except CollectionsError as error:
            return None, f"{self._kind}/{standing.champion}: {error.message}"

    def _approved(self, standing: ModelStanding, portfolio_id: str) -> ArtifactT:
        terms = standing.terms
        if not standing.state.may_serve or terms is None:
            raise refuse(Reason.MODEL_UNAVAILABLE, standing.version, f"is {standing.state}, not approved.", "Approve it.")
        if terms.expires_at <= self._now():
            raise refuse(Reason.MODEL_UNAVAILABLE, standing.version, "its approval has expired.", "Approve it again.")
        if not terms.allow(portfolio_id):
            raise refuse(Reason.MODEL_UNAVAILABLE, standing.version, "is not approved for this portfolio.", "Approve it for it.")
        loaded = self._loaded
        if loaded is None or (loaded.manifest.version, loaded.digest) != (standing.version, standing.digest):
            loaded = self._load(self._root, standing.version)
            if loaded.digest != standing.digest:
                raise refuse(Reason.MODEL_UNAVAILABLE, standing.version, "is not the artifact approved.", "Restore the version.")
            self._loaded = loaded
        return loaded
