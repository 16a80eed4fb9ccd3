"""What evidence shows of the models behind a ranking: their manifests, and everything people did to these versions."""

from __future__ import annotations

from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.application.records.record_parts import StoredObject
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.models.lifecycle import ModelKind
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.log.chain import canonical_json


def object_files(ledger: Ledger, facts: RankingFacts) -> dict[str, bytes]:
    """Return every object that a record names but what belongs to accounts, by file name.

    Raises:
        CollectionsError: INTEGRITY_FAILURE for an object that is missing or damaged.
    """
    return {each.file: ledger.objects.get(each.digest) for each in sorted(facts.objects(), key=_key) if each.file}


def _key(stored: StoredObject) -> str:
    """Return what archives are in the order of."""
    return stored.key


def model_files(ledger: Ledger, facts: RankingFacts) -> dict[str, bytes]:
    """Return files about the versions that a record names, by file name; approvals.json alone where none is registered.

    The card of the effects is named by its digest in their manifest.

    Raises:
        CollectionsError: INTEGRITY_FAILURE when the registry holds another manifest under a recorded version.
    """
    files, acts = {}, []
    for kind in ModelKind:
        version, digest = facts.served(kind)
        manifest = _manifest(ledger, kind, version, digest) if version and digest else ""
        if manifest:
            files[f"{kind.value}_manifest.json"] = manifest.encode()
            acts += [event.told() for event in ledger.model_events.every(kind, version)]
    return {**files, "approvals.json": canonical_json({"acts": acts}).encode()}


def _manifest(ledger: Ledger, kind: ModelKind, version: str, digest: str) -> str:
    try:
        stored = ledger.models.get(kind, version)
    except CollectionsError as error:
        if error.reason is Reason.NOT_FOUND:
            return ""
        raise
    if stored.digest != digest:
        name = f"{kind.value}/{version}"
        raise refuse(Reason.INTEGRITY_FAILURE, "models", f"hold another manifest of {name} than was recorded.", "Verify the log.")
    return stored.manifest
