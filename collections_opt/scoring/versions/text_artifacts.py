"""Model versions whose model is one JSON text: written with their digests, read back only where every digest holds.

<root>/<kind>/<version>/<kind>.json      the model
<root>/<kind>/<version>/manifest.json    digests of the files, versions, what it was learned from
<root>/<kind>/<version>/CARD.md          the model card
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError

from collections_opt.core.accounts.own_features import OwnFeature
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.models.lifecycle import ModelKind
from collections_opt.scoring.versions.artifacts import Manifest, read_manifest, version_folder, write_version

CARD_FILE, MANIFEST_FILE = "CARD.md", "manifest.json"


class TextModel(Protocol):
    """A model that a text holds."""

    @property
    def version(self) -> str:
        """Its version, as the text says it."""
        ...


Parsed = TypeVar("Parsed")
M = TypeVar("M", bound=TextModel)
M_co = TypeVar("M_co", bound=TextModel, covariant=True)


@dataclass(frozen=True)
class TextArtifact(Generic[M_co]):
    """A loaded, checked version; ``digest`` is the SHA-256 (hex) of manifest.json, ``text`` the model's JSON."""

    manifest: Manifest
    digest: str
    model: M_co
    text: str
    card: str

    @property
    def name(self) -> str:
        """Kind and version."""
        return f"{self.manifest.kind}/{self.manifest.version}"


def read_model(kind: type[Parsed], text: str, file: str, what: str) -> Parsed:
    """Return a model of its JSON.

    Args:
        kind: the model's class.
        text: the JSON.
        file: where it was, for the refusal.
        what: people call it, such as ``a contact model``.

    Raises:
        CollectionsError: MODEL_UNAVAILABLE when it is not one.
    """
    try:
        return TypeAdapter(kind).validate_json(text, strict=True)
    except ValidationError as error:
        problem = f"is not {what}: {error.errors()[0]['msg']}."
        raise refuse(Reason.MODEL_UNAVAILABLE, file, problem, "Restore the version.") from error


def model_text(plain: dict[str, Any]) -> str:
    """Return a model as sorted JSON; one that learned from no own column has no word of them, as before there were any."""
    told = {name: value for name, value in plain.items() if name != "own" or value}
    return json.dumps(told, indent=1, sort_keys=True) + "\n"


@dataclass(frozen=True)
class TextFormat(Generic[M]):
    """How a kind of model is kept.

    Attributes:
        kind: the kind; ``<kind>.json`` holds the model.
        feature_set_version: that its models read.
        feature_names: likewise, by the own columns that a manifest declares.
        engine_of: returns the engine that a manifest names for a model.
        text_of: returns a model as JSON.
        parse: returns the model of its JSON, which it has looked through; raises MODEL_UNAVAILABLE.
    """

    kind: ModelKind
    feature_set_version: str
    feature_names: Callable[[Sequence[OwnFeature]], tuple[str, ...]]
    engine_of: Callable[[M], str]
    text_of: Callable[[M], str]
    parse: Callable[[str], M]

    def write(self, root: Path, manifest: Manifest, model: M, card: str) -> Path:
        """Write a version and return its folder; ``manifest.files`` is filled in here.

        Raises:
            CollectionsError: ALREADY_EXISTS when the version is there with other bytes; as ``text_of``.
        """
        return write_version(root, manifest, {f"{self.kind}.json": self.text_of(model), CARD_FILE: card})

    def load(self, root: Path, version: str) -> TextArtifact[M]:
        """Return a version, checked.

        Raises:
            CollectionsError: NOT_FOUND; MODEL_UNAVAILABLE naming the file and what is wrong with it; as ``parse``.
        """
        kind, file = self.kind, f"{self.kind}.json"
        manifest, digest, _ = read_manifest(root, version, kind)
        if (manifest.kind, manifest.version) != (kind, version):
            raise _unavailable(MANIFEST_FILE, "is another model's.")
        texts = {name: self._text(root, manifest, name) for name in (file, CARD_FILE)}
        names = self.feature_names(manifest.own_columns)
        if (manifest.feature_set_version, manifest.feature_names) != (self.feature_set_version, names):
            problem = f"needs feature set {manifest.feature_set_version}, the code builds {self.feature_set_version}."
            raise refuse(Reason.MODEL_UNAVAILABLE, f"{kind}/{version}", problem, "Train it again.")
        model = self.parse(texts[file])
        if self.engine_of(model) != manifest.engine:
            raise _unavailable(file, f"is no model of {manifest.engine}.")
        if getattr(model, "own", ()) != manifest.own_columns:
            raise _unavailable(file, "is of other own columns.")
        if model.version != version:
            raise _unavailable(file, f"is version {model.version}.")
        return TextArtifact(manifest, digest, model, texts[file], texts[CARD_FILE])

    def _text(self, root: Path, manifest: Manifest, name: str) -> str:
        path = version_folder(root, self.kind, manifest.version) / name
        content = path.read_bytes() if path.is_file() else b""
        if manifest.files.get(name) != sha256(content).hexdigest():
            raise _unavailable(f"{self.kind}/{manifest.version}/{name}", "differs from manifest.json.")
        return content.decode()


def _unavailable(file: str, problem: str) -> CollectionsError:
    return refuse(Reason.MODEL_UNAVAILABLE, file, problem, "Restore the version.")
