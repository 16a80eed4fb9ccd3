"""Model artifacts on disk: text and JSON only, every digest checked before anything is parsed.

<root>/registry.toml                        roles of people and the approvals that ship (read by the application)
<root>/<kind>/<version>/p_cure.txt          LightGBM's text format, with p_default.txt; or scorecard.json
<root>/<kind>/<version>/calibration.json    method and its parameters
<root>/<kind>/<version>/manifest.json       digests of the files, versions, metrics out of time
<root>/<kind>/<version>/CARD.md             the model card
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from collections_opt.core.accounts.own_features import OwnFeature
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.models.domain import ModelDomain
from collections_opt.core.models.lifecycle import ModelKind

OUTCOME_KIND = ModelKind.OUTCOME
LIGHTGBM = "lightgbm"
"""What reads the model files of versions whose manifest names no engine."""
_LATER_FIELDS = ("metric_intervals", "domain", "always_known", "own_columns")
_VERSION = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")


@dataclass(frozen=True)
class Manifest:
    """What a model version is; the digest of its bytes identifies it everywhere.

    Attributes:
        kind: outcome, effect or contact.
        version: unique within the kind.
        feature_set_version: must equal the code's.
        feature_names: in matrix order.
        calibration_version: method and digest of calibration.json.
        files: SHA-256 (hex) of every other file, by name.
        training: periods, rounds, digests, parameters, library versions.
        metrics: out-of-time metrics by name.
        created_at: ISO 8601 with zone.
        engine: what reads the model file, see ``predictors.ENGINES``.
        metric_intervals: 95 % interval of some of the metrics, low and high by name; left out of the JSON where there is none.
        domain: what the model may speak about; None in versions that declare none, likewise.
        always_known: features that every training account had, so that serving must have them too; likewise.
        own_columns: the lender's own columns that it learned from, after the others among the features; likewise.
    """

    kind: str
    version: str
    feature_set_version: str
    feature_names: tuple[str, ...]
    calibration_version: str
    files: Mapping[str, str]
    training: Mapping[str, Any]
    metrics: Mapping[str, float]
    created_at: str
    engine: str = LIGHTGBM
    metric_intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    domain: ModelDomain | None = None
    always_known: tuple[str, ...] = ()
    own_columns: tuple[OwnFeature, ...] = ()

    def to_json(self) -> str:
        """Return the bytes of manifest.json as text."""
        told = {name: value for name, value in asdict(self).items() if value or name not in _LATER_FIELDS}
        return json.dumps(told, indent=1, sort_keys=True) + "\n"


def write_version(root: Path, manifest: Manifest, texts: Mapping[str, str]) -> Path:
    """Write a version's files and its manifest, whose ``files`` are filled in here, and return its folder.

    The same version again leaves its bytes as they are, where figures differ beyond the sixth decimal or a zero has the other
    sign: the linear algebra of another processor rounds in another order.

    Raises:
        CollectionsError: ALREADY_EXISTS when the version is there with other bytes; INVALID_ARGUMENT for a bad version name;
            MODEL_UNAVAILABLE when the manifest that is there cannot be read.
    """
    folder = version_folder(root, manifest.kind, manifest.version)
    full = replace(manifest, files={name: sha256_hex(text.encode()) for name, text in texts.items()})
    written = {**texts, "manifest.json": full.to_json()}
    if (folder / "manifest.json").exists():
        known = parse_manifest(folder, read_file(folder / "manifest.json"))
        if not _same_version(folder, known, full, texts):
            name = f"{manifest.kind}/{manifest.version}"
            raise refuse(Reason.ALREADY_EXISTS, "version", f"{name} exists with other bytes.", "Name a new one.")
        written = {name: text for name, text in texts.items() if known.files[name] == full.files[name]}
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in written.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return folder


def _same_version(folder: Path, known: Manifest, other: Manifest, texts: Mapping[str, str]) -> bool:
    if known.files.keys() != other.files.keys():
        return False
    changed = [name for name, digest in known.files.items() if digest != other.files[name]]
    if not all(_same_json(read_file(folder / name), known.files[name], texts[name]) for name in changed):
        return False
    return _alike(json.loads(replace(known, files={}).to_json()), json.loads(replace(other, files={}).to_json()))


def _same_json(known: bytes, digest: str, text: str) -> bool:
    """Return whether an undamaged JSON file holds the same values; -0.0 is 0.0."""
    try:
        return sha256_hex(known) == digest and bool(json.loads(known) == json.loads(text))
    except ValueError:
        return False


def _alike(one: Any, other: Any) -> bool:
    """Return whether two JSON values are the same, numbers to six decimals."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=0.0, abs_tol=1.5e-6)
    return bool(one == other)


