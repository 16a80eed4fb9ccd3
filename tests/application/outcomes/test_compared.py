"""What became of whom rankings work: by the outcomes of the first of them that matured, over the same accounts alone."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

import numpy as np
import pytest

from collections_opt.application.outcomes.compared import compare_outcomes
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.outcomes.terms import Outcome
from collections_opt.core.problem.assignment import UNASSIGNED
from tests.support.day.day_worlds import Clock, open_world
from tests.support.serving.matured_books import BOOK, TERMS, rank_book, told


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with closing(open_world(tmp_path_factory.mktemp("compared"), Clock(datetime(2026, 10, 12, tzinfo=UTC)))) as workspace:
        first, second = rank_book(workspace), rank_book(workspace, number=78)
        yield workspace, first, second, rank_book(workspace, "another", 8, 79)


def compared(world, *ids):
    return compare_outcomes(world[0].recorded, world[0].monitors.maturities, ids)


def test_nothing_is_said_before_one_matured(world):
    with pytest.raises(CollectionsError) as caught:
        compared(world, *world[1:3])
    assert caught.value.reason is Reason.RANKING_NOT_MATURE


def test_the_first_that_matured_tells_of_all_and_other_accounts_are_refused(world):
    workspace, first, second, other = world
    ids = workspace.recorded.portfolio(BOOK).column("account_id")
    kinds = [Outcome.CURED, Outcome.DEFAULTED] * 6
    workspace.monitors.maturities.record_file(BOOK, told(ids, kinds, cash=700), "core system")
    workspace.monitors.maturities.mature(second, TERMS)
    maturity, found = compared(world, first, second)
    assert maturity.ranking_id == second
    worked = workspace.recorded.open(first).entries.queue != UNASSIGNED
    assert found[0].worked_count == found[0].seen_count == int(worked.sum())
    assert found[0].cash.value == 700 * int(worked.sum())
    assert found[0].cured.value == pytest.approx(np.array([1, 0] * 6)[worked].mean())
    assert found[1].cash_difference.value == 0
    with pytest.raises(CollectionsError) as caught:
        compared(world, second, other)
    assert caught.value.violations[0].field == "ranking_ids[1]"
