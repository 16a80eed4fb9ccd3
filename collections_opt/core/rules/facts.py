"""Where a rule's facts block: one column over all accounts at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.persons import Persons
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.accounts.schema import ACCOUNT_SCHEMA, ColumnKind
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason
from collections_opt.core.limits import MAX_LIST_ITEMS, MAX_WINDOWS
from collections_opt.core.made_once import MadeOnce
from collections_opt.core.rules.feasts import is_feast
from collections_opt.core.rules.tables import Rule, RuleKind, RuleScope

Mask = NDArray[np.bool_]

_READS: dict[RuleKind, tuple[ColumnKind, ...]] = {
    RuleKind.FLAG: (ColumnKind.FLAG,),
    RuleKind.CONSENT: (ColumnKind.FLAG,),
    RuleKind.NOT_POSITIVE: (ColumnKind.MONEY,),
    RuleKind.HOURS: (ColumnKind.TEXT,),
}
"""Kinds of column by kind of rule; the others read counts."""


_FOUND: MadeOnce[tuple[FieldViolation, ...]] = MadeOnce(1_024)
"""What is wrong with rules; every call that judges accounts asks it of every rule."""


def column_violations(rule: Rule, path: str) -> Iterator[FieldViolation]:
    """Yield the columns of a rule that its kind cannot read; ``path`` is where the rule stands."""
    if rule.known_by and rule.known_by not in ACCOUNT_SCHEMA:
        yield FieldViolation(f"{path}.known_by", f"{rule.known_by[:40]!r} is no column.", "Name another.")
    yield from hours_violations(rule, path)
    column = ACCOUNT_SCHEMA.get(rule.column)
    if rule.kind is RuleKind.HOURS and rule.column != "time_zone":
        yield FieldViolation(f"{path}.column", "hours are read in the account's zone.", "Send time_zone.")
    elif column is None or column.kind not in _READS.get(rule.kind, (ColumnKind.COUNT,)):
        yield FieldViolation(f"{path}.column", f"{rule.column[:40]!r} cannot be read as {rule.kind}.", "Name another.")


def hours_violations(rule: Rule, path: str) -> Iterator[FieldViolation]:
    """Yield hours that are no parts of a day, feasts that are not, and what a rule of its kind does not read."""
    if rule.kind is not RuleKind.HOURS:
        for name in ("hours", "closed_on"):
            if getattr(rule, name):
                yield FieldViolation(f"{path}.{name}", f"a {rule.kind} does not read it.", "Leave it out, or send HOURS.")
        return
    if not 1 <= len(rule.hours) <= MAX_WINDOWS:
        yield FieldViolation(f"{path}.hours", f"{len(rule.hours)} parts of the day.", f"Send 1 to {MAX_WINDOWS}.")
    for index, window in enumerate(rule.hours[:MAX_WINDOWS]):
        if window.problem:
            yield FieldViolation(
                f"{path}.hours[{index}]", window.problem, "Send a start and a later end, such as 08:00 and 21:00."
            )
    if len(rule.closed_on) > MAX_LIST_ITEMS:
        yield FieldViolation(f"{path}.closed_on", f"{len(rule.closed_on)} feasts.", f"Send at most {MAX_LIST_ITEMS}.")
    for index, feast in enumerate(rule.closed_on[:MAX_LIST_ITEMS]):
        if not is_feast(feast):
            remedy = "Send days such as 12-25, 09-MON-1, EASTER-2 or 2026-03-20."
            yield FieldViolation(f"{path}.closed_on[{index}]", f"{feast[:40]!r} is no feast.", remedy)


def check_column(rule: Rule) -> None:
    """Refuse a rule that names a column its kind cannot read, or hours that are none.

    Raises:
        CollectionsError: INVALID_ARGUMENT.
    """
    for found in _FOUND.get((rule,), lambda: tuple(column_violations(rule, f"rules[{rule.rule_id}]"))):
        raise CollectionsError(Reason.INVALID_ARGUMENT, str(found), (found,))


def blocked_by_facts(rule: Rule, portfolio: Portfolio, persons: Persons | None, planned: float | NDArray[np.float64]) -> Mask:
    """Return where a rule's facts block contact, wherever the account is; bool (n,).

    Args:
        rule: the rule.
        portfolio: the accounts.
        persons: who has several accounts, None if nobody has or nothing binds persons.
        planned: attempts that a queue would make, of all accounts alike or of each, float64 (n,); only budgets read it.

    Raises:
        CollectionsError: INVALID_ARGUMENT, as ``check_column``.
    """
    check_column(rule)
    bound = persons if rule.scope is RuleScope.PERSON else None
    if rule.kind is RuleKind.BUDGET:
        return _over_budget(rule, portfolio, bound, planned)
    hit = np.asarray(_READERS[rule.kind](rule, portfolio), dtype=bool)
    return hit if bound is None else bound.any_of(hit)


def _flagged(rule: Rule, portfolio: Portfolio) -> Mask:
    return np.asarray(portfolio.is_present(rule.column) & (portfolio.column(rule.column) == 1), dtype=bool)


def _at_most(rule: Rule, portfolio: Portfolio) -> Mask:
    return np.asarray(portfolio.is_present(rule.column) & (portfolio.column(rule.column) <= rule.threshold), dtype=bool)


def _waits(rule: Rule, portfolio: Portfolio) -> Mask:
    within = portfolio.column(rule.column) <= rule.threshold
    return np.where(portfolio.is_present(rule.column), within, ~_recorded(rule, portfolio))


_READERS: dict[RuleKind, Callable[[Rule, Portfolio], Mask]] = {
    RuleKind.FLAG: _flagged,
    RuleKind.CONSENT: lambda rule, of: ~_flagged(rule, of),
    RuleKind.NOT_POSITIVE: lambda rule, of: of.is_present(rule.column) & (of.column(rule.column) <= 0),
    RuleKind.NOT_PAST_DUE: lambda rule, of: (of.column(rule.column) <= 0) & (of.column("arrears_minor") <= 0),
    RuleKind.WAIT: _waits,
    RuleKind.COUNT_ABOVE: lambda rule, of: of.is_present(rule.column) & (of.column(rule.column) >= rule.threshold),
    RuleKind.WAIT_DAYS: _at_most,
}
"""Where the facts of a rule of each kind block, wherever the account is; a budget is read with what is planned."""


def _recorded(rule: Rule, portfolio: Portfolio) -> Mask:
    """Where an account's contacts are known to be recorded: there a blank day of an event says that it did not happen."""
    if not rule.known_by:
        return np.zeros(portfolio.account_count, dtype=bool)
    return np.asarray(portfolio.is_present(rule.known_by), dtype=bool)


