"""Effects learned by residuals: what they find, when the plan stands, and what they refuse to call proven."""

from dataclasses import replace

import numpy as np
import pytest

from collections_opt.core.accounts.features import FEATURE_NAMES
from collections_opt.core.accounts.protected import check_no_protected
from collections_opt.core.desk.queues import EvidenceGrade
from collections_opt.core.errors import CollectionsError
from collections_opt.core.evaluation.contact_log import ContactLog
from collections_opt.core.value.effects import PlannedEffects, WeightedCells
from collections_opt.core.value.valuation import contacted_probability
from collections_opt.scoring.effect.residual.basis import PRODUCT_PREFIX, AccountFacts, freeze_basis
from collections_opt.scoring.effect.residual.learning import learn_residuals
from collections_opt.scoring.effect.residual.model import planned_change
from collections_opt.scoring.effect.residual.money import money_scales
from collections_opt.scoring.effect.residual.nuisance import fit_nuisance, person_folds
from collections_opt.scoring.effect.residual.regression import chosen_penalty
from collections_opt.scoring.effect.residual.text import parse_residual, residual_text
from tests.support.models.planted import PLAN, QUEUES, accounts, persuadable, plant


@pytest.fixture(scope="module")
def portfolio():
    return accounts()


@pytest.fixture(scope="module")
def planted(portfolio):
    return plant(portfolio, persuadable, 1)


@pytest.fixture(scope="module")
def learned(planted):
    return learn_residuals(planted.contacts, PLAN, "r-1", 1)


def served(model, planted, queue):
    return model.effects_of(planted.portfolio, PLAN).block(slice(None), queue, planted.probability).change


def test_a_planted_effect_is_found_where_the_plan_has_it_wrong(planted, learned):
    errors, planned_errors, found, truths = [], [], [], []
    for queue in range(QUEUES):
        mine = planted.log.queue == queue
        change = served(learned.model, planted, queue).cure[mine]
        planned = learned_plan(planted, queue)[mine]
        errors.append(change - planted.truth[mine])
        planned_errors.append(planned - planted.truth[mine])
        found.append(change)
        truths.append(planted.truth[mine])
    assert np.mean(np.concatenate(errors) ** 2) < 0.4 * np.mean(np.concatenate(planned_errors) ** 2)
    assert np.corrcoef(np.concatenate(found), np.concatenate(truths))[0, 1] > 0.85
    cure = learned.model.outcomes[0]
    assert cure.penalty is not None
    assert cure.level.proven
    assert cure.level.encompassing_z > 3
    assert [q.evidence for q in learned.model.queues[:QUEUES]] == [EvidenceGrade.EXPERIMENT] * QUEUES
    assert learned.model.queues[-1].evidence is EvidenceGrade.ASSUMED
    for queue in learned.model.queues[:QUEUES]:
        assert queue.cure.low < queue.cure.value < queue.cure.high


def learned_plan(planted, queue):
    decayed = planted.portfolio.column("contacts_in_window_count").astype(np.float64)
    return planned_change(planted.probability, decayed, PLAN.queues[queue].effect)[:, 0]


def test_where_the_plan_is_right_it_stands_or_nearly_so(portfolio):
    untaught = 0
    for seed in range(3):
        planted = plant(portfolio, None, 10 + seed)
        model = learn_residuals(planted.contacts, PLAN, "r", seed).model
        untaught += all(outcome.penalty is None and outcome.drawn_penalty is None for outcome in model.outcomes)
        for queue in range(QUEUES):
            change = served(model, planted, queue)
            assert np.sqrt(np.mean((change.cure - learned_plan(planted, queue)) ** 2)) < 0.04
    assert untaught >= 1


