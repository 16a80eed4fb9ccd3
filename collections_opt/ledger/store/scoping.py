"""The caller's scope in every statement: reads are narrowed to what may be seen, writes of anything else are refused.

It sits where statements leave for the database, below every method that asks: a query that somebody forgets to narrow is narrowed
all the same, and one of a form that cannot be narrowed is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.util import find_tables

from collections_opt.core.errors import Reason, refuse
from collections_opt.core.scopes import Scope, present_scope
from collections_opt.ledger.store.schema import (
    capacity_acts,
    capacity_plans,
    day_events,
    event_batches,
    leases,
    outbox,
    outcome_records,
    portfolios,
    ranking_entries,
    ranking_requests,
    ranking_states,
    rankings,
)

Columns = Any
Condition = sa.ColumnElement[bool]
PLAN = "plan_id"
"""Where a ranking's record and its request hold the id of the plan."""


def enforce_scopes(engine: sa.Engine) -> None:
    """Let every statement of an engine keep to the scope of whoever it is executed for."""
    sa.event.listen(engine, "before_execute", _scoped, retval=True)


def _scoped(connection: sa.Connection, statement: Any, multiparams: Any, params: Any, _options: Any) -> tuple[Any, Any, Any]:
    scope = present_scope()
    if scope.is_limited:
        if isinstance(statement, sa.Insert):
            for row in _rows(multiparams, params):
                _check_insert(connection, scope, statement.table.name, row)
        elif not connection.get_execution_options().get("ledger_write", False):
            # Within a transaction that writes, numbers and keys are given over all records; what it answers was read before.
            statement = _narrowed(statement, scope, connection.dialect.name)
    return statement, multiparams, params


def _narrowed(statement: Any, scope: Scope, dialect: str) -> Any:
    if not isinstance(statement, sa.Select):
        _refuse_unknown(statement)
        return statement
    narrowed = statement
    for source in statement.get_final_froms():
        for table in _tables(source):
            condition = CONDITIONS.get(_name(table))
            if condition is not None:
                narrowed = narrowed.where(condition(table.c, scope, dialect))
    # What stands in a subquery that is selected from, or among the columns, is not reached by a condition of this one.
    _refuse_hidden([each for each in statement.get_final_froms() if not list(_tables(each))])
    _refuse_hidden(statement.inner_columns)
    return narrowed


def _refuse_hidden(parts: Iterable[Any]) -> None:
    for part in parts:
        if any(str(getattr(table, "name", "")) in CONDITIONS for table in find_tables(part, include_selects=True)):
            raise _cannot_narrow()


def _tables(source: Any) -> Iterator[Any]:
    if isinstance(source, sa.sql.expression.Join):
        yield from _tables(source.left)
        yield from _tables(source.right)
    elif isinstance(source, sa.Table) or (isinstance(source, sa.sql.expression.Alias) and isinstance(source.element, sa.Table)):
        yield source


def _name(table: Any) -> str:
    return str(getattr(table, "element", table).name)  # an alias stands for its table


def _refuse_unknown(statement: Any) -> None:
    """Refuse a statement in another form than SELECT that names a table whose rows belong to portfolios."""
    words = set(re.findall(r"[a-z_]+", str(statement)))
    if words & CONDITIONS.keys():
        raise _cannot_narrow()


def _cannot_narrow() -> Exception:
    return refuse(
        Reason.PERMISSION_DENIED, "token", "is limited, and this question reads over all portfolios.", "Ask for a wider token."
    )


def _matches(column: Any, patterns: tuple[str, ...], dialect: str) -> Condition:
    if not patterns:
        return sa.true()
    if dialect == "sqlite":  # its LIKE takes capital letters for small ones; GLOB does not, and patterns hold no '?' or '['
        return sa.or_(*(column.op("GLOB")(pattern) for pattern in patterns))
    return sa.or_(*(column.like(pattern.replace("_", r"\_").replace("*", "%"), escape="\\") for pattern in patterns))


def _portfolio(column: Any, scope: Scope, dialect: str) -> Condition:
    return sa.and_(_matches(column, scope.portfolios, dialect), _matches(column, scope.of_tenants, dialect))


