"""The method that a lender's effects are learned with: the one place to exchange it."""

from __future__ import annotations

from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import CollectionsError
from collections_opt.core.value.effects import PlannedEffects
from collections_opt.scoring.effect.residual.learning import learn_residuals
from collections_opt.scoring.effect.rows import LoggedContacts
from harness.worlds.trial import EffectsOf


def learned(contacts: LoggedContacts, plan: CapacityPlan, seed: int) -> EffectsOf:
    """Return the effects that a lender learns from a log; the plan's where the log is refused."""
    try:
        return learn_residuals(contacts, plan, "learned", seed).model.effects_of
    except CollectionsError:
        return PlannedEffects
