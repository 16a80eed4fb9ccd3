"""Accounts as columns: as they came (``RawPortfolio``) and after the door (``Portfolio``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.own_columns import OwnColumn, OwnColumns
from collections_opt.core.accounts.row_faults import NO_FAULTS, RowFaults
from collections_opt.core.accounts.schema import ACCOUNT_SCHEMA, SCHEMA_VERSION, Column, ColumnKind
from collections_opt.core.arrays import Array, digest_columns, frozen


@dataclass(frozen=True)
class RawPortfolio:
    """Columns as they came, unchecked.

    Attributes:
        as_of_date: the day the columns describe, in ``time_zone``.
        time_zone: IANA name of the lender's zone.
        currency_code: ISO 4217 code of every money column.
        columns: by schema name; text as object arrays of str, numbers int64 or float64, histories (n, months).
        present: (n,) bool per column, (n, months) for histories; a name that is absent means every cell has a value.
        country_code: ISO 3166-1 alpha-2 country that states written alone (``MA``) belong to; "" reads them by the currency.
        lines: int64 (n,) line of each row in the sender's file, 1 first; None where rows come from no file.
        faults: what the reader of the file found wrong with rows; the door refuses these rows.
        sources: the sender's name of each column, by schema name.
        products: product codes that may come: those that the sender declares, at the door of a server also those that values in
            force are for; None holds product codes as they come.
        own: columns that the sender declares beside the schema; their cells stand in ``columns`` under ``OwnColumn.field``.
    """

    as_of_date: date
    time_zone: str
    currency_code: str
    columns: Mapping[str, Array]
    present: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    country_code: str = ""
    lines: NDArray[np.int64] | None = None
    faults: RowFaults = NO_FAULTS
    sources: Mapping[str, str] = field(default_factory=dict)
    products: tuple[str, ...] | None = None
    own: tuple[OwnColumn, ...] = ()

    @property
    def row_count(self) -> int:
        """Number of rows."""
        return int(self.columns["account_id"].shape[0]) if "account_id" in self.columns else 0


def no_cells(column: Column, count: int) -> tuple[Array, NDArray[np.bool_]]:
    """Return a schema column without a value in any of ``count`` accounts, and where it has one: nowhere."""
    shape = (count, 0) if column.is_history else (count,)
    dtype = {ColumnKind.TEXT: np.dtype("S1"), ColumnKind.FLAG: np.dtype(bool), ColumnKind.RATE: np.dtype(np.float64)}
    return np.zeros(shape, dtype=dtype.get(column.kind, np.dtype(np.int64))), np.zeros(shape, dtype=bool)


@dataclass(frozen=True)
class Portfolio:
    """Accepted accounts, sorted by account id, every schema column present, all arrays read-only.

    A column that is ``held_if_sent`` and was not sent is answered as missing in every account.

    Attributes:
        as_of_date: the day the columns describe, in ``time_zone``.
        time_zone: IANA name of the lender's zone.
        currency_code: ISO 4217 code of every money column.
        columns: text as UTF-8 NFC bytes ``S``, flags bool, rates float64, all else int64; missing cells hold zero values.
        present: per column, where a cell has a value.
        own: the columns that the lender declared beside the schema; None where there are none.
    """

    as_of_date: date
    time_zone: str
    currency_code: str
    columns: Mapping[str, Array]
    present: Mapping[str, NDArray[np.bool_]]
    own: OwnColumns | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", MappingProxyType({k: frozen(v) for k, v in self.columns.items()}))
        object.__setattr__(self, "present", MappingProxyType({k: frozen(v) for k, v in self.present.items()}))

    @property
    def account_count(self) -> int:
        """Number of accounts n."""
        return int(self.columns["account_id"].shape[0])

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over schema version, dates, currency and every column; equal for equal content in any row order."""
        header = (SCHEMA_VERSION, self.as_of_date.isoformat(), self.time_zone, self.currency_code)
        masks = {f"{name}?": mask for name, mask in self.present.items()}
        if self.own is None:
            return digest_columns({**self.columns, **masks}, header)
        return digest_columns({**self.columns, **masks, **self.own.plain()}, (*header, self.own.header()))

    def column(self, name: str) -> Array:
        """Return a schema column, (n,) or (n, months)."""
        found = self.columns.get(name)
        if found is not None or self.holds(name):
            return self.columns[name] if found is None else found
        return no_cells(ACCOUNT_SCHEMA[name], self.account_count)[0]

    def is_present(self, name: str) -> NDArray[np.bool_]:
        """Return where a schema column has a value, same shape as the column."""
        found = self.present.get(name)
        if found is not None or self.holds(name):
            return self.present[name] if found is None else found
        return no_cells(ACCOUNT_SCHEMA[name], self.account_count)[1]

    def holds(self, name: str) -> bool:
        """Return whether a schema column is held: one that is held only if sent, was sent."""
        return name in self.columns or not ACCOUNT_SCHEMA[name].held_if_sent

    def take(self, rows: NDArray[np.int64] | slice) -> Portfolio:
        """Return the accounts of the given rows, which must keep the order by account id."""
        return Portfolio(
            self.as_of_date,
            self.time_zone,
            self.currency_code,
            {name: column[rows] for name, column in self.columns.items()},
            {name: mask[rows] for name, mask in self.present.items()},
            None if self.own is None else self.own.take(rows),
        )

    def arrears_minor(self) -> NDArray[np.int64]:
        """Return arrears A, at most the balance, int64 (n,) minor units."""
        return np.minimum(self.column("arrears_minor"), np.maximum(self.column("balance_minor"), 0))
