"""The whole contract through a real server over a real workspace: each call, its refusals, and idempotency."""

from __future__ import annotations

import uuid

import grpc
import numpy as np
import pytest

from collections_opt.api.v1 import (
    account_pb2,
    capacity_plan_pb2,
    capacity_service_pb2,
    model_service_pb2,
    portfolio_service_pb2,
    ranking_pb2,
    ranking_service_pb2,
)
from collections_opt.api.v1 import value_parameters_pb2 as value_pb
from collections_opt.application.settings import bundled_parameters, bundled_plan
from collections_opt.wire.columns import ColumnCollector
from collections_opt.wire.parameters import write_parameters
from collections_opt.wire.plans import write_plan
from tests.support.serving.calls import (
    PLAN,
    ROWS,
    WAIT,
    C,
    account,
    columns,
    create_request,
    fields_of,
    import_requests,
    made,
    refused,
    score_request,
)
from tests.support.serving.edge import refusal


def test_rows_in_are_accepted_or_quarantined(client, book):
    assert (book.row_count, book.accepted_count, book.quarantined_count) == (ROWS, ROWS - 1, 1)
    found = client.portfolios.ListQuarantinedAccounts(
        portfolio_service_pb2.ListQuarantinedAccountsRequest(portfolio_id="book"), timeout=WAIT
    ).quarantined_accounts
    assert [(q.row, q.field, q.rule) for q in found] == [(0, "days_past_due", "OUT_OF_RANGE")]
    assert (
        client.portfolios.GetPortfolio(portfolio_service_pb2.GetPortfolioRequest(portfolio_id="book"), timeout=WAIT).portfolio
        == book
    )


def test_importing_again_is_free_and_other_content_is_refused(client, book):
    again = client.portfolios.ImportPortfolio(import_requests("book", columns()), timeout=WAIT).portfolio
    assert again == book
    error = refused(client.portfolios.ImportPortfolio, import_requests("book", columns(seed=2)))
    assert refusal(error)[:2] == (C.ALREADY_EXISTS, "ALREADY_EXISTS")


def test_a_cut_stream_is_never_a_whole_portfolio(client):
    error = refused(client.portfolios.ImportPortfolio, import_requests("cut", columns(), row_count=ROWS + 1))
    assert refusal(error)[1] == "SCHEMA_MISMATCH"
    assert refusal(refused(client.portfolios.ImportPortfolio, iter(())))[1] == "INVALID_ARGUMENT"
    lookup = portfolio_service_pb2.GetPortfolioRequest(portfolio_id="cut")
    assert refusal(refused(client.portfolios.GetPortfolio, lookup))[:2] == (C.NOT_FOUND, "NOT_FOUND")


def test_validate_only_imports_nothing(client):
    requests = import_requests("dry", columns(), validate_only=True)
    assert client.portfolios.ImportPortfolio(requests, timeout=WAIT).portfolio.accepted_count == ROWS - 1
    listed = client.portfolios.ListPortfolios(portfolio_service_pb2.ListPortfoliosRequest(), timeout=WAIT).portfolios
    assert "dry" not in {portfolio.portfolio_id for portfolio in listed}


def test_import_errors_name_the_header(client):
    error = refused(client.portfolios.ImportPortfolio, import_requests("tz", columns(), time_zone="Mars/Base"))
    assert fields_of(error) == {"header.time_zone"}


def test_a_plan_is_versioned_under_its_etag(client):
    plan = write_plan(bundled_plan())
    plan.plan_id = "desk"
    first = client.plans.CreateCapacityPlan(
        capacity_service_pb2.CreateCapacityPlanRequest(capacity_plan=plan), timeout=WAIT
    ).capacity_plan
    assert (first.version, bool(first.etag)) == (1, True)
    plan.queues[0].agent_count = 9
    update = capacity_service_pb2.UpdateCapacityPlanRequest(capacity_plan=plan, etag=first.etag, validate_only=True)
    assert client.plans.UpdateCapacityPlan(update, timeout=WAIT).capacity_plan.version == 0
    update.validate_only = False
    second = client.plans.UpdateCapacityPlan(update, timeout=WAIT).capacity_plan
    assert (second.version, second.queues[0].agent_count) == (2, 9)
    assert refusal(refused(client.plans.UpdateCapacityPlan, update))[:2] == (C.ABORTED, "ETAG_MISMATCH")
    old = client.plans.GetCapacityPlan(capacity_service_pb2.GetCapacityPlanRequest(plan_id="desk", version=1), timeout=WAIT)
    assert old.capacity_plan.effective_until == second.effective_from  # a later version ends it
    old.capacity_plan.ClearField("effective_until")
    assert old.capacity_plan == first
    create = capacity_service_pb2.CreateCapacityPlanRequest(capacity_plan=plan)
    assert refusal(refused(client.plans.CreateCapacityPlan, create))[:2] == (C.ALREADY_EXISTS, "ALREADY_EXISTS")


