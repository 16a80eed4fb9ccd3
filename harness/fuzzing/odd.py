"""Send odd messages to every method: good requests of which some fields were made odd, and requests of odd fields alone.

    python -m harness.fuzzing.odd --messages 1000000 --processes 2

Messages are built from the descriptors of the contract and go to methods as a worker gets them. None may be answered INTERNAL,
nor that what is stored is damaged. A ledger is left after so many messages for a new one: what they store would slow later ones.
"""

from __future__ import annotations

import math
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from collections_opt.client.policy import CONTRACT
from harness.fuzzing.plants import ODD_PLANTS
from harness.fuzzing.world import World, world
from harness.siege.intruders import HOSTILE

METHODS = {m.full_name: m for file in CONTRACT for service in file.services_by_name.values() for m in service.methods}
OF_ONE_LEDGER = 10_000
"""Messages after which a new ledger is taken."""

DEAR = ("VerifyLog", "GetCapacityCurves", "WatchQueue", "GetNextAgent", "EvaluateCapacity", "EvaluateRules")
SELDOM = 0.05
"""How often the methods come that take as long as a hundred others, beside those."""

PLANTED_MESSAGES = 20_000
SHOWN_CHARACTERS = 2_000
DEEPEST, MOST_CHANGES, MOST_REPEATED = 3, 3, 3
FROM_NOTHING = 0.15
"""Share of messages that are not made from a good one."""

_F = FieldDescriptor
WHOLE = (0, 1, -1, 2, 7, 100, 1_000, 10_001, 2**31 - 1, -(2**31), 2**53 + 1, 2**63 - 1, -(2**63))
REAL = (0.0, -0.0, 0.5, 1.0, -1.0, 1e-320, 1e308, -1e308, math.nan, math.inf, -math.inf)
TEXTS = (*HOSTILE, "a", "book", "latest", "in-force:desk", "USD", "US-NY", "2026-02-30", 'name = "x"', "\u00e9" * 40, "z" * 5_000)
NARROW = {_F.CPPTYPE_INT32: (-(2**31), 2**31 - 1), _F.CPPTYPE_UINT32: (0, 2**32 - 1), _F.CPPTYPE_UINT64: (0, 2**64 - 1)}


class OddMessages:
    """Makes odd messages.

    Args:
        draw: the source of all that is drawn.
        texts: of good messages, so that odd ones name what is there.
    """

    def __init__(self, draw: random.Random, texts: Sequence[str]) -> None:
        self._draw = draw
        self._texts = (*TEXTS, *texts)

    def changed(self, good: Message) -> Message:
        """Return a good message of which a few fields were made odd."""
        message = type(good)()
        message.CopyFrom(good)
        for _ in range(self._draw.randint(1, MOST_CHANGES)):
            self._change(message)
        return message

    def made(self, kind: type[Message], depth: int = 0) -> Message:
        """Return a message of odd fields."""
        message = kind()
        for one in kind.DESCRIPTOR.fields:
            if self._draw.random() < 0.4:
                self._set(message, one, depth)
        return message

    def _change(self, message: Message) -> None:
        """Make one field odd, here or deeper."""
        fields = message.DESCRIPTOR.fields
        if not fields:
            return
        one = self._draw.choice(fields)
        held = [each for each, _ in message.ListFields() if each.message_type is not None and not _is_map(each)]
        if held and self._draw.random() < 0.6:
            one = self._draw.choice(held)
            inner = getattr(message, one.name)
            if one.is_repeated:
                inner = self._draw.choice(inner)
            self._change(inner)
        elif self._draw.random() < 0.2:
            message.ClearField(one.name)
        else:
            self._set(message, one, depth=1)

    def _set(self, message: Message, one: Any, depth: int) -> None:
        if _is_map(one):
            self._set_map(message, one, depth)
        elif one.is_repeated:
            self._repeat(getattr(message, one.name), one, depth)
        elif one.message_type is not None:
            getattr(message, one.name).CopyFrom(self._inner(one, depth))
        else:
            setattr(message, one.name, self._value(one))

    def _repeat(self, values: Any, one: Any, depth: int) -> None:
        """Add values, one that is there already among them, or take some away."""
        if values and self._draw.random() < 0.5:
            if self._draw.random() < 0.5:
                del values[self._draw.randrange(len(values))]
            elif one.message_type is not None:
                values.add().CopyFrom(self._draw.choice(values))
            else:
                values.append(self._draw.choice(values))
            return
        for _ in range(self._draw.randint(1, MOST_REPEATED)):
            if one.message_type is not None:
                values.add().CopyFrom(self._inner(one, depth))
            else:
                values.append(self._value(one))

    def _set_map(self, message: Message, one: Any, depth: int) -> None:
        key, value = (one.message_type.fields_by_name[name] for name in ("key", "value"))
        entry = self._value(key)
        if value.message_type is not None:
            getattr(message, one.name)[entry].CopyFrom(self._inner(value, depth))
        else:
            getattr(message, one.name)[entry] = self._value(value)

    def _inner(self, one: Any, depth: int) -> Message:
        kind = GetMessageClass(one.message_type)
        return self.made(kind, depth + 1) if depth < DEEPEST else kind()

    def _value(self, one: Any) -> Any:
        draw, kind = self._draw, one.cpp_type
        if kind == _F.CPPTYPE_BOOL:
            return draw.random() < 0.5
        if kind == _F.CPPTYPE_ENUM:
            return draw.choice((*(value.number for value in one.enum_type.values), 99, -1))
        if kind in (_F.CPPTYPE_DOUBLE, _F.CPPTYPE_FLOAT):
            return draw.choice((*REAL, draw.uniform(-1e6, 1e6)))
        if kind == _F.CPPTYPE_STRING:
            return draw.randbytes(draw.randrange(40)) if one.type == _F.TYPE_BYTES else draw.choice(self._texts)
        low, high = NARROW.get(kind, (-(2**63), 2**63 - 1))
        return min(max(draw.choice((*WHOLE, draw.randint(-5, 400))), low), high)


