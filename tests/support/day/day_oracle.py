"""What must hold of every lease, told again from scratch and account by account: shares no code with what serves."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from zoneinfo import ZoneInfo

from collections_opt.core.day.events import EventKind
from tests.support.day.day_worlds import NOON, ZONES

K = EventKind
REACHED = {"RIGHT_PARTY", "RIGHT_PARTY_PROMISE", "RIGHT_PARTY_REFUSED"}
CAP, WINDOW, ATTEMPTS = 7, 7, 2
MOVES = (("US-NY", "America/New_York"), ("US-GU", "Pacific/Guam"))
"""Where people move to: at the desk's noon calls are lawful in New York, and it is four in the morning in Guam."""


def person_of(account):
    """Return the person of an account of ``day_worlds.rows``."""
    number = int(account[1:])
    return f"p{number - (number % 4 == 3):03d}"


def zone_of(account):
    return ZoneInfo(ZONES[int(person_of(account)[1:]) % 4][1])


def _when(event):
    return event.occurred_at, event.event_id


def _on_one_day(one, other, zones):
    return all(one.astimezone(zone).date() == other.astimezone(zone).date() for zone in zones)


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
        person = person_of(account)
        mine = [e for e in self.standing() if e.account_id == account or (not e.account_id and e.customer_id == person)]
        theirs = [e for e in self.standing() if (e.customer_id or person_of(e.account_id)) == person]
        here = self._lives(mine, zone_of(account))
        zones = (zone_of(account), here)  # who moved today has two todays; what both agree on is certain
        today = max(now.astimezone(zone).date() for zone in zones)
        if self.is_held(account, now):
            yield "held"
        if not 8 <= now.astimezone(here).hour < 21:
            yield "unlawful hours"
        yield from self._of_the_day(mine, theirs, now, zones)
        if self._owes_nothing(mine):
            yield "nothing past due"
        if any(e.kind is K.PROMISE and e.due_date >= today and not self._cleared(mine, e) for e in mine):
            yield "promised"
        yield from self._flags(theirs, mine)
        calls = [e for e in mine if e.kind is K.CONTACT and e.channel == "CALL" and e.direction == "OUTBOUND"]
        made = sum(today - e.occurred_at.astimezone(here).date() < timedelta(days=WINDOW) for e in calls)
        if made + ATTEMPTS > CAP:
            yield "seven in seven"
        yield from self._hours(theirs, now.astimezone(here))

    def _of_the_day(self, mine, theirs, now, zones):
        """Yield what happened today that ends an account's day."""
        for event in theirs:
            contact = event.kind is K.CONTACT and (event.direction == "OUTBOUND" or event.result in REACHED)
            if contact and _on_one_day(event.occurred_at, now, zones):
                yield "worked today"
        for event in mine:
            if event.kind is K.PAYMENT and _on_one_day(event.occurred_at, now, zones):
                yield "paid"
            if event.kind is K.OUTCOME:
                yield "left"

    def _lives(self, mine, zone):
        """Return where an account's person lives by what was told last of it."""
        moves = sorted((e for e in mine if e.kind is K.MOVED), key=_when)
        return ZoneInfo(moves[-1].time_zone) if moves else zone

    def _owes_nothing(self, mine):
        """Return whether nothing was past due when that was told last, since the portfolio came at noon."""
        told = sorted((e for e in mine if e.kind is K.BALANCE and e.occurred_at > NOON), key=_when)
        return bool(told) and not told[-1].arrears_minor

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
