"""What a caller may see: portfolios by pattern, desks by pattern, tenants; empty means without limit.

A desk is a capacity plan. A tenant's portfolios and plans have ids that begin with the tenant's name and a dot, such as
``north.2026-11-24`` and ``north.cards``. A ranking is seen where both its portfolio and its plan are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from fnmatch import fnmatchcase

from collections_opt.core.errors import CollectionsError, Reason, refuse

MAX_PATTERNS = 64
_PATTERN = re.compile(r"[A-Za-z0-9._*-]{1,128}")
_TENANT = re.compile(r"[A-Za-z0-9_-]{1,64}")


def _any(name: str, patterns: tuple[str, ...]) -> bool:
    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


def _check(field: str, kind: re.Pattern[str], patterns: tuple[str, ...]) -> None:
    if len(patterns) > MAX_PATTERNS or not all(kind.fullmatch(pattern) for pattern in patterns):
        remedy = f"Give at most {MAX_PATTERNS}, of letters, digits, '-', '_', '.' and '*' for any part; a tenant is a plain name."
        raise refuse(Reason.INVALID_ARGUMENT, field, "are no patterns.", remedy)


def _out_of_sight(field: str, value: str) -> CollectionsError:
    return refuse(
        Reason.PERMISSION_DENIED, field, f"{value[:128]!r} is not among what your token may see.", "Ask for a wider token."
    )


@dataclass(frozen=True)
class Scope:
    """Patterns of ids, in which ``*`` stands for any part; each empty tuple limits nothing.

    Desks alone are refused: accounts and events belong to portfolios, and whoever meant one desk's would see everybody's.

    Attributes:
        portfolios: patterns of portfolio ids.
        desks: patterns of plan ids.
        tenants: names that ids of both begin with.

    Raises:
        CollectionsError: INVALID_ARGUMENT for what is no pattern and for desks alone.
    """

    portfolios: tuple[str, ...] = ()
    desks: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for field, kind, patterns in (("portfolios", _PATTERN, self.portfolios), ("desks", _PATTERN, self.desks)):
            _check(field, kind, patterns)
        _check("tenants", _TENANT, self.tenants)
        if self.desks and not (self.portfolios or self.tenants):
            remedy = "Name portfolios or tenants too; the portfolio '*' is all of them."
            raise refuse(Reason.INVALID_ARGUMENT, "portfolios", "are not said, though desks are.", remedy)

    @property
    def is_limited(self) -> bool:
        """Whether anything is out of sight."""
        return bool(self.portfolios or self.desks or self.tenants)

    @property
    def of_tenants(self) -> tuple[str, ...]:
        """The tenants as patterns."""
        return tuple(f"{tenant}.*" for tenant in self.tenants)

    def has_portfolio(self, portfolio_id: str) -> bool:
        """Return whether a portfolio of this id is in sight."""
        return _any(portfolio_id, self.portfolios) and _any(portfolio_id, self.of_tenants)

    def has_desk(self, plan_id: str) -> bool:
        """Return whether a plan of this id is in sight."""
        return _any(plan_id, self.desks) and _any(plan_id, self.of_tenants)

    def require_portfolio(self, portfolio_id: str) -> None:
        """Refuse a portfolio out of sight, whether it exists or not.

        Raises:
            CollectionsError: PERMISSION_DENIED.
        """
        if not self.has_portfolio(portfolio_id):
            raise _out_of_sight("portfolio_id", portfolio_id)

    def require_desk(self, plan_id: str) -> None:
        """Refuse a plan out of sight, whether it exists or not.

        Raises:
            CollectionsError: PERMISSION_DENIED.
        """
        if not self.has_desk(plan_id):
            raise _out_of_sight("capacity_plan_id", plan_id)


EVERYTHING = Scope()
_present: ContextVar[Scope] = ContextVar("scope", default=EVERYTHING)


def present_scope() -> Scope:
    """Return what the caller of the work at hand may see; work that nobody asked for sees everything."""
    return _present.get()


def set_scope(scope: Scope) -> None:
    """Limit the work of this context, and of threads that copy it, to what a caller may see."""
    _present.set(scope)


@contextmanager
def seeing(scope: Scope) -> Iterator[None]:
    """Limit the work of a block."""
    token = _present.set(scope)
    try:
        yield
    finally:
        _present.reset(token)
