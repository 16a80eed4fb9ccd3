"""What was told of a person alone can be erased, once retention is over, and everything else still verifies."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import pytest

from collections_opt.application.records.erasures import ErasureRequest
from collections_opt.application.records.holds import HoldRequest
from collections_opt.core.actors import UNKNOWN
from collections_opt.core.day.events import Event, EventKind
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.ledger.log.log import LogKind
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
    refused(Reason.MUST_BE_KEPT, workspace.evidence.erasures.erase_persons, ["p001"], ErasureRequest("asked"))
    refused(Reason.NOT_FOUND, workspace.evidence.erasures.erase_persons, ["p009"], ErasureRequest("asked"))
    refused(Reason.LIMIT_EXCEEDED, workspace.evidence.erasures.erase_persons, [], ErasureRequest("asked"))


def test_after_retention_it_is_gone_and_the_log_holds(world):
    workspace, clock = world
    clock.forward(days=3 * 366)
    checked = workspace.evidence.erasures.erase_persons(["p001"], ErasureRequest("asked", validate_only=True))
    assert (checked.account_count, checked.position) == (1, None)
    assert workspace.day.events.after(0, 10)[0].event is not None
    workspace.evidence.erasures.erase_persons(["p001"], ErasureRequest("asked"))
    erased, kept = workspace.day.events.after(0, 10)
    assert erased.event is None
    assert kept.event is not None
    assert not workspace.evidence.verification.verify_log().broken
    refused(Reason.NOT_FOUND, workspace.evidence.erasures.erase_persons, ["p001"], ErasureRequest("again"))


def test_a_hold_over_a_person_holds_all_of_their_accounts_and_what_was_told_of_them(world):
    workspace, clock = world
    erasures, holds = workspace.evidence.erasures, workspace.evidence.holds
    placed = holds.place(HoldRequest("case-9", (), ["p002"], "court"))  # of a002 and a003
    assert (placed.key_numbers, len(placed.person_numbers)) == ((), 1)
    clock.forward(days=3 * 366)
    assert [one.hold_ids for one in erasures.kept(["a002", "a003", "a004"])] == [("case-9",), ("case-9",), ()]
    refused(Reason.MUST_BE_KEPT, erasures.erase, ["a003"], ErasureRequest("asked"))
    refused(Reason.MUST_BE_KEPT, erasures.erase_persons, ["p002"], ErasureRequest("asked"))
    checked = erasures.erase_lapsed(clock().date(), ErasureRequest("retention", validate_only=True))
    assert (checked.account_count, checked.held_count) == (6, 2)
    with pytest.raises(CollectionsError, match="case-9"):
        workspace.books.deletions.delete("day", "asked")
    refused(Reason.NOT_FOUND, holds.place, HoldRequest("case-10", (), ["p999"], "a person that nobody knows"))
    refused(Reason.INVALID_ARGUMENT, holds.place, HoldRequest("case-10", (), (), "of nobody"))
    holds.release("case-9", "settled")
    assert erasures.erase(["a003"], ErasureRequest("asked")).account_count == 1
    assert not workspace.evidence.verification.verify_log().broken
    assert "p002" not in "".join(entry.content for entry in workspace.ledger.log.entries(LogKind.HOLD))


def test_the_same_request_again_is_the_same_act_and_another_is_refused(world):
    workspace, clock = world
    erasures, holds = workspace.evidence.erasures, workspace.evidence.holds
    clock.forward(days=3 * 366)
    request = ErasureRequest("asked", "7a1f7a35-4d0e-4c4e-9f63-2f3f2a1c9d01")
    first = erasures.erase(["a000", "a001"], request)
    assert erasures.erase(["a001", "a000"], request) == first
    refused(Reason.REQUEST_ID_REUSED, erasures.erase, ["a002"], request)
    refused(Reason.REQUEST_ID_REUSED, erasures.erase_lapsed, clock().date(), request)
    assert "a000" not in workspace.ledger.log.entry_of(LogKind.ERASURE, first.erasure_id).content
    hold = HoldRequest("case-7", ["a004"], (), "court", "7a1f7a35-4d0e-4c4e-9f63-2f3f2a1c9d02")
    assert holds.place(hold) == holds.place(hold)
    refused(Reason.REQUEST_ID_REUSED, holds.place, replace(hold, accounts=["a005"]))
    released = holds.release("case-7", "settled", UNKNOWN, "7a1f7a35-4d0e-4c4e-9f63-2f3f2a1c9d03")
    assert holds.release("case-7", "settled", UNKNOWN, "7a1f7a35-4d0e-4c4e-9f63-2f3f2a1c9d03") == released
    assert holds.listed() == []
    assert holds.listed(with_released=True) == [released]
