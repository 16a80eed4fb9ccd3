"""The edge on the event loop: lets calls in, reads and writes their messages, and hands complete calls to worker threads.

A thread is taken only for a call that has a deadline, was let in, whose first message is complete, and that holds a place. grpc's
synchronous server takes one as soon as the headers are there, and a few silent calls stop it.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import closing
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

import grpc

from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.wanted import Unwanted, wanted_while
from collections_opt.service.access.call import Call
from collections_opt.service.access.methods import CallClass
from collections_opt.service.metrics import CANCELLED, OK
from collections_opt.service.server.guard import Admitted, Guard, ServerContext
from collections_opt.service.server.key_reader import KeyReader
from collections_opt.service.server.places import Line, Waiting
from collections_opt.wire.status import to_call_status


@dataclass(frozen=True)
class Patience:
    """How long the edge waits for a caller, in seconds.

    Attributes:
        first: for the first message of a call.
        later: for each later message of a stream.
        idle: the same where another call needs the place.
        stream: for all later messages of a stream together; time spent on them does not count.
        taken: for a caller to take a message of an answer.
        place: for a place to come free; what waits longer would only make every answer late.
    """

    first: float = 10.0
    later: float = 30.0
    idle: float = 5.0
    stream: float = 900.0
    taken: float = 60.0
    place: float = 0.03


class Behaviour(Protocol):
    """What runs in a worker: takes the messages of a request as bytes, yields those of its answer."""

    def __call__(self, requests: Iterator[bytes], call: Call, /) -> Iterator[bytes]:
        """Yield the answer."""
        ...


@dataclass(frozen=True)
class Method:
    """A method as the edge sees it: bytes in, bytes out."""

    name: str
    kind: CallClass
    behaviour: Behaviour
    request_streams: bool
    answer_streams: bool


class Edge:
    """Serves calls; used on the event loop.

    Args:
        guard: admits calls and words what they end with.
        workers: threads, at least as many as there are places.
        patience: with silent callers.
    """

    def __init__(self, guard: Guard, workers: Executor, patience: Patience = Patience()) -> None:
        self._guard = guard
        self._workers = workers
        self._keys = KeyReader(guard.access)
        self._patience = patience
        self._waiting = Waiting()
        self._line = Line(guard.places)
        self._idle: dict[CallClass, Waiting] = defaultdict(Waiting)

    async def serve(self, method: Method, context: ServerContext) -> bytes | None:
        """Serve one call from its headers to its status; return the answer where it is one message."""
        started, outcome = self._guard.clock(), CANCELLED
        try:
            await self._keys.ready_for(context)
            admitted = self._guard.admit(method.name, context)
            try:
                answer = await self._answer(method, admitted, context)
            finally:
                admitted.call.left.set()
            outcome = OK
            return answer
        except (Unwanted, grpc.aio.BaseError) as error:  # the latter: what was sent did not reach the caller, or the server stops
            forget_way(error)
            raise asyncio.CancelledError from None
        except Exception as error:  # noqa: BLE001 - the last line: whatever it was, the caller learns one status
            refused = self._guard.refusal(method.name, error)
            outcome = refused.reason.value
            forget_way(error)
            await abort(context, refused)
        finally:
            self._guard.ended(method.name, outcome, started)

    async def _answer(self, method: Method, admitted: Admitted, context: ServerContext) -> bytes | None:
        self._line.require_hope(method.kind, admitted.caller)
        first = await self._waiting.until(admitted.caller, read(context, self._patience.first))
        if first is None:
            await _require_caller(context)
            if not method.request_streams:
                raise refuse(Reason.MALFORMED_MESSAGE, "message", "is missing.", "Send one with the call.")
        exchange = Exchange(context, admitted.call, self._patience, self._idle[method.kind])
        try:
            give_back = await self._line.place(method.kind, admitted.caller, self._patience.place)
        except CollectionsError:
            self._idle[method.kind].make_room(self._patience.idle)  # for when this caller comes back
            raise
        try:
            running = self._workers.submit(contextvars.copy_context().run, exchange.work, method, first)
        except BaseException:
            give_back()
            raise
        loop = asyncio.get_running_loop()
        running.add_done_callback(lambda _: self._give_back(give_back, method.kind, loop))
        return await exchange.serve(running)

    def _give_back(self, give_back: Callable[[], None], kind: CallClass, loop: asyncio.AbstractEventLoop) -> None:
        give_back()
        if self._line.waits(kind):  # whoever joins the line after this looks for a free place first
            loop.call_soon_threadsafe(self._line.move, kind)


class Exchange:
    """Between a call's coroutine and the worker that answers it.

    Only the coroutine touches the call: the worker asks it to read and write, so that nothing is done to a call that is over.
    """

    def __init__(self, context: ServerContext, call: Call, patience: Patience, idle: Waiting) -> None:
        self._context = context
        self._call = call
        self._patience = patience
        self._idle = idle
        self._loop = asyncio.get_running_loop()
        self._asked: asyncio.Queue[Callable[[], Awaitable[None]] | None] = asyncio.Queue()
        self._open: set[Future[Any]] = set()
        self._closed = False
        self._waited = 0.0

    async def serve(self, running: Future[bytes | None]) -> bytes | None:
        """Do what the worker asks for until it has ended; return or raise what it did."""
        running.add_done_callback(lambda _: self._loop.call_soon_threadsafe(self._asked.put_nowait, None))
        try:
            while (asked := await self._asked.get()) is not None:
                await asked()
        finally:
            self._close()
        return running.result()

    def work(self, method: Method, first: bytes | None) -> bytes | None:
        """Answer the call; runs in a worker thread. Return the answer where it is one message.

        Raises:
            Unwanted: nobody waits any more.
        """
        self._require_wanted()
        requests = self._requests(method, first)
        with wanted_while(self._call.is_active), closing(method.behaviour(requests, self._call)) as answer:  # type: ignore[type-var]
            if not method.answer_streams:
                return next(answer)
            for message in answer:
                self._ask(self._write, message)
        return None

    def _requests(self, method: Method, first: bytes | None) -> Iterator[bytes]:
        message = first
        while message is not None:
            yield message
            message = self._ask(self._read) if method.request_streams else None

    def _require_wanted(self) -> None:
        if not self._call.is_active():
            raise Unwanted

    def _ask(self, do: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        self._require_wanted()
        reply: Future[Any] = Future()
        self._loop.call_soon_threadsafe(self._put, reply, functools.partial(do, *args))
        return reply.result()

    def _put(self, reply: Future[Any], do: Callable[[], Awaitable[Any]]) -> None:
        if self._closed:
            reply.set_exception(Unwanted())
            return
        self._open.add(reply)
        self._asked.put_nowait(functools.partial(self._do, reply, do))

    async def _do(self, reply: Future[Any], do: Callable[[], Awaitable[Any]]) -> None:
        result = await do()
        self._open.discard(reply)
        reply.set_result(result)

    def _close(self) -> None:
        self._closed = True
        self._call.left.set()
        for reply in self._open:
            reply.set_exception(Unwanted())

    async def _read(self) -> bytes | None:
        began = self._loop.time()
        seconds = min(self._patience.later, self._patience.stream - self._waited)
        message = await self._idle.until("", read(self._context, seconds))
        self._waited += self._loop.time() - began
        if message is None:
            await _require_caller(self._context)
        return message

    async def _write(self, message: bytes) -> None:
        try:
            async with asyncio.timeout(self._patience.taken):
                await self._context.write(message)
        except TimeoutError:
            what = f"took no message for {self._patience.taken:g} seconds."
            raise refuse(Reason.LIMIT_EXCEEDED, "stream", what, "Read answers as they come.") from None


async def read(context: ServerContext, seconds: float) -> bytes | None:
    """Return a call's next message, None where there is none.

    Raises:
        CollectionsError: LIMIT_EXCEEDED when it does not come in time.
    """
    try:
        async with asyncio.timeout(seconds):
            message = await context.read()
    except TimeoutError:
        what = "sent no message in time; a call that is silent gives its place back."
        raise refuse(Reason.LIMIT_EXCEEDED, "stream", what, "Send messages without a pause.") from None
    return None if message is grpc.aio.EOF else message


async def abort(context: ServerContext, error: CollectionsError) -> NoReturn:
    """End a call with a refusal."""
    status = to_call_status(error)
    await end(context, status.code, status.details, status.trailing_metadata)


async def end(
    context: ServerContext, code: grpc.StatusCode, details: str = "", metadata: tuple[tuple[str, str | bytes], ...] = ()
) -> NoReturn:
    """End a call with a status."""
    try:
        await context.abort(code, details, metadata)
    except grpc.aio.AbortError as ended:
        asyncio.get_running_loop().call_soon(forget_way, ended)  # once grpc has caught it
        raise
    except grpc.aio.BaseError:
        raise asyncio.CancelledError from None  # the caller left first
    raise AssertionError("abort returned")


def forget_way(error: BaseException) -> None:
    """Let go of what a refusal came by: its frames hold the call, and the call holds the refusal.

    Only the garbage collector would free such a call, and until then it counts among those of its connection: grpc refuses a
    connection's calls by itself, without a reason, when 128 of them are not freed.
    """
    error.__traceback__ = error.__context__ = error.__cause__ = None


async def _require_caller(context: ServerContext) -> None:
    """Tell the end of a stream from a caller who broke it off, which reads the same: only the former can be answered."""
    try:
        await context.send_initial_metadata(())
    except grpc.aio.BaseError as error:
        raise Unwanted from error
