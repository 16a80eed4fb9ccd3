"""Good requests of ExperimentService, with every field that a caller can set."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

from collections_opt.api.v1 import experiment_pb2
from collections_opt.api.v1 import experiment_service_pb2 as pb
from collections_opt.application.resources.approved import ApprovalCommand
from collections_opt.application.resources.experiments import NewExperiment, StopCommand
from collections_opt.application.settings import dump
from collections_opt.core.actors import Actor
from collections_opt.core.experiments.design import ExperimentDesign, Scope
from collections_opt.core.resources import ResourceKind, resource_etag
from collections_opt.wire.common import write_date
from tests.support.serving.calls import AS_OF

EXPERIMENT, RUNNING, STOPPING, READ = "saved-experiment", "running-experiment", "stopping-experiment", "read-experiment"
"""Experiments that the server holds: one that nobody started, two that run where nobody is, one with a stop to approve, and one
that the book's rankings are part of."""

SALT = "00112233445566778899aabbccddeeff"
_SCOPE = Scope(("swept-*",), ("CREDIT_CARD",), (1, 2))
_LATER = AS_OF + timedelta(days=400)
_DESIGN = ExperimentDesign(50_000_000, SALT, _LATER, _LATER + timedelta(days=60), 30, 10_000, _SCOPE)
_ETAG = resource_etag(ResourceKind.EXPERIMENT, EXPERIMENT, 1, _LATER, dump(_DESIGN))


def save_experiments(workspace):
    """Save an experiment that nobody has started, and start another."""
    design = _DESIGN
    workspace.experiments.create(NewExperiment(EXPERIMENT, design), Actor("sue"))
    other = replace(design, scope=Scope(("elsewhere",)))
    workspace.experiments.create(NewExperiment(RUNNING, other), Actor("sue"))
    stopping = replace(design, scope=Scope(("nowhere",)))
    workspace.experiments.create(NewExperiment(STOPPING, stopping), Actor("sue"))
    ours = replace(design, scope=Scope(("book",)), starts_on=AS_OF, ends_on=_LATER)
    workspace.experiments.create(NewExperiment(READ, ours), Actor("sue"))
    for name in (RUNNING, STOPPING, READ):
        workspace.experiments.start(ApprovalCommand(name, 1), Actor("ben"))
    workspace.experiments.stop(StopCommand(STOPPING, _LATER + timedelta(days=9), "enough"), Actor("sue"))


def experiment(experiment_id):
    """Return an experiment with every field that a caller can set."""
    return experiment_pb2.Experiment(
        experiment_id=experiment_id,
        scope=experiment_pb2.ExperimentScope(portfolio_patterns=["swept-*"], products=["CREDIT_CARD"], buckets=[1, 2]),
        share=0.05,
        start_date=write_date(_LATER),
        end_date=write_date(_LATER + timedelta(days=60)),
        horizon_days=30,
        planned_person_count=10_000,
        stop_rule=experiment_pb2.EXPERIMENT_STOP_RULE_CASH_DECIDED,
        salt=SALT,
    )


def experiment_requests(ranking_id):
    """Return a good request per method of the service."""
    an_act = {"request_id": str(uuid.UUID(int=61, version=4)), "validate_only": True}
    scope = experiment_pb2.ExperimentScope(portfolio_patterns=["book"], products=["CREDIT_CARD"], buckets=[1, 2])
    return {
        "PlanExperiment": pb.PlanExperimentRequest(
            ranking_id=ranking_id,
            scope=scope,
            share=0.1,
            duration_days=30,
            horizon_days=30,
            standard_deviation_minor_units=30_000.0,
            correlation=0.5,
            wanted_effect_minor_units=2_000.0,
        ),
        "CreateExperiment": pb.CreateExperimentRequest(
            actor="ann", experiment=experiment(EXPERIMENT), etag=_ETAG, note="swept", **an_act
        ),
        "StartExperiment": pb.StartExperimentRequest(actor="ben", experiment_id=EXPERIMENT, version=1, note="swept", **an_act),
        "StopExperiment": [
            [
                pb.StopExperimentRequest(
                    actor="ann", experiment_id=RUNNING, stop_date=write_date(_LATER + timedelta(days=9)), reason="swept", **an_act
                )
            ],
            [pb.StopExperimentRequest(actor="ben", experiment_id=STOPPING, version=2, **an_act)],
        ],
        "GetExperiment": pb.GetExperimentRequest(experiment_id=EXPERIMENT, version=1),
        "ReadExperiment": pb.ReadExperimentRequest(experiment_id=READ),
        "ListExperiments": pb.ListExperimentsRequest(page_size=5),
    }
