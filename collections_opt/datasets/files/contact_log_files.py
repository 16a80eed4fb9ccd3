"""Contact logs from files: one row per account and month, with the chances of a holdout where there was one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from collections_opt.core.evaluation.contact_log import NO_QUEUE, ContactLog, LogSource
from collections_opt.core.value.outcomes import CURE, DEFAULT, STAY
from collections_opt.datasets.files.text_tables import (
    SIMULATED,
    TextTable,
    ids,
    mapped,
    numbers,
    read_text_table,
    source_of,
    whole_money,
)

REQUIRED = ("account_id", "queue_id", "contacted", "right_party", "outcome", "cash_minor")
WHAT = "contact log"
OUTCOMES = {"cure": CURE, "default": DEFAULT, "stay": STAY}
FLAGS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}


def read_contact_log(path: Path, queue_ids: tuple[str, ...]) -> ContactLog:
    """Return a file as a contact log.

    Columns: account_id; queue_id (empty: no queue meant to work it); contacted and right_party (1, 0, true, false, yes, no);
    outcome (cure, default, stay); cash_minor; and, where a holdout drew, propensity and queue_propensity (else empty).

    Raises:
        CollectionsError: NOT_FOUND; SCHEMA_MISMATCH naming missing columns; INVALID_ARGUMENT naming column and row, also as
            ``ContactLog``.
    """
    return _parsed(read_text_table(path, REQUIRED, WHAT), queue_ids)


def read_sourced_log(path: Path, queue_ids: tuple[str, ...]) -> tuple[ContactLog, LogSource]:
    """Return a file as a contact log, as ``read_contact_log``, and where it came from."""
    text = read_text_table(path, REQUIRED, WHAT)
    return _parsed(text, queue_ids), source_of(path, text)


def _parsed(text: TextTable, queue_ids: tuple[str, ...]) -> ContactLog:
    queues = {queue_id: index for index, queue_id in enumerate(queue_ids)} | {"": NO_QUEUE}
    return ContactLog(
        queue_ids,
        ids(text),
        mapped(text, "queue_id", queues, lower=False).astype(np.int16),
        mapped(text, "contacted", FLAGS).astype(bool),
        mapped(text, "right_party", FLAGS).astype(bool),
        numbers(text, "propensity"),
        numbers(text, "queue_propensity"),
        mapped(text, "outcome", OUTCOMES).astype(np.int64),
        whole_money(text, "cash_minor"),
    )


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
