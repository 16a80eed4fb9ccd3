"""Small models of every kind, written as versions and approved, so that they serve; and a workspace in which they do."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np

from collections_opt.core.accounts.features import FEATURE_NAMES, FEATURE_SET_VERSION
from collections_opt.core.desk.queues import EvidenceGrade
from collections_opt.core.models.lifecycle import ApprovalMode, ApprovalTerms, ModelAction, ModelEvent, ModelKind
from collections_opt.ledger.records import ModelRecord
from collections_opt.scoring.contact.artifacts import CONTACT_ENGINE, CONTACT_KIND, write_contact
from collections_opt.scoring.contact.features import CONTACT_FEATURE_NAMES, CONTACT_FEATURE_SET_VERSION
from collections_opt.scoring.contact.model import ChannelContactModel, ContactModel
from collections_opt.scoring.effect.artifacts import (
    EFFECT_ENGINE,
    EFFECT_KIND,
    effect_card,
    write_effect,
)
from collections_opt.scoring.effect.model import EffectEstimate, EffectModel, QueueEffectModel
from collections_opt.scoring.effect.segments import Segments
from collections_opt.scoring.recovery.artifacts import RECOVERY_ENGINE, RECOVERY_KIND, write_recovery
from collections_opt.scoring.recovery.features import RECOVERY_FEATURE_NAMES, RECOVERY_FEATURE_SET_VERSION
from collections_opt.scoring.recovery.model import RecoveryHurdle, RecoveryModel, RecoveryStep
from collections_opt.scoring.versions.artifacts import Manifest, read_manifest
from tests.support.books.evidence_worlds import MODELS, NOW, book, opened
from tests.support.models.folders import SHIPPED_VERSION, add_scorecard


def effect_model(version="calls-1", theta=0.9, queue_id="calls"):
    flat = tuple(tuple(0.01 if row == column else 0.0 for column in range(4)) for row in range(4))
    estimate = EffectEstimate(0.05, 0.01, 0.03, 0.07, 4_000)
    learned = QueueEffectModel(
        queue_id,
        EvidenceGrade.EXPERIMENT,
        "randomised",
        2_000,
        2_000,
        (0.0, 0.1),
        (theta, 0.2),
        (0.4, 0.0),
        flat,
        estimate,
        estimate,
    )
    few = QueueEffectModel("letters", EvidenceGrade.ASSUMED, "too few rows")
    return EffectModel(version, Segments(("utilisation",), (0.6,), (0.3,)), (learned, few))


def write_effects(models, model):
    manifest = Manifest(
        EFFECT_KIND, model.version, FEATURE_SET_VERSION, FEATURE_NAMES, "", {}, {}, {}, NOW.isoformat(), EFFECT_ENGINE
    )
    return write_effect(models, manifest, model, effect_card(model, "a test"))


def approve(workspace, models, version, kind=ModelKind.EFFECT, last=ModelAction.PROMOTE):
    _, digest, text = read_manifest(models, version, kind)
    workspace.ledger.models.add(ModelRecord(kind, version, digest, text, NOW.isoformat()))
    people = {ModelAction.SUBMIT: "a", ModelAction.VALIDATE: "b", ModelAction.APPROVE: "c", last: "d"}
    terms = ApprovalTerms(NOW + timedelta(days=30))
    workspace.ledger.model_events.add(
        [
            ModelEvent(kind, version, digest, act, who, NOW, ApprovalMode.PEOPLE, "", terms if who == "c" else None)
            for act, who in people.items()
        ]
    )


def contact_model(version="reach-1", push=0.8):
    count = len(CONTACT_FEATURE_NAMES)
    coefficients = tuple(push if name == "days_past_due" else 0.0 for name in CONTACT_FEATURE_NAMES)
    scores = tuple(push * step / 10 for step in range(-10, 11))
    channel = ChannelContactModel("CALL", (90.0,) * count, (40.0,) * count, coefficients, {"calls": -0.9}, 1.1, 0.1, scores)
    return ContactModel(version, (channel,))


def write_contacts(models, model, portfolios=()):
    learned = {"portfolios": list(portfolios)}
    made = (CONTACT_FEATURE_SET_VERSION, CONTACT_FEATURE_NAMES, "", {}, learned, {}, NOW.isoformat(), CONTACT_ENGINE)
    return write_contact(models, Manifest(CONTACT_KIND, model.version, *made), model, "# A test\n")


def trees(direction):
    """Return a booster of log-odds that rise, or fall, with the days past due."""
    rng = np.random.default_rng(1)
    features = rng.uniform(0, 200, (2_000, len(RECOVERY_FEATURE_NAMES))).astype(np.float32)
    days = features[:, RECOVERY_FEATURE_NAMES.index("days_past_due")]
    share = 1.0 / (1.0 + np.exp(-direction * (days - 100.0) / 50.0))
    given = {"objective": "cross_entropy", "num_leaves": 6, "verbosity": -1, "num_threads": 1, "seed": 1, "deterministic": True}
    return lgb.train(given, lgb.Dataset(features, share), num_boost_round=20).model_to_string()


def recovery_model(version="back-1", direction=1.0, level=0.4):
    part = RecoveryStep("", 1.0, level)
    return RecoveryModel(
        version, RecoveryHurdle(RecoveryStep(trees(direction), 1.1, 0.1), RecoveryStep("", 1.0, -2.0), part, 0.99)
    )


def write_recoveries(models, model):
    made = (RECOVERY_FEATURE_SET_VERSION, RECOVERY_FEATURE_NAMES, "", {}, {}, {}, NOW.isoformat(), RECOVERY_ENGINE)
    return write_recovery(models, Manifest(RECOVERY_KIND, model.version, *made), model, "# A test\n")


@contextmanager
def world_of_models(folder, clock):
    """Yield a workspace over a copy of the shipped models, and the folder of the copy; 400 accounts are imported as ``p1``.

    Args:
        folder: holds both.
        clock: a list of one time, which a test may change.
    """
    models = Path(shutil.copytree(MODELS, folder / "models"))
    workspace = opened(folder / "data", models=models, now=lambda: clock[0])
    workspace.books.import_portfolio("p1", book(400))
    try:
        yield workspace, models
    finally:
        workspace.close()


@dataclass(frozen=True)
class ServedKind:
    """What tests of any kind of model that serves need to know of one.

    Attributes:
        kind: it.
        versions: two that decide differently.
        write: writes one of them, by its place; another seed makes another model of the same name. Returns its folder.
        named: what a record says decided, of this kind.
        problem: what a record says why none did.
        stands: what is named while none is approved.
        changes_times: its versions expect other handling times, so that a list of one need not fit by those of another.
    """

    kind: ModelKind
    versions: tuple[str, str]
    write: Callable[[Path, int, float], Path]
    named: Callable[[Mapping[str, Any]], str]
    problem: Callable[[Mapping[str, Any]], str]
    stands: str
    changes_times: bool = False

    def approve(self, workspace, models, place, last=ModelAction.PROMOTE):
        """Approve one of the versions as written, and make it champion, or challenger."""
        approve(workspace, models, self.versions[place], self.kind, last)


def _outcome(models, place, shift):
    add_scorecard(models, OUTCOMES.versions[place], (1.0, -2.0)[place] + shift)
    return models / "outcome" / OUTCOMES.versions[place]


def _effect(models, place, shift):
    return write_effects(models, effect_model(EFFECTS.versions[place], (0.9, -0.4)[place] + shift))


def _contact(models, place, shift):
    return write_contacts(models, contact_model(CONTACTS.versions[place], (0.8, -0.8)[place] + shift))


def _recovery(models, place, shift):
    return write_recoveries(models, recovery_model(RECOVERIES.versions[place], (1.0, -1.0)[place], 0.4 + shift))


OUTCOMES = ServedKind(
    ModelKind.OUTCOME,
    ("card-1", "card-2"),
    _outcome,
    lambda held: held["model_version"],
    lambda held: " ".join(step["problem"] for step in held["degraded"]),
    f"outcome/{SHIPPED_VERSION}",
)
EFFECTS = ServedKind(
    ModelKind.EFFECT,
    ("calls-1", "calls-2"),
    _effect,
    lambda held: held["effects_version"].split(" over ")[0],
    lambda held: held["effects_problem"],
    "plan/desk/1",
)
CONTACTS = ServedKind(
    ModelKind.CONTACT,
    ("reach-1", "reach-2"),
    _contact,
    lambda held: held["contact_version"],
    lambda held: held["contact_problem"],
    "",
    changes_times=True,
)
RECOVERIES = ServedKind(
    ModelKind.RECOVERY,
    ("back-1", "back-2"),
    _recovery,
    lambda held: held["recovery_version"],
    lambda held: held["recovery_problem"],
    "",
)
SERVED_KINDS = {kind.kind.value: kind for kind in (OUTCOMES, EFFECTS, CONTACTS, RECOVERIES)}
"""Every kind that serves, by name; a kind that is not here fails the contract."""
