"""Contact models on disk and as text, as ``text_artifacts``: one logistic model per channel."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from collections_opt.core.errors import Reason, refuse
from collections_opt.scoring.contact.features import CONTACT_FEATURE_NAMES, CONTACT_FEATURE_SET_VERSION
from collections_opt.scoring.contact.model import ContactModel, has_shape
from collections_opt.scoring.versions.artifacts import Manifest
from collections_opt.scoring.versions.text_artifacts import read_text, write_text

CONTACT_KIND = "contact"
CONTACT_ENGINE = "logistic-by-channel"
MODEL_FILE = "contact.json"


@dataclass(frozen=True)
class ContactArtifact:
    """A loaded, checked contact model; ``digest`` is the SHA-256 of manifest.json, ``text`` the bytes of contact.json."""

    manifest: Manifest
    digest: str
    model: ContactModel
    text: str
    card: str


def contact_text(model: ContactModel) -> str:
    """Return a contact model as sorted JSON."""
    return json.dumps(TypeAdapter(ContactModel).dump_python(model, mode="json"), indent=1, sort_keys=True) + "\n"


def parse_contact(text: str) -> ContactModel:
    """Return the contact model of its JSON.

    Raises:
        CollectionsError: MODEL_UNAVAILABLE when it is not one.
    """
    try:
        model = TypeAdapter(ContactModel).validate_json(text, strict=True)
    except ValidationError as error:
        problem = f"is not a contact model: {error.errors()[0]['msg']}."
        raise refuse(Reason.MODEL_UNAVAILABLE, MODEL_FILE, problem, "Restore the version.") from error
    for channel in model.channels:
        if not has_shape(channel):
            raise refuse(Reason.MODEL_UNAVAILABLE, MODEL_FILE, f"{channel.channel} has other features.", "Restore the version.")
    return model


def write_contact(root: Path, manifest: Manifest, model: ContactModel, card: str) -> Path:
    """Write a contact version and return its folder, as ``write_text``.

    Raises:
        CollectionsError: ALREADY_EXISTS when the version is there with other bytes.
    """
    return write_text(root, manifest, contact_text(model), card)


def load_contact(root: Path, version: str) -> ContactArtifact:
    """Load a contact version.

    Raises:
        CollectionsError: NOT_FOUND; MODEL_UNAVAILABLE naming the file and what is wrong with it.
    """
    kept = read_text(root, version, CONTACT_KIND, CONTACT_ENGINE, CONTACT_FEATURE_SET_VERSION, CONTACT_FEATURE_NAMES)
    model = parse_contact(kept.text)
    if model.version != version:
        raise refuse(Reason.MODEL_UNAVAILABLE, MODEL_FILE, f"is version {model.version}.", "Restore the version.")
    return ContactArtifact(kept.manifest, kept.digest, model, kept.text, kept.card)
