"""Rankings made where an engine keeps the accounts are the rankings made in one process, byte for byte."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import numpy as np
import pytest

from collections_opt.application.rankings.on_engine import RankedBy, rank_on_engine, why_not_on_an_engine
from collections_opt.application.settings import bundled_parameters, bundled_plan, bundled_rules
from collections_opt.application.workspace import open_workspace
from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.experiments.recorded import RunningExperiments
from collections_opt.core.problem.assignment import ignore_progress
from collections_opt.core.problem.constraints import AccountLimit, LimitKind, RankingConstraints, Segment
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.pipeline import RankingRequest, rank
from collections_opt.core.value.payoffs import NOTHING_LEARNED
from collections_opt.datasets.credit_card import PORTFOLIO_MONTH, load_accounts, snapshot
from collections_opt.solvers import FindingKind, solve_default, verify
from tests.support.books.bundled_portfolio import MODELS, NOW, command_for, import_bundled
from tests.support.engines.far import FarEngine
from tests.support.engines.spark import spark_session
from tests.support.experiments.trials import design
from tests.support.factories import outcomes

ACCOUNTS = 100_000


def scored(portfolio):
    """Score each account by what it owes and since when; no row depends on another."""
    balance = portfolio.column("balance_minor").astype(np.float64)
    late = portfolio.column("days_past_due").astype(np.float64)
    default = 0.02 + 0.9 * late / (late + 90)
    cure = (1 - default) * (0.2 + 0.7 / (1 + balance / 3e6))
    return outcomes(np.column_stack([cure, default, 1 - cure - default]))


def book(count):
    """Return the bundled accounts again and again, each time with other ids and somewhat other balances."""
    base = admit(snapshot(load_accounts(), PORTFOLIO_MONTH).raw).portfolio
    rows = np.arange(count) % base.account_count
    columns = {name: column[rows] for name, column in base.columns.items()}
    columns["account_id"] = np.array([b"b%08d" % i for i in range(count)], dtype="S9")
    columns["balance_minor"] = columns["balance_minor"] + np.arange(count) * 7 % 9_973
    present = {name: mask[rows] for name, mask in base.present.items()}
    if "customer_id" in columns:
        columns["customer_id"] = np.zeros(count, dtype="S1")
    return Portfolio(base.as_of_date, base.time_zone, base.currency_code, columns, present)


LIMITS = RankingConstraints(
    limits=(
        AccountLimit("at least 40 late", LimitKind.AT_LEAST, Segment(buckets=(2, 3, 4, 5, 6)), account_count=40),
        AccountLimit("at most 30 early", LimitKind.AT_MOST, Segment(buckets=(0,)), account_count=30),
    )
)


def request_for(count, constraints=None):
    plan = bundled_plan()
    queues = tuple(replace(queue, agents=queue.agents * max(1, count / 4_209)) for queue in plan.queues)
    return RankingRequest(
        replace(plan, queues=queues), bundled_rules(), bundled_parameters(), constraints=constraints or RankingConstraints()
    )


def on(engine, portfolio, request):
    return rank_on_engine(portfolio, request, RankedBy(scored, NOTHING_LEARNED), engine, "default", ignore_progress)


def assert_same(one, other):
    assert one.entries.digest == other.entries.digest
    assert one.stated == other.stated
    assert one.evidence == other.evidence
    assert one.effects_version == other.effects_version
    for name, value in vars(one.assignment).items():
        assert np.array_equal(value, getattr(other.assignment, name)), name
    for name, value in vars(one.worth).items():
        assert np.array_equal(value, getattr(other.worth, name)), name
    assert np.array_equal(one.outcomes.probability, other.outcomes.probability)
    assert one.outcomes.model_version == other.outcomes.model_version
    assert np.array_equal(one.eligibility.blocked_by, other.eligibility.blocked_by)


@pytest.mark.parametrize("constraints", [None, LIMITS])
@pytest.mark.parametrize("count", [1, 150, 4_000, 15_000])
def test_a_ranking_made_in_passes_is_the_ranking_made_at_once(count, constraints):
    portfolio, request = book(count), request_for(count, constraints)
    here = rank(portfolio, request, scored, solve_default)
    there, findings = on(FarEngine(), portfolio, request)
    assert findings == () == verify(here.problem, here.assignment).findings
    assert_same(here, there)


@pytest.fixture(scope="module")
def large():
    portfolio, request = book(ACCOUNTS), request_for(ACCOUNTS)
    return portfolio, request, rank(portfolio, request, scored, solve_default)


def spark_engine(folder, parts):
    from collections_opt.engines.on_spark import SparkEngine  # noqa: PLC0415 - not everybody has Spark

    return SparkEngine(spark_session(), str(folder), part_rows=-(-ACCOUNTS // parts))


@pytest.mark.parametrize("parts", [1, 3, 8])
def test_a_ranking_on_spark_is_the_same_bytes_for_any_number_of_parts(large, tmp_path, parts):
    portfolio, request, here = large
    there, findings = on(spark_engine(tmp_path, parts), portfolio, request)
    assert findings == ()
    assert (here.assignment.prices > 0).any()
    assert_same(here, there)
    assert list(tmp_path.iterdir()) == []


def test_a_worker_killed_while_it_scores_changes_nothing(large, tmp_path):
    portfolio, request, here = large
    died = tmp_path / "died"

    def dying(part):
        if part.column("account_id")[0] != portfolio.column("account_id")[0] and not died.exists():
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return scored(part)

    by = RankedBy(dying, NOTHING_LEARNED)
    there, findings = rank_on_engine(portfolio, request, by, spark_engine(tmp_path / "parts", 3), "default", ignore_progress)
    assert findings == ()
    assert died.exists()
    assert_same(here, there)


def test_a_planted_wrong_answer_is_found_by_the_verifier_over_parts(monkeypatch):
    from collections_opt.application.rankings import on_engine  # noqa: PLC0415

    honest = on_engine.solve_spread
    planted = {
        FindingKind.WRONG_OBJECTIVE: lambda found: replace(found, objective_minor=found.objective_minor + 1),
        FindingKind.BOUND_TOO_LOW: lambda found: replace(
            found, queue=np.full_like(found.queue, -1), objective_minor=0, bound_minor=0, bound_by_search=False
        ),
        FindingKind.OVER_CAPACITY: lambda found: replace(found, queue=np.zeros_like(found.queue)),
    }
    portfolio, request = book(15_000), request_for(15_000)
    for kind, wrong in planted.items():

        def lying(*given, wrong=wrong):
            found = honest(*given)
            return replace(found, assignment=wrong(found.assignment))

        monkeypatch.setattr(on_engine, "solve_spread", lying)
        _, findings = on(FarEngine(), portfolio, request)
        assert kind in {finding.kind for finding in findings}


def test_what_binds_accounts_together_is_ranked_in_one_process():
    portfolio, request, engine = book(100), request_for(100), FarEngine()
    assert why_not_on_an_engine(portfolio, request, "default", engine) == ""
    twice = replace(portfolio, columns={**portfolio.columns, "customer_id": np.full(100, b"c1")})
    assert "several accounts" in why_not_on_an_engine(twice, request, "default", engine)
    assert "solver" in why_not_on_an_engine(portfolio, request, "greedy", engine)
    assert "sorted" in why_not_on_an_engine(portfolio, replace(request, ordering=Ordering.BALANCE), "default", engine)
    reserve = replace(request, constraints=RankingConstraints(exploration_share=0.1))
    assert "reserve" in why_not_on_an_engine(portfolio, reserve, "default", engine)
    drawing = replace(request, experiments=RunningExperiments("p", (design(),)))
    assert "experiments" in why_not_on_an_engine(portfolio, drawing, "default", engine)
    engine.least_accounts = 101
    assert "fewer than 101" in why_not_on_an_engine(portfolio, request, "default", engine)
    assert "fewer" in why_not_on_an_engine(book(0), request, "default", FarEngine())


def test_a_recorded_ranking_does_not_show_where_it_was_made(tmp_path):
    records = []
    for name in ("here", "there"):
        keys = np.random.default_rng(1)
        opened = open_workspace(tmp_path / name, MODELS, lambda: NOW, random_bytes=keys.bytes)
        engine = opened.rankings.engine = FarEngine() if name == "there" else None
        import_bundled(opened)
        made = opened.rank(command_for(request_id="5f0c7c4e-58a3-4a47-9f0a-6a3cf3a0b001"), ignore_progress)
        assert engine is None or engine.used == 1
        records.append(made.record_digest)
        opened.close()
    assert records[0] == records[1]
