"""Constraints through a real server: asked for, watched, read back with prices and shortages, exported with propensities."""

from __future__ import annotations

import uuid
from contextlib import closing

import numpy as np
import pytest

from collections_opt.api.v1 import constraints_pb2, ranking_pb2, ranking_service_pb2
from collections_opt.application.settings import bundled_plan
from collections_opt.application.workspace import open_workspace
from collections_opt.wire.columns import ColumnCollector
from tests.support.books.bundled_portfolio import BUNDLED_PORTFOLIO_ID, import_bundled
from tests.support.serving.calls import MODELS, NOW, calling

WAIT = 120.0
MOST, LEAST = constraints_pb2.LIMIT_KIND_AT_MOST, constraints_pb2.LIMIT_KIND_AT_LEAST


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    workspace = open_workspace(tmp_path_factory.mktemp("data"), MODELS, lambda: NOW)
    import_bundled(workspace)
    with closing(workspace), calling(workspace) as stubs:
        yield stubs


def made(client, ordering=ranking_pb2.ORDERING_EXPECTED_VALUE, **changes):
    """Make a ranking and return every state that its watch shows."""
    request = ranking_service_pb2.CreateRankingRequest(
        request_id=str(uuid.uuid4()),
        portfolio_id=BUNDLED_PORTFOLIO_ID,
        capacity_plan_id=bundled_plan().plan_id,
        ordering=ordering,
        **changes,
    )
    ranking_id = client.rankings.CreateRanking(request, timeout=WAIT).ranking.ranking_id
    watching = ranking_service_pb2.WatchRankingRequest(ranking_id=ranking_id)
    return [answer.ranking for answer in client.rankings.WatchRanking(watching, timeout=WAIT)]


def test_constraints_come_back_priced_reported_and_exported(client):
    first = made(client)[-1]
    assert first.state == ranking_pb2.RANKING_STATE_SUCCEEDED
    assert not first.inputs.HasField("constraints")
    constraints = constraints_pb2.RankingConstraints(
        limits=[
            constraints_pb2.AccountLimit(name="few", kind=MOST, account_count=first.counts.assigned_count // 2),
            constraints_pb2.AccountLimit(name="everybody", kind=LEAST, segment_share=1.0),
        ],
        max_moved_count=first.counts.assigned_count,
        exploration_share=0.05,
    )
    seen = made(client, constraints=constraints, previous_ranking_id=first.ranking_id)
    ranking = seen[-1]
    assert ranking.state == ranking_pb2.RANKING_STATE_SUCCEEDED
    assert ranking.inputs.constraints == constraints
    assert ranking.inputs.previous_ranking_id == first.ranking_id
    few, everybody, moves = ranking.limits
    assert (few.name, everybody.name, moves.name) == ("few", "everybody", "moves")
    assert (few.missing_count, moves.missing_count) == (0, 0)
    assert everybody.missing_count > 0 < everybody.price_minor_units
    assert few.price_minor_units > 0
    assert ranking.counts.assigned_count <= first.counts.assigned_count // 2
    fractions = [state.progress.fraction for state in seen if state.HasField("progress")]
    assert fractions == sorted(fractions)
    collector = ColumnCollector(4_209)
    for response in client.rankings.ExportRanking(
        ranking_service_pb2.ExportRankingRequest(ranking_id=ranking.ranking_id), timeout=WAIT
    ):
        collector.add(response.chunk)
    table = collector.columns().values
    drawn = table["explored"].astype(bool)
    assert drawn.sum() == ranking.exploration.drawn_count > 0
    assert np.median(table["propensity"][drawn]) < 0.1
    assert (table["propensity"] > 0).all()
    assert table["increment_minor_units"][drawn].sum() == ranking.exploration.increment_minor_units
    rates = {queue.queue_id: queue.rate for queue in ranking.exploration.queues}
    assert all(table["propensity"][row] >= rates[table["queue_id"][row]] - 1e-9 for row in np.flatnonzero(drawn)[:20])


def test_a_raw_order_keeps_to_constraints_and_states_what_its_floor_lacks(client):
    limits = [
        constraints_pb2.AccountLimit(name="few", kind=MOST, account_count=100),
        constraints_pb2.AccountLimit(name="everybody", kind=LEAST, segment_share=1.0),
    ]
    constraints = constraints_pb2.RankingConstraints(limits=limits)
    ranking = made(client, constraints=constraints, ordering=ranking_pb2.ORDERING_BALANCE)[-1]
    few, everybody = ranking.limits
    assert ranking.counts.assigned_count == 100
    assert (few.missing_count, everybody.missing_count) == (0, 4_209 - 100)
    assert everybody.price_minor_units == 0
