"""ModelService through a real server: the whole life of a version, its refusals, and what rankings say of their model."""

import uuid
from contextlib import closing

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from collections_opt.api.v1 import model_service_pb2 as pb
from collections_opt.api.v1 import model_use_pb2
from collections_opt.application.workspace import open_workspace
from tests.support.models.folders import NOW, SHIPPED_VERSION, add_version, folder_with_people
from tests.support.serving.calls import WAIT, C, account, calling, columns, fields_of, import_requests, made, score_request
from tests.support.serving.edge import refusal

EXPIRES = Timestamp(seconds=int(NOW.timestamp()) + 86_400)


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    models = folder_with_people(folder)
    add_version(models, "next")
    workspace = open_workspace(folder / "data", models, lambda: NOW)
    with closing(workspace), calling(workspace) as stubs:
        yield stubs


def call(client, name, actor, version="next", **fields):
    request = getattr(pb, f"{name}Request")(request_id=str(uuid.uuid4()), actor=actor, kind="outcome", version=version, **fields)
    return getattr(client.models, name)(request, timeout=WAIT).model


def refused(client, *args, **fields):
    with pytest.raises(grpc.RpcError) as caught:
        call(client, *args, **fields)
    return caught.value


def test_a_version_lives_through_the_api_and_rankings_name_its_approval(client):
    assert refusal(refused(client, "SubmitModel", "stranger"))[:2] == (C.PERMISSION_DENIED, "PERMISSION_DENIED")
    assert call(client, "SubmitModel", "sue").state == pb.MODEL_STATE_SUBMITTED
    assert refusal(refused(client, "PromoteModel", "op", role=pb.MODEL_ROLE_CHAMPION))[:2] == (
        C.FAILED_PRECONDITION,
        "MODEL_STATE_CONFLICT",
    )
    assert call(client, "ValidateModel", "val", note="looked at calibration").validator == "val"
    terms = {"expire_time": EXPIRES, "allowed_portfolio_patterns": ["book*"]}
    assert call(client, "ApproveModel", "ada", validate_only=True, **terms).state == pb.MODEL_STATE_VALIDATED
    approved = call(client, "ApproveModel", "ada", **terms)
    assert (approved.state, approved.approval.approver, approved.approval.score_valid_days) == (pb.MODEL_STATE_APPROVED, "ada", 7)
    challenger = call(client, "PromoteModel", "op", role=pb.MODEL_ROLE_CHALLENGER)
    assert challenger.role == pb.MODEL_ROLE_CHALLENGER
    client.portfolios.ImportPortfolio(import_requests("book", columns()), timeout=WAIT)
    use = made(client).model_use
    assert (use.step, use.approval.mode) == (model_use_pb2.LADDER_STEP_CHAMPION, model_use_pb2.APPROVAL_MODE_BOOTSTRAP)
    assert use.shadow[0].agreement == 1.0
    assert not use.scores_stale
    assert call(client, "PromoteModel", "op", role=pb.MODEL_ROLE_CHAMPION).role == pb.MODEL_ROLE_CHAMPION
    ranking = made(client, request_id=str(uuid.uuid4()))
    assert (ranking.inputs.model_version, ranking.model_use.approval.approver) == ("outcome/next", "ada")
    scored = client.scoring.ScoreAccounts(score_request(account("a")), timeout=WAIT)
    assert scored.model_version == f"outcome/{SHIPPED_VERSION}"  # rows belong to no portfolio of book*
    assert scored.model_use.degraded[0].step == model_use_pb2.LADDER_STEP_CHAMPION
    assert call(client, "RollbackModel", "op", version="").version == SHIPPED_VERSION
    assert call(client, "RetireModel", "op").state == pb.MODEL_STATE_RETIRED
    request = pb.ListModelEventsRequest(kind="outcome", version="next", page_size=4)
    page = client.models.ListModelEvents(request, timeout=WAIT)
    request.page_token = page.next_page_token
    rest = client.models.ListModelEvents(request, timeout=WAIT)
    actions = [pb.ModelAction.Name(e.action).removeprefix("MODEL_ACTION_") for e in (*page.events, *rest.events)]
    assert actions == ["SUBMIT", "VALIDATE", "APPROVE", "CHALLENGE", "PROMOTE", "RETIRE"]
    assert not rest.next_page_token


@pytest.mark.parametrize(
    ("name", "fields", "field"),
    [
        ("SubmitModel", {"kind": "astrology"}, "kind"),
        ("SubmitModel", {"version": "absent"}, "version"),
        ("SubmitModel", {"request_id": "x"}, "request_id"),
        ("SubmitModel", {"actor": ""}, "actor"),
        ("SubmitModel", {"note": "x" * 2_001}, "note"),
        ("ApproveModel", {"actor": "ada", "allowed_portfolio_patterns": []}, "allowed_portfolio_patterns"),
        ("ApproveModel", {"actor": "ada", "score_valid_days": -1}, "score_valid_days"),
        ("PromoteModel", {"actor": "op", "role": 0}, "role"),
    ],
)
def test_acts_are_refused_by_field(client, name, fields, field):
    given = {"request_id": str(uuid.uuid4()), "actor": "sue", "kind": "outcome", "version": "next", **fields}
    with pytest.raises(grpc.RpcError) as caught:
        getattr(client.models, name)(getattr(pb, f"{name}Request")(**given), timeout=WAIT)
    assert fields_of(caught.value) == {field}
