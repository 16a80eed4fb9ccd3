"""Health and reflection on the event loop: they need no worker, so they answer whatever the workers do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import grpc
from google.protobuf.message import DecodeError, Message
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha._async import ReflectionServicer

from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.service.server.edge import Patience, abort, end, forget_way, read
from collections_opt.service.server.guard import ServerContext
from collections_opt.service.server.places import Waiting

HEALTH = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
REFLECTION = reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"].full_name

MAX_OPEN_CALLS = 64
"""Calls of health and reflection that are open at once; the oldest gives way."""

_S = health_pb2.HealthCheckResponse


class Health:
    """The state of the server and of each service, shown by ``Check`` and ``Watch``; used on the event loop."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)
        self._serving = True
        self._changed = asyncio.Event()

    def status(self, name: str) -> health_pb2.HealthCheckResponse:
        """Return the state of a service; the empty name is the server."""
        if name not in self._names:
            return _S(status=_S.SERVICE_UNKNOWN)
        return _S(status=_S.SERVING if self._serving else _S.NOT_SERVING)

    def stop(self) -> None:
        """Say NOT_SERVING from now on."""
        self._serving = False
        self._changed.set()

    async def check(self, raw: bytes, context: ServerContext) -> None:
        """Answer with the state."""
        found = self.status(_parse(health_pb2.HealthCheckRequest, raw).service)
        if found.status == _S.SERVICE_UNKNOWN:
            await end(context, grpc.StatusCode.NOT_FOUND)
        await context.write(found.SerializeToString())

    async def watch(self, raw: bytes, context: ServerContext) -> None:
        """Answer with the state, and with the next after the server stops."""
        name = _parse(health_pb2.HealthCheckRequest, raw).service
        await context.write(self.status(name).SerializeToString())
        await self._changed.wait()
        await context.write(self.status(name).SerializeToString())
        await asyncio.Event().wait()  # a watcher stays until it leaves, or the server does


class Reflection:
    """Shows the descriptors of the services."""

    def __init__(self, names: Sequence[str], patience: Patience) -> None:
        self._servicer = ReflectionServicer(names)
        self._patience = patience

    async def show(self, raw: bytes, context: ServerContext) -> None:
        """Answer each request of a stream."""
        requests = self._requests(raw, context)
        async for answer in self._servicer.ServerReflectionInfo(requests, context):
            await context.write(answer.SerializeToString())

    async def _requests(self, raw: bytes, context: ServerContext) -> AsyncIterator[Message]:
        message: bytes | None = raw
        while message is not None:
            yield _parse(reflection_pb2.ServerReflectionRequest, message)
            message = await read(context, self._patience.later)


def plumbing_handlers(
    health: Health, reflection: Reflection, patience: Patience
) -> dict[str, dict[str, grpc.RpcMethodHandler[Any, Any]]]:
    """Return the handlers of health and reflection, by service and method."""
    waiting = Waiting(MAX_OPEN_CALLS, MAX_OPEN_CALLS)

    def handler(answer: Any) -> grpc.RpcMethodHandler[Any, Any]:
        async def serve(_requests: object, context: ServerContext) -> None:
            async def whole() -> None:
                raw = await read(context, patience.first)
                if raw is not None:
                    await answer(raw, context)

            try:
                await waiting.until(context.peer(), whole())
            except CollectionsError as error:
                forget_way(error)
                await abort(context, error)
            except grpc.aio.InternalError:
                raise asyncio.CancelledError from None  # the caller left

        return grpc.stream_stream_rpc_method_handler(serve, request_deserializer=None, response_serializer=None)

    methods: Mapping[str, Mapping[str, Any]] = {
        HEALTH: {"Check": health.check, "Watch": health.watch},
        REFLECTION: {"ServerReflectionInfo": reflection.show},
    }
    return {service: {name: handler(answer) for name, answer in named.items()} for service, named in methods.items()}


def _parse(message_type: type[Any], raw: bytes) -> Any:
    try:
        return message_type.FromString(raw)
    except DecodeError as error:
        name = message_type.DESCRIPTOR.full_name
        raise refuse(Reason.MALFORMED_MESSAGE, name, "the bytes are not such a message.", "Use its public contract.") from error
