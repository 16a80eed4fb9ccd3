"""A token sees what its scope lets it see and nothing else: every method of the contract, on both databases, with warm caches."""

from __future__ import annotations

from contextlib import closing, contextmanager
from datetime import timedelta

import grpc
import jwt
import pytest
import sqlalchemy as sa
from google.protobuf.message_factory import GetMessageClass

from collections_opt.application.workspace import open_workspace
from collections_opt.client.policy import CONTRACT
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.scopes import Scope, seeing
from collections_opt.ledger.store import scoping
from collections_opt.ledger.store.database import open_database
from collections_opt.service.access import scope_gate
from collections_opt.service.access.methods import METHODS as TABLE
from collections_opt.service.access.roles import Access
from collections_opt.service.access.tokens import Bearer, TokenChecker, issue_to, new_key
from collections_opt.service.server.build import ServerOptions, build_server
from collections_opt.service.server.services import all_services
from tests.support.models.folders import folder_with_people
from tests.support.serving.calls import NOW, PLAN, WAIT, calling, columns, import_requests, made
from tests.support.serving.edge import refusal
from tests.support.serving.requests.good import good_requests
from tests.support.serving.requests.known import known_of
from tests.support.serving.tokens import keys_given

METHODS = [m for file in CONTRACT for service in file.services_by_name.values() for m in service.methods]
PEM, PUBLIC = new_key("k1")
ACCESS = Access(TokenChecker(keys_given(PUBLIC, lambda: NOW), "desk", "collections-opt", lambda: NOW))
OUTSIDE = {
    "portfolio": Scope(portfolios=("other*",)),
    "portfolio in capitals": Scope(portfolios=("BOOK*",)),
    "desk": Scope(("*",), ("other*",)),
    "tenant": Scope(tenants=("north",)),
}
INSIDE = Scope(portfolios=("bo*", "x"), desks=(f"{PLAN[:4]}*",))
REFUSED = {grpc.StatusCode.NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED}
SHARED = {"GetAccountSchema", "GetValuesInForce", "ScoreAccounts", "ListModels", "GetModel", "ListModelEvents"}
"""Answer about what all share, or about the accounts of the request, where the request names nothing out of sight."""

TIMED = {"EvaluateCapacity", "EvaluateRules", "GetCapacityCurves", "ExportPersonPack", "CheckContact"}
"""Tell how long their steps took, who read before, or the number of the note that was made of them."""

OTHERS_TOO = {
    "ListCapacityPlans",
    "ExportEvidence",
    "ImportPortfolio",
    "CheckPortfolio",
    "ImportFile",
    "CreateCapacityPlan",
    "ListAccountEvents",
}
"""Tell everybody of plans out of this sight, are signed at another moment, or are about ids out of it: the person of the request
owes no account in sight."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request, tmp_path_factory):
    """Yield a channel to a server that asks for tokens, and a good request per method about a book and its ranking."""
    folder = tmp_path_factory.mktemp("scopes")
    with databases(request) as url:
        workspace = open_workspace(folder / "data", folder_with_people(folder), lambda: NOW, url)
        with closing(workspace):
            with calling(workspace) as client:
                client.portfolios.ImportPortfolio(import_requests("book", columns()), timeout=WAIT)
                ranking = made(client)
                known = known_of(client, ranking)
            with served(workspace) as channel:
                yield channel, good_requests(known), known


@contextmanager
def databases(request):
    if request.param == "sqlite":
        yield ""
        return
    with request.getfixturevalue("postgres_databases").taken() as url:
        yield url


@contextmanager
def served(workspace):
    built = build_server(all_services(workspace), ServerOptions(insecure_loopback=True, access=ACCESS))
    built.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{built.port}") as channel:
            yield channel
    finally:
        built.stop(0)


def told(channel, method, requests, scope):
    """Call a method with a token of this scope; return the answer's bytes, or why it was refused."""
    role = min(TABLE[method.containing_service.name][method.name].roles)
    token = issue_to(Bearer("ann", role, scope), PEM, NOW, timedelta(minutes=5), "desk", "collections-opt", "k1")
    kind = "_".join("stream" if streams else "unary" for streams in (method.client_streaming, method.server_streaming))
    call = getattr(channel, kind)(
        f"/{method.containing_service.full_name}/{method.name}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=GetMessageClass(method.output_type).FromString,
    )
    try:
        request = iter(requests) if method.client_streaming else requests[0]
        answer = call(request, timeout=WAIT, metadata=(("authorization", f"Bearer {token}"),))
        answers = list(answer) if method.server_streaming else [answer]
    except grpc.RpcError as error:
        return refusal(error)[0]
    return b"".join(each.SerializeToString(deterministic=True) for each in answers)