def test_a_log_that_says_nothing_new_serves_the_plans_effects_to_the_bit(portfolio):
    planted = plant(portfolio, None, 10)
    learned = learn_residuals(planted.contacts, PLAN, "r", 0)
    refused = [replace(queue, evidence=EvidenceGrade.ASSUMED) for queue in learned.model.queues]
    effects = replace(learned.model, queues=tuple(refused)).effects_of(portfolio, PLAN)
    expected = PlannedEffects(portfolio, PLAN)
    for queue in range(len(PLAN.queues)):
        one, other = (e.block(slice(None), queue, planted.probability) for e in (effects, expected))
        assert one.change is None
        assert np.array_equal(one.theta_cure, other.theta_cure)
    cells = WeightedCells(np.arange(3), np.zeros(3, dtype=np.int64), planted.probability[:3], np.ones(3), np.ones(3))
    error = effects.total_error(cells)
    assert error.standard_error == 0.0
    assert not error.known.any()


def test_without_randomised_rows_the_plan_stands_and_says_why(planted):
    model = learn_residuals(planted.without_slice(), PLAN, "r", 1).model
    assert {queue.evidence for queue in model.queues} == {EvidenceGrade.ASSUMED}
    assert "randomised rows" in model.queues[0].reason
    assert model.warnings


def test_a_desk_that_works_those_about_to_pay_is_scaled_down_and_warned_of(portfolio):
    planted = plant(portfolio, lambda features, queue: 0.02 + 0.0 * queue, 3, hidden=2.0)
    model = learn_residuals(planted.contacts, PLAN, "r", 1).model
    cure = model.outcomes[0].level
    assert cure.unweighted < 0.4
    assert any("mislead" in warning for warning in model.warnings)
    change = np.concatenate([served(model, planted, queue).cure for queue in range(QUEUES)])
    assert change.mean() < 0.08
    if not cure.proven:
        assert {q.evidence for q in model.queues[:QUEUES]} == {EvidenceGrade.OBSERVATIONAL}
        assert "unproven" in model.queues[0].reason


def test_a_chosen_log_passed_off_as_randomised_is_refused(planted):
    contacts = planted.contacts
    log = contacts.log
    columns = {name: getattr(log, name) for name in log.columns}
    columns |= {"propensity": np.full(log.row_count, 0.5), "queue_propensity": np.full(log.row_count, 1 / QUEUES)}
    with pytest.raises(CollectionsError, match="cannot have made these contacts"):
        learn_residuals(replace(contacts, log=ContactLog(log.queue_ids, **columns)), PLAN, "r", 1)


def test_a_log_without_uncontacted_rows_is_refused(planted):
    contacts = planted.contacts
    with pytest.raises(CollectionsError, match="uncontacted rows"):
        learn_residuals(contacts.take(contacts.log.contacted), PLAN, "r", 1)


def test_served_changes_are_level_times_plan_and_contributions(planted, learned):
    effects, rows = learned.model.effects_of(planted.portfolio, PLAN), slice(100, 400)
    levels = [outcome.level.served[0] for outcome in learned.model.outcomes]
    p = planted.probability[rows]
    for queue in range(QUEUES):
        change = effects.block(rows, queue, p).change
        parts = effects.column_contributions(rows, queue, p).sum(axis=1)
        assert np.allclose(change.cure, levels[0] * learned_plan(planted, queue)[rows] + parts[:, 0])
        whole = effects.block(slice(None), queue, planted.probability).change
        assert np.allclose(whole.cure[rows], change.cure, rtol=1e-12)
    other = np.roll(p, 1, axis=1)  # a design built for other chances must not be served again
    fresh = learned.model.effects_of(planted.portfolio, PLAN).block(rows, 0, other).change
    assert np.array_equal(effects.block(rows, 0, other).change.cure, fresh.cure)


