"""What evidence shows of the models behind a ranking: their manifests, and everything people did to these versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.limits import MAX_PAGE_SIZE
from collections_opt.core.models.lifecycle import ModelEvent, ModelKind
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.log.chain import canonical_json

_RECORDED_AS = {ModelKind.OUTCOME: "model", ModelKind.EFFECT: "effects"}
"""What a record calls a model whose name there is not its kind's."""

_FILES = {
    "plan_object": "plan.json",
    "rules_object": "rules.json",
    "model_card_object": "model_card.md",
    "effects_object": "effect_model.json",
}
_ACCOUNTS = "entries_object"


def object_files(ledger: Ledger, held: Mapping[str, Any]) -> dict[str, bytes]:
    """Return every object that a record names but its accounts, by file name: X_object is X_model.json unless named above.

    Raises:
        CollectionsError: INTEGRITY_FAILURE for an object that is missing or damaged.
    """
    named = {key: digest for key, digest in held.items() if key.endswith("_object") and key != _ACCOUNTS and digest}
    return {_FILES.get(key, key.replace("_object", "_model.json")): ledger.objects.get(digest) for key, digest in named.items()}


def model_files(ledger: Ledger, held: Mapping[str, Any]) -> dict[str, bytes]:
    """Return files about the versions that a record names, by file name; approvals.json alone where none is registered.

    The card of the effects is named by its digest in their manifest.

    Raises:
        CollectionsError: INTEGRITY_FAILURE when the registry holds another manifest under a recorded version.
    """
    files, acts = {}, []
    for kind in ModelKind:
        name = _RECORDED_AS.get(kind, kind.value)
        version, digest = _version_of(kind, held.get(f"{name}_version", "")), held.get(f"{name}_digest", "")
        manifest = _manifest(ledger, kind, version, digest) if version and digest else ""
        if manifest:
            files[f"{kind.value}_manifest.json"] = manifest.encode()
            acts += [_plain(event) for event in _events(ledger, kind, version)]
    return {**files, "approvals.json": canonical_json({"acts": acts}).encode()}


def _version_of(kind: ModelKind, recorded: str) -> str:
    """Return the version in a recorded name, "contact/VERSION over effect/VERSION over plan/..."; empty where it has none."""
    return next((part.partition("/")[2] for part in recorded.split(" over ") if part.startswith(f"{kind}/")), "")


def _manifest(ledger: Ledger, kind: ModelKind, version: str, digest: str) -> str:
    try:
        stored = ledger.model(kind, version)
    except CollectionsError as error:
        if error.reason is Reason.NOT_FOUND:
            return ""
        raise
    if stored.digest != digest:
        name = f"{kind.value}/{version}"
        raise refuse(Reason.INTEGRITY_FAILURE, "models", f"hold another manifest of {name} than was recorded.", "Verify the log.")
    return stored.manifest


def _events(ledger: Ledger, kind: ModelKind, version: str) -> Iterator[ModelEvent]:
    after = 0
    while page := ledger.model_events_after(kind, version, after, MAX_PAGE_SIZE):
        yield from page
        after = page[-1].seq


def _plain(event: ModelEvent) -> dict[str, Any]:
    terms = event.terms
    given = {
        "expires_at": terms.expires_at.isoformat(),
        "allowed_portfolios": list(terms.allowed_portfolios),
        "score_valid_days": terms.score_valid_days,
    } if terms else {}  # fmt: skip
    return {
        "seq": event.seq,
        "kind": event.kind.value,
        "version": event.version,
        "digest": event.digest,
        "action": event.action.value,
        "actor": event.actor,
        "mode": event.mode.value,
        "note": event.note,
        "terms": given,
        "at": event.at.isoformat(),
    }
