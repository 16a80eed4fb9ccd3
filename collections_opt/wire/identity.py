"""Names of the metadata by which callers say who they are."""

ACTOR_KEY = "x-actor"
"""Name of the person or job, printable ASCII."""

ROLE_KEY = "x-role"
"""An ``ActorRole``."""

TOKEN_KEY = "authorization"  # noqa: S105 - the name of a metadata key
"""Holds ``Bearer TOKEN``."""