def test_the_error_of_a_total_counts_what_queues_share(planted, learned):
    effects = learned.model.effects_of(planted.portfolio, PLAN)
    count = 200
    rows = np.tile(np.arange(count), 2)
    queue = np.repeat([0, 1], count)
    cells = WeightedCells(rows, queue, planted.probability[rows], np.full(2 * count, 5.0), np.zeros(2 * count))
    halves = [
        effects.total_error(WeightedCells(rows[m], queue[m], cells.probability[m], cells.cure[m], cells.default[m]))
        for m in (queue == 0, queue == 1)
    ]
    together = effects.total_error(cells).standard_error
    apart = np.hypot(*(half.standard_error for half in halves))
    assert apart < together < halves[0].standard_error + halves[1].standard_error + 1e-9
    assert effects.total_error(cells).known.all()
    half = len(PLAN.queues) - 1
    nobody = WeightedCells(rows, np.full(2 * count, half), cells.probability, cells.cure, cells.default)
    assert not effects.total_error(nobody).known.any()


def test_folds_share_no_person_and_are_shrunk_alike(planted, learned):
    folds = learned.model.effects_of(planted.portfolio, PLAN).folds
    assert len(folds) == 3
    change = served(learned.model, planted, 0).cure
    for fold in folds:
        one, other = (e.block(slice(None), 0, planted.probability).change.cure for e in (fold.choosing, fold.summing))
        assert not np.allclose(one, other)
        assert np.corrcoef(one, change)[0, 1] > 0.9
    kept = learned.model.outcomes[0].kept
    assert 0.8 < kept < 1.0  # noise is there, and small
    other = replace(learned.model, outcomes=(replace(learned.model.outcomes[0], kept=0.5), learned.model.outcomes[1]))
    raised = other.effects_of(planted.portfolio, PLAN).folds[0]
    before = folds[0]
    for name, factor in (("choosing", 1.0), ("summing", kept / 0.5)):
        one, two = (getattr(fold, name).block(slice(None), 0, planted.probability).change.cure for fold in (before, raised))
        assert np.allclose(two, factor * one)


def test_nuisances_of_a_person_come_from_other_people(planted):
    contacts = planted.contacts
    before = fit_nuisance(contacts, 1)
    mine = contacts.person == contacts.person[0]
    columns = {name: getattr(contacts.log, name) for name in contacts.log.columns}
    columns["outcome"] = np.where(mine | (before.fold == before.fold[0]), (columns["outcome"] + 1) % 3, columns["outcome"])
    after = fit_nuisance(replace(contacts, log=ContactLog(contacts.log.queue_ids, **columns)), 1)
    own = before.fold == before.fold[0]
    assert np.array_equal(before.without[own], after.without[own])
    assert not np.array_equal(before.without[~own], after.without[~own])
    drawn = contacts.log.randomised
    assert np.array_equal(before.chance[drawn], contacts.log.propensity[drawn])
    person = np.array([b"a", b"b", b"a", b"c"])
    assert person_folds(person, 1)[0] == person_folds(person, 1)[2]


def test_the_basis_is_frozen_clipped_and_holds_nothing_protected(planted):
    facts = AccountFacts.of_log(planted.contacts)
    basis = freeze_basis(facts)
    check_no_protected(basis.names, "basis")
    assert 18 <= len([name for name in basis.names if not name.startswith(PRODUCT_PREFIX)]) <= 25
    design = basis.design(facts)
    assert np.isfinite(design).all()
    part = AccountFacts(*(getattr(facts, name)[:50] for name in facts.__dataclass_fields__))
    assert np.array_equal(basis.design(part), design[:50])
    assert (design[:, 0] == 1.0).all()
    later = replace(facts, features=facts.features + np.float32(30.0) * (np.array(FEATURE_NAMES) == "days_past_due"))
    turns = [name.startswith("cycle_") for name in basis.names]
    assert np.allclose(basis.design(later)[:, turns], design[:, turns], atol=1e-5)  # a cycle later is the same day of it
    one_product = replace(facts, product=np.full_like(facts.product, facts.product[0]))
    assert freeze_basis(one_product).products == ()