def _desk(column: Any, scope: Scope, dialect: str) -> Condition:
    return sa.and_(_matches(column, scope.desks, dialect), _matches(column, scope.of_tenants, dialect))


def plan_of(column: Any, dialect: str) -> Any:
    """Return the id of the plan within the JSON of a record or a request, as a part of a statement."""
    if dialect == "sqlite":
        return sa.func.json_extract(column, f"$.{PLAN}")
    # By its spelling: PostgreSQL reads no JSON that holds an escaped NUL, as the layouts of records do.
    return sa.func.substring(column, f'"{PLAN}": ?"([A-Za-z0-9._-]*)"')


def _of_portfolios(c: Columns, scope: Scope, dialect: str) -> Condition:
    return _portfolio(c.portfolio_id, scope, dialect)


def _of_plans(c: Columns, scope: Scope, dialect: str) -> Condition:
    return _desk(c.plan_id, scope, dialect)


def _of_rankings(c: Columns, scope: Scope, dialect: str) -> Condition:
    return sa.and_(_portfolio(c.portfolio_id, scope, dialect), _desk(plan_of(c.record, dialect), scope, dialect))


def _of_requests(c: Columns, scope: Scope, dialect: str) -> Condition:
    return sa.and_(_portfolio(c.portfolio_id, scope, dialect), _desk(plan_of(c.command, dialect), scope, dialect))


def _by_request(name: str) -> Callable[[Columns, Scope, str], Condition]:
    def condition(c: Columns, scope: Scope, dialect: str) -> Condition:
        seen = sa.select(ranking_requests.c.ranking_id).where(_of_requests(ranking_requests.c, scope, dialect))
        return sa.and_(c[name].in_(seen))

    return condition


def _by_seq(c: Columns, scope: Scope, dialect: str) -> Condition:
    return sa.and_(c.seq.in_(sa.select(rankings.c.seq).where(_of_rankings(rankings.c, scope, dialect))))


def _of_outcomes(c: Columns, scope: Scope, dialect: str) -> Condition:
    seen = sa.select(rankings.c.ranking_id).where(_of_rankings(rankings.c, scope, dialect))
    return sa.and_(_portfolio(c.portfolio_id, scope, dialect), sa.or_(c.ranking_id == "", c.ranking_id.in_(seen)))


def _nothing(_c: Columns, _scope: Scope, _dialect: str) -> Condition:
    return sa.false()


CONDITIONS: Mapping[str, Callable[[Columns, Scope, str], Condition]] = {
    portfolios.name: _of_portfolios,
    outcome_records.name: _of_outcomes,
    capacity_plans.name: _of_plans,
    capacity_acts.name: _of_plans,
    rankings.name: _of_rankings,
    ranking_requests.name: _of_requests,
    ranking_states.name: _by_request("ranking_id"),
    ranking_entries.name: _by_seq,
    outbox.name: _by_request("subject"),
    leases.name: _by_request("ranking_id"),
    # What happened to accounts names no portfolio: whoever is limited sees none of it.
    day_events.name: _nothing,
    event_batches.name: _nothing,
}
"""What of each table a scope lets be seen; other tables hold nothing of one portfolio alone."""


def _rows(multiparams: Any, params: Any) -> Iterator[Mapping[str, Any]]:
    for each in multiparams or ():
        yield from each if isinstance(each, (list, tuple)) else (each,)
    if params:
        yield params


def _check_insert(connection: sa.Connection, scope: Scope, table: str, row: Mapping[str, Any]) -> None:
    if table in (portfolios.name, outcome_records.name):
        scope.require_portfolio(str(row["portfolio_id"]))
    elif table in (capacity_plans.name, capacity_acts.name):
        scope.require_desk(str(row["plan_id"]))
    elif table == ranking_requests.name:
        scope.require_portfolio(str(row["portfolio_id"]))
    elif table in (ranking_states.name, leases.name):
        query = sa.select(ranking_requests.c.portfolio_id).where(ranking_requests.c.ranking_id == row["ranking_id"])
        scope.require_portfolio(str(connection.execute(query).scalar() or ""))
    elif table in (day_events.name, event_batches.name):
        raise _cannot_narrow()
