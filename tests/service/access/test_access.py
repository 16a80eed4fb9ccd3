"""Who may call what, through a real server: every method times every role, and the token that a ranking remembers."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from datetime import timedelta

import grpc
import pytest

from collections_opt.api.v1 import (
    actor_pb2,
    evidence_pb2,
    model_service_pb2,
    ranking_pb2,
    ranking_service_pb2,
)
from collections_opt.application.evidence.standalone import verify_evidence
from collections_opt.application.settings import bundled_plan
from collections_opt.client.client import connect
from collections_opt.client.connection import Connection
from collections_opt.client.policy import CONTRACT
from collections_opt.client.rankings import make_ranking
from collections_opt.core.actors import ActorRole
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.service.access import roles as access
from collections_opt.service.access.methods import METHODS as TABLE
from collections_opt.service.access.methods import CallClass
from collections_opt.service.access.roles import Access
from collections_opt.service.access.tokens import TokenChecker, issue, new_key
from collections_opt.service.server.build import ServerOptions, build_server
from collections_opt.service.server.handlers import Service
from collections_opt.service.server.services import all_services
from tests.support.books.bundled_portfolio import BUNDLED_PORTFOLIO_ID
from tests.support.models.folders import NOW
from tests.support.serving.edge import WAIT, refusal
from tests.support.serving.people import workspace_of_people
from tests.support.serving.tokens import keys_given

DESCRIPTORS = [service for file in CONTRACT for service in file.services_by_name.values()]
METHODS = [method for service in DESCRIPTORS for method in service.methods]
PEM, PUBLIC = new_key("k1")
ACCESS = Access(TokenChecker(keys_given(PUBLIC, lambda: NOW), "desk", "collections-opt", lambda: NOW))


def token(name, role):
    return issue(PEM, name, role, NOW, timedelta(minutes=5), "desk", "collections-opt", "k1")


class Reached:
    """Says of every call that it came through."""

    def __getattr__(self, name):
        def answer(_request, _context):
            raise refuse(Reason.NOT_FOUND, name, "was reached.")

        return answer


@contextmanager
def serving(services, given=ACCESS):
    built = build_server(services, ServerOptions(insecure_loopback=True, access=given))
    built.start()
    try:
        yield built.port
    finally:
        built.stop(0)


@pytest.fixture(scope="module")
def channel():
    services = [Service(d, Reached(), dict.fromkeys(d.methods_by_name, CallClass.READ)) for d in DESCRIPTORS]
    with serving(services) as port, grpc.insecure_channel(f"127.0.0.1:{port}") as opened:
        yield opened


def called(channel, method, metadata):
    """Return why an empty call of a method was refused."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    shape = {(0, 0): "unary_unary", (1, 0): "stream_unary", (0, 1): "unary_stream", (1, 1): "stream_stream"}
    caller = getattr(channel, shape[method.client_streaming, method.server_streaming])(path)
    request = iter([b""]) if method.client_streaming else b""

    def call():
        answer = caller(request, timeout=WAIT, metadata=metadata)
        return list(answer) if method.server_streaming else answer

    with pytest.raises(grpc.RpcError) as caught:
        call()
    return refusal(caught.value)[:2]


