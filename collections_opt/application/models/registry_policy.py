"""registry.toml beside the models: which person has which role, and the approvals that ship with the models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import tomli_w

from collections_opt.application.settings import dump
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.models.domain import FIELDS
from collections_opt.core.models.lifecycle import ApprovalMode, LadderStep, ModelAction, ModelKind
from collections_opt.datasets.settings_files import read_settings

FILE = "registry.toml"


class Role(StrEnum):
    """What a person may do to models."""

    SUBMITTER = "submitter"
    VALIDATOR = "validator"
    APPROVER = "approver"
    OPERATOR = "operator"
    """Promotes, rolls back and retires what was approved."""


ROLE_OF: Mapping[ModelAction, Role] = {
    ModelAction.SUBMIT: Role.SUBMITTER,
    ModelAction.VALIDATE: Role.VALIDATOR,
    ModelAction.APPROVE: Role.APPROVER,
    ModelAction.PROMOTE: Role.OPERATOR,
    ModelAction.CHALLENGE: Role.OPERATOR,
    ModelAction.WITHDRAW: Role.OPERATOR,
    ModelAction.ROLLBACK: Role.OPERATOR,
    ModelAction.RETIRE: Role.OPERATOR,
}
"""Role that each act needs; an act without a role could not be taken by anybody."""


@dataclass(frozen=True)
class DeclaredApproval:
    """An approval that ships with a model; it becomes events of the ledger when a ledger first meets the folder.

    Attributes:
        kind: kind of the model.
        version: its version.
        digest: SHA-256 (hex) of its manifest.
        champion: whether it is the champion until a person decides otherwise.
        approved_by: who stands behind it.
        allowed_portfolios: patterns of portfolio ids.
        valid_days: days from that first meeting for which the approval holds.
        score_valid_days: days after the as-of date for which scores may be used.
    """

    kind: ModelKind
    version: str
    digest: str
    champion: bool
    approved_by: str
    allowed_portfolios: tuple[str, ...] = ("*",)
    valid_days: int = 365
    score_valid_days: int = 7


@dataclass(frozen=True)
class RegistryPolicy:
    """Who may do what to the models of a folder.

    Attributes:
        self_approving: anybody may take every part, and every event says so; for folders of one's own, as the demo's.
        roles: names by role; nobody else may act.
        declared: approvals that ship.
        lowest_step: the last step of the ladder that may decide; below it rankings are refused.
        domain_binds: fields of a model's declared domain outside which it does not score; the others are counted and told.
        most_lacking_share: share of accounts that may lack what a model's training always had; beyond it the next step decides.
    """

    self_approving: bool = False
    roles: Mapping[Role, tuple[str, ...]] = field(default_factory=dict)
    declared: tuple[DeclaredApproval, ...] = ()
    lowest_step: LadderStep = LadderStep.POLICY_ORDER
    domain_binds: tuple[str, ...] = FIELDS
    most_lacking_share: float = 0.2

    def __post_init__(self) -> None:
        unknown = [field for field in self.domain_binds if field not in FIELDS]
        if unknown:
            raise refuse(Reason.INVALID_ARGUMENT, "domain_binds", f"{unknown[0]!r} is no field.", f"Use {', '.join(FIELDS)}.")
        if not 0.0 <= self.most_lacking_share <= 1.0:
            raise refuse(Reason.INVALID_ARGUMENT, "most_lacking_share", "is no share.", "Use 0 to 1.")

    @property
    def mode(self) -> ApprovalMode:
        """How acts under this policy are recorded."""
        return ApprovalMode.SELF_APPROVED if self.self_approving else ApprovalMode.PEOPLE

    @property
    def declared_mode(self) -> ApprovalMode:
        """How declared approvals are recorded."""
        return ApprovalMode.SELF_APPROVED if self.self_approving else ApprovalMode.BOOTSTRAP

    def require(self, actor: str, action: ModelAction) -> None:
        """Refuse an actor without the role that an act needs.

        Raises:
            CollectionsError: INVALID_ARGUMENT for an empty name, PERMISSION_DENIED.
        """
        if not actor or len(actor) > 128 or not actor.isprintable():
            raise refuse(Reason.INVALID_ARGUMENT, "actor", "is not a name.", "Say who acts, in 1 to 128 characters.")
        role = ROLE_OF[action]
        if not self.self_approving and actor not in self.roles.get(role, ()):
            raise refuse(
                Reason.PERMISSION_DENIED, "actor", f"{actor!r} is not a {role}.", f"Name the person under roles.{role} in {FILE}."
            )


def read_policy(models: Path) -> RegistryPolicy:
    """Return the policy of a folder of models.

    Raises:
        CollectionsError: MODEL_UNAVAILABLE when there is none, INVALID_ARGUMENT naming the field at fault.
    """
    if not (models / FILE).is_file():
        raise refuse(Reason.MODEL_UNAVAILABLE, FILE, "is missing.", "Run `make models`, or name another folder of models.")
    return read_settings(models / FILE, RegistryPolicy)


def write_policy(models: Path, policy: RegistryPolicy) -> None:
    """Write the policy of a folder of models."""
    plain = json.loads(dump(policy))
    (models / FILE).write_text(tomli_w.dumps(plain), encoding="utf-8", newline="\n")
