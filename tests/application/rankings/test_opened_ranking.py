"""A recorded ranking is opened once: each of its objects is read when it is asked for, checked, and not read again."""

from collections import Counter
from dataclasses import replace

import pytest

from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.rankings.opened_ranking import OpenedRanking
from collections_opt.application.settings import bundled_parameters, bundled_plan
from collections_opt.application.workspace import open_workspace
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.problem.assignment import ignore_progress
from collections_opt.core.problem.constraints import RankingConstraints
from collections_opt.core.ranking.ordering import Ordering
from tests.support.books.bundled_portfolio import BUNDLED_PORTFOLIO_ID, import_bundled
from tests.support.models.folders import NOW, folder_with_people


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("opened")
    opened = open_workspace(folder / "data", folder_with_people(folder), lambda: NOW)
    import_bundled(opened)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def made(workspace):
    """A ranking that counts moves from the one before."""
    found = None
    for number, constraints in enumerate((RankingConstraints(), RankingConstraints(max_moved_count=50))):
        request_id, basis = f"00000000-0000-4000-8000-{number:012d}", (None, Ordering.EXPECTED_VALUE, bundled_parameters())
        previous = found.ranking_id if found else ""
        command = RankingCommand(request_id, BUNDLED_PORTFOLIO_ID, bundled_plan().plan_id, *basis, constraints=constraints)
        found = workspace.rank(replace(command, previous_ranking_id=previous), ignore_progress)
    return found


@pytest.fixture
def reads(workspace, monkeypatch):
    """Objects read, by digest, from a store of which nothing was read before."""
    workspace.rankings._sealed._last.clear()
    workspace.recorded._last = None
    counted, get = Counter(), workspace.ledger.objects.get
    monkeypatch.setattr(workspace.ledger.objects, "get", lambda digest: counted.update([digest]) or get(digest))
    return counted


def test_explaining_an_account_reads_each_object_once_and_the_next_account_none(workspace, made, reads):
    ids = [each.decode() for each in workspace.recorded.entries(made).account_id[:2].tolist()]
    workspace.rankings._sealed._last.clear()
    workspace.recorded._last = None
    reads.clear()
    answer = workspace.evidence.answer(made.ranking_id, ids[0])
    assert answer.explanation.queues
    assert answer.proof.answer["account_id"] == ids[0]
    assert set(reads.values()) == {1}
    names = {each.digest: each.key for each in workspace.recorded.opened(made).facts.objects()}
    assert {names[digest] for digest in reads if digest in names} >= {"plan_object", "rules_object", "entries_object"}
    reads.clear()
    workspace.evidence.answer(made.ranking_id, ids[1])
    assert reads == {}


def test_nothing_is_read_before_it_is_asked_for(workspace, made, reads):
    opened = workspace.recorded.open(made.ranking_id)
    assert opened.prices.size == len(opened.facts.answer.prices)
    assert reads == {}
    assert opened.plan.plan_id == bundled_plan().plan_id
    assert reads == {made.record["plan_object"]: 1}


@pytest.mark.parametrize(("part", "key"), [("plan", "plan_digest"), ("rules", "rules_digest"), ("stored", "entries_digest")])
def test_a_part_that_is_not_the_recorded_one_is_refused(workspace, made, part, key):
    other = replace(made, record={**made.record, key: "0" * 64})
    opened = OpenedRanking(other, workspace.ledger, workspace.rankings._sealed)
    with pytest.raises(CollectionsError) as caught:
        getattr(opened, part)
    assert caught.value.reason is Reason.INTEGRITY_FAILURE


def test_what_was_opened_before_an_erasure_is_opened_anew_after_it(workspace, made, monkeypatch):
    first = workspace.recorded.open(made.ranking_id)
    assert workspace.recorded.open(made.ranking_id) is first
    monkeypatch.setattr(workspace.rankings._sealed, "_erasure_count", lambda: 1)
    assert workspace.recorded.open(made.ranking_id) is not first
