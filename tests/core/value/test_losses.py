"""Loss given default: the account's own wins, then the recovery model's, then the value parameters'; the source is told."""

import numpy as np

from collections_opt.core.ranking.ordering import Ordering, raw_order_key
from collections_opt.core.value.losses import LossSource, account_losses
from collections_opt.core.value.payoffs import LearnedValues, ValueParameters, delta, payoffs
from tests.support import factories

PARAMETERS = ValueParameters(loss_given_default={"": 0.75, "LOAN": 0.6})


def accounts(own=True):
    lgd = {"loss_given_default": np.array([0.4, np.nan, np.nan])} if own else {}
    raw = factories.raw_portfolio(
        account_id=factories.text(["a", "b", "c"]), product=factories.text(["CREDIT_CARD", "CREDIT_CARD", "LOAN"]), **lgd
    )
    present = {"loss_given_default": np.array([True, False, False])} if own else {}
    return factories.admit(type(raw)(raw.as_of_date, raw.time_zone, raw.currency_code, raw.columns, present)).portfolio


def half(portfolio):
    return np.full(portfolio.account_count, 0.5)


def test_without_a_model_the_parameters_stand():
    values, source = account_losses(accounts(), np.array([0.75, 0.75, 0.6]))
    assert values.tolist() == [0.4, 0.75, 0.6]
    assert source.tolist() == [LossSource.ACCOUNT, LossSource.VALUE_PARAMETERS, LossSource.VALUE_PARAMETERS]


def test_a_model_stands_for_accounts_without_their_own_and_its_source_is_counted():
    worth = payoffs(accounts(), PARAMETERS, LearnedValues(losses_of=half))
    assert worth.loss_given_default.tolist() == [0.4, 0.5, 0.5]
    assert worth.losses_by_source() == {"ACCOUNT": 1, "RECOVERY_MODEL": 2, "VALUE_PARAMETERS": 0}


def test_default_is_worth_what_comes_back_and_a_cure_by_what_a_later_default_loses():
    portfolio = accounts(own=False)
    worth, planned = payoffs(portfolio, PARAMETERS, LearnedValues(losses_of=half)), payoffs(portfolio, PARAMETERS)
    discount = delta(float(PARAMETERS.default_days), PARAMETERS.discount_rate)
    np.testing.assert_allclose(worth.default, 0.5 * worth.exposure_at_default * discount)
    assert (worth.default > planned.default).all()
    assert (worth.cure > planned.cure).all()
    key = raw_order_key(Ordering.PD_LGD_EAD, portfolio, outcomes(portfolio), worth, 1)
    np.testing.assert_allclose(key, 0.3 * 0.5 * worth.exposure_at_default)


def outcomes(portfolio):
    probability = np.tile([0.3, 0.3, 0.4], (portfolio.account_count, 1))
    return factories.OutcomeProbabilities(probability, "m", "c")


def test_modelled_losses_lie_on_the_grid_and_inside_0_to_1():
    values, _ = account_losses(accounts(own=False), {"": 0.5}, lambda _: np.array([-0.2, 1.0 / 3.0, 1.7]))
    assert values.tolist() == [0.0, 0.333333333, 1.0]
