"""The value model against its five-account fixture, and its laws."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_opt.core.desk.queues import ContactEffect
from collections_opt.core.value.effects import PlannedEffects, ProbabilityChange, QueueEffect, WeightedCells, at_attempts
from collections_opt.core.value.payoffs import CostBasis, ValueParameters, payoffs, stay_value
from collections_opt.core.value.valuation import contacted_probability, expected_recovery, increment, whole_seconds
from tests.support import factories

# account: A, B, EAD, LGD | pC, pS, pD | thetaC, thetaD, rpc | V(0), dpC, -dpD, minutes, D, D per minute (value-model section 7)
FIXTURE = {
    "A": (200, 4000, 4000, 0.75, 0.85, 0.10, 0.05, 0.40, 0.30, 0.5, 3128, 0.0262, 0.0118, 5.55, 23.99, 4.32),
    "B": (300, 6000, 6300, 0.75, 0.40, 0.30, 0.30, 0.80, 0.60, 0.5, 3806, 0.1285, 0.0892, 5.55, 305.75, 55.09),
    "C": (900, 18000, 18500, 0.80, 0.20, 0.30, 0.50, 0.50, 0.45, 0.4, 8853, 0.0591, 0.0656, 4.80, 710.46, 148.01),
    "D": (800, 9000, 9000, 0.85, 0.03, 0.07, 0.90, 0.10, 0.05, 0.2, 1858, 0.0009, 0.0015, 3.30, 5.69, 1.72),
    "E": (80, 700, 700, 0.75, 0.30, 0.25, 0.45, 0.80, 0.60, 0.5, 385, 0.1366, 0.1190, 5.55, 44.37, 7.99),
}
PARAMETERS = ValueParameters(credit_conversion_factor={"": 1.0})


def evaluated():
    """Return the fixture's portfolio, probabilities, payoffs and increments (cents)."""
    rows = np.array(list(FIXTURE.values()))
    portfolio = factories.admitted(
        account_id=factories.text(list(FIXTURE)),
        balance_minor=rows[:, 1].astype(np.int64) * 100,
        arrears_minor=rows[:, 0].astype(np.int64) * 100,
        credit_limit_minor=rows[:, 2].astype(np.int64) * 100,
        loss_given_default=rows[:, 3],
    ).portfolio
    probability = rows[:, [4, 6, 5]]
    worth = payoffs(portfolio, PARAMETERS)
    cells = []
    for row in range(5):
        effect = ContactEffect(rows[row, 9], rows[row, 7], rows[row, 8])
        block = QueueEffect(*(np.array([v]) for v in (effect.right_party_contact_rate, effect.theta_cure, effect.theta_default)))
        part = slice(row, row + 1)
        cells.append(increment(probability[part], block, factories.queue("q", effect=effect), worth, part, CostBasis.VARIABLE))
    return rows, portfolio, probability, worth, cells


def test_five_account_fixture_to_the_cent():
    rows, _, probability, worth, cells = evaluated()
    np.testing.assert_array_equal(np.rint(expected_recovery(probability, worth) / 100), rows[:, 10])
    value = np.array([cell.value[0] for cell in cells])
    np.testing.assert_array_equal(np.rint(value), np.rint(rows[:, 14] * 100))
    np.testing.assert_allclose([cell.cure_shift[0] for cell in cells], rows[:, 11], atol=5e-5)
    np.testing.assert_allclose([cell.default_shift[0] for cell in cells], rows[:, 12], atol=5e-5)
    minutes = np.array([cell.minutes[0] for cell in cells])
    np.testing.assert_allclose(minutes, rows[:, 13])
    np.testing.assert_allclose(value / 100 / minutes, rows[:, 15], atol=5e-3)


def test_only_value_per_minute_puts_the_lost_cause_last():
    _, _, probability, worth, cells = evaluated()

    def order(key):
        return "".join("ABCDE"[i] for i in np.argsort(-np.asarray(key), kind="stable"))

    assert order(probability[:, 0]) == "ABECD"
    assert order(probability[:, 1]) == "DCEBA"
    assert order(probability[:, 1] * worth.loss_given_default * worth.exposure_at_default) == "CDBEA"
    assert order(expected_recovery(probability, worth)) == "CBADE"
    assert order([cell.value[0] / cell.minutes[0] for cell in cells]) == "CBEAD"


def test_value_is_the_difference_of_expected_recoveries():
    """The identity of value-model section 4, and that cash and kept part add up."""
    _, _, probability, worth, cells = evaluated()
    for row, cell in enumerate(cells):
        after = probability[row] + np.array(
            [cell.cure_shift[0], -cell.default_shift[0], cell.default_shift[0] - cell.cure_shift[0]]
        )
        part = slice(row, row + 1)
        gained = expected_recovery(after[np.newaxis], worth, part) - expected_recovery(probability[part], worth, part)
        np.testing.assert_allclose(gained - cell.cost, cell.value, rtol=1e-9)
        np.testing.assert_allclose(cell.cash + cell.kept - cell.cost, cell.value, rtol=1e-9)


def directly(rate, cure, default):
    """Return the effect of one account given as changes of its probabilities."""
    nothing = np.zeros(1)
    return QueueEffect(np.array([rate]), nothing, nothing, ProbabilityChange(np.array([cure]), np.array([default])))


probabilities = st.tuples(st.floats(1e-6, 1), st.floats(1e-6, 1), st.floats(1e-6, 1)).map(lambda w: np.array([w]) / sum(w))
rates = st.floats(0, 1)
shifts = st.floats(0, 3)


