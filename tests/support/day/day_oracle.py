"""What must hold of every lease, told again from scratch and account by account: shares no code with what serves."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from zoneinfo import ZoneInfo

from collections_opt.core.day.events import EventKind
from tests.support.day.day_worlds import ZONES

K = EventKind
REACHED = {"RIGHT_PARTY", "RIGHT_PARTY_PROMISE", "RIGHT_PARTY_REFUSED"}
CAP, WINDOW, ATTEMPTS = 7, 7, 2


def person_of(account):
    """Return the person of an account of ``day_worlds.rows``."""
    number = int(account[1:])
    return f"p{number - (number % 4 == 3):03d}"


def zone_of(account):
    return ZoneInfo(ZONES[int(person_of(account)[1:]) % 4][1])


@dataclass
class Oracle:
    """Keeps what was told and given; ``told`` are the events by id."""

    told: dict = field(default_factory=dict)
    held: dict = field(default_factory=dict)

    def standing(self):
        back = {(e.reverses, e.account_id, e.customer_id) for e in self.told.values() if e.kind is K.REVERSAL}
        return [e for e in self.told.values() if (e.event_id, e.account_id, e.customer_id) not in back]

    def give(self, lease_id, account, until):
        self.held[lease_id] = (account, until)

    def end(self, lease_id):
        self.held.pop(lease_id, None)

    def is_held(self, account, now):
        return any(person_of(one) == person_of(account) for one, until in self.held.values() if now < until)

    def faults(self, account, now):
        """Yield why an account must not be leased for a call now."""
        zone, person = zone_of(account), person_of(account)
        today = now.astimezone(zone).date()
        mine = [e for e in self.standing() if e.account_id == account or (not e.account_id and e.customer_id == person)]
        theirs = [e for e in self.standing() if (e.customer_id or person_of(e.account_id)) == person]
        if self.is_held(account, now):
            yield "held"
        if not 8 <= now.astimezone(zone).hour < 21:
            yield "unlawful hours"
        for event in theirs:
            day = event.occurred_at.astimezone(zone).date()
            if event.kind is K.CONTACT and day == today and (event.direction == "OUTBOUND" or event.result in REACHED):
                yield "worked today"
        for event in mine:
            if event.kind is K.PAYMENT and event.occurred_at.astimezone(zone).date() == today:
                yield "paid"
            if event.kind is K.OUTCOME:
                yield "left"
            if event.kind is K.PROMISE and event.due_date >= today and not self._cleared(mine, event):
                yield "promised"
        yield from self._flags(theirs, mine)
        calls = [e for e in mine if e.kind is K.CONTACT and e.channel == "CALL" and e.direction == "OUTBOUND"]
        made = sum(today - e.occurred_at.astimezone(zone).date() < timedelta(days=WINDOW) for e in calls)
        if made + ATTEMPTS > CAP:
            yield "seven in seven"
        yield from self._hours(theirs, now.astimezone(zone))

    def _cleared(self, mine, promise):
        return any(
            e.kind is K.FLAG and e.flag == "open_promise" and not e.is_set and e.occurred_at > promise.occurred_at for e in mine
        )

    def _flags(self, theirs, mine):
        for name, events in (("deceased", theirs), ("cease", theirs), ("dispute", mine), ("no_calls", theirs)):
            by_subject = {}
            for event in sorted(
                (e for e in events if name in (e.flag, e.choice)), key=lambda e: (e.occurred_at, e.is_set, e.event_id)
            ):
                by_subject[event.account_id] = event.is_set
            if any(by_subject.values()):
                yield name

    def _hours(self, theirs, local):
        minute = local.hour * 60 + local.minute
        last = {}
        for event in sorted((e for e in theirs if e.hours_until > 0), key=lambda e: (e.occurred_at, e.event_id)):
            last[event.account_id] = event
        if any(not event.hours_from <= minute < event.hours_until for event in last.values()):
            yield "hours that they chose"
