"""Quarantined rows as a refusal, where a call takes all rows or none."""

from __future__ import annotations

from collections.abc import Callable

from collections_opt.core.accounts.admission import Quarantine
from collections_opt.core.accounts.own_columns import PREFIX
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason

_MAX_SHOWN = 50


def refused_rows(quarantine: Quarantine, told: Callable[[int, str, str], tuple[str, str]] | None = None) -> CollectionsError:
    """Return the refusal of a call whose rows are at fault, with the path of each field.

    ``told`` returns where the request holds the cell of a row and column, and what is told of it, from row, column and problem;
    without it the request holds a message per account.
    """
    place = told or (lambda row, field, problem: (f"accounts[{row}].{_path(field)}", problem))
    found = tuple(
        FieldViolation(*place(int(row), field, f"{rule}: {value!r}."), remedy)
        for row, field, rule, value, remedy in zip(
            quarantine.row[:_MAX_SHOWN], quarantine.field, quarantine.rule, quarantine.value, quarantine.remedy, strict=False
        )
    )
    return CollectionsError(
        Reason.INVALID_ARGUMENT, f"{quarantine.row_count} account(s) are at fault; nothing was scored.", found
    )


def _path(field: str) -> str:
    """Return where a call's account holds a column: own ones stand together."""
    return f"own_values[{field.removeprefix(PREFIX)}]" if field.startswith(PREFIX) else field
