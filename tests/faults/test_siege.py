"""A small siege within the suite: every attack on a server whose use cases are fakes, and a planted bug that it notices."""

from __future__ import annotations

import functools

import jwt
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from collections_opt.api.v1 import portfolio_service_pb2 as pb
from collections_opt.api.v1.portfolio_service_pb2_grpc import PortfolioServiceStub
from collections_opt.core.scopes import Scope
from collections_opt.service.server.edge import Patience
from collections_opt.service.server.guard import Guard
from collections_opt.service.server.places import Places, caller_share
from collections_opt.wire import status
from harness.siege.attacks import ATTACKS, Seen, attacked_in_thread, own_channel
from harness.siege.intruders import INTRUDERS, cross_scope_reads, foreign_certificates, forged_tokens, hostile_ids
from harness.siege.secured import fill, guarded, make_keys, opened
from tests.support.serving.edge import WAIT, FakePortfolios, places, running

CALLS = 40
COUNTS = places(READ=4, BULK=3)


def besieged(name):
    """Return what good callers and the probe of health saw during an attack, and the places that are taken after it."""
    guard, good, health = Guard(COUNTS, of_caller={kind: caller_share(count) for kind, count in COUNTS.items()}), Seen(), Seen()
    with running(FakePortfolios(), guard=guard, READ=4, BULK=3) as channel:
        address = f"127.0.0.1:{channel.port}"
        with own_channel(address) as mine, attacked_in_thread(name, address):
            check = health_pb2_grpc.HealthStub(mine).Check
            for _ in range(CALLS):
                good.ask(lambda: PortfolioServiceStub(mine).GetPortfolio(pb.GetPortfolioRequest(), timeout=WAIT))
                health.ask(lambda: check(health_pb2.HealthCheckRequest(), timeout=WAIT))
    return good, health, sum(guard.places.in_use().values())


@pytest.mark.parametrize("name", ATTACKS)
def test_callers_and_health_are_served_during_every_attack_and_no_place_is_lost(name):
    good, health, taken = besieged(name)
    assert (good.failed, health.failed, health.refused, taken) == ([], [], 0, 0)
    assert len(health.seconds) == CALLS
    assert len(good.seconds) == CALLS


def test_stalled_imports_make_room_for_one_that_does_not_stall():
    with running(FakePortfolios(), patience=Patience(idle=0.0), BULK=2) as channel:
        address = f"127.0.0.1:{channel.port}"
        with own_channel(address) as mine, attacked_in_thread("stalled streams", address):
            seen = Seen()
            for _ in range(CALLS):
                seen.ask(lambda: PortfolioServiceStub(mine).ImportPortfolio(iter([pb.ImportPortfolioRequest()]), timeout=WAIT))
    assert seen.seconds
    assert not seen.failed


def test_places_that_a_caller_who_left_keeps_would_be_noticed(monkeypatch):
    """The planted bug: a place is given back only by calls that end well."""
    monkeypatch.setattr(Places, "_give_back", lambda *_: None)
    good, health, taken = besieged("short deadlines")
    assert taken > 0
    assert good.refused > 0
    assert len(health.seconds) == CALLS


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """Yield a workspace and keys of servers that ask for tokens and certificates."""
    folder = tmp_path_factory.mktemp("intruders")
    with opened(folder) as workspace:
        yield workspace, make_keys(folder / "keys"), fill(workspace)


@pytest.fixture(scope="module")
def server(book):
    with guarded(*book) as found:
        yield found


def got(intruder, server):
    """Return how many requests an intruder sent, and what it got and must not get."""
    sent = list(intruder(server))
    return len(sent), [each for each in sent if each]


@pytest.mark.parametrize("name", INTRUDERS)
def test_intruders_get_nothing(server, name):
    intrude = INTRUDERS[name]
    sent, found = got(functools.partial(intrude, every=7) if intrude is hostile_ids else intrude, server)
    assert sent > 2
    assert found == []


def test_tokens_that_nobody_checks_would_be_noticed(server, monkeypatch):
    monkeypatch.setattr(jwt.PyJWS, "_verify_signature", lambda *_, **__: None)
    assert any("let in" in each for each in got(forged_tokens, server)[1])


def test_certificates_that_nobody_checks_by_name_would_be_noticed(book):
    with guarded(*book, systems=()) as server:
        assert got(foreign_certificates, server)[1] == ["a certificate of server was let in"]


def test_scopes_that_nobody_enforces_would_be_noticed(server, monkeypatch):
    monkeypatch.setattr(Scope, "is_limited", False)
    assert any("told" in each for each in got(cross_scope_reads, server)[1])


def test_refusals_that_act_would_be_noticed(server, monkeypatch):
    monkeypatch.setattr(status, "visible", lambda text: f"\x1b[2J{text}")
    assert any("carries" in each for each in hostile_ids(server))