def test_the_largest_penalty_within_the_paired_error_is_taken():
    rng = np.random.default_rng(1)
    person = np.arange(2_000).astype("S8")
    base = rng.random(2_000)
    noise = rng.normal(size=2_000)
    alike = np.stack([base, base + 0.02 * noise, base + 0.02 * rng.normal(size=2_000)])
    alike[0] -= alike[0].mean() - alike.mean(axis=1).min() + 1e-5
    assert chosen_penalty(alike, person) == 2
    worse = np.stack([base, base + 0.1, base + 0.2])
    assert chosen_penalty(worse, person) == 0


def test_a_queue_that_harms_is_not_worked(portfolio):
    planted = plant(portfolio, lambda features, queue: np.where(queue == 1, -0.12, 0.10), 7, randomised_share=0.8)
    model = learn_residuals(planted.contacts, PLAN, "r", 1).model
    harmed, helped = (served(model, planted, queue).cure[planted.log.queue == queue] for queue in (1, 0))
    assert harmed.mean() < 0.0
    assert helped.mean() > 0.05


def test_a_queue_of_which_nothing_was_learned_has_the_plans_effect_at_the_weight_of_the_others(planted, learned):
    last = len(PLAN.queues) - 1
    assert learned.model.queue(PLAN.queues[last].queue_id) is None
    change = served(learned.model, planted, last)
    plain = PlannedEffects(planted.portfolio, PLAN).block(slice(None), last, planted.probability)
    moved = contacted_probability(planted.probability, plain) - planted.probability
    for outcome, made in enumerate((change.cure, change.default)):
        weight = learned.model.outcomes[outcome].level.served[0]
        assert weight != 1.0
        assert np.allclose(made, weight * moved[:, outcome])
    older = replace(learned.model, weighs_every_queue=False).effects_of(planted.portfolio, PLAN)
    assert older.block(slice(None), last, planted.probability).change is None


def test_a_model_that_was_made_before_money_was_measured_keeps_its_bytes(learned):
    older = replace(learned.model, money=None, weighs_every_queue=False)
    assert "money" not in residual_text(older)
    assert "weighs_every_queue" not in residual_text(older)
    for model in (older, learned.model):
        assert parse_residual(residual_text(model)) == model


def test_promised_money_is_held_against_what_drawn_people_did(learned):
    rows, made = learned.rows, learned.predictions
    found = learned.model.money
    cure = found.named["cure"]
    assert abs(cure.estimate - 1.0) < 3 * cure.standard_error
    assert 0.0 < cure.standard_error < 0.5
    doubled = money_scales(rows, replace(made, under=made.without + 2.0 * (made.under - made.without))).named["cure"]
    assert doubled.estimate == pytest.approx(0.5 * cure.estimate, abs=0.1)
    assert doubled.estimate < 1.0 - 2 * doubled.standard_error
    assert money_scales(rows, replace(made, under=made.without)) is None


def test_money_that_default_alone_promises_has_the_scale_of_default(planted, learned):
    effects = learned.model.effects_of(planted.portfolio, PLAN)
    rows = np.arange(50)
    chances, none, one = planted.probability[rows], np.zeros(50), np.ones(50)
    by = {
        "cure": WeightedCells(rows, rows * 0, chances, one, none),
        "default": WeightedCells(rows, rows * 0, chances, none, -one),
    }
    for outcome, cells in by.items():
        scale, named = effects.total_error(cells).scale, learned.model.money.named[outcome]
        assert (scale.estimate, scale.standard_error) == pytest.approx((named.estimate, named.standard_error))


def test_few_randomised_rows_teach_nothing_alone(portfolio):
    planted = plant(portfolio, persuadable, 8, randomised_share=0.15)
    outcomes = learn_residuals(planted.contacts, PLAN, "r", 1).model.outcomes
    assert [outcome.drawn_penalty for outcome in outcomes] == [None, None]
    assert [outcome.level.served[2] for outcome in outcomes] == [0.0, 0.0]
    assert outcomes[0].level.standard_error > 0.0  # they weigh what others teach
