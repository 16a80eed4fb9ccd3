"""Laws of what became of accounts: order and repeats change nothing, reversals count, and each source wins where it should."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.core.accounts.admission import admit
from collections_opt.core.day.event_columns import EventColumns, day_number
from collections_opt.core.day.events import Event, EventKind, RecordedEvent
from collections_opt.core.errors import CollectionsError
from collections_opt.core.outcomes.matured import matured_outcomes
from collections_opt.core.outcomes.terms import Outcome, OutcomeSource, OutcomeTerms, ProductTerms, ToldOutcomes
from tests.support.factories import raw_portfolio, text

K, E, S = EventKind, Outcome, OutcomeSource
START = date(2026, 11, 1)
ARREARS = 10_000
ACCOUNTS = replace(
    admit(
        raw_portfolio(
            account_id=text([f"a{row}" for row in range(6)]),
            balance_minor=np.full(6, 90_000),
            arrears_minor=np.full(6, ARREARS),
        )
    ).portfolio,
    as_of_date=START,
)
IDS = ACCOUNTS.column("account_id")
TERMS = OutcomeTerms({"": ProductTerms(30, 90)}, grace_days=5)


def at(day, hour=12):
    return datetime(2026, 11, 1, hour, tzinfo=UTC) + timedelta(days=day)


def event(number, row, day, kind, **fields):
    return row, RecordedEvent(number, at(day), Event(f"e{number}", kind, at(day), IDS[row].decode(), **fields))


def paid(number, row, day, amount):
    return event(number, row, day, K.PAYMENT, amount_minor=amount)


def stands(number, row, day, late, arrears):
    return event(number, row, day, K.BALANCE, balance_minor=90_000, arrears_minor=arrears, days_past_due=late)


def matured(told=(), later=(), file=None, known_at=None, terms=TERMS):
    columns = EventColumns.of([row for row, _ in told], [one for _, one in told])
    return matured_outcomes(ACCOUNTS, terms, columns, later, file, known_at)


def later_on(day, late, arrears, rows=slice(None)):
    columns = {**ACCOUNTS.columns, "days_past_due": np.full(6, late), "arrears_minor": np.full(6, arrears)}
    return replace(ACCOUNTS, as_of_date=START + timedelta(days=day), columns=columns).take(np.arange(6)[rows])


def file(**rows):
    """Return a file of rows by account number: outcome, day, cash."""
    names = [IDS[int(name[1:])] for name in rows]
    outcome, day, cash = (np.array(column, dtype=np.int64) for column in zip(*rows.values(), strict=True))
    return ToldOutcomes(np.array(names, dtype="S"), outcome, day + day_number(START), cash)


def said(found, row=0):
    return E(found.outcome[row]), S(found.source[row]), int(found.day[row])


CASES = {
    "nothing": ([], (E.NOT_SEEN, S.NOTHING, 0)),
    "payments cover the arrears": ([paid(1, 0, 3, 4_000), paid(2, 0, 9, 6_000)], (E.CURED, S.EVENTS, 9)),
    "payments fall a cent short": ([paid(1, 0, 3, 4_000), paid(2, 0, 9, 5_999)], (E.NOT_SEEN, S.NOTHING, 9)),
    "arrears were stated anew": (
        [paid(1, 0, 3, 9_000), stands(2, 0, 4, 41, 8_000), paid(3, 0, 9, 7_999)],
        (E.NOT_SEEN, S.NOTHING, 9),
    ),
    "stated to be current": ([stands(1, 0, 12, 0, 0)], (E.CURED, S.EVENTS, 12)),
    "a payment bounced": (
        [paid(1, 0, 3, ARREARS), event(2, 0, 6, K.REVERSAL, reverses="e1"), stands(3, 0, 30, 70, ARREARS)],
        (E.STAYED, S.EVENTS, 30),
    ),
    "rolled to the line": ([stands(1, 0, 29, 90, ARREARS)], (E.DEFAULTED, S.EVENTS, 29)),
    "charged off": ([event(1, 0, 8, K.OUTCOME, outcome="CHARGED_OFF")], (E.DEFAULTED, S.EVENTS, 8)),
    "the earlier end counts": (
        [event(1, 0, 8, K.OUTCOME, outcome="SOLD"), event(2, 0, 5, K.OUTCOME, outcome="CURED")],
        (E.CURED, S.EVENTS, 5),
    ),
    "died": ([event(1, 0, 8, K.FLAG, flag="deceased", is_set=True)], (E.DIED, S.EVENTS, 8)),
    "the last day of the horizon": ([event(1, 0, 30, K.OUTCOME, outcome="CURED")], (E.CURED, S.EVENTS, 30)),
    "after the horizon it stayed until then": ([event(1, 0, 31, K.OUTCOME, outcome="CURED")], (E.STAYED, S.EVENTS, 30)),
    "seen in the days of grace": ([stands(1, 0, 34, 74, ARREARS)], (E.STAYED, S.EVENTS, 30)),
    "current in the days of grace": ([stands(1, 0, 34, 0, 0)], (E.CURED, S.EVENTS, 30)),
    "seen too late": ([stands(1, 0, 36, 76, ARREARS)], (E.NOT_SEEN, S.NOTHING, 0)),
    "before the ranking": ([event(1, 0, -1, K.OUTCOME, outcome="CURED")], (E.NOT_SEEN, S.NOTHING, 0)),
}


@pytest.mark.parametrize("case", CASES)
def test_events_tell_what_became_of_an_account(case):
    told, expected = CASES[case]
    assert said(matured(told)) == expected
    assert said(matured(told), 1) == (E.NOT_SEEN, S.NOTHING, 0)


def test_a_later_portfolio_tells_of_accounts_that_are_in_it_and_of_no_other():
    stayed = matured(later=[later_on(33, 73, ARREARS, slice(0, 4))])
    assert said(stayed, 3) == (E.STAYED, S.PORTFOLIO, 30)
    assert said(stayed, 4) == (E.NOT_SEEN, S.NOTHING, 0)
    assert said(matured(later=[later_on(33, 95, ARREARS)])) == (E.DEFAULTED, S.PORTFOLIO, 30)
    assert said(matured(later=[later_on(33, 0, 0), later_on(15, 55, ARREARS)])) == (E.CURED, S.PORTFOLIO, 30)
    assert said(matured(later=[later_on(36, 0, 0), later_on(15, 55, ARREARS)])) == (E.STAYED, S.PORTFOLIO, 30)
    assert said(matured(later=[later_on(60, 60, ARREARS), later_on(15, 55, ARREARS)])) == (E.NOT_SEEN, S.NOTHING, 15)
    assert said(matured(later=[later_on(0, 0, 0)])) == (E.NOT_SEEN, S.NOTHING, 0)


def test_a_file_beats_events_and_events_beat_a_portfolio_and_that_they_disagree_is_kept():
    told = [event(7, row, 8, K.OUTCOME, outcome="CURED") for row in (0, 1)]
    later = [later_on(33, 95, ARREARS)]
    found = matured(told, later, file(r0=(E.SOLD, 4, 250), r5=(E.STAYED, 30, -1)))
    assert said(found, 0) == (E.SOLD, S.FILE, 4)
    assert said(found, 1) == (E.CURED, S.EVENTS, 8)
    assert said(found, 2) == (E.DEFAULTED, S.PORTFOLIO, 30)
    assert said(found, 5) == (E.STAYED, S.FILE, 30)
    assert found.contradicted.tolist() == [1, 1, 0, 0, 0, 1]
    assert found.event.tolist() == [0, 7, 0, 0, 0, 0]
    assert found.cash_minor.tolist() == [250, -1, -1, -1, -1, -1]


def test_a_file_that_saw_an_account_stay_before_its_horizon_did_not_see_it_at_it():
    assert said(matured(file=file(r0=(E.STAYED, 20, -1)))) == (E.NOT_SEEN, S.NOTHING, 20)


def test_horizons_are_those_of_products_and_a_product_without_one_is_refused():
    own = OutcomeTerms({ACCOUNTS.column("product")[0].decode(): ProductTerms(10, 60)})
    late = [stands(1, 0, 10, 65, ARREARS)]
    assert said(matured(late, terms=own)) == (E.DEFAULTED, S.EVENTS, 10)
    with pytest.raises(CollectionsError, match="say nothing of"):
        matured(terms=OutcomeTerms({"no such product": ProductTerms(10, 60)}))
    with pytest.raises(CollectionsError, match="out of range"):
        matured(terms=OutcomeTerms({"": ProductTerms(0, 60)}))


def test_money_and_contacts_within_the_horizon_are_counted():
    call = {"channel": "CALL", "direction": "OUTBOUND"}
    told = [
        paid(1, 0, 3, 500),
        paid(2, 0, 30, 70),
        paid(3, 0, 31, 9),
        event(4, 1, 2, K.CONTACT, result="NO_ANSWER", **call),
        event(5, 1, 3, K.CONTACT, result="RIGHT_PARTY", **call),
        event(6, 2, 3, K.CONTACT, channel="CALL", direction="INBOUND", result="RIGHT_PARTY"),
    ]
    found = matured(told)
    assert found.cash_minor.tolist() == [570, 0, 0, 0, 0, 0]
    assert found.contacts.tolist() == [0, 2, 0, 0, 0, 0]
    assert found.reached.tolist() == [0, 1, 0, 0, 0, 0]


@st.composite
def histories(draw):
    """Return up to ten events about six accounts."""
    told = []
    for number in range(1, 1 + draw(st.integers(0, 10))):
        row, day = draw(st.integers(0, 5)), draw(st.integers(-3, 40))
        kind = draw(st.sampled_from(["paid", "stands", "ends", "back"]))
        if kind == "paid":
            told.append(paid(number, row, day, draw(st.integers(1, ARREARS))))
        elif kind == "stands":
            told.append(stands(number, row, day, draw(st.sampled_from([0, 40, 90])), draw(st.sampled_from([0, ARREARS]))))
        elif kind == "ends":
            told.append(event(number, row, day, K.OUTCOME, outcome=draw(st.sampled_from(["CURED", "SOLD", "CHARGED_OFF"]))))
        else:
            told.append(event(number, row, day, K.REVERSAL, reverses=f"e{draw(st.integers(1, 10))}"))
    return told


def same(one, other):
    for name, column in one.columns().items():
        np.testing.assert_array_equal(column, other.columns()[name], name)


@settings(deadline=None, max_examples=40)
@given(histories(), st.randoms(use_true_random=False))
def test_the_order_and_repeats_of_events_change_nothing(told, random):
    shuffled = told + [one for one in told if random.random() < 0.5]
    random.shuffle(shuffled)
    same(matured(told), matured(shuffled))


@settings(deadline=None, max_examples=40)
@given(histories())
def test_what_was_taken_back_is_as_if_it_had_never_been_told(told):
    back = {(row, one.event.reverses) for row, one in told if one.event.kind is K.REVERSAL}
    kept = [(row, one) for row, one in told if one.event.kind is not K.REVERSAL and (row, one.event.event_id) not in back]
    same(matured(told), matured(kept))


@settings(deadline=None, max_examples=40)
@given(histories(), st.integers(0, 5))
def test_events_of_others_change_nothing_of_an_account(told, row):
    one, alone = matured(told), matured([each for each in told if each[0] == row])
    for name, column in one.columns().items():
        if name != "cash_minor":  # that nobody tells of money is a fact about all accounts
            assert column[row] == alone.columns()[name][row], name


@settings(deadline=None, max_examples=40)
@given(histories(), st.integers(0, 40))
def test_what_was_recorded_later_changes_nothing_of_what_was_known(told, day):
    known = [one for one in told if one[1].recorded_at <= at(day)]
    same(matured(told, known_at=at(day)), matured(known))


@settings(deadline=None, max_examples=40)
@given(histories())
def test_nothing_is_told_of_days_outside_the_horizon_and_only_the_seen_have_a_source(told):
    found = matured(told)
    assert ((found.day >= 0) & (found.day <= found.horizon)).all()
    assert ((found.source == S.NOTHING) == (found.outcome == E.NOT_SEEN)).all()
    assert sum(found.counts().values()) == sum(found.counts_by_source().values()) == 6