def budget_left(rule: Rule, portfolio: Portfolio, persons: Persons | None) -> NDArray[np.float64]:
    """Return how many contacts a budget leaves, float64 (n,), below one where it leaves none; 0 where those made are not known.

    Args:
        rule: a budget.
        portfolio: the accounts.
        persons: who has several accounts; a budget of a person counts the contacts about all of them.
    """
    made, known = _made(rule, portfolio, persons if rule.scope is RuleScope.PERSON else None)
    return np.where(known, rule.threshold - made, 0.0)


def _over_budget(rule: Rule, portfolio: Portfolio, persons: Persons | None, planned: float | NDArray[np.float64]) -> Mask:
    made, known = _made(rule, portfolio, persons)
    return np.asarray(~known | (made + planned > rule.threshold), dtype=bool)


def _made(rule: Rule, portfolio: Portfolio, persons: Persons | None) -> tuple[NDArray[np.float64], Mask]:
    """Return the contacts made, float64 (n,), and where they are known, bool (n,)."""
    made, known = portfolio.column(rule.column).astype(np.float64), portfolio.is_present(rule.column)
    if persons is None:
        return made, known
    total = np.bincount(persons.of, weights=np.where(known, made, 0.0), minlength=persons.count).astype(np.float64)
    return total[persons.of], ~persons.any_of(~known)
