"""Who calls, and from where: the metadata by which callers say who they are, and which hosts are this machine."""

from __future__ import annotations

import ipaddress

ACTOR_KEY = "x-actor"
"""Name of the person or job, printable ASCII."""

ROLE_KEY = "x-role"
"""An ``ActorRole``."""

TOKEN_KEY = "authorization"  # noqa: S105 - the name of a metadata key
"""Holds ``Bearer TOKEN``."""


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine by name or number, where alone calls may be in plaintext; nothing is looked up."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
