"""The living day over a large ranking: leases by 200 holders, pages of the live list, payments, and places after events.

A ranking of a million accounts (two of each three are one person's, in four zones) and 200,000 events about a fifth of them; two
servers on one PostgreSQL, one server on SQLite, and callers who share the machine with them. Side by side in one run:

- leases in a closed loop (lease, call, complete, or give back, or forget) beside a bare queue of `FOR UPDATE SKIP LOCKED` that
  checks no rule, no person, no hour and no event; and leases by as many holders who talk ten seconds with each account;
- a page of 100 of the live list beside a page of the recorded one, walked from the first page on;
- a payment told to one server, and the first page of another at once: how often it still shows the account;
- the next answer after an event that changes what an account is worth, without what the same answer takes by itself, beside
  `ScoreAccounts` and `PlaceAccounts` of one account.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from collections_opt.api.v1 import (
    account_pb2,
    event_pb2,
    event_service_pb2,
    placement_pb2,
    ranking_service_pb2,
    scoring_service_pb2,
)
from collections_opt.api.v1 import worklist_service_pb2 as pb
from collections_opt.api.v1.event_service_pb2_grpc import EventServiceStub
from collections_opt.api.v1.ranking_service_pb2_grpc import RankingServiceStub
from collections_opt.api.v1.scoring_service_pb2_grpc import ScoringServiceStub
from collections_opt.api.v1.worklist_service_pb2_grpc import WorklistServiceStub
from collections_opt.core.actors import UNKNOWN
from collections_opt.core.day.events import Event, EventKind
from collections_opt.core.limits import MAX_EVENTS
from collections_opt.wire.common import write_date
from harness.benchmarks.support.bare_queue import bare_leases_a_second
from harness.benchmarks.support.cases import Result, run_case
from harness.benchmarks.support.measuring import Measure
from harness.benchmarks.support.reporting import Report, Table, number
from harness.benchmarks.support.running import Options, main
from harness.faults.private_postgres import PrivatePostgres, why_not
from harness.leases.holders import Holders
from harness.leases.servers import Servers
from harness.leases.world import MORNING, QUEUE, ZONES, open_world, rank_world

WAIT, PAGE, FIRST_WAIT = 60.0, 100, 600.0
TALK_SECONDS = 10.0
TALKING = f"lease of holders who talk {TALK_SECONDS:.0f} s"
LEASE_MS, PAGE_MS, PAGE_RATIO, PLACE_RATIO, BARE_SHARE = 50.0, 50.0, 3.0, 2.0, 0.5
_K = EventKind


def worked(measure: Measure, accounts: int, events: int, holders: int, leases: int, pages: int, servers: int, url: str) -> None:
    """Live a part of a day on one database."""
    started = time.time()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with closing(open_world(folder, url, started)) as workspace:
            with measure.stage("import and rank"):
                ranking_id = rank_world(workspace, accounts)
            with measure.stage("events before"):
                told = [_event(n, accounts) for n in range(events)]
                for start in range(0, events, MAX_EVENTS):
                    workspace.day.events.record(told[start : start + MAX_EVENTS], UNKNOWN)
        with _served(folder, url, started, servers) as (running, stubs):
            for stub in stubs:
                with measure.stage("first page of a server", running.processes[0]):
                    stub.page(ranking_id, "", FIRST_WAIT)
            _pages(measure, stubs[0], ranking_id, pages)
            _payments(measure, stubs, ranking_id, pages // 4)
            _places(measure, stubs[0], ranking_id, pages // 4)
            work = Holders(running.ports, ranking_id, started, leases)
            with measure.stage("leases", running.processes[0]):
                begin = time.perf_counter()
                journal = work.run(holders, lambda _: None)
                took = time.perf_counter() - begin
            talking = Holders(running.ports, ranking_id, started, leases // 10, seed=2, talk_seconds=TALK_SECONDS)
            with measure.stage("leases of holders who talk", running.processes[0]):
                talked = talking.run(holders, lambda _: None)
        figures = {"leases a second": len(journal.granted) / took}
        figures["leases refused"] = float(len(journal.errors) + len(talked.errors))
        for kind, told_of in (("lease", journal), (TALKING, talked)):
            figures |= {f"{kind} p{p} ms": float(np.percentile(told_of.seconds, p)) * 1e3 for p in (50, 99)}
        if url:
            with measure.stage("bare SKIP LOCKED"):
                figures["bare leases a second"] = bare_leases_a_second(url, accounts, holders, leases)
            figures["leases / bare leases"] = figures["leases a second"] / figures["bare leases a second"]
        measure.figures |= figures


class _Stubs:
    """What is asked of one server."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.worklists, self.events = WorklistServiceStub(channel), EventServiceStub(channel)
        self.rankings, self.scoring = RankingServiceStub(channel), ScoringServiceStub(channel)

    def page(self, ranking_id: str, token: str, wait: float = WAIT, size: int = PAGE) -> pb.ListNextAccountsResponse:
        request = pb.ListNextAccountsRequest(ranking_id=ranking_id, queue_id=QUEUE, page_size=size, page_token=token)
        return self.worklists.ListNextAccounts(request, timeout=wait)

    def recorded(self, ranking_id: str, token: str) -> ranking_service_pb2.ListWorklistResponse:
        request = ranking_service_pb2.ListWorklistRequest(ranking_id=ranking_id, queue_id=QUEUE, page_size=PAGE, page_token=token)
        return self.rankings.ListWorklist(request, timeout=WAIT)

    def tell(self, event: event_pb2.Event) -> None:
        event.occur_time.FromDatetime(MORNING)
        self.events.RecordEvents(event_service_pb2.RecordEventsRequest(events=[event]), timeout=WAIT)