def test_plan_errors_name_every_field(client):
    plan = write_plan(bundled_plan())
    plan.plan_id = "bad"
    plan.queues[0].shrinkage = 2
    plan.queues[1].attempt_count = -1
    request = capacity_service_pb2.CreateCapacityPlanRequest(capacity_plan=plan)
    expected = {"capacity_plan.queues[0].shrinkage", "capacity_plan.queues[1].attempt_count"}
    assert fields_of(refused(client.plans.CreateCapacityPlan, request)) == expected


def test_plans_are_listed_page_by_page(client):
    for name in ("page-a", "page-b"):
        plan = write_plan(bundled_plan())
        plan.plan_id = name
        client.plans.CreateCapacityPlan(capacity_service_pb2.CreateCapacityPlanRequest(capacity_plan=plan), timeout=WAIT)
    seen, token = [], ""
    while True:
        request = capacity_service_pb2.ListCapacityPlansRequest(page_size=1, page_token=token)
        page = client.plans.ListCapacityPlans(request, timeout=WAIT)
        seen += [plan.plan_id for plan in page.capacity_plans]
        token = page.next_page_token
        if not token:
            break
    assert seen == sorted(seen)
    assert {PLAN, "page-a", "page-b"} <= set(seen)


def test_scores_come_in_the_order_sent_and_add_up(client):
    blocked = account("b", block_flags=account_pb2.BlockFlags(cease=True))
    small = account("a", balance_minor_units=1_000, arrears_minor_units=100)
    answer = client.scoring.ScoreAccounts(score_request(account("z"), blocked, small), timeout=WAIT)
    assert [score.account_id for score in answer.accounts] == ["z", "b", "a"]
    for score in answer.accounts:
        assert score.p_cure + score.p_default + score.p_stay == pytest.approx(1.0)
        assert score.reason_codes
        for queue in score.queues:
            assert queue.eligible != queue.HasField("blocking_rule")
            if queue.eligible:
                total = score.expected_recovery_without_contact_minor_units + queue.increment_minor_units
                assert queue.expected_recovery_minor_units == total
                assert queue.handling_minutes > 0
                assert (queue.call_window.start_minute, queue.call_window.end_minute) == (540, 1260)
            else:
                assert not queue.HasField("call_window")
    assert {queue.blocking_rule.rule_id for queue in answer.accounts[1].queues} == {"cease"}
    balance = {score.account_id: score.expected_recovery_without_contact_minor_units for score in answer.accounts}
    assert balance["z"] > balance["a"]
    assert answer.capacity_plan_version >= 1
    assert answer.model_version.startswith("outcome/")


def test_scores_say_where_the_loss_given_default_comes_from(client):
    answer = client.scoring.ScoreAccounts(score_request(account("z"), account("a", loss_given_default=0.2)), timeout=WAIT)
    told = [(score.loss_source, score.loss_given_default) for score in answer.accounts]
    planned = bundled_parameters().products["CREDIT_CARD"].loss_given_default
    assert told == [(value_pb.LOSS_SOURCE_VALUE_PARAMETERS, planned), (value_pb.LOSS_SOURCE_ACCOUNT, 0.2)]
    assert (answer.recovery_version, answer.recovery_problem) == ("", "")


def test_reasons_can_be_left_out_and_nothing_else_changes(client):
    full = client.scoring.ScoreAccounts(score_request(account("z"), account("a")), timeout=WAIT)
    bare = client.scoring.ScoreAccounts(score_request(account("z"), account("a"), omit_reason_codes=True), timeout=WAIT)
    for score in full.accounts:
        assert score.reason_codes
        del score.reason_codes[:]
    assert bare == full


def test_scores_say_how_the_accounts_fit_the_model(client):
    abroad = account("u", state="US-NY", days_past_due=65, credit_limit_minor_units=2_000_000)
    health = client.scoring.ScoreAccounts(score_request(account("z", days_past_due=65), abroad), timeout=WAIT).health
    assert (health.domain_declared, list(health.domain_binding_fields)) == (True, ["product"])
    assert {one.name: one.account_count for one in health.outside_domain} == {"country US": 1}
    assert health.outside_domain_account_count == 1
    lacking = {one.name: one.account_count for one in health.lacking_features}
    assert (lacking["status_0"], lacking["credit_limit"], health.lacking_features_account_count) == (2, 1, 2)
    assert [one.account_count for one in health.scored_by] == [2]
    assert any("outside the domain" in told for told in health.warnings)
    assert any("lack what the training" in told for told in health.warnings)


