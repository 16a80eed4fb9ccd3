"""Constraints end to end without a network: kept, priced, recorded, reported when they cannot be met, warm from yesterday."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from collections_opt.application.evidence.findings import Strength
from collections_opt.application.evidence.replay import ReplayOutcome
from collections_opt.application.evidence.verification import certificate_checks
from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.application.settings import dump
from collections_opt.application.workspace import open_workspace
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.problem.assignment import PRICE_SCALE, ignore_progress
from collections_opt.core.problem.constraints import AccountLimit, LimitKind, RankingConstraints, Segment
from collections_opt.core.problem.exploration import PROPENSITY_SCALE
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.rules.eligibility import bucket_of
from tests.support.books.bundled_portfolio import BUNDLED_PORTFOLIO_ID, MODELS, NOW, command_for, import_bundled

MOST, LEAST = LimitKind.AT_MOST, LimitKind.AT_LEAST


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    opened = open_workspace(tmp_path_factory.mktemp("constrained") / "data", MODELS, lambda: NOW)
    import_bundled(opened)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def plain(workspace):
    return workspace.rank(command_for(), ignore_progress)


def test_limits_are_kept_priced_and_recorded(workspace, plain):
    portfolio = workspace.recorded.portfolio(BUNDLED_PORTFOLIO_ID)
    bucket = bucket_of(portfolio.column("days_past_due"))
    before = workspace.recorded.entries(plain).queue
    early, late = (int(((before >= 0) & part).sum()) for part in (bucket == 2, bucket >= 3))
    busiest = int(np.bincount(before[before >= 0]).argmax())
    queue_id = workspace.recorded.plan_of(plain).queues[busiest].queue_id
    cap = int((before == busiest).sum()) - 50
    constraints = RankingConstraints(
        (
            AccountLimit("early cap", MOST, Segment(buckets=(2,)), account_count=early - 100),
            AccountLimit("late floor", LEAST, Segment(buckets=(3, 4, 5, 6)), account_count=late + 5),
            AccountLimit("queue cap", MOST, queue_ids=(queue_id,), account_count=cap),
        )
    )
    made = workspace.rank(command_for(constraints), ignore_progress)
    chosen, held = workspace.recorded.entries(made).queue, made.record
    assert ((chosen >= 0) & (bucket == 2)).sum() <= early - 100
    assert ((chosen >= 0) & (bucket >= 3)).sum() >= late + 5
    assert (chosen == busiest).sum() <= cap
    assert held["proof"]["shortages"] == []
    assert held["side_names"] == ["early cap", "late floor", "queue cap"]
    assert max(held["proof"]["side_prices"]) > 0
    assert held["objective_minor"] < plain.record["objective_minor"]
    assert RankingFacts.from_record(held).inputs.constraints == constraints
    gap = (held["bound_minor"] - held["objective_minor"]) / held["bound_minor"]
    assert gap <= 1e-3


def test_a_floor_that_cannot_be_met_is_reported_with_its_shortage_and_price(workspace):
    portfolio = workspace.recorded.portfolio(BUNDLED_PORTFOLIO_ID)
    constraints = RankingConstraints((AccountLimit("everybody", LEAST, segment_share=1.0),))
    made = workspace.rank(command_for(constraints), ignore_progress)
    chosen = workspace.recorded.entries(made).queue
    (shortage,) = made.record["proof"]["shortages"]
    assert shortage["name"] == "everybody"
    assert shortage["missing"] == portfolio.account_count - int((chosen >= 0).sum()) > 0
    assert shortage["price_minor"] > 0


def test_a_cap_on_moves_holds_and_yesterdays_prices_lead_to_the_same_bound(workspace, plain):
    again = workspace.rank(command_for(previous_ranking_id=plain.ranking_id), ignore_progress)
    assert abs(again.record["bound_minor"] - plain.record["bound_minor"]) <= 1
    assert again.record["previous_ranking_id"] == plain.ranking_id
    constraints = RankingConstraints(max_moved_count=0)
    still = workspace.rank(command_for(constraints, previous_ranking_id=plain.ranking_id, seed=5), ignore_progress)
    assert (workspace.recorded.entries(still).queue == workspace.recorded.entries(plain).queue).all()


def test_exploration_leaves_propensities_and_is_kept_apart_from_the_objective(workspace, plain):
    made = workspace.rank(command_for(RankingConstraints(exploration_share=0.1)), ignore_progress)
    entries, held = workspace.recorded.entries(made), made.record
    drawn = entries.explored == 1
    assert drawn.sum() == held["exploration"]["drawn_count"] > 0
    assert (entries.propensity_nano[drawn] < PROPENSITY_SCALE).all()
    assert (entries.propensity_nano > 0).all()
    assert held["objective_minor"] == entries.increment_minor[(entries.queue >= 0) & ~drawn].sum()
    assert held["exploration"]["increment_minor"] == entries.increment_minor[drawn].sum()
    assert all(used <= given for used, given in zip(held["queue_seconds"], held["capacity_seconds"], strict=True))
    for row in np.flatnonzero(drawn)[:2]:
        why = workspace.explanations.explain(made.ranking_id, entries.account_id[row].decode())
        assert why.sentence.startswith("Worked in")
        assert "drawn" in why.sentence


def test_an_account_kept_out_by_a_cap_is_explained_with_the_caps_price(workspace):
    constraints = RankingConstraints((AccountLimit("few", MOST, account_count=20),))
    made = workspace.rank(command_for(constraints), ignore_progress)
    entries = workspace.recorded.entries(made)
    price = made.record["proof"]["side_prices"][0] / PRICE_SCALE
    assert (entries.queue >= 0).sum() == 20
    assert price > 0
    left_out = int(np.flatnonzero((entries.queue < 0) & (entries.increment_minor > 0))[0])
    why = workspace.explanations.explain(made.ranking_id, entries.account_id[left_out].decode())
    best = max((queue for queue in why.queues if queue.verdict != "BLOCKED"), key=lambda queue: queue.surplus_minor)
    assert best.surplus_minor == pytest.approx(float(entries.surplus_minor[left_out]), abs=1)
    assert best.surplus_minor <= best.increment_minor - price + 1


@pytest.mark.parametrize(
    ("constraints", "changes", "reason"),
    [
        (RankingConstraints(max_moved_count=3), {}, Reason.INVALID_ARGUMENT),
        (RankingConstraints(max_moved_count=3), {"ordering": Ordering.BALANCE}, Reason.INVALID_ARGUMENT),
        (RankingConstraints(), {"previous_ranking_id": "rk-nowhere"}, Reason.NOT_FOUND),
    ],
)
def test_constraints_that_cannot_be_kept_are_refused_before_anything_runs(workspace, constraints, changes, reason):
    with pytest.raises(CollectionsError) as caught:
        workspace.rankings.create(command_for(constraints, **changes))
    assert caught.value.reason is reason


EVERYTHING = RankingConstraints(
    (
        AccountLimit("few early", MOST, Segment(buckets=(2,)), account_count=800),
        AccountLimit("late floor", LEAST, Segment(buckets=(3, 4, 5, 6)), segment_share=0.4),
    ),
    max_moved_count=600,
    exploration_share=0.05,
)


@pytest.mark.parametrize("ordering", [Ordering.EXPECTED_VALUE, Ordering.P_CURE, Ordering.RANDOM])
def test_a_constrained_ranking_verifies_from_its_record_and_replays_to_the_bit(workspace, plain, ordering):
    made = workspace.rank(command_for(EVERYTHING, previous_ranking_id=plain.ranking_id, ordering=ordering), ignore_progress)
    verdict = workspace.evidence.verification.verify_ranking(made.ranking_id)
    assert verdict.reached is Strength.CERTIFICATE, [check.sentence for check in verdict.checks if not check.holds]
    assert workspace.evidence.replays.replay(made.ranking_id).outcome is ReplayOutcome.BIT_IDENTICAL


def test_a_raw_order_keeps_to_the_same_limits_and_is_compared_under_them_only(workspace, plain):
    portfolio = workspace.rankings.recorded.portfolio(BUNDLED_PORTFOLIO_ID)
    bucket = bucket_of(portfolio.column("days_past_due"))
    orders = (Ordering.EXPECTED_VALUE, Ordering.BALANCE, Ordering.P_CURE)
    made = [
        workspace.rank(command_for(EVERYTHING, previous_ranking_id=plain.ranking_id, ordering=ordering), ignore_progress)
        for ordering in orders
    ]
    before = workspace.rankings.recorded.entries(plain).queue
    drawn = [workspace.rankings.recorded.entries(ranking).explored for ranking in made]
    for ranking in made:
        queue = workspace.rankings.recorded.entries(ranking).queue
        assert ((queue >= 0) & (bucket == 2)).sum() <= 800
        assert (queue != before).sum() <= 600
        missing = {shortage["name"]: shortage["missing"] for shortage in ranking.record["proof"]["shortages"]}
        late = bucket >= 3
        assert (queue[late] >= 0).sum() + missing.get("late floor", 0) >= 0.4 * late.sum()
    assert (drawn[0] == drawn[1]).all()
    found = workspace.rankings.recorded.compare([ranking.ranking_id for ranking in made])
    assert found[0].incremental_minor > max(outcome.incremental_minor for outcome in found[1:])
    free = workspace.rank(command_for(ordering=Ordering.BALANCE), ignore_progress)
    with pytest.raises(CollectionsError, match="constraints"):
        workspace.rankings.recorded.compare([made[0].ranking_id, free.ranking_id])


def saying(workspace, made, **changes):
    """Return a ranking whose record says something else."""
    return workspace.recorded.opened(replace(made, record={**made.record, **changes}))


def test_a_raw_order_over_its_cap_is_found_by_the_certificate(workspace):
    """Planted: the record says a tighter cap than the list keeps to."""
    constraints = RankingConstraints((AccountLimit("few", MOST, account_count=20),))
    made = workspace.rank(command_for(constraints, ordering=Ordering.BALANCE), ignore_progress)
    assert all(check.holds for check in certificate_checks(workspace.recorded.opened(made)))
    tighter = saying(workspace, made, constraints=dump(RankingConstraints((AccountLimit("few", MOST, account_count=19),))))
    broken = [check.sentence for check in certificate_checks(tighter) if not check.holds]
    assert any("SIDE_ROW_BROKEN" in sentence for sentence in broken)


def test_a_drawn_account_that_was_not_drawn_is_found_by_the_certificate(workspace):
    """Planted: the record says another seed; who was drawn no longer follows from it."""
    made = workspace.rank(command_for(RankingConstraints(exploration_share=0.05)), ignore_progress)
    assert all(check.holds for check in certificate_checks(workspace.recorded.opened(made)))
    tampered = saying(workspace, made, seed=made.record["seed"] + 1)
    assert not all(check.holds for check in certificate_checks(tampered))
    limited = RankingConstraints((AccountLimit("cap", MOST, account_count=3),), exploration_share=0.05)
    side_broken = saying(workspace, made, constraints=dump(limited))
    assert not all(check.holds for check in certificate_checks(side_broken))
