"""Folders of models for tests: copies of the shipped version under other names, small scorecards, and people with roles."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from collections_opt.application.models.registry import ModelCommand
from collections_opt.application.models.registry_policy import Role, read_policy, write_policy
from collections_opt.core.accounts.features import FEATURE_NAMES, FEATURE_SET_VERSION
from collections_opt.core.models.lifecycle import ApprovalTerms, ModelAction, ModelKind
from collections_opt.scoring.outcome.artifacts import write_artifact
from collections_opt.scoring.outcome.calibration import IDENTITY
from collections_opt.scoring.outcome.predictors import SCORECARD
from collections_opt.scoring.outcome.scorecard import Scorecard, ScorecardFeature
from collections_opt.scoring.versions.artifacts import Manifest

SHIPPED = Path(__file__).parents[3] / "models"
SHIPPED_VERSION = "credit-card-4"
NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
PEOPLE = {Role.SUBMITTER: ("sue",), Role.VALIDATOR: ("val",), Role.APPROVER: ("ada",), Role.OPERATOR: ("op",)}
ACTORS = {ModelAction.SUBMIT: "sue", ModelAction.VALIDATE: "val", ModelAction.APPROVE: "ada"}


def folder_with_people(tmp_path: Path) -> Path:
    """Return a copy of the shipped models in which people have roles."""
    models = Path(shutil.copytree(SHIPPED, tmp_path / "models"))
    policy = read_policy(models)
    declared = tuple(d for d in policy.declared if d.version == SHIPPED_VERSION)
    for other in (f"{SHIPPED_VERSION}-scorecard", "credit-card-2", "credit-card-1"):
        shutil.rmtree(models / "outcome" / other)
    write_policy(models, replace(policy, roles=PEOPLE, declared=declared))
    return models


def add_version(models: Path, version: str) -> None:
    """Add the shipped model under another name."""
    folder = Path(shutil.copytree(models / "outcome" / SHIPPED_VERSION, models / "outcome" / version))
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "version": version}))


def add_scorecard(models: Path, version: str, push: float = 1.0) -> None:
    """Add a scorecard in which more months past due speak against a cure."""
    none = ScorecardFeature(np.zeros(0), np.zeros((2, 3)))
    status = ScorecardFeature(np.array([3.0]), np.array([[push, 0, 0], [0, push, 0], [0, 0, 0]]))
    features = tuple(status if name == "status_0" else none for name in FEATURE_NAMES)
    card = Scorecard(np.array([0.0, -1.0, 0.5]), features)
    manifest = Manifest(
        "outcome", version, FEATURE_SET_VERSION, FEATURE_NAMES, "", {}, {}, {}, "2026-11-24T00:00:00+00:00", SCORECARD
    )
    write_artifact(models, manifest, card, IDENTITY, "# Test\n")


def act(workspace, version, action, **changes):
    """Let the right person act."""
    fields = {"actor": ACTORS.get(action, "op"), "action": action, "kind": ModelKind.OUTCOME, "version": version, **changes}
    return workspace.models.act(ModelCommand(**fields))


def approve(workspace, version, days=30, portfolios=("*",)):
    """Take a draft through submission, validation and approval by three persons."""
    terms = ApprovalTerms(NOW + timedelta(days=days), portfolios)
    act(workspace, version, ModelAction.SUBMIT)
    act(workspace, version, ModelAction.VALIDATE)
    return act(workspace, version, ModelAction.APPROVE, terms=terms)
