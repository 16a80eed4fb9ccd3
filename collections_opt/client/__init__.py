"""Floor 3: a Python client of the gRPC contract: deadlines, retries and refusals as ``CollectionsError``. Knows no use case.

Example:
    from collections_opt.api.v1.ranking_service_pb2 import CreateRankingRequest
    from collections_opt.client import Connection, connect, export_entries, make_ranking, new_request_id
"""

from collections_opt.client.capacity import capacity_curves, evaluate_capacity, summarise_evaluation
from collections_opt.client.client import Client, connect
from collections_opt.client.comparison import ComparedOrders, ComparisonTerms, compare_orders
from collections_opt.client.connection import Connection
from collections_opt.client.day import (
    account_events,
    complete_lease,
    lease_accounts,
    next_accounts,
    read_events,
    record_events,
    release_lease,
    stream_events,
)
from collections_opt.client.exports import export_columns, export_entries, export_evidence
from collections_opt.client.listings import all_models, all_plans, all_portfolios, all_rankings
from collections_opt.client.portfolios import CheckedPortfolio, PortfolioParts, check_portfolio, import_portfolio, quarantined
from collections_opt.client.rankings import (
    get_ranking,
    headline,
    make_ranking,
    new_request_id,
    ranking_in_force,
    summarise,
    watch,
    worklist,
)
from collections_opt.client.rules import all_rule_tables, evaluate_rules, rule_table, save_rule_table
from collections_opt.client.values import all_value_sets, save_value_set, value_set
from collections_opt.core.errors import CollectionsError, Reason

__all__ = [
    "CheckedPortfolio",
    "Client",
    "CollectionsError",
    "ComparedOrders",
    "ComparisonTerms",
    "Connection",
    "PortfolioParts",
    "Reason",
    "account_events",
    "all_models",
    "all_plans",
    "all_portfolios",
    "all_rankings",
    "all_rule_tables",
    "all_value_sets",
    "capacity_curves",
    "check_portfolio",
    "compare_orders",
    "complete_lease",
    "connect",
    "evaluate_capacity",
    "evaluate_rules",
    "export_columns",
    "export_entries",
    "export_evidence",
    "get_ranking",
    "headline",
    "import_portfolio",
    "lease_accounts",
    "make_ranking",
    "new_request_id",
    "next_accounts",
    "quarantined",
    "ranking_in_force",
    "read_events",
    "record_events",
    "release_lease",
    "rule_table",
    "save_rule_table",
    "save_value_set",
    "stream_events",
    "summarise",
    "summarise_evaluation",
    "value_set",
    "watch",
    "worklist",
]
