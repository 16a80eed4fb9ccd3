"""Facts that are too old to be known: what is older than the plan's bound is unknown, and unknown does not permit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.accounts.schema import AGE_COLUMNS, FACT_GROUPS
from collections_opt.core.errors import FieldViolation
from collections_opt.core.limits import MAX_DAYS_PAST_DUE

_GROUP_OF = {column: group for group, columns in FACT_GROUPS.items() for column in columns}


def too_old(portfolio: Portfolio, column: str, at_most_days: Mapping[str, int]) -> NDArray[np.bool_]:
    """Return where a column's facts are older than a plan's bound, or it is not known how old they are; bool (n,).

    A portfolio that does not hold the column of their age describes its as-of date: they are 0 days old.

    Args:
        portfolio: n accounts.
        column: that a rule reads.
        at_most_days: bounds by group of facts or by column, which is the closer word; without one no age is too old.
    """
    group = _GROUP_OF.get(column, "")
    bound = at_most_days.get(column, at_most_days.get(group))
    if bound is None or not group or not portfolio.holds(AGE_COLUMNS[group]):
        return np.zeros(portfolio.account_count, dtype=bool)
    age = AGE_COLUMNS[group]
    return np.asarray(~portfolio.is_present(age) | (portfolio.column(age) > bound), dtype=bool)


def bound_violations(field: str, at_most_days: Mapping[str, int]) -> list[FieldViolation]:
    """Return what is wrong with bounds of a plan."""
    found = []
    for name, days in at_most_days.items():
        if name not in FACT_GROUPS and name not in _GROUP_OF:
            remedy = f"Use {' or '.join(FACT_GROUPS)}, or one of {', '.join(_GROUP_OF)}."
            found.append(FieldViolation(f"{field}[{name[:40]}]", "is no fact whose age is known.", remedy))
        elif not 0 <= days <= MAX_DAYS_PAST_DUE:
            told = f"{days} is outside 0 to {MAX_DAYS_PAST_DUE}."
            found.append(FieldViolation(f"{field}[{name}]", told, "Send days; 0 takes facts of the as-of date alone."))
    return found
