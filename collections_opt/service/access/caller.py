"""Who calls: whom a token vouches for, else the claims in a call's metadata, beside the certificate of its connection."""

from __future__ import annotations

from dataclasses import replace

from collections_opt.core.actors import Actor, claimed_actor
from collections_opt.core.errors import Reason, refuse
from collections_opt.service.access.call import CallFacts
from collections_opt.service.access.metadata import one_value, system_of
from collections_opt.service.access.roles import authenticated_actor
from collections_opt.wire.callers.identity import ACTOR_KEY, ROLE_KEY


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


def read_acting(named: str, context: CallFacts) -> Actor:
    """Return who acts: who makes the call, or where the call does not say, who its request names.

    Raises:
        CollectionsError: INVALID_ARGUMENT at actor for no name, or for another than the call's; as ``read_actor``.
    """
    actor = read_actor(context)
    if actor.name and named not in ("", actor.name):
        raise refuse(
            Reason.INVALID_ARGUMENT, "actor", f"{named[:70]!r} is not the {ACTOR_KEY} of the call.", "Leave one of them out."
        )
    return actor if actor.name or not named else replace(claimed_actor(named, actor.role, "actor", ROLE_KEY), system=actor.system)
