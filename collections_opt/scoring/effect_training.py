"""Learn every queue's effect by the best evidence its log allows: the holdout, else the chosen rows, else the plan stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from collections_opt.core.errors import CollectionsError
from collections_opt.core.queues import CapacityPlan, EvidenceGrade
from collections_opt.scoring.effect_experiment import Experiment, learn_experiment, planned_prior
from collections_opt.scoring.effect_model import EffectModel, QueueEffectModel
from collections_opt.scoring.effect_observational import learn_observational
from collections_opt.scoring.effect_rows import LoggedContacts
from collections_opt.scoring.effect_segments import DEFAULT_SEGMENTS, declare_segments


@dataclass(frozen=True)
class LearnedEffectModel:
    """A learned model and the experiment behind it, for evaluation."""

    model: EffectModel
    experiment: Experiment


def learn_effects(
    contacts: LoggedContacts,
    plan: CapacityPlan,
    version: str,
    seed: int,
    segments: Sequence[str] = DEFAULT_SEGMENTS,
    progress: Callable[[str, float], None] = lambda _s, _f: None,
) -> LearnedEffectModel:
    """Return a version of the effects; a queue whose log allows nothing keeps the plan's, with every reason.

    Raises:
        CollectionsError: INVALID_ARGUMENT for protected segments, or propensities that cannot have made the contacts.
    """
    declared = declare_segments(segments, contacts.features)
    progress("learn from the holdout", 0.1)
    experiment = learn_experiment(contacts, plan, declared)
    queues: list[QueueEffectModel] = []
    for index, queue in enumerate(experiment.queues):
        progress(f"learn {queue.queue_id}", 0.5 + 0.5 * index / len(experiment.queues))
        if queue.evidence is EvidenceGrade.EXPERIMENT:
            queues.append(queue)
            continue
        try:
            queues.append(learn_observational(contacts, plan, index, declared, planned_prior(plan), seed))
        except CollectionsError as error:
            queues.append(replace(queue, reason=f"{queue.reason}; {error.violations[0].description.rstrip('.')}"))
    progress("learned", 1.0)
    return LearnedEffectModel(EffectModel(version, declared, tuple(queues)), experiment)
