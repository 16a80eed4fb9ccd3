"""What a ranking is made for: to be worked, or to be looked at."""

from __future__ import annotations

from enum import StrEnum

from collections_opt.core.ranking.ordering import Ordering


class RankingPurpose(StrEnum):
    """What a ranking is made for."""

    WORK = "WORK"
    """A desk works it; of one desk and day the newest is in force."""
    ANALYSIS = "ANALYSIS"
    """Somebody compares, tries or measures; it is never in force, and nobody is given an account of it."""


def purpose_of(given: RankingPurpose | None, asked: Ordering) -> RankingPurpose:
    """Return what a ranking is for.

    One that was given no purpose is for work by expected value, and for analysis by any other order: a raw order is worked only
    where somebody declares it. ``asked`` is the order that was asked for, which no model may have been able to serve.
    """
    return given or (RankingPurpose.WORK if asked is Ordering.EXPECTED_VALUE else RankingPurpose.ANALYSIS)
