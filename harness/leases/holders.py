"""Holders in a closed loop over several servers: lease, call, complete, or give back, or forget; each keeps what it was told."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import grpc

from collections_opt.api.v1 import capacity_plan_pb2, event_pb2
from collections_opt.api.v1 import worklist_service_pb2 as pb
from collections_opt.api.v1.worklist_service_pb2_grpc import WorklistServiceStub
from harness.leases.world import QUEUE, clock_from

RETRIED = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
}
CALL_SECONDS = 30.0
LEASE_SECONDS = 45
OPTIONS = (("grpc.enable_retries", 0), ("grpc.max_reconnect_backoff_ms", 500), ("grpc.initial_reconnect_backoff_ms", 100))


@dataclass
class Journal:
    """What servers acknowledged, over all holders."""

    granted: dict[str, tuple[str, str]] = field(default_factory=dict)
    completed: dict[str, str] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)
    released: set[str] = field(default_factory=set)
    seconds: list[float] = field(default_factory=list)
    retries: int = 0
    errors: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Holders:
    """Runs holders until so many leases were granted.

    Args:
        ports: of the servers.
        ranking_id: that is worked.
        started: of the clock.
        target: leases to be granted.
        seed: of what holders do.
        talk_seconds: how long a holder is busy with an account, half of it less or more.
    """

    def __init__(
        self, ports: list[int], ranking_id: str, started: float, target: int, seed: int = 1, talk_seconds: float = 0.0
    ) -> None:
        channels = [
            grpc.insecure_channel(f"127.0.0.1:{port}", options=[*OPTIONS, ("one", at)]) for port in ports for at in range(4)
        ]
        self._stubs = [WorklistServiceStub(channel) for channel in channels]
        self._ranking_id, self._now, self._target, self._seed = ranking_id, clock_from(started), target, seed
        self._talk_seconds = talk_seconds
        self.journal = Journal()
        self.stop = threading.Event()

    def run(self, count: int, report: Callable[[Journal], None]) -> Journal:
        """Run holders at once until the target is reached, nothing is left, or ``stop`` is set."""
        threads = [threading.Thread(target=self._hold, args=(number,), daemon=True) for number in range(count)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            time.sleep(2.0)
            report(self.journal)
        return self.journal

    def _hold(self, number: int) -> None:
        holder, draw, idle = f"agent-{number}", random.Random(f"{self._seed}/{number}"), 0
        self.stop.wait(self._talk_seconds * draw.random())  # they did not all begin at once
        while not self.stop.is_set() and len(self.journal.granted) < self._target and idle < 40:
            leases = self._lease(holder, draw)
            idle = 0 if leases else idle + 1
            if not leases:
                time.sleep(1.0)
            for lease in leases:
                if self._talk_seconds:
                    self.stop.wait(self._talk_seconds * draw.uniform(0.5, 1.5))
                self._work(lease, holder, draw)

    def _lease(self, holder: str, draw: random.Random) -> list[Any]:
        request = pb.LeaseAccountsRequest(
            request_id=str(uuid.UUID(int=draw.getrandbits(128), version=4)),
            ranking_id=self._ranking_id,
            queue_id=QUEUE,
            holder=holder,
            holder_kind=pb.HOLDER_KIND_PERSON,
            max_account_count=draw.choice((1, 2, 5)),
            lease_seconds=LEASE_SECONDS,
        )
        began = time.perf_counter()
        answer = self._sent("LeaseAccounts", request, draw)
        if answer is None:
            return []
        with self.journal.lock:
            self.journal.seconds.append(time.perf_counter() - began)
            for lease in answer.leases:
                self.journal.granted[lease.lease_id] = (holder, lease.account_id)
        return list(answer.leases)

    def _work(self, lease: Any, holder: str, draw: random.Random) -> None:
        what = draw.random()
        if what < 0.05:
            return  # forgotten: it expires
        if what < 0.15:
            request = pb.ReleaseLeaseRequest(lease_id=lease.lease_id, holder=holder, note="not now")
            if self._sent("ReleaseLease", request, draw) is not None:
                with self.journal.lock:
                    self.journal.released.add(lease.lease_id)
            return
        event_id = f"call-{uuid.UUID(int=draw.getrandbits(128), version=4)}"
        request = pb.CompleteLeaseRequest(lease_id=lease.lease_id, holder=holder, events=[self._contact(lease, event_id)])
        answer = self._sent("CompleteLease", request, draw)
        if answer is not None:
            with self.journal.lock:
                (self.journal.lost if answer.lost else self.journal.completed)[event_id] = lease.lease_id

    def _contact(self, lease: Any, event_id: str) -> event_pb2.Event:
        event = event_pb2.Event(event_id=event_id, account_id=lease.account_id)
        event.occur_time.FromDatetime(self._now())
        event.contact.channel = capacity_plan_pb2.CHANNEL_CALL
        event.contact.direction = event_pb2.CONTACT_DIRECTION_OUTBOUND
        event.contact.result = event_pb2.CONTACT_RESULT_NO_ANSWER
        event.contact.queue_id, event.contact.handling_seconds, event.contact.lease_id = QUEUE, 30, lease.lease_id
        return event

    def _sent(self, method: str, request: Any, draw: random.Random) -> Any:
        """Send a call until a server answers it; another server is asked where one is gone."""
        while not self.stop.is_set():
            try:
                return getattr(draw.choice(self._stubs), method)(request, timeout=CALL_SECONDS)
            except grpc.RpcError as error:
                if error.code() not in RETRIED:
                    with self.journal.lock:
                        self.journal.errors.append(f"{method}: {error.code().name} {error.details()[:200]}")
                    return None
                with self.journal.lock:
                    self.journal.retries += 1
                time.sleep(draw.uniform(0.05, 0.4))
        return None
