"""The method that a lender's effects are learned with: the one place to exchange it."""

from __future__ import annotations

from collections_opt.core.effects import PlannedEffects
from collections_opt.core.errors import CollectionsError
from collections_opt.core.queues import CapacityPlan
from collections_opt.scoring.effect_experiment import learn_experiment
from collections_opt.scoring.effect_model import EffectModel
from collections_opt.scoring.effect_rows import LoggedContacts
from collections_opt.scoring.effect_segments import DEFAULT_SEGMENTS, declare_segments
from tests.worlds.trial import EffectsOf


def learned(contacts: LoggedContacts, plan: CapacityPlan, seed: int) -> EffectsOf:
    """Return the effects that a lender learns from a log; the plan's where the log is refused."""
    segments = declare_segments(DEFAULT_SEGMENTS, contacts.features)
    try:
        return EffectModel("learned", segments, learn_experiment(contacts, plan, segments).queues).effects_of
    except CollectionsError:
        return PlannedEffects
