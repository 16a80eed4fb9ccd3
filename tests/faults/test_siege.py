"""A small siege within the suite: every attack on a server whose use cases are fakes, and a planted bug that it notices."""

from __future__ import annotations

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from collections_opt.api.v1 import portfolio_service_pb2 as pb
from collections_opt.api.v1.portfolio_service_pb2_grpc import PortfolioServiceStub
from collections_opt.service.server.edge import Patience
from collections_opt.service.server.guard import Guard
from collections_opt.service.server.places import Places, caller_share
from harness.faults.siege import ATTACKS, Seen, attacked_in_thread, own_channel
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
