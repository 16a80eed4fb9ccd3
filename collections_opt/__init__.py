"""Decides every morning which delinquent accounts a lender's agents should work, and can prove it.

The names below are the public ones of the core: arrays in, a ranking out, without a server. Callers of a server use
``collections_opt.client``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections_opt.core.accounts.admission import admit as admit
    from collections_opt.core.accounts.portfolio import Portfolio as Portfolio
    from collections_opt.core.accounts.portfolio import RawPortfolio as RawPortfolio
    from collections_opt.core.desk.queues import CapacityPlan as CapacityPlan
    from collections_opt.core.desk.queues import Queue as Queue
    from collections_opt.core.errors import CollectionsError as CollectionsError
    from collections_opt.core.ranking.pipeline import RankingRequest as RankingRequest
    from collections_opt.core.ranking.pipeline import rank as rank
    from collections_opt.core.ranking.ranking import Ranking as Ranking
    from collections_opt.core.rules.tables import RuleTable as RuleTable
    from collections_opt.core.value.parameters import ValueParameters as ValueParameters

__version__ = "0.3.0"

_PUBLIC = {
    "CapacityPlan": "desk.queues",
    "CollectionsError": "errors",
    "Portfolio": "accounts.portfolio",
    "Queue": "desk.queues",
    "Ranking": "ranking.ranking",
    "RankingRequest": "ranking.pipeline",
    "RawPortfolio": "accounts.portfolio",
    "RuleTable": "rules.tables",
    "ValueParameters": "value.parameters",
    "admit": "accounts.admission",
    "rank": "ranking.pipeline",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    """Return a public name, loaded now: a client that asks a server loads no core that it does not need."""
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.core.{_PUBLIC[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
