"""What good requests can name of a served book and its ranking."""

from __future__ import annotations

from collections_opt.api.v1 import capacity_service_pb2, ranking_service_pb2
from tests.support.serving.calls import PLAN, WAIT
from tests.support.serving.requests.good import Known
from tests.support.serving.requests.worklists import lease_all


def known_of(client, ranking):
    """Return what is known of a ranking, of whose first queue every account is leased."""
    queue = ranking.queues[0].queue_id
    page = ranking_service_pb2.ListWorklistRequest(ranking_id=ranking.ranking_id, queue_id=queue)
    first = client.rankings.ListWorklist(page, timeout=WAIT).entries[0].account_id
    latest = client.plans.GetCapacityPlan(capacity_service_pb2.GetCapacityPlanRequest(plan_id=PLAN), timeout=WAIT)
    leases = lease_all(client.worklists, ranking.ranking_id, queue, WAIT)
    return Known(ranking.ranking_id, queue, first, latest.capacity_plan.etag, "", "", leases)
