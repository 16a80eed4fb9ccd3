"""Evidence of a remote ledger: archives read whole."""

from __future__ import annotations

from collections.abc import Sequence

from collections_opt.api.v1 import evidence_pb2
from collections_opt.client.client import Client


def export_evidence(client: Client, ranking_id: str, accounts: Sequence[str] = ()) -> bytes:
    """Return the evidence archive of a ranking; accounts limit whose rows are shown."""
    request = evidence_pb2.ExportEvidenceRequest(ranking_id=ranking_id, account_ids=accounts)
    return b"".join(part.content for part in client.rankings.ExportEvidence(request))