def test_the_table_names_every_method_of_the_contract_and_no_other():
    declared = {(method.containing_service.name, method.name) for method in METHODS}
    assert {(service, name) for service, methods in TABLE.items() for name in methods} == declared
    assert all(held.roles for methods in TABLE.values() for held in methods.values())


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_every_method_lets_in_its_roles_and_nobody_else(channel, method):
    allowed = TABLE[method.containing_service.name][method.name].roles
    for role in ActorRole:
        code, reason = called(channel, method, (("authorization", f"Bearer {token('ann', role)}"),))
        if role in allowed:  # in, it is told what its empty request lacks, or that it was reached
            assert reason in ("NOT_FOUND", "INVALID_ARGUMENT"), role
        else:
            assert (code, reason) == (grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED"), role
    for metadata in ((), (("authorization", "Basic YTpi"),), (("authorization", "Bearer "),), (("authorization", "Bearer x"),)):
        assert called(channel, method, metadata) == (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")


def test_nobody_submits_validates_and_approves_in_one_role():
    acts = [TABLE["ModelService"][name].roles for name in ("SubmitModel", "ValidateModel", "ApproveModel")]
    assert not any(one & other for index, one in enumerate(acts) for other in acts[index + 1 :])


def test_a_method_that_the_table_forgets_is_nobodys(channel, monkeypatch):
    method = next(m for m in METHODS if m.name == "GetPortfolio")
    monkeypatch.setattr(access, "METHODS", {})
    for role in ActorRole:
        assert called(channel, method, (("authorization", f"Bearer {token('ann', role)}"),))[1] == "PERMISSION_DENIED"


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        (("x-actor", "ann"), "NOT_FOUND"),
        (("x-actor", "ben"), "INVALID_ARGUMENT"),
        (("x-role", "ANALYST"), "NOT_FOUND"),
        (("x-role", "ADMIN"), "INVALID_ARGUMENT"),
    ],
)
def test_a_claim_beside_a_token_must_say_the_same(channel, claim, reason):
    method = next(m for m in METHODS if m.name == "GetPortfolio")
    bearer = ("authorization", f"Bearer {token('ann', ActorRole.ANALYST)}")
    assert called(channel, method, (bearer, claim))[1] == reason
    assert called(channel, method, (bearer, bearer))[1] == "INVALID_ARGUMENT"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    with workspace_of_people(tmp_path_factory.mktemp("access")) as opened:
        yield opened


def test_a_ranking_remembers_whom_the_token_vouched_for(workspace, tmp_path):
    file = tmp_path / "ann.token"
    request = ranking_service_pb2.CreateRankingRequest(
        request_id=str(uuid.uuid4()),
        portfolio_id=BUNDLED_PORTFOLIO_ID,
        capacity_plan_id=bundled_plan().plan_id,
        ordering=ranking_pb2.ORDERING_BALANCE,
    )
    with (
        serving(all_services(workspace)) as port,
        connect(Connection(f"127.0.0.1:{port}", insecure_loopback=True, token=file)) as client,
    ):
        with pytest.raises(CollectionsError) as missing:
            make_ranking(client, request)
        assert missing.value.violations[0].field == "token"
        file.write_text(token("lea", ActorRole.AUDITOR) + "\n")
        with pytest.raises(CollectionsError) as denied:
            make_ranking(client, request)
        assert denied.value.reason is Reason.PERMISSION_DENIED
        file.write_text(token("ann", ActorRole.ANALYST))  # renewed: read anew with the next call
        ranking = make_ranking(client, request)
        act = model_service_pb2.SubmitModelRequest(
            request_id=str(uuid.uuid4()), kind="outcome", version="next", validate_only=True
        )
        file.write_text(token("sue", ActorRole.MODEL_SUBMITTER))
        client.models.SubmitModel(act)
        file.write_text(token("ada", ActorRole.MODEL_SUBMITTER))
        with pytest.raises(CollectionsError) as nobody:  # the role lets ada call; the registry does not name her
            client.models.SubmitModel(act)
        assert nobody.value.reason is Reason.PERMISSION_DENIED
        file.write_text(token("lea", ActorRole.AUDITOR))
        asked = evidence_pb2.VerifyRankingRequest(ranking_id=ranking.ranking_id)
        verdict = client.rankings.VerifyRanking(asked).verdict
    analyst = actor_pb2.ACTOR_ROLE_ANALYST
    assert ranking.actor == ranking_pb2.RankingActor(authenticated_name="ann", authenticated_role=analyst, token_issuer="desk")
    said = "It was asked for by ann as ANALYST, by a token of desk, over no authenticated system."
    assert said in verdict.checks[0].sentence
    record = workspace.ledger.rankings.get(ranking.ranking_id)
    assert said in verify_evidence.check_archive(workspace.evidence.archive(record), workspace.evidence.proofs.vkey)
