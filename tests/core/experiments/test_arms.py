"""Arms: the library's HMAC in columns, one arm per person for ever, the share as drawn, and nobody whom the law protects."""

import hmac
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.core.errors import CollectionsError
from collections_opt.core.experiments.arms import PROTECTED, Arm, arms_of, held_out, in_scope, person_keys
from collections_opt.core.experiments.design import ExperimentDesign, Scope, check_design
from collections_opt.core.experiments.hashing import hmac_sha256_first8
from tests.support.factories import AS_OF, admitted, text

SALT = "00112233445566778899aabbccddeeff"
DESIGN = ExperimentDesign(250_000_000, SALT, AS_OF, AS_OF + timedelta(days=30), 30, 1_000)


def book(count=400, **columns):
    known = {"vulnerable": np.zeros(count, dtype=bool)}
    return admitted(account_id=text([f"a{i:04d}" for i in range(count)]), **{**known, **columns}).portfolio


@given(
    key=st.binary(max_size=150), texts=st.lists(st.binary(max_size=140).map(lambda b: b.rstrip(b"\0")), min_size=1, max_size=9)
)
@settings(max_examples=60, deadline=None)
def test_hashes_are_those_of_the_library(key, texts):
    found = hmac_sha256_first8(key, np.array(texts, dtype=np.bytes_))
    assert found.tolist() == [int.from_bytes(hmac.digest(key, one, "sha256")[:8], "big") for one in texts]


def test_the_arm_is_the_persons_whatever_row_import_or_other_accounts():
    customers = [f"c{i // 2}" if i % 3 else "" for i in range(400)]
    portfolio = book(customer_id=text(customers))
    arms = arms_of(portfolio, "p", [DESIGN])
    by_person = {}
    for key, arm in zip(person_keys(portfolio).tolist(), arms.arm.tolist(), strict=True):
        assert by_person.setdefault(key, arm) == arm
    rows = np.arange(0, 400, 7)
    again = arms_of(portfolio.take(rows), "another", [DESIGN])
    assert np.array_equal(again.arm, arms.arm[rows])
    moved = book(customer_id=text(customers), state=text(["US-MA"] * 400))
    assert np.array_equal(arms_of(moved, "p", [DESIGN]).arm, arms.arm)
    assert set(by_person) == {f"customer/{c}".encode() for c in customers if c} | {
        f"account/a{i:04d}".encode() for i, c in enumerate(customers) if not c
    }


def test_the_share_is_what_is_drawn_and_a_larger_share_keeps_whom_it_held():
    people = np.array([f"customer/{i}" for i in range(100_000)], dtype=np.bytes_)
    smaller, larger = (held_out(SALT, share, people) for share in (50_000_000, 100_000_000))
    assert abs(smaller.mean() - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 100_000)
    assert (smaller <= larger).all()
    other = held_out("ff" * 16, 50_000_000, people)
    assert abs((smaller & other).mean() - 0.0025) < 4 * np.sqrt(0.0025 / 100_000)
    assert not held_out(SALT, 0, people).any()


@pytest.mark.parametrize("name", PROTECTED)
def test_whom_the_law_protects_no_draw_decides_about(name):
    flags = np.zeros(400, dtype=bool)
    flags[::2] = True
    arms = arms_of(book(**{name: flags}), "p", [DESIGN])
    assert (arms.arm[::2] == Arm.NONE).all()
    assert (arms.arm[1::2] != Arm.NONE).all()


def test_unknown_vulnerability_protects():
    portfolio = admitted(account_id=text(["a", "b"])).portfolio
    assert (arms_of(portfolio, "p", [DESIGN]).arm == Arm.NONE).all()


def test_a_person_is_in_with_all_accounts_or_with_none():
    days = np.full(400, 40)
    days[1] = 100
    customers = text(["twin", "twin", *[f"c{i}" for i in range(398)]])
    inside = in_scope(book(days_past_due=days, customer_id=customers), "p", replace(DESIGN, scope=Scope(buckets=(1,))))
    assert not inside[:2].any()
    assert inside[2:].all()


def test_scope_days_and_portfolios():
    portfolio = book()
    for scope in (Scope(portfolios=("cards-*",)), Scope(products=("AUTO",)), Scope(buckets=(0, 2))):
        assert not in_scope(portfolio, "p", replace(DESIGN, scope=scope)).any()
    assert in_scope(portfolio, "cards-1", replace(DESIGN, scope=Scope(("cards-*",), ("CREDIT_CARD",), (1,)))).all()
    assert not in_scope(portfolio, "p", replace(DESIGN, starts_on=AS_OF + timedelta(days=1))).any()
    assert not in_scope(portfolio, "p", replace(DESIGN, stopped_on=AS_OF, stop_reason="enough")).any()


def test_who_is_in_two_is_in_the_first():
    second = replace(DESIGN, salt="ff" * 16)
    arms = arms_of(book(), "p", [replace(DESIGN, scope=Scope(buckets=(5,))), second])
    assert (arms.experiment == 2).all()
    assert np.array_equal(arms_of(book(), "p", [DESIGN, second]).arm, arms_of(book(), "p", [DESIGN]).arm)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"share_nano": 0}, "share"),
        ({"share_nano": 500_000_001}, "share"),
        ({"salt": "0011"}, "salt"),
        ({"ends_on": date(2020, 1, 1)}, "ends_on"),
        ({"ends_on": AS_OF + timedelta(days=2_000)}, "ends_on"),
        ({"horizon_days": 0}, "horizon_days"),
        ({"planned_person_count": 0}, "planned_person_count"),
        ({"scope": Scope(portfolios=("a b",))}, "scope.portfolio_patterns[0]"),
        ({"scope": Scope(buckets=(7,))}, "scope.buckets"),
        ({"scope": Scope(buckets=(1, 1))}, "scope.buckets"),
        ({"stopped_on": AS_OF}, "stop_reason"),
    ],
)
def test_designs_that_could_not_be_carried_out_are_refused(changes, field):
    check_design(DESIGN)
    with pytest.raises(CollectionsError) as refused:
        check_design(replace(DESIGN, **changes))
    assert refused.value.violations[0].field == field


def test_experiments_collide_where_somebody_could_be_in_both():
    cards, loans = (replace(DESIGN, scope=Scope(products=(name,))) for name in ("CREDIT_CARD", "PERSONAL_LOAN"))
    assert DESIGN.collides(cards)
    assert not cards.collides(loans)
    assert not DESIGN.collides(replace(DESIGN, starts_on=DESIGN.ends_on + timedelta(days=1), ends_on=date(2027, 6, 1)))
    assert not replace(DESIGN, stopped_on=AS_OF + timedelta(days=3), stop_reason="x").collides(
        replace(DESIGN, starts_on=AS_OF + timedelta(days=3))
    )
    for one, two, meet in (("a*", "ab", True), ("a*", "b*", False), ("ab*", "a*", True), ("a", "a", True), ("a", "ab", False)):
        assert Scope(portfolios=(one,)).meets(Scope(portfolios=(two,))) is meet
        assert Scope(portfolios=(two,)).meets(Scope(portfolios=(one,))) is meet
