"""How the service learns each kind of model from its own matured rankings; a kind that has no line here is refused by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from collections_opt.application.workspace import Workspace
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.models.lifecycle import ModelKind

if TYPE_CHECKING:
    from collections_opt.application.training.matured import MaturedRanking


@dataclass(frozen=True)
class TrainingRequest:
    """What to learn.

    Attributes:
        kind: of model. Outcomes of fewer than three rankings recalibrate the champion.
        version: name of the new version.
        ranking_ids: matured rankings in any order; none takes all that alarms read.
        plan_id: desk whose queues contacts and effects are about; "" for that of the last ranking.
        seed: of folds and trees.
    """

    kind: ModelKind
    version: str
    ranking_ids: tuple[str, ...] = ()
    plan_id: str = ""
    seed: int = 1


@dataclass(frozen=True)
class Learning:
    """What a learner is given.

    Attributes:
        workspace: over the ledger; the draft is written among its models.
        request: what to learn.
        matured: from what; the last ranking comes last.
        at: time of the draft.
        progress: is told stages and shares done.
    """

    workspace: Workspace
    request: TrainingRequest
    matured: Sequence[MaturedRanking]
    at: datetime
    progress: Callable[[str, float], None]

    @property
    def root(self) -> Path:
        """Folder of the models."""
        return self.workspace.models.root

    @property
    def plan(self) -> CapacityPlan:
        """The desk that is asked for, else that of the last ranking."""
        plan_id = self.request.plan_id
        return self.workspace.books.plan(plan_id)[0] if plan_id else self.matured[-1].opened.plan


def _outcome(asked: Learning) -> None:
    from collections_opt.application.training.matured import LEAST_OWN, outcome_data  # noqa: PLC0415 - takes a second to load; a server starts without it
    from collections_opt.application.training.outcome import train_model  # noqa: PLC0415 - likewise
    from collections_opt.application.training.recalibration import recalibrate  # noqa: PLC0415 - likewise

    request, matured = asked.request, asked.matured
    if len(matured) < LEAST_OWN:
        recalibrate(asked.workspace, matured, request.version, asked.at)
        return
    data = replace(outcome_data(matured), dataset=", ".join(one.ranking_id for one in matured))
    train_model(asked.root, data, request.version, request.seed, asked.at, asked.progress)


def _contact(asked: Learning) -> None:
    from collections_opt.application.training.contact import ContactTraining, train_contacts  # noqa: PLC0415 - takes a second to load; a server starts without it
    from collections_opt.application.training.matured import contact_logs  # noqa: PLC0415 - likewise

    plan, request = asked.plan, asked.request
    logs = contact_logs(asked.workspace, asked.matured, plan)
    train_contacts(asked.workspace, asked.root, ContactTraining(request.version, logs, plan, request.seed), asked.at)


def _effect(asked: Learning) -> None:
    from collections_opt.application.training.effect import EffectTraining, train_effects  # noqa: PLC0415 - takes a second to load; a server starts without it
    from collections_opt.application.training.matured import contact_logs  # noqa: PLC0415 - likewise

    plan, request = asked.plan, asked.request
    logs = contact_logs(asked.workspace, asked.matured, plan)
    training = EffectTraining(request.version, logs, plan, seed=request.seed)
    train_effects(asked.workspace, asked.root, training, asked.at, asked.progress)


def _recovery(asked: Learning) -> None:
    from collections_opt.application.training.recovered import ledger_recoveries  # noqa: PLC0415 - takes a second to load; a server starts without it
    from collections_opt.application.training.recovery import RecoveryTraining, train_recoveries  # noqa: PLC0415 - likewise

    request, at = asked.request, asked.at
    found = ledger_recoveries(asked.workspace, asked.matured, at, bool(request.ranking_ids), asked.progress)
    training = RecoveryTraining(request.version, found.recoveries, request.seed, told=found.told, money=found.money)
    train_recoveries(asked.workspace, asked.root, training, at, lambda stage, done: asked.progress(stage, 0.5 + 0.5 * done))


@dataclass(frozen=True)
class Learner:
    """How a kind is learned.

    Attributes:
        learn: learns what is asked and writes the draft.
        least_matured: matured rankings without which nothing is learned; how many rows effects need, and how old rankings must be
            of which recoveries are learned, is their learners' to say.
    """

    learn: Callable[[Learning], None]
    least_matured: int = 1


LEARNERS: Mapping[ModelKind, Learner] = MappingProxyType(
    {
        ModelKind.OUTCOME: Learner(_outcome),
        ModelKind.EFFECT: Learner(_effect),
        ModelKind.CONTACT: Learner(_contact, least_matured=3),  # to fit, to calibrate, to judge
        ModelKind.RECOVERY: Learner(_recovery),
    }
)
"""By kind."""


def learner_of(kind: ModelKind) -> Learner:
    """Return how a kind is learned.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a kind that nothing is learned of.
    """
    if kind not in LEARNERS:
        remedy = f"Ask for one of {', '.join(LEARNERS)}."
        raise refuse(
            Reason.INVALID_ARGUMENT, "kind", f"models of kind {kind.value} are not learned from matured rankings.", remedy
        )
    return LEARNERS[kind]
