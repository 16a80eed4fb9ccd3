"""What-ifs and placements of rankings that keep constraints: the same rows, their prices, and the accounts drawn at random."""

from dataclasses import replace

import numpy as np
import pytest

from collections_opt.application.answers.capacity_curves import CurveDrawer
from collections_opt.application.answers.capacity_evaluation import evaluate_capacity
from collections_opt.application.workspace import open_workspace
from collections_opt.core.desk.capacity_changes import QueueChange, changed_plan
from collections_opt.core.problem.assignment import UNASSIGNED, ignore_progress
from collections_opt.core.problem.constraints import AccountLimit, LimitKind, RankingConstraints, Segment
from collections_opt.core.problem.queue_columns import FRESH, rearranged
from collections_opt.core.ranking.capacity_curve import ALL_QUEUES
from collections_opt.core.rules.eligibility import bucket_of
from collections_opt.datasets.credit_card import PORTFOLIO_MONTH, load_accounts, snapshot
from collections_opt.solvers import verify
from tests.support.books.bundled_portfolio import BUNDLED_PORTFOLIO_ID, MODELS, NOW, command_for, import_bundled
from tests.support.factories import some
from tests.support.solving.instances import realistic, with_side_rows


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    opened = open_workspace(tmp_path_factory.mktemp("constrained") / "data", MODELS, lambda: NOW)
    import_bundled(opened)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def plain(workspace):
    return workspace.rank(command_for(), ignore_progress)


@pytest.fixture(scope="module")
def constrained(workspace, plain):
    portfolio = workspace.recorded.portfolio(BUNDLED_PORTFOLIO_ID)
    worked = workspace.recorded.entries(plain).queue >= 0
    late = int((worked & (bucket_of(portfolio.column("days_past_due")) >= 3)).sum())
    limits = (
        AccountLimit("late floor", LimitKind.AT_LEAST, Segment(buckets=(3, 4, 5, 6)), account_count=late + 15),
        AccountLimit("calls cap", LimitKind.AT_MOST, queue_ids=("early-calls",), account_count=250),
    )
    constraints = RankingConstraints(limits, max_moved_count=400, exploration_share=0.05)
    return workspace.rank(command_for(constraints, previous_ranking_id=plain.ranking_id), ignore_progress)


def test_a_what_if_keeps_the_constraints_and_leaves_drawn_accounts_alone(workspace, constrained):
    baseline = workspace.baselines.of_ranking(constrained.ranking_id)
    assert baseline.answer.assignment.objective_minor == constrained.record["objective_minor"]
    assert baseline.answer.assignment.bound_minor == constrained.record["bound_minor"]
    assert not verify(baseline.answer.problem, baseline.answer.assignment).findings
    assert baseline.drawn.sum() == constrained.record["exploration"]["drawn_count"] > 0
    np.testing.assert_array_equal(baseline.reserved_seconds, constrained.record["exploration"]["used_seconds"])
    more = changed_plan(baseline.answer.plan, [QueueChange("late-calls", capacity_factor=1.2)])
    opened = replace(baseline.answer.plan.queues[2], queue_id="second-seniors")
    for plan in (more, changed_plan(more, [QueueChange("", opened=opened)])):
        found = evaluate_capacity(baseline, plan)
        queue, problem = found.after.assignment.queue, found.after.problem
        assert not verify(problem, found.after.assignment).findings
        assert (queue[baseline.drawn] == UNASSIGNED).all()
        assert not baseline.drawn[found.moves.row].any()
        assert (queue == 0).sum() + (baseline.drawn & (workspace.recorded.entries(constrained).queue == 0)).sum() <= 250
        assert found.change_minor <= found.highest_change_minor
        used = found.after.used_seconds() + np.append(baseline.reserved_seconds, 0)[: len(plan.queues)]
        assert (used <= plan.capacity_seconds).all()


def test_curves_of_a_constrained_ranking_keep_its_rows(workspace, constrained):
    drawer = CurveDrawer(workspace.baselines.of_ranking(constrained.ranking_id))
    points = drawer.curve(ALL_QUEUES, (0.9, 1.1)).points
    assert points[1].value_minor == constrained.record["objective_minor"]
    assert all(point.value_minor <= point.bound_minor for point in points)


def test_placements_pay_the_prices_of_the_rows(workspace, plain, constrained):
    raw = snapshot(load_accounts(), PORTFOLIO_MONTH).raw
    entries = workspace.recorded.entries(constrained)
    placed = workspace.placer.place(constrained.ranking_id, raw)
    assert placed.unchanged.all()
    np.testing.assert_array_equal(placed.placements.queue, entries.queue)
    np.testing.assert_array_equal(placed.position, entries.priority)
    names = np.array([f"NEW-{i}" for i in raw.columns["account_id"]], dtype=object)
    new = workspace.placer.place(constrained.ranking_id, some(raw, np.arange(names.size), account_id=names))
    by_price = new.placements.queue
    capped = (by_price == 0).sum()
    without = workspace.placer.place(plain.ranking_id, some(raw, np.arange(names.size), account_id=names)).placements.queue
    assert capped < (without == 0).sum()
    late = bucket_of(new.valued.portfolio.column("days_past_due")) >= 3
    assert (by_price[late] >= 0).sum() > (without[late] >= 0).sum()


def test_fresh_queues_are_counted_by_rows_that_count_every_queue_alike():
    problem = with_side_rows(realistic(50, 4, 1))
    fresh = np.full((50, 1), 7, dtype=np.int32), np.full((50, 1), 60, dtype=np.uint16)
    made = rearranged(problem, [3, FRESH, 0], *fresh, np.array([1, 2, 3]))
    assert made.value[:, 1].tolist() == [7] * 50
    np.testing.assert_array_equal(made.value[:, [0, 2]], problem.value[:, [3, 0]])
    np.testing.assert_array_equal(made.seconds[:, [0, 2]], problem.seconds[:, [3, 0]])
    np.testing.assert_array_equal(made.side.table[:, :, [0, 2]], problem.side.table[:, :, [3, 0]])
    every, some_queues = made.side.table[:4, :, 1], made.side.table[4:, :, 1]
    np.testing.assert_array_equal(every, problem.side.table[:4, :, 0])
    assert not some_queues.any()
