"""Work whose caller left ends at its next stage, and leaves nothing half done."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from collections_opt.application.settings import bundled_parameters, bundled_plan
from collections_opt.application.workspace import open_workspace
from collections_opt.core.errors import CollectionsError
from collections_opt.core.wanted import Unwanted, require_wanted, wanted_while
from tests.support.factories import raw_portfolio, text

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
MODELS = Path(__file__).parents[2] / "models"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    opened = open_workspace(tmp_path_factory.mktemp("wanted"), MODELS, lambda: NOW)
    yield opened
    opened.close()


class LeavesAfter:
    """A caller who leaves after being asked a number of times."""

    def __init__(self, questions):
        self.left = questions

    def __call__(self):
        self.left -= 1
        return self.left >= 0


def stages(work):
    """Return how many stages work has, having stopped it at each of them once."""
    for count in range(50):
        with wanted_while(LeavesAfter(count)):
            try:
                work()
            except Unwanted:
                continue
        return count
    return pytest.fail("it never ends")


def score(workspace):
    raw = raw_portfolio(account_id=text(["a", "b"]), days_past_due=np.array([65, 200]))
    workspace.scores.score(raw, replace(bundled_plan(), currency_code="USD"), bundled_parameters())


def imported(workspace):
    workspace.books.import_portfolio("left", raw_portfolio(account_id=text(["a", "b"])))


def test_scoring_can_be_left_before_scores_values_and_each_kind_of_reasons(workspace):
    assert stages(lambda: score(workspace)) >= 6


def test_an_import_that_was_left_before_its_end_is_not_there(workspace):
    with wanted_while(LeavesAfter(2)), pytest.raises(Unwanted):
        imported(workspace)
    with pytest.raises(CollectionsError):
        workspace.ledger.portfolios.get("left")
    imported(workspace)
    assert workspace.ledger.portfolios.get("left").row_count == 2


def test_work_that_never_asks_would_be_noticed(workspace, monkeypatch):
    """The planted bug: stages that do not ask."""
    monkeypatch.setattr("collections_opt.application.answers.account_scores.require_wanted", lambda *_: None)
    assert stages(lambda: score(workspace)) == 0


def test_work_that_nobody_asked_about_goes_on():
    require_wanted()
    with wanted_while(lambda: False), pytest.raises(Unwanted):
        require_wanted()
    require_wanted()
