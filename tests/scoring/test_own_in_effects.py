"""Own columns in effects learned by residuals: learned, served, told among reasons, kept, and refused where they leak."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from collections_opt.application.training.effect import check_own_effects
from collections_opt.application.training.outcome import training_period
from collections_opt.application.training.own_columns import learned_own
from collections_opt.application.training.periods import RecordedPeriods
from collections_opt.core.accounts.features import FEATURE_SET_VERSION
from collections_opt.core.accounts.own_features import indicator_names, lacked
from collections_opt.core.errors import CollectionsError
from collections_opt.core.evaluation.contact_log import ContactLog
from collections_opt.core.value.effects import WeightedCells
from collections_opt.core.value.outcomes import CURE, DEFAULT, STAY, OutcomeProbabilities
from collections_opt.scoring.effect.artifacts import EFFECT_KIND, effect_feature_names, engine_of, load_effect, write_effect
from collections_opt.scoring.effect.residual.learning import learn_residuals
from collections_opt.scoring.effect.rows import EffectPeriod, logged_contacts
from collections_opt.scoring.versions.artifacts import Manifest
from tests.support.books.evidence_worlds import NOW, PLAN
from tests.support.books.own_worlds import planted

MONTHS = (5, 6, 7)
HELPED = 0.35
"""What contact adds to the cures of accounts opened on the web, and of no others."""


def chances(count):
    made = np.empty((count, 3))
    made[:, CURE], made[:, DEFAULT], made[:, STAY] = 0.3, 0.2, 0.5
    return made


def on_the_web(portfolio):
    return portfolio.own.values["desk"] == portfolio.own.vocabulary["desk"].index("web")


def logged(portfolio, seed):
    """Return a period in which the first queue called a half, drawn at random."""
    rng, count = np.random.default_rng(seed), portfolio.account_count
    called = rng.random(count) < 0.5
    cure = 0.3 + HELPED * (called & on_the_web(portfolio))
    drawn = rng.random(count)
    outcome = np.select([drawn < cure, drawn > 0.8], [CURE, DEFAULT], STAY).astype(np.int64)
    half, one = np.full(count, 0.5), np.ones(count)
    ids, queue = portfolio.column("account_id"), np.zeros(count, dtype=np.int16)
    happened = (outcome, np.zeros(count, dtype=np.int64))
    log = ContactLog((PLAN.queues[0].queue_id,), ids, queue, called, called, half, one, *happened)
    return EffectPeriod(portfolio, OutcomeProbabilities(chances(count), "m", "c"), log)


@pytest.fixture(scope="module")
def periods():
    return [logged(training_period(planted(month), str(month)).portfolio, month) for month in MONTHS]


@pytest.fixture(scope="module")
def own(periods):
    return learned_own(RecordedPeriods(tuple(map(str, MONTHS)), tuple(period.portfolio for period in periods)))


@pytest.fixture(scope="module")
def model(periods, own):
    return learn_residuals(logged_contacts(periods, PLAN, own=own), PLAN, "own-1", 1).model


@pytest.fixture(scope="module")
def later():
    return training_period(planted(8), "8").portfolio


def change(model, portfolio):
    count = portfolio.account_count
    return model.effects_of(portfolio, PLAN).block(slice(0, count), 0, chances(count)).change.cure


def test_whom_contact_helps_is_learned_from_own_columns(periods, model, later):
    web = on_the_web(later)
    found = change(model, later)
    assert found[web].mean() - found[~web].mean() > 0.5 * HELPED
    blind = learn_residuals(logged_contacts(periods, PLAN), PLAN, "blind-1", 1).model
    told = change(blind, later)
    assert told[web].mean() - told[~web].mean() < 0.2 * HELPED


def test_their_part_is_told_and_their_error_counted(model, own, later):
    count, web = later.account_count, on_the_web(later)
    effects = model.effects_of(later, PLAN)
    parts = effects.contributions(slice(0, count), 0, chances(count))
    assert {"OWN_DESK", "OWN_BUREAU_SCORE"} <= set(parts)
    assert parts["OWN_DESK"].cure[web].mean() - parts["OWN_DESK"].cure[~web].mean() > 0.4 * HELPED
    rows = np.flatnonzero(web)
    weights = (np.ones(rows.size), np.zeros(rows.size))
    cells = WeightedCells(rows, np.zeros(rows.size, dtype=np.int64), chances(rows.size), *weights)
    assert 0.0 < effects.total_error(cells).standard_error < 0.1 * rows.size
    assert model.basis.names[-3:] == indicator_names(own)


def test_they_are_kept_with_the_model_and_a_portfolio_without_them_is_known_to_lack_them(tmp_path, model, own, later):
    names, made = effect_feature_names(own), (FEATURE_SET_VERSION, "", NOW.isoformat(), engine_of(model))
    manifest = Manifest(EFFECT_KIND, "own-1", made[0], names, made[1], {}, {}, {}, made[2], made[3], own_columns=own)
    write_effect(tmp_path, manifest, model, "# A test\n")
    kept = load_effect(tmp_path, "own-1")
    assert kept.model == model
    np.testing.assert_array_equal(change(kept.model, later), change(model, later))
    assert set(lacked(replace(later, own=None), kept.manifest.own_columns)) == {"own.bureau_score", "own.desk"}


def test_a_column_filled_in_after_the_outcome_is_refused(periods, own):
    found = check_own_effects(periods, own)
    assert max(found.values()) < 0.9
    leaking = []
    for period in periods:
        columns = {name: getattr(period.log, name) for name in period.log.columns}
        columns["outcome"] = np.where(on_the_web(period.portfolio), CURE, STAY)
        leaking.append(replace(period, log=ContactLog(period.log.queue_ids, **columns)))
    with pytest.raises(CollectionsError) as refused:
        check_own_effects(leaking, own)
    assert [one.field for one in refused.value.violations] == ["own.desk"]
