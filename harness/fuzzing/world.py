"""What is fuzzed: every method as a worker runs it, from raw bytes of a request to raw bytes of its answer.

An input is a byte that chooses the method, then the messages of the request, each after two bytes of its length; a length beyond
the end takes what is left. No message may end in anything but an answer or a refusal.
"""

from __future__ import annotations

import base64
import json
import struct
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import structlog

from collections_opt.application.workspace import open_workspace
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.wanted import Unwanted
from collections_opt.service.access.call import Call
from collections_opt.service.server.edge import Method
from collections_opt.service.server.handlers import methods_of
from collections_opt.service.server.services import all_services
from collections_opt.wire.status import to_call_status
from tests.support.models.folders import folder_with_people
from tests.support.serving.calls import NOW, WAIT, calling, columns, import_requests, made
from tests.support.serving.requests.good import good_requests
from tests.support.serving.requests.known import known_of

KEPT = Path(__file__).with_name("seeds.jsonl")
"""Inputs that reached code which no others reached, kept from former runs."""

LEFT_OUT = {"TrainModel": "a good one trains for minutes in a thread of its own"}
SECONDS = 5.0
"""How long a call's caller waits."""
MOST_ANSWERS = 50


@dataclass(frozen=True)
class World:
    """A served book and its ranking.

    Attributes:
        methods: by their place in inputs.
        good: a good input per method or more.
    """

    methods: Sequence[Method]
    good: Sequence[bytes]

    def run(self, data: bytes) -> str:
        """Run one input; return why it was refused, or "".

        Raises:
            Exception: whatever would have been answered INTERNAL, or could not be sent.
        """
        return self.send(*self.read(data))

    @staticmethod
    def send(method: Method, messages: Sequence[bytes]) -> str:
        """Send messages to a method; return and raise as ``run``."""
        call = Call((), {}, time.monotonic() + SECONDS)
        try:
            for _ in islice(method.behaviour(iter(messages), call), MOST_ANSWERS):
                pass
        except Unwanted:
            return "left"
        except CollectionsError as error:
            if error.reason is Reason.INTERNAL:
                raise
            to_call_status(error)  # it can be sent
            return error.reason.value
        finally:
            call.left.set()
        return ""

    def read(self, data: bytes) -> tuple[Method, list[bytes]]:
        """Return the method and the messages of an input."""
        method = self.methods[data[0] % len(self.methods)] if data else self.methods[0]
        messages, at = [], 1
        while at + 2 <= len(data):
            (size,) = struct.unpack_from(">H", data, at)
            messages.append(data[at + 2 : at + 2 + size])
            at += 2 + size
        return method, (messages or [b""]) if method.request_streams else (messages or [b""])[:1]


@contextmanager
def world() -> Iterator[World]:
    """Yield a world over a temporary ledger."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with closing(open_workspace(folder / "data", folder_with_people(folder), lambda: NOW)) as workspace:
            with calling(workspace) as client:
                client.portfolios.ImportPortfolio(import_requests("book", columns()), timeout=WAIT)
                known = known_of(client, made(client))
            found = {name: method for one in all_services(workspace) for name, method in methods_of(one).items()}
            names = sorted(found.keys() - LEFT_OUT.keys())
            good = good_requests(known)
            inputs = [
                written(at, [message.SerializeToString() for message in messages])
                for at, name in enumerate(names)
                for messages in good[name]
            ]
            yield World([found[name] for name in names], inputs)


def written(place: int, messages: Sequence[bytes]) -> bytes:
    """Return the input of a method's place and its messages."""
    return bytes([place]) + b"".join(struct.pack(">H", len(one)) + one for one in messages)


def kept_inputs(made: World) -> list[bytes]:
    """Return the inputs kept from former runs; they name their method, so that a new one moves no other's."""
    places = {method.name: at for at, method in enumerate(made.methods)}
    lines = [json.loads(line) for line in KEPT.read_text("utf-8").splitlines()] if KEPT.exists() else []
    told = [(each["method"], base64.b64decode(each["rest"])) for each in lines]
    return [bytes([places[name]]) + rest for name, rest in told if name in places]


def keep(made: World, inputs: Sequence[bytes]) -> None:
    """Write inputs down for the next run."""
    told = [{"method": made.read(one)[0].name, "rest": base64.b64encode(one[1:]).decode()} for one in inputs if one]
    lines = sorted({json.dumps(each) for each in told})
    KEPT.write_text("".join(f"{line}\n" for line in lines), "utf-8")
