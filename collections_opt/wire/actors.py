"""Who recorded something, as a message."""

from __future__ import annotations

from collections_opt.api.v1 import actor_pb2 as pb
from collections_opt.core.actors import UNKNOWN, Actor, ActorRole
from collections_opt.wire.common import write_enum


def write_recorded_actor(actor: Actor) -> pb.RecordedActor | None:
    """Return who recorded something; None, a field that is not set, for nobody known."""
    if actor == UNKNOWN:
        return None
    role = write_enum(pb.ActorRole.DESCRIPTOR, actor.role if actor.role in list(ActorRole) else "UNSPECIFIED")
    return pb.RecordedActor(name=actor.name, role=role, token_issuer=actor.issuer, authenticated_system=actor.system)
