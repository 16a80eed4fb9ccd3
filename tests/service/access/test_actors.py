"""Who made a ranking, through real servers: claimed in metadata, authenticated by mTLS, kept over retries and a lost server."""

from __future__ import annotations

import shutil
import uuid
from contextlib import contextmanager

import grpc
import pytest

from collections_opt.api.v1 import (
    actor_pb2,
    capacity_service_pb2,
    evidence_pb2,
    model_service_pb2,
    portfolio_service_pb2,
    ranking_pb2,
    ranking_service_pb2,
)
from collections_opt.application.evidence.replay import ReplayOutcome
from collections_opt.application.evidence.standalone import verify_evidence
from collections_opt.application.rankings.command import OwedRanking, RankingCommand
from collections_opt.application.settings import bundled_parameters, bundled_plan, load
from collections_opt.client.client import connect
from collections_opt.client.connection import Connection
from collections_opt.client.rankings import make_ranking
from collections_opt.core.actors import Actor
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.service.server.build import ServerOptions, TlsFiles, build_server
from collections_opt.service.server.services import all_services
from tests.support.books.bundled_portfolio import BUNDLED_PORTFOLIO_ID
from tests.support.serving.calls import WAIT, Client
from tests.support.serving.certificates import make_certificates
from tests.support.serving.edge import refusal
from tests.support.serving.people import workspace_of_people
from tests.support.serving.requests.good import chunk, header

ANN = (("x-actor", "ann"), ("x-role", "OPERATIONS_MANAGER"))
BEN = (("x-actor", "ben"),)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    with workspace_of_people(tmp_path_factory.mktemp("actors")) as opened:
        yield opened


@contextmanager
def served(workspace, options):
    built = build_server(all_services(workspace), options)
    built.start()
    try:
        yield built.port
    finally:
        built.stop(0)


@pytest.fixture(scope="module")
def client(workspace):
    with (
        served(workspace, ServerOptions(insecure_loopback=True)) as port,
        grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.enable_retries", 0)]) as channel,
    ):
        yield Client(channel)


def asking(request_id=""):
    return ranking_service_pb2.CreateRankingRequest(
        request_id=request_id or str(uuid.uuid4()),
        portfolio_id=BUNDLED_PORTFOLIO_ID,
        capacity_plan_id=bundled_plan().plan_id,
        ordering=ranking_pb2.ORDERING_BALANCE,
    )


def ranking_id_of(request):
    command = RankingCommand(request.request_id, "", "", None, Ordering.BALANCE, bundled_parameters())
    return command.ranking_id


def made(client, request, metadata):
    ranking_id = client.rankings.CreateRanking(request, timeout=WAIT, metadata=metadata).ranking.ranking_id
    list(client.rankings.WatchRanking(ranking_service_pb2.WatchRankingRequest(ranking_id=ranking_id), timeout=WAIT))
    return client.rankings.GetRanking(ranking_service_pb2.GetRankingRequest(ranking_id=ranking_id), timeout=WAIT).ranking


def test_a_ranking_names_who_asked_first_and_every_report_says_that_it_is_a_claim(workspace, client):
    request = asking()
    ranking = made(client, request, ANN)
    assert ranking.actor == ranking_pb2.RankingActor(claimed_name="ann", claimed_role=actor_pb2.ACTOR_ROLE_OPERATIONS_MANAGER)
    assert made(client, request, BEN) == ranking  # the same request of another person: the same ranking, as it was recorded
    asked = evidence_pb2.VerifyRankingRequest(ranking_id=ranking.ranking_id)
    verdict = client.rankings.VerifyRanking(asked, timeout=WAIT).verdict
    said = "It was asked for by ann as OPERATIONS_MANAGER, as the caller claimed, over no authenticated system."
    assert said in verdict.checks[0].sentence
    record = workspace.ledger.rankings.get(ranking.ranking_id)
    archive = workspace.evidence.archive(record)
    assert said in verify_evidence.check_archive(archive, workspace.evidence.proofs.vkey)
    assert workspace.evidence.replays.replay(ranking.ranking_id).outcome is ReplayOutcome.BIT_IDENTICAL


