"""Who enters and who leaves under another order: beside the records themselves, and as files that no spreadsheet runs."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pyarrow.csv
import pyarrow.parquet
import pytest
from python_calamine import CalamineWorkbook

from collections_opt.client.client import connect
from collections_opt.client.comparison import ENTERS, account_changes, rank_beside
from collections_opt.client.connection import Connection
from collections_opt.client.rankings import get_ranking
from collections_opt.core.errors import CollectionsError
from collections_opt.core.evaluation.known_outcomes import KnownOutcomes
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.reports.account_files import FORMATS, account_workbook
from tests.support.console.desk import HOSTILE, shown


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    with shown(tmp_path_factory.mktemp("desk"), tokens=False) as made:
        yield made


@pytest.fixture(scope="module")
def client(desk):
    with connect(Connection(desk.address, insecure_loopback=True)) as made:
        yield made


@pytest.fixture(scope="module")
def pair(client, desk):
    first = get_ranking(client, desk.ranking_id)
    return first, rank_beside(client, first, [Ordering.DAYS_PAST_DUE])[0]


def worked(desk, ranking):
    entries = desk.workspace.recorded.open(ranking.ranking_id).entries
    return {a.decode() for a, queue in zip(entries.account_id, entries.queue, strict=True) if queue >= 0}


def test_they_are_the_accounts_that_one_record_works_and_the_other_does_not(client, desk, pair):
    found = account_changes(client, pair[0], [pair[1]])
    by_first, by_other = (worked(desk, one) for one in pair)
    named = dict(zip(found.columns["account_id"], found.columns["change"], strict=True))
    assert {a for a, change in named.items() if change == ENTERS} == by_other - by_first
    assert {a for a, change in named.items() if change != ENTERS} == by_first - by_other
    assert by_first - by_other
    increments = found.columns["increment_minor_units"]
    assert (np.diff(increments) <= 0).all()
    held = desk.workspace.recorded.open(pair[0].ranking_id)
    at = {a.decode(): row for row, a in enumerate(held.portfolio.column("account_id"))}
    balances = held.portfolio.column("balance_minor")
    for account, balance in zip(found.columns["account_id"], found.columns["balance_minor_units"], strict=True):
        assert balance == balances[at[account]]


def test_asked_again_the_other_order_is_the_same_ranking(client, pair):
    assert rank_beside(client, pair[0], [Ordering.DAYS_PAST_DUE])[0].ranking_id == pair[1].ranking_id


def test_several_orders_stand_one_after_the_other(client, pair):
    more = rank_beside(client, pair[0], [Ordering.P_DEFAULT])
    found = account_changes(client, pair[0], [pair[1], *more])
    assert set(found.columns["order"]) <= {"DAYS_PAST_DUE", "P_DEFAULT"}
    assert found.count == sum(account_changes(client, pair[0], [one]).count for one in (pair[1], *more))
    assert account_changes(client, pair[0], []).count == 0


def test_what_they_paid_stands_beside_them(client, pair):
    ids = np.array([f"a{i:03d}".encode() for i in range(24)] + [HOSTILE.encode()])
    known = KnownOutcomes(ids, np.arange(25), np.zeros(25, bool), np.ones(25, bool))
    found = account_changes(client, pair[0], [pair[1]], known)
    paid = dict(zip(found.columns["account_id"], found.columns["cash_minor_units"], strict=True))
    assert all(cash == (24 if account == HOSTILE else int(account[1:])) for account, cash in paid.items())


def test_rankings_of_other_accounts_are_refused(client, pair, monkeypatch):
    from collections_opt.client import comparison as module  # noqa: PLC0415

    export = module.export_columns

    def shortened(client, ranking, with_account_facts=False):
        columns = export(client, ranking, with_account_facts)
        return columns if with_account_facts else replace(columns, row_count=columns.row_count - 1)

    monkeypatch.setattr(module, "export_columns", shortened)
    with pytest.raises(CollectionsError, match="ranks other accounts"):
        account_changes(client, pair[0], [pair[1]])


COLUMNS = {
    "account_id": np.array(["=1+1", "+2", "@x", "-3", "a\u202eb", "plain"], dtype=object),
    "balance_minor_units": np.array([1, -2, 3, 4, 5, 6]),
}
PRESENT = {"balance_minor_units": np.array([True, True, True, True, True, False])}


def test_no_text_of_a_file_acts_in_a_spreadsheet():
    text = FORMATS["csv"][0](COLUMNS, PRESENT).decode()
    ids = [line.split(",")[0] for line in text.splitlines()[1:]]
    assert ids == ['"\'=1+1"', '"\'+2"', '"\'@x"', '"\'-3"', '"a\\u202eb"', '"plain"']
    assert text.splitlines()[2].endswith(",-2")
    assert text.splitlines()[-1].endswith(",")
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(FORMATS["xlsx"][0](COLUMNS, PRESENT))).get_sheet_by_index(0).to_python()
    assert sheet[1] == ["=1+1", 1.0]
    assert sheet[-1] == ["plain", ""]
    table = pyarrow.parquet.read_table(io.BytesIO(FORMATS["parquet"][0](COLUMNS, PRESENT)))
    assert table["account_id"].to_pylist()[0] == "=1+1"
    assert table["balance_minor_units"].null_count == 1


def test_a_sheet_that_is_too_long_is_refused():
    with pytest.raises(CollectionsError, match="more than a sheet has"):
        account_workbook({"row": np.zeros(1_048_576, dtype=np.int64)}, {})
