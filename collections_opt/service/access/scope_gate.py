"""What a limited token may call, and a look at the ids of its requests before any use case sees them: caches know no callers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from google.protobuf.message import Message

from collections_opt.core.scopes import Scope, present_scope
from collections_opt.service.access.methods import METHODS

_PORTFOLIOS, _DESKS = ("portfolio_id", "later_portfolio_ids"), ("capacity_plan_id", "plan_id")
_RANKINGS = ("ranking_id", "ranking_ids", "previous_ranking_id", "before_ranking_id", "after_ranking_id")


def may_call(service: str, method: str, scope: Scope) -> bool:
    """Return whether a token of this scope may call a method at all."""
    held = METHODS.get(service, {}).get(method)
    return not scope.is_limited or (held is not None and held.in_scope)


def scope_gate(find_ranking: Callable[[str], object]) -> Callable[[Message], None]:
    """Return what refuses a request that names anything out of the caller's sight.

    Args:
        find_ranking: refuses a ranking that the present scope does not let be seen.
    """

    def check(message: Message) -> None:
        scope = present_scope()
        if not scope.is_limited:
            return
        for name, value in _ids(message):
            if name in _PORTFOLIOS:
                scope.require_portfolio(value)
            elif name in _DESKS:
                scope.require_desk(value)
            else:
                find_ranking(value)

    return check


def _ids(message: Message) -> Iterator[tuple[str, str]]:
    for field, value in message.ListFields():
        if field.message_type is not None:
            nested: Any = value if field.is_repeated else (value,)
            if not field.message_type.GetOptions().map_entry:
                for each in nested:
                    yield from _ids(each)
        elif field.name in (*_PORTFOLIOS, *_DESKS, *_RANKINGS):
            yield from ((field.name, text) for text in (value if field.is_repeated else (value,)) if text)