def test_score_errors_name_the_row_and_field_sent(client):
    error = refused(client.scoring.ScoreAccounts, score_request(account("a"), account("b", balance_minor_units=2**50)))
    assert fields_of(error) == {"accounts[1].balance_minor_units"}
    error = refused(client.scoring.ScoreAccounts, score_request(account("a"), capacity_plan_id="absent"))
    assert refusal(error)[1] == "NOT_FOUND"
    assert fields_of(error) == {"capacity_plan_id"}
    wrong = write_parameters(bundled_parameters())
    wrong.products["CREDIT_CARD"].stay_payment_share = 7
    error = refused(client.scoring.ScoreAccounts, score_request(account("a"), value_parameters=wrong))
    assert fields_of(error) == {"value_parameters.products['CREDIT_CARD'].stay_payment_share"}


def test_a_ranking_says_how_good_it_is_and_conserves_accounts(ranking):
    counts = ranking.counts
    total = counts.assigned_count + counts.ineligible_count + counts.costs_more_than_it_earns_count + counts.priced_out_count
    assert total == ROWS - 1
    assert counts.ineligible_count > 0
    assert 0 < ranking.quality.objective_minor_units <= ranking.quality.bound_minor_units
    assert all(queue.used_minutes <= queue.capacity_minutes for queue in ranking.queues)
    assert ranking.record.record_digest
    assert ranking.inputs.value_parameters == write_parameters(bundled_parameters())


def test_a_ranking_says_what_its_money_rests_on(ranking):
    """The bundled plan's effects are ASSUMED, and so is all of the money; the grades add up to the objective."""
    money = {held.grade: held.increment_minor_units for held in ranking.evidence}
    assert sum(money.values()) == ranking.quality.objective_minor_units == money[capacity_plan_pb2.EVIDENCE_GRADE_ASSUMED]
    assert {held.grade: held.money_share for held in ranking.evidence}[capacity_plan_pb2.EVIDENCE_GRADE_ASSUMED] == 1.0
    assert ranking.inputs.effects_version.startswith("plan/")
    assert (ranking.inputs.effects_digest, ranking.inputs.effects_problem) == ("", "")
    used = {held.source: held.account_count for held in ranking.inputs.loss_sources}
    assert used[value_pb.LOSS_SOURCE_VALUE_PARAMETERS] == sum(used.values()) == ROWS - 1
    assert (ranking.inputs.recovery_version, ranking.inputs.recovery_digest, ranking.inputs.recovery_problem) == ("", "", "")


def test_the_same_request_finds_the_same_ranking_and_another_payload_is_refused(client, ranking):
    again = client.rankings.CreateRanking(create_request(), timeout=WAIT).ranking
    assert again == ranking
    error = refused(client.rankings.CreateRanking, create_request(ordering=ranking_pb2.ORDERING_BALANCE))
    assert refusal(error)[:2] == (C.ALREADY_EXISTS, "REQUEST_ID_REUSED")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"request_id": "x"}, "request_id"),
        ({"ordering": 0}, "ordering"),
        ({"ordering": 77}, "ordering"),
        ({"solver": 77}, "solver"),
        ({"portfolio_id": "absent"}, "portfolio_id"),
        ({"capacity_plan_id": "absent"}, "capacity_plan_id"),
    ],
)
def test_ranking_requests_are_refused_by_field(client, book, changes, field):
    request = create_request(**{"request_id": str(uuid.UUID(int=99, version=4)), **changes})
    assert fields_of(refused(client.rankings.CreateRanking, request)) == {field}


def test_validate_only_makes_no_ranking(client, book):
    request = create_request(request_id=str(uuid.UUID(int=55, version=4)), validate_only=True)
    dry = client.rankings.CreateRanking(request, timeout=WAIT).ranking
    assert dry.state == ranking_pb2.RANKING_STATE_UNSPECIFIED
    lookup = ranking_service_pb2.GetRankingRequest(ranking_id=dry.ranking_id)
    assert refusal(refused(client.rankings.GetRanking, lookup))[1] == "NOT_FOUND"


def exported(client, ranking):
    request = ranking_service_pb2.ExportRankingRequest(ranking_id=ranking.ranking_id)
    collector = ColumnCollector(ROWS - 1)
    for response in client.rankings.ExportRanking(request, timeout=WAIT):
        collector.add(response.chunk)
    return collector.columns()


