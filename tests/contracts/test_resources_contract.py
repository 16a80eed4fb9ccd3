"""What every ledger keeps of versioned resources, and what the use cases over them let through, on SQLite and PostgreSQL."""

import json
import uuid
from dataclasses import replace
from datetime import date

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from collections_opt.application.resources.approved import (
    ApprovalCommand,
    ApprovedResources,
    ResourceFormat,
    SavedContent,
)
from collections_opt.core.actors import UNKNOWN, Actor
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.models.lifecycle import ApprovalMode
from collections_opt.core.resources import ResourceApproval, ResourceKind, ResourceVersion, in_force
from collections_opt.ledger.ledger import open_ledger
from collections_opt.ledger.log.log import LogKind
from collections_opt.ledger.objects.folder import FolderObjectStore
from collections_opt.ledger.records import RequestKey
from collections_opt.ledger.tables.resources import NewVersion
from tests.support.ledger.ledgers import NOW, without_triggers

ANN, BEN = Actor("ann", "ANALYST"), Actor("ben", "OPERATIONS_MANAGER", issuer="identity.example")
JANUARY, MARCH = date(2026, 1, 1), date(2026, 3, 1)


def refused(reason, call, *args, **kwargs):
    with pytest.raises(CollectionsError) as caught:
        call(*args, **kwargs)
    assert caught.value.reason is reason, caught.value
    return caught.value


def check(content):
    if content < 0:
        raise refuse(Reason.INVALID_ARGUMENT, "content", f"{content} is below 0.", "Send more.")


@pytest.fixture
def ledger(database_url, tmp_path):
    opened = open_ledger(database_url, FolderObjectStore(tmp_path / "objects"))
    yield opened
    opened.close()


@pytest.fixture
def published():
    return []


@pytest.fixture
def resources(ledger, published):
    how = ResourceFormat(ResourceKind.VALUE_PARAMETERS, json.dumps, json.loads, check)
    return ApprovedResources(ledger, lambda: NOW, lambda: published.append(1), how)


def save(resources, content=1, day=JANUARY, etag=None, name="cards", by=ANN, **more):
    return resources.save(SavedContent(name, day, content, etag, **more), by).version


def test_a_version_is_in_force_once_a_second_person_approved_it_and_its_day_has_come(resources, published):
    first = save(resources)
    assert resources.in_force(MARCH) == []
    refused(Reason.PERMISSION_DENIED, resources.approve, ApprovalCommand("cards", 1), replace(ANN, name=" Ann "))
    approved = resources.approve(ApprovalCommand("cards", 1, note="looks right"), BEN).version
    assert (approved.approval.by, approved.approval.mode, approved.approval.note) == (BEN, ApprovalMode.CLAIMED, "looks right")
    assert [each.version.name for each in resources.in_force(JANUARY)] == ["cards/1"]
    assert resources.in_force(date(2025, 12, 31)) == []
    second = save(resources, 2, MARCH, first.etag)
    assert [each.content for each in resources.in_force(MARCH)] == [1]
    resources.approve(ApprovalCommand("cards", 2), BEN)
    assert [each.content for each in resources.in_force(MARCH)] == [2]
    assert [each.content for each in resources.in_force(date(2026, 2, 28))] == [1]
    assert [each.version.version for each in resources.versions("cards", None, 5)] == [2, 1]
    assert [each.version.name for each in resources.latest("", 5)] == ["cards/2"]
    assert resources.version("cards", 1).version == approved
    assert second.approval is None
    assert len(published) == 4


def test_only_marked_self_approval_lets_one_person_do_both_and_never_where_tokens_are_checked(resources):
    save(resources)
    alone = resources.approve(ApprovalCommand("cards", 1, self_approved=True), ANN).version
    assert alone.approval.mode is ApprovalMode.SELF_APPROVED
    save(resources, name="loans", by=BEN)
    refused(Reason.PERMISSION_DENIED, resources.approve, ApprovalCommand("loans", 1, self_approved=True), BEN)
    refused(Reason.RESOURCE_STATE_CONFLICT, resources.approve, ApprovalCommand("cards", 1), BEN)


def test_what_is_wrong_is_refused_and_leaves_nothing(resources, ledger):
    refused(Reason.INVALID_ARGUMENT, save, resources, -1)
    refused(Reason.INVALID_ARGUMENT, save, resources, name="no id")
    refused(Reason.INVALID_ARGUMENT, save, resources, by=UNKNOWN)
    refused(Reason.INVALID_ARGUMENT, save, resources, note="x" * 2_001)
    refused(Reason.NOT_FOUND, save, resources, etag="etag")
    refused(Reason.NOT_FOUND, resources.approve, ApprovalCommand("cards", 1), BEN)
    first = save(resources)
    refused(Reason.ALREADY_EXISTS, save, resources)
    refused(Reason.ETAG_MISMATCH, save, resources, etag="etag")
    refused(Reason.NOT_FOUND, resources.version, "cards", 2)
    refused(Reason.INVALID_ARGUMENT, resources.approve, ApprovalCommand("cards", 1), UNKNOWN)
    checked = resources.save(SavedContent("cards", MARCH, 5, first.etag), ANN, validate_only=True).version
    assert (checked.version, checked.etag) == (0, "")
    assert resources.approve(ApprovalCommand("cards", 1), BEN, validate_only=True).version.approval is None
    assert [each.version.version for each in resources.versions("cards", None, 5)] == [1]
    assert [entry.reference for entry in ledger.log.entries()] == ["value_parameters/cards/1"]


