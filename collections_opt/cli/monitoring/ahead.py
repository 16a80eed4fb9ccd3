"""What monitors will be able to find on a book of this size, told from a ranking before anything has matured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collections_opt.api.v1 import ranking_pb2
from collections_opt.client.client import Client
from collections_opt.client.exports import export_columns
from collections_opt.core.limits import MIN_CELL_COUNT
from collections_opt.core.outcomes.alarms import found_within, least_found, shares

WITHIN_MONTHS = 2
OUTCOMES = {"default": "p_default", "cure": "p_cure"}
Line = dict[str, Any]


def ahead_of(client: Client, ranking: ranking_pb2.Ranking) -> list[Line]:
    """Return, part by part, the least shift of odds found within two months in 90 % of cases, and by the best method there is.

    Chances are those without contact, one ranking a month is counted, and every account as a person of its own.
    """
    columns = export_columns(client, ranking, with_account_facts=True)
    values = columns.values
    lines = []
    places: dict[str, int] = {}
    for dimension, value, mine in _parts(values, columns.present):
        place = places.setdefault(dimension, 0)
        places[dimension] += 1
        if int(mine.sum()) < MIN_CELL_COUNT:
            continue
        share = float(shares([(dimension, place)], len(OUTCOMES))[0])
        for outcome, name in OUTCOMES.items():
            p = values[name][mine]
            variance = float((p * (1.0 - p)).sum())
            lines.append(
                {
                    "part": f"{dimension} {value}".strip(),
                    "outcome": outcome,
                    "account_count": int(mine.sum()),
                    "findable_odds_factor": found_within(variance, WITHIN_MONTHS, share),
                    "least_of_any_method": least_found(variance, WITHIN_MONTHS),
                }
            )
    return lines


def _parts(values: Any, present: Any) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    worked = values["disposition"] == "DISPOSITION_ASSIGNED"
    yield "all", "", np.ones(worked.size, dtype=bool)
    yield "unworked", "", ~worked
    for dimension, name in (("product", "product"), ("bucket", "bucket"), ("queue", "queue_id")):
        column = values[name].astype(str)
        known = present.get(name, np.ones(column.size, dtype=bool))
        if dimension == "queue":
            known = known & worked
        for value in np.unique(column[known]).tolist():
            yield dimension, value, known & (column == value)
