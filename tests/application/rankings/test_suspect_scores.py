"""Suspect scores make no worklists until a person lets them pass, and the record says so."""

from dataclasses import replace

import numpy as np
import pytest

from collections_opt.application.evidence.replay import ReplayOutcome
from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.settings import bundled_parameters, bundled_plan, dump
from collections_opt.application.workspace import open_workspace
from collections_opt.core.arrays import digest_text
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.problem.assignment import ignore_progress
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.scoring.outcome.scorer import Scorer
from tests.support.books.bundled_portfolio import BUNDLED_PORTFOLIO_ID, import_bundled
from tests.support.models.folders import NOW, folder_with_people


@pytest.fixture
def workspace(tmp_path):
    opened = open_workspace(tmp_path / "data", folder_with_people(tmp_path), lambda: NOW)
    import_bundled(opened)
    yield opened
    opened.close()


def command(number, **changes):
    parameters, plan = bundled_parameters(), bundled_plan().plan_id
    request_id = f"00000000-0000-4000-8000-{number:012d}"
    return RankingCommand(request_id, BUNDLED_PORTFOLIO_ID, plan, None, Ordering.BALANCE, parameters, **changes)


def alike(outcomes):
    return replace(outcomes, probability=np.tile([0.2, 0.3, 0.5], (len(outcomes.probability), 1)))


def moved(outcomes):
    """Return scores of a broken input: almost everybody defaults."""
    p = outcomes.probability * [0.02, 1.0, 0.02]
    return replace(outcomes, probability=p / p.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("breakage", [alike, moved])
def test_suspect_scores_wait_for_a_person(workspace, monkeypatch, breakage):
    first = workspace.rank(command(1), ignore_progress)
    assert first.record["scores_compared_with"] == ""
    assert workspace.rank(command(2), ignore_progress).record["scores_compared_with"] == first.ranking_id
    honest = Scorer.score
    monkeypatch.setattr(Scorer, "score", lambda self, portfolio: breakage(honest(self, portfolio)))
    with pytest.raises(CollectionsError) as caught:
        workspace.rank(command(3), ignore_progress)
    assert caught.value.reason is Reason.SCORES_SUSPECT
    assert len(workspace.ledger.rankings.before(None, 10)) == 2  # yesterday's stays current
    accepted = workspace.rank(command(4, accept_suspect_scores=True), ignore_progress)
    assert accepted.record["health"]["suspect_scores_accepted"]
    assert workspace.evidence.replays.replay(accepted.ranking_id).outcome is ReplayOutcome.BIT_IDENTICAL


def test_a_flag_that_is_not_set_is_no_part_of_the_payload():
    plain, asked = command(1), command(1, accept_suspect_scores=True)
    assert plain.payload_digest != asked.payload_digest
    before_there_was_one = dump(replace(plain, request_id="")).replace('"accept_suspect_scores": false, ', "")
    assert "accept" not in before_there_was_one
    assert plain.payload_digest == digest_text(before_there_was_one)
