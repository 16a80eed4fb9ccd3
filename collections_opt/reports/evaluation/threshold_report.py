"""What a thresholded strategy is worth, as tables, sentences and plain figures; money as in the file."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from collections_opt.scoring.thresholds.discontinuity import Discontinuity
from collections_opt.scoring.thresholds.study import Jump, ThresholdStudy, concerns

Table = tuple[list[str], list[list[str]]]

THRESHOLD_NOTE = (
    "Net: after the extra cost per account. Robust: errors that allow the spread to differ between accounts (HC3). The effect is "
    "that at the threshold; accounts far from it may answer otherwise."
)
"""Said wherever these figures are shown."""


def threshold_headline(study: ThresholdStudy) -> str:
    """Return the finding in one sentence."""
    main = _found(study.main)
    net = [end - study.cost for end in (main.effect, main.robust_low, main.robust_high)]
    verdict = "more than" if net[1] > 0 else "less than" if net[2] < 0 else "not shown to be more or less than"
    cost = f"{verdict} its cost of {study.cost:,.2f}" if study.cost else f"{verdict} nothing"
    return (
        f"At {study.main.threshold:,.10g} the outcome jumps by {main.effect:+,.2f} per account (95 %: {main.robust_low:+,.2f} to "
        f"{main.robust_high:+,.2f}, robust), {cost}: {net[0]:+,.2f} net. Evidence: {study.evidence.value}."
    )


def jump_table(study: ThresholdStudy) -> Table:
    """Return the jump at every width and with either kind of slopes, the deciding one first."""
    head = ["window", "slopes", "below", "above", "jump", "s.e.", "95 %", "robust s.e.", "robust 95 %", "net"]
    return head, [_jump_line(jump, study.cost, len(head)) for jump in (study.main, *study.others)]


def check_table(study: ThresholdStudy) -> Table:
    """Return what should not jump: the density, other thresholds, columns fixed before; and who was treated, if the file says."""
    head = ["check", "found", "95 %", "expected", "accounts"]
    lines = []
    if study.density is None:
        lines.append(["density just above / below", study.density_refusal, "", "1", ""])
    else:
        density = study.density
        interval = f"{density.low:.2f} to {density.high:.2f}"
        lines.append(["density just above / below", f"{density.ratio:.2f} (p = {density.p_value:.2f})", interval, "1", ""])
    lines += [_check_line(f"placebo at {jump.threshold:,.10g}", jump) for jump in study.placebos]
    lines += [_check_line(f"jump of {name}", jump) for name, jump in study.covariates.items()]
    if study.take_up is not None and study.per_treated is not None:
        lines.append(_figure_line("jump of the share treated", study.take_up, "1"))
        lines.append(_figure_line("effect per account treated", study.per_treated, "the jump"))
    return head, lines


def threshold_figures(study: ThresholdStudy) -> dict[str, Any]:
    """Return everything for machines."""
    main = _found(study.main)
    net = {"value": main.effect, "low": main.robust_low, "high": main.robust_high}
    return {**asdict(study), "net": {name: end - study.cost for name, end in net.items()}, "concerns": concerns(study)}


def _found(jump: Jump) -> Discontinuity:
    if jump.found is None:
        raise ValueError("the first width decides and was not refused")
    return jump.found


def _jump_line(jump: Jump, cost: float, width: int) -> list[str]:
    names = [f"± {jump.width:,.10g}", "own" if jump.own_slopes else "common"]
    if jump.found is None:
        return [*names, jump.refusal, *[""] * (width - 3)]
    one = jump.found
    plain, robust = f"{one.low:+,.2f} to {one.high:+,.2f}", f"{one.robust_low:+,.2f} to {one.robust_high:+,.2f}"
    figures = [f"{one.effect:+,.2f}", f"{one.standard_error:,.2f}", plain, f"{one.robust_standard_error:,.2f}", robust]
    return [*names, f"{one.below_count:,}", f"{one.above_count:,}", *figures, f"{one.effect - cost:+,.2f}"]


def _check_line(name: str, jump: Jump) -> list[str]:
    if jump.found is None:
        return [name, jump.refusal, "", "0", ""]
    return _figure_line(name, jump.found, "0")


def _figure_line(name: str, found: Discontinuity, expected: str) -> list[str]:
    interval = f"{found.robust_low:+,.2f} to {found.robust_high:+,.2f}"
    return [name, f"{found.effect:+,.2f}", interval, expected, f"{found.below_count + found.above_count:,}"]
