"""One contact per person over the API: what a ranking, an export, an explanation and a placement say of it."""

from __future__ import annotations

import uuid
from dataclasses import replace

import numpy as np
import pytest

from collections_opt.api.v1 import account_pb2, capacity_service_pb2, placement_pb2, ranking_pb2, ranking_service_pb2
from collections_opt.application.settings import bundled_plan
from collections_opt.client.exports import export_columns, export_entries
from collections_opt.client.portfolios import import_portfolio
from collections_opt.client.rankings import make_ranking, summarise
from collections_opt.core.accounts.portfolio import RawPortfolio
from collections_opt.core.problem.assignment import UNASSIGNED
from collections_opt.core.ranking.ranking import Disposition
from collections_opt.datasets.credit_card import load_accounts, snapshot
from collections_opt.reports.ranking_report import count_sentence, persons_sentence
from collections_opt.wire.common import write_date
from collections_opt.wire.plans import read_plan, write_plan
from tests.support.serving.servers import real

SEVERAL = replace(bundled_plan(), plan_id="several", several_contacts_per_person=True)


@pytest.fixture(scope="module")
def raw():
    """Return 600 accounts of real data, owned by 200 persons."""
    shot = snapshot(load_accounts(), 8).raw
    rows = np.argsort(-shot.columns["balance_minor"], kind="stable")[:600]
    columns = {name: column[rows] for name, column in shot.columns.items()}
    columns["customer_id"] = np.array([f"C-{k:03d}" for k in np.random.default_rng(1).integers(0, 200, 600)], dtype=object)
    masks = {name: mask[rows] for name, mask in shot.present.items() if name != "customer_id"}
    return RawPortfolio(shot.as_of_date, shot.time_zone, shot.currency_code, columns, masks)


@pytest.fixture(scope="module")
def client(tmp_path_factory, raw):
    with real(tmp_path_factory.mktemp("persons")) as client:
        import_portfolio(client, "owned", raw)
        client.capacity.CreateCapacityPlan(capacity_service_pb2.CreateCapacityPlanRequest(capacity_plan=write_plan(SEVERAL)))
        yield client


def ranked(client, plan_id):
    request = ranking_service_pb2.CreateRankingRequest(
        request_id=str(uuid.uuid4()),
        portfolio_id="owned",
        capacity_plan_id=plan_id,
        ordering=ranking_pb2.ORDERING_EXPECTED_VALUE,
    )
    return make_ranking(client, request)


@pytest.fixture(scope="module")
def made(client):
    return ranked(client, bundled_plan().plan_id)


def test_a_ranking_says_that_persons_bind_and_its_export_is_what_was_recorded(client, made):
    entries, summary = export_entries(client, made), summarise(made)
    assert made.persons.one_contact_per_person
    assert made.persons.person_count == len(set(entries.person.tolist())) < 600
    assert np.bincount(entries.person[entries.queue != UNASSIGNED]).max() == 1
    left = int((entries.disposition == Disposition.ANOTHER_ACCOUNT_WORKED).sum())
    assert made.counts.another_account_worked_count == left > 0
    assert f"{left:,} left for another account of their person" in count_sentence(summary)
    assert made.persons.most_account_count == np.bincount(entries.person).max()
    assert persons_sentence(summary) == f"{made.persons.person_count} persons, each contacted about one account at most."
    assert not [told for told in summary.warnings if "customer_id" in told]


def test_a_plan_that_allows_several_contacts_is_stored_read_back_and_said(client, made):
    stored = client.capacity.GetCapacityPlan(capacity_service_pb2.GetCapacityPlanRequest(plan_id="several")).capacity_plan
    assert stored.several_contacts_per_person
    assert read_plan(stored).several_contacts_per_person
    free = ranked(client, "several")
    assert not free.persons.one_contact_per_person
    assert free.quality.objective_minor_units > made.quality.objective_minor_units
    assert "several accounts" in persons_sentence(summarise(free))
    assert "person" not in export_columns(client, free).values
    compare = ranking_service_pb2.CompareRankingsRequest(ranking_ids=[made.ranking_id, free.ranking_id])
    with pytest.raises(Exception, match=r"ranking_ids\[1\]"):
        client.rankings.CompareRankings(compare)


def test_an_explanation_and_a_placement_name_the_account_worked_instead(client, made, raw):
    entries = export_entries(client, made)
    row = int(np.flatnonzero(entries.disposition == Disposition.ANOTHER_ACCOUNT_WORKED)[0])
    account_id = entries.account_id[row].decode()
    request = ranking_service_pb2.ExplainAssignmentRequest(ranking_id=made.ranking_id, account_id=account_id)
    told = client.rankings.ExplainAssignment(request)
    assert told.disposition == ranking_pb2.DISPOSITION_ANOTHER_ACCOUNT_WORKED
    other = entries.account_id.tolist().index(told.worked_account_id.encode())
    assert entries.person[other] == entries.person[row]
    assert ranking_service_pb2.VERDICT_ANOTHER_ACCOUNT_WORKED in {queue.verdict for queue in told.queues}
    customer = dict(zip(raw.columns["account_id"].tolist(), raw.columns["customer_id"].tolist(), strict=True))[account_id]
    small = account_pb2.Account(
        account_id="new",
        customer_id=customer,
        product="CREDIT_CARD",
        balance_minor_units=1_000_000,
        arrears_minor_units=100_000,
        days_past_due=45,
    )
    placed = client.rankings.PlaceAccounts(
        placement_pb2.PlaceAccountsRequest(
            ranking_id=made.ranking_id,
            accounts=[small],
            as_of_date=write_date(raw.as_of_date),
            time_zone=raw.time_zone,
            currency_code=raw.currency_code,
        )
    ).accounts[0]
    assert placed.queue_id == ""
    if placed.disposition == ranking_pb2.DISPOSITION_ANOTHER_ACCOUNT_WORKED:
        assert placed.worked_account_id == told.worked_account_id
        assert told.worked_account_id in placed.sentence
