"""Names of the metadata by which callers say who they are."""

ACTOR_KEY = "x-actor"
"""Name of the person or job, printable ASCII."""

ROLE_KEY = "x-role"
"""An ``ActorRole``."""
