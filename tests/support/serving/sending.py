"""Sends messages however odd to a real server, and fails a test when the server itself does."""

from __future__ import annotations

import grpc
import structlog
from hypothesis import HealthCheck

from collections_opt.client.policy import CONTRACT
from tests.support.serving.edge import refusal
from tests.support.serving.requests.messages import messages

METHODS = [m for file in CONTRACT for service in file.services_by_name.values() for m in service.methods]
WAIT = 30.0
BAD = {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.UNIMPLEMENTED}
SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def send(client, method, request):
    """Return the reason of the refusal, or None; a server failure fails the test with the request."""
    stubs = {
        "CapacityService": client.plans,
        "EventService": client.events,
        "ExperimentService": client.experiments,
        "ModelService": client.models,
        "MonitorService": client.monitors,
        "PackService": client.packs,
        "ParametersService": client.parameters,
        "PortfolioService": client.portfolios,
        "RankingService": client.rankings,
        "RetentionService": client.retention,
        "RuleService": client.rules,
        "SchemaService": client.schema,
        "ScoringService": client.scoring,
        "WorklistService": client.worklists,
    }
    call = getattr(stubs[method.containing_service.name], method.name)
    with structlog.testing.capture_logs() as logs:
        try:
            answer = call(iter(request) if method.client_streaming else request, timeout=WAIT)
            if method.server_streaming:
                list(answer)
        except grpc.RpcError as error:
            code, reason, _ = refusal(error)
            failures = [log.get("exception") for log in logs if log["event"] == "call failed"]
            assert code not in BAD, (reason, failures, request)
            return reason
    return None


def merged(good, odd):
    """Return a good message with the set fields of an odd one written over it."""
    result = type(good)()
    result.CopyFrom(good)
    result.MergeFrom(odd)
    return result


def over(good):
    """Return a strategy of a good message with odd fields written over it."""
    return messages(good.DESCRIPTOR).map(lambda odd: merged(good, odd))
