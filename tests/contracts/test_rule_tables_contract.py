"""Rule tables as stored settings: a second person, exact days, all tables together, on SQLite and PostgreSQL."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from collections_opt.application.resources.approved import ApprovalCommand, ApprovedResources, SavedContent
from collections_opt.application.resources.rule_tables import RULE_TABLES, SHIPPED_BY, SHIPPED_ID, RuleTables
from collections_opt.application.settings import bundled_rules, dump
from collections_opt.core.actors import Actor
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.models.lifecycle import ApprovalMode
from collections_opt.core.rules.tables import RuleTable
from collections_opt.ledger.ledger import open_ledger
from collections_opt.ledger.objects.folder import FolderObjectStore
from tests.support.factories import CITY_CAP as CAP
from tests.support.ledger.ledgers import NOW

ANN, BEN = Actor("ann", "ANALYST"), Actor("ben", "COMPLIANCE")
DAY, EVE = date(2027, 1, 1), date(2026, 12, 31)
SHIPPED = bundled_rules()


@pytest.fixture
def tables(database_url, tmp_path):
    ledger = open_ledger(database_url, FolderObjectStore(tmp_path / "objects"))
    opened = RuleTables(ApprovedResources(ledger, lambda: NOW, lambda: None, RULE_TABLES))
    opened.ship(SHIPPED)
    yield opened
    ledger.close()


def table(*rules, version="city-1"):
    return RuleTable(version, rules, strict_places=True)


def save(tables, content, table_id="springfield", day=DAY, etag=None):
    return tables.save(SavedContent(table_id, day, content, etag), ANN).version


def approve(tables, version, by=BEN):
    return tables.approve(ApprovalCommand(version.resource_id, version.version), by).version


def refused(reason, call, *args):
    with pytest.raises(CollectionsError) as caught:
        call(*args)
    assert caught.value.reason is reason, caught.value
    return caught.value


def named(tables, day):
    return [version.name for version in tables.in_force(day).versions]


def test_what_is_shipped_binds_every_day_and_gives_way_to_what_a_second_person_approved(tables):
    assert tables.in_force(date(2005, 8, 1)).rules == tables.in_force(DAY).rules == SHIPPED
    tables.ship(SHIPPED)
    assert named(tables, DAY) == [f"{SHIPPED_ID}/1"]
    stored = tables.resources.version(SHIPPED_ID).version
    assert (stored.saved_by, stored.approval.mode) == (SHIPPED_BY, ApprovalMode.BOOTSTRAP)
    tables.ship(replace(SHIPPED, version="of the next release"))
    assert named(tables, DAY) == [f"{SHIPPED_ID}/2"]
    without = replace(SHIPPED, rules=SHIPPED.rules[:-1])
    second = tables.resources.version(SHIPPED_ID).version
    refused(Reason.ALREADY_EXISTS, save, tables, without, SHIPPED_ID)
    own = save(tables, without, SHIPPED_ID, etag=second.etag)
    assert named(tables, DAY) == [f"{SHIPPED_ID}/2"]
    approve(tables, own)
    tables.ship(replace(SHIPPED, version="of the release after"))
    assert named(tables, DAY) == [f"{SHIPPED_ID}/3"]
    assert named(tables, EVE) == [f"{SHIPPED_ID}/2"]
    assert tables.in_force(DAY).rules == without


def test_a_day_before_every_table_is_refused_as_a_day_and_not_as_damage(tables):
    refused(Reason.RESOURCE_STATE_CONFLICT, tables.in_force, date(2, 11, 24))


def test_a_citys_cap_binds_beside_what_is_shipped_once_a_second_person_approved_it_and_from_its_day(tables):
    first = save(tables, table(CAP))
    assert tables.in_force(DAY).rules == SHIPPED
    refused(Reason.PERMISSION_DENIED, approve, tables, first, ANN)
    assert tables.in_force(DAY).rules == SHIPPED
    approve(tables, first)
    assert named(tables, EVE) == [f"{SHIPPED_ID}/1"]
    assert named(tables, DAY) == [f"{SHIPPED_ID}/1", "springfield/1"]
    both = tables.in_force(DAY).rules
    assert set(both.rules) == {*SHIPPED.rules, CAP}
    assert both.version == f"{SHIPPED_ID}/1, springfield/1"
    again = tables.of(tables.in_force(DAY).versions)
    assert dump(again) == dump(both)


def test_what_bound_then_is_found_again_by_name_and_never_with_other_content(tables):
    approve(tables, save(tables, table(CAP)))
    then = tables.in_force(DAY).versions
    first = tables.resources.version("springfield").version
    approve(tables, save(tables, table(replace(CAP, threshold=1)), etag=first.etag))
    assert tables.in_force(DAY).versions != then
    assert {rule.threshold for rule in tables.of(then).rules if rule.rule_id == CAP.rule_id} == {2}
    refused(Reason.INTEGRITY_FAILURE, tables.of, [replace(then[1], digest="0" * 64)])
    refused(Reason.NOT_FOUND, tables.of, [replace(then[1], version=9)])


def test_two_tables_of_one_rule_are_refused_on_every_day_on_which_both_would_bind(tables):
    approve(tables, save(tables, table(CAP)))
    error = refused(Reason.RESOURCE_STATE_CONFLICT, save, tables, table(CAP), "other")
    assert "springfield/1" in error.message
    assert "springfield-cap" in error.message
    shipped = SHIPPED.rules[0]
    assert SHIPPED_ID in refused(Reason.RESOURCE_STATE_CONFLICT, save, tables, table(shipped), "other").message
    # One that starts earlier binds beside the city's from its day on.
    refused(Reason.RESOURCE_STATE_CONFLICT, save, tables, table(CAP), "other", EVE)
    # The city's next version no longer holds the rule: from then on another table may.
    later = DAY + timedelta(days=30)
    first = tables.resources.version("springfield").version
    second = save(tables, table(replace(CAP, rule_id="springfield-cap-2")), day=later, etag=first.etag)
    approve(tables, second)
    approve(tables, save(tables, table(CAP), "other", later))
    assert named(tables, later) == ["other/1", f"{SHIPPED_ID}/1", "springfield/2"]
    refused(Reason.RESOURCE_STATE_CONFLICT, save, tables, table(CAP), "third", later)


def test_what_was_in_order_when_it_was_saved_is_looked_at_again_when_it_is_approved(tables):
    first, second = save(tables, table(CAP)), save(tables, table(CAP), "other")
    approve(tables, first)
    refused(Reason.RESOURCE_STATE_CONFLICT, approve, tables, second)


def test_a_rule_without_a_source_is_never_stored(tables):
    error = refused(Reason.INVALID_ARGUMENT, save, tables, table(replace(CAP, source="")))
    assert [found.field for found in error.violations] == ["rules[springfield-cap].source"]
    assert [each.version.resource_id for each in tables.resources.latest("", 9)] == [SHIPPED_ID]