def _is_map(one: Any) -> bool:
    return one.message_type is not None and one.message_type.GetOptions().map_entry


@dataclass
class Sent:
    """What became of messages: how many were sent, how each call ended, and what failed, "" for nothing."""

    messages: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    failure: str = ""


def send_some(seed: int, count: int, plant: str = "") -> Sent:
    """Send so many messages to a ledger of their own; end at the first failure."""
    with world() as made:
        if plant:
            ODD_PLANTS[plant]()
        return send_odd(made, seed, count)


def send_odd(made: World, seed: int, count: int, only: str = "") -> Sent:
    """Send at least so many messages, or until one fails; to methods whose names end so."""
    sent, draw = Sent(), random.Random(seed)
    calls = [call for call in odd_calls(made) if call[0].name.endswith(only)]
    weights = [SELDOM if call[0].name.endswith(DEAR) else 1.0 for call in calls]
    odd = OddMessages(draw, sorted({text for _, _, good in calls for message in good for text in _texts(message)}))
    while sent.messages < count and not sent.failure:
        ((method, kind, good),) = draw.choices(calls, weights)
        messages = _odd_call(odd, draw, kind, good)
        try:
            ended = made.send(method, [one.SerializeToString() for one in messages]) or "answered"
            sent.ended[ended] += 1
            if ended == "INTEGRITY_FAILURE":
                raise RuntimeError("a message cannot damage what is stored")
        except Exception as error:  # noqa: BLE001 - whatever it is, it would have been answered INTERNAL
            shown = "\n".join(json_format.MessageToJson(one)[:SHOWN_CHARACTERS] for one in messages)
            sent.failure = f"{method.name}: {type(error).__name__}: {error}\n{shown}"
        sent.messages += len(messages)
    return sent


def odd_calls(made: World) -> Iterator[tuple[Any, type[Message], list[Message]]]:
    """Yield good calls: the method, what its requests are, and the messages of one."""
    for one in made.good:
        method, raw = made.read(one)
        kind = GetMessageClass(METHODS[method.name].input_type)
        yield method, kind, [kind.FromString(each) for each in raw]


def _odd_call(odd: OddMessages, draw: random.Random, kind: type[Message], good: list[Message]) -> list[Message]:
    if draw.random() < FROM_NOTHING:
        return [odd.made(kind)]
    at = draw.randrange(len(good)) if good else 0
    return [odd.changed(one) if place == at else one for place, one in enumerate(good)]


def _texts(message: Message) -> Iterator[str]:
    for one, value in message.ListFields():
        if one.message_type is not None and not _is_map(one):
            for inner in value if one.is_repeated else [value]:
                yield from _texts(inner)
        elif one.cpp_type == _F.CPPTYPE_STRING and one.type != _F.TYPE_BYTES:
            yield from value if one.is_repeated else [value]


def send_all(messages: int, seed: int, processes: int, told: Callable[[str], None]) -> Sent:
    """Send so many messages over ledgers and processes; what is sent hangs on the seed alone.

    Failures are told as they come: a run that is cut off has told them.
    """
    whole = Sent()
    parts = [min(OF_ONE_LEDGER, messages - start) for start in range(0, messages, OF_ONE_LEDGER)]
    with ProcessPoolExecutor(processes) as pool:
        for done in as_completed([pool.submit(send_some, seed + at, part) for at, part in enumerate(parts)]):
            part = done.result()
            whole.messages += part.messages
            whole.ended += part.ended
            whole.failure = whole.failure or part.failure
            told(part.failure or f"{whole.messages:,} of {messages:,} messages")
    return whole


def main(
    messages: Annotated[int, typer.Option(min=1, help="Messages to send.")] = 1_000_000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the first ledger.")] = 1,
    processes: Annotated[int, typer.Option(min=1, help="Ledgers at once.")] = 2,
) -> None:
    """Send odd messages, then look for every planted bug; exit code 1 for a failure or a bug that is not found.

    Example: python -m harness.fuzzing.odd --messages 100000
    """
    found = send_all(messages, seed, processes, lambda line: typer.echo(line, err=True))
    with ProcessPoolExecutor(1, max_tasks_per_child=1) as pool:
        missed = [name for name in ODD_PLANTS if not pool.submit(send_some, seed, PLANTED_MESSAGES, name).result().failure]
    reasons = ", ".join(f"{reason} {number:,}" for reason, number in found.ended.most_common())
    bugs = f"{len(ODD_PLANTS) - len(missed)} of {len(ODD_PLANTS)} planted bugs found" + "".join(
        f", MISSED {name}" for name in missed
    )
    ended = "one FAILED" if found.failure else "none answered INTERNAL"
    typer.echo(f"fuzz-api: {found.messages:,} messages, {ended} ({reasons}); {bugs}")
    sys.exit(1 if found.failure or missed else 0)


if __name__ == "__main__":
    typer.run(main)