def read_card(root: Path, version: str, kind: str = OUTCOME_KIND) -> str:
    """Return the card of a version of any kind, after every file's digest was checked.

    Raises:
        CollectionsError: NOT_FOUND; MODEL_UNAVAILABLE naming the file and what is wrong with it.
    """
    manifest, _, _ = read_manifest(root, version, kind)
    return checked_files(version_folder(root, kind, version), manifest)["CARD.md"].decode()


def checked_files(folder: Path, manifest: Manifest, needed: Iterable[str] = ("CARD.md",)) -> dict[str, bytes]:
    """Return the bytes of every file that a manifest names, and of those needed beside it, by name; each has its digest.

    Raises:
        CollectionsError: MODEL_UNAVAILABLE naming the file and what is wrong with it.
    """
    contents = {}
    for name in {*manifest.files, *needed}:
        contents[name] = read_file(folder / _plain_name(folder, name))
        if manifest.files.get(name) != sha256_hex(contents[name]):
            raise unavailable(folder / name, "differs from the digest in manifest.json")
    return contents


def read_manifest(root: Path, version: str, kind: str = OUTCOME_KIND) -> tuple[Manifest, str, str]:
    """Return a version's manifest, its digest and its JSON, without reading the model.

    Raises:
        CollectionsError: NOT_FOUND when there is no such version; MODEL_UNAVAILABLE when its manifest cannot be read.
    """
    folder = version_folder(root, kind, version)
    if not (folder / "manifest.json").is_file():
        known = ", ".join(list_versions(root, kind)) or "none is there"
        raise refuse(Reason.NOT_FOUND, "version", f"{kind}/{version} is unknown.", f"Use one of: {known}.", version)
    raw = read_file(folder / "manifest.json")
    return parse_manifest(folder, raw), sha256_hex(raw), raw.decode()


def list_versions(root: Path, kind: str = OUTCOME_KIND) -> tuple[str, ...]:
    """Return the versions on disk, sorted."""
    folder = root / kind
    return tuple(sorted(p.name for p in folder.iterdir() if (p / "manifest.json").is_file())) if folder.is_dir() else ()


def creation_time(root: Path, version: str, kind: str = OUTCOME_KIND) -> datetime | None:
    """Return when a version was created, None where it does not exist: training it again must not change its bytes.

    Raises:
        CollectionsError: MODEL_UNAVAILABLE when its manifest cannot be read.
    """
    folder = version_folder(root, kind, version)
    path = folder / "manifest.json"
    return datetime.fromisoformat(parse_manifest(folder, read_file(path)).created_at) if path.exists() else None


def parse_manifest(folder: Path, raw: bytes) -> Manifest:
    """Return the manifest of its bytes.

    Raises:
        CollectionsError: MODEL_UNAVAILABLE when they are none.
    """
    try:
        return _manifests().validate_json(raw)
    except ValidationError as error:
        raise unavailable(folder / "manifest.json", f"is not a manifest: {error.errors()[0]['msg']}") from error


@cache
def _manifests() -> TypeAdapter[Manifest]:
    return TypeAdapter(Manifest)


def _plain_name(folder: Path, name: str) -> str:
    if Path(name).name != name:
        raise unavailable(folder / "manifest.json", f"names the file {name!r} outside its folder")
    return name


def version_folder(root: Path, kind: str, version: str) -> Path:
    """Return where a version lives.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a bad kind or version name.
    """
    if not _VERSION.fullmatch(version) or not _VERSION.fullmatch(kind):
        raise refuse(Reason.INVALID_ARGUMENT, "version", f"{version!r} is not a version name.", "Use a-z, 0-9, dot and dash.")
    return root / kind / version


def read_file(path: Path) -> bytes:
    """Return a file's bytes.

    Raises:
        CollectionsError: MODEL_UNAVAILABLE naming the file.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise unavailable(path, f"cannot be read: {error.strerror}") from error


def unavailable(path: Path, problem: str) -> CollectionsError:
    """Return the error about a file of a version, which names it."""
    shown = "/".join(path.parts[-3:])
    return refuse(Reason.MODEL_UNAVAILABLE, shown, f"{problem}.", "Restore the version, or promote another.")


def sha256_hex(content: bytes) -> str:
    """Return the SHA-256 of bytes in hex digits."""
    return hashlib.sha256(content).hexdigest()
