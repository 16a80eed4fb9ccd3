"""A year lived by the API, two months of it: nobody left alone is contacted, money adds up, and the page says so."""

from dataclasses import replace

import numpy as np
import pytest

from collections_opt.core.evaluation.contact_log import NO_QUEUE
from collections_opt.datasets.simulated_lender import LenderParameters, SimulatedLender
from harness.experiments.living import LivingLender
from harness.experiments.year import YearSize, live_year
from harness.experiments.year_page import year_figure, year_page


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    size = YearSize(book=6_000, months=2, leased=4, share=0.2)
    return size, list(live_year(tmp_path_factory.mktemp("year"), 5, size))


def test_two_months_are_lived_by_calls_alone(lived):
    _, months = lived
    for month in months:
        assert month.experiment_share == 0.0
        assert month.effects.startswith("plan/")
        assert month.held_out > 0
        assert 0 < month.worked < month.late
        assert month.told > month.worked
        assert month.money["oracle"] >= max(month.money.values())


def test_the_page_holds_what_was_lived(lived):
    size, months = lived
    assert f"{months[0].money['oracle'] / 100:,.0f}" in year_page([months], size)
    assert "<svg" in year_figure([months])


def test_a_lender_lived_by_its_own_desk_is_the_lender_that_it_was():
    lender = SimulatedLender(7, 3_000)
    for block, life in enumerate([lender.life(0)]):
        for month in range(3):
            known, seen = lender.blocks([month], block)[0], life.late()
            assert np.array_equal(seen.outcome, known.outcome)
            life.settle(seen.queue, seen.contacted)


def test_whoever_is_left_alone_is_contacted_by_nobody():
    living = LivingLender(SimulatedLender(7, 3_000, replace(LenderParameters(), randomised_share=0.0)))
    count = len(living.portfolio().columns["account_id"])
    came = living.settle(np.full(count, NO_QUEUE, dtype=np.int16), np.zeros(count, dtype=bool))
    assert not came.right_party.any()
    assert came.outcome.size == count
