"""Placing against recorded rankings: identical accounts keep their decision, refusals say why."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from collections_opt.application.answers import placement
from collections_opt.application.answers.placement import Placer
from collections_opt.application.answers.placement_sentence import placement_sentence
from collections_opt.application.models.registry_policy import RegistryPolicy
from collections_opt.application.models.serving import ModelServing
from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.settings import bundled_parameters, bundled_rules
from collections_opt.application.workspace import open_workspace
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.models.lifecycle import LadderStep
from collections_opt.core.problem.assignment import UNASSIGNED, ignore_progress
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.ranking import Disposition
from collections_opt.datasets.credit_card import PORTFOLIO_MONTH, load_accounts, snapshot
from tests.support.books.bundled_portfolio import BUNDLED_PORTFOLIO_ID, import_bundled
from tests.support.factories import some

MODELS = Path(__file__).parents[3] / "models"
NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    opened = open_workspace(tmp_path_factory.mktemp("data"), MODELS, lambda: NOW)
    import_bundled(opened)
    yield opened
    opened.close()


def ranked(workspace, ordering):
    command = RankingCommand(str(uuid.uuid4()), BUNDLED_PORTFOLIO_ID, "credit-card-desk", 1, ordering, bundled_parameters())
    return workspace.rank(command, ignore_progress)


@pytest.fixture(scope="module")
def ranking(workspace):
    return ranked(workspace, Ordering.EXPECTED_VALUE)


@pytest.fixture(scope="module")
def raw():
    return snapshot(load_accounts(), PORTFOLIO_MONTH).raw


def test_the_accounts_of_a_ranking_keep_their_decision_and_their_place(workspace, ranking, raw):
    entries = workspace.recorded.entries(ranking)
    placed = workspace.placer.place(ranking.ranking_id, raw)
    assert placed.unchanged.all()
    np.testing.assert_array_equal(placed.placements.queue, entries.queue)
    np.testing.assert_array_equal(placed.placements.disposition, entries.disposition)
    np.testing.assert_array_equal(placed.position, entries.priority)
    assert (placed.has_room == (entries.queue != UNASSIGNED)).all()


def test_under_new_names_the_prices_alone_decide_the_same_but_for_ties(workspace, ranking, raw):
    entries = workspace.recorded.entries(ranking)
    names = np.array([f"NEW-{i}" for i in raw.columns["account_id"]], dtype=object)
    placed = workspace.placer.place(ranking.ranking_id, some(raw, np.arange(names.size), account_id=names))
    assert not placed.unchanged.any()
    assert (placed.recorded.disposition == 0).all()
    differing = placed.placements.queue != entries.queue
    assert differing.mean() < 0.005
    same = ~differing & (entries.queue != UNASSIGNED)
    # Its twin stands before or right behind it: at the same density the name decides.
    assert (np.abs(placed.position[same] - entries.priority[same]) <= 1).mean() > 0.9
    priced = placed.opened.prices > 0
    full = np.isin(placed.placements.queue, np.flatnonzero(priced))
    assert placed.has_room[full].mean() < 0.2


def test_a_changed_account_follows_the_prices(workspace, ranking, raw):
    entries = workspace.recorded.entries(ranking)
    ids = np.array([name.encode() for name in raw.columns["account_id"]])
    row = int(np.flatnonzero(ids == entries.account_id[np.flatnonzero(entries.disposition == Disposition.ASSIGNED)[0]])[0])
    rows = np.array([row])
    blocked = workspace.placer.place(ranking.ranking_id, some(raw, rows, cease=np.array([True])))
    assert blocked.placements.disposition.tolist() == [Disposition.INELIGIBLE]
    assert blocked.recorded.disposition.tolist() == [Disposition.ASSIGNED]
    assert not blocked.unchanged.any()
    tiny = some(raw, rows, balance_minor=np.array([100]), arrears_minor=np.array([10]))
    assert workspace.placer.place(ranking.ranking_id, tiny).placements.queue.tolist() == [UNASSIGNED]
    assert placement_sentence(blocked, 0).startswith("Not worked")


def test_what_the_sentence_says_agrees_with_the_figures(workspace, ranking, raw):
    placed = workspace.placer.place(ranking.ranking_id, raw)
    for disposition in np.unique(placed.placements.disposition):
        row = int(np.flatnonzero(placed.placements.disposition == disposition)[0])
        worked = disposition == Disposition.ASSIGNED
        assert placement_sentence(placed, row).startswith("The recorded decision stands: worked" if worked else "Not worked")


def test_what_cannot_be_placed_is_refused_with_its_reason(workspace, ranking, raw):
    one = some(raw, np.array([0]))
    balance = ranked(workspace, Ordering.BALANCE)
    cases = [
        ("rk-none", one, Reason.NOT_FOUND, "ranking_id"),
        (balance.ranking_id, one, Reason.INVALID_ARGUMENT, "ranking_id"),
        (ranking.ranking_id, replace(one, currency_code="USD"), Reason.CURRENCY_MISMATCH, "currency_code"),
        (ranking.ranking_id, replace(one, as_of_date=one.as_of_date.replace(year=2004)), Reason.INVALID_ARGUMENT, "as_of_date"),
        (
            ranking.ranking_id,
            some(raw, np.array([0]), days_past_due=np.array([-1])),
            Reason.INVALID_ARGUMENT,
            "accounts[0].days_past_due",
        ),
    ]
    for ranking_id, accounts, reason, field in cases:
        with pytest.raises(CollectionsError) as caught:
            workspace.placer.place(ranking_id, accounts)
        assert (caught.value.reason, caught.value.violations[0].field) == (reason, field)


def test_the_recorded_model_and_rules_are_used_or_the_call_is_refused(workspace, ranking, raw):
    one = some(raw, np.array([0]))
    placer = Placer(workspace.recorded, workspace.serving.recorded, workspace.rule_tables, workspace.ledger.log.erasure_count)
    assert placer.place(ranking.ranking_id, one).unchanged.all()
    registry = RegistryPolicy(lowest_step=LadderStep.CHAMPION)
    absent = ModelServing(workspace.ledger, MODELS.parent / "nowhere", registry, None, lambda: NOW)
    placer = Placer(workspace.recorded, absent.recorded, workspace.rule_tables, workspace.ledger.log.erasure_count)
    with pytest.raises(CollectionsError) as caught:
        placer.place(ranking.ranking_id, one)
    assert caught.value.reason is Reason.MODEL_UNAVAILABLE


def test_rules_that_are_not_the_recorded_ones_are_never_used(workspace, ranking):
    record = replace(ranking, record={**ranking.record, "rules_digest": "0" * 64})
    assert workspace.recorded.opened(ranking).rules == bundled_rules()
    with pytest.raises(CollectionsError) as caught:
        _ = workspace.recorded.opened(record).rules
    assert caught.value.reason is Reason.INTEGRITY_FAILURE


def test_nothing_read_before_an_erasure_is_served_after_it(workspace, ranking, raw, monkeypatch):
    erasures, reads = [0], []
    placer = Placer(workspace.recorded, workspace.serving.recorded, workspace.rule_tables, lambda: erasures[0])
    read = placement.WorklistOrder
    monkeypatch.setattr(placement, "WorklistOrder", lambda *given: reads.append(1) or read(*given))
    for count in (0, 0, 1):
        erasures[0] = count
        placer.place(ranking.ranking_id, some(raw, np.array([0])))
    assert len(reads) == 2
