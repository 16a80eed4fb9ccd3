"""Events drawn at random about eight accounts, each with what the server adds."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import strategies as st

from collections_opt.core.accounts.admission import admit
from collections_opt.core.day.events import Event, EventKind, RecordedEvent
from tests.support.day.day_worlds import NOON, rows

PORTFOLIO = admit(rows(8)).portfolio
K = EventKind
HOURS = st.integers(-24 * 9, 18).map(lambda hours: NOON + timedelta(hours=hours))


def facts(number, row, at):
    """Return the events that may be drawn, each about a row at an instant."""
    account, name = f"a{row:03d}", f"e{number}"
    return st.one_of(
        st.builds(Event, st.just(name), st.just(K.PAYMENT), at, st.just(account), amount_minor=st.integers(1, 90_000)),
        st.builds(
            Event,
            st.just(name),
            st.just(K.PROMISE),
            at,
            st.just(account),
            amount_minor=st.just(5),
            due_date=st.dates(date(2026, 11, 20), date(2026, 11, 30)),
        ),
        st.builds(
            Event,
            st.just(name),
            st.just(K.CONTACT),
            at,
            st.just(account),
            channel=st.sampled_from(["CALL", "TEXT"]),
            direction=st.sampled_from(["OUTBOUND", "INBOUND"]),
            result=st.sampled_from(["NO_ANSWER", "RIGHT_PARTY", "RIGHT_PARTY_REFUSED"]),
        ),
        st.builds(
            Event,
            st.just(name),
            st.just(K.FLAG),
            at,
            st.just(account),
            flag=st.sampled_from(["deceased", "dispute", "open_promise"]),
            is_set=st.booleans(),
        ),
        st.builds(
            Event,
            st.just(name),
            st.just(K.BALANCE),
            at,
            st.just(account),
            balance_minor=st.integers(500, 900),
            arrears_minor=st.integers(0, 500),
            days_past_due=st.integers(0, 90),
        ),
        st.builds(Event, st.just(name), st.just(K.OUTCOME), at, st.just(account), outcome=st.just("CURED")),
        st.builds(Event, st.just(name), st.just(K.MOVED), at, st.just(account), state=st.sampled_from(["US-MA", "US-NY-NYC"])),
        st.builds(
            Event,
            st.just(name),
            st.just(K.CHANNEL_CHOICE),
            at,
            st.just(account),
            hours_from=st.just(600),
            hours_until=st.just(900),
        ),
        st.builds(Event, st.just(name), st.just(K.REVERSAL), at, st.just(account), reverses=st.integers(0, 11).map("e{}".format)),
    )


@st.composite
def told_events(draw):
    """Return up to twelve events about eight accounts, with what the server adds."""
    count = draw(st.integers(0, 12))
    told = []
    for number in range(count):
        row = draw(st.integers(0, 7))
        event = draw(facts(number, row, HOURS))
        recorded = max(event.occurred_at, draw(HOURS))
        told.append((row, RecordedEvent(number + 1, recorded, event)))
    return told
