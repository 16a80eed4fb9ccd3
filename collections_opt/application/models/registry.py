"""The registry of models: what people do to versions, recorded in the ledger, over the artifacts of a folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from collections_opt.application.models.registry_policy import DeclaredApproval, RegistryPolicy
from collections_opt.application.settings import dump
from collections_opt.core.arrays import digest_text
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.limits import MAX_NOTE_CHARACTERS
from collections_opt.core.models.lifecycle import (
    ApprovalMode,
    ApprovalTerms,
    KindStanding,
    ModelAction,
    ModelEvent,
    ModelKind,
    ModelStanding,
    ModelState,
    check_event,
)
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.records import ModelRecord, RequestKey
from collections_opt.scoring.versions.artifacts import Manifest, list_versions, read_manifest


@dataclass(frozen=True)
class ModelCommand:
    """What a person asks to do to a version; ``version`` may be empty for a rollback, ``terms`` belong to an approval."""

    actor: str
    action: ModelAction
    kind: ModelKind
    version: str = ""
    note: str = ""
    terms: ApprovalTerms | None = None
    request_id: str = ""

    @property
    def payload_digest(self) -> str:
        """SHA-256 (hex) of everything but the request id."""
        return digest_text(dump(replace(self, request_id="")))


@dataclass(frozen=True)
class ModelView:
    """A version on disk and where it stands."""

    kind: ModelKind
    manifest: Manifest
    digest: str
    standing: ModelStanding


class ModelRegistry:
    """The use cases around model versions; the ledger decides, the folder holds the bytes, ``publish`` signs the log."""

    def __init__(
        self, ledger: Ledger, root: Path, policy: RegistryPolicy, now: Callable[[], datetime], publish: Callable[[], object]
    ) -> None:
        self._ledger = ledger
        self._publish = publish
        self._policy = policy
        self._now = now
        self.root = root

    @property
    def mode(self) -> ApprovalMode:
        """How acts under this folder's policy are recorded."""
        return self._policy.mode

    def _mode(self, authenticated: bool) -> ApprovalMode:
        mode = self._policy.mode
        return ApprovalMode.CLAIMED if mode is ApprovalMode.PEOPLE and not authenticated else mode

    def standing(self, kind: ModelKind) -> KindStanding:
        """Return where every version of a kind stands."""
        return self._ledger.model_events.standing(kind)

    def model(self, kind: ModelKind, version: str) -> ModelView:
        """Return a version; "" is the champion.

        Raises:
            CollectionsError: NOT_FOUND.
        """
        standing = self.standing(kind)
        chosen = version or standing.champion
        if not chosen:
            raise refuse(Reason.NOT_FOUND, "version", f"{kind} has no champion.", "Name a version.", f"{kind}/champion")
        manifest, digest, _ = read_manifest(self.root, chosen, kind)
        return ModelView(kind, manifest, digest, standing.of(chosen))

    def models(self, kind: ModelKind, after: str = "") -> list[ModelView]:
        """Return the versions of a kind on disk by version, after one ("" for all)."""
        return [self.model(kind, version) for version in list_versions(self.root, kind) if version > after]

    def events(self, kind: ModelKind, version: str, after: int, size: int) -> list[ModelEvent]:
        """Return what was done to a kind's versions (or one's), in order."""
        return self._ledger.model_events.after(kind, version, after, size)

    def act(self, command: ModelCommand, validate_only: bool = False, authenticated: bool = False) -> ModelView:
        """Record an act on a version and return where it stands after.

        Args:
            command: what is asked.
            validate_only: check only.
            authenticated: whether a token vouched for who acts; otherwise the act is recorded as claimed.

        Raises:
            CollectionsError: PERMISSION_DENIED for an actor without the role or with another part in it; MODEL_STATE_CONFLICT;
                NOT_FOUND for a version that is not on disk; INVALID_ARGUMENT; REQUEST_ID_REUSED.
        """
        self._policy.require(command.actor, command.action)
        if len(command.note) > MAX_NOTE_CHARACTERS:
            raise refuse(Reason.INVALID_ARGUMENT, "note", f"has {len(command.note)} characters.", "Use at most 2,000.")
        before = self.standing(command.kind)
        version = command.version
        if command.action is ModelAction.ROLLBACK and not version:
            version = before.previous()
            if not version:
                raise refuse(Reason.MODEL_STATE_CONFLICT, "kind", "no earlier champion may serve.", "Promote a version instead.")
        manifest, digest, text = read_manifest(self.root, version, command.kind)
        event = ModelEvent(
            kind=command.kind,
            version=version,
            digest=digest,
            action=command.action,
            actor=command.actor,
            at=self._now(),
            mode=self._mode(authenticated),
            note=command.note,
            terms=command.terms if command.action is ModelAction.APPROVE else None,
        )
        if validate_only:
            check_event(before, event)
            return ModelView(command.kind, manifest, digest, before.of(version))
        key = RequestKey(command.request_id, f"model.{command.action}", command.payload_digest) if command.request_id else None
        if command.action is ModelAction.SUBMIT:
            self._ledger.models.add(ModelRecord(command.kind, version, digest, text, self._now().isoformat()))
        self._ledger.model_events.add([event], key)
        self._publish()
        return self.model(command.kind, version)

    def meet_declarations(self) -> None:
        """Record the approvals that ship with the folder, for versions this ledger has not met; people's acts always win.

        Raises:
            CollectionsError: MODEL_UNAVAILABLE when a declared version's bytes are not those that were approved.
        """
        met = False
        try:
            for declared in self._policy.declared:
                standing = self.standing(declared.kind)
                new = [] if standing.acted else self._declaration(declared, standing)
                if new:
                    self._ledger.model_events.add(new)
                    met = True
        finally:
            if met:  # one checkpoint covers them all
                self._publish()

    def _declaration(self, declared: DeclaredApproval, standing: KindStanding) -> list[ModelEvent]:
        _, digest, text = read_manifest(self.root, declared.version, declared.kind)
        if digest != declared.digest:
            name = f"{declared.kind}/{declared.version}"
            raise refuse(
                Reason.MODEL_UNAVAILABLE, name, "its manifest is not the one that registry.toml approves.", "Restore the version."
            )
        known = standing.of(declared.version)
        actions = [] if known.state is not ModelState.DRAFT else [ModelAction.SUBMIT, ModelAction.VALIDATE, ModelAction.APPROVE]
        # What somebody adopted in a self-approving folder stays champion: a declaration takes over from declarations only.
        adopted = standing.champion not in ("", *(one.version for one in self._policy.declared if one.kind is declared.kind))
        if declared.champion and not adopted and standing.champion != declared.version and known.state is not ModelState.RETIRED:
            actions.append(ModelAction.PROMOTE)
        now = self._now()
        terms = ApprovalTerms(now + timedelta(days=declared.valid_days), declared.allowed_portfolios, declared.score_valid_days)
        if actions:
            self._ledger.models.add(ModelRecord(declared.kind, declared.version, digest, text, now.isoformat()))
        return [
            ModelEvent(
                kind=declared.kind,
                version=declared.version,
                digest=digest,
                action=action,
                actor=declared.approved_by,
                at=now,
                mode=self._policy.declared_mode,
                note="declared in registry.toml",
                terms=terms if action is ModelAction.APPROVE else None,
            )
            for action in actions
        ]
