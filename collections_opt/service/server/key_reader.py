"""Follows the issuer's keys for the edge: what waits for the issuer waits in a thread, never on the event loop."""

from __future__ import annotations

import asyncio

import structlog

from collections_opt.core.errors import CollectionsError
from collections_opt.service.access.roles import Access
from collections_opt.service.server.guard import ServerContext

_log = structlog.get_logger()


class KeyReader:
    """Reads the keys of tokens anew when they are due; used on the event loop.

    Only calls whose token names a key that is not known wait for the reading; all others are judged by the keys there are.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._reading: asyncio.Task[None] | None = None

    async def ready_for(self, context: ServerContext) -> None:
        """Return when a call's token can be judged.

        Raises:
            CollectionsError: INVALID_ARGUMENT for several tokens.
        """
        tokens = self._access.tokens
        if tokens is None:
            return
        token = self._access.token_of(context)
        if tokens.claims_keys_for(token):
            self._reading = asyncio.create_task(asyncio.to_thread(self._read))
        if self._reading is not None and not self._reading.done() and not tokens.has_key_for(token):
            await asyncio.shield(self._reading)

    def _read(self) -> None:
        if self._access.tokens is not None:
            try:
                self._access.tokens.keys.refresh()
            except CollectionsError as error:
                _log.warning("the issuer's keys were not read", told=error.message)
