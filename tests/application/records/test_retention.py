"""Accounts whose retention has lapsed: exactly those and none under hold, in one recorded erasure that leaves every proof."""

from datetime import date, timedelta

import numpy as np
import pytest

from collections_opt.application.evidence.findings import Strength
from collections_opt.application.records.erasures import ErasureRequest
from collections_opt.application.records.holds import HoldRequest
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.ledger.log.log import LogKind
from tests.support.books.evidence_worlds import NOW, Clock, book, opened, ranked

OLD, YOUNG = date(2026, 11, 23), date(2028, 11, 23)
LAPSED = date(2029, 11, 24)  # the first day before which the retention of OLD has ended


@pytest.fixture
def world(tmp_path, database_url):
    clock = Clock()
    workspace = opened(tmp_path / "data", database_url, now=clock)
    workspace.books.import_portfolio("old", book(30, as_of=OLD))
    made = ranked(workspace, "old")
    clock.at = NOW.replace(year=2028)
    workspace.books.import_portfolio("young", book(12, as_of=YOUNG))  # AC-00000 to AC-00011 are still sent
    clock.at = NOW.replace(year=2029) + timedelta(days=3)
    yield workspace, made
    workspace.close()


def names(numbers):
    return {f"AC-{number:05d}" for number in numbers}


def remaining(workspace):
    return {account.decode() for account in workspace.evidence.erasures._keys.known()[0]}


def test_what_lapsed_goes_what_is_held_or_still_sent_stays_and_proofs_hold(world):
    workspace, made = world
    erasures, holds = workspace.evidence.erasures, workspace.evidence.holds
    holds.place(HoldRequest("case-7", ["AC-00020", "AC-00003"], (), "dispute in court"))
    checked = erasures.erase_lapsed(LAPSED, ErasureRequest("retention", validate_only=True))
    assert (checked.account_count, checked.held_count, checked.position) == (17, 1, None)
    assert remaining(workspace) == names(range(30))
    receipt = erasures.erase_lapsed(LAPSED, ErasureRequest("retention"))
    assert (receipt.erasure_id, receipt.account_count, receipt.held_count) == (checked.erasure_id, 17, 1)
    assert remaining(workspace) == names([*range(12), 20])
    entry = workspace.ledger.log.entry_of(LogKind.ERASURE, receipt.erasure_id)
    assert entry.facts["lapsed"] == {"before": LAPSED.isoformat(), "held_count": 1}
    assert len(entry.facts["key_numbers"]) == 17
    verdict = workspace.evidence.verification.verify_ranking(made.ranking_id)
    assert verdict.reached is Strength.INTEGRITY, verdict.broken
    assert workspace.evidence.verification.verify_log().broken == ()
    assert workspace.recorded.portfolio("young").account_count + 2 == 12
    again = erasures.erase_lapsed(LAPSED, ErasureRequest("retention"))
    assert (again.account_count, again.held_count, again.position) == (0, 1, None)
    holds.release("case-7", "settled")
    assert erasures.erase_lapsed(LAPSED, ErasureRequest("retention")).account_count == 1
    assert workspace.evidence.verification.verify_ranking(made.ranking_id).reached is Strength.INTEGRITY


@pytest.mark.parametrize(("before", "count"), [(date(2029, 11, 23), 0), (LAPSED, 18)])
def test_retention_ends_on_its_day(world, before, count):
    assert world[0].evidence.erasures.erase_lapsed(before, ErasureRequest("retention", validate_only=True)).account_count == count


def test_a_day_to_come_is_refused(world):
    with pytest.raises(CollectionsError) as caught:
        world[0].evidence.erasures.erase_lapsed(date(2030, 1, 1), ErasureRequest("retention"))
    assert (caught.value.reason, caught.value.violations[0].field) == (Reason.INVALID_ARGUMENT, "before")


def test_an_account_of_an_import_under_way_is_left_alone(world):
    workspace, _ = world
    workspace.evidence.erasures._keys.numbers(np.array([b"NEW-1"]))
    workspace.evidence.erasures.erase_lapsed(LAPSED, ErasureRequest("retention"))
    assert "NEW-1" in remaining(workspace)
