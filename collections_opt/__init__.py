"""Decides every morning which delinquent accounts a lender's agents should work, and can prove it.

The names below are the public ones of the core: arrays in, a ranking out, without a server. Callers of a server use
``collections_opt.client``.
"""

from typing import TYPE_CHECKING

from collections_opt.lazy_names import lazy_names

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
    "CapacityPlan": "collections_opt.core.desk.queues",
    "CollectionsError": "collections_opt.core.errors",
    "Portfolio": "collections_opt.core.accounts.portfolio",
    "Queue": "collections_opt.core.desk.queues",
    "Ranking": "collections_opt.core.ranking.ranking",
    "RankingRequest": "collections_opt.core.ranking.pipeline",
    "RawPortfolio": "collections_opt.core.accounts.portfolio",
    "RuleTable": "collections_opt.core.rules.tables",
    "ValueParameters": "collections_opt.core.value.parameters",
    "admit": "collections_opt.core.accounts.admission",
    "rank": "collections_opt.core.ranking.pipeline",
}

__all__ = list(_PUBLIC)
__getattr__, __dir__ = lazy_names(__name__, _PUBLIC)
