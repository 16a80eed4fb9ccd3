"""Packed columns in, packed scores out: they say what messages say, and are refused at the column and row at fault."""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings

from collections_opt.api.v1 import capacity_service_pb2
from collections_opt.application.settings import bundled_plan
from collections_opt.client.scores import packed, score_columns
from collections_opt.core.errors import CollectionsError
from collections_opt.core.limits import MAX_CELL_BYTES, MAX_SCORE_ACCOUNTS
from collections_opt.wire.plans import write_plan
from tests.support.serving.calls import WAIT, fields_of, refused, score_request
from tests.support.serving.edge import refusal
from tests.support.serving.packed import OWN, as_chunk, as_message, as_scores, drawn_accounts

DESK = "shrinking-desk"
"""A plan of which a queue may be left fewer attempts, and another does not say when it works."""


@pytest.fixture(scope="module")
def desk(client):
    plan = write_plan(bundled_plan())
    plan.plan_id = DESK
    plan.queues[0].attempts_may_shrink = True
    plan.queues[0].attempt_count = 4
    del plan.queues[1].windows[:]
    client.plans.CreateCapacityPlan(capacity_service_pb2.CreateCapacityPlanRequest(capacity_plan=plan), timeout=WAIT)


def account(account_id="a", **values):
    plain = {"account_id": account_id, "product": "CREDIT_CARD", "balance_minor_units": 900_000, "arrears_minor_units": 90_000}
    return {**plain, "days_past_due": 45, "status_history": [], **values}


def sent(client, accounts, months=0, own=False, **changes):
    declared = {"own_columns": OWN} if own else {}
    request = score_request(chunk=as_chunk(accounts, months, own), **declared, **changes)
    return client.scoring.ScoreAccounts(request, timeout=WAIT)


def error_of(client, chunk, **changes):
    return refused(client.scoring.ScoreAccounts, score_request(chunk=chunk, **changes))


seen = set()
"""Columns of answers of the law that held something."""


def test_columns_say_what_messages_say(client, desk):
    @settings(max_examples=60, deadline=None, derandomize=True, database=None)
    @given(drawn=drawn_accounts())
    def law(drawn):
        accounts, months, own = drawn
        terms = {"capacity_plan_id": DESK, "own_columns": OWN if own else [], "omit_reason_codes": len(accounts) % 3 == 0}
        rows = client.scoring.ScoreAccounts(score_request(*map(as_message, accounts), **terms), timeout=WAIT)
        columns = client.scoring.ScoreAccounts(score_request(chunk=as_chunk(accounts, months, own), **terms), timeout=WAIT)
        assert as_scores(columns.columns) == list(rows.accounts)
        seen.update(column.name for column in columns.columns.queues.columns)
        seen.update(rule.rule_id for rule in columns.columns.blocking_rules)
        columns.ClearField("columns")
        rows.ClearField("accounts")
        assert columns == rows

    law()
    optional = {"blocking_rule", "next_eligible_date", "offered_attempts", "call_from_minute", "call_until_minute"}
    assert optional <= seen
    assert {"us-conversation-wait", "queue.bucket"} <= seen


def test_a_thousand_say_the_same_as_messages(client):
    rng = np.random.default_rng(5)
    accounts = [
        account(f"id-{at:04d}", balance_minor_units=int(rng.integers(1, 2_000_000_000)), days_past_due=int(rng.integers(1, 300)))
        for at in rng.permutation(MAX_SCORE_ACCOUNTS)
    ]
    rows = client.scoring.ScoreAccounts(score_request(*map(as_message, accounts)), timeout=WAIT)
    assert as_scores(sent(client, accounts).columns) == list(rows.accounts)


def test_both_neither_none_and_too_many_are_refused(client):
    chunk = as_chunk([account()], 0)
    both = refused(client.scoring.ScoreAccounts, score_request(as_message(account()), chunk=chunk))
    assert (refusal(both)[1], fields_of(both)) == ("INVALID_ARGUMENT", {"chunk"})
    neither = refused(client.scoring.ScoreAccounts, score_request())
    assert (refusal(neither)[1], fields_of(neither)) == ("INVALID_ARGUMENT", {"accounts"})
    for count in (0, MAX_SCORE_ACCOUNTS + 1, -1):
        chunk.row_count = count
        error = error_of(client, chunk)
        assert (refusal(error)[1], fields_of(error)) == ("LIMIT_EXCEEDED", {"chunk.row_count"})


def test_cells_at_fault_are_told_by_column_and_row(client):
    error = error_of(client, as_chunk([account("a"), account("b", balance_minor_units=2**50)], 0))
    assert fields_of(error) == {"chunk.columns[2].values[1]"}
    assert b"balance_minor_units of row 1: OUT_OF_RANGE" in refusal(error)[2].SerializeToString()
    twice = as_chunk([account("a"), account("b"), account("a", days_past_due=46)], 0)
    assert fields_of(error_of(client, twice)) == {"chunk.columns[0].values[0]", "chunk.columns[0].values[2]"}
    own = [account("a", **{"own.bureau_score": math.inf}), account("b")]
    error = error_of(client, as_chunk(own, 0, own=True), own_columns=OWN)
    assert fields_of(error) == {"chunk.columns[5].values[0]"}
    chunk = as_chunk([account("a"), account("b")], 0)
    chunk.columns[4].presence_bitmap = b"\x01"
    assert fields_of(error_of(client, chunk)) == {"chunk.columns[4].values[1]"}


