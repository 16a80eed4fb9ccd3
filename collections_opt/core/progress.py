"""Progress of a part as progress of the whole."""

from __future__ import annotations

from collections_opt.core.problem.assignment import ProgressCallback, SolveProgress, ignore_progress


def within(progress: ProgressCallback, start: float, stop: float) -> ProgressCallback:
    """Return a callback for a part that spans ``start`` to ``stop`` of the whole; what it tells never goes back.

    A gap once proven stays proven through stages that tell none. A part that nobody listens to is told that nobody does.
    """
    if progress is ignore_progress:
        return ignore_progress
    reached, gap = start, None

    def report(part: SolveProgress) -> None:
        nonlocal reached, gap
        reached = max(reached, start + (stop - start) * min(part.fraction, 1.0))
        gap = gap if part.gap is None else part.gap
        progress(SolveProgress(part.stage, reached, gap))

    return report
