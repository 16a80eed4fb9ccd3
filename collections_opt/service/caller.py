"""Who calls: whom a token vouches for, else the claims in a call's metadata, beside the certificate of its connection."""

from __future__ import annotations

from collections_opt.core.actors import Actor, claimed_actor
from collections_opt.service.access import authenticated_actor
from collections_opt.service.call import CallFacts
from collections_opt.service.metadata import one_value, system_of
from collections_opt.wire.identity import ACTOR_KEY, ROLE_KEY


def read_actor(context: CallFacts) -> Actor:
    """Return who makes a call: name and role by its token or as claimed, and with mTLS the certificate's common name.

    Raises:
        CollectionsError: INVALID_ARGUMENT at x-actor or x-role.
    """
    known = authenticated_actor()
    if known is not None:
        return known
    name, role = one_value(context, ACTOR_KEY), one_value(context, ROLE_KEY)
    return claimed_actor(name, role, ACTOR_KEY, ROLE_KEY, system_of(context))
