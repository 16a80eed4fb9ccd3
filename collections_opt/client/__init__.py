"""Floor 3: a Python client of the gRPC contract: deadlines, retries and refusals as ``CollectionsError``. Knows no use case.

Example:
    from collections_opt.api.v1.ranking_service_pb2 import CreateRankingRequest
    from collections_opt.client import Connection, connect, export_entries, make_ranking, new_request_id
"""

from typing import TYPE_CHECKING

from collections_opt.lazy_names import lazy_names

if TYPE_CHECKING:
    from collections_opt.client.approved import all_rule_tables as all_rule_tables
    from collections_opt.client.approved import all_value_sets as all_value_sets
    from collections_opt.client.approved import rule_table as rule_table
    from collections_opt.client.approved import save_rule_table as save_rule_table
    from collections_opt.client.approved import save_value_set as save_value_set
    from collections_opt.client.approved import value_set as value_set
    from collections_opt.client.capacity import capacity_curves as capacity_curves
    from collections_opt.client.capacity import evaluate_capacity as evaluate_capacity
    from collections_opt.client.capacity import evaluate_rules as evaluate_rules
    from collections_opt.client.capacity import summarise_evaluation as summarise_evaluation
    from collections_opt.client.client import Client as Client
    from collections_opt.client.client import connect as connect
    from collections_opt.client.comparison import ComparedOrders as ComparedOrders
    from collections_opt.client.comparison import ComparisonTerms as ComparisonTerms
    from collections_opt.client.comparison import compare_orders as compare_orders
    from collections_opt.client.connection import Connection as Connection
    from collections_opt.client.day import ContactMeans as ContactMeans
    from collections_opt.client.day import account_events as account_events
    from collections_opt.client.day import check_contact as check_contact
    from collections_opt.client.day import complete_lease as complete_lease
    from collections_opt.client.day import lease_accounts as lease_accounts
    from collections_opt.client.day import next_accounts as next_accounts
    from collections_opt.client.day import read_events as read_events
    from collections_opt.client.day import record_events as record_events
    from collections_opt.client.day import record_reviews as record_reviews
    from collections_opt.client.day import release_lease as release_lease
    from collections_opt.client.day import stream_events as stream_events
    from collections_opt.client.exports import export_columns as export_columns
    from collections_opt.client.exports import export_entries as export_entries
    from collections_opt.client.exports import export_evidence as export_evidence
    from collections_opt.client.listings import all_models as all_models
    from collections_opt.client.listings import all_plans as all_plans
    from collections_opt.client.listings import all_portfolios as all_portfolios
    from collections_opt.client.listings import all_rankings as all_rankings
    from collections_opt.client.portfolios import CheckedPortfolio as CheckedPortfolio
    from collections_opt.client.portfolios import PortfolioParts as PortfolioParts
    from collections_opt.client.portfolios import check_portfolio as check_portfolio
    from collections_opt.client.portfolios import import_portfolio as import_portfolio
    from collections_opt.client.portfolios import quarantined as quarantined
    from collections_opt.client.portfolios import roll_forward as roll_forward
    from collections_opt.client.rankings import get_ranking as get_ranking
    from collections_opt.client.rankings import headline as headline
    from collections_opt.client.rankings import make_ranking as make_ranking
    from collections_opt.client.rankings import new_request_id as new_request_id
    from collections_opt.client.rankings import ranking_in_force as ranking_in_force
    from collections_opt.client.rankings import summarise as summarise
    from collections_opt.client.rankings import watch as watch
    from collections_opt.client.rankings import worklist as worklist
    from collections_opt.client.scores import ScoredTable as ScoredTable
    from collections_opt.client.scores import score_columns as score_columns
    from collections_opt.core.errors import CollectionsError as CollectionsError
    from collections_opt.core.errors import Reason as Reason

_PUBLIC = {
    "CheckedPortfolio": "collections_opt.client.portfolios",
    "Client": "collections_opt.client.client",
    "CollectionsError": "collections_opt.core.errors",
    "ComparedOrders": "collections_opt.client.comparison",
    "ComparisonTerms": "collections_opt.client.comparison",
    "ContactMeans": "collections_opt.client.day",
    "Connection": "collections_opt.client.connection",
    "PortfolioParts": "collections_opt.client.portfolios",
    "Reason": "collections_opt.core.errors",
    "ScoredTable": "collections_opt.client.scores",
    "account_events": "collections_opt.client.day",
    "all_models": "collections_opt.client.listings",
    "all_plans": "collections_opt.client.listings",
    "all_portfolios": "collections_opt.client.listings",
    "all_rankings": "collections_opt.client.listings",
    "all_rule_tables": "collections_opt.client.approved",
    "all_value_sets": "collections_opt.client.approved",
    "capacity_curves": "collections_opt.client.capacity",
    "check_contact": "collections_opt.client.day",
    "check_portfolio": "collections_opt.client.portfolios",
    "compare_orders": "collections_opt.client.comparison",
    "complete_lease": "collections_opt.client.day",
    "connect": "collections_opt.client.client",
    "evaluate_capacity": "collections_opt.client.capacity",
    "evaluate_rules": "collections_opt.client.capacity",
    "export_columns": "collections_opt.client.exports",
    "export_entries": "collections_opt.client.exports",
    "export_evidence": "collections_opt.client.exports",
    "get_ranking": "collections_opt.client.rankings",
    "headline": "collections_opt.client.rankings",
    "import_portfolio": "collections_opt.client.portfolios",
    "lease_accounts": "collections_opt.client.day",
    "make_ranking": "collections_opt.client.rankings",
    "new_request_id": "collections_opt.client.rankings",
    "next_accounts": "collections_opt.client.day",
    "quarantined": "collections_opt.client.portfolios",
    "ranking_in_force": "collections_opt.client.rankings",
    "read_events": "collections_opt.client.day",
    "record_events": "collections_opt.client.day",
    "record_reviews": "collections_opt.client.day",
    "release_lease": "collections_opt.client.day",
    "roll_forward": "collections_opt.client.portfolios",
    "rule_table": "collections_opt.client.approved",
    "save_rule_table": "collections_opt.client.approved",
    "save_value_set": "collections_opt.client.approved",
    "score_columns": "collections_opt.client.scores",
    "stream_events": "collections_opt.client.day",
    "summarise": "collections_opt.client.rankings",
    "summarise_evaluation": "collections_opt.client.capacity",
    "value_set": "collections_opt.client.approved",
    "watch": "collections_opt.client.rankings",
    "worklist": "collections_opt.client.rankings",
}

__all__ = list(_PUBLIC)
__getattr__, __dir__ = lazy_names(__name__, _PUBLIC)
