"""Whole jobs of the client against the product: what comes back is what was recorded, to the byte."""

from __future__ import annotations

import uuid
from datetime import date

import numpy as np
import pytest

from collections_opt.api.v1 import ranking_pb2, ranking_service_pb2
from collections_opt.application.settings import bundled_plan
from collections_opt.client.exports import export_entries
from collections_opt.client.portfolios import import_portfolio, quarantined
from collections_opt.client.rankings import get_ranking, headline, make_ranking, ranking_in_force, summarise, worklist
from collections_opt.core.accounts.portfolio import RawPortfolio
from collections_opt.core.desk.queues import EvidenceGrade
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.ranking import Disposition
from tests.support.serving.servers import real

ROWS = 500
PLAN = bundled_plan().plan_id


def raw(rows=ROWS, seed=1, **changes):
    rng = np.random.default_rng(seed)
    balance = rng.integers(50_000, 5_000_000, rows)
    columns = {
        "account_id": np.array([f"konto-ä-{i:05d}" for i in rng.permutation(rows)], dtype=object),
        "product": np.full(rows, "CREDIT_CARD", dtype=object),
        "state": np.full(rows, "TW", dtype=object),
        "balance_minor": balance,
        "arrears_minor": balance // 10,
        "days_past_due": rng.integers(30, 120, rows),
        "status_history": rng.integers(0, 4, (rows, 4)),
        "cease": rng.random(rows) < 0.05,
    }
    columns["days_past_due"][0] = -4
    return RawPortfolio(date(2026, 11, 24), "Asia/Taipei", "TWD", {**columns, **changes}, {"state": rng.random(rows) < 0.9})


def order(seed=1, **changes):
    fields = {
        "request_id": str(uuid.UUID(int=seed, version=4)),
        "portfolio_id": "book",
        "capacity_plan_id": PLAN,
        "ordering": ranking_pb2.ORDERING_EXPECTED_VALUE,
    }
    return ranking_service_pb2.CreateRankingRequest(**{**fields, **changes})


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with real(tmp_path_factory.mktemp("data")) as client:
        yield client


@pytest.fixture(scope="module")
def book(client):
    told = []
    portfolio = import_portfolio(client, "book", raw(), progress=told.append)
    assert [p.fraction for p in told] == sorted(p.fraction for p in told)
    assert f"{ROWS:,} of {ROWS:,}" in told[-2].stage
    return portfolio


@pytest.fixture(scope="module")
def ranking(client, book):
    told = []
    made = make_ranking(client, order(), told.append)
    assert told
    return made


def test_rows_sent_are_accepted_or_quarantined_with_the_remedy(client, book):
    assert (book.row_count, book.accepted_count, book.quarantined_count) == (ROWS, ROWS - 1, 1)
    found = list(quarantined(client, "book"))
    assert [(q.row, q.field, q.value, q.rule) for q in found] == [(0, "days_past_due", "-4", "OUT_OF_RANGE")]
    assert found[0].remedy


def test_a_check_stores_nothing(client):
    checked = import_portfolio(client, "checked", raw(), validate_only=True)
    assert checked.accepted_count == ROWS - 1
    with pytest.raises(CollectionsError) as caught:
        list(quarantined(client, "checked"))
    assert caught.value.reason is Reason.NOT_FOUND


def test_an_import_without_ids_is_refused_by_the_server_with_the_column(client):
    table = raw()
    columns = {name: values for name, values in table.columns.items() if name != "account_id"}
    with pytest.raises(CollectionsError) as caught:
        import_portfolio(client, "nobody", RawPortfolio(table.as_of_date, table.time_zone, table.currency_code, columns))
    assert caught.value.reason is Reason.SCHEMA_MISMATCH


def test_the_same_request_returns_the_same_ranking(client, ranking):
    assert make_ranking(client, order()) == ranking
    assert get_ranking(client, ranking.ranking_id) == ranking


def test_the_ranking_in_force_is_what_was_made_to_be_worked(client, ranking):
    by_balance = order(seed=9, ordering=ranking_pb2.ORDERING_BALANCE)
    make_ranking(client, by_balance)
    tried = order(seed=10, purpose=ranking_pb2.RANKING_PURPOSE_ANALYSIS)
    made = make_ranking(client, tried)
    assert ranking_in_force(client) == ranking
    assert (made.inputs.purpose, ranking.inputs.purpose) == (
        ranking_pb2.RANKING_PURPOSE_ANALYSIS,
        ranking_pb2.RANKING_PURPOSE_WORK,
    )
    assert headline(made).endswith("by expected value, for analysis")
    queue = made.queues[0].queue_id
    with pytest.raises(CollectionsError) as caught:
        list(worklist(client, made.ranking_id, queue))
    assert caught.value.reason is Reason.RANKING_NOT_IN_FORCE
    assert list(worklist(client, made.ranking_id, queue, allow_analysis=True))
    declared = order(seed=11, ordering=ranking_pb2.ORDERING_BALANCE, purpose=ranking_pb2.RANKING_PURPOSE_WORK)
    assert make_ranking(client, declared) == ranking_in_force(client)
    with pytest.raises(CollectionsError) as caught:
        ranking_in_force(client, "nowhere")
    assert caught.value.reason is Reason.NOT_FOUND


def test_exported_entries_are_the_recorded_ones_to_the_byte(client, ranking):
    entries = export_entries(client, ranking)
    assert entries.digest == ranking.record.entries_digest
    summary = summarise(ranking)
    assert summary.counts == {d: entries.count(d) for d in Disposition}
    assert summary.account_count == ROWS - 1
    assert summary.ordering is Ordering.EXPECTED_VALUE
    assert summary.money_by_grade == ((EvidenceGrade.ASSUMED, 1.0),)
    used = [entries.seconds[entries.queue == q].sum() / 60 for q in range(len(summary.queues))]
    assert used == pytest.approx([queue.used_minutes for queue in summary.queues])


def test_an_export_that_differs_from_the_record_is_refused(client, ranking):
    other = ranking_pb2.Ranking.FromString(ranking.SerializeToString())
    other.record.entries_digest = "0" * 64
    with pytest.raises(CollectionsError) as caught:
        export_entries(client, other)
    assert caught.value.reason is Reason.INTEGRITY_FAILURE


def test_worklists_are_the_exports_order_whatever_the_page(client, ranking):
    entries = export_entries(client, ranking)
    for index, queue in enumerate(ranking.queues):
        rows = np.flatnonzero(entries.queue == index)
        expected = [entries.account_id[row].decode() for row in rows[np.argsort(entries.priority[rows])]]
        for size in (7, 1_000):
            assert [e.account_id for e in worklist(client, ranking.ranking_id, queue.queue_id, size)] == expected


def test_refusals_name_field_and_remedy(client, book):
    with pytest.raises(CollectionsError) as caught:
        make_ranking(client, order(seed=2, request_id="7"))
    assert caught.value.reason is Reason.INVALID_ARGUMENT
    assert [v.field for v in caught.value.violations] == ["request_id"]
    assert caught.value.violations[0].remedy
    with pytest.raises(CollectionsError) as caught:
        make_ranking(client, order(ordering=ranking_pb2.ORDERING_BALANCE))
    assert caught.value.reason is Reason.REQUEST_ID_REUSED