def test_the_export_holds_every_account_and_agrees_with_worklists(client, ranking):
    table = exported(client, ranking)
    worked = table.present["queue_id"]
    assert int(worked.sum()) == ranking.counts.assigned_count
    assert int(table.values["increment_minor_units"][worked].sum()) == ranking.quality.objective_minor_units
    total = table.values["p_cure"] + table.values["p_default"] + table.values["p_stay"]
    np.testing.assert_allclose(total, 1.0, atol=1e-8)
    listed = []
    for queue in ranking.queues:
        token = ""
        while True:
            request = ranking_service_pb2.ListWorklistRequest(
                ranking_id=ranking.ranking_id, queue_id=queue.queue_id, page_size=7, page_token=token
            )
            page = client.rankings.ListWorklist(request, timeout=WAIT)
            listed += [(queue.queue_id, entry.priority, entry.account_id) for entry in page.entries]
            assert {(e.call_window.start_minute, e.call_window.end_minute) for e in page.entries} <= {(540, 1260)}
            assert page.time_zone == "Asia/Taipei"
            token = page.next_page_token
            if not token:
                break
    values = table.values
    assert set(values["call_from_minute"][worked].tolist()) == {540}
    assert set(values["call_until_minute"][worked].tolist()) == {1260}
    assert ranking.health.hours_not_planned_account_count == 0
    expected = zip(values["queue_id"][worked], values["priority"][worked], values["account_id"][worked], strict=True)
    assert listed == sorted(expected, key=lambda row: ([q.queue_id for q in ranking.queues].index(row[0]), row[1]))


def test_every_disposition_is_explained(client, ranking):
    table = exported(client, ranking)
    for disposition in np.unique(table.values["disposition"].astype(str)):
        account_id = table.values["account_id"][table.values["disposition"] == disposition][0]
        request = ranking_service_pb2.ExplainAssignmentRequest(ranking_id=ranking.ranking_id, account_id=account_id)
        found = client.rankings.ExplainAssignment(request, timeout=WAIT)
        assert ranking_pb2.Disposition.Name(found.disposition) == disposition
        assert found.sentence
        here = [q for q in found.queues if q.verdict == ranking_service_pb2.VERDICT_WORKED_HERE]
        assert len(here) == (disposition == "DISPOSITION_ASSIGNED")
        for queue in found.queues:
            assert queue.HasField("blocking_rule") == (queue.verdict == ranking_service_pb2.VERDICT_BLOCKED)
            if queue.verdict != ranking_service_pb2.VERDICT_BLOCKED:
                parts = queue.from_cure_minor_units + queue.from_default_minor_units - queue.cost_minor_units
                assert parts == pytest.approx(queue.increment_minor_units, abs=1.0)
    absent = ranking_service_pb2.ExplainAssignmentRequest(ranking_id=ranking.ranking_id, account_id="nobody")
    assert refusal(refused(client.rankings.ExplainAssignment, absent))[1] == "NOT_FOUND"


def test_every_ordering_ranks_and_none_beats_the_optimised_one(client, ranking):
    others = ranking_pb2.Ordering.values()[2:]
    requests = {number: str(uuid.UUID(int=1_000 + number, version=4)) for number in others}
    ids = [ranking.ranking_id, *(made(client, ordering=n, request_id=key).ranking_id for n, key in requests.items())]
    request = ranking_service_pb2.CompareRankingsRequest(ranking_ids=ids)
    found = client.rankings.CompareRankings(request, timeout=WAIT).comparisons
    assert [comparison.ranking_id for comparison in found] == ids
    assert found[0].overlap_share == 1.0
    assert all(c.increment_minor_units <= ranking.quality.bound_minor_units for c in found)
    assert all(c.increment_minor_units <= found[0].increment_minor_units for c in found)
    listed = client.rankings.ListRankings(ranking_service_pb2.ListRankingsRequest(page_size=3), timeout=WAIT)
    sequence = [shown.record.sequence for shown in listed.rankings]
    assert sequence == sorted(sequence, reverse=True)
    assert listed.next_page_token
    none = ranking_service_pb2.CompareRankingsRequest()
    assert refusal(refused(client.rankings.CompareRankings, none))[1] == "LIMIT_EXCEEDED"


def test_watching_an_unknown_ranking_is_refused(client):
    with pytest.raises(grpc.RpcError) as caught:
        next(client.rankings.WatchRanking(ranking_service_pb2.WatchRankingRequest(ranking_id="rk-none"), timeout=WAIT))
    assert refusal(caught.value)[1] == "NOT_FOUND"


def test_the_champion_is_shown_with_digests_and_card(client, ranking):
    listed = client.models.ListModels(model_service_pb2.ListModelsRequest(), timeout=WAIT).models
    champion = next(model for model in listed if model.role == model_service_pb2.MODEL_ROLE_CHAMPION)
    assert not champion.card
    full = client.models.GetModel(model_service_pb2.GetModelRequest(kind="outcome"), timeout=WAIT).model
    assert full.version == champion.version
    assert full.card
    assert full.metrics
    assert full.digest == ranking.inputs.model_digest
    unknown = model_service_pb2.GetModelRequest(kind="outcome", version="no-such")
    assert refusal(refused(client.models.GetModel, unknown))[:2] == (C.NOT_FOUND, "NOT_FOUND")
