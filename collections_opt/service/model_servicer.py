"""ModelService: the model versions on disk and which one decides."""

from __future__ import annotations

from pathlib import Path

import grpc

from collections_opt.api.v1 import model_service_pb2 as pb
from collections_opt.core.errors import Reason, refuse
from collections_opt.scoring.artifacts import OUTCOME_KIND, Artifact, list_versions, load_artifact, read_active
from collections_opt.service.paging import read_page
from collections_opt.wire.common import write_time

ROLES = {"champion": pb.MODEL_ROLE_CHAMPION, "challenger": pb.MODEL_ROLE_CHALLENGER}


class ModelServicer:
    """Shows the models under a folder; every one shown was checked against its digests."""

    def __init__(self, models: Path) -> None:
        self._models = models

    def list_models(self, request: pb.ListModelsRequest, _context: grpc.ServicerContext) -> pb.ListModelsResponse:
        """Return a page of versions."""
        page = read_page("models", request.page_size, request.page_token, "")
        later = [version for version in list_versions(self._models) if version > page.after]
        versions, more = page.cut(later)
        active = read_active(self._models)
        return pb.ListModelsResponse(
            models=[write_model(load_artifact(self._models, version), active, card="") for version in versions],
            next_page_token=page.next_token(versions[-1]) if more else "",
        )

    def get_model(self, request: pb.GetModelRequest, _context: grpc.ServicerContext) -> pb.GetModelResponse:
        """Return a version with its card."""
        if request.kind != OUTCOME_KIND:
            raise refuse(Reason.NOT_FOUND, "kind", f"{request.kind!r} is unknown.", f"Use {OUTCOME_KIND}.")
        active = read_active(self._models)
        version = request.version or active["champion"]
        known = list_versions(self._models)
        if version not in known:
            raise refuse(Reason.NOT_FOUND, "version", f"{version!r} is unknown.", f"Use one of {', '.join(known)}.")
        artifact = load_artifact(self._models, version)
        return pb.GetModelResponse(model=write_model(artifact, active, artifact.card))


def write_model(artifact: Artifact, active: dict[str, str], card: str) -> pb.Model:
    """Return a model version as a message."""
    manifest = artifact.manifest
    roles = [ROLES[role] for role, version in active.items() if version == manifest.version and role in ROLES]
    return pb.Model(
        kind=manifest.kind,
        version=manifest.version,
        role=roles[0] if roles else pb.MODEL_ROLE_INACTIVE,
        digest=artifact.digest,
        file_digests=manifest.files,
        feature_set_version=manifest.feature_set_version,
        feature_names=manifest.feature_names,
        calibration_version=manifest.calibration_version,
        metrics=manifest.metrics,
        create_time=write_time(manifest.created_at),
        card=card,
    )
