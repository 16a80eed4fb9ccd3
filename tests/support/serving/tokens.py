"""Keys of an issuer as a checker of tokens follows them."""

from __future__ import annotations

from collections_opt.service.access.tokens import usable_keys
from collections_opt.wire.callers.published_keys import PublishedKeys


def keys_given(text, now):
    """Return the keys of a JWK set (JSON), read."""
    keys = PublishedKeys(lambda: usable_keys(text, "keys"), now)
    keys.refresh()
    return keys
