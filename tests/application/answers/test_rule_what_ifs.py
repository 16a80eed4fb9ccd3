"""What if these rules were in force: the re-solve is what ranking under them would find, and adding rules never gains."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from collections_opt.application.answers.rule_what_ifs import TriedRules, evaluate_rules
from collections_opt.application.resources.rule_tables import SHIPPED_ID
from collections_opt.application.settings import bundled_rules
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.problem.assignment import UNASSIGNED
from collections_opt.core.rules.tables import Rule, RuleKind, RuleStatus, RuleTable
from tests.support.books.city_rules import CITY, EVE, PLACE, approve, city_book, city_table, save_city
from tests.support.books.evidence_worlds import PLAN, opened, ranked, values
from tests.support.factories import CITY_CAP as CAP
from tests.support.factories import EVER


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    made = opened(tmp_path_factory.mktemp("what-if"))
    made.books.import_portfolio("eve", city_book(EVE))
    yield made
    made.close()


@pytest.fixture(scope="module")
def ranking(workspace):
    return ranked(workspace, "eve")


@pytest.fixture
def tried(workspace, ranking):
    return TriedRules(workspace.rule_tables, workspace.baselines.of_ranking(ranking.ranking_id))


def evaluated(workspace, ranking, *tables):
    baseline = workspace.baselines.of_ranking(ranking.ranking_id)
    tried = TriedRules(workspace.rule_tables, baseline)
    for table_id, table in tables:
        tried.add(table_id, table)
    return evaluate_rules(baseline, tried.rules)


def test_the_what_if_is_what_ranking_under_the_rules_finds(tmp_path):
    """The table starts the day after: it is taken as in force all the same, as one of the day before is by ranking."""
    workspace = opened(tmp_path)
    workspace.books.import_portfolio("eve", city_book(EVE))
    before = ranked(workspace, "eve", seed=1)
    found = evaluated(workspace, before, (CITY, city_table()))
    approve(workspace.rule_tables, save_city(workspace.rule_tables, day=EVE))
    after = ranked(workspace, "eve", seed=2)
    assert found.compared.before.assignment.objective_minor == before.record["objective_minor"]
    assert found.compared.after.assignment.objective_minor == after.record["objective_minor"] < before.record["objective_minor"]
    assert found.compared.change_minor == after.record["objective_minor"] - before.record["objective_minor"]
    effect = next(effect for effect in found.effects if effect.reason.rule_id == CAP.rule_id)
    portfolio, entries = workspace.recorded.portfolio("eve"), workspace.recorded.entries(after)
    city = portfolio.column("state") == PLACE.encode()
    stricter = portfolio.column("bankruptcy")
    assert (effect.before, effect.after) == (0, int((city & ~stricter).sum()))
    queue = found.compared.after.assignment.queue
    attempts = np.array([queue.attempts for queue in PLAN.queues])[np.maximum(queue, 0)]
    above = portfolio.column("attempts_last_7_days_count") + attempts > CAP.threshold
    assert not ((queue != UNASSIGNED) & city & above).any()
    assert (entries.queue != UNASSIGNED).sum() == (queue != UNASSIGNED).sum()
    workspace.close()


def test_the_same_rules_again_change_nothing(workspace, ranking):
    found = evaluated(workspace, ranking, (SHIPPED_ID, bundled_rules()))
    assert found.compared.after.problem is found.compared.before.problem
    assert (found.compared.change_minor, found.effects, found.compared.moves.row.size) == (0, (), 0)
    assert found.barred_before == found.barred_after


def test_rules_that_are_added_never_gain_and_rules_that_are_taken_away_never_lose(workspace, ranking):
    told = {"source": "s", "description": "d", "status": RuleStatus.PROPOSED}
    ban = Rule("ban", 1, RuleKind.BUDGET, "calls_last_7_days_count", EVER, **told)
    tighter = evaluated(workspace, ranking, (CITY, city_table()))
    tightest = evaluated(workspace, ranking, (CITY, city_table()), ("ban", RuleTable("t", (ban,), strict_places=True)))
    without = replace(bundled_rules(), rules=tuple(r for r in bundled_rules().rules if r.rule_id != "bankruptcy"))
    looser = evaluated(workspace, ranking, (SHIPPED_ID, without))
    worth = [each.compared.after.assignment.objective_minor for each in (tightest, tighter, looser)]
    start = ranking.record["objective_minor"]
    assert 0 == worth[0] < worth[1] < start < worth[2]
    assert tightest.barred_after == workspace.recorded.portfolio("eve").account_count
    assert looser.barred_after < looser.barred_before
    for found in (tightest, tighter, looser):
        assert found.compared.change_minor <= found.compared.highest_change_minor
    gone = next(effect for effect in looser.effects if effect.reason.rule_id == "bankruptcy")
    assert (gone.before > 0, gone.after) == (True, 0)


def test_a_baseline_of_a_portfolio_starts_from_what_is_in_force(workspace):
    baseline = workspace.baselines.of_portfolio("eve", PLAN.plan_id, 1, values())
    assert [version.name for version in baseline.rule_tables] == [f"{SHIPPED_ID}/1"]
    tried = TriedRules(workspace.rule_tables, baseline)
    tried.add(CITY, city_table())
    assert evaluate_rules(baseline, tried.rules).compared.change_minor < 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"source": ""}, Reason.INVALID_ARGUMENT),
        ({"rule_id": bundled_rules().rules[0].rule_id}, Reason.RESOURCE_STATE_CONFLICT),
    ],
)
def test_tables_that_could_not_be_in_force_are_refused(tried, change, reason):
    with pytest.raises(CollectionsError) as caught:
        tried.add(CITY, city_table(**change))
    assert caught.value.reason is reason


def test_rules_of_before_0_3_0_are_not_mixed_with_others(workspace, ranking):
    baseline = workspace.baselines.of_ranking(ranking.ranking_id)
    rules = baseline.basis.rules
    old = replace(baseline, rule_tables=(), basis=baseline.basis.under(rules=replace(rules, strict_places=False)))
    with pytest.raises(CollectionsError, match=r"before 0\.3\.0"):
        TriedRules(workspace.rule_tables, old).add(CITY, city_table())
    assert TriedRules(workspace.rule_tables, replace(old, basis=baseline.basis)).rules == rules


def test_a_rule_that_ended_stays_ended(workspace, ranking):
    found = evaluated(workspace, ranking, (CITY, city_table(effective_to=date(2026, 12, 30))))
    assert found.effects == ()
