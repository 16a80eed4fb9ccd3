"""A lender's own history for training: month by month, a file of accounts and what became of each; from a TOML file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.portfolio import RawPortfolio
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.value.outcomes import CURE, DEFAULT, STAY
from collections_opt.datasets.files.group_files import GroupTable, read_group_table
from collections_opt.datasets.files.mappings import FileMapping
from collections_opt.datasets.files.portfolio_files import read_portfolio
from collections_opt.datasets.files.text_tables import ids, mapped, read_text_table, whole_money
from collections_opt.datasets.settings_files import read_settings

OUTCOMES = {"CURE": CURE, "DEFAULT": DEFAULT, "STAY": STAY}
CENSORED = {"SOLD": 10, "RECALLED": 11, "CLOSED": 12, "DIED": 13}
"""Ends before the horizon after which nobody saw an outcome; training weighs those whose outcome was seen for them."""
CASH, DAYS, CONTACTED = "cash_minor", "days", "contacted"
_YES_NO = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
MIN_PERIODS = 3
"""Two to train on, so that the later one chooses the rounds, and one to judge on."""


@dataclass(frozen=True)
class PeriodFiles:
    """One period: its accounts, and their outcomes as ``account_id`` and ``outcome`` (CURE, DEFAULT or STAY; SOLD,
    RECALLED, CLOSED or DIED where it was not seen).

    The outcomes may hold ``cash_minor``, the money paid over the period in minor units, which an evaluation counts; ``days``
    until the outcome or the end, so that ends are weighed by time; ``contacted`` (true, false): then p is without contact.
    """

    name: str
    as_of_date: date
    accounts: str
    outcomes: str


@dataclass(frozen=True)
class TrainingFiles:
    """What to train on.

    Attributes:
        dataset: short name, recorded in the manifest.
        description: whose accounts, when, and what the outcomes mean; goes into the card.
        limits: what the model should not be used for; goes into the card.
        mapping: TOML file that maps the accounts' columns.
        periods: in order of time; the last is judged on and never fitted on. Paths are relative to this file.
        groups: file of ``account_id`` and a column per protected attribute, to report how own columns go with them: no model
            reads it.
    """

    dataset: str
    description: str
    limits: str
    mapping: str
    periods: tuple[PeriodFiles, ...]
    groups: str = ""


@dataclass(frozen=True)
class Labels:
    """What became of accounts: bytes (k,) ids, int64 (k,) CURE, DEFAULT, STAY or a code of ``CENSORED``.

    ``cash_minor`` and ``days`` are int64 (k,), ``contacted`` bool (k,); None where the file does not say.
    """

    account_id: NDArray[np.bytes_]
    outcome: NDArray[np.int64]
    cash_minor: NDArray[np.int64] | None
    days: NDArray[np.int64] | None = None
    contacted: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class LabelledAccounts:
    """One period's accounts as they came, and apart from them their outcomes by account id.

    Attributes:
        name: of the period.
        raw: the accounts.
        account_id: bytes (k,) of the outcomes.
        outcome: int64 (k,), CURE, DEFAULT, STAY or a code of ``CENSORED``.
        cash_minor: int64 (k,) money paid; None where the file does not say.
        days: int64 (k,) until the outcome or the end, likewise.
        contacted: bool (k,), likewise.
        groups: of people, for reports alone; None without a file.
    """

    name: str
    raw: RawPortfolio
    account_id: NDArray[np.bytes_]
    outcome: NDArray[np.int64]
    cash_minor: NDArray[np.int64] | None
    days: NDArray[np.int64] | None = None
    contacted: NDArray[np.bool_] | None = None
    groups: GroupTable | None = None


def read_training(path: Path) -> tuple[TrainingFiles, list[LabelledAccounts]]:
    """Return the settings of a training file and its periods.

    Raises:
        CollectionsError: as ``read_settings``, ``read_portfolio`` and ``read_group_table``; INVALID_ARGUMENT for too few
            periods, periods out of order, an unknown outcome or an empty cell.
    """
    settings = read_settings(path, TrainingFiles)
    if len(settings.periods) < MIN_PERIODS:
        raise refuse(Reason.INVALID_ARGUMENT, "periods", f"{len(settings.periods)} periods.", f"Give at least {MIN_PERIODS}.")
    days = [period.as_of_date for period in settings.periods]
    if days != sorted(set(days)):
        raise refuse(
            Reason.INVALID_ARGUMENT, "periods", "are not in order of time.", "List each as-of date once, earliest first."
        )
    mapping = read_settings(path.parent / settings.mapping, FileMapping)
    groups = read_group_table(path.parent / settings.groups) if settings.groups else None
    return settings, [_read_period(path.parent, period, mapping, groups) for period in settings.periods]


def _read_period(folder: Path, period: PeriodFiles, mapping: FileMapping, groups: GroupTable | None) -> LabelledAccounts:
    raw = read_portfolio(folder / period.accounts, mapping, period.as_of_date).raw
    labels = read_labels(folder / period.outcomes, may_be_censored=True)
    return LabelledAccounts(period.name, raw, **vars(labels), groups=groups)


def read_labels(path: Path, may_be_censored: bool = False) -> Labels:
    """Return outcomes by account from a file (.csv or .parquet); censored ones only where the caller knows what to do with them.

    Raises:
        CollectionsError: NOT_FOUND for a missing file; SCHEMA_MISMATCH for one that cannot be read or lacks a column;
            INVALID_ARGUMENT for an unknown outcome or an empty cell.
    """
    table = read_text_table(path, ("account_id", "outcome"), "outcomes file")
    known = {**OUTCOMES, **CENSORED} if may_be_censored else OUTCOMES
    outcome = mapped(table, "outcome", known, lower=False).astype(np.int64)
    if not table.row_count:
        raise refuse(Reason.INVALID_ARGUMENT, "outcome", f"{path.name} is empty.", "Send a row per account.")
    cash, days = (whole_money(table, name) if name in table else None for name in (CASH, DAYS))
    contacted = mapped(table, CONTACTED, _YES_NO).astype(np.bool_) if CONTACTED in table else None
    return Labels(ids(table), outcome, cash, days, contacted)