@contextmanager
def _served(folder: Path, url: str, started: float, count: int) -> Iterator[tuple[Servers, list[_Stubs]]]:
    running = Servers(folder, url, started, count, "")
    channels = [grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.enable_retries", 0)]) for port in running.ports]
    try:
        yield running, [_Stubs(channel) for channel in channels]
    finally:
        for channel in channels:
            channel.close()
        running.close()


def _pages(measure: Measure, stub: _Stubs, ranking_id: str, pages: int) -> None:
    """Walk pages of the live list, then of the recorded one."""
    asks: dict[str, Callable[[str, str], Any]] = {"live page": stub.page, "recorded page": stub.recorded}
    for name, ask in asks.items():
        taken, token = [], ""
        with measure.stage(f"{name}s"):
            for _ in range(pages):
                begin = time.perf_counter()
                token = ask(ranking_id, token).next_page_token
                taken.append(time.perf_counter() - begin)
        measure.figures |= {f"{name} p{p} ms": float(np.percentile(taken, p)) * 1e3 for p in (50, 99)}
    measure.figures["live / recorded page"] = measure.figures["live page p50 ms"] / measure.figures["recorded page p50 ms"]


def _payments(measure: Measure, stubs: list[_Stubs], ranking_id: str, count: int) -> None:
    """Tell one server of payments, and look at the first page of another at once."""
    stale, taken = 0, []
    for number_ in range(count):
        account = stubs[-1].page(ranking_id, "").accounts[number_ % 10].account_id
        event = event_pb2.Event(event_id=f"paid-{number_}", account_id=account)
        event.payment.amount_minor_units = 500
        begin = time.perf_counter()
        stubs[0].tell(event)
        shown = stubs[-1].page(ranking_id, "")
        taken.append(time.perf_counter() - begin)
        stale += any(one.account_id == account for one in shown.accounts)
    measure.figures |= {"payments seen late": float(stale), "payment told and seen p50 ms": float(np.median(taken)) * 1e3}


def _places(measure: Measure, stub: _Stubs, ranking_id: str, count: int) -> None:
    """Time the answer after an event that changes a value, the same answer by itself, a score and a placement."""
    account = _account()
    described: dict[str, Any] = {
        "accounts": [account],
        "as_of_date": write_date(MORNING.date()),
        "time_zone": "UTC",
        "currency_code": "USD",
    }
    score = scoring_service_pb2.ScoreAccountsRequest(capacity_plan_id="test", omit_reason_codes=True, **described)
    place = placement_pb2.PlaceAccountsRequest(ranking_id=ranking_id, **described)
    taken: dict[str, list[float]] = {"after": [], "itself": [], "score": [], "place": []}
    asks: dict[str, Callable[[], Any]] = {
        "after": lambda: stub.page(ranking_id, "", size=1),
        "itself": lambda: stub.page(ranking_id, "", size=1),
        "score": lambda: stub.scoring.ScoreAccounts(score, timeout=WAIT),
        "place": lambda: stub.rankings.PlaceAccounts(place, timeout=WAIT),
    }
    for number_ in range(count):
        event = event_pb2.Event(event_id=f"balance-{number_}", account_id=f"a{number_ * 7:07d}")
        event.balance.balance_minor_units, event.balance.arrears_minor_units = 700_000 + number_, 50_000
        event.balance.days_past_due = 45
        stub.tell(event)
        for name, ask in asks.items():
            begin = time.perf_counter()
            ask()
            taken[name].append(time.perf_counter() - begin)
    median = {name: float(np.median(times)) * 1e3 for name, times in taken.items()}
    measure.figures |= {
        "place after an event ms": max(median["after"] - median["itself"], 0.0),
        "ScoreAccounts p50 ms": median["score"],
        "PlaceAccounts p50 ms": median["place"],
    }
    measure.figures["place after an event / score"] = measure.figures["place after an event ms"] / median["score"]


def _account() -> account_pb2.Account:
    return account_pb2.Account(
        account_id="new",
        customer_id="new",
        product="CREDIT_CARD",
        state=ZONES[0][0],
        time_zone=ZONES[0][1],
        balance_minor_units=700_000,
        arrears_minor_units=50_000,
        days_past_due=45,
        calls_last_7_days_count=0,
        attempts_last_7_days_count=0,
        contacts_in_window_count=0,
        block_flags=account_pb2.BlockFlags(),
    )


def _event(index: int, accounts: int) -> Event:
    """Return one of the events of before: contacts of two days ago, payments, balances, disputes."""
    account = f"a{index * 7_919 % accounts:07d}"
    turn = index % 10
    at = MORNING - timedelta(minutes=5 + turn)
    if turn < 5:
        facts = {"channel": "CALL", "direction": "OUTBOUND", "result": "NO_ANSWER"}
        return Event(f"e{index}", _K.CONTACT, at - timedelta(days=2), account, **facts)
    if turn < 8:
        return Event(f"e{index}", _K.PAYMENT, at, account, amount_minor=500)
    if turn < 9:
        return Event(f"e{index}", _K.BALANCE, at, account, balance_minor=700_000, arrears_minor=50_000, days_past_due=45)
    return Event(f"e{index}", _K.FLAG, at, account, flag="dispute", is_set=True)


def bench(options: Options) -> Report:
    """Live the day on PostgreSQL with two servers, and on SQLite with one."""
    sizes = {"accounts": 4_000, "events": 800, "holders": 20, "leases": 300, "pages": 20}
    if not options.small:
        sizes = {"accounts": 1_000_000, "events": 200_000, "holders": 200, "leases": 10_000, "pages": 400}
    results, reason = [], why_not()
    if not reason:
        with PrivatePostgres() as server:
            url = server.new_database()
            results.append(run_case("PostgreSQL, two servers", worked, 1, servers=2, url=url, timeout_seconds=7_200.0, **sizes))
    results.append(run_case("SQLite, one server", worked, 1, servers=1, url="", timeout_seconds=7_200.0, **sizes))
    remarks = [*map(_remark, results), *([f"PostgreSQL was not measured: {reason}."] if reason else [])]
    title = "{accounts:,} accounts, {events:,} events, {holders} holders, {leases:,} leases, {pages} pages".format(**sizes)
    names = list(dict.fromkeys(name for result in results for name in result.figures))
    lines = tuple((name, *(_shown(result, name) for result in results)) for name in names)
    return Report([Table(title, ("figure", *(result.name for result in results)), lines)], results, remarks)


def _shown(result: Result, name: str) -> str:
    return number(result.figures[name]) if name in result.figures else "-"


def _remark(result: Result) -> str:
    figures = result.figures
    held = {
        f"lease p99 at most {LEASE_MS:.0f} ms": figures["lease p99 ms"] <= LEASE_MS,
        f"live page p99 at most {PAGE_MS:.0f} ms": figures["live page p99 ms"] <= PAGE_MS,
        f"live page at most {PAGE_RATIO:.0f} times a recorded one": figures["live / recorded page"] <= PAGE_RATIO,
        "no payment seen late": figures["payments seen late"] == 0,
        f"place after an event at most {PLACE_RATIO:.0f} times a score": figures["place after an event / score"] <= PLACE_RATIO,
    }
    if "leases / bare leases" in figures:
        held[f"at least {BARE_SHARE:.0%} of the bare queue's leases"] = figures["leases / bare leases"] >= BARE_SHARE
    told = "; ".join(f"{goal}: {'met' if met else 'NOT met'}" for goal, met in held.items())
    return f"{result.name}: {told}."


if __name__ == "__main__":
    main(sys.modules[__name__])
