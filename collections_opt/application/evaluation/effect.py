"""Judge an effect version on contact logs of imported portfolios that it was not learned from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from collections_opt.application.evaluation.segments import segments_of
from collections_opt.application.models.pinned import PinnedBeside
from collections_opt.application.workspace import Workspace
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.evaluation.contact_log import ContactLog, LogSource
from collections_opt.core.value.effects import EffectsOf, PlannedEffects
from collections_opt.scoring.effect.artifacts import AnyEffectModel, load_effect
from collections_opt.scoring.effect.evaluation import EffectEvaluation, evaluate_effects
from collections_opt.scoring.effect.rows import EffectPeriod
from collections_opt.scoring.outcome.scorer import Scorer
from collections_opt.scoring.versions.artifacts import Manifest
from collections_opt.scoring.versions.text_artifacts import TextArtifact

PLANNED = "plan"
"""Names the plan's effects."""

SEED = 1


def unseen_effects(artifact: TextArtifact[AnyEffectModel] | None, portfolio_id: str) -> EffectsOf:
    """Return a version's effects, the plan's without one, to be judged on a portfolio.

    Raises:
        CollectionsError: INVALID_ARGUMENT when they were learned from that portfolio.
    """
    if artifact is None:
        return PlannedEffects
    _check_unseen(artifact.manifest, portfolio_id)
    return artifact.model.effects_of


def unseen_served(served: PinnedBeside, portfolio_id: str) -> EffectsOf:
    """Return what serves, effects and contact rates, to be judged on a portfolio.

    Raises:
        CollectionsError: INVALID_ARGUMENT when either was learned from that portfolio.
    """
    for artifact in (served.effect.artifact, served.contact.artifact):
        if artifact is not None:
            _check_unseen(artifact.manifest, portfolio_id)
    return served.learned.effects_of


def _check_unseen(manifest: Manifest, portfolio_id: str) -> None:
    learned_from = manifest.training.get("portfolios", [])
    if isinstance(learned_from, list) and portfolio_id in learned_from:
        raise refuse(
            Reason.INVALID_ARGUMENT,
            "portfolio",
            f"{manifest.kind}/{manifest.version} was learned from {portfolio_id}.",
            f"Judge it on a portfolio that it did not see, or judge the plan's effects (effects: {PLANNED}).",
        )


def evaluate_logged_effects(
    workspace: Workspace,
    root: Path,
    version: str,
    scorer: Scorer,
    logs: Sequence[tuple[str, ContactLog]],
    plan: CapacityPlan,
    sources: Sequence[LogSource],
) -> EffectEvaluation:
    """Return an effect version's Qini, AUUC and effect by segment on logs, scored by an outcome model.

    Args:
        workspace: the data folder that holds the portfolios.
        root: folder of model versions.
        version: of the effects, or ``PLANNED``.
        scorer: of the outcome model.
        logs: portfolios, each with the log of the contacts that followed it.
        plan: whose queues the logs name.
        sources: of the logs.

    Raises:
        CollectionsError: NOT_FOUND for a portfolio or version; INVALID_ARGUMENT without randomised rows, or where the effects
            were learned from one of the portfolios.
    """
    artifact = None if version == PLANNED else load_effect(root, version)
    periods = []
    effects_of: EffectsOf = PlannedEffects
    for portfolio_id, log in logs:
        effects_of = unseen_effects(artifact, portfolio_id)
        portfolio = workspace.recorded.portfolio(portfolio_id)
        periods.append(EffectPeriod(portfolio, scorer.score(portfolio), log))
    return evaluate_effects(periods, plan, effects_of, segments_of, sources, SEED)
