"""Good requests about what people save and approve one after the other: values, and versions of models."""

from __future__ import annotations

import uuid

from google.protobuf.timestamp_pb2 import Timestamp

from collections_opt.api.v1 import model_service_pb2, parameters_service_pb2, value_set_pb2
from collections_opt.application.settings import bundled_parameters
from collections_opt.wire.common import write_date
from collections_opt.wire.parameters import write_parameters
from tests.support.models.folders import NOW
from tests.support.serving.calls import AS_OF

VALUE_SET = "saved-values"
"""A set of values that the server holds, saved by somebody and not approved."""


def value_set(set_id):
    """Return a set of values with every field set."""
    parameters = write_parameters(bundled_parameters())
    return value_set_pb2.ValueSet(
        set_id=set_id, effective_from=write_date(AS_OF), value_parameters=parameters, portfolio_patterns=["swept-*"]
    )


def value_requests(etag: str):
    """Return good requests of ParametersService; the etag is of ``VALUE_SET``."""
    pb = parameters_service_pb2
    an_act = {"request_id": str(uuid.UUID(int=33, version=4)), "note": "swept", "validate_only": True}
    return {
        "CreateValueSet": pb.CreateValueSetRequest(actor="ann", value_set=value_set("swept"), **an_act),
        "UpdateValueSet": pb.UpdateValueSetRequest(actor="ann", value_set=value_set(VALUE_SET), etag=etag, **an_act),
        "ApproveValueSet": pb.ApproveValueSetRequest(actor="ben", set_id=VALUE_SET, version=1, **an_act),
        "GetValueSet": pb.GetValueSetRequest(set_id=VALUE_SET, version=1),
        "ListValueSets": pb.ListValueSetsRequest(page_size=5),
        "ListValueSetVersions": pb.ListValueSetVersionsRequest(set_id=VALUE_SET, page_size=5),
        "GetValuesInForce": pb.GetValuesInForceRequest(
            portfolio_id="book", as_of_date=write_date(AS_OF), products=["CREDIT_CARD"]
        ),
    }


def model_requests():
    """Return good requests of ModelService."""
    models = model_service_pb2
    an_act = {"request_id": str(uuid.UUID(int=32, version=4)), "kind": "outcome", "note": "swept", "validate_only": True}
    expires = Timestamp(seconds=int(NOW.timestamp()) + 86_400)
    return {
        "ListModels": models.ListModelsRequest(page_size=5, kind="outcome"),
        "GetModel": models.GetModelRequest(kind="outcome", version="approved"),
        "ListModelEvents": models.ListModelEventsRequest(kind="outcome", version="approved", page_size=5),
        "SubmitModel": models.SubmitModelRequest(actor="sue", version="draft", **an_act),
        "ValidateModel": models.ValidateModelRequest(actor="val", version="submitted", **an_act),
        "ApproveModel": models.ApproveModelRequest(
            actor="ada", version="validated", expire_time=expires, allowed_portfolio_patterns=["*"], score_valid_days=7, **an_act
        ),
        "PromoteModel": models.PromoteModelRequest(actor="op", version="approved", role=models.MODEL_ROLE_CHALLENGER, **an_act),
        "RollbackModel": models.RollbackModelRequest(actor="op", version="once-champion", **an_act),
        "RetireModel": models.RetireModelRequest(actor="op", version="approved", **an_act),
    }
