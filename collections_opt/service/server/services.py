"""All services of the contract over an open workspace, and which calls share places."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

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
    rule_service_pb2,
    schema_service_pb2,
    scoring_service_pb2,
    worklist_service_pb2,
)
from collections_opt.application.training.jobs import TrainingJobs
from collections_opt.application.workspace import Workspace
from collections_opt.service.access.audited import read_note
from collections_opt.service.access.scope_gate import scope_gate
from collections_opt.service.metrics import ServerMetrics
from collections_opt.service.server.handlers import Service
from collections_opt.service.server.places import CallClass
from collections_opt.service.servicers.approved.experiments import ExperimentServicer
from collections_opt.service.servicers.approved.parameters import ParametersServicer
from collections_opt.service.servicers.approved.rule import RuleServicer
from collections_opt.service.servicers.capacity import CapacityServicer
from collections_opt.service.servicers.capacity_what_ifs import CapacityWhatIfs
from collections_opt.service.servicers.event import EventServicer
from collections_opt.service.servicers.evidence_calls import EvidenceCalls
from collections_opt.service.servicers.model import ModelServicer
from collections_opt.service.servicers.monitor import MonitorServicer
from collections_opt.service.servicers.pack import PackServicer
from collections_opt.service.servicers.portfolio import PortfolioServicer
from collections_opt.service.servicers.ranking import RankingServicer
from collections_opt.service.servicers.schema import SchemaServicer
from collections_opt.service.servicers.scoring import ScoringServicer
from collections_opt.service.servicers.worklist import WorklistServicer
from collections_opt.wire.byte_budget import ByteBudget

_C = CallClass
CALL_CLASSES: Mapping[str, Mapping[str, CallClass]] = MappingProxyType(
    {
        "SchemaService": {"GetAccountSchema": _C.READ, "ListProducts": _C.READ},
        "ScoringService": {"ScoreAccounts": _C.WORK},
        "PortfolioService": {
            "ImportPortfolio": _C.BULK,
            "CheckPortfolio": _C.BULK,
            "GetPortfolio": _C.READ,
            "ListPortfolios": _C.READ,
            "ListQuarantinedAccounts": _C.READ,
            "RollForward": _C.WORK,
        },
        "CapacityService": {
            "CreateCapacityPlan": _C.READ,
            "GetCapacityPlan": _C.READ,
            "ListCapacityPlans": _C.READ,
            "UpdateCapacityPlan": _C.READ,
            "ListCapacityPlanVersions": _C.READ,
            "GetCapacityCalendar": _C.READ,
            "ChangeCapacityDays": _C.READ,
            "TakeBackCapacity": _C.READ,
            "EvaluateCapacity": _C.BULK,
            "GetCapacityCurves": _C.BULK,
            "GetNextAgent": _C.WORK,
        },
        "RankingService": {
            "CreateRanking": _C.WORK,
            "GetRanking": _C.READ,
            "GetRankingInForce": _C.READ,
            "ListRankings": _C.READ,
            "CancelRanking": _C.READ,
            "ReadRankingEvents": _C.READ,
            "WatchRanking": _C.WATCH,
            "ExportRanking": _C.BULK,
            "ListWorklist": _C.READ,
            "ExplainAssignment": _C.WORK,
            "PlaceAccounts": _C.WORK,
            "CompareRankings": _C.WORK,
            "CompareMornings": _C.WORK,
            "VerifyRanking": _C.WORK,
            "VerifyLog": _C.WORK,
            "ReplayRanking": _C.WORK,
            "ExportEvidence": _C.BULK,
        },
        "ParametersService": {
            "CreateValueSet": _C.READ,
            "UpdateValueSet": _C.READ,
            "ApproveValueSet": _C.READ,
            "GetValueSet": _C.READ,
            "ListValueSets": _C.READ,
            "ListValueSetVersions": _C.READ,
            "GetValuesInForce": _C.READ,
        },
        "RuleService": {
            "CreateRuleTable": _C.READ,
            "UpdateRuleTable": _C.READ,
            "ApproveRuleTable": _C.READ,
            "GetRuleTable": _C.READ,
            "ListRuleTables": _C.READ,
            "ListRuleTableVersions": _C.READ,
            "GetRulesInForce": _C.READ,
            "EvaluateRules": _C.BULK,
        },
        "ExperimentService": {
            "PlanExperiment": _C.WORK,
            "CreateExperiment": _C.READ,
            "StartExperiment": _C.READ,
            "StopExperiment": _C.READ,
            "GetExperiment": _C.READ,
            "ListExperiments": _C.READ,
            "ReadExperiment": _C.WORK,
        },
        "EventService": {
            "RecordEvents": _C.READ,
            "StreamEvents": _C.BULK,
            "ListAccountEvents": _C.READ,
            "ReadEvents": _C.READ,
        },
        "WorklistService": {
            "LeaseAccounts": _C.DISPATCH,
            "ExtendLease": _C.DISPATCH,
            "CompleteLease": _C.DISPATCH,
            "ReleaseLease": _C.DISPATCH,
            "ListNextAccounts": _C.READ,
            "WatchQueue": _C.WATCH,
        },
        "MonitorService": {
            "RecordOutcomes": _C.BULK,
            "MatureRankings": _C.WORK,
            "ListMaturities": _C.READ,
            "ListOutcomes": _C.READ,
            "GetMonitors": _C.READ,
        },
        "PackService": {"ExportPersonPack": _C.BULK, "GetPortfolioPack": _C.BULK},
        "ModelService": {
            "ListModels": _C.READ,
            "GetModel": _C.READ,
            "SubmitModel": _C.WORK,
            "ValidateModel": _C.WORK,
            "ApproveModel": _C.WORK,
            "PromoteModel": _C.WORK,
            "RollbackModel": _C.WORK,
            "RetireModel": _C.WORK,
            "ListModelEvents": _C.READ,
            "TrainModel": _C.READ,
            "GetTraining": _C.READ,
            "CancelTraining": _C.READ,
        },
    }
)
"""Class of every method; a method without one does not start."""


def all_services(
    workspace: Workspace,
    *,
    metrics: ServerMetrics | None = None,
    imports: ByteBudget | None = None,
) -> tuple[Service, ...]:
    """Return every service of the contract.

    Args:
        workspace: the open use cases.
        metrics: counts rankings and degraded steps.
        imports: memory that imports may hold; None is the default of ``ByteBudget``.
    """
    metrics = metrics or ServerMetrics()
    workspace.rankings.on_recorded = metrics.count_ranking
    workspace.monitors.on_recorded = metrics.show_monitor
    if (found := workspace.monitors.last()) is not None:
        metrics.show_monitor(found)
    books, rankings, ledger = workspace.books, workspace.rankings, workspace.ledger
    what_ifs = CapacityWhatIfs(workspace.baselines, books.calendar)
    ranking_servicer = RankingServicer(rankings, workspace.placer, EvidenceCalls(workspace.evidence), ledger)
    gate, note = scope_gate(ledger.requests.requested), read_note(workspace.trail.note)
    implemented = (
        (schema_service_pb2, "SchemaService", SchemaServicer(workspace.values)),
        (scoring_service_pb2, "ScoringService", ScoringServicer(books, workspace.scores, metrics)),
        (portfolio_service_pb2, "PortfolioService", PortfolioServicer(books, ledger, workspace.rolling, imports)),
        (capacity_service_pb2, "CapacityService", CapacityServicer(books, what_ifs, ledger)),
        (ranking_service_pb2, "RankingService", ranking_servicer),
        (parameters_service_pb2, "ParametersService", ParametersServicer(workspace.values)),
        (rule_service_pb2, "RuleService", RuleServicer(workspace.rule_tables, what_ifs)),
        (event_service_pb2, "EventService", EventServicer(workspace.day.events)),
        (
            experiment_service_pb2,
            "ExperimentService",
            ExperimentServicer(workspace.experiments, workspace.trials, workspace.readings, workspace.now),
        ),
        (worklist_service_pb2, "WorklistService", WorklistServicer(workspace.day, workspace.recorded)),
        (monitor_service_pb2, "MonitorService", MonitorServicer(workspace.monitors)),
        (
            pack_service_pb2,
            "PackService",
            PackServicer(workspace.person_packs, workspace.portfolio_packs, ledger, workspace.trail.note),
        ),
        (model_service_pb2, "ModelService", ModelServicer(workspace.models, TrainingJobs(workspace, workspace.now))),
    )
    return tuple(
        Service(module.DESCRIPTOR.services_by_name[name], servicer, CALL_CLASSES[name], gate, note)
        for module, name, servicer in implemented
    )


def _experiments(workspace: Workspace) -> ExperimentServicer:
    return ExperimentServicer(workspace.experiments, workspace.trials, workspace.readings, workspace.now)
