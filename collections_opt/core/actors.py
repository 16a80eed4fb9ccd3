"""Who asks: what callers say of themselves, whom their token vouches for, and what their certificate shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from collections_opt.core.errors import Reason, refuse

MAX_NAME_CHARACTERS = 128


class ActorRole(StrEnum):
    """In which role somebody asks."""

    PLATFORM = "PLATFORM"
    """A platform on behalf of nobody in particular, such as a nightly job."""
    OPERATIONS_MANAGER = "OPERATIONS_MANAGER"
    ANALYST = "ANALYST"
    AUDITOR = "AUDITOR"
    MODEL_SUBMITTER = "MODEL_SUBMITTER"
    MODEL_VALIDATOR = "MODEL_VALIDATOR"
    MODEL_APPROVER = "MODEL_APPROVER"
    ADMIN = "ADMIN"


@dataclass(frozen=True)
class Actor:
    """Who asked; what is not known is empty.

    Attributes:
        name: the person or job.
        role: an ``ActorRole``.
        system: common name of the certificate by which the caller's system was authenticated.
        issuer: who issued the token that vouches for name and role; empty where they are the caller's claims.
    """

    name: str = ""
    role: str = ""
    system: str = ""
    issuer: str = ""

    def recorded(self) -> dict[str, str]:
        """Return what records hold: it says of each part whether it was claimed or authenticated."""
        if self.issuer:
            return {
                "authenticated_name": self.name,
                "authenticated_role": self.role,
                "token_issuer": self.issuer,
                "authenticated_system": self.system,
            }
        return {"claimed_name": self.name, "claimed_role": self.role, "authenticated_system": self.system}


UNKNOWN = Actor()
"""A caller that showed no identity."""


def claimed_actor(name: str, role: str, name_field: str, role_field: str, system: str = "") -> Actor:
    """Return who a caller claims to be.

    Raises:
        CollectionsError: INVALID_ARGUMENT at ``name_field`` or ``role_field``.
    """
    if len(name) > MAX_NAME_CHARACTERS or not (name.isascii() and name.isprintable()) or name.strip() != name:
        remedy = f"Send at most {MAX_NAME_CHARACTERS} printable ASCII characters, such as a login name."
        raise refuse(Reason.INVALID_ARGUMENT, name_field, "is not a name.", remedy)
    if role and role not in list(ActorRole):
        raise refuse(Reason.INVALID_ARGUMENT, role_field, f"{role[:70]!r} is unknown.", f"Use one of {', '.join(ActorRole)}.")
    return Actor(name, role, system)


def recorded_actor(held: Mapping[str, Any]) -> Actor:
    """Return the actor of a record; records made before callers were authenticated hold a name and a role alone."""
    system, issuer = held.get("authenticated_system", ""), held.get("token_issuer", "")
    if issuer:
        return Actor(held["authenticated_name"], held["authenticated_role"], system, issuer)
    return Actor(held.get("claimed_name", held.get("name", "")), held.get("claimed_role", held.get("role", "")), system)


def asked_by(actor: Actor) -> str:
    """Return who asked, in a sentence that says what was claimed and what was authenticated."""
    person = f"{actor.name or 'somebody unnamed'}{f' as {actor.role}' if actor.role else ''}"
    proof = f"by a token of {actor.issuer}" if actor.issuer else "as the caller claimed"
    claim = f"by {person}, {proof}," if actor.name or actor.role else "by a caller who gave no name"
    shown = (
        f"through the system {actor.system}, authenticated by its certificate" if actor.system else "over no authenticated system"
    )
    return f"It was asked for {claim} {shown}."
