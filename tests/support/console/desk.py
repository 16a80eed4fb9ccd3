"""A server that asks for tokens over a small desk of today, and its console: an id of markup, a long name, no decimals."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from collections_opt.client.connection import Connection
from collections_opt.console.app import ConsoleOptions, console_app
from collections_opt.console.serving import ConsoleServer, Listening
from collections_opt.core.actors import ActorRole
from collections_opt.service.access.roles import Access
from collections_opt.service.access.tokens import TokenChecker, issue, new_key
from collections_opt.service.server.build import ServerOptions, build_server
from collections_opt.service.server.services import all_services
from tests.support.day import day_worlds
from tests.support.day.day_worlds import Clock, open_world
from tests.support.serving.tokens import keys_given

HOSTILE = "<img src=x onerror=\"document.title='owned'\">'&\u202e"
LONG = "Calls of the very first hour, " + "w" * 170
"""A name of 200 characters."""
PEM, PUBLIC = new_key("k1")


def token(clock, role="ADMIN", name="ann", minutes=50, issuer="desk"):
    return issue(PEM, name, ActorRole(role), clock(), timedelta(minutes=minutes), issuer, "collections-opt", "k1")


def plan():
    """Return the desk's plan, in yen, with minutes for some of the accounts."""
    made = day_worlds.desk_plan()
    calls = replace(made.queues[0], name=LONG, agents=4.0, paid_minutes=12.0)
    return replace(made, currency_code="JPY", queues=(calls, *made.queues[1:]))


def rank(workspace, count=24):
    """Import the accounts, the first under a hostile id, store the plan, rank; return the ranking's id."""
    raw = day_worlds.rows(count)
    ids = np.array([HOSTILE, *raw.columns["account_id"][1:]], dtype=object)
    raw = replace(raw, currency_code="JPY", columns={**raw.columns, "account_id": ids})
    workspace.books.save_plan(plan(), None)
    workspace.books.import_portfolio(day_worlds.PORTFOLIO, raw)
    return day_worlds.rank_held(workspace)


@dataclass
class Desk:
    """What a test of the console has: where it is, whose clock, what was ranked."""

    url: str
    clock: Clock
    workspace: object
    ranking_id: str
    address: str

    def token(self, role="ADMIN", **changes):
        return token(self.clock, role, **changes)


@contextmanager
def shown(folder, ranked=True, tokens=True, fill=rank, access=None, **options):
    """Yield a desk behind a console; ``fill`` makes its ranking, and without ``ranked`` it holds nothing."""
    clock = Clock()
    workspace = open_world(folder, clock)
    ranking_id = fill(workspace) if ranked else ""
    checker = TokenChecker(keys_given(PUBLIC, clock), "desk", "collections-opt", clock)
    access = access or (Access(checker) if tokens else Access())
    built = build_server(all_services(workspace), ServerOptions(insecure_loopback=True, access=access))
    built.start()
    address = f"127.0.0.1:{built.port}"
    app = console_app(Connection(address, insecure_loopback=True), ConsoleOptions(now=clock, **options))
    console = ConsoleServer(app, Listening(port=0))
    console.start()
    try:
        yield Desk(console.url, clock, workspace, ranking_id, address)
    finally:
        console.stop(5)
        built.stop(0)
        workspace.close()
