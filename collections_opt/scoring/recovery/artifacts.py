"""Recovery models on disk and as text, as ``text_artifacts``: the hurdle's steps, their boosters as LightGBM's own text."""

from __future__ import annotations

from pydantic import TypeAdapter

from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.models.lifecycle import ModelKind
from collections_opt.scoring.recovery.features import RECOVERY_FEATURE_SET_VERSION, recovery_feature_names
from collections_opt.scoring.recovery.model import RecoveryModel
from collections_opt.scoring.versions.text_artifacts import TextFormat, model_text, read_model

RECOVERY_KIND = ModelKind.RECOVERY
RECOVERY_ENGINE = "hurdle"
MODEL_FILE = "recovery.json"


def recovery_text(model: RecoveryModel) -> str:
    """Return a recovery model as sorted JSON."""
    return model_text(TypeAdapter(RecoveryModel).dump_python(model, mode="json"))


def parse_recovery(text: str) -> RecoveryModel:
    """Return the recovery model of its JSON.

    Raises:
        CollectionsError: MODEL_UNAVAILABLE when it is not one, or LightGBM cannot read it or be imported.
    """
    try:
        model = read_model(RecoveryModel, text, MODEL_FILE, "a recovery model")
        sizes = {step.booster.num_feature() for step in model.hurdle.steps if step.booster is not None}
    except (ImportError, ValueError) as error:
        raise _unavailable(str(error)) from error
    if not sizes <= {len(recovery_feature_names(model.own))}:
        raise _unavailable("has other features")
    if not 0.0 <= model.hurdle.full_share <= 1.0 or any(step.slope <= 0.0 for step in model.hurdle.steps):
        raise _unavailable("has a share outside 0 to 1, or a line that falls")
    return model


def _unavailable(problem: str) -> CollectionsError:
    return refuse(Reason.MODEL_UNAVAILABLE, MODEL_FILE, f"{problem}.", "Restore the version.")


RECOVERIES = TextFormat(
    kind=ModelKind.RECOVERY,
    feature_set_version=RECOVERY_FEATURE_SET_VERSION,
    feature_names=recovery_feature_names,
    engine_of=lambda _: RECOVERY_ENGINE,
    text_of=recovery_text,
    parse=parse_recovery,
)
write_recovery, load_recovery = RECOVERIES.write, RECOVERIES.load
