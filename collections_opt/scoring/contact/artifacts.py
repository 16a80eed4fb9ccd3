"""Contact models on disk and as text, as ``text_artifacts``: one logistic model per channel."""

from __future__ import annotations

from pydantic import TypeAdapter

from collections_opt.core.errors import Reason, refuse
from collections_opt.core.models.lifecycle import ModelKind
from collections_opt.scoring.contact.features import CONTACT_FEATURE_SET_VERSION, contact_feature_names
from collections_opt.scoring.contact.model import ContactModel, has_shape
from collections_opt.scoring.versions.text_artifacts import TextFormat, model_text, read_model

CONTACT_KIND = ModelKind.CONTACT
CONTACT_ENGINE = "logistic-by-channel"
MODEL_FILE = "contact.json"


def contact_text(model: ContactModel) -> str:
    """Return a contact model as sorted JSON."""
    return model_text(TypeAdapter(ContactModel).dump_python(model, mode="json"))


def parse_contact(text: str) -> ContactModel:
    """Return the contact model of its JSON.

    Raises:
        CollectionsError: MODEL_UNAVAILABLE when it is not one.
    """
    model = read_model(ContactModel, text, MODEL_FILE, "a contact model")
    for channel in model.channels:
        if not has_shape(channel, model.own):
            raise refuse(Reason.MODEL_UNAVAILABLE, MODEL_FILE, f"{channel.channel} has other features.", "Restore the version.")
    return model


CONTACTS = TextFormat(
    kind=ModelKind.CONTACT,
    feature_set_version=CONTACT_FEATURE_SET_VERSION,
    feature_names=contact_feature_names,
    engine_of=lambda _: CONTACT_ENGINE,
    text_of=contact_text,
    parse=parse_contact,
)
write_contact, load_contact = CONTACTS.write, CONTACTS.load
