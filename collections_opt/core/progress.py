"""Progress of a part as progress of the whole."""

from __future__ import annotations

from collections_opt.core.assignment import ProgressCallback, SolveProgress


def within(progress: ProgressCallback, start: float, stop: float) -> ProgressCallback:
    """Return a callback for a part that spans ``start`` to ``stop`` of the whole; what it tells never goes back."""
    reached = start

    def report(part: SolveProgress) -> None:
        nonlocal reached
        reached = max(reached, start + (stop - start) * min(part.fraction, 1.0))
        progress(SolveProgress(part.stage, reached, part.gap))

    return report