def leaks(channel, good, known, scope):
    """Return the methods that tell a token of anything out of its sight."""
    marks = (b"book", known.ranking_id.encode(), known.account_id.encode(), PLAN.encode())
    marks = marks[1:] if scope.desks else marks[:3]  # the portfolio itself is in sight, and so is the desk of other limits
    found = []
    for method in METHODS:
        for requests in good.get(method.name, []):
            told(channel, method, requests, Scope())  # somebody who may see it asks first
            answer = told(channel, method, requests, scope)
            if isinstance(answer, bytes) and method.name not in SHARED and any(mark in answer for mark in marks):
                found.append(method.name)
            assert isinstance(answer, bytes) or answer in {*REFUSED, grpc.StatusCode.INVALID_ARGUMENT}, (method.name, answer)
    return found


@pytest.mark.parametrize("name", OUTSIDE)
def test_no_method_tells_of_what_is_out_of_sight(world, name):
    channel, good, known = world
    assert leaks(channel, good, known, OUTSIDE[name]) == []


def test_what_is_in_sight_is_told_as_to_everybody(world):
    channel, good, _ = world
    for method in METHODS:
        if not scope_gate.may_call(method.containing_service.name, method.name, INSIDE):
            continue
        for requests in good.get(method.name, []):
            limited, everything = told(channel, method, requests, INSIDE), told(channel, method, requests, Scope())
            both = isinstance(limited, bytes) and isinstance(everything, bytes)
            # What is not there is refused by its id where that is out of sight: whether it exists is not told.
            same = (
                {limited, everything} <= REFUSED
                or limited == everything
                or method.name in OTHERS_TOO
                or (both and method.name in TIMED)
            )
            assert same, (method.name, limited, everything)


def test_queries_that_are_not_narrowed_are_noticed(world, monkeypatch):
    """The planted bug: statements leave as they are; lists then tell of everything."""
    channel, good, known = world
    monkeypatch.setattr(scoping, "CONDITIONS", {})
    assert {"ListPortfolios", "ListRankings"} <= set(leaks(channel, good, known, OUTSIDE["portfolio"]))


def test_ids_that_nobody_looks_at_are_noticed(world, monkeypatch):
    """The planted bug: neither ids nor statements are looked at; then nearly every method tells."""
    channel, good, known = world
    monkeypatch.setattr(scope_gate, "_ids", lambda _: ())
    monkeypatch.setattr(scoping, "CONDITIONS", {})
    assert len(set(leaks(channel, good, known, OUTSIDE["portfolio"]))) > 12


def test_a_method_that_the_table_forgets_is_beyond_every_scope():
    named = {(service, name) for service, methods in TABLE.items() for name, held in methods.items() if held.in_scope}
    assert named <= {(m.containing_service.name, m.name) for m in METHODS}
    beyond = {m.name for m in METHODS if (m.containing_service.name, m.name) not in named}
    assert {"VerifyLog", "ApproveRuleTable", "UpdateValueSet", "PromoteModel"} <= beyond
    assert not {"RecordEvents", "ReadEvents", "LeaseAccounts", "ChangeCapacityDays", "GetNextAgent", "CompareMornings"} & beyond


def test_a_statement_that_cannot_be_narrowed_is_refused(database_url):
    database = open_database(database_url)
    tables = scoping.rankings, scoping.portfolios
    inner = sa.select(tables[0].c.ranking_id).subquery()
    odd = [
        sa.text("SELECT ranking_id FROM rankings"),
        sa.select(inner.c.ranking_id),
        sa.select(sa.literal(1), sa.select(sa.func.max(tables[0].c.seq)).scalar_subquery()),
        sa.union_all(sa.select(tables[0].c.portfolio_id), sa.select(tables[1].c.portfolio_id)),
    ]
    for statement in odd:
        with seeing(OUTSIDE["portfolio"]), database.read() as connection, pytest.raises(CollectionsError) as caught:
            connection.execute(statement)
        assert caught.value.reason is Reason.PERMISSION_DENIED, statement
    with seeing(OUTSIDE["portfolio"]), database.read() as connection:
        assert connection.execute(sa.select(tables[0].alias().c.ranking_id)).all() == []
    database.close()


@pytest.mark.parametrize(
    "claims",
    [{"portfolios": []}, {"portfolios": "x"}, {"desks": ["a b"]}, {"desks": ["cards"]}, {"tenants": ["a.*"]}, {"tenants": [1]}],
)
def test_a_scope_that_is_none_is_refused(claims):
    times = {"iat": int(NOW.timestamp()), "exp": int(NOW.timestamp()) + 60}
    given = {"sub": "ann", "role": "ANALYST", "iss": "desk", "aud": "collections-opt", **times, **claims}
    token = jwt.encode(given, PEM, algorithm="EdDSA", headers={"kid": "k1"})
    with pytest.raises(CollectionsError) as caught:
        ACCESS.tokens.known(token)
    assert caught.value.reason is Reason.UNAUTHENTICATED
