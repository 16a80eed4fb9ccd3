"""Imports that go wrong on the way: whatever the columns or the caller do, a portfolio is stored whole or not at all."""

from __future__ import annotations

import threading

import grpc
import numpy as np
import pytest

from collections_opt.api.v1 import columns_pb2
from collections_opt.api.v1 import portfolio_service_pb2 as pb
from collections_opt.core.limits import MAX_CHUNK_BYTES
from collections_opt.wire.columns import Columns
from tests.support.serving.calls import ROWS, WAIT, columns, fields_of, import_requests
from tests.support.serving.edge import refusal


def imported(client, requests):
    return client.portfolios.ImportPortfolio(iter(requests), timeout=WAIT).portfolio


def refused(client, requests):
    with pytest.raises(grpc.RpcError) as caught:
        imported(client, requests)
    return caught.value


def stored(client, data):
    """Return what there is: the ids of portfolios, and the objects."""
    listed = client.portfolios.ListPortfolios(pb.ListPortfoliosRequest(page_size=1_000), timeout=WAIT).portfolios
    objects = {path.name for path in (data / "objects").rglob("*") if path.is_file()}
    return {portfolio.portfolio_id for portfolio in listed}, objects


def chunks(requests):
    return [request.chunk for request in requests if request.HasField("chunk")]


def test_columns_may_come_in_any_order_even_from_chunk_to_chunk(client):
    plain = imported(client, import_requests("plain", columns()))
    requests = list(import_requests("shuffled", columns()))
    assert len(chunks(requests)) > 2
    for number, chunk in enumerate(chunks(requests)):
        order = np.random.default_rng(number).permutation(len(chunk.columns))
        given = list(chunk.columns)
        del chunk.columns[:]
        chunk.columns.extend(given[place] for place in order)
    assert imported(client, requests).digest == plain.digest


def with_column(change):
    """Return import requests of which every chunk went through ``change``."""
    requests = list(import_requests("broken", columns()))
    for chunk in chunks(requests):
        change(chunk)
    return requests


def column(chunk, name):
    return next(c for c in chunk.columns if c.name == name)


def repeat(chunk):
    chunk.columns.add().CopyFrom(chunk.columns[0])


def drop(chunk):
    chunk.columns.remove(column(chunk, "balance_minor_units"))


def add(chunk):
    chunk.columns.add(name="favourite_colour", text=columns_pb2.TextColumn(values=["red"] * chunk.row_count))


def shorten(chunk):
    column(chunk, "balance_minor_units").name = "balance_minor"  # as it was called on the wire before


def retype(chunk):
    column(chunk, "balance_minor_units").text.values.extend(["9"] * chunk.row_count)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (repeat, "chunk.columns[9].name"),
        (drop, "balance_minor_units"),
        (add, "chunk.columns[9].name"),
        (retype, "balance_minor_units"),
        (shorten, "chunk.columns[3].name"),
    ],
)
def test_repeated_missing_unknown_and_retyped_columns_are_refused_and_nothing_is_stored(client, data, change, field):
    before = stored(client, data)
    error = refused(client, with_column(change))
    assert refusal(error)[1] == "SCHEMA_MISMATCH"
    assert set(fields_of(error)) == {field}
    assert stored(client, data) == before


@pytest.mark.parametrize("place", ["second header", "chunk first", "a column that stays away later"])
def test_streams_out_of_order_are_refused(client, data, place):
    before = stored(client, data)
    requests = list(import_requests("broken", columns()))
    if place == "second header":
        requests.insert(2, requests[0])
    elif place == "chunk first":
        requests = requests[1:]
    else:
        drop(requests[-1].chunk)
    assert refusal(refused(client, requests))[1] in {"INVALID_ARGUMENT", "SCHEMA_MISMATCH"}
    assert stored(client, data) == before


@pytest.mark.parametrize("row_count", [ROWS - 1, ROWS + 1, 0, -1, 2**31 - 1])
def test_another_number_of_rows_than_announced_is_refused(client, data, row_count):
    before = stored(client, data)
    error = refused(client, import_requests("broken", columns(), row_count=row_count))
    assert fields_of(error) == {"header.row_count"}
    assert stored(client, data) == before


def test_a_chunk_over_the_limit_is_refused_by_the_transport(client, data):
    before = stored(client, data)
    requests = list(import_requests("broken", columns()))
    column(requests[1].chunk, "account_id").text.values[0] = "x" * MAX_CHUNK_BYTES
    assert refused(client, requests).code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert stored(client, data) == before


def test_an_import_without_rows_is_a_portfolio_without_accounts(client):
    table = columns()
    empty = Columns(0, {name: values[:0] for name, values in table.values.items()}, {})
    made = imported(client, import_requests("empty", empty))
    assert (made.row_count, made.accepted_count) == (0, 0)


@pytest.mark.parametrize("how", ["cancelled", "deadline"])
def test_a_caller_that_leaves_midway_leaves_nothing_behind_and_frees_its_place(client, data, how):
    before = stored(client, data)
    requests = list(import_requests("left", columns()))
    sent, gone = threading.Event(), threading.Event()

    def part():
        yield from requests[:3]
        sent.set()
        gone.wait(WAIT)

    for _ in range(5):  # more often than there are places for bulk calls
        sent.clear()
        call = client.portfolios.ImportPortfolio.future(part(), timeout=WAIT if how == "cancelled" else 0.2)
        if how == "cancelled":
            assert sent.wait(WAIT)
            call.cancel()
        with pytest.raises((grpc.RpcError, grpc.FutureCancelledError)):
            call.result()
    gone.set()
    assert stored(client, data) == before
    whole = imported_when_free(client, requests)
    assert (whole.portfolio_id, whole.row_count) == ("left", ROWS)


def imported_when_free(client, requests):
    """Import as a caller does who follows the advice of a busy server; a left call's place is free once the server noticed."""
    for _ in range(1_000):
        try:
            return imported(client, requests)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                raise
    raise AssertionError("the places of callers that left were never freed")


def test_facts_that_differ_between_accounts_of_a_person_are_told_before_and_at_the_import(client):
    table = columns(rows=40)
    people = {"customer_id": np.array([f"P{k // 2}" for k in range(40)], dtype=object), "deceased": np.arange(40) % 4 == 0}
    told = Columns(40, {**table.values, **people}, table.present)
    wanted = [("deceased", 10 - 1, 20 - 2, "read as set on all accounts of the person")]  # one account of the ten is quarantined
    answer = client.portfolios.ImportPortfolio(import_requests("people", told), timeout=WAIT)
    assert [
        (c.field, c.person_count, c.account_count, c.reading) for c in answer.contradictions if c.field == "deceased"
    ] == wanted
    checks = [
        pb.CheckPortfolioRequest(header=r.header) if r.HasField("header") else pb.CheckPortfolioRequest(chunk=r.chunk)
        for r in import_requests("people", told)
    ]
    first = next(client.portfolios.CheckPortfolio(iter(checks), timeout=WAIT))
    assert first.contradictions == answer.contradictions
