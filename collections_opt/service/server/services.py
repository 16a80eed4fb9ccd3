"""All services of the contract over an open workspace."""

from __future__ import annotations

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
from collections_opt.application.training.jobs import TrainingJobs
from collections_opt.application.workspace import Workspace
from collections_opt.service.access.audited import read_note
from collections_opt.service.access.methods import METHODS, CallClass
from collections_opt.service.access.scope_gate import scope_gate
from collections_opt.service.metrics import ServerMetrics
from collections_opt.service.server.handlers import Service
from collections_opt.service.servicers.approved.experiments import ExperimentServicer
from collections_opt.service.servicers.approved.parameters import ParametersServicer
from collections_opt.service.servicers.approved.rule import RuleServicer
from collections_opt.service.servicers.capacity import CapacityServicer
from collections_opt.service.servicers.capacity_what_ifs import CapacityWhatIfs
from collections_opt.service.servicers.event import EventServicer
from collections_opt.service.servicers.model import ModelServicer
from collections_opt.service.servicers.monitor import MonitorServicer
from collections_opt.service.servicers.pack import PackServicer
from collections_opt.service.servicers.portfolio import PortfolioServicer
from collections_opt.service.servicers.ranking import RankingServicer
from collections_opt.service.servicers.records.evidence_calls import EvidenceCalls
from collections_opt.service.servicers.records.retention import RetentionServicer
from collections_opt.service.servicers.schema import SchemaServicer
from collections_opt.service.servicers.scoring import ScoringServicer
from collections_opt.service.servicers.worklist import WorklistServicer
from collections_opt.wire.byte_budget import ByteBudget


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
        (event_service_pb2, "EventService", EventServicer(workspace.day.events, workspace.day.reviews)),
        (
            experiment_service_pb2,
            "ExperimentService",
            ExperimentServicer(workspace.experiments, workspace.trials, workspace.readings, workspace.now),
        ),
        (worklist_service_pb2, "WorklistService", WorklistServicer(workspace.day)),
        (monitor_service_pb2, "MonitorService", MonitorServicer(workspace.monitors, workspace.recorded)),
        (
            retention_service_pb2,
            "RetentionService",
            RetentionServicer(workspace.evidence.erasures, workspace.evidence.holds),
        ),
        (
            pack_service_pb2,
            "PackService",
            PackServicer(workspace.packs.persons, workspace.packs.portfolios, ledger, workspace.trail.note),
        ),
        (model_service_pb2, "ModelService", ModelServicer(workspace.models, TrainingJobs(workspace, workspace.now))),
    )
    return tuple(
        Service(module.DESCRIPTOR.services_by_name[name], servicer, _classes(name), gate, note)
        for module, name, servicer in implemented
    )


def _classes(service: str) -> dict[str, CallClass]:
    return {name: held.places for name, held in METHODS[service].items()}
