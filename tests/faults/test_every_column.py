"""Every column of every table is covered by what verify says, or is named as one that nothing rests on."""

import random

import pytest

from harness.faults.edits import TABLES, UNPROTECTED, Bench, bench
from harness.faults.tampering import every_column

RESTS_ON_NOTHING: dict[str, str] = {}
"""Columns that may change unseen, with the reason."""


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    with bench(tmp_path_factory.mktemp("columns") / "data") as made:
        yield made


def test_no_column_changes_unseen(ready: Bench):
    unseen = {what for what, found in every_column(ready, random.Random(5)) if not found}
    assert unseen == set(RESTS_ON_NOTHING)


def test_a_table_that_is_left_out_is_left_out_by_name():
    assert not set(TABLES) & set(UNPROTECTED)
    assert set(UNPROTECTED) == {"alembic_version", "leases"}


def test_a_check_of_events_that_forgets_their_columns_is_noticed(ready: Bench, monkeypatch):
    """The planted bug is what verify was: the leaves of events alone, so that an event could change hands."""
    check = "collections_opt.ledger.events.event_check"
    monkeypatch.setattr(f"{check}.EventCheck._broken_rows", lambda self, rows: [])
    monkeypatch.setattr(f"{check}.ROWS_DIGEST", "of no leaf")
    monkeypatch.setattr(ready, "tables", ("day_events",))
    unseen = {what for what, found in every_column(ready, random.Random(5)) if not found}
    assert "day_events.account_no" in unseen
