"""Contact probabilities: calibrated on a period that nothing saw, close to the truth, safe on disk, the plan's where unknown."""

from dataclasses import replace

import numpy as np
import pytest

from collections_opt.core.accounts.admission import admit
from collections_opt.core.errors import CollectionsError
from collections_opt.core.value.effects import PlannedEffects
from collections_opt.datasets.simulated_lender import SimulatedLender, desk_plan
from collections_opt.datasets.simulated_lender.truth import potential_outcomes
from collections_opt.scoring.contact.artifacts import (
    CONTACT_ENGINE,
    CONTACT_KIND,
    contact_text,
    load_contact,
    parse_contact,
    write_contact,
)
from collections_opt.scoring.contact.features import (
    CONTACT_FEATURE_NAMES,
    CONTACT_FEATURE_SET_VERSION,
    build_contact_features,
)
from collections_opt.scoring.contact.model import level_of, probability_of
from collections_opt.scoring.contact.training import LevelShift, contact_rows, learn_contacts, predicted
from collections_opt.scoring.versions.artifacts import Manifest

PLAN = desk_plan(500)
LENDER = SimulatedLender(31, 150_000)
MONTHS = (0, 1, 2, 3)


def even(count):
    return np.full((count, 3), 1 / 3)


@pytest.fixture(scope="module")
def months():
    return [(admit(month.snapshot.raw).portfolio, month.log) for month in LENDER.history(MONTHS)]


@pytest.fixture(scope="module")
def periods(months):
    return [contact_rows(portfolio, log, PLAN) for portfolio, log in months]


@pytest.fixture(scope="module")
def learned(periods):
    return learn_contacts(periods, PLAN, "reach-1", 1)


def test_it_is_calibrated_on_an_unseen_period_and_beats_the_plans_rates(learned):
    for channel, judged in learned.judged.items():
        assert judged.slope.low <= 1.0 <= judged.slope.high, channel
        assert judged.ece <= 0.01 + 2 * judged.ece_if_perfect, channel
        assert judged.log_loss < learned.planned[channel], channel
    assert learned.judged["CALL"].auc.value > 0.55


def test_a_calibrator_that_forgets_the_level_is_noticed(learned, periods):
    """Planted fault: probabilities of a period with half the reach."""
    faulty = [replace(part, reached=part.reached & (np.arange(part.reached.size) % 2 == 0)) for part in periods[:-1]]
    judged = learn_contacts([*faulty, periods[-1]], PLAN, "reach-1", 1).judged["CALL"]
    assert judged.ece > 0.1
    assert judged.intercept.low > 0.3


def test_a_desk_that_picks_reachable_people_does_not_set_the_level(periods):
    """Planted fault: of the people whom the desk chose, two in five of those who were not reached are."""
    rng = np.random.default_rng(6)
    picked = [
        replace(part, reached=part.reached | (~part.randomised & (rng.random(part.reached.size) < 0.4))) for part in periods
    ]
    learned = learn_contacts(picked, PLAN, "reach-1", 1)
    unmarked = [replace(part, randomised=np.zeros_like(part.randomised)) for part in picked]
    fooled = learn_contacts(unmarked, PLAN, "reach-1", 1)
    drawn = picked[-1].take(picked[-1].randomised & (picked[-1].queue == 0))
    rate = float(drawn.reached.mean())
    told, believed = (float(predicted(made.model.channel("CALL"), drawn, PLAN).mean()) for made in (learned, fooled))
    assert believed - rate > 0.08
    assert abs(told - rate) < 0.4 * (believed - rate)
    assert learned.levels["CALL"].log_odds < -0.2
    assert learned.levels["CALL"].count > 500
    assert fooled.levels["CALL"] == LevelShift(0.0, 0)
    few = [replace(part, randomised=part.randomised & (np.arange(part.reached.size) < 100)) for part in picked]
    assert learn_contacts(few, PLAN, "reach-1", 1).levels["CALL"].log_odds == 0.0


