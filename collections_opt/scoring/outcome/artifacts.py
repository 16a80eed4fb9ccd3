"""Outcome model versions: predictor, calibration and card, read back only where every digest holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from collections_opt.core.accounts.features import FEATURE_SET_VERSION, definitions
from collections_opt.scoring.outcome.calibration import Calibration, read_calibration
from collections_opt.scoring.outcome.predictors import ENGINES, Predictor, read_predictor
from collections_opt.scoring.versions.artifacts import (
    OUTCOME_KIND,
    Manifest,
    checked_files,
    parse_manifest,
    read_file,
    sha256_hex,
    unavailable,
    version_folder,
    write_version,
)

_FILES = ("calibration.json", "CARD.md")


@dataclass(frozen=True)
class Artifact:
    """A loaded, checked model version; ``digest`` is the SHA-256 of manifest.json."""

    manifest: Manifest
    digest: str
    predictor: Predictor
    calibration: Calibration
    card: str


def write_artifact(root: Path, manifest: Manifest, predictor: Predictor, calibration: Calibration, card: str) -> Path:
    """Write a model version and return its folder; ``manifest.files`` and ``calibration_version`` are filled in here.

    Raises:
        CollectionsError: as ``write_version``.
    """
    texts = {**predictor.texts(), "calibration.json": calibration.to_json(), "CARD.md": card}
    version = f"{calibration.method}-{sha256_hex(texts['calibration.json'].encode())[:12]}"
    return write_version(root, replace(manifest, calibration_version=version), texts)


def load_artifact(root: Path, version: str, kind: str = OUTCOME_KIND) -> Artifact:
    """Load a model version; every file's digest is checked before it is parsed.

    Raises:
        CollectionsError: MODEL_UNAVAILABLE naming the file and what is wrong with it.
    """
    folder = version_folder(root, kind, version)
    raw = read_file(folder / "manifest.json")
    manifest = parse_manifest(folder, raw)
    if (manifest.kind, manifest.version) != (kind, version):
        raise unavailable(folder / "manifest.json", f"is the manifest of {manifest.kind}/{manifest.version}")
    if manifest.engine not in ENGINES:
        raise unavailable(folder / "manifest.json", f"names the unknown engine {manifest.engine!r}")
    contents = checked_files(folder, manifest, _FILES)
    names = tuple(one.name for one in definitions(manifest.own_columns))
    if manifest.feature_set_version != FEATURE_SET_VERSION or manifest.feature_names != names:
        raise unavailable(folder, f"needs feature set {manifest.feature_set_version}, the code builds {FEATURE_SET_VERSION}")
    try:
        calibration = read_calibration(contents["calibration.json"])
        predictor = read_predictor(manifest.engine, contents)
    except (ImportError, ValueError) as error:
        raise unavailable(folder, str(error)) from error
    return Artifact(manifest, sha256_hex(raw), predictor, calibration, contents["CARD.md"].decode())
