"""Names on the wire: money has one suffix everywhere, and every closed list of the core has its enum."""

from __future__ import annotations

import numpy as np
import pytest

from collections_opt.api.v1 import (
    actor_pb2,
    event_pb2,
    experiment_service_pb2,
    monitor_service_pb2,
    pack_service_pb2,
    portfolio_service_pb2,
    worklist_service_pb2,
)
from collections_opt.application.day import contact_requests, queue_states
from collections_opt.application.day.desk import gate
from collections_opt.application.settings import bundled_rules
from collections_opt.core.accounts.column_names import held_column, held_names, read_column, told_column, told_columns
from collections_opt.core.accounts.schema import ACCOUNT_SCHEMA, ColumnKind
from collections_opt.core.actors import ActorRole
from collections_opt.core.day.live import Removal
from collections_opt.core.errors import CollectionsError
from collections_opt.core.outcomes.alarms import DIMENSIONS
from collections_opt.ledger.events.leases import LeaseState
from collections_opt.wire.columns import ColumnCollector, Columns, encode_chunks
from collections_opt.wire.common import enum_names, enum_text
from collections_opt.wire.file_rows import FileRowsCollector
from collections_opt.wire.rules import read_rule_table, write_rule_table
from tests.support.factories import AS_OF

MONEY = {c.name for c in ACCOUNT_SCHEMA.values() if c.kind in (ColumnKind.MONEY, ColumnKind.HISTORY_MONEY)}
ASKED = ("HELD", "FACTS_TOO_OLD", "LAST_CONTACT", "PROPOSED_RULE", "RESERVED")
REMOVALS = {*(one.name for one in Removal if one), gate.PERSON_WORKED, gate.HELD_OUT, gate.OTHER_PLAN, gate.RULE}


def test_money_is_told_in_minor_units_and_every_name_is_held_as_before():
    assert {name for name in ACCOUNT_SCHEMA if told_column(name) != name} == MONEY
    assert not [name for name in told_columns() if name.endswith("_minor")]
    assert [held_column(name) for name in told_columns()] == list(ACCOUNT_SCHEMA)
    assert told_column("own.fee_minor") == held_column("own.fee_minor") == "own.fee_minor"


@pytest.mark.parametrize("name", sorted(MONEY))
def test_the_short_name_is_read_from_files_and_refused_from_requests(name):
    assert held_column(name) == read_column(f"{name}_units", "column") == name
    with pytest.raises(CollectionsError, match=f"Send {name}_units"):
        read_column(name, "column")


def test_a_file_may_say_either_and_of_both_each_is_itself():
    assert held_names(["cash_minor_units", "cured"]) == {"cash_minor_units": "cash_minor", "cured": "cured"}
    assert held_names(["cash_minor", "cash_minor_units"]) == {"cash_minor": "cash_minor", "cash_minor_units": "cash_minor_units"}


def test_columns_and_faults_come_in_under_the_names_of_the_contract_and_are_held_under_their_own():
    sent = Columns(2, {"balance_minor_units": np.array([1, 2])}, {"balance_minor_units": np.array([True, False])})
    collector = ColumnCollector(2)
    for chunk in encode_chunks(sent):
        collector.add(chunk)
    held = collector.columns(held_column)
    assert (set(held.values), set(held.present)) == ({"balance_minor"}, {"balance_minor"})
    rows = FileRowsCollector()
    rows.chunk(1)
    fault = portfolio_service_pb2.RowFault(row=0, field="balance_minor_units", rule="NOT_A_NUMBER")
    rows.add(portfolio_service_pb2.FileRows(faults=[fault]))
    assert rows.faults().field == ("balance_minor",)
    fault.field = "balance_minor"
    with pytest.raises(CollectionsError, match="not a column"):
        rows.add(portfolio_service_pb2.FileRows(faults=[fault]))


def test_a_rule_of_a_money_column_keeps_its_record_and_tells_the_name_of_the_contract():
    table = bundled_rules()
    message = write_rule_table("all", AS_OF, table)
    assert "balance_minor_units" in {rule.column for rule in message.rules}
    assert read_rule_table(message).rules == table.rules


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (event_pb2.LeaseState, set(LeaseState)),
        (actor_pb2.ActorRole, set(ActorRole)),
        (worklist_service_pb2.RemovalReason, {*REMOVALS, queue_states.HELD, queue_states.MOVED_AWAY}),
        (
            worklist_service_pb2.ContactReasonKind,
            {*REMOVALS, gate.HOURS, gate.CHOSEN_HOURS}
            | {
                getattr(contact_requests, name) for name in ("HELD", "FACTS_TOO_OLD", "LAST_CONTACT", "PROPOSED_RULE", "RESERVED")
            },
        ),
        (monitor_service_pb2.MonitorDimension, {name.upper() for name in DIMENSIONS}),
        (monitor_service_pb2.MonitoredOutcome, {"CURE", "DEFAULT", "CONTACT"}),
        (monitor_service_pb2.CapturingOrder, {"WORKED", "BALANCE", "HINDSIGHT"}),
        (experiment_service_pb2.ExperimentOutcome, {"CASH", "CURE", "VALUE"}),
        (pack_service_pb2.PersonTableKind, {"CONTACTS", "CONTACTS_IN_7_DAYS", "DECISION", "OUTCOME"}),
    ],
    ids=lambda one: one.DESCRIPTOR.name if hasattr(one, "DESCRIPTOR") else "",
)
def test_a_closed_list_of_the_core_is_an_enum_of_the_contract(kind, names):
    assert set(enum_names(kind.DESCRIPTOR).values()) == names
    assert enum_text(kind.DESCRIPTOR, 0) == ""
    assert enum_text(kind.DESCRIPTOR, 99) == "99"
