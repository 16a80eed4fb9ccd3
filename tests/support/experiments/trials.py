"""Experiments for tests: two persons who start one, and a book in which persons, flags and scopes differ."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from collections_opt.application.resources.approved import ApprovalCommand
from collections_opt.application.resources.experiments import NewExperiment
from collections_opt.core.actors import Actor
from collections_opt.core.experiments.design import ExperimentDesign
from tests.support.books.evidence_worlds import book

ANN, BEN = Actor("Ann"), Actor("Ben")
SALT = "00112233445566778899aabbccddeeff"
DAY = date(2026, 11, 23)


def design(share=0.3, starts_on=DAY, days=60, **changes):
    """Return an experiment that holds a share out."""
    made = ExperimentDesign(round(share * 1e9), SALT, starts_on, starts_on + timedelta(days=days - 1), 30, 5_000)
    return replace(made, **changes)


def started(workspace, experiment_id="holdout", made=None):
    """Create an experiment and have a second person start it."""
    saved = workspace.experiments.create(NewExperiment(experiment_id, made or design(), request_id=str(uuid.uuid4())), ANN)
    return workspace.experiments.start(ApprovalCommand(experiment_id, saved.version.version), BEN)


def alone(count=400, seed=0, as_of=DAY, **columns):
    """Return a book whose persons have one account each, but for every twelfth, who has two; nobody is vulnerable."""
    raw = book(count, seed, as_of=as_of, bad=0)
    names = np.array([f"C-{k - (k % 12 == 1):05d}" for k in range(count)], dtype=object)
    return replace(raw, columns={**raw.columns, "customer_id": names, "vulnerable": np.zeros(count, dtype=bool), **columns})


def owned(count=400, seed=0, as_of=DAY):
    """Return a book whose accounts belong to fewer persons, of whom some are vulnerable; every tenth has no customer id."""
    raw = book(count, seed, as_of=as_of, bad=0)
    generator = np.random.default_rng(seed + 5)
    names = np.array([f"C-{k:04d}" for k in generator.integers(0, count // 2, count)], dtype=object)
    vulnerable = np.isin(names, [f"C-{k:04d}" for k in range(0, count, 9)])
    columns = {**raw.columns, "customer_id": names, "vulnerable": vulnerable}
    present = {**raw.present, "customer_id": np.arange(count) % 10 > 0}
    return replace(raw, columns=columns, present=present)
