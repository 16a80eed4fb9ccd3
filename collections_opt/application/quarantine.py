"""Quarantined rows as a stored list, and as a refusal where a call takes all rows or none."""

from __future__ import annotations

import json

import numpy as np

from collections_opt.core.admission import Quarantine
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason

_MAX_SHOWN = 50


def quarantine_to_json(quarantine: Quarantine) -> bytes:
    """Return the findings as JSON lines' worth of columns."""
    columns = {name: getattr(quarantine, name) for name in ("account_id", "field", "value", "rule", "remedy")}
    return json.dumps({"row": quarantine.row.tolist(), **columns}, ensure_ascii=False).encode()


def quarantine_from_json(content: bytes) -> Quarantine:
    """Return the findings of their JSON."""
    columns = json.loads(content)
    row = np.array(columns.pop("row"), dtype=np.int64)
    return Quarantine(row, **{name: tuple(values) for name, values in columns.items()})


def refused_rows(quarantine: Quarantine) -> CollectionsError:
    """Return the refusal of a call whose rows are at fault, with the path of each field."""
    found = tuple(
        FieldViolation(f"accounts[{int(row)}].{field}", f"{rule}: {value!r}.", remedy)
        for row, field, rule, value, remedy in zip(
            quarantine.row[:_MAX_SHOWN], quarantine.field, quarantine.rule, quarantine.value, quarantine.remedy, strict=False
        )
    )
    return CollectionsError(
        Reason.INVALID_ARGUMENT, f"{quarantine.row_count} account(s) are at fault; nothing was scored.", found
    )
