"""Read whole lists, a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from collections_opt.api.v1 import (
    capacity_plan_pb2,
    capacity_service_pb2,
    experiment_pb2,
    experiment_service_pb2,
    model_service_pb2,
    portfolio_service_pb2,
    ranking_pb2,
    ranking_service_pb2,
)
from collections_opt.client.client import Client

Item = TypeVar("Item")


def pages(ask: Callable[[str], Any], items: Callable[[Any], Iterable[Item]]) -> Iterator[Item]:
    """Yield the items of every page.

    Args:
        ask: returns the answer for a page token, "" for the first page; the answer names the next one.
        items: returns the items of an answer.
    """
    token = ""
    while True:
        page = ask(token)
        yield from items(page)
        token = page.next_page_token
        if not token:
            return


def all_portfolios(client: Client, filter_text: str = "", order_by: str = "") -> Iterator[portfolio_service_pb2.Portfolio]:
    """Yield portfolio headers; filter and order as ``ListPortfoliosRequest`` has them, by id without an order."""
    request = portfolio_service_pb2.ListPortfoliosRequest
    return pages(
        lambda token: client.portfolios.ListPortfolios(request(page_token=token, filter=filter_text, order_by=order_by)),
        lambda page: page.portfolios,
    )


def all_plans(client: Client) -> Iterator[capacity_plan_pb2.CapacityPlan]:
    """Yield the latest version of every capacity plan by id."""
    request = capacity_service_pb2.ListCapacityPlansRequest
    return pages(lambda token: client.capacity.ListCapacityPlans(request(page_token=token)), lambda page: page.capacity_plans)


def all_rankings(client: Client, filter_text: str = "") -> Iterator[ranking_pb2.Ranking]:
    """Yield recorded rankings, newest first; ``filter_text`` as ``ListRankingsRequest.filter``."""
    request = ranking_service_pb2.ListRankingsRequest
    return pages(
        lambda token: client.rankings.ListRankings(request(page_token=token, filter=filter_text)), lambda page: page.rankings
    )


def all_models(client: Client, kind: str = "") -> Iterator[model_service_pb2.Model]:
    """Yield the model versions of a kind; "" is the outcome model."""
    request = model_service_pb2.ListModelsRequest
    return pages(lambda token: client.models.ListModels(request(kind=kind, page_token=token)), lambda page: page.models)


def all_experiments(client: Client) -> Iterator[experiment_pb2.Experiment]:
    """Yield what stands of every experiment, by id."""
    request = experiment_service_pb2.ListExperimentsRequest
    return pages(lambda token: client.experiments.ListExperiments(request(page_token=token)), lambda page: page.experiments)
