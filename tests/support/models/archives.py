"""The files of an archive of evidence, and an archive signed again after they changed."""

from __future__ import annotations

import io
import zipfile

from collections_opt.application.evidence.proofs import _zip
from collections_opt.application.evidence.standalone import verify_evidence


def files_of(archive):
    with zipfile.ZipFile(io.BytesIO(archive)) as content:
        return {name: content.read(name) for name in content.namelist()}


def signed_again(workspace, ranking_id, files):
    """Return an archive as the lender's own key would sign it."""
    listed = {name: content for name, content in files.items() if name != "manifest.note"}
    lines = "".join(f"{verify_evidence.sha256(content).hex()}  {name}\n" for name, content in listed.items())
    signer = workspace.evidence.proofs._checkpoints.signer
    return _zip({**listed, "manifest.note": signer.sign(f"any evidence {ranking_id}\n{lines}").encode()})
