"""What was told of a person alone can be erased, once retention is over, and everything else still verifies."""

from __future__ import annotations

from contextlib import closing

import pytest

from collections_opt.core.actors import UNKNOWN
from collections_opt.core.day.events import Event, EventKind
from collections_opt.core.errors import CollectionsError, Reason
from tests.support.day.day_worlds import NOON, Clock, open_world, rank_world


@pytest.fixture
def world(tmp_path):
    clock = Clock(NOON)
    with closing(open_world(tmp_path, clock, count=8)) as workspace:
        rank_world(workspace, 8)
        flag = Event("f", EventKind.FLAG, NOON, customer_id="p001", flag="dispute", is_set=True)
        other = Event("g", EventKind.FLAG, NOON, customer_id="p002", flag="dispute", is_set=True)
        workspace.day.events.record([flag, other], UNKNOWN)
        yield workspace, clock


def refused(reason, call_, *args):
    with pytest.raises(CollectionsError) as caught:
        call_(*args)
    assert caught.value.reason is reason, caught.value


def test_what_was_told_of_a_person_is_kept_for_as_long_as_retention_lasts(world):
    workspace, _ = world
    refused(Reason.MUST_BE_KEPT, workspace.evidence.erasures.erase_persons, ["p001"], "asked")
    refused(Reason.NOT_FOUND, workspace.evidence.erasures.erase_persons, ["p009"], "asked")
    refused(Reason.LIMIT_EXCEEDED, workspace.evidence.erasures.erase_persons, [], "asked")


def test_after_retention_it_is_gone_and_the_log_holds(world):
    workspace, clock = world
    clock.forward(days=3 * 366)
    checked = workspace.evidence.erasures.erase_persons(["p001"], "asked", UNKNOWN, True)
    assert (checked.account_count, checked.position) == (1, None)
    assert workspace.day.events.after(0, 10)[0].event is not None
    workspace.evidence.erasures.erase_persons(["p001"], "asked")
    erased, kept = workspace.day.events.after(0, 10)
    assert erased.event is None
    assert kept.event is not None
    assert not workspace.evidence.verification.verify_log().broken
    refused(Reason.NOT_FOUND, workspace.evidence.erasures.erase_persons, ["p001"], "again")
