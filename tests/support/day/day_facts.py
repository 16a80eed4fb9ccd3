"""What may happen to accounts of the small desk, and how long ago: every kind of event but leases and reversals."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st

from collections_opt.core.day.events import EventKind
from tests.support.day.day_oracle import MOVES
from tests.support.day.day_worlds import NOON

K = EventKind
OF_PERSONS = (K.FLAG, K.CHANNEL_CHOICE, K.MOVED)
"""Kinds that may be told of a person alone."""
AGO = st.sampled_from([0, 0, 0, 1, 30, 60 * 20, 60 * 24 * 3]).map(lambda minutes: timedelta(minutes=minutes))
ARREARS = st.sampled_from([0, 50_000])
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
    st.builds(lambda o: {"kind": K.OUTCOME, "outcome": o}, st.sampled_from(["CURED", "SETTLED", "SOLD", "CLOSED"])),
    st.builds(lambda a: {"kind": K.BALANCE, "balance_minor": 900_000, "arrears_minor": a, "days_past_due": a and 45}, ARREARS),
    st.builds(lambda z: {"kind": K.MOVED, "state": z[0], "time_zone": z[1]}, st.sampled_from(MOVES)),
)
