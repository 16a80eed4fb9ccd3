"""Whose an event's id is: callers who do not see each other's accounts use ids of their own, and learn nothing of the others'.

An id has places: the first is its digest alone, the next ones count on. Whoever tells an event looks through the places of its id
until one is free. Where one holds an event of the same account or person, that is the event; where one holds another event that
its caller may see, the id is taken; places of events out of sight are passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.arrays import digest_text

MAX_PLACES = 1_000
"""Events of one id that callers may have who do not see each other."""

InSight = Callable[[NDArray[np.int64]], NDArray[np.bool_]]
"""Tells which accounts a caller sees, by key number, int64 (n,) to bool (n,)."""

Subject = tuple[int, int]
"""Key numbers of account and person."""


class Kept(Protocol):
    """An event with the key numbers that it was kept under."""

    @property
    def account_no(self) -> int:
        """Of the account."""
        ...

    @property
    def person_no(self) -> int:
        """Of the person."""
        ...


def everything(numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
    """See every account."""
    return np.ones(numbers.size, dtype=np.bool_)


def digest_of(event_id: str, place: int = 0) -> str:
    """Return what stands for a place of an id in the database."""
    return digest_text(f"{event_id}\x1f{place}" if place else event_id)


def is_digest_of(digest: str, event_id: str) -> bool:
    """Return whether a digest stands for a place of an id."""
    return any(digest == digest_of(event_id, place) for place in range(MAX_PLACES))


@dataclass
class Places:
    """The places of some ids, as far as they were looked through.

    Attributes:
        find: reads what stands at some digests.
        in_sight: which accounts the caller sees.
        there: what was found, by digest.
    """

    find: Callable[[set[str]], Mapping[str, Kept]]
    in_sight: InSight = everything
    there: dict[str, Kept] = field(default_factory=dict)

    def look_up(self, event_ids: Sequence[str]) -> None:
        """Read the first place of each id at once."""
        self.there |= self.find({digest_of(event_id) for event_id in event_ids})

    def of(self, event_id: str, subject: Subject) -> tuple[str, Kept | None]:
        """Return the digest under which a subject's event of an id is or would be kept, and what stands there.

        What stands there concerns another subject where the id is taken.
        """
        taken = ""
        for place in range(MAX_PLACES):
            digest = digest_of(event_id, place)
            if place and digest not in self.there:
                self.there |= self.find({digest})
            kept = self.there.get(digest)
            if kept is None:
                break
            if (kept.account_no, kept.person_no) == subject:
                return digest, kept
            if not taken and self._sees(kept):
                taken = digest
        return (taken, self.there[taken]) if taken else (digest, None)

    def _sees(self, kept: Kept) -> bool:
        return bool(self.in_sight(np.array([kept.account_no], dtype=np.int64))[0])
