"""Tables of contact effects on a holdout: Qini and AUUC per order of contact, the effect by segment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from collections_opt.core.evaluation.comparison import Interval
from collections_opt.core.evaluation.uplift import UpliftCurve
from collections_opt.scoring.effect.evaluation import EffectCell, EffectEvaluation

Table = tuple[list[str], list[list[str]]]

SIMULATED_MARK = "SIMULATED: no person, no lender. These figures show how to read the page, not what contact is worth."
"""Said wherever figures rest on a simulated lender's log."""


def uplift_table(curves: Mapping[str, UpliftCurve]) -> Table:
    """Return Qini and AUUC of cures per order of contact."""
    return ["order of contact", "Qini", "AUUC"], [[name, _rate(c.qini), _rate(c.auuc)] for name, c in curves.items()]


def effect_table(cells: Sequence[EffectCell]) -> Table:
    """Return predicted and observed effects with their counts; small cells show nothing."""
    head = ["segment", "contacted", "held out", "predicted", "observed (95 %)"]
    lines = []
    for cell in cells:
        counts = [cell.name, f"{cell.contacted_count:,}", f"{cell.held_out_count:,}"]
        found = cell.observed
        if found is None:
            lines.append([cell.name, *["too few"] * (len(head) - 1)])
        else:
            lines.append([*counts, f"{cell.predicted:+.3f}", f"{found.value:+.3f} ({found.low:+.3f} to {found.high:+.3f})"])
    return head, lines


def effect_figures(found: EffectEvaluation) -> dict[str, Any]:
    """Return an evaluation of effects for machines."""
    curves = {
        name: {"share": c.share.tolist(), "gain": c.gain.tolist(), "qini": asdict(c.qini), "auuc": asdict(c.auuc)}
        for name, c in found.curves.items()
    }
    cells = [asdict(cell) if cell.observed else {**asdict(cell), "predicted": None} for cell in found.cells]
    facts = {name: getattr(found, name) for name in ("effects", "rests_on", "simulated", "row_count", "account_count")}
    return {**facts, "curves": curves, "cells": cells}


def _rate(found: Interval) -> str:
    return f"{found.value:.4f} [{found.low:.4f}, {found.high:.4f}]"
