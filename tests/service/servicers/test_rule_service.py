"""RuleService over the wire: a file and an approval make a city's cap bind, and every ranking says which tables bound it."""

import uuid

import pytest

from collections_opt.api.v1 import capacity_evaluation_pb2, ranking_pb2, ranking_service_pb2
from collections_opt.api.v1 import rule_evaluation_pb2 as evaluation_pb
from collections_opt.api.v1 import rule_service_pb2 as pb
from collections_opt.api.v1.model_use_pb2 import APPROVAL_MODE_SELF_APPROVED
from collections_opt.application.settings import dump
from collections_opt.client.approved import all_rule_table_versions, all_rule_tables, rule_table, save_rule_table
from collections_opt.client.capacity import evaluate_rules, summarise_rules
from collections_opt.client.client import connect
from collections_opt.client.connection import Connection
from collections_opt.client.rankings import make_ranking
from collections_opt.core.actors import Actor
from collections_opt.core.arrays import digest_text
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.reports.what_if.rule_what_if_report import rule_queue_table, rules_change, rules_headline, rules_sentence
from collections_opt.service.server.build import ServerOptions, build_server
from collections_opt.service.server.services import all_services
from collections_opt.wire.common import write_date
from collections_opt.wire.parameters import write_parameters
from collections_opt.wire.rules import read_rule_table, write_rule_table
from tests.support.books.city_rules import CITY, DAY, EVE, city_book, city_table
from tests.support.books.evidence_worlds import PLAN, opened, values
from tests.support.factories import CITY_CAP as CAP

SHIPPED = "shipped-rules"


@pytest.fixture(scope="module")
def reach(tmp_path_factory):
    """Yield how somebody reaches a server of a book in the city."""
    workspace = opened(tmp_path_factory.mktemp("rules"))
    for name, day in (("eve", EVE), ("day", DAY)):
        workspace.books.import_portfolio(name, city_book(day))
    workspace.values.declare(values(), Actor("ann"))
    built = build_server(all_services(workspace), ServerOptions(insecure_loopback=True))
    built.start()
    yield lambda actor: connect(Connection(f"127.0.0.1:{built.port}", insecure_loopback=True, actor=actor))
    built.stop(0)
    workspace.close()


def refused(reason, call, *args, **kwargs):
    with pytest.raises(CollectionsError) as caught:
        call(*args, **kwargs)
    assert caught.value.reason is reason, caught.value
    return [found.field for found in caught.value.violations]


def message(**changes):
    return write_rule_table(CITY, DAY, city_table(**changes))


def approval(version, table_id=CITY, **more):
    return pb.ApproveRuleTableRequest(request_id=str(uuid.uuid4()), rule_table_id=table_id, version=version, **more)


def in_force(client, day):
    found = client.rules.GetRulesInForce(pb.GetRulesInForceRequest(as_of_date=write_date(day)))
    return [f"{each.rule_table_id}/{each.state.version}" for each in found.rule_tables], found


def ranked(client, name):
    request = ranking_service_pb2.CreateRankingRequest(
        request_id=str(uuid.uuid4()),
        portfolio_id=name,
        capacity_plan_id=PLAN.plan_id,
        ordering=ranking_pb2.ORDERING_EXPECTED_VALUE,
        value_parameters=write_parameters(values()),
    )
    return make_ranking(client, request).inputs


def test_a_citys_table_is_saved_by_one_person_approved_by_another_and_binds_from_its_day(reach):
    with reach("ann") as ann, reach("ben") as ben:
        path = f"rule_table.rules[{CAP.rule_id}]"
        assert refused(Reason.INVALID_ARGUMENT, save_rule_table, ann, message(source="")) == [f"{path}.source"]
        held = message(rule_id="credit-balance")
        assert refused(Reason.RESOURCE_STATE_CONFLICT, save_rule_table, ann, held) == ["rule_table.rules[credit-balance].rule_id"]
        checked = save_rule_table(ann, message(), validate_only=True)
        assert (checked.state.version, checked.state.etag) == (0, "")
        key = str(uuid.uuid4())
        first = save_rule_table(ann, message(), note="new city", request_id=key)
        assert save_rule_table(ann, message(), note="new city", request_id=key) == first
        assert (first.state.version, first.state.saved_by.name, first.state.note) == (1, "ann", "new city")
        refused(Reason.ALREADY_EXISTS, save_rule_table, ann, message())
        assert f"{CITY}/1" not in in_force(ann, DAY)[0]
        refused(Reason.PERMISSION_DENIED, ann.rules.ApproveRuleTable, approval(1))
        ben.rules.ApproveRuleTable(approval(1, validate_only=True))
        assert not rule_table(ben, CITY).state.HasField("approval")
        approved = ben.rules.ApproveRuleTable(approval(1, note="read the code")).rule_table
        assert (approved.state.approval.approver.name, approved.state.approval.note) == ("ben", "read the code")
        assert in_force(ann, EVE)[0] == [f"{SHIPPED}/1"]
        names, found = in_force(ann, DAY)
        assert {f"{SHIPPED}/1", f"{CITY}/1"} <= set(names)
        inputs = ranked(ann, "day")
        assert [f"{each.rule_table_id}/{each.version}" for each in inputs.rule_tables] == names
        assert (inputs.rules_version, inputs.rules_digest) == (found.rules_version, found.rules_digest)
        assert [each.rule_table_id for each in ranked(ann, "eve").rule_tables] == [SHIPPED]


