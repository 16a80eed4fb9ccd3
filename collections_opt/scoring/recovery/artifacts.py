"""Recovery models on disk and as text, as ``text_artifacts``: the hurdle's steps, their boosters as LightGBM's own text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.scoring.recovery.features import RECOVERY_FEATURE_NAMES, RECOVERY_FEATURE_SET_VERSION
from collections_opt.scoring.recovery.model import RecoveryModel
from collections_opt.scoring.versions.artifacts import Manifest
from collections_opt.scoring.versions.text_artifacts import read_text, write_text

RECOVERY_KIND = "recovery"
RECOVERY_ENGINE = "hurdle"
MODEL_FILE = "recovery.json"


@dataclass(frozen=True)
class RecoveryArtifact:
    """A loaded, checked recovery model; ``digest`` is the SHA-256 of manifest.json, ``text`` the bytes of recovery.json."""

    manifest: Manifest
    digest: str
    model: RecoveryModel
    text: str
    card: str


def recovery_text(model: RecoveryModel) -> str:
    """Return a recovery model as sorted JSON."""
    return json.dumps(TypeAdapter(RecoveryModel).dump_python(model, mode="json"), indent=1, sort_keys=True) + "\n"


def parse_recovery(text: str) -> RecoveryModel:
    """Return the recovery model of its JSON.

    Raises:
        CollectionsError: MODEL_UNAVAILABLE when it is not one, or LightGBM cannot read it or be imported.
    """
    try:
        model = TypeAdapter(RecoveryModel).validate_json(text, strict=True)
        sizes = {step.booster.num_feature() for step in model.hurdle.steps if step.booster is not None}
    except ValidationError as error:
        raise _unavailable(f"is not a recovery model: {error.errors()[0]['msg']}") from error
    except (ImportError, ValueError) as error:
        raise _unavailable(str(error)) from error
    if not sizes <= {len(RECOVERY_FEATURE_NAMES)}:
        raise _unavailable("has other features")
    if not 0.0 <= model.hurdle.full_share <= 1.0 or any(step.slope <= 0.0 for step in model.hurdle.steps):
        raise _unavailable("has a share outside 0 to 1, or a line that falls")
    return model


def write_recovery(root: Path, manifest: Manifest, model: RecoveryModel, card: str) -> Path:
    """Write a recovery version and return its folder, as ``write_text``.

    Raises:
        CollectionsError: ALREADY_EXISTS when the version is there with other bytes.
    """
    return write_text(root, manifest, recovery_text(model), card)


def load_recovery(root: Path, version: str) -> RecoveryArtifact:
    """Load a recovery version.

    Raises:
        CollectionsError: NOT_FOUND; MODEL_UNAVAILABLE naming the file and what is wrong with it.
    """
    kept = read_text(root, version, RECOVERY_KIND, RECOVERY_ENGINE, RECOVERY_FEATURE_SET_VERSION, RECOVERY_FEATURE_NAMES)
    model = parse_recovery(kept.text)
    if model.version != version:
        raise _unavailable(f"is version {model.version}")
    return RecoveryArtifact(kept.manifest, kept.digest, model, kept.text, kept.card)


def _unavailable(problem: str) -> CollectionsError:
    return refuse(Reason.MODEL_UNAVAILABLE, MODEL_FILE, f"{problem}.", "Restore the version.")
