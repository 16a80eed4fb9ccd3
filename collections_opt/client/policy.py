"""How long a call may take and when grpc may repeat it, by method."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from google.protobuf.descriptor import FileDescriptor, MethodDescriptor

from collections_opt.api.v1 import (
    capacity_service_pb2,
    event_service_pb2,
    experiment_service_pb2,
    model_service_pb2,
    monitor_service_pb2,
    pack_service_pb2,
    parameters_service_pb2,
    portfolio_service_pb2,
    ranking_service_pb2,
    retention_service_pb2,
    rule_service_pb2,
    schema_service_pb2,
    scoring_service_pb2,
    worklist_service_pb2,
)

CONTRACT: Sequence[FileDescriptor] = (
    schema_service_pb2.DESCRIPTOR,
    scoring_service_pb2.DESCRIPTOR,
    portfolio_service_pb2.DESCRIPTOR,
    capacity_service_pb2.DESCRIPTOR,
    ranking_service_pb2.DESCRIPTOR,
    model_service_pb2.DESCRIPTOR,
    parameters_service_pb2.DESCRIPTOR,
    rule_service_pb2.DESCRIPTOR,
    event_service_pb2.DESCRIPTOR,
    experiment_service_pb2.DESCRIPTOR,
    worklist_service_pb2.DESCRIPTOR,
    monitor_service_pb2.DESCRIPTOR,
    pack_service_pb2.DESCRIPTOR,
    retention_service_pb2.DESCRIPTOR,
)
"""Files that declare services."""

DEFAULT_DEADLINE_SECONDS = 60.0
DEADLINE_SECONDS: Mapping[str, float] = MappingProxyType(
    {
        "ImportPortfolio": 3_600.0,
        "CheckPortfolio": 3_600.0,
        "DraftMapping": 600.0,
        "ImportFile": 3_600.0,
        "ExportRanking": 3_600.0,
        "WatchRanking": 600.0,
        "WatchQueue": 600.0,
        "CompareRankings": 600.0,
        "CompareOutcomes": 600.0,
        "CompareMornings": 600.0,
        "VerifyRanking": 600.0,
        "VerifyLog": 600.0,
        "ReplayRanking": 3_600.0,
        "ExportEvidence": 3_600.0,
        "EvaluateCapacity": 3_600.0,
        "GetCapacityCurves": 3_600.0,
        "GetNextAgent": 3_600.0,
        "EvaluateRules": 3_600.0,
        "PlanExperiment": 600.0,
        "RollForward": 3_600.0,
        "DeletePortfolio": 600.0,
        "ExpirePortfolios": 3_600.0,
        "ReadExperiment": 3_600.0,
        "StreamEvents": 3_600.0,
        "RecordOutcomes": 3_600.0,
        "MatureRankings": 3_600.0,
        "ExportPersonPack": 3_600.0,
        "GetPortfolioPack": 3_600.0,
        "EraseAccounts": 600.0,
        "EraseLapsedAccounts": 3_600.0,
        "PlaceHold": 600.0,
    }
)
"""Deadlines of methods that move or read whole portfolios; a watch that runs out is opened again."""

READS = (
    "Get",
    "Check",
    "List",
    "Watch",
    "Export",
    "Explain",
    "Compare",
    "Score",
    "Place",
    "Evaluate",
    "Verify",
    "Replay",
    "Read",
    "Plan",
    "Draft",
)
"""Beginnings of the names of methods that change nothing."""

REPEATABLE = frozenset(
    {
        *("CreateRanking", "CancelRanking", "ImportPortfolio", "ImportFile", "RollForward"),
        *("DeletePortfolio", "ExpirePortfolios"),
        *("CreateValueSet", "UpdateValueSet", "ApproveValueSet"),
        *("CreateRuleTable", "UpdateRuleTable", "ApproveRuleTable"),
        *("RecordOutcomes", "MatureRankings"),
        *("EraseAccounts", "ErasePersons", "EraseLapsedAccounts", "PlaceHold", "ReleaseHold"),
        *("TrainModel", "CancelTraining"),
        *("CreateExperiment", "StartExperiment", "StopExperiment"),
        *("RecordEvents", "StreamEvents", "RecordReviews"),
        *("LeaseAccounts", "ExtendLease", "CompleteLease", "ReleaseLease"),
    }
)
"""Methods that change something once however often they are sent: by request id, by content, by state."""

_ATTEMPTS = {"maxAttempts": 5, "initialBackoff": "0.2s", "maxBackoff": "3s", "backoffMultiplier": 2}


def deadline_seconds(method: str) -> float:
    """Return the deadline of a call that names none; ``method`` is its path or its declared name."""
    return DEADLINE_SECONDS.get(method.rpartition("/")[2], DEFAULT_DEADLINE_SECONDS)


def retryable_codes(method: str) -> tuple[str, ...]:
    """Return the status codes after which a method may be sent again.

    RESOURCE_EXHAUSTED is a refusal before anything ran, so it is safe for every method. After UNAVAILABLE the outcome is
    unknown, so only what may happen twice is repeated.
    """
    idempotent = method.startswith(READS) or method in REPEATABLE
    return ("UNAVAILABLE", "RESOURCE_EXHAUSTED") if idempotent else ("RESOURCE_EXHAUSTED",)


def service_config() -> str:
    """Return grpc's service config (JSON): a retry policy for every method of the contract."""
    methods = [method for file in CONTRACT for service in file.services_by_name.values() for method in service.methods]
    return json.dumps({"methodConfig": [_method_config(method) for method in methods]}, sort_keys=True)


def _method_config(method: MethodDescriptor) -> dict[str, Any]:
    name = {"service": method.containing_service.full_name, "method": method.name}
    return {"name": [name], "retryPolicy": {**_ATTEMPTS, "retryableStatusCodes": list(retryable_codes(method.name))}}
