"""Days lived by machines: whatever is told, over two servers and restarts, nobody is leased who must not be."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from collections_opt.application.day.contact_requests import ContactRequest
from collections_opt.application.day.desk.gate import Gate, Verdict
from collections_opt.core.actors import UNKNOWN
from collections_opt.core.day.events import Event, EventKind
from collections_opt.core.errors import CollectionsError, Reason
from tests.support.day.day_oracle import Oracle, person_of
from tests.support.day.day_worlds import CALLS, DAY, NOON, Clock, asked, call, copied_world, made_world, open_world

K = EventKind
ACCOUNTS = st.integers(0, 11).map("a{:03d}".format)
SERVERS = st.integers(0, 1)
AGO = st.sampled_from([0, 0, 0, 1, 30, 60 * 20, 60 * 24 * 3]).map(lambda minutes: timedelta(minutes=minutes))
FACTS = st.one_of(
    st.just({"kind": K.PAYMENT, "amount_minor": 60_000}),
    st.just({"kind": K.PROMISE, "amount_minor": 5, "due_date": NOON.date()}),
    st.builds(
        lambda r, d: {"kind": K.CONTACT, "channel": "CALL", "direction": d, "result": r},
        st.sampled_from(["NO_ANSWER", "RIGHT_PARTY_REFUSED"]),
        st.sampled_from(["OUTBOUND", "INBOUND"]),
    ),
    st.builds(
        lambda f, s: {"kind": K.FLAG, "flag": f, "is_set": s},
        st.sampled_from(["deceased", "cease", "dispute", "open_promise"]),
        st.booleans(),
    ),
    st.builds(lambda s: {"kind": K.CHANNEL_CHOICE, "choice": "no_calls", "is_set": s}, st.booleans()),
    st.builds(lambda f: {"kind": K.CHANNEL_CHOICE, "hours_from": f, "hours_until": f + 240}, st.sampled_from([0, 600, 840])),
    st.just({"kind": K.OUTCOME, "outcome": "SOLD"}),
    st.just({"kind": K.BALANCE, "balance_minor": 900_000, "arrears_minor": 50_000, "days_past_due": 45}),
)


class Days(RuleBasedStateMachine):
    """Two servers of one ledger, and an oracle that heard everything."""

    template: tuple = ()

    @initialize()
    def begin(self):
        self.clock, self.oracle, self.leases, self.count = Clock(), Oracle(), {}, 0
        self.folder = Path(tempfile.mkdtemp(prefix="day-"))
        first = copied_world(self.template[0], self.folder, self.clock)
        self.servers = [first, open_world(self.folder, self.clock)]

    def teardown(self):
        if not hasattr(self, "servers"):
            return
        pages = [server.day.worklists.page(self.template[1], CALLS, 0, 100, include_removed=True) for server in self.servers]
        states = [server.day.worklists.states(self.template[1]) for server in self.servers]
        for server in self.servers:
            server.close()
        again = open_world(self.folder, self.clock)
        replayed = again.day.worklists.page(self.template[1], CALLS, 0, 100, include_removed=True)
        kept = {e.event.event_id for e in again.day.events.after(0, 1_000)}
        again.close()
        shutil.rmtree(self.folder)
        assert pages[0] == pages[1] == replayed
        assert states[0] == states[1]
        self.check_counts(states[0][0], replayed)
        assert set(self.oracle.told) <= kept
        assert all(entry.removed == "" or entry.event or entry.rule_id or entry.removed == "HELD" for entry in replayed)

    def check_counts(self, state, listed):
        """A queue's counts are those of its whole list, and its money is what was paid today and not taken back."""
        why = Counter(entry.removed for entry in listed)
        assert state.depth == why.pop("", 0)
        assert state.removed == dict(why)
        assert state.arrived_count == sum(entry.arrived for entry in listed if not entry.removed)
        put_here = {entry.account_id for entry in listed if not entry.arrived}
        told = self.oracle.told.values()
        gone = {(one.account_id, one.reverses) for one in told if one.kind is K.REVERSAL}
        paid = [
            one
            for one in told
            if one.kind is K.PAYMENT
            and one.account_id in put_here
            and one.occurred_at >= DAY
            and (one.account_id, one.event_id) not in gone
        ]
        assert state.received_minor == sum(one.amount_minor for one in paid)
        assert state.paid_count == len({one.account_id for one in paid})

    @rule(server=SERVERS, count=st.integers(1, 8), seconds=st.sampled_from([60, 600]), holder=st.integers(1, 3))
    def lease(self, server, count, seconds, holder):
        request = asked(self.template[1], f"agent-{holder}", count=count, lease_seconds=seconds)
        now = self.clock()
        for one in self.servers[server].day.dispatch.lease(request):
            faults = list(self.oracle.faults(one.account_id, now))
            assert not faults, (one.account_id, faults)
            self.oracle.give(one.lease.lease_id, one.account_id, now + timedelta(seconds=seconds))
            self.leases[one.lease.lease_id] = (one.account_id, f"agent-{holder}")

    @rule(server=SERVERS, account=ACCOUNTS)
    def ask(self, server, account):
        answer = self.servers[server].day.checks.check(ContactRequest(self.template[1], account, "", "CALL", "PERSON"))
        if answer.verdict in ("ALLOWED", "WARNING"):
            # The oracle speaks of leases, which plan two calls; the gate is asked about one.
            last = {"seven in seven"} if any(one.left_count == 1 for one in answer.budgets) else set()
            faults = set(self.oracle.faults(account, self.clock())) - last
            assert not faults, (account, answer, faults)

    @precondition(lambda self: self.leases)
    @rule(server=SERVERS, pick=st.integers(0, 99), result=st.sampled_from(["NO_ANSWER", "RIGHT_PARTY"]))
    def complete(self, server, pick, result):
        lease_id, (account, holder) = list(self.leases.items())[pick % len(self.leases)]
        event = call(account, self.clock(), result, event_id=f"done-{lease_id}-{result}")
        if event.event_id in self.oracle.told:
            event = self.oracle.told[event.event_id]
        in_time = lease_id in self.oracle.held and self.clock() < self.oracle.held[lease_id][1]
        ended = self.servers[server].day.dispatch.complete(lease_id, holder, [event])
        assert not (in_time and ended.lost)
        self.oracle.told[event.event_id] = event
        self.oracle.end(lease_id)

    @precondition(lambda self: self.leases)
    @rule(server=SERVERS, pick=st.integers(0, 99))
    def release(self, server, pick):
        lease_id, (_, holder) = list(self.leases.items())[pick % len(self.leases)]
        self.servers[server].day.dispatch.release(lease_id, holder, "not now")
        self.oracle.end(lease_id)

    @precondition(lambda self: self.leases)
    @rule(server=SERVERS, pick=st.integers(0, 99))
    def extend(self, server, pick):
        lease_id, (account, holder) = list(self.leases.items())[pick % len(self.leases)]
        mine = lease_id in self.oracle.held and self.clock() < self.oracle.held[lease_id][1]
        dispatch = self.servers[server].day.dispatch
        if not mine:
            with pytest.raises(CollectionsError) as caught:
                dispatch.extend(lease_id, holder, 300)
            assert caught.value.reason is Reason.LEASE_LOST
            return
        dispatch.extend(lease_id, holder, 300)
        self.oracle.give(lease_id, account, self.clock() + timedelta(seconds=300))

    @rule(server=SERVERS, account=ACCOUNTS, fact=FACTS, ago=AGO, of_person=st.booleans(), twice=st.booleans())
    def tell(self, server, account, fact, ago, of_person, twice):
        self.count += 1
        of_person = of_person and fact["kind"] in (K.FLAG, K.CHANNEL_CHOICE)
        subject = {"customer_id": person_of(account)} if of_person else {"account_id": account}
        event = Event(event_id=f"t{self.count}", occurred_at=self.clock() - ago, **subject, **fact)
        for _ in range(1 + twice):
            self.servers[server].day.events.record([event], UNKNOWN)
        self.oracle.told[event.event_id] = event

    @precondition(lambda self: any(e.kind is not K.REVERSAL for e in self.oracle.told.values()))
    @rule(server=SERVERS, pick=st.integers(0, 99))
    def take_back(self, server, pick):
        targets = [e for e in self.oracle.told.values() if e.kind is not K.REVERSAL]
        target = targets[pick % len(targets)]
        self.count += 1
        subject = {"account_id": target.account_id, "customer_id": target.customer_id}
        event = Event(f"t{self.count}", K.REVERSAL, self.clock(), reverses=target.event_id, **subject)
        self.servers[server].day.events.record([event], UNKNOWN)
        self.oracle.told[event.event_id] = event

    @rule(minutes=st.sampled_from([1, 2, 11, 61, 180]))
    def wait(self, minutes):
        if self.clock() + timedelta(minutes=minutes) < NOON + timedelta(hours=10):  # the desk's day ends at midnight UTC
            self.clock.forward(minutes=minutes)

    @rule(server=SERVERS)
    def restart(self, server):
        self.servers[server].close()
        self.servers[server] = open_world(self.folder, self.clock)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("day")
    return folder, made_world(folder)


def live(template, steps, days):
    machine = type("LivedDays", (Days,), {"template": template})
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=days,
            phases=(Phase.generate,),
            stateful_step_count=steps,
            deadline=None,
            database=None,
            suppress_health_check=checks,
            print_blob=True,
        ),
    )


def test_nobody_is_leased_against_a_rule_and_replay_gives_the_same_day(template):
    live(template, steps=25, days=3)


@pytest.mark.parametrize("bug", ["a gate that sees no events", "leases that nobody knows of"])
def test_a_planted_bug_is_noticed(template, monkeypatch, bug):
    if bug == "a gate that sees no events":
        monkeypatch.setattr(Gate, "removed", lambda self, live, at: Verdict())
    else:
        monkeypatch.setattr("collections_opt.application.day.desk.live_desk.LiveDesk._hold", lambda self, lease, change: None)
    with pytest.raises((AssertionError, CollectionsError, BaseExceptionGroup)):
        live(template, steps=25, days=80)  # the first day that fails ends it