def test_a_check_that_became_stricter_holds_at_approval(resources, ledger, published):
    lax = ResourceFormat(ResourceKind.VALUE_PARAMETERS, json.dumps, json.loads, lambda _: None)
    save(ApprovedResources(ledger, lambda: NOW, lambda: None, lax), -1)
    refused(Reason.INVALID_ARGUMENT, resources.approve, ApprovalCommand("cards", 1), BEN)


def test_the_same_request_again_returns_what_it_made(resources):
    ids = [str(uuid.uuid4()) for _ in range(2)]
    first = save(resources, request_id=ids[0])
    assert save(resources, request_id=ids[0]) == first
    refused(Reason.REQUEST_ID_REUSED, save, resources, 2, request_id=ids[0])
    command = ApprovalCommand("cards", 1, request_id=ids[1])
    assert resources.approve(command, BEN) == resources.approve(command, BEN)
    refused(Reason.REQUEST_ID_REUSED, resources.approve, replace(command, note="other"), BEN)


def test_what_is_shipped_gives_way_to_people_and_what_is_declared_at_the_start_is_refused_then(resources):
    shipped = SavedContent("cards", JANUARY, 1)
    maintainers = Actor("maintainers")
    for _ in range(2):
        assert resources.declare(shipped, maintainers).version.version == 1
    newer = resources.declare(replace(shipped, content=2), maintainers).version
    assert (newer.version, newer.approval.mode) == (2, ApprovalMode.BOOTSTRAP)
    own = resources.declare(replace(shipped, content=3), ANN, ApprovalMode.SELF_APPROVED).version
    assert (own.version, own.approval.mode) == (3, ApprovalMode.SELF_APPROVED)
    assert resources.declare(shipped, maintainers).version.version == 3
    pending = save(resources, 4, etag=own.etag)
    assert resources.declare(shipped, maintainers).version.version == 4
    refused(Reason.RESOURCE_STATE_CONFLICT, resources.declare, shipped, ANN, ApprovalMode.SELF_APPROVED)
    resources.approve(ApprovalCommand("cards", 4), BEN)
    refused(Reason.RESOURCE_STATE_CONFLICT, resources.declare, shipped, ANN, ApprovalMode.SELF_APPROVED)
    assert resources.declare(replace(shipped, content=4), ANN, ApprovalMode.SELF_APPROVED).version.version == pending.version


def test_every_act_has_its_leaf_and_an_edit_is_never_handed_out(resources, ledger, database_url):
    save(resources)
    resources.approve(ApprovalCommand("cards", 1), BEN)
    assert [(entry.kind, entry.reference) for entry in ledger.log.entries()] == [
        (LogKind.RESOURCE, "value_parameters/cards/1"),
        (LogKind.RESOURCE_APPROVAL, "value_parameters/cards/1"),
    ]
    assert ledger.logged_rows.verify() == ledger.log.verify() == []
    with without_triggers(database_url) as engine, engine.begin() as connection:
        connection.execute(sa.text("UPDATE resource_versions SET content = '7'"))
    refused(Reason.INTEGRITY_FAILURE, resources.version, "cards")
    refused(Reason.INTEGRITY_FAILURE, resources.in_force, MARCH)
    assert ledger.logged_rows.verify() == ["resource value_parameters/cards/1: differs from its leaf in the log"]


def test_an_approval_of_other_content_is_never_in_force(resources, ledger, database_url):
    save(resources)
    resources.approve(ApprovalCommand("cards", 1), BEN)
    with without_triggers(database_url) as engine, engine.begin() as connection:
        connection.execute(sa.text("UPDATE resource_approvals SET digest = 'other'"))
    refused(Reason.INTEGRITY_FAILURE, resources.in_force, MARCH)


def test_kinds_and_ids_do_not_mix(ledger):
    for kind in ResourceKind:
        for name in ("a", "b"):
            ledger.resources.add(NewVersion(kind, name, JANUARY, f"{kind}{name}", ANN), NOW, RequestKey(kind + name, "m", "d"))
    listed = ledger.resources.after(ResourceKind.RULE_TABLE, "a", 5)
    assert [(each.kind, each.resource_id) for each in listed] == [(ResourceKind.RULE_TABLE, "b")]
    ledger.resources.approve(ResourceKind.RULE_TABLE, "a", 1, ResourceApproval(BEN, ApprovalMode.PEOPLE, "", NOW.isoformat()))
    assert ledger.resources.in_force(ResourceKind.VALUE_PARAMETERS, MARCH) == []
    assert [each.resource_id for each in ledger.resources.in_force(ResourceKind.RULE_TABLE, MARCH)] == ["a"]


def version_of(number, day, approved):
    approval = ResourceApproval(BEN, ApprovalMode.PEOPLE, "", "") if approved else None
    return ResourceVersion(ResourceKind.RULE_TABLE, "us", number, day, "", "", "", "", ANN, "", approval)


@given(
    st.lists(st.tuples(st.dates(JANUARY, date(2026, 1, 9)), st.booleans()), max_size=8),
    st.dates(date(2025, 12, 30), date(2026, 1, 10)),
)
def test_the_version_in_force_is_the_approved_one_that_starts_last_and_of_a_day_the_last_saved(given_versions, day):
    versions = [version_of(number, start, approved) for number, (start, approved) in enumerate(given_versions, 1)]
    found = in_force(versions, day)
    ready = [each for each in versions if each.approval and each.effective_from <= day]
    assert (found is None) == (not ready)
    for other in ready:
        assert found.effective_from > other.effective_from or (
            found.effective_from == other.effective_from and found.version >= other.version
        )
