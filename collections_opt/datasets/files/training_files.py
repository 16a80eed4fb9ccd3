"""A lender's own history for training: month by month, a file of accounts and what became of each; from a TOML file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.outcomes import CURE, DEFAULT, STAY
from collections_opt.core.portfolio import RawPortfolio
from collections_opt.datasets.files.mappings import FileMapping
from collections_opt.datasets.files.portfolio_files import read_portfolio
from collections_opt.datasets.settings_files import read_settings

OUTCOMES = {"CURE": CURE, "DEFAULT": DEFAULT, "STAY": STAY}
CASH = "cash_minor"
MIN_PERIODS = 3
"""Two to train on, so that the later one chooses the rounds, and one to judge on."""


@dataclass(frozen=True)
class PeriodFiles:
    """One period: its accounts, and their outcomes as ``account_id`` and ``outcome`` (CURE, DEFAULT or STAY).

    The outcomes may hold ``cash_minor``, the money paid over the period in minor units; an evaluation counts it.
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
    """

    dataset: str
    description: str
    limits: str
    mapping: str
    periods: tuple[PeriodFiles, ...]


@dataclass(frozen=True)
class Labels:
    """What became of accounts: bytes (k,) ids, int64 (k,) CURE, DEFAULT or STAY, and int64 (k,) cash where it is known."""

    account_id: NDArray[np.bytes_]
    outcome: NDArray[np.int64]
    cash_minor: NDArray[np.int64] | None


@dataclass(frozen=True)
class LabelledAccounts:
    """One period's accounts as they came, and apart from them their outcomes by account id.

    Attributes:
        name: of the period.
        raw: the accounts.
        account_id: bytes (k,) of the outcomes.
        outcome: int64 (k,), CURE, DEFAULT or STAY.
        cash_minor: int64 (k,) money paid; None where the file does not say.
    """

    name: str
    raw: RawPortfolio
    account_id: NDArray[np.bytes_]
    outcome: NDArray[np.int64]
    cash_minor: NDArray[np.int64] | None


def read_training(path: Path) -> tuple[TrainingFiles, list[LabelledAccounts]]:
    """Return the settings of a training file and its periods.

    Raises:
        CollectionsError: as ``read_settings`` and ``read_portfolio``; INVALID_ARGUMENT for too few periods, periods out of
            order, an unknown outcome or an empty cell.
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
    return settings, [_read_period(path.parent, period, mapping) for period in settings.periods]


def _read_period(folder: Path, period: PeriodFiles, mapping: FileMapping) -> LabelledAccounts:
    raw = read_portfolio(folder / period.accounts, mapping, period.as_of_date).raw
    labels = read_labels(folder / period.outcomes)
    return LabelledAccounts(period.name, raw, labels.account_id, labels.outcome, labels.cash_minor)


def read_labels(path: Path) -> Labels:
    """Return outcomes by account from a file (.csv or .parquet).

    Raises:
        CollectionsError: NOT_FOUND for a missing file; SCHEMA_MISMATCH for one that cannot be read or lacks a column;
            INVALID_ARGUMENT for an unknown outcome or an empty cell.
    """
    table = _read_table(path)
    ids, texts = (_cells(table, name, pa.string(), path.name) for name in ("account_id", "outcome"))
    unknown = [text for text in pc.unique(texts).to_pylist() if text not in OUTCOMES]
    if unknown:
        problem = f"{path.name} holds {', '.join(map(repr, unknown[:5]))}."
        raise refuse(Reason.INVALID_ARGUMENT, "outcome", problem, f"Use {', '.join(OUTCOMES)}.")
    positions = pc.index_in(texts, value_set=pa.array(list(OUTCOMES))).to_numpy(zero_copy_only=False)
    outcome = np.array(list(OUTCOMES.values()), dtype=np.int64)[positions]
    cash = None
    if CASH in table.column_names:
        cash = np.asarray(_cells(table, CASH, pa.int64(), path.name).to_numpy(zero_copy_only=False), dtype=np.int64)
    return Labels(np.array([one.encode() for one in ids.to_pylist()], dtype="S"), outcome, cash)


def _read_table(path: Path) -> Any:
    if not path.is_file():
        raise refuse(Reason.NOT_FOUND, path.name, "is not a file.", "Check the path; it is relative to the training file.")
    try:
        if path.suffix.lower() == ".parquet":
            return pyarrow.parquet.read_table(path)
        text = pyarrow.csv.ConvertOptions(column_types={"account_id": pa.string(), "outcome": pa.string()})
        return pyarrow.csv.read_csv(path, convert_options=text)
    except pa.ArrowException as error:
        raise _unreadable(path.name, str(error)) from error


def _cells(table: Any, name: str, kind: Any, file: str) -> Any:
    if name not in table.column_names:
        raise refuse(Reason.SCHEMA_MISMATCH, name, f"is not in {file}.", "Send account_id and outcome.")
    try:
        cells = pc.cast(table.column(name).combine_chunks(), kind)
    except pa.ArrowException as error:
        raise refuse(Reason.SCHEMA_MISMATCH, name, f"{file} does not hold {kind}: {error}.", "Correct the column.") from error
    if cells.null_count or not len(cells):
        raise refuse(Reason.INVALID_ARGUMENT, name, f"{file} is empty or has an empty cell.", "Fill every cell.")
    return cells


def _unreadable(file: str, problem: str) -> CollectionsError:
    return refuse(Reason.SCHEMA_MISMATCH, file, f"cannot be read: {problem}.", "Send .csv or .parquet.")
