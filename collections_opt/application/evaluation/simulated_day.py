"""A simulated day: the morning's list worked as it lives, beside the same list frozen, in one world of seeded happenings.

Both desks have the same agents' minutes and meet the same people. Whoever pays, promises or disputes does so at the same
minute in both; who answers the telephone answers in both. What differs is who is called: the live desk leases from
``WorklistService`` and solves what remains of the day anew, the frozen one works down the recorded list.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.day.dispatch import LeasedAccount
from collections_opt.application.day.lease_requests import LeaseRequest
from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.workspace import Workspace
from collections_opt.core.accounts.persons import persons_of
from collections_opt.core.actors import Actor
from collections_opt.core.day.events import Event, EventKind
from collections_opt.core.desk.queues import Queue
from collections_opt.core.limits import MAX_EVENTS, MAX_LEASES
from collections_opt.core.problem.assignment import UNASSIGNED, ignore_progress
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.rules.eligibility import evaluate

Ints = NDArray[np.int64]

QUIET, PAID, PROMISED, DISPUTED = range(4)
"""What happens to people of themselves in the day."""

SHARES = (0.90, 0.06, 0.03, 0.01)
"""Assumed shares of them, in this order."""

HAPPENINGS = ("nothing", "paid", "promised", "disputed")
_THREADS = 48
_LEASE_SECONDS = 3_600
_Z = 1.959963984540054


@dataclass(frozen=True)
class World:
    """What happens to n accounts, whoever calls whom.

    Attributes:
        happening: int64 (n,) QUIET to DISPUTED.
        at: int64 (n,) second of the working day at which it happens.
        luck: float64 (n,) in [0, 1): the person is reached where it is below the queue's right-party-contact rate.
        work_seconds: length of the working day.
    """

    happening: Ints
    at: Ints
    luck: NDArray[np.float64]
    work_seconds: int


@dataclass
class Worked:
    """What a desk did: which accounts it contacted, when, and what each contact brought.

    Attributes:
        contacts: contacts made.
        in_vain: contacts with people who had paid, promised or disputed by then, by which.
        gain_minor: float64 (n,) money that contact brought, by account.
        by_hour: float64 (hours,) the same by hour of work.
        by_queue: int64 (n, q) contacts of each account by each queue.
    """

    gain_minor: NDArray[np.float64]
    by_hour: NDArray[np.float64]
    by_queue: Ints
    contacts: int = 0
    in_vain: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class DayReport:
    """A day of both desks.

    Attributes:
        live: what the live desk did.
        frozen: what the desk with the frozen list did.
        difference_minor: money of the live desk over the frozen one.
        half_width_minor: half of its 95 % interval, over accounts.
        events: events told, contacts among them.
        removed: accounts that left the morning's list without having been worked, by why.
        arrived: accounts that were worked though the morning's list did not have them.
        against_rules: contacts of the live desk by a queue that the rules of the day keep from the account.
        twice: contacts of the live desk beyond one a person, where the plan has one.
        rankings: the morning's ranking and the re-solves, by id.
    """

    live: Worked
    frozen: Worked
    difference_minor: float
    half_width_minor: float
    events: int
    removed: Counter[str]
    arrived: int
    against_rules: int
    twice: int
    rankings: tuple[str, ...]


def world(count: int, work_seconds: int, seed: int) -> World:
    """Return a world of ``count`` accounts; the same seed is the same world."""
    random = np.random.default_rng(seed)
    happening = random.choice(len(SHARES), size=count, p=SHARES).astype(np.int64)
    return World(happening, random.integers(0, work_seconds, count), random.random(count), work_seconds)


class SimulatedDay:
    """Lives a day over a workspace.

    Args:
        workspace: where the morning's portfolio and plan are; its clock is ``clock``.
        ranking_id: the morning's ranking.
        set_clock: moves the workspace's clock.
        opens: when work begins.
        hours: hours of work.
        seed: of the world.
    """

    def __init__(
        self, workspace: Workspace, ranking_id: str, set_clock: Callable[[datetime], None], opens: datetime, hours: int, seed: int
    ) -> None:
        self._workspace = workspace
        self._morning = ranking_id
        self._set_clock = set_clock
        self._opens, self._hours, self._seed = opens, hours, seed
        opened = workspace.recorded.open(ranking_id)
        self._facts, self._plan, self._entries = opened.facts, opened.plan, opened.entries
        self._portfolio = opened.portfolio
        self._ids = opened.entries.account_id
        self._world = world(self._ids.size, hours * 3_600, seed)
        self._rate = {queue.queue_id: queue.effect.right_party_contact_rate for queue in self._plan.queues}
        self._told = 0
        self._left: Counter[str] = Counter()
        self._usual = {queue.queue_id: self._usual_seconds(at) for at, queue in enumerate(self._plan.queues)}

    def live(self, resolve_after: Sequence[int], actor: Actor, progress: Callable[[float], None] = lambda _: None) -> DayReport:
        """Live the day, solving what remains anew after some hours, and report it beside the frozen list."""
        done = self._nothing_done()
        rankings, worked = [self._morning], np.zeros(self._ids.size, dtype=bool)
        with ThreadPoolExecutor(_THREADS) as agents:
            for hour in range(self._hours):
                now = self._opens + timedelta(hours=hour)
                self._set_clock(now)
                progress(hour / self._hours)
                self._tell_happenings(hour, actor)
                if hour in resolve_after:
                    rankings.append(self._resolve(len(rankings)))
                for queue in self._plan.queues:
                    for lease, row in self._work(queue, rankings[-1], actor, agents):
                        worked[row] = True
                        self._count(done, row, queue, hour * 3_600, lease.place.increment_minor)
        frozen = self._frozen()
        spread = done.gain_minor - frozen.gain_minor
        half = _Z * float(np.sqrt(spread.size) * spread.std(ddof=1)) if spread.size > 1 else 0.0
        planned = self._entries.queue != UNASSIGNED
        gone = planned & ~worked
        removed = Counter(HAPPENINGS[code] for code in self._world.happening[gone].tolist())
        return DayReport(
            live=done,
            frozen=frozen,
            difference_minor=float(spread.sum()),
            half_width_minor=half,
            events=self._told,
            removed=removed,
            arrived=int((worked & ~planned).sum()),
            against_rules=self._against_rules(done),
            twice=self._twice(done),
            rankings=tuple(rankings),
        )

    def _usual_seconds(self, queue: int) -> int:
        seconds = self._entries.seconds[self._entries.queue == queue]
        return max(1, int(np.median(seconds))) if seconds.size else 1

    def _tell_happenings(self, hour: int, actor: Actor) -> None:
        """Tell what happened in the hour before ``hour`` began."""
        begin, end = (hour - 1) * 3_600, hour * 3_600
        rows = np.flatnonzero((self._world.happening != QUIET) & (self._world.at >= begin) & (self._world.at < end))
        self._record([self._event(row) for row in rows.tolist()], actor)

    def _event(self, row: int) -> Event:
        account, code = self._ids[row].decode(), int(self._world.happening[row])
        at = self._opens + timedelta(seconds=int(self._world.at[row]))
        name = f"{HAPPENINGS[code]}/{account}"
        if code == PAID:
            return Event(name, EventKind.PAYMENT, at, account, amount_minor=10_000)
        if code == PROMISED:
            due = (at + timedelta(days=5)).date()
            return Event(name, EventKind.PROMISE, at, account, amount_minor=10_000, due_date=due)
        return Event(name, EventKind.FLAG, at, account, flag="dispute", is_set=True)

    def _record(self, events: Sequence[Event], actor: Actor) -> None:
        for start in range(0, len(events), MAX_EVENTS):
            self._workspace.day.events.record(events[start : start + MAX_EVENTS], actor)
        self._told += len(events)

    def _resolve(self, number: int) -> str:
        held = self._facts.inputs
        request_id = str(uuid.UUID(int=(self._seed << 32) + number, version=4))
        command = RankingCommand(
            request_id, held.portfolio_id, held.plan_id, None, Ordering.EXPECTED_VALUE, held.parameters, remaining_capacity=True
        )
        return self._workspace.rank(command, ignore_progress).ranking_id

    def _work(
        self, queue: Queue, ranking_id: str, actor: Actor, agents: ThreadPoolExecutor
    ) -> Iterator[tuple[LeasedAccount, int]]:
        """Work an hour's share of a queue's day: lease, call, complete; yield what was worked, and its row."""
        self._left[queue.queue_id] += queue.capacity_seconds // self._hours
        while self._left[queue.queue_id] > 0:
            count = int(np.clip(self._left[queue.queue_id] // self._usual[queue.queue_id], 1, MAX_LEASES))
            request = LeaseRequest(str(uuid.uuid4()), ranking_id, queue.queue_id, "desk", count, _LEASE_SECONDS)
            mine = self._workspace.day.dispatch.lease(request, actor)
            if not mine:
                return
            self._left[queue.queue_id] -= sum(lease.lease.seconds for lease in mine)
            list(agents.map(lambda lease: self._complete(lease, actor), mine))
            yield from ((lease, int(np.searchsorted(self._ids, lease.account_id.encode()))) for lease in mine)
            self._told += len(mine)

    def _complete(self, lease: LeasedAccount, actor: Actor) -> None:
        row = int(np.searchsorted(self._ids, lease.account_id.encode()))
        reached = self._world.luck[row] < self._rate[lease.lease.queue_id]
        queue = self._plan.queues[self._plan.queue_index(lease.lease.queue_id)]
        told = Event(
            f"call/{lease.lease.lease_id}",
            EventKind.CONTACT,
            self._workspace.now(),
            lease.account_id,
            channel=queue.channel,
            direction="OUTBOUND",
            result="RIGHT_PARTY" if reached else "NO_ANSWER",
            queue_id=queue.queue_id,
            seconds=lease.lease.seconds,
            lease_id=lease.lease.lease_id,
        )
        self._workspace.day.dispatch.complete(lease.lease.lease_id, "desk", [told], actor)

    def _count(self, done: Worked, row: int, queue: Queue, second: int, increment_minor: int) -> None:
        done.contacts += 1
        done.by_queue[row, self._plan.queue_index(queue.queue_id)] += 1
        code = int(self._world.happening[row])
        if code != QUIET and self._world.at[row] < second:
            done.in_vain[HAPPENINGS[code]] += 1
        elif self._world.luck[row] < self._rate[queue.queue_id]:
            gain = increment_minor / self._rate[queue.queue_id]
            done.gain_minor[row] += gain
            done.by_hour[second // 3_600] += gain

    def _nothing_done(self) -> Worked:
        contacts = np.zeros((self._ids.size, len(self._plan.queues)), dtype=np.int64)
        return Worked(np.zeros(self._ids.size), np.zeros(self._hours), contacts)

    def _against_rules(self, done: Worked) -> int:
        """Count contacts by queues that rules keep from the account, judged anew from the morning's portfolio."""
        rules = self._workspace.rule_tables.in_force(self._portfolio.as_of_date).rules
        allowed = evaluate(self._portfolio, self._plan, rules).allowed(slice(None))
        return int(done.by_queue[~allowed].sum())

    def _twice(self, done: Worked) -> int:
        """Count contacts beyond one a person, whatever the account; 0 where the plan allows several."""
        if self._plan.several_contacts_per_person:
            return 0
        persons, contacts = persons_of(self._portfolio), done.by_queue.sum(axis=1)
        counted = contacts if persons is None else np.bincount(persons.of, weights=contacts)
        return int(np.maximum(counted - 1, 0).sum())

    def _frozen(self) -> Worked:
        """Return the day of a desk that works down the recorded list, hour by hour, whatever happens."""
        done, entries = self._nothing_done(), self._entries
        for index, queue in enumerate(self._plan.queues):
            rows = np.flatnonzero(entries.queue == index)
            rows = rows[np.argsort(entries.priority[rows], kind="stable")]
            share = max(1, queue.capacity_seconds // self._hours)
            ends = np.cumsum(entries.seconds[rows].astype(np.int64))
            hours = np.minimum((ends - entries.seconds[rows]) // share, self._hours - 1)
            for row, hour in zip(rows.tolist(), hours.tolist(), strict=True):
                self._count(done, row, queue, hour * 3_600, int(entries.increment_minor[row]))
        return done
