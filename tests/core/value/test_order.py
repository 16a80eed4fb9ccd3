"""The order of payoffs is a condition: parameters that break it are refused by product and bucket, accounts are put in order."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.application.rankings.health.clipped_values import checked_payoffs
from collections_opt.application.records.scoring_facts import ClippedFacts
from collections_opt.application.settings import bundled_parameters, dump, load
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.evaluation.roll_rates import AbsorbingWorth
from collections_opt.core.value.order import Terms, order_violations, ordered
from collections_opt.core.value.parameters import VALUED_BY_PRODUCT, ProductValues, ValueGrade, ValueSource
from collections_opt.core.value.payoffs import BUCKET_COUNT, ValueParameters, check_parameters, delta, payoffs
from collections_opt.datasets.credit_card import load_accounts, snapshot
from tests.support.books.card_stay_values import card_stay_values
from tests.support.factories import admitted, text

SOURCE = ValueSource(VALUED_BY_PRODUCT, "a test", date(2026, 11, 26), ValueGrade.ASSUMED)
PRODUCTS = ("CREDIT_CARD", "PERSONAL_LOAN", "AUTO_LOAN", "MORTGAGE")
shares = st.floats(0.0, 1.0)


@st.composite
def product_values(draw):
    lgd, redefault, kept = draw(shares), draw(shares), draw(shares)
    stay = tuple(draw(st.lists(shares, min_size=BUCKET_COUNT, max_size=BUCKET_COUNT)))
    days = [draw(st.integers(1, 400)) for _ in range(3)]
    return ProductValues(lgd, draw(shares), redefault, kept, stay, *days, (SOURCE,))


def parameters(*values, rate=0.12, horizon=90):
    products = dict(zip(PRODUCTS, values, strict=False))
    return ValueParameters("t", rate, horizon, stay_value=(), products=products, in_order=True)


def book(count=700, seed=0):
    rng = np.random.default_rng(seed)
    return admitted(
        account_id=text([f"a{i:05d}" for i in range(count)]),
        product=text([PRODUCTS[i % 4] for i in range(count)]),
        days_past_due=rng.integers(0, 240, count),
        balance_minor=(balance := rng.integers(1, 900_000, count)),
        arrears_minor=(balance * rng.random(count)).astype(np.int64),
    ).portfolio


@given(product_values())
def test_values_that_pass_the_check_put_no_account_of_any_bucket_out_of_order(values):
    found = list(order_violations("CREDIT_CARD", "stay_value", values, Terms(0.12, 90)))
    made = parameters(*(4 * [values]))
    if found:
        with pytest.raises(CollectionsError, match="CREDIT_CARD, bucket"):
            check_parameters(made)
        return
    check_parameters(made)
    worth = payoffs(book(), made)
    assert not worth.out_of_order.any()


@given(product_values())
def test_measured_values_put_in_order_pass_the_check(values):
    made = ordered(
        replace(values, default_days=max(values.default_days, values.stay_days, values.cure_days, 90)), Terms(0.12, 90)
    )
    wrong = [found for found in order_violations("X", "stay_value", made, Terms(0.12, 90)) if "arrears paid" not in str(found)]
    worse_lost = (1 - made.loss_given_default) > (1 - made.redefault_probability * made.loss_given_default)
    assert not wrong or worse_lost


@given(product_values(), st.integers(0, 3))
def test_payoffs_are_always_in_order(values, seed):
    worth = payoffs(book(seed=seed), parameters(*(4 * [values])))
    assert (worth.cure >= worth.stay - 1e-6).all()
    assert (worth.stay >= worth.default - 1e-6).all()


def test_what_0_2_0_shipped_is_refused_by_product_and_bucket():
    shipped = ValueParameters(
        stay_value=(0.90, 0.85, 0.80, 0.65, 0.50, 0.40, 0.30),
        loss_given_default={"CREDIT_CARD": 0.75},
        credit_conversion_factor={"CREDIT_CARD": 0.10},
        in_order=True,
    )
    with pytest.raises(CollectionsError) as refused:
        check_parameters(shipped)
    fields = {violation.field for violation in refused.value.violations}
    assert {"stay_value[0]", "stay_value[1]"} <= fields
    assert "product CREDIT_CARD, bucket 0" in str(refused.value)


def test_the_shipped_values_are_those_of_the_shipped_months_and_in_order():
    shipped = bundled_parameters()
    check_parameters(shipped)
    card = shipped.products["CREDIT_CARD"]
    accounts = load_accounts()
    ends = AbsorbingWorth(shipped.discount_rate, card.redefault_probability, card.loss_given_default)
    measured = card_stay_values([snapshot(accounts, month) for month in (6, 7)], ends)
    np.testing.assert_allclose(card.stay_value, measured, atol=5e-4)


def test_a_product_without_values_is_refused_with_its_name_count_and_remedy():
    with pytest.raises(CollectionsError) as refused:
        payoffs(book(), bundled_parameters())
    assert refused.value.reason is Reason.VALUES_MISSING
    assert "AUTO_LOAN (175 account(s))" in str(refused.value)
    assert all("CREDIT_CARD" in violation.remedy for violation in refused.value.violations)


def test_accounts_that_break_the_order_by_facts_of_their_own_are_clipped_counted_and_refused_above_one_in_a_hundred():
    card = replace(bundled_parameters().products["CREDIT_CARD"], default_days=5)
    soon = parameters(card)
    columns = {"account_id": text([f"a{i:05d}" for i in range(1_000)]), "days_past_due": np.full(1_000, 200)}
    for beyond, accepted in ((5, False), (50, True)):
        loss = np.where(np.arange(1_000) < beyond, 0.0, 0.75)  # who loses nothing by a default gains by a sooner one
        worth = payoffs(admitted(**columns, loss_given_default=loss).portfolio, soon)
        assert int(worth.out_of_order.sum()) == beyond
        assert (worth.stay >= worth.default).all()
        if accepted:
            with pytest.raises(CollectionsError) as refused:
                checked_payoffs(worth, soon, accepted=False)
            assert refused.value.reason is Reason.VALUES_OUT_OF_ORDER
        told = checked_payoffs(worth, soon, accepted=accepted)
        assert told == ClippedFacts(beyond, accepted)


@settings(deadline=None, max_examples=40)
@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.integers(0, 5_000_000))
def test_what_is_still_to_be_drawn_never_makes_a_default_worth_more(loss, share, limit):
    """One unit drawn before a default is paid out and comes back less the loss: it costs LGD, and no limit makes it a gain."""
    card = replace(bundled_parameters().products["CREDIT_CARD"], credit_conversion_factor=share)
    columns = {"account_id": text(["a"]), "days_past_due": np.array([70]), "loss_given_default": np.array([loss])}
    undrawn = payoffs(admitted(**columns).portfolio, parameters(card))
    worth = payoffs(admitted(**columns, credit_limit_minor=np.array([limit])).portfolio, parameters(card))
    drawn = worth.exposure_at_default - undrawn.exposure_at_default
    np.testing.assert_allclose(worth.default, undrawn.default - loss * drawn * delta(card.default_days, 0.12), atol=1e-6)
    assert not worth.out_of_order.any()
    # Recorded before 0.3.0, a draw counted as a gain of what comes back of it: such rankings replay as they were.
    before = ValueParameters(credit_conversion_factor={"": share})
    old, plain = (
        payoffs(admitted(**columns, **more).portfolio, before) for more in ({"credit_limit_minor": np.array([limit])}, {})
    )
    np.testing.assert_allclose(old.default, plain.default + (1 - loss) * drawn * delta(180, 0.12), atol=1e-6)


@given(st.floats(0.0, 1.0), st.integers(1, 400))
def test_an_account_with_an_lgd_or_a_charge_off_of_its_own_keeps_its_place_between_default_and_cure(loss, days):
    columns = {"account_id": text(["a", "b"]), "days_past_due": np.array([70, 70])}
    raw = admitted(**columns, loss_given_default=np.array([loss, 0.75]), days_to_charge_off=np.array([days, 3_000])).portfolio
    worth = payoffs(raw, bundled_parameters())
    assert not worth.out_of_order.any()
    flat = replace(bundled_parameters().products["CREDIT_CARD"], loss_given_default=0.75)
    same = payoffs(admitted(**columns).portfolio, parameters(flat))
    np.testing.assert_allclose(same.stay[1], worth.stay[1])


def test_parameters_recorded_before_0_3_0_keep_their_bytes_and_their_meaning():
    old = ValueParameters()
    assert "products" not in dump(old)
    assert "in_order" not in dump(old)
    assert load(dump(old), ValueParameters) == old
    assert payoffs(book(), old).cure.size == 700
    assert checked_payoffs(payoffs(book(), old), old, accepted=False) is None


@pytest.mark.parametrize("name", VALUED_BY_PRODUCT)
def test_every_value_needs_one_source(name):
    card = bundled_parameters().products["CREDIT_CARD"]
    short = replace(SOURCE, of=tuple(one for one in VALUED_BY_PRODUCT if one != name))
    with pytest.raises(CollectionsError, match=f"{name} has no source"):
        check_parameters(parameters(replace(card, sources=(short,))))
