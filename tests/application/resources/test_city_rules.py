"""A city's cap by a file and an approval: it binds from its day on, and rankings keep the rules they were made with."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from collections_opt.application.evidence.findings import Strength
from collections_opt.application.evidence.replay import ReplayOutcome
from collections_opt.application.resources.rule_tables import SHIPPED_ID
from collections_opt.application.settings import bundled_rules
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.problem.assignment import UNASSIGNED, ignore_progress
from tests.support.books.city_rules import CITY, DAY, EVE, PLACE, approve, city_book, save_city
from tests.support.books.evidence_worlds import PLAN, opened, ranked, values
from tests.support.factories import CITY_CAP as CAP

SHIPPED, BOTH = [f"{SHIPPED_ID}/1"], [f"{SHIPPED_ID}/1", f"{CITY}/1"]


@pytest.fixture
def workspace(database_url, tmp_path):
    made = opened(tmp_path / "data", database_url)
    for name, day in (("eve", EVE), ("day", DAY)):
        made.books.import_portfolio(name, city_book(day))
    yield made
    made.close()


def over_cap(workspace, record):
    """Return how many accounts of the city are worked above its cap, found without the rules' code."""
    entries, portfolio = workspace.recorded.entries(record), workspace.recorded.portfolio(record.portfolio_id)
    attempts = np.array([queue.attempts for queue in PLAN.queues])[np.maximum(entries.queue, 0)]
    above = portfolio.column("attempts_last_7_days_count") + attempts > CAP.threshold
    return int(((entries.queue != UNASSIGNED) & above & (portfolio.column("state") == PLACE.encode())).sum())


def bound_by(record):
    return [f"{table['rule_table_id']}/{table['version']}" for table in record.record["rule_tables"]]


def test_a_new_citys_cap_binds_from_its_day_on_and_older_rankings_replay_under_their_own_rules(workspace, monkeypatch):
    tables = workspace.rule_tables
    before = ranked(workspace, "day", seed=1)
    saved = save_city(tables)
    assert over_cap(workspace, ranked(workspace, "day", seed=2)) > 0, "saved is not approved"
    approve(tables, saved)
    on_eve, on_day = ranked(workspace, "eve"), ranked(workspace, "day", seed=3)
    assert [bound_by(each) for each in (before, on_eve, on_day)] == [SHIPPED, SHIPPED, BOTH]
    assert over_cap(workspace, before) > 0
    assert over_cap(workspace, on_eve) > 0
    assert over_cap(workspace, on_day) == 0
    # The city's next version forbids everything; what was made before is still what it was.
    approve(tables, save_city(tables, etag=saved.etag, threshold=0))
    assert workspace.recorded.opened(before).rules == bundled_rules()
    assert {rule.threshold for rule in workspace.recorded.opened(on_day).rules.rules if rule.rule_id == CAP.rule_id} == {2}
    for record in (before, on_eve, on_day):
        assert workspace.evidence.replays.replay(record.ranking_id).outcome is ReplayOutcome.BIT_IDENTICAL
        verdict = workspace.evidence.verification.verify_ranking(record.ranking_id)
        assert verdict.reached is Strength.CERTIFICATE, verdict
        rules = next(check for check in verdict.checks if check.name == "rules")
        assert all(name in rules.sentence for name in bound_by(record))
    assert not workspace.evidence.verification.verify_log().broken
    # A record that named tables which do not say what was recorded would be noticed.
    monkeypatch.setattr(tables, "of", lambda _: bundled_rules())
    broken = workspace.evidence.verification.verify_ranking(on_day.ranking_id)
    assert [check.name for check in broken.broken] == ["rules"]


def test_scored_and_placed_accounts_are_bound_by_what_is_in_force_on_their_day(workspace):
    ranking = ranked(workspace, "day", seed=1)
    approve(workspace.rule_tables, save_city(workspace.rule_tables))
    book = city_book(DAY)
    city = (book.columns["state"] == PLACE)[np.argsort(book.columns["account_id"].astype("S"))]
    for day, forbidden in ((EVE, False), (DAY, True)):
        scored = workspace.scores.score(city_book(day), PLAN, values(), with_reasons=False).valued.eligibility
        reasons = {reason.rule_id for row in np.flatnonzero(city) if (reason := scored.reason(row, 0))}
        assert (CAP.rule_id in reasons) == forbidden
    placed = workspace.placer.place(ranking.ranking_id, book)
    calls = placed.valued.eligibility.blocked_by[:, 0] != 0
    assert calls[city].all()
    assert not (placed.placements.queue[city] == 0).any()
    assert (placed.recorded.queue[city] == 0).any(), "the ranking, of before the approval, had them called"
    # What the city does not concern keeps its decision.
    assert placed.unchanged[~city].all()
    np.testing.assert_array_equal(placed.placements.queue[~city], placed.recorded.queue[~city])


def test_the_tables_are_settled_when_a_ranking_is_asked_for(workspace, monkeypatch):
    begun = []
    monkeypatch.setattr(workspace.rankings._runs, "begin", lambda *args: begun.append(args))
    monkeypatch.setattr(type(workspace.rankings), "status", lambda *_: None)
    with pytest.raises(CollectionsError):
        ranked(workspace, "day")  # it was asked for, and nobody makes it
    approve(workspace.rule_tables, save_city(workspace.rule_tables))
    asked = []
    monkeypatch.setattr(workspace.rankings, "_make", lambda command, request, *_: asked.append((command, request)))
    requested = SimpleNamespace(command=begun[0][4], created_at="2026-11-24T06:00:00+00:00")
    workspace.rankings._make_requested(requested, ignore_progress)
    command, request = asked[0]
    assert [version.name for version in command.rule_tables] == SHIPPED
    assert request.rules == bundled_rules()
    # One that was owed before tables were kept names none: it is settled when it is made.
    asked_then = json.loads(requested.command)
    del asked_then["rule_tables"]
    workspace.rankings._make_requested(SimpleNamespace(**{**vars(requested), "command": json.dumps(asked_then)}), ignore_progress)
    assert [version.name for version in asked[1][0].rule_tables] == BOTH


def test_nothing_is_ranked_where_two_tables_hold_one_rule(workspace, monkeypatch):
    tables = workspace.rule_tables
    monkeypatch.setattr(tables, "_check_beside", lambda *_: None)  # as if both had been approved at the same moment
    approve(tables, save_city(tables, rule_id=bundled_rules().rules[0].rule_id))
    with pytest.raises(CollectionsError) as caught:
        ranked(workspace, "day")
    assert caught.value.reason is Reason.RESOURCE_STATE_CONFLICT
