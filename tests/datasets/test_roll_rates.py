"""Roll rates are of accounts that stayed late, and what they give is a value model in order."""

import numpy as np

from collections_opt.core.evaluation.roll_rates import count_rates
from collections_opt.core.value.payoffs import ValueParameters, check_parameters
from collections_opt.datasets.roll_rates import late_transitions, measured_loss, measured_parameters
from collections_opt.datasets.simulated_lender import SimulatedLender


def test_measured_rates_sum_to_one_and_stay_values_fall_with_the_bucket():
    months = SimulatedLender(2, 60_000).history((0, 1))
    snapshots = [month.snapshot for month in months]
    rates = count_rates(late_transitions(snapshots))
    assert np.allclose(rates.stay.sum(axis=1) + rates.absorb.sum(axis=1), 1.0)
    stayers = sum(int((shot.raw.columns["status_history"][:, 1] > 0).sum()) for shot in snapshots)
    assert rates.account_count.sum() == stayers
    recovered = [month.recovery_minor for month in months]
    loss = measured_loss(snapshots, recovered)
    assert 0.6 < loss[""] < 0.95
    measured = measured_parameters(ValueParameters(), snapshots, recovered)
    check_parameters(measured)
    assert set(measured.products) == set(loss) - {""}
    for code, values in measured.products.items():
        assert list(values.stay_value) == sorted(values.stay_value, reverse=True)
        assert values.loss_given_default == loss[code]
