"""Lists of rows by the terms and the order that a caller asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from collections_opt.core.listing import Order, Place, Term
from collections_opt.ledger.store.schema import portfolios
from collections_opt.ledger.store.scoping import plan_of

Columns = Mapping[str, Any]
"""The columns of a list by the name that the contract has for them."""


def conditions(terms: Sequence[Term], columns: Columns) -> list[sa.ColumnElement[bool]]:
    """Return what a row must meet; days are kept as ISO 8601 text."""
    return [Term(term.name, term.sign, _plain(term.value)).holds(columns[term.name]) for term in terms]


def ordered(query: sa.Select[Any], order: Order, columns: Columns, tie: Any, after: Place | None) -> sa.Select[Any]:
    """Return the rows of a query in order, after a place, with the value that they are ordered by as ``place``.

    Args:
        query: of the rows wanted.
        order: names one of ``columns``.
        columns: as ``Columns``.
        tie: the column that no two rows share; rows of one value stand in its order.
        after: the last row before; None for all.
    """
    by = columns[order.name]
    if after is not None:
        here, there = sa.tuple_(by, tie), sa.tuple_(*map(sa.literal, after))
        query = query.where(here < there if order.descending else here > there)
    both = (by.desc(), tie.desc()) if order.descending else (by.asc(), tie.asc())
    return query.add_columns(by.label("place")).order_by(*both)


def ranking_columns(table: Any, settled: Any, dialect: str) -> Columns:
    """Return the columns of lists of rankings, of a statement that joins ``portfolios``.

    Args:
        table: the columns of rankings or of requests for them.
        settled: the column with the record or the request, as JSON.
        dialect: of the database.
    """
    return {
        "create_time": table.created_at,
        "portfolio_id": table.portfolio_id,
        "capacity_plan_id": plan_of(settled, dialect),
        "as_of_date": portfolios.c.as_of_date,
    }


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
