"""Learn every queue's effect by the best evidence its log allows.

The holdout; else a threshold that assigned the queue, where one is declared; else the rows that the desk chose; else the plan
stands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from collections_opt.core.desk.queues import CapacityPlan, EvidenceGrade
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.scoring.effect.experiment import Experiment, learn_experiment, planned_prior
from collections_opt.scoring.effect.model import EffectModel, QueueEffectModel
from collections_opt.scoring.effect.observational import learn_observational
from collections_opt.scoring.effect.rows import EffectPeriod, LoggedContacts, logged_contacts
from collections_opt.scoring.effect.segments import DEFAULT_SEGMENTS, declare_segments
from collections_opt.scoring.effect.threshold import ThresholdDesign, learn_threshold


@dataclass(frozen=True)
class LearnedEffectModel:
    """A learned model, the experiment behind it for evaluation, and the rows that both rest on."""

    model: EffectModel
    experiment: Experiment
    contacts: LoggedContacts


def learn_effects(
    periods: Sequence[EffectPeriod],
    plan: CapacityPlan,
    version: str,
    seed: int,
    segments: Sequence[str] = DEFAULT_SEGMENTS,
    thresholds: Sequence[ThresholdDesign] = (),
    progress: Callable[[str, float], None] = lambda _s, _f: None,
) -> LearnedEffectModel:
    """Return a version of the effects; a queue whose log allows nothing keeps the plan's, with every reason.

    Raises:
        CollectionsError: INVALID_ARGUMENT for protected segments, propensities that cannot have made the contacts, or two
            thresholds of one queue; NOT_FOUND for a threshold of a queue that the plan does not have.
    """
    designs = _designs(thresholds, plan)
    contacts = logged_contacts(periods, plan)
    declared = declare_segments(segments, contacts.features)
    progress("learn from the holdout", 0.1)
    experiment = learn_experiment(contacts, plan, declared)
    queues: list[QueueEffectModel] = []
    for index, queue in enumerate(experiment.queues):
        progress(f"learn {queue.queue_id}", 0.5 + 0.5 * index / len(experiment.queues))
        if queue.evidence is EvidenceGrade.EXPERIMENT:
            unused = "; the threshold declared was not needed" if index in designs else ""
            queues.append(replace(queue, reason=queue.reason + unused))
            continue
        sources: list[Callable[[], QueueEffectModel]] = []
        if index in designs:
            sources.append(partial(learn_threshold, periods, plan, designs[index], declared, planned_prior(plan)))
        sources.append(partial(learn_observational, contacts, plan, index, declared, planned_prior(plan), seed))
        queues.append(_first_that_answers(queue, sources))
    progress("learned", 1.0)
    return LearnedEffectModel(EffectModel(version, declared, tuple(queues)), experiment, contacts)


def _first_that_answers(queue: QueueEffectModel, sources: Sequence[Callable[[], QueueEffectModel]]) -> QueueEffectModel:
    """Return the first source's effect that is not refused, its reason naming those that were; else the plan's."""
    refused = [queue.reason]
    for source in sources:
        try:
            found = source()
        except CollectionsError as error:
            refused.append(error.violations[0].description.rstrip("."))
            continue
        before = "".join(f"; {reason}" for reason in refused[1:])
        return replace(found, reason=found.reason + before)
    return replace(queue, reason="; ".join(refused))


def _designs(thresholds: Sequence[ThresholdDesign], plan: CapacityPlan) -> dict[int, ThresholdDesign]:
    found = {plan.queue_index(design.queue_id): design for design in thresholds}
    if len(found) < len(thresholds):
        raise refuse(Reason.INVALID_ARGUMENT, "threshold", "a queue has two.", "Declare one threshold of a queue.")
    return found
