"""A model version as a folder in MLflow's MLmodel format and back, as files only: MLflow itself is not needed.

The folder holds ``MLmodel`` (JSON, which is YAML), and under ``artifact/`` the version's own files unchanged, so that a version
comes back with the same bytes and the same digest. The LightGBM text files can be read by any LightGBM.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from collections_opt.core.errors import Reason, refuse
from collections_opt.scoring.versions.artifacts import read_card, read_manifest

FLAVOR = "collections_opt"
ARTIFACT = "artifact"
OUTPUTS = {"outcome": ("cure", "default", "stay"), "recovery": ("loss_given_default",), "contact": ("right_party_rate",)}
"""What a kind of model gives per account."""


def export_mlflow(root: Path, kind: str, version: str, target: Path) -> Path:
    """Write a version, whose files are checked first, as an MLflow model folder and return it.

    Raises:
        CollectionsError: NOT_FOUND; MODEL_UNAVAILABLE; ALREADY_EXISTS when the target is there.
    """
    read_card(root, version, kind)
    manifest, digest, _ = read_manifest(root, version, kind)
    if target.exists():
        raise refuse(Reason.ALREADY_EXISTS, "target", f"{target.name} is there.", "Name a new folder.")
    shutil.copytree(root / kind / version, target / ARTIFACT)
    inputs = [{"type": "float", "name": name, "required": False} for name in manifest.feature_names]
    outputs = [{"type": "double", "name": name, "required": True} for name in OUTPUTS.get(kind, (kind,))]
    model = {
        "artifact_path": ARTIFACT,
        "flavors": {
            FLAVOR: {
                "data": ARTIFACT,
                "kind": kind,
                "version": version,
                "engine": manifest.engine,
                "manifest_sha256": digest,
                "feature_set_version": manifest.feature_set_version,
            }
        },
        "metadata": {"metrics": dict(manifest.metrics)},
        "model_uuid": digest[:32],
        "signature": {"inputs": json.dumps(inputs), "outputs": json.dumps(outputs)},
        "utc_time_created": manifest.created_at,
    }
    (target / "MLmodel").write_text(json.dumps(model, indent=1) + "\n", encoding="utf-8", newline="\n")
    return target


def import_mlflow(source: Path, root: Path) -> tuple[str, str]:
    """Bring an exported folder back as a draft and return its kind and version; its bytes must be those its MLmodel names.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a folder without this flavor; MODEL_UNAVAILABLE for changed files;
            ALREADY_EXISTS when the version is there.
    """
    try:
        flavor = json.loads((source / "MLmodel").read_text("utf-8"))["flavors"][FLAVOR]
        kind, version, digest = (str(flavor[name]) for name in ("kind", "version", "manifest_sha256"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise refuse(
            Reason.INVALID_ARGUMENT, "source", f"is not an MLflow folder with the flavor {FLAVOR}.", "Export it from a registry."
        ) from error
    if not kind.isidentifier() or not version.replace("-", "").replace(".", "").isalnum():
        raise refuse(Reason.INVALID_ARGUMENT, "source", "names no kind and version.", "Export it again.")
    target = root / kind / version
    if target.exists():
        raise refuse(Reason.ALREADY_EXISTS, "version", f"{kind}/{version} is there.", "Versions never change.")
    try:
        shutil.copytree(source / ARTIFACT, target)
        if read_manifest(root, version, kind)[1] != digest:
            raise refuse(Reason.MODEL_UNAVAILABLE, f"{kind}/{version}", "differs from its MLmodel.", "Export it again.")
        read_card(root, version, kind)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)  # never half a version
        raise
    return kind, version
