"""Who may be contacted now, in a queue's order, looked for as far as somebody asks: one line for all who lease in a turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from collections_opt.application.day.desk.gate import Gate, Verdict
from collections_opt.application.day.desk.live_desk import LiveDesk

LOOKED_AT = 48
"""Accounts judged at a time: judging many costs little more than judging one."""

_FIRST_PART, _GROWS = 1_024, 4
"""Accounts of the order that are looked through at first, and how much more each time: those in front are mostly worked."""


class Line:
    """A queue's callable accounts at one instant; what is taken of it is held by the desk before anybody takes more.

    Args:
        desk: the ranking in work, with all that was told.
        gate: judges its accounts.
        queue: index of the queue.
        now: the instant.
    """

    def __init__(self, desk: LiveDesk, gate: Gate, queue: int, now: datetime) -> None:
        self._desk, self._gate, self._queue, self._now = desk, gate, queue, now
        self._found: list[tuple[int, Verdict]] = []
        self._more = self._callable()

    def take(self, count: int, suits: Callable[[int], bool], tag: Callable[[str], str]) -> list[tuple[int, Verdict]]:
        """Return the best accounts, one of a person at most, with how each was judged.

        Args:
            count: accounts at most.
            suits: says whether a holder may take an account, by row.
            tag: what stands for a person in leases.
        """
        desk = self._desk
        taken: list[tuple[int, Verdict]] = []
        persons: set[str] = set()
        at = 0
        while len(taken) < count:
            if at == len(self._found):
                following = next(self._more, None)
                if following is None:
                    break
                self._found.append(following)
            row = self._found[at][0]
            person = "" if desk.busy[row] or not suits(row) else tag(desk.person_of(row))
            if not person or person in persons or desk.tags[person] > 0:
                at += 1
                continue
            persons.add(person)
            taken.append(self._found.pop(at))
        return taken

    def _callable(self) -> Iterator[tuple[int, Verdict]]:
        order, start, size = self._desk.order(self._queue), 0, _FIRST_PART
        while start < order.size:
            waiting = self._gate.candidates(order.rows(start, start + size), self._queue, self._now).tolist()
            start, size = start + size, size * _GROWS
            for at in range(0, len(waiting), LOOKED_AT):
                part = waiting[at : at + LOOKED_AT]
                for row, verdict in zip(part, self._gate.verdicts(part, self._queue, self._now), strict=True):
                    if not verdict.barred:
                        yield row, verdict
