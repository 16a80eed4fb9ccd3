"""No message, however odd, makes a service fail: it answers or refuses with a reason."""

from __future__ import annotations

import pytest
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.api.v1 import (
    capacity_service_pb2,
    columns_pb2,
    portfolio_service_pb2,
)
from collections_opt.application.settings import bundled_parameters, bundled_plan
from collections_opt.wire.parameters import write_parameters
from collections_opt.wire.plans import write_plan
from tests.support.serving.calls import account, columns, create_request, import_requests, score_request
from tests.support.serving.packed import as_chunk
from tests.support.serving.requests.messages import messages
from tests.support.serving.sending import METHODS, SLOW, merged, over, send

WAIT = 30.0


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_odd_messages_are_refused_with_a_reason(client, method):
    one = messages(method.input_type)

    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=SLOW)
    @given(st.lists(one, max_size=4) if method.client_streaming else one)
    def fuzz(request):
        send(client, method, request)

    fuzz()


def plan_with(queue):
    plan = write_plan(bundled_plan())
    plan.plan_id = "odd"
    plan.queues[0].CopyFrom(queue)
    return capacity_service_pb2.CreateCapacityPlanRequest(capacity_plan=plan, validate_only=True)


def import_with(header_and_column):
    header, column = header_and_column
    first, *chunks = import_requests("odd", columns(rows=4))
    first.header.CopyFrom(merged(first.header, header))
    first.header.validate_only = True
    chunks[0].chunk.columns.append(column)
    return [first, *chunks]


CELLS = {"product": "CREDIT_CARD", "balance_minor_units": 900_000, "arrears_minor_units": 90_000, "days_past_due": 45}
PACKED = as_chunk([{"account_id": name, **CELLS} for name in "ba"], months=0)


def score_with(column):
    request = score_request(chunk=PACKED)
    request.chunk.columns.append(column)
    return request


NEARLY_GOOD = {
    "ScoreAccounts-account": over(account("a")).map(score_request),
    "ScoreAccounts": over(score_request(account("a"))),
    "ScoreAccounts-parameters": over(write_parameters(bundled_parameters())).map(
        lambda given: score_request(account("a"), value_parameters=given)
    ),
    "ScoreAccounts-chunk": over(score_request(chunk=PACKED)),
    "ScoreAccounts-column": messages(columns_pb2.Column.DESCRIPTOR).map(score_with),
    "CreateCapacityPlan": over(write_plan(bundled_plan()).queues[0]).map(plan_with),
    "CreateRanking": over(create_request(validate_only=True)),
    "ImportPortfolio": st.tuples(
        messages(portfolio_service_pb2.PortfolioHeader.DESCRIPTOR), messages(columns_pb2.Column.DESCRIPTOR)
    ).map(import_with),
}


@pytest.mark.parametrize("name", NEARLY_GOOD)
def test_nearly_good_messages_are_answered_or_refused_with_a_reason(client, name):
    method = next(m for m in METHODS if m.name == name.partition("-")[0])

    @settings(max_examples=150, deadline=None, database=None, suppress_health_check=SLOW)
    @given(NEARLY_GOOD[name])
    def fuzz(request):
        send(client, method, request)

    fuzz()


@pytest.mark.parametrize(
    "good",
    [score_request(account("a"), account("b")), score_request(chunk=PACKED), create_request(request_id="x")],
    ids=["score", "score-packed", "create"],
)
def test_messages_with_flipped_bytes_are_refused_with_a_reason(client, good):
    method = next(m for m in METHODS if m.input_type.full_name == good.DESCRIPTOR.full_name)
    raw = good.SerializeToString()

    @settings(max_examples=150, deadline=None, database=None, suppress_health_check=SLOW)
    @given(st.integers(0, len(raw) - 1), st.integers(1, 255))
    def fuzz(place, flip):
        changed = raw[:place] + bytes([raw[place] ^ flip]) + raw[place + 1 :]
        try:
            request = GetMessageClass(method.input_type).FromString(changed)
        except Exception:  # noqa: BLE001 - malformed bytes are another test's
            return
        send(client, method, request)

    fuzz()
