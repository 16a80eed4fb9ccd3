"""Laws of every world, and planted faults of a world that they notice."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from collections_opt.core.accounts.admission import admit
from collections_opt.core.value.effects import PlannedEffects
from collections_opt.core.value.outcomes import CURE, DEFAULT, STAY, OutcomeProbabilities
from collections_opt.core.value.valuation import contacted_probability
from collections_opt.datasets.simulated_lender import SimulatedLender
from collections_opt.datasets.simulated_lender.truth import potential_outcomes
from collections_opt.datasets.simulated_lender.worlds import WORLDS, world
from collections_opt.datasets.simulated_lender.worlds.latent_types import RESISTS, SELF_CURER, LatentTypes

BOOK = 16_000
SURPRISING = 5.0
"""Standard errors; some hundred figures are looked at, none of which may be so far off by chance."""


@pytest.fixture(scope="module", params=list(WORLDS))
def lived(request):
    made = world(request.param)
    lender = made.lender(5, BOOK, 0.2)
    month = lender.month(made.deciding_month)
    return made, lender, month, potential_outcomes(lender, made.deciding_month, made.plan(500))


def numbers(month):
    """Every recorded column that holds numbers, histories month by month."""
    found = {}
    for name, column in month.snapshot.raw.columns.items():
        values = np.asarray(column)
        if values.dtype.kind not in "bif":
            continue
        present = month.snapshot.raw.present.get(name)
        held = np.where(present, values, 0) if present is not None else values
        for lag, one in enumerate(held.T if held.ndim == 2 else [held]):
            found[f"{name} {lag}"] = one.astype(float)
    return found


def surprise(column, residual):
    """How many standard errors the ranks of a column lie from saying nothing about a residual of mean zero."""
    ranks = np.argsort(np.argsort(column, kind="stable"), kind="stable").astype(float)
    # Equal values share their mean rank, or the order of accounts would speak.
    _, place, count = np.unique(column, return_inverse=True, return_counts=True)
    shared = (np.bincount(place, ranks) / count)[place]
    centred = shared - shared.mean()
    error = np.sqrt(((centred * residual) ** 2).sum())
    return abs((centred * residual).sum()) / error if error > 0 else 0.0


def most_told(month, truth):
    """The column that tells most of what happened over and above the truth's chances: it knew the outcome."""
    arm = np.where(month.log.contacted, month.log.queue + 1, 0)
    reached = month.log.right_party
    told = {}
    alone = ~month.log.contacted
    for outcome in (CURE, DEFAULT):
        residual = (month.log.outcome[alone] == outcome) - truth.alone[alone, outcome]
        for name, column in numbers(month).items():
            told[f"{name} of {outcome}"] = surprise(column[alone], residual)
    assert arm.size == reached.size
    return max(told.items(), key=lambda item: item[1])


def slice_surprise(month, truth):
    """How far the randomised slice is from what its recorded chances say, towards any latent chance of the truth."""
    drawn = month.log.randomised
    residual = month.log.contacted[drawn] - month.log.propensity[drawn]
    latent = [truth.alone[:, CURE], truth.alone[:, DEFAULT], truth.increment_minor[:, 2], truth.payoff[:, CURE]]
    return max(surprise(column[drawn], residual) for column in latent)


def test_chances_sum_to_one_and_money_is_in_order(lived):
    _, _, month, truth = lived
    assert month.account_count > 1_000
    for chance in (truth.alone[:, np.newaxis], truth.contacted):
        assert np.allclose(chance.sum(axis=2), 1.0)
        assert (chance > 0).all()
    assert ((truth.right_party_rate > 0) & (truth.right_party_rate < 1)).all()
    ordered = (truth.payoff[:, CURE] >= truth.payoff[:, STAY]) & (truth.payoff[:, STAY] >= truth.payoff[:, DEFAULT])
    assert ordered.mean() > 0.95


def test_the_same_seed_is_the_same_lender_however_it_is_cut_and_another_seed_another(lived):
    made, _, month, truth = lived
    again = made.lender(5, BOOK, 0.2)
    parts = [chunk[0] for chunk in again.chunks([made.deciding_month], 5_000)]
    assert np.array_equal(np.concatenate([part.log.outcome for part in parts]), month.log.outcome)
    for name in ("balance_minor", "months_on_book", "days_past_due"):
        joined = np.concatenate([part.snapshot.raw.columns[name] for part in parts])
        assert np.array_equal(joined, month.snapshot.raw.columns[name])
    assert np.array_equal(truth.account_id, month.log.account_id)
    other = made.lender(6, 4_000, 0.2).month(0)
    assert not np.array_equal(other.log.account_id, made.lender(5, 4_000, 0.2).month(0).log.account_id)


def test_every_account_passes_the_door(lived):
    _, _, month, _ = lived
    assert admit(month.snapshot.raw).quarantine.row_count == 0


def test_what_happened_is_a_potential_outcome_and_frequencies_follow_the_chances(lived):
    _, _, month, truth = lived
    arm = np.where(month.log.contacted, month.log.queue + 1, 0)
    assert np.array_equal(month.log.outcome, truth.outcome[np.arange(arm.size), arm])
    for index, chance in enumerate([truth.alone, *np.moveaxis(truth.contacted, 1, 0)]):
        for outcome in (CURE, DEFAULT, STAY):
            share, expected = (truth.outcome[:, index] == outcome).mean(), chance[:, outcome].mean()
            error = np.sqrt((chance[:, outcome] * (1 - chance[:, outcome])).sum()) / arm.size
            assert abs(share - expected) < SURPRISING * error


