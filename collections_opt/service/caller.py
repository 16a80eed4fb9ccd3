"""Who calls: the claims in a call's metadata beside the certificate of its connection."""

from __future__ import annotations

from typing import Any

import grpc

from collections_opt.core.actors import Actor, claimed_actor
from collections_opt.core.errors import Reason, refuse
from collections_opt.wire.identity import ACTOR_KEY, ROLE_KEY


def read_actor(context: grpc.ServicerContext) -> Actor:
    """Return who makes a call: claimed name and role, and with mTLS the common name of the client's certificate.

    Raises:
        CollectionsError: INVALID_ARGUMENT at x-actor or x-role.
    """
    metadata = list(context.invocation_metadata() or ())
    return claimed_actor(_one(metadata, ACTOR_KEY), _one(metadata, ROLE_KEY), ACTOR_KEY, ROLE_KEY, _system(context))


def _one(metadata: list[tuple[str, Any]], wanted: str) -> str:
    found = [value for key, value in metadata if key == wanted]
    if len(found) > 1:
        raise refuse(Reason.INVALID_ARGUMENT, wanted, f"is given {len(found)} times.", "Give it once.")
    return str(found[0]) if found else ""


def _system(context: grpc.ServicerContext) -> str:
    """Return the common name that grpc read from a client certificate it has verified; empty without one."""
    names = context.auth_context().get("x509_common_name") or ()
    name = bytes(next(iter(names), b"")).decode("utf-8", "backslashreplace")
    return name if name.isprintable() else name.encode("unicode_escape").decode()