def test_rates_follow_the_true_rates(learned, months):
    portfolio = months[-1][0]
    truth = potential_outcomes(LENDER, MONTHS[-1], PLAN)
    place = np.searchsorted(truth.account_id[np.argsort(truth.account_id)], portfolio.column("account_id"))
    true_rate = truth.right_party_rate[np.argsort(truth.account_id)][place]
    effects = learned.model.over(PlannedEffects)(portfolio, PLAN)
    everyone, chances = slice(0, portfolio.account_count), even(portfolio.account_count)
    for index, queue in enumerate(PLAN.queues[:4]):
        made = effects.block(everyone, index, chances)
        planned = PlannedEffects(portfolio, PLAN).block(everyone, index, chances)
        served = np.isin(portfolio.column("days_past_due") // 30, queue.buckets) if queue.buckets else slice(None)
        error = np.abs(made.rpc_rate - true_rate[:, index])[served].mean()
        assert error < 0.95 * np.abs(planned.rpc_rate - true_rate[:, index])[served].mean(), queue.queue_id
        np.testing.assert_array_equal(made.theta_cure, planned.theta_cure)


def test_an_account_alone_has_the_rate_it_has_among_others(learned, months):
    portfolio = months[0][0]
    whole = learned.model.over(PlannedEffects)(portfolio, PLAN).block(slice(0, 500), 0, even(500)).rpc_rate
    for row in (0, 7, 499):
        one = (
            learned.model.over(PlannedEffects)(portfolio.take(slice(row, row + 1)), PLAN).block(slice(0, 1), 0, even(1)).rpc_rate
        )
        assert one[0] == whole[row]


def test_a_queue_that_was_not_learned_keeps_the_level_of_its_plan_and_a_channel_its_rate(learned, months, periods):
    portfolio = months[2][0]
    effect = replace(PLAN.queues[0].effect, right_party_contact_rate=0.2)
    new = (
        replace(PLAN.queues[0], queue_id="new-calls", effect=effect),
        replace(PLAN.queues[0], queue_id="letters", channel="LETTER", effect=effect),
    )
    effects = learned.model.over(PlannedEffects)(portfolio, replace(PLAN, queues=new))
    calls = effects.block(slice(0, portfolio.account_count), 0, even(portfolio.account_count)).rpc_rate
    contacted = periods[2].features[np.array([PLAN.queues[i].channel == "CALL" for i in periods[2].queue])]
    channel = learned.model.channel("CALL")
    level = channel.level("new-calls", 0.2)
    assert probability_of(level + channel.score(contacted)).mean() == pytest.approx(0.2, abs=0.005)
    assert calls.std() > 0.01
    assert (effects.block(slice(0, 10), 1, even(10)).rpc_rate == 0.2).all()
    assert effects.version.startswith("contact/reach-1 over plan/")


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.4, 0.99, 1.0])
def test_a_level_holds_a_rate(rate):
    scores = np.linspace(-2.0, 3.0, 101)
    assert probability_of(level_of(rate, scores) + scores).mean() == pytest.approx(rate, abs=1e-9)


def test_it_needs_three_periods_and_enough_contacts(periods):
    with pytest.raises(CollectionsError, match="fit, to calibrate and to judge"):
        learn_contacts(periods[:2], PLAN, "reach-1", 1)
    few = [part.take(np.arange(part.reached.size) < 60) for part in periods]
    with pytest.raises(CollectionsError, match="no channel can be learned"):
        learn_contacts(few, PLAN, "reach-1", 1)


def test_scores_that_do_not_hold_in_the_later_period_are_dropped_and_levels_kept(periods):
    """Who was reached in the calibration period is drawn anew, whoever the account is."""
    drawn = replace(periods[-2], reached=np.random.default_rng(5).random(periods[-2].reached.size) < 0.3)
    learned = learn_contacts([*periods[:-2], drawn, periods[-1]], PLAN, "reach-1", 1)
    channel = learned.model.channel("CALL")
    rates = probability_of(channel.level("early-calls", 0.5) + channel.score(periods[-1].features))
    assert rates.std() < 0.01
    assert rates.mean() == pytest.approx(0.3, abs=0.06)


def test_a_channel_without_contacts_is_left_out_with_its_reason(periods):
    is_call = np.array([queue.channel == "CALL" for queue in PLAN.queues])
    learned = learn_contacts([part.take(is_call[part.queue]) for part in periods], PLAN, "reach-1", 1)
    assert [channel.channel for channel in learned.model.channels] == ["CALL"]
    assert "TEXT" in learned.left_out


def test_rows_in_are_contacts_and_dropped_rows(months, periods):
    for (portfolio, log), part in zip(months, periods, strict=True):
        assert part.reached.size + part.dropped_count == log.row_count
        assert part.features.shape == (part.reached.size, len(CONTACT_FEATURE_NAMES))
        assert build_contact_features(portfolio).shape[0] == portfolio.account_count


def write(root, model):
    made = (CONTACT_FEATURE_SET_VERSION, CONTACT_FEATURE_NAMES, "", {}, {}, {}, "2026-11-24T00:00:00+00:00", CONTACT_ENGINE)
    return write_contact(root, Manifest(CONTACT_KIND, model.version, *made), model, "# A test\n")


def test_an_artifact_returns_the_model_and_refuses_changes(tmp_path, learned):
    folder = write(tmp_path, learned.model)
    write(tmp_path, learned.model)
    assert load_contact(tmp_path, "reach-1").model == learned.model
    assert parse_contact(contact_text(learned.model)) == learned.model
    first = replace(learned.model.channels[0], calibration_slope=2.0)
    with pytest.raises(CollectionsError, match="other bytes"):
        write(tmp_path, replace(learned.model, channels=(first,)))
    with pytest.raises(CollectionsError, match="unknown"):
        load_contact(tmp_path, "reach-2")
    path = folder / "contact.json"
    path.write_text(path.read_text().replace("CALL", "TEXT"))
    with pytest.raises(CollectionsError, match=r"contact\.json.*differs"):
        load_contact(tmp_path, "reach-1")


def test_what_is_no_contact_model_is_refused(learned):
    with pytest.raises(CollectionsError, match="not a contact model"):
        parse_contact("{}")
    broken = replace(learned.model.channels[0], coefficients=(0.0,))
    with pytest.raises(CollectionsError, match="other features"):
        parse_contact(contact_text(replace(learned.model, channels=(broken,))))
