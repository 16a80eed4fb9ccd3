"""Contact logs from files: one row per account and month, with the chances of a holdout where there was one."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from collections_opt.core.contact_log import NO_QUEUE, ContactLog, LogSource
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse
from collections_opt.core.outcomes import CURE, DEFAULT, STAY

REQUIRED = ("account_id", "queue_id", "contacted", "right_party", "outcome", "cash_minor")
OPTIONAL = ("propensity", "queue_propensity")
SIMULATED = "simulated"
"""Column that marks the rows of a simulated lender; without it a log is taken for a real one."""

OUTCOMES = {"cure": CURE, "default": DEFAULT, "stay": STAY}
_YES = ("1", "true", "yes")
FLAGS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}


def read_contact_log(path: Path, queue_ids: tuple[str, ...]) -> ContactLog:
    """Return a CSV or Parquet file as a contact log.

    Columns: account_id; queue_id (empty: no queue meant to work it); contacted and right_party (1, 0, true, false, yes, no);
    outcome (cure, default, stay); cash_minor; and, where a holdout drew, propensity and queue_propensity (else empty).

    Raises:
        CollectionsError: NOT_FOUND; SCHEMA_MISMATCH naming missing columns; INVALID_ARGUMENT naming column and row, also as
            ``ContactLog``.
    """
    return _parsed(_table(path), queue_ids)


def read_sourced_log(path: Path, queue_ids: tuple[str, ...]) -> tuple[ContactLog, LogSource]:
    """Return a file as a contact log, as ``read_contact_log``, and where it came from."""
    table = _table(path)
    simulated = SIMULATED in table.columns and bool(table[SIMULATED].astype(str).str.lower().isin(_YES).any())
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return _parsed(table, queue_ids), LogSource(path.name, digest, len(table), simulated)


def _table(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise refuse(Reason.NOT_FOUND, path.name, "cannot be read.", "Name an existing contact log.")
    is_parquet = path.suffix == ".parquet"
    return pd.read_parquet(path) if is_parquet else pd.read_csv(path, dtype=str, keep_default_na=False)


def _parsed(table: pd.DataFrame, queue_ids: tuple[str, ...]) -> ContactLog:
    missing = tuple(
        FieldViolation(name, "the file has no such column.", "Send it, empty where it does not apply.")
        for name in REQUIRED
        if name not in table.columns
    )
    if missing:
        raise CollectionsError(Reason.SCHEMA_MISMATCH, f"The log lacks {len(missing)} column(s).", missing)
    text = {name: table[name].astype("string").fillna("").str.strip() for name in table.columns}
    queues = {queue_id: index for index, queue_id in enumerate(queue_ids)} | {"": NO_QUEUE}
    ids = np.array([value.encode() for value in text["account_id"].tolist()], dtype="S")
    return ContactLog(
        queue_ids,
        ids if ids.size else np.empty(0, dtype="S1"),
        _mapped(text, "queue_id", queues).astype(np.int16),
        _mapped(text, "contacted", FLAGS).astype(bool),
        _mapped(text, "right_party", FLAGS).astype(bool),
        _number(text, "propensity"),
        _number(text, "queue_propensity"),
        _mapped(text, "outcome", OUTCOMES).astype(np.int64),
        _whole(text, "cash_minor"),
    )


def _mapped(text: dict[str, pd.Series], name: str, known: dict[str, int] | dict[str, bool]) -> NDArray[np.float64]:
    plain = text[name] if name == "queue_id" else text[name].str.lower()
    values = plain.map(known)
    wrong = np.flatnonzero(values.isna().to_numpy())
    if wrong.size:
        shown, allowed = str(plain.iloc[int(wrong[0])])[:40], ", ".join(key or "(empty)" for key in known)
        raise refuse(Reason.INVALID_ARGUMENT, f"{name}[{wrong[0]}]", f"{shown!r} is not known.", f"Use one of: {allowed}.")
    return np.asarray(values.to_numpy(dtype=np.float64), dtype=np.float64)


def _number(text: dict[str, pd.Series], name: str) -> NDArray[np.float64]:
    count = len(text["account_id"])
    if name not in text:
        return np.full(count, np.nan)
    values = pd.to_numeric(text[name].replace("", None), errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = np.flatnonzero(np.isnan(values) & (text[name] != "").to_numpy())
    if wrong.size:
        raise refuse(Reason.INVALID_ARGUMENT, f"{name}[{wrong[0]}]", "is not a number.", "Send a number, or leave it empty.")
    return values


def _whole(text: dict[str, pd.Series], name: str) -> NDArray[np.int64]:
    values = _number(text, name)
    wrong = np.flatnonzero(np.isnan(values) | (values != np.rint(values)))
    if wrong.size:
        raise refuse(Reason.INVALID_ARGUMENT, f"{name}[{wrong[0]}]", "is not a whole number.", "Send minor units.")
    return values.astype(np.int64)


def log_table(log: ContactLog, simulated: bool = False) -> pd.DataFrame:
    """Return a log as the table that ``read_contact_log`` reads; a simulated one says so in every row."""
    names = {value: key for key, value in OUTCOMES.items()}
    queues = np.array([*log.queue_ids, ""], dtype=object)
    table = pd.DataFrame(
        {
            "account_id": [value.decode() for value in log.account_id.tolist()],
            "queue_id": queues[log.queue],
            "contacted": log.contacted.astype(np.int64),
            "right_party": log.right_party.astype(np.int64),
            "propensity": log.propensity,
            "queue_propensity": log.queue_propensity,
            "outcome": pd.Series(log.outcome).map(names).to_numpy(),
            "cash_minor": log.cash_minor,
        }
    )
    return table.assign(**{SIMULATED: 1}) if simulated else table
