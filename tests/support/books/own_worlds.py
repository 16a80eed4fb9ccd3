"""The bundled accounts with own columns planted in them: a score and a desk that know something of the outcome, with gaps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from collections_opt.application.training.outcome import TrainingData, training_period
from collections_opt.core.accounts.own_columns import OwnColumn, OwnKind
from collections_opt.core.value.outcomes import CURE
from collections_opt.datasets.credit_card import load_accounts, snapshot
from collections_opt.datasets.snapshots import Snapshot

ROWS = 1_300
MONTHS = (5, 6, 7, 8)
SCORE = OwnColumn("bureau_score", OwnKind.NUMBER, "Score of the bureau.", "points", None, 1, may_be_missing=True)
DESK = OwnColumn("desk", OwnKind.CATEGORY, "Desk that opened the account.", may_be_missing=True)
RARE = 5
"""Accounts of a desk that is too small to be learned."""


def planted(month: int, rows: int = ROWS, own: tuple[OwnColumn, ...] = (SCORE, DESK)) -> Snapshot:
    """Return a month's first accounts with the own columns; the score is missing for one in ten."""
    shot = snapshot(load_accounts(), month)
    rng = np.random.default_rng(month)
    cured = shot.outcome[:rows] == CURE
    score = rng.normal(600.0 + 60.0 * cured, 50.0)
    desk = np.where(rng.random(rows) < 0.3 + 0.3 * cured, "web", "branch").astype(object)
    desk[:RARE] = "closed"
    columns = {name: column[:rows] for name, column in shot.raw.columns.items()}
    columns |= {"own.bureau_score": score, "own.desk": desk}
    columns = {name: column for name, column in columns.items() if not name.startswith("own.") or name in {o.field for o in own}}
    present = {name: mask[:rows] for name, mask in shot.raw.present.items()}
    if SCORE in own:
        present["own.bureau_score"] = rng.random(rows) < 0.9
    raw = replace(shot.raw, columns=columns, present=present, own=own)
    return replace(shot, raw=raw, outcome=shot.outcome[:rows], cash_minor=shot.cash_minor[:rows])


def own_history() -> TrainingData:
    """Return the four months as training data, the last one to judge on."""
    *periods, later = (training_period(planted(month), f"2005-{month:02d}") for month in MONTHS)
    return TrainingData("planted", "Cards with own columns.", "A test.", periods, later)
