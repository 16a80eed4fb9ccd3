"""Names of account columns as callers and files write them: money says ``_minor_units``, as every field of the contract does.

Records keep the short names that they were made with, so that old ones verify; each name is changed once, where it comes in or
goes out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from collections_opt.core.accounts.schema import ACCOUNT_SCHEMA, ColumnKind
from collections_opt.core.errors import Reason, refuse

_TOLD: Mapping[str, str] = MappingProxyType(
    {c.name: f"{c.name}_units" for c in ACCOUNT_SCHEMA.values() if c.kind in (ColumnKind.MONEY, ColumnKind.HISTORY_MONEY)}
)
_HELD: Mapping[str, str] = MappingProxyType({told: name for name, told in _TOLD.items()})


def told_column(name: str) -> str:
    """Return the name under which callers know a column that is held under ``name``; own columns keep theirs."""
    return _TOLD.get(name, name)


def held_column(name: str) -> str:
    """Return the name under which a column that callers call ``name`` is held; the short names of files of before stay."""
    return _HELD.get(name, name)


def read_column(name: str, path: str) -> str:
    """Return ``held_column`` of a name in a request.

    Raises:
        CollectionsError: INVALID_ARGUMENT for the short name of a money column, which requests do not use.
    """
    if name in _TOLD:
        raise refuse(Reason.INVALID_ARGUMENT, path, f"{name!r} is not a column of the account schema.", f"Send {_TOLD[name]}.")
    return held_column(name)


def told_columns(names: Collection[str] = ACCOUNT_SCHEMA) -> tuple[str, ...]:
    """Return ``told_column`` of every name, in their order."""
    return tuple(map(told_column, names))


def held_names(names: Collection[str]) -> dict[str, str]:
    """Return, by a file's columns, the names that they are read under: ``cash_minor_units`` is read as ``cash_minor``."""
    short = {name: name.removesuffix("_units") if name.endswith("_minor_units") else name for name in names}
    return {name: name if held != name and held in short else held for name, held in short.items()}


def told_money(name: str) -> str:
    """Return a field of the core as the contract names it: ``cost_minor`` is ``cost_minor_units``."""
    return f"{name}_units" if name.endswith("_minor") else name
