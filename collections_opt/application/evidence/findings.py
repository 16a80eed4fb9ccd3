"""What a check found, in words that a person who is not an engineer can read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Strength(StrEnum):
    """How much of a ranking was shown, each including the one before."""

    NOTHING = "NOTHING"
    """Something does not hold."""
    INTEGRITY = "INTEGRITY"
    """Nothing was altered since it was recorded: hashes, chain, tree and signatures hold."""
    CERTIFICATE = "CERTIFICATE"
    """Every value, limit, total and bound follows from the recorded inputs, without any solver or model."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: what it is, whether it holds, and what was seen."""

    name: str
    holds: bool
    sentence: str


@dataclass(frozen=True)
class Verdict:
    """The outcome of all checks.

    Attributes:
        subject: the ranking or log.
        reached: the strongest statement that holds.
        checks: everything that was looked at.
        limits: why no more could be shown, if so.
    """

    subject: str
    reached: Strength
    checks: tuple[Check, ...]
    limits: tuple[str, ...] = ()

    @property
    def broken(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if not check.holds)
