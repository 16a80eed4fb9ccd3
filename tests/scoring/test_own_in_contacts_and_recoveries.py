"""Own columns in models of contact and of recovery: learned, declared, kept with the model, and refused where they leak."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pytest

from collections_opt.application.models.pinned import Champion
from collections_opt.application.training.outcome import training_period
from collections_opt.application.training.own_columns import learned_own
from collections_opt.application.training.periods import RecordedPeriods
from collections_opt.application.training.recovery import recovery_rows
from collections_opt.core.accounts.own_features import indicator_names, own_indicators
from collections_opt.core.accounts.recovered_accounts import RecoveredAccounts
from collections_opt.core.errors import CollectionsError
from collections_opt.core.evaluation.contact_log import ContactLog
from collections_opt.core.models.lifecycle import ApprovalTerms, KindStanding, ModelStanding, ModelState
from collections_opt.core.value.effects import PlannedEffects
from collections_opt.core.value.outcomes import STAY
from collections_opt.scoring.contact.artifacts import contact_text, parse_contact
from collections_opt.scoring.contact.features import contact_feature_names
from collections_opt.scoring.contact.training import check_own_contacts, contact_rows, learn_contacts
from collections_opt.scoring.recovery.artifacts import (
    RECOVERIES,
    RECOVERY_ENGINE,
    RECOVERY_KIND,
    load_recovery,
    recovery_text,
    write_recovery,
)
from collections_opt.scoring.recovery.features import (
    RECOVERY_FEATURE_SET_VERSION,
    recovery_feature_names,
    recovery_signs,
)
from collections_opt.scoring.recovery.model import RecoveryModel
from collections_opt.scoring.recovery.rows import without_seen
from collections_opt.scoring.recovery.training import check_no_leaks, learn_hurdle
from collections_opt.scoring.versions.artifacts import Manifest
from tests.support.books.evidence_worlds import NOW, PLAN
from tests.support.books.own_worlds import planted

MONTHS = (5, 6, 7)


@pytest.fixture(scope="module")
def portfolios():
    return [training_period(planted(month), str(month)).portfolio for month in MONTHS]


@pytest.fixture(scope="module")
def own(portfolios):
    return learned_own(RecordedPeriods(tuple(map(str, MONTHS)), tuple(portfolios)))


def on_the_web(portfolio):
    table = portfolio.own
    return table.values["desk"] == table.vocabulary["desk"].index("web")


def without(portfolio):
    return replace(portfolio, own=None)


def test_numbers_come_as_they_are_and_categories_as_a_flag_per_text(portfolios, own):
    assert indicator_names(own) == ("own.bureau_score", "own.desk=branch", "own.desk=web")
    matrix = own_indicators(portfolios[0], own)
    score = portfolios[0].own.values["bureau_score"].astype(np.float32)
    np.testing.assert_array_equal(matrix[:, 0], score)
    known = ~np.isnan(matrix[:, 2])
    np.testing.assert_array_equal(matrix[known, 2], on_the_web(portfolios[0])[known])
    assert 0 < (~known).sum() < 20  # a text that was not learned is missing, no desk of its own
    assert np.isnan(own_indicators(without(portfolios[0]), own)).all()
    assert own_indicators(portfolios[0], ()).shape == (portfolios[0].account_count, 0)


def contacts(portfolio, seed, chance):
    """Return a log in which the first queue called everybody, reached by a chance each."""
    count = portfolio.account_count
    reached, nothing = np.random.default_rng(seed).random(count) < chance, np.full(count, np.nan)
    queue, called = np.zeros(count, dtype=np.int16), np.ones(count, dtype=bool)
    happened = (np.full(count, STAY), np.zeros(count, dtype=np.int64))
    ids = portfolio.column("account_id")
    return ContactLog((PLAN.queues[0].queue_id,), ids, queue, called, reached, nothing, nothing, *happened)


@pytest.fixture(scope="module")
def reached(portfolios, own):
    logs = [contacts(one, seed, np.where(on_the_web(one), 0.7, 0.2)) for seed, one in enumerate(portfolios)]
    return [contact_rows(one, log, PLAN, own) for one, log in zip(portfolios, logs, strict=True)], logs


def test_a_contact_model_learns_who_is_reached_from_them_and_keeps_them(portfolios, own, reached):
    rows, logs = reached
    assert rows[0].features.shape[1] == len(contact_feature_names(own))
    learned = replace(learn_contacts(rows, PLAN, "reach-1", 1).model, own=own)
    blind = learn_contacts([contact_rows(p, log, PLAN) for p, log in zip(portfolios, logs, strict=True)], PLAN, "reach-2", 1)
    assert "own" not in contact_text(blind.model)
    model = parse_contact(contact_text(learned))
    assert model == learned
    with pytest.raises(CollectionsError, match="other features"):
        parse_contact(contact_text(replace(learned, own=())))
    later, web = portfolios[-1], on_the_web(portfolios[-1])
    every = slice(0, later.account_count)
    chance = np.zeros((later.account_count, 3))
    rate = model.over(PlannedEffects)(later, PLAN).block(every, 0, chance).rpc_rate
    assert rate[web].mean() == pytest.approx(0.7, abs=0.08)
    assert rate[~web].mean() == pytest.approx(0.2, abs=0.08)
    known_less = model.over(PlannedEffects)(without(later), PLAN).block(every, 0, chance).rpc_rate
    assert abs(known_less[web].mean() - known_less[~web].mean()) < 0.1


def test_a_column_filled_in_after_the_contact_is_refused(portfolios, own):
    logs = [contacts(one, seed, np.where(on_the_web(one), 1.0, 0.0)) for seed, one in enumerate(portfolios)]
    rows = [contact_rows(one, log, PLAN, own) for one, log in zip(portfolios, logs, strict=True)]
    with pytest.raises(CollectionsError) as refused:
        check_own_contacts(rows, own)
    assert [one.field for one in refused.value.violations] == ["own.desk"]
    assert "tells by itself who was reached" in str(refused.value.violations[0])


def recovered(portfolio, number, own):
    """Return what came back of a third of the accounts: mostly of those who opened on the web."""
    rows = np.arange(number, portfolio.account_count, 3)
    rng, web = np.random.default_rng(number), on_the_web(portfolio)[rows]
    gave = rng.random(rows.size) < np.where(web, 0.8, 0.2)
    exposure = np.full(rows.size, 100_000)
    on = np.full(rows.size, np.datetime64(portfolio.as_of_date + timedelta(days=9), "D"))
    back = np.where(gave, rng.uniform(10_000, 80_000, rows.size), 0.0).astype(np.int64)
    came = RecoveredAccounts(portfolio.column("account_id")[rows], on, exposure, back, on + 700)
    return recovery_rows(portfolio, came, own=own)


def test_a_recovery_model_learns_from_them_and_serves_only_accounts_that_have_them(tmp_path, portfolios, own):
    rows = without_seen([recovered(portfolio, number, own) for number, portfolio in enumerate(portfolios)])
    assert recovery_signs(own)[-3:] == (0, 0, 0)
    check_no_leaks(rows[0], recovery_feature_names(own))
    model = RecoveryModel("back-1", learn_hurdle(rows[0], rows[1], recovery_signs(own), 1), own)
    later, web = portfolios[-1], on_the_web(portfolios[-1])
    losses = model.losses_of(later)
    assert losses[web].mean() < losses[~web].mean() - 0.15
    names, made = recovery_feature_names(own), (RECOVERY_FEATURE_SET_VERSION, "", NOW.isoformat(), RECOVERY_ENGINE)
    manifest = Manifest(RECOVERY_KIND, "back-1", made[0], names, made[1], {}, {}, {}, made[2], made[3], own_columns=own)
    write_recovery(tmp_path, manifest, model, "# A test\n")
    kept = load_recovery(tmp_path, "back-1")
    assert kept.model == model
    np.testing.assert_array_equal(kept.model.losses_of(later), losses)
    assert "own" not in recovery_text(replace(model, own=()))
    served = served_recovery(tmp_path, kept.digest)
    assert served.pin("", later).version == "recovery/back-1"
    lacking = served.pin("", without(later))
    assert (lacking.version, lacking.model) == ("", None)
    assert "own.bureau_score is not sent; own.desk is not sent" in lacking.problem


def served_recovery(root, digest):
    """Return what serves recoveries where one version is champion."""

    class Approved:
        def standing(self, kind):
            one = ModelStanding("back-1", digest, ModelState.APPROVED, terms=ApprovalTerms(NOW + timedelta(days=30)))
            return KindStanding(kind, {"back-1": one}, "back-1")

    return Champion(RECOVERIES, SimpleNamespace(model_events=Approved()), root, lambda: NOW)
