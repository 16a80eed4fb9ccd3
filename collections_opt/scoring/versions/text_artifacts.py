"""Model versions whose model is one JSON text: written with their digests, read back only where every digest holds.

<root>/<kind>/<version>/<kind>.json      the model
<root>/<kind>/<version>/manifest.json    digests of the files, versions, what it was learned from
<root>/<kind>/<version>/CARD.md          the model card
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from collections_opt.core.errors import Reason, refuse
from collections_opt.scoring.versions.artifacts import Manifest, read_manifest, version_folder, write_version

CARD_FILE, MANIFEST_FILE = "CARD.md", "manifest.json"


@dataclass(frozen=True)
class TextArtifact:
    """A version read back; ``digest`` is the SHA-256 (hex) of manifest.json, ``text`` the model's JSON."""

    manifest: Manifest
    digest: str
    text: str
    card: str


def write_text(root: Path, manifest: Manifest, text: str, card: str) -> Path:
    """Write a version and return its folder; ``manifest.files`` is filled in here.

    Raises:
        CollectionsError: as ``write_version``.
    """
    return write_version(root, manifest, {f"{manifest.kind}.json": text, CARD_FILE: card})


def read_text(
    root: Path, version: str, kind: str, engine: str, feature_set_version: str, feature_names: tuple[str, ...]
) -> TextArtifact:
    """Read a version back.

    Raises:
        CollectionsError: NOT_FOUND; MODEL_UNAVAILABLE naming the file and what is wrong with it.
    """
    manifest, digest, _ = read_manifest(root, version, kind)
    if (manifest.kind, manifest.version, manifest.engine) != (kind, version, engine):
        raise refuse(Reason.MODEL_UNAVAILABLE, MANIFEST_FILE, "is another model's.", "Restore the version.")
    texts = {}
    for name in (f"{kind}.json", CARD_FILE):
        path = version_folder(root, kind, version) / name
        content = path.read_bytes() if path.is_file() else b""
        if manifest.files.get(name) != sha256(content).hexdigest():
            problem = "differs from manifest.json."
            raise refuse(Reason.MODEL_UNAVAILABLE, f"{kind}/{version}/{name}", problem, "Restore the version.")
        texts[name] = content.decode()
    if (manifest.feature_set_version, manifest.feature_names) != (feature_set_version, feature_names):
        problem = f"needs feature set {manifest.feature_set_version}, the code builds {feature_set_version}."
        raise refuse(Reason.MODEL_UNAVAILABLE, f"{kind}/{version}", problem, "Train it again.")
    return TextArtifact(manifest, digest, texts[f"{kind}.json"], texts[CARD_FILE])