@given(probability=probabilities, rate=rates, cure=shifts, default=shifts)
def test_contact_keeps_probabilities_and_helps(probability, rate, cure, default):
    effect = QueueEffect(np.array([rate]), np.array([cure]), np.array([default]))
    after = contacted_probability(probability, effect)
    assert np.all(after >= 0)
    np.testing.assert_allclose(after.sum(axis=1), 1.0, atol=1e-12)
    # Raising cure and lowering default never lowers cure:default odds.
    assert after[0, 0] * probability[0, 1] >= after[0, 1] * probability[0, 0] * (1 - 1e-9)


@given(probability=probabilities, cure=shifts, default=shifts)
def test_no_right_party_contact_changes_nothing(probability, cure, default):
    effect = QueueEffect(np.array([0.0]), np.array([cure]), np.array([default]))
    np.testing.assert_array_equal(contacted_probability(probability, effect), probability)


changes = st.floats(-1, 1)


@given(probability=probabilities, rate=rates, cure=changes, default=changes)
def test_a_change_is_added_and_ends_on_the_edge_of_the_simplex(probability, rate, cure, default):
    effect = directly(rate, cure, default)
    after = contacted_probability(probability, effect)
    assert np.all(after >= 0)
    np.testing.assert_allclose(after.sum(axis=1), 1.0, atol=1e-12)
    wanted = probability[0] + np.array([cure, default, -cure - default])
    if np.all(wanted > 0):
        np.testing.assert_allclose(after[0], wanted, atol=1e-12)
    # What is cut off is cut towards no change: the edge never turns a change round.
    moved = after[0, :2] - probability[0, :2]
    assert (moved[1] * default >= 0).all()
    assert cure < 0 or moved[0] >= -max(default, 0.0) - 1e-12


def test_the_rate_of_a_change_serves_for_minutes_alone():
    """Value: change of p times payoff differences less cost; twice the rate is twice the talk and not twice the value."""
    _, _, probability, worth, _ = evaluated()
    queue, part = factories.queue("q", dial_minutes=0.0, channel_fee_minor=0), slice(0, 1)
    once, twice = (
        increment(probability[part], directly(rate, 0.1, -0.05), queue, worth, part, CostBasis.VARIABLE) for rate in (0.3, 0.6)
    )
    gained = 0.1 * (worth.cure[0] - worth.stay[0]) + 0.05 * (worth.stay[0] - worth.default[0])
    for made in (once, twice):
        np.testing.assert_allclose(made.value + made.cost, gained, rtol=1e-9)
    np.testing.assert_allclose(twice.minutes, 2 * once.minutes)


def test_fewer_attempts_or_some_accounts_leave_no_part_of_an_effect_behind():
    effect = QueueEffect(*(np.array([0.2, 0.4]) + step for step in (0.0, 0.1, 0.2)), None, np.array([2.0, 3.0]))
    parts = {field.name: getattr(effect, field.name) for field in fields(QueueEffect)}
    parts["change"] = ProbabilityChange(np.array([0.01, 0.02]), np.array([-0.01, -0.02]))
    assert all(part is not None for part in parts.values()), "give the new part of an effect a value here"
    one = QueueEffect(**parts).take(np.array([1]))
    assert (one.change.cure, one.change.default) == (np.array([0.02]), np.array([-0.02]))
    fewer = at_attempts(QueueEffect(**parts), 3.0, np.array([1, 0], dtype=np.uint8))
    for name in parts.keys() - {"change"}:
        assert getattr(one, name) == parts[name][1:]
    for name in parts.keys() - {"rpc_rate", "change", "attempts"}:
        assert getattr(fewer, name) is parts[name], f"at_attempts forgets {name}"


def test_of_an_assumption_there_is_no_evidence():
    effects = PlannedEffects(evaluated()[1], factories.plan(factories.queue("q")))
    rows = np.arange(3)
    found = effects.total_error(WeightedCells(rows, rows * 0, np.full((3, 3), 1 / 3), np.ones(3), np.ones(3)))
    assert not found.known.any()
    assert found.standard_error == 0.0
    assert effects.folds == ()


def test_seconds_round_up_and_refuse_overflow():
    np.testing.assert_array_equal(whole_seconds(np.array([5.55, 0.0, 1.0001])), [333, 1, 61])
    with pytest.raises(Exception, match="18 hours"):
        whole_seconds(np.array([1e6]))


def test_stay_value_of_a_two_bucket_chain_by_hand():
    """One bucket that stays half the time and else performs, undiscounted, is worth the performing value."""
    value = stay_value(np.array([[0.5]]), np.array([[0.3, 0.2]]), np.array([1.0, 0.0]), 1.0)
    np.testing.assert_allclose(value, [0.6])


def test_disordered_payoffs_are_flagged():
    portfolio = factories.admitted(account_id=factories.text(["a"]), loss_given_default=np.array([0.0])).portfolio
    assert payoffs(portfolio, ValueParameters(stay_value=(0.1,) * 7)).out_of_order.all()
    assert not payoffs(factories.admitted(account_id=factories.text(["a"])).portfolio, ValueParameters()).out_of_order.any()


def test_horizon_never_passes_charge_off():
    portfolio = factories.admitted(account_id=factories.text(["a", "b"]), days_to_charge_off=np.array([10, 500])).portfolio
    worth = payoffs(portfolio, ValueParameters())
    assert worth.stay[0] > worth.stay[1]
