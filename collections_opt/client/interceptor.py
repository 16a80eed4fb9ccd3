"""What every call of the client passes: a deadline and an identity on the way out, a ``CollectionsError`` on the way back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import grpc
from grpc_status import rpc_status

from collections_opt.client.policy import deadline_seconds
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.wire.status import from_status

_C = grpc.StatusCode
_UNKNOWN_OUTCOME = frozenset({_C.UNAVAILABLE, _C.DEADLINE_EXCEEDED, _C.CANCELLED})
Identity = tuple[tuple[str, str], ...]
Continuation = Callable[[grpc.ClientCallDetails, Any], Any]


class _Details(grpc.ClientCallDetails):
    """The details of a call with its deadline and who makes it; what the call says itself goes before."""

    def __init__(self, given: grpc.ClientCallDetails, identity: Identity) -> None:
        self.method = given.method
        self.timeout = deadline_seconds(given.method) if given.timeout is None else given.timeout
        own = tuple(given.metadata or ())
        said = {key for key, _ in own}
        self.metadata = (*own, *(pair for pair in identity if pair[0] not in said))
        self.credentials = given.credentials
        self.wait_for_ready = given.wait_for_ready
        self.compression = given.compression


class CallInterceptor(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """Gives every call a deadline and turns every failed one into the refusal it carries.

    ``address`` is told to people; ``identity`` gives the metadata that says who calls.
    """

    def __init__(self, address: str, identity: Callable[[], Identity] = tuple) -> None:
        self._address = address
        self._identity = identity

    def intercept_unary_unary(self, continuation: Continuation, client_call_details: Any, request: Any) -> Any:
        """Call; raise what the server refused."""
        return self._checked(continuation(_Details(client_call_details, self._identity()), request))

    def intercept_stream_unary(self, continuation: Continuation, client_call_details: Any, request_iterator: Any) -> Any:
        """Call with a stream; raise what the server refused."""
        return self._checked(continuation(_Details(client_call_details, self._identity()), request_iterator))

    def intercept_unary_stream(self, continuation: Continuation, client_call_details: Any, request: Any) -> Any:
        """Call; raise what the server refused while the answers are read."""
        return self._read(continuation(_Details(client_call_details, self._identity()), request))

    def intercept_stream_stream(self, continuation: Continuation, client_call_details: Any, request_iterator: Any) -> Any:
        """Call with a stream; raise what the server refused while the answers are read."""
        return self._read(continuation(_Details(client_call_details, self._identity()), request_iterator))

    def _checked(self, call: Any) -> Any:
        if isinstance(call, grpc.RpcError):
            raise to_error(call, self._address) from call
        return call

    def _read(self, call: Any) -> Iterator[Any]:
        try:
            yield from call
        except grpc.RpcError as error:
            raise to_error(error, self._address) from error
        finally:
            call.cancel()


def to_error(error: Any, address: str) -> CollectionsError:
    """Return the refusal that a failed call carries, or what its bare status code means for the caller."""
    status = rpc_status.from_call(error)
    if status is not None:
        return from_status(status)
    code, words = error.code(), error.details()
    if code is _C.UNAVAILABLE:
        return CollectionsError(
            Reason.OUTCOME_UNKNOWN, f"No answer from {address} ({words}). Check that the server runs there, then repeat the call."
        )
    if code in _UNKNOWN_OUTCOME:
        return CollectionsError(
            Reason.OUTCOME_UNKNOWN, f"{address} did not answer in time ({words}). Ask whether it was done, or repeat it."
        )
    return CollectionsError(Reason.INTERNAL, f"{address} answered {code.name}: {words}")