def test_no_column_knows_the_outcome_and_the_slice_is_randomised(lived):
    _, _, month, truth = lived
    name, told = most_told(month, truth)
    assert told < SURPRISING, name
    assert abs(month.log.randomised.mean() - 0.2) < 0.05
    assert slice_surprise(month, truth) < SURPRISING


def test_the_forms_are_what_they_say():
    made = world("products")
    lender = made.lender(3, 60_000)
    columns = lender.month(0).snapshot.raw.columns
    assert set(columns["product"]) == {"CREDIT_CARD", "PERSONAL_LOAN", "AUTO_LOAN", "MORTGAGE"}
    assert set(np.minimum(columns["days_past_due"] // 30, 6)) == set(range(7))
    amounts = np.sort(columns["balance_minor"][columns["product"] == "CREDIT_CARD"])
    assert amounts[-amounts.size // 100 :].sum() > 0.08 * amounts.sum()
    truth = potential_outcomes(lender, 0, made.plan(500))
    left = truth.payoff[:, DEFAULT] / columns["balance_minor"]
    by_product = {code: left[columns["product"] == code].mean() for code in set(columns["product"])}
    assert by_product["CREDIT_CARD"] < by_product["AUTO_LOAN"] < by_product["MORTGAGE"]


def test_where_contact_does_nothing_it_only_costs_and_where_the_plan_is_right_it_is_exactly_right():
    made = world("nothing")
    truth = potential_outcomes(made.lender(3, 8_000), 0, made.plan(500))
    assert np.allclose(truth.contacted, truth.alone[:, np.newaxis], rtol=1e-12)
    assert (truth.increment_minor < 0).all()
    made = world("assumed")
    lender, plan = made.lender(3, 8_000), made.plan(500)
    truth, month = potential_outcomes(lender, 0, plan), lender.month(0)
    portfolio = admit(month.snapshot.raw).portfolio
    rows = month.snapshot.rows_of(portfolio)
    effects = PlannedEffects(portfolio, plan)
    scored = OutcomeProbabilities(truth.alone[rows], "truth", "none")
    for queue in range(len(plan.queues)):
        effect = effects.block(slice(0, rows.size), queue, scored.probability)
        assert np.allclose(contacted_probability(scored.probability, effect), truth.contacted[rows, queue])


def test_resisters_are_harmed_by_repetition_and_a_desk_that_hears_news_misleads():
    made = world("types")
    lender = made.lender(3, 40_000)
    block = lender.blocks([3], 0)[0]
    change = (block.behaviour.reached - block.behaviour.alone[:, np.newaxis])[:, 0, CURE]
    often = block.state.contacted.sum(axis=0) == 2
    assert change[(block.accounts.kind == RESISTS) & often].mean() < -0.1
    assert abs(change[block.accounts.kind == SELF_CURER]).max() < 0.03
    made = world("confounded")
    month = made.lender(3, 60_000).month(0)
    truth = potential_outcomes(made.lender(3, 60_000), 0, made.plan(500))
    queue = np.maximum(month.log.queue, 0)
    true = (truth.contacted[np.arange(queue.size), queue] - truth.alone)[:, CURE]
    chosen = ~month.log.randomised & (month.log.queue >= 0)
    cured = month.log.outcome == CURE
    naive = cured[chosen & month.log.contacted].mean() - cured[chosen & ~month.log.contacted].mean()
    assert naive > 2 * true[chosen].mean() > 0


def test_effects_drift_between_training_and_deciding():
    made = world("drift")
    lender, plan = made.lender(3, 20_000), made.plan(500)
    before, after = (potential_outcomes(lender, month, plan) for month in (0, made.deciding_month))
    change = [(one.contacted - one.alone[:, np.newaxis])[:, :, CURE].mean(axis=0) for one in (before, after)]
    texts, senior = 3, 2
    assert change[1][texts] < 0.4 * change[0][texts]
    assert change[1][senior] > 0.9 * change[0][senior]


@dataclass(frozen=True)
class Leaking(LatentTypes):
    """Planted: the age of the account tells what the month's draws will make of it."""

    def record(self, columns, present, rng):
        made = dict(columns)
        made["months_on_book"] = 3 + (100 * LEAK["uniform"]).astype(np.int64)
        return made, present


LEAK = {}


def test_a_planted_leak_of_the_truth_is_noticed():
    made = world("types")
    lender = SimulatedLender(5, 8_000, made.parameters, Leaking())
    LEAK["uniform"] = lender.blocks([2], 0)[0].draws.uniform[5]
    month, truth = lender.month(2), potential_outcomes(lender, 2, made.plan(500))
    name, told = most_told(month, truth)
    assert told > SURPRISING
    assert name.startswith("months_on_book")


def test_a_planted_desk_that_ignores_the_slice_is_noticed():
    """The fault: the desk records the slice's chances and goes on to work whom it likes."""
    made = world("confounded")
    lender = made.lender(5, 30_000, 0.2)
    month, truth = lender.month(2), potential_outcomes(lender, 2, made.plan(500))
    assert slice_surprise(month, truth) < SURPRISING
    liked = truth.alone[:, CURE] > np.median(truth.alone[:, CURE])
    rng = np.random.default_rng(1)
    drawn = np.where(month.log.randomised, rng.random(liked.size) < np.where(liked, 0.65, 0.35), month.log.contacted)
    drawn &= month.log.queue >= 0
    planted = replace(month, log=replace(month.log, contacted=drawn, right_party=month.log.right_party & drawn))
    assert slice_surprise(planted, truth) > SURPRISING


def test_an_unknown_world_is_refused_by_name():
    with pytest.raises(ValueError, match="one of segments, types"):
        world("utopia")