@pytest.mark.parametrize(
    ("change", "reason", "path"),
    [
        (lambda c: c.columns[2].integers.values.append(1), "SCHEMA_MISMATCH", "chunk.columns[2]"),
        (lambda c: setattr(c.columns[2], "name", "balance"), "SCHEMA_MISMATCH", "chunk.columns[2].name"),
        (lambda c: setattr(c.columns[2], "name", "own.desk"), "SCHEMA_MISMATCH", "chunk.columns[2].name"),
        (lambda c: setattr(c.columns[3], "name", "product"), "SCHEMA_MISMATCH", "chunk.columns[3].name"),
        (lambda c: setattr(c.columns[3], "presence_bitmap", b"\1\1"), "SCHEMA_MISMATCH", "chunk.columns[3].presence_bitmap"),
        (lambda c: c.columns[1].text.values.__setitem__(0, "x" * (MAX_CELL_BYTES + 1)), "LIMIT_EXCEEDED", "chunk"),
        (lambda c: c.columns.pop(2), "SCHEMA_MISMATCH", "balance_minor_units"),
        (lambda c: c.columns[2].reals.values.extend([1.0, 2.0]), "INVALID_ARGUMENT", ""),
        (lambda c: c.columns[2].text.values.extend(["1", "2"]), "SCHEMA_MISMATCH", "balance_minor_units"),
    ],
)
def test_chunks_are_read_as_those_of_imports(client, change, reason, path):
    chunk = as_chunk([account("a"), account("b")], 0)
    change(chunk)
    if not path:  # whole numbers may come as reals
        assert client.scoring.ScoreAccounts(score_request(chunk=chunk), timeout=WAIT).columns.accounts.row_count == 2
        return
    error = error_of(client, chunk)
    assert (refusal(error)[1], fields_of(error)) == (reason, {path})


def table(count=7):
    rng = np.random.default_rng(2)
    return {
        "account_id": np.array([f"a{at}" for at in rng.permutation(count)], dtype=object),
        "product": np.array(["CREDIT_CARD"] * count, dtype=object),
        "balance_minor_units": rng.integers(1_000, 900_000, count),
        "arrears_minor_units": rng.integers(0, 900, count).astype(np.int32),
        "days_past_due": rng.integers(30, 90, count),
        "days_since_conversation": np.array([*range(1, count), np.nan]),
        "state": np.array(["US-NY", None, *["US-MA"] * (count - 2)], dtype=object),
        "cease": np.array([True, *[False] * (count - 1)]),
    }


def test_the_client_scores_any_table(client):
    timed = SimpleNamespace(
        scoring=SimpleNamespace(ScoreAccounts=lambda asked: client.scoring.ScoreAccounts(asked, timeout=WAIT))
    )
    plain = {**table(), "status_history": np.array([[1.0, np.nan]] * 7)}
    found = score_columns(timed, plain, score_request())
    scores = as_scores(found.answer.columns)
    assert found.accounts["account_id"].tolist() == plain["account_id"].tolist()
    assert found.accounts["p_cure"].tolist() == [score.p_cure for score in scores]
    assert found.queue_ids == tuple(queue.queue_id for queue in scores[0].queues)
    for row, score in enumerate(scores):
        for place, queue in enumerate(score.queues):
            cell = {name: values[row, place] for name, values in found.queues.items()}
            assert (cell["eligible"], cell["increment_minor_units"]) == (queue.eligible, queue.increment_minor_units)
            assert (cell["blocking_rule"] < 0) == queue.eligible
            date = queue.blocking_rule.next_eligible_date
            assert str(cell["next_eligible_date"]) == (f"{date.year}-{date.month:02}-{date.day:02}" if date.year else "NaT")
            assert (cell["call_from_minute"] >= 0) == queue.HasField("call_window")
        told = [found.answer.columns.reasons[at].code for at in found.reason[row].tolist() if at >= 0]
        assert told == [reason.code for reason in score.reason_codes]
    assert not np.isnat(found.queues["next_eligible_date"]).all()
    bare = score_columns(timed, plain, score_request(omit_reason_codes=True))
    assert (bare.reason.shape, bare.contribution.shape) == ((7, 0), (7, 0))


@pytest.mark.parametrize("made", [pd.DataFrame, pa.table, lambda t: pd.DataFrame(t).convert_dtypes()])
def test_frames_and_tables_are_sent_as_arrays_are(made):
    wanted, found = packed(table()), packed(made(table()))
    assert list(found.values) == list(wanted.values)
    for name, values in wanted.values.items():
        mask = wanted.present.get(name, np.ones(7, dtype=bool))
        np.testing.assert_array_equal(found.present.get(name, np.ones(7, dtype=bool)), mask)
        assert found.values[name][mask].tolist() == values[mask].tolist()


@pytest.mark.parametrize(
    ("name", "cells", "told"),
    [
        ("balance_minor_units", ["x"] * 7, "balance_minor_units"),
        ("days_past_due", [1] * 6, "days_past_due"),
        ("status_history", [[0.5]] * 7, "status_history"),
    ],
)
def test_what_no_column_can_hold_is_refused_before_it_is_sent(name, cells, told):
    with pytest.raises(CollectionsError) as caught:
        packed({**table(), name: cells})
    assert caught.value.violations[0].field == told
