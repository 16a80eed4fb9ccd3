"""Rankings, scores and what-ifs take the values in force for their portfolio, and every record keeps whose they were."""

import uuid
from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from collections_opt.application.evidence.findings import Strength
from collections_opt.application.evidence.replay import ReplayOutcome
from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.application.resources import value_sets
from collections_opt.application.resources.approved import ApprovalCommand, SavedContent
from collections_opt.application.resources.value_sets import SHIPPED_ID
from collections_opt.application.settings import dump, load
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.problem.assignment import ignore_progress
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.value.payoffs import ValueParameters
from tests.support.books.evidence_worlds import PLAN, book, opened
from tests.support.books.value_set_books import ANN, BEN, JANUARY, values

TODAY, NEXT_MONTH = date(2026, 11, 23), date(2026, 12, 1)
CARDS, LOANS = {"CREDIT_CARD": "cards/1"}, {"LOAN": "loans/1"}


@pytest.fixture
def workspace(database_url, tmp_path):
    made = opened(tmp_path / "data", database_url)
    made.books.import_portfolio("p1", book(40))
    yield made
    made.close()


def in_force(workspace, content, name, day=JANUARY, etag=None):
    sets = workspace.values.resources
    saved = sets.save(SavedContent(name, day, content, etag), ANN).version
    return sets.approve(ApprovalCommand(name, saved.version), BEN).version


def command(parameters=None, **changes):
    return RankingCommand(str(uuid.uuid4()), "p1", PLAN.plan_id, 1, Ordering.EXPECTED_VALUE, parameters, "greedy", **changes)


def ranked(workspace, asked=None):
    return workspace.rank(asked or command(), ignore_progress)


def named(record):
    return {choice.product: choice.name for choice in RankingFacts.from_record(record.record).sources.value_choices}


def losses(record):
    held = load(record.record["parameters"], ValueParameters)
    return {name: one.loss_given_default for name, one in held.products.items()}


def checked(workspace, record):
    return workspace.evidence.verification.verify_ranking(record.ranking_id)


def test_a_ranking_takes_each_products_set_keeps_it_and_says_whose_it_is(workspace):
    with pytest.raises(CollectionsError) as missing:
        ranked(workspace)
    assert missing.value.reason is Reason.VALUES_MISSING
    assert "LOAN (" in missing.value.message
    first = in_force(workspace, values("CREDIT_CARD", loss=0.83), "cards")
    in_force(workspace, values("LOAN", loss=0.86), "loans")
    asked = command()
    before = ranked(workspace, asked)
    assert named(before) == {**CARDS, **LOANS}
    assert losses(before) == {"CREDIT_CARD": 0.83, "LOAN": 0.86}
    assert before.record["values_from"] == "IN_FORCE"
    in_force(workspace, values("CREDIT_CARD", loss=0.89), "cards", NEXT_MONTH, first.etag)
    assert named(ranked(workspace)) == {**CARDS, **LOANS}, "the next version is for next month"
    in_force(workspace, values("LOAN", loss=0.9, portfolios=("p1",)), "own-loans")
    after = ranked(workspace)
    assert named(after) == {**CARDS, "LOAN": "own-loans/1"}
    with pytest.raises(CollectionsError, match="parameters"):
        workspace.recorded.compare([before.ranking_id, after.ranking_id])
    assert ranked(workspace, asked) == before, "sent again, it is the ranking that was made"
    for record in (before, after):
        verdict = checked(workspace, record)
        assert verdict.reached is Strength.CERTIFICATE, verdict
        told = next(check.sentence for check in verdict.checks if check.name == "value sets")
        assert all(name in told for name in named(record).values())
        assert workspace.evidence.replays.replay(record.ranking_id).outcome is ReplayOutcome.BIT_IDENTICAL
    portfolio = workspace.recorded.portfolio("p1")
    for product, name in named(after).items():
        account = portfolio.column("account_id")[np.flatnonzero(portfolio.column("product") == product.encode())[0]].decode()
        assert workspace.explanations.explain(after.ranking_id, account).value_choice.name == name


def test_values_that_a_call_carries_are_recorded_as_the_calls(workspace):
    carried = values("CREDIT_CARD", "LOAN", loss=0.83).parameters
    record = ranked(workspace, command(carried))
    assert (record.record["values_from"], named(record)) == ("CALL", {})
    assert record.record["parameters"] == dump(carried)
    verdict = checked(workspace, record)
    assert verdict.reached is Strength.CERTIFICATE
    assert "value sets" not in {check.name for check in verdict.checks}


def test_the_values_are_settled_when_a_ranking_is_asked_for(workspace, monkeypatch):
    cards = in_force(workspace, values("CREDIT_CARD", "LOAN", loss=0.83), "cards")
    begun, made = [], []
    monkeypatch.setattr(workspace.rankings._runs, "begin", lambda *args: begun.append(args))
    workspace.rankings.create(command())
    in_force(workspace, values("CREDIT_CARD", "LOAN", loss=0.89), "cards", JANUARY, cards.etag)
    monkeypatch.setattr(workspace.rankings, "_make", lambda owed, request, *_: made.append((owed, request)))
    requested = SimpleNamespace(command=begun[0][4], created_at="2026-11-24T06:00:00+00:00")
    workspace.rankings._make_requested(requested, ignore_progress)
    owed, request = made[0]
    assert {choice.name for choice in owed.value_choices} == {"cards/1"}
    assert {one.loss_given_default for one in request.parameters.products.values()} == {0.83}


def test_a_planted_choice_of_another_products_values_is_noticed(workspace, monkeypatch):
    in_force(workspace, values("CREDIT_CARD", loss=0.83), "cards")
    in_force(workspace, values("LOAN", loss=0.86), "loans")
    as_it_is = value_sets.choose_values

    def crossed(*given):
        found = as_it_is(*given)
        held = found.parameters.products
        swapped = {"CREDIT_CARD": held["LOAN"], "LOAN": held["CREDIT_CARD"]}
        return replace(found, parameters=replace(found.parameters, products=swapped))

    monkeypatch.setattr(value_sets, "choose_values", crossed)
    verdict = checked(workspace, ranked(workspace))
    assert [check.name for check in verdict.broken] == ["value sets"]
    assert "the values of CREDIT_CARD are not those of cards/1" in verdict.broken[0].sentence


def test_scores_and_what_ifs_take_what_is_in_force_too(workspace):
    in_force(workspace, values("CREDIT_CARD", "LOAN", loss=0.83), "common")
    in_force(workspace, values("LOAN", loss=0.86, portfolios=("p*",)), "own-loans")
    few = book(40, bad=0)
    scored = {name: workspace.scores.score(few, PLAN, None, False, name).values for name in ("", "p1")}
    assert {c.product: c.name for c in scored[""].choices} == {"CREDIT_CARD": "common/1", "LOAN": "common/1"}
    assert {c.product: c.name for c in scored["p1"].choices} == {"CREDIT_CARD": "common/1", "LOAN": "own-loans/1"}
    baseline = workspace.baselines.of_portfolio("p1", PLAN.plan_id, 1, None)
    assert baseline.basis.parameters == scored["p1"].parameters
    carried = values("CREDIT_CARD", "LOAN", loss=0.89).parameters
    assert workspace.baselines.of_portfolio("p1", PLAN.plan_id, 1, carried).basis.parameters == carried
    assert workspace.scores.score(few, PLAN, carried, False).values.choices == ()


def test_a_server_that_opens_a_ledger_ships_its_values_once(workspace):
    assert [each.version.name for each in workspace.values.resources.latest("", 9)] == [f"{SHIPPED_ID}/1"]