def test_the_next_version_follows_the_one_that_was_read_and_old_ones_stay(reach):
    def town(threshold):
        return write_rule_table("town", DAY, city_table(rule_id="town-cap", threshold=threshold))

    def binding(client):
        return [name for name in in_force(client, DAY)[0] if name.startswith("town/")]

    with reach("ann") as ann, reach("ben") as ben:
        save_rule_table(ann, town(2))
        second = save_rule_table(ben, town(1), follows=1)
        assert refused(Reason.ETAG_MISMATCH, save_rule_table, ann, town(3), follows=1) == ["etag"]
        assert [each.state.version for each in all_rule_table_versions(ann, "town")] == [2, 1]
        assert {SHIPPED, "town"} <= {each.rule_table_id for each in all_rule_tables(ann)}
        assert rule_table(ann, "town") == second
        assert binding(ann) == []
        ben.rules.ApproveRuleTable(approval(1, "town"))
        assert binding(ann) == ["town/1"]
        alone = ben.rules.ApproveRuleTable(approval(2, "town", self_approved=True)).rule_table
        assert alone.state.approval.mode == APPROVAL_MODE_SELF_APPROVED
        assert binding(ann) == ["town/2"]
        refused(Reason.NOT_FOUND, rule_table, ann, "town", 9)
        refused(Reason.NOT_FOUND, lambda: list(all_rule_table_versions(ann, "nowhere")))


def test_the_digest_in_force_is_that_of_all_rules_together(reach):
    with reach("ann") as ann:
        found = in_force(ann, EVE)[1]
        assert found.rules_digest == found.rule_tables[0].state.digest
        kept = save_rule_table(ann, write_rule_table("kept", DAY, city_table(rule_id="kept")))
        assert kept.state.digest == digest_text(dump(city_table(rule_id="kept")))


def test_a_what_if_streams_where_it_stands_and_then_money_minutes_and_accounts(reach):
    with reach("ann") as ann:
        key = ranking_service_pb2.ListRankingsRequest(page_size=1)
        made = ranked(ann, "eve")
        newest = ann.rankings.ListRankings(key).rankings[0]
        told = []
        request = evaluation_pb.EvaluateRulesRequest(
            basis=capacity_evaluation_pb2.CapacityBasis(ranking_id=newest.ranking_id),
            rule_tables=[write_rule_table("tried", DAY, city_table(rule_id="tried"))],
            max_moved_accounts=3,
        )
        found = evaluate_rules(ann, request, told.append)
        assert told
        assert found.comparison.change_minor_units < 0
        assert found.comparison.after.used_minutes <= found.comparison.before.capacity_minutes
        assert len(found.comparison.moved_accounts) <= 3
        effect = next(each for each in found.rules if each.rule_id == "tried")
        assert effect.blocked_before_count == 0 < effect.blocked_after_count
        assert found.rules_version_before == made.rules_version
        assert "tried (tried)" in found.rules_version_after
        summary = summarise_rules(found)
        assert rules_headline(summary).startswith("If these rules were in force: costs ")
        assert "leave" in rules_sentence(summary)
        assert "predicted" not in rule_queue_table(summary)[0]
        same = write_rule_table(SHIPPED, DAY, read_rule_table(rule_table(ann, SHIPPED, 1)))
        request = evaluation_pb.EvaluateRulesRequest(basis=request.basis, rule_tables=[same])
        nothing = summarise_rules(evaluate_rules(ann, request))
        assert not rules_change(nothing)
        assert rules_headline(nothing).startswith("Nothing changes")
        assert refused(
            Reason.RESOURCE_STATE_CONFLICT,
            evaluate_rules,
            ann,
            evaluation_pb.EvaluateRulesRequest(
                basis=request.basis, rule_tables=[write_rule_table("x", DAY, city_table(rule_id="fraud"))]
            ),
        ) == ["rule_tables[0].rules[fraud].rule_id"]
