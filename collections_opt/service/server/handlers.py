"""Register a service from its descriptor: every declared method has an implementation, and messages are parsed in the handler.

Handlers take raw bytes: grpc answers a message that its own deserialiser cannot read with INTERNAL and a traceback, but it is
the caller's fault and says INVALID_ARGUMENT here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from collections_opt.core.errors import Reason, refuse
from collections_opt.service.access.call import Call
from collections_opt.service.access.methods import CallClass
from collections_opt.service.server.edge import Edge, Method
from collections_opt.service.server.guard import ServerContext
from collections_opt.service.server.read_masks import read_mask
from collections_opt.service.server.shape import refuse_misshapen


@dataclass(frozen=True)
class Service:
    """A service to register.

    Attributes:
        descriptor: from the generated module.
        servicer: has a method per declared one, in snake case: ``(request, call) -> response``, with iterators where
            the declaration streams.
        classes: call class of every declared method, by its declared name.
        gate: refuses a request that names what its caller may not see.
        note: records who reads data about accounts, before it is answered.
    """

    descriptor: ServiceDescriptor
    servicer: object
    classes: Mapping[str, CallClass]
    gate: Callable[[Message], None] = lambda _message: None
    note: Callable[[str, Message, Call], None] = lambda _method, _message, _call: None


def methods_of(service: Service) -> dict[str, Method]:
    """Return the methods of a service by their declared names.

    Raises:
        TypeError: when a declared method has no implementation or no call class, so that no call can be UNIMPLEMENTED.
    """
    methods = {}
    for declared in service.descriptor.methods:
        behaviour = getattr(service.servicer, snake_case(declared.name), None)
        if behaviour is None or declared.name not in service.classes:
            raise TypeError(f"{declared.full_name} has no implementation or no call class")
        methods[declared.name] = _method(declared, behaviour, service)
    return methods


def method_handlers(service: Service, edge: Edge) -> dict[str, grpc.RpcMethodHandler[Any, Any]]:
    """Return the handlers of a service by the declared names of its methods; raises as ``methods_of``."""
    return {name: _handler(method, edge) for name, method in methods_of(service).items()}


def parse(message_type: type[Message], raw: bytes) -> Message:
    """Return the message of its bytes.

    Raises:
        CollectionsError: MALFORMED_MESSAGE; INVALID_ARGUMENT for a NUL character.
    """
    try:
        message = message_type.FromString(raw)
    except DecodeError as error:
        name = message_type.DESCRIPTOR.full_name
        raise refuse(
            Reason.MALFORMED_MESSAGE, name, "the bytes are not such a message.", "Use code generated from this contract."
        ) from error
    _refuse_nul(message)
    return message


def _refuse_nul(message: Message, prefix: str = "") -> None:
    """Refuse NUL in a request's texts: they look things up, and PostgreSQL has no such text.

    Rows, queues and columns, which come in numbers, are the core's to check.
    """
    for field, value in message.ListFields():
        if field.message_type is not None:
            if not field.is_repeated:
                _refuse_nul(value, f"{prefix}{field.name}.")
        elif field.type == field.TYPE_STRING and any("\0" in text for text in (value if field.is_repeated else [value])):
            raise refuse(Reason.INVALID_ARGUMENT, prefix + field.name, "holds a NUL character.", "Remove it.")


def snake_case(name: str) -> str:
    """Return a declared method name as a Python one: ScoreAccounts -> score_accounts."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _method(declared: MethodDescriptor, behaviour: Callable[[Any, Call], Any], service: Service) -> Method:
    request_type = GetMessageClass(declared.input_type)
    streams = declared.client_streaming
    cutting = read_mask(request_type, GetMessageClass(declared.output_type))

    def answer(requests: Iterator[bytes], call: Call) -> Iterator[bytes]:
        cut = None
        messages = (_let_through(parse(request_type, raw), service.gate, first=place == 0) for place, raw in enumerate(requests))
        if streams:
            answered = behaviour(messages, call)
        else:
            message = next(messages)
            cut = cutting(message) if cutting else None
            service.note(declared.name, message, call)
            answered = behaviour(message, call)
        for each in answered if declared.server_streaming else (answered,):
            if cut is not None:
                cut(each)
            yield each.SerializeToString()

    return Method(declared.full_name, service.classes[declared.name], answer, streams, declared.server_streaming)


def _let_through(message: Message, gate: Callable[[Message], None], first: bool) -> Message:
    if first:  # later parts of a stream need not repeat what the first one says
        refuse_misshapen(message)
    gate(message)
    return message


def _handler(method: Method, edge: Edge) -> grpc.RpcMethodHandler[Any, Any]:
    """Return a handler that is told of a call when its headers are there: to grpc every request is a stream."""

    async def serve(_requests: object, context: ServerContext) -> bytes | None:
        return await edge.serve(method, context)

    make = grpc.stream_stream_rpc_method_handler if method.answer_streams else grpc.stream_unary_rpc_method_handler
    return make(serve, request_deserializer=None, response_serializer=None)
