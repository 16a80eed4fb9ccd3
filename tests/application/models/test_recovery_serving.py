"""What a recovery model alone does to a ranking; what holds of every kind is in tests/contracts."""

import numpy as np

from collections_opt.core.accounts.admission import admit
from collections_opt.core.models.lifecycle import ModelKind
from collections_opt.core.value.losses import LossSource
from collections_opt.core.value.payoffs import LearnedValues, payoffs
from tests.support.books.evidence_worlds import PLAN, book, ranked, values
from tests.support.models.served import approve, recovery_model
from tests.support.models.served import write_recoveries as write


def test_a_record_counts_where_the_losses_come_from(workspace, models):
    write(models, recovery_model())
    count = workspace.recorded.portfolio("p1").account_count
    before = ranked(workspace, seed=1).record
    assert {name: before[f"recovery_{name}"] for name in ("version", "digest", "object", "problem")} == dict.fromkeys(
        ("version", "digest", "object", "problem"), ""
    )
    assert (before["losses_by_source"]["VALUE_PARAMETERS"], before["losses_by_source"]["RECOVERY_MODEL"]) == (count, 0)
    approve(workspace, models, "back-1", ModelKind.RECOVERY)
    after = ranked(workspace, seed=2).record
    assert after["losses_by_source"]["RECOVERY_MODEL"] == count
    assert before["queue_seconds"] != after["queue_seconds"] or before["prices"] != after["prices"]


def test_explanation_placement_and_what_if_are_those_of_the_ranking_whatever_serves_now(workspace, models):
    write(models, recovery_model())
    approve(workspace, models, "back-1", ModelKind.RECOVERY)
    made = ranked(workspace, seed=1)
    write(models, recovery_model("back-2", -1.0))
    approve(workspace, models, "back-2", ModelKind.RECOVERY)
    entries = workspace.recorded.entries(made)
    portfolio = workspace.recorded.portfolio("p1")
    losses = payoffs(portfolio, values(), LearnedValues(losses_of=recovery_model().losses_of))
    for row in np.flatnonzero(entries.queue == 0)[:3].tolist():
        shown = workspace.explanations.explain(made.ranking_id, entries.account_id[row].decode())
        assert shown.queues[0].increment_minor == entries.increment_minor[row]
        assert shown.loss.source is LossSource.RECOVERY_MODEL
        assert shown.loss.given_default == losses.loss_given_default[row]
    placed = workspace.placer.place(made.ranking_id, book(400, bad=0))
    held = np.searchsorted(placed.valued.portfolio.column("account_id"), entries.account_id)
    worked = entries.queue >= 0
    value = placed.valued.problem.value[held[worked], entries.queue[worked]]
    assert value.tolist() == entries.increment_minor[worked].tolist()
    baseline = workspace.baselines.of_ranking(made.ranking_id)
    assert baseline.answer.assignment.objective_minor == made.record["objective_minor"]
    fresh = workspace.baselines.of_portfolio("p1", PLAN.plan_id, 1, values())
    assert not np.array_equal(fresh.answer.problem.value, baseline.answer.problem.value)


def test_scores_take_the_accounts_own_loss_before_the_models(workspace, models):
    write(models, recovery_model())
    raw = book(10, bad=0)
    known = np.arange(10) < 4
    raw = type(raw)(
        raw.as_of_date,
        raw.time_zone,
        raw.currency_code,
        {**raw.columns, "loss_given_default": np.full(10, 0.2)},
        {"loss_given_default": known},
    )
    before = workspace.scores.score(raw, PLAN, values())
    approve(workspace, models, "back-1", ModelKind.RECOVERY)
    after = workspace.scores.score(raw, PLAN, values())
    assert (before.recovery.version, after.recovery.version) == ("", "recovery/back-1")
    own = after.valued.worth.loss_source == LossSource.ACCOUNT
    assert own.sum() == 4
    assert (after.valued.worth.loss_given_default[own] == 0.2).all()
    np.testing.assert_array_equal(before.valued.worth.default[own], after.valued.worth.default[own])
    assert (before.valued.worth.default[~own] != after.valued.worth.default[~own]).all()
    modelled = recovery_model().losses_of(admit(raw).portfolio)[~own]
    np.testing.assert_allclose(after.valued.worth.loss_given_default[~own], modelled, atol=1e-9)
