"""Which set of values a product takes: chosen among those in force, never guessed, and checked by what did not choose."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_opt.application.resources.value_sets import (
    VALUE_SETS,
    ValueSet,
    check_value_set,
    choice_difference,
    choose_values,
)
from collections_opt.application.settings import dump
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.limits import MAX_TEXT_CHARACTERS
from collections_opt.core.models.lifecycle import ApprovalMode
from collections_opt.core.value.payoffs import CostBasis, check_parameters
from tests.support.books.value_set_books import CARD, SHIPPED, products, stored, values

BOOK = "book-2026-08"


def refused(reason, call, *args):
    with pytest.raises(CollectionsError) as caught:
        call(*args)
    assert caught.value.reason is reason, caught.value
    return caught.value


def named(chosen):
    return {choice.product: choice.name for choice in chosen.choices}


def test_a_set_is_written_and_read_back_alike():
    content = values("CARD", "LOAN", portfolios=("book-*", "other"))
    assert VALUE_SETS.load(VALUE_SETS.dump(content)) == content
    assert VALUE_SETS.dump(VALUE_SETS.load(dump(content))) == dump(content)


def test_one_set_that_serves_everything_is_taken_whole_and_unchanged():
    one = values("CARD", "LOAN")
    chosen = choose_values([stored(one, "all", 3)], BOOK, products("LOAN", "LOAN"))
    assert chosen.parameters == one.parameters
    assert named(chosen) == {"CARD": "all/3", "LOAN": "all/3"}


def test_two_products_take_two_sets():
    sets = [stored(values("CARD", loss=0.8), "cards", 2), stored(values("LOAN", loss=0.86), "loans", 5)]
    chosen = choose_values(sets, BOOK, products("CARD", "LOAN", "CARD"))
    assert named(chosen) == {"CARD": "cards/2", "LOAN": "loans/5"}
    assert {name: held.loss_given_default for name, held in chosen.parameters.products.items()} == {"CARD": 0.8, "LOAN": 0.86}
    assert chosen.parameters.version == "cards/2, loans/5"
    check_parameters(chosen.parameters)
    alone = choose_values(sets, BOOK, products("CARD"))
    assert named(alone) == {"CARD": "cards/2"}
    assert alone.parameters == sets[0].content.parameters


def test_a_set_that_names_the_portfolio_goes_before_one_that_names_none_and_people_before_the_release():
    shipped = stored(values("CARD", "LOAN", "AUTO"), "shipped-values", mode=ApprovalMode.BOOTSTRAP)
    common = stored(values("CARD", "LOAN"), "common")
    own = stored(values("CARD", portfolios=("book-*",)), "own")
    sets = [common, own, shipped]
    wanted = products("CARD", "LOAN", "AUTO")
    assert named(choose_values(sets, BOOK, wanted)) == {"CARD": "own/1", "LOAN": "common/1", "AUTO": "shipped-values/1"}
    others = {"CARD": "common/1", "LOAN": "common/1", "AUTO": "shipped-values/1"}
    for portfolio in ("notebook-1", "bookkeeping", ""):
        assert named(choose_values(sets, portfolio, wanted)) == others


def test_two_sets_of_one_level_that_give_one_product_are_refused_by_name_where_it_is_asked_for():
    sets = [stored(values("CARD", "LOAN"), "cards", 4), stored(values("CARD", "AUTO"), "desk", 2)]
    error = refused(Reason.RESOURCE_STATE_CONFLICT, choose_values, sets, BOOK, products("CARD"))
    assert all(word in error.message for word in ("CARD", "cards/4", "desk/2"))
    assert named(choose_values(sets, BOOK, products("LOAN"))) == {"LOAN": "cards/4"}
    mine = [stored(replace(each.content, portfolios=(BOOK,)), each.version.resource_id) for each in sets]
    refused(Reason.RESOURCE_STATE_CONFLICT, choose_values, mine, BOOK, products("CARD"))


@pytest.mark.parametrize("sets", [[], [stored(values("LOAN"), "loans")], [stored(values("CARD", portfolios=("x",)), "x")]])
def test_a_product_that_no_set_gives_is_refused_with_its_accounts_and_the_remedy(sets):
    error = refused(Reason.VALUES_MISSING, choose_values, sets, BOOK, products("CARD", "CARD"))
    assert "CARD (2 account(s))" in error.message
    assert "scripts/parameters.py" in error.message


def test_nothing_in_force_is_refused_where_everything_is_asked_for():
    error = refused(Reason.VALUES_MISSING, choose_values, [], BOOK, products())
    assert BOOK in error.message
    assert named(choose_values([stored(values("CARD"), "cards")], BOOK, products())) == {"CARD": "cards/1"}


@pytest.mark.parametrize(
    "terms", [{"discount_rate": 0.1}, {"horizon_days": 60}, {"cost_basis": CostBasis.LOADED}], ids=lambda terms: next(iter(terms))
)
def test_sets_of_one_ranking_share_rate_horizon_and_cost_basis(terms):
    sets = [stored(values("CARD"), "cards"), stored(values("LOAN", **terms), "loans", 2)]
    error = refused(Reason.RESOURCE_STATE_CONFLICT, choose_values, sets, BOOK, products("CARD", "LOAN"))
    assert all(word in error.message for word in (next(iter(terms)), "cards/1", "loans/2"))
    choose_values(sets, BOOK, products("LOAN"))


def test_many_sets_have_a_name_that_fits():
    sets = [stored(values(f"P{i}"), f"a-set-of-a-long-name-{i:02}") for i in range(20)]
    chosen = choose_values(sets, BOOK, products())
    assert len(chosen.parameters.version) <= MAX_TEXT_CHARACTERS
    check_parameters(chosen.parameters)


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (ValueSet(replace(SHIPPED, products={})), "products"),
        (ValueSet(replace(SHIPPED, in_order=False)), "in_order"),
        (values("CARD", portfolios=("*",)), "portfolios[0]"),
        (values("CARD", portfolios=("a", "a")), "portfolios[1]"),
        (values("CARD", portfolios=("a*b",)), "portfolios[0]"),
        (values("CARD", discount_rate=-1.0), "discount_rate"),
    ],
)
def test_what_is_no_set_is_refused_at_its_field(content, field):
    error = refused(Reason.INVALID_ARGUMENT, check_value_set, content)
    assert field in {violation.field for violation in error.violations}


def test_values_out_of_order_are_refused_with_product_and_bucket():
    late = replace(CARD, stay_value=(0.7, 0.7, 0.99, 0.4, 0.3, 0.2, 0.1))
    error = refused(Reason.INVALID_ARGUMENT, check_value_set, ValueSet(replace(SHIPPED, products={"CARD": CARD, "LOAN": late})))
    assert "products['LOAN'].stay_value[2]" in {violation.field for violation in error.violations}
    assert "product LOAN, bucket 2" in str(error)


sets_drawn = st.lists(
    st.tuples(
        st.sets(st.sampled_from(["CARD", "LOAN", "AUTO"]), min_size=1),
        st.sampled_from([(), (BOOK,), ("book-*",), ("other",)]),
        st.sampled_from([ApprovalMode.PEOPLE, ApprovalMode.BOOTSTRAP]),
    ),
    max_size=4,
)


@given(sets_drawn, st.lists(st.sampled_from(["CARD", "LOAN", "AUTO"]), min_size=1, max_size=4))
def test_every_product_takes_the_one_set_of_its_highest_level_or_is_refused(drawn, wanted):
    sets = [
        stored(values(*sorted(names), loss=0.7 + i / 100, portfolios=portfolios), f"s{i}", i + 1, mode)
        for i, (names, portfolios, mode) in enumerate(drawn)
    ]

    def level(portfolios, mode):
        return {(): 1 + (mode is ApprovalMode.PEOPLE), ("other",): 0}.get(portfolios, 3)

    expected = {}
    for name in set(wanted):
        levels = [(level(p, mode), i) for i, (names, p, mode) in enumerate(drawn) if name in names and level(p, mode)]
        expected[name] = [i for height, i in levels if height == max(levels)[0]]
    if any(len(found) != 1 for found in expected.values()):
        missing = not all(expected.values())
        reason = Reason.VALUES_MISSING if missing else Reason.RESOURCE_STATE_CONFLICT
        refused(reason, choose_values, sets, BOOK, products(*wanted))
        return
    chosen = choose_values(sets, BOOK, products(*wanted))
    for name, (place,) in expected.items():
        assert chosen.parameters.products[name].loss_given_default == 0.7 + place / 100
        assert named(chosen)[name] == f"s{place}/{place + 1}"
    assert choice_difference(chosen.parameters, chosen.choices, lambda name, _: sets[int(name[1:])]) == ""


def test_a_planted_wrong_choice_is_noticed():
    sets = {"cards": stored(values("CARD", loss=0.8), "cards"), "loans": stored(values("LOAN", loss=0.86), "loans")}
    chosen = choose_values(list(sets.values()), BOOK, products("CARD", "LOAN"))

    def difference(parameters=chosen.parameters, choices=chosen.choices):
        return choice_difference(parameters, choices, lambda name, _: sets[name])

    assert difference() == ""
    held = chosen.parameters.products
    swapped = replace(chosen.parameters, products={"CARD": held["LOAN"], "LOAN": held["CARD"]})
    assert difference(swapped) == "the values of CARD are not those of cards/1"
    card, loan = chosen.choices
    assert "LOAN" in difference(choices=(card, replace(loan, resource_id="cards", digest=card.digest)))
    assert "other content" in difference(choices=(card, replace(loan, digest=card.digest)))
    assert "versions are named for CARD" in difference(choices=(card,))
    assert "discount_rate" in difference(replace(chosen.parameters, discount_rate=0.2))


def test_the_choice_does_not_depend_on_the_order_of_sets_or_accounts():
    sets = [stored(values("CARD", loss=0.8), "cards", 2), stored(values("LOAN", loss=0.86), "loans", 5)]
    wanted = products("CARD", "LOAN", "CARD", "LOAN")
    one = choose_values(sets, BOOK, wanted)
    assert choose_values(sets[::-1], BOOK, np.flip(wanted)) == one
