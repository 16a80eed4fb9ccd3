"""How the service learns each kind of model from its own matured rankings; a kind that has no line here is refused by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
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


def _outcome(
    workspace: Workspace,
    request: TrainingRequest,
    matured: Sequence[MaturedRanking],
    at: datetime,
    progress: Callable[[str, float], None],
) -> None:
    from collections_opt.application.training.matured import LEAST_OWN, outcome_data  # noqa: PLC0415 - takes a second to load; a server starts without it
    from collections_opt.application.training.outcome import train_model  # noqa: PLC0415 - likewise
    from collections_opt.application.training.recalibration import recalibrate  # noqa: PLC0415 - likewise

    if len(matured) < LEAST_OWN:
        recalibrate(workspace, matured, request.version, at)
        return
    data = replace(outcome_data(matured), dataset=", ".join(one.ranking_id for one in matured))
    train_model(workspace.models.root, data, request.version, request.seed, at, progress)


def _contact(
    workspace: Workspace,
    request: TrainingRequest,
    matured: Sequence[MaturedRanking],
    at: datetime,
    _progress: Callable[[str, float], None],
) -> None:
    from collections_opt.application.training.contact import ContactTraining, train_contacts  # noqa: PLC0415 - takes a second to load; a server starts without it
    from collections_opt.application.training.matured import contact_logs  # noqa: PLC0415 - likewise

    plan = _plan(workspace, request, matured)
    logs = contact_logs(workspace, matured, plan)
    train_contacts(workspace, workspace.models.root, ContactTraining(request.version, logs, plan, request.seed), at)


def _effect(
    workspace: Workspace,
    request: TrainingRequest,
    matured: Sequence[MaturedRanking],
    at: datetime,
    progress: Callable[[str, float], None],
) -> None:
    from collections_opt.application.training.effect import EffectTraining, train_effects  # noqa: PLC0415 - takes a second to load; a server starts without it
    from collections_opt.application.training.matured import contact_logs  # noqa: PLC0415 - likewise

    plan = _plan(workspace, request, matured)
    logs = contact_logs(workspace, matured, plan)
    training = EffectTraining(request.version, logs, plan, seed=request.seed)
    train_effects(workspace, workspace.models.root, training, at, progress)


def _recovery(
    workspace: Workspace,
    request: TrainingRequest,
    matured: Sequence[MaturedRanking],
    at: datetime,
    progress: Callable[[str, float], None],
) -> None:
    from collections_opt.application.training.recovered import ledger_recoveries  # noqa: PLC0415 - takes a second to load; a server starts without it
    from collections_opt.application.training.recovery import RecoveryTraining, train_recoveries  # noqa: PLC0415 - likewise

    found = ledger_recoveries(workspace, matured, at, bool(request.ranking_ids), progress)
    training = RecoveryTraining(request.version, found.recoveries, request.seed, told=found.told, money=found.money)
    train_recoveries(workspace, workspace.models.root, training, at, lambda stage, done: progress(stage, 0.5 + 0.5 * done))


def _plan(workspace: Workspace, request: TrainingRequest, matured: Sequence[MaturedRanking]) -> CapacityPlan:
    return workspace.books.plan(request.plan_id)[0] if request.plan_id else matured[-1].opened.plan


Learn = Callable[[Workspace, TrainingRequest, "Sequence[MaturedRanking]", datetime, Callable[[str, float], None]], None]
"""Learns what is asked from matured rankings, writes the draft with its time, and reports stages and shares done."""


@dataclass(frozen=True)
class Learner:
    """How a kind is learned.

    Attributes:
        learn: learns it.
        least_matured: matured rankings without which nothing is learned; how many rows effects need, and how old rankings must be
            of which recoveries are learned, is their learners' to say.
    """

    learn: Learn
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