def test_who_imported_a_portfolio_and_saved_a_plan_is_told_and_kept_in_the_evidence(workspace, client):
    listed = client.plans.ListCapacityPlans(capacity_service_pb2.ListCapacityPlansRequest(), timeout=WAIT).capacity_plans
    plan = next(each for each in listed if each.plan_id == bundled_plan().plan_id)
    assert not plan.HasField("saved_by")
    plan.plan_id = "of-ann"
    create = capacity_service_pb2.CreateCapacityPlanRequest(capacity_plan=plan)
    saved = client.plans.CreateCapacityPlan(create, timeout=WAIT, metadata=ANN).capacity_plan
    ann = actor_pb2.RecordedActor(name="ann", role=actor_pb2.ACTOR_ROLE_OPERATIONS_MANAGER)
    read = capacity_service_pb2.GetCapacityPlanRequest(plan_id="of-ann")
    assert saved.saved_by == ann == client.plans.GetCapacityPlan(read, timeout=WAIT).capacity_plan.saved_by
    for metadata in (ANN, BEN):
        sent = iter([header(portfolio_id="of-ann", validate_only=False), chunk()])
        imported = client.portfolios.ImportPortfolio(sent, timeout=WAIT, metadata=metadata).portfolio
        assert imported.imported_by == ann
    all_of_them = client.portfolios.ListPortfolios(portfolio_service_pb2.ListPortfoliosRequest(), timeout=WAIT).portfolios
    assert {p.portfolio_id: p.imported_by.name for p in all_of_them} == {BUNDLED_PORTFOLIO_ID: "", "of-ann": "ann"}
    request = asking()
    request.portfolio_id = request.capacity_plan_id = "of-ann"
    record = workspace.ledger.rankings.get(made(client, request, BEN).ranking_id)
    report = verify_evidence.check_archive(workspace.evidence.archive(record), workspace.evidence.proofs.vkey)
    said = "by ann as OPERATIONS_MANAGER, as the caller claimed, over no authenticated system."
    assert {f"The portfolio of-ann was imported {said}", f"The plan of-ann/1 was saved {said}"} <= set(report)


def test_a_ranking_of_nobody_says_so(client):
    assert made(client, asking(), ()).actor == ranking_pb2.RankingActor()


@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        ((("x-actor", "a" * 129),), "x-actor"),
        ((("x-actor", "ann"), ("x-actor", "ben")), "x-actor"),
        ((("x-role", "BOSS"),), "x-role"),
    ],
)
def test_what_is_no_identity_is_refused_before_anything_is_recorded(workspace, client, metadata, field):
    request = asking()
    with pytest.raises(grpc.RpcError) as caught:
        client.rankings.CreateRanking(request, timeout=WAIT, metadata=metadata)
    code, reason, status = refusal(caught.value)
    assert (code, reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT")
    assert field.encode() in status.details[1].value
    with pytest.raises(CollectionsError) as unknown:
        workspace.ledger.requests.requested(ranking_id_of(request))
    assert unknown.value.reason is Reason.NOT_FOUND


def test_a_resumed_ranking_records_who_asked_the_server_that_was_lost(workspace, client, monkeypatch):
    request = asking()
    with monkeypatch.context() as patched:
        patched.setattr(workspace.rankings._runs, "_worker", "gone-1")
        patched.setattr(workspace.rankings._runs, "_start", lambda _: None)  # the server ends before it comes to work
        ranking_id = client.rankings.CreateRanking(request, timeout=WAIT, metadata=ANN).ranking.ranking_id
    kept = load(workspace.ledger.requests.requested(ranking_id).command, OwedRanking)
    assert kept.actor == Actor("ann", "OPERATIONS_MANAGER")
    monkeypatch.setattr(workspace.ledger.workers, "is_alive", lambda _: False)
    assert [r.resumed for r in workspace.rankings.recover()] == [True]
    assert made(client, request, BEN).actor.claimed_name == "ann"


@pytest.mark.parametrize(
    ("named", "metadata", "reason"),
    [("", (("x-actor", "sue"),), None), ("sue", (), None), ("ada", (("x-actor", "sue"),), "INVALID_ARGUMENT")],
)
def test_acts_on_models_are_of_who_calls(client, named, metadata, reason):
    act = model_service_pb2.SubmitModelRequest(
        request_id=str(uuid.uuid4()), actor=named, kind="outcome", version="next", validate_only=True
    )
    if reason is None:
        client.models.SubmitModel(act, timeout=WAIT, metadata=metadata)
        return
    with pytest.raises(grpc.RpcError) as caught:
        client.models.SubmitModel(act, timeout=WAIT, metadata=metadata)
    assert refusal(caught.value)[1] == reason


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command makes the certificates")
@pytest.mark.parametrize("mutual", [True, False])
def test_with_mtls_the_certificate_names_the_system_beside_the_claim(workspace, tmp_path, mutual):
    pki = make_certificates(tmp_path)
    tls = TlsFiles(pki / "server.key", pki / "server.pem", pki / "ca.pem" if mutual else None)
    with served(workspace, ServerOptions(tls=tls)) as port:
        pair = (pki / "client.pem", pki / "client.key")
        connection = Connection(f"localhost:{port}", pki / "ca.pem", *pair, actor="ann", role="PLATFORM")
        with connect(connection) as client:
            ranking = make_ranking(client, asking())
    system = "client" if mutual else ""
    expected = ranking_pb2.RankingActor(
        claimed_name="ann", claimed_role=actor_pb2.ACTOR_ROLE_PLATFORM, authenticated_system=system
    )
    assert ranking.actor == expected
    held = workspace.ledger.rankings.get(ranking.ranking_id).record["actor"]
    assert held == {"claimed_name": "ann", "claimed_role": "PLATFORM", "authenticated_system": system}


def test_the_client_refuses_an_actor_or_role_that_is_none():
    for given in ({"actor": "a\n"}, {"role": "BOSS"}):
        with pytest.raises(CollectionsError) as caught:
            Connection("127.0.0.1:1", insecure_loopback=True, **given).channel()
        assert caught.value.reason is Reason.INVALID_ARGUMENT
        assert caught.value.violations[0].field in given
