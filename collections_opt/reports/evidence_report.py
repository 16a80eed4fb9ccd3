"""Verdicts about records as lines that a person who is not an engineer can read."""

from __future__ import annotations

from collections.abc import Iterable

MEANING = {
    "NOTHING": "This does NOT hold. What was recorded and what is stored now differ, or do not follow from each other.",
    "INTEGRITY": "Nothing that is stored was altered since it was recorded, as far as the checks below reach.",
    "CERTIFICATE": "Nothing was altered since it was recorded, and every figure follows from the recorded inputs.",
}
"""What each strength means, in a sentence."""

REPLAYS = {
    "BIT_IDENTICAL": "Made anew from its recorded inputs, the ranking is the same to the last bit.",
    "CERTIFICATE_ONLY": "The ranking cannot be made anew here, but every figure that can be checked holds.",
    "MISMATCH": "Made anew, the ranking is NOT the one that was recorded.",
}
"""What each outcome of a replay means, in a sentence."""


def verdict_lines(subject: str, strength: str, checks: Iterable[tuple[str, bool, str]], limits: Iterable[str]) -> list[str]:
    """Return a verdict as lines: what it means, then each check (name, holds, sentence), then why no more was shown."""
    name = "The log of all records" if subject == "log" else f"Ranking {subject}"
    lines = [f"{name}: {strength}. {MEANING[strength]}"]
    lines += [f"  {'holds ' if holds else 'BROKEN'}  {check}: {sentence}" for check, holds, sentence in checks]
    return lines + [f"  limit   {limit}." for limit in limits]
