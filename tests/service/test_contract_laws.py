"""What holds of every method of the contract: changes happen once, what was not found is named, all faults are told at once."""

from __future__ import annotations

import ast
import uuid
from pathlib import Path

import grpc
import pytest
from google.api import field_behavior_pb2
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2

from collections_opt.api.v1 import capacity_calendar_pb2, capacity_service_pb2
from collections_opt.api.v1 import ranking_service_pb2 as pb
from collections_opt.application.settings import bundled_plan
from collections_opt.client.policy import CONTRACT, READS, REPEATABLE
from collections_opt.core.errors import CollectionsError
from collections_opt.service.server.read_masks import MASK, _wanted, resource_of
from collections_opt.service.server.shape import refuse_misshapen
from collections_opt.wire.common import write_date
from collections_opt.wire.plans import write_plan
from collections_opt.wire.status import from_status
from tests.support.serving.calls import AS_OF, WAIT, refused
from tests.support.serving.edge import refusal

PACKAGE = Path(__file__).parents[2] / "collections_opt"
METHODS = [method for file in CONTRACT for service in file.services_by_name.values() for method in service.methods]
CHANGING = [method for method in METHODS if not method.name.startswith(READS)]

BY_CONTENT = {
    "ImportPortfolio": "the same accounts under one id are stored once",
    "ImportFile": "the same accounts under one id are stored once",
    "RollForward": "what follows from the same events is stored once",
    "DeletePortfolio": "deleted before, it is not deleted again",
    "ExpirePortfolios": "what has gone cannot expire again",
    "CancelRanking": "what has ended stays as it is",
    "RecordEvents": "by the id of each event",
    "StreamEvents": "by the id of each event",
    "RecordReviews": "by the id of each review",
    "CompleteLease": "by the ids of its events",
    "ReleaseLease": "a lease ends once",
    "ExtendLease": "it is held from now, however often asked",
    "RecordOutcomes": "the same rows again are recorded once",
    "MatureRankings": "only what is new is recorded",
    "CancelTraining": "what has ended stays as it is",
}
"""Methods that change something once without a request id, and why."""

NAMED_FROM = ("core", "ledger", "scoring", "application", "service")
FILES_OF_THE_CLI = {"backup.py"}
"""Refusals about files on this machine, which no call of the API meets."""


def input_fields(method):
    return method.input_type.fields_by_name


@pytest.mark.parametrize("method", CHANGING, ids=lambda method: method.name)
def test_every_change_happens_once(method):
    by_id = "request_id" in input_fields(method)
    assert by_id != (method.name in BY_CONTENT), f"{method.name} takes a request_id, or says here why it needs none"
    behaviours = input_fields(method)["request_id"].GetOptions().Extensions[field_behavior_pb2.field_behavior] if by_id else ()
    if not by_id:
        assert method.name in REPEATABLE
    elif method.name in REPEATABLE:
        assert field_behavior_pb2.REQUIRED in behaviours, f"{method.name} may be sent again by grpc, so its id may not be missing"


def unnamed(path):
    """Return the lines of a file that refuse with NOT_FOUND and do not say what was not found."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call) or getattr(node.func, "id", "") not in ("refuse", "CollectionsError") or not node.args:
            continue
        about = node.args[0]
        if isinstance(about, ast.Attribute) and about.attr == "NOT_FOUND":
            wanted = 5 if node.func.id == "refuse" else 4
            if len(node.args) < wanted and not any(keyword.arg == "resource" for keyword in node.keywords):
                found.append(f"{path.name}:{node.lineno}")
    return found


def test_whatever_is_not_found_is_named():
    files = [path for room in NAMED_FROM for path in (PACKAGE / room).rglob("*.py") if path.name not in FILES_OF_THE_CLI]
    assert [line for path in files for line in unnamed(path)] == []


def test_a_refusal_that_names_nothing_is_noticed(tmp_path):
    planted = tmp_path / "planted.py"
    planted.write_text('refuse(Reason.NOT_FOUND, "a", "b", "c")\nrefuse(Reason.NOT_FOUND, "a", "b", "c", d)\n', "utf-8")
    assert unnamed(planted) == ["planted.py:1"]


def naming(method):
    """Return a request that names nothing there is, in good shape otherwise; None where it names nothing."""
    message = GetMessageClass(method.input_type)()
    ids = []
    for field in method.input_type.fields:
        behaviours = field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
        if field.is_repeated or field.containing_oneof is not None or field_behavior_pb2.REQUIRED not in behaviours:
            continue
        if field.enum_type is not None:
            setattr(message, field.name, field.enum_type.values[1].number)
        elif field.message_type is None and field.type == field.TYPE_STRING:
            value = "11111111-1111-4111-8111-111111111111" if field.name == "request_id" else "absent-1"
            setattr(message, field.name, value)
            ids += [field.name] if field.name.endswith("_id") and field.name != "request_id" else []
        elif field.message_type is not None and field.message_type.name == "Date":
            getattr(message, field.name).MergeFrom(type(getattr(message, field.name))(year=2026, month=11, day=24))
    return message if ids else None


ABSENT_IS_EMPTY: frozenset[str] = frozenset()
"""Methods that answer about what they do not know."""

UNARY = [method for method in METHODS if not method.client_streaming and naming(method) is not None]


def failure(channel, method, request):
    """Send a request; return the error, None where it is answered."""
    kinds = ("unary", "stream")
    call = getattr(channel, f"{kinds[method.client_streaming]}_{kinds[method.server_streaming]}")(
        f"/{method.containing_service.full_name}/{method.name}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=GetMessageClass(method.output_type).FromString,
    )
    try:
        answer = call(iter([request]) if method.client_streaming else request, timeout=WAIT)
        list(answer) if method.server_streaming else answer
    except grpc.RpcError as error:
        return error
    return None


@pytest.mark.parametrize("method", UNARY, ids=lambda method: method.name)
def test_what_was_not_found_is_named_over_the_wire(client, method):
    error = failure(client.channel, method, naming(method))
    if error is None:
        assert method.name in ABSENT_IS_EMPTY
        return
    _, reason, status = refusal(error)
    infos = [d for d in status.details if d.Is(error_details_pb2.ResourceInfo.DESCRIPTOR)]
    assert len(infos) == (reason == "NOT_FOUND"), f"{method.name}: {reason} {error.details()}"
    for packed in infos:
        info = error_details_pb2.ResourceInfo.FromString(packed.value)
        assert info.resource_name
        assert info.resource_type.startswith("collections-opt/")


def required_of(method):
    """Return the fields of a request that may not be left out, by what their shape alone tells."""
    found = set()
    for field in method.input_type.fields:
        required = field_behavior_pb2.REQUIRED in field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
        told = field.message_type is not None or field.enum_type is not None or field.type == field.TYPE_STRING
        if required and told and not field.is_repeated and field.containing_oneof is None:
            found.add(field.name)
    return found


WITH_SEVERAL = [method for method in METHODS if len(required_of(method)) > 1]


@pytest.mark.parametrize("method", WITH_SEVERAL, ids=lambda method: method.name)
def test_every_fault_is_told_at_once(client, method):
    empty = GetMessageClass(method.input_type)()
    expected = required_of(method)
    if "page_size" in input_fields(method):
        empty.page_size = -1
        expected.add("page_size")
    error = failure(client.channel, method, empty)
    assert {violation.field for violation in from_status(refusal(error)[2]).violations} == expected


def test_a_request_of_several_kinds_of_faults_names_them_by_path():
    request = pb.CreateRankingRequest(request_id="7", ordering=99, solver=99, capacity_plan_id="desk")
    request.value_parameters.discount_rate = 0.1
    with pytest.raises(CollectionsError) as caught:
        refuse_misshapen(request)
    paths = {violation.field for violation in caught.value.violations}
    assert {"request_id", "portfolio_id", "ordering", "solver", "value_parameters.version"} <= paths


@pytest.mark.parametrize("method", [m for m in METHODS if MASK in m.input_type.fields_by_name], ids=lambda method: method.name)
def test_masks_name_fields_of_what_a_method_returns(method):
    resource = resource_of(method.output_type).message_type
    every = [field.name for field in resource.fields]
    assert set(_wanted(resource, every)) == set(every)
    with pytest.raises(CollectionsError) as caught:
        _wanted(resource, [every[0], "no_such", f"{every[0]}.no_such"])
    assert [violation.field for violation in caught.value.violations] == ["read_mask.paths[1]", "read_mask.paths[2]"]


def test_plans_and_days_change_once_by_request_id(client):
    stub, ids = client.plans, [str(uuid.uuid5(uuid.NAMESPACE_URL, name)).upper() for name in ("a", "b", "c", "d")]
    plan = write_plan(bundled_plan())
    plan.plan_id = "once"
    asked = capacity_service_pb2.CreateCapacityPlanRequest(capacity_plan=plan, request_id=ids[0])
    first = stub.CreateCapacityPlan(asked, timeout=WAIT)
    asked.request_id = ids[0].lower()
    assert stub.CreateCapacityPlan(asked, timeout=WAIT) == first
    asked.capacity_plan.plan_id = "other"
    assert refusal(refused(stub.CreateCapacityPlan, asked))[1] == "REQUEST_ID_REUSED"
    plan.queues[0].agent_count += 1
    following = capacity_service_pb2.UpdateCapacityPlanRequest(
        capacity_plan=plan, etag=first.capacity_plan.etag, request_id=ids[1]
    )
    second = stub.UpdateCapacityPlan(following, timeout=WAIT)
    assert (second.capacity_plan.version, stub.UpdateCapacityPlan(following, timeout=WAIT)) == (2, second)

    day = write_date(AS_OF)
    change = capacity_calendar_pb2.CapacityDayChange(
        kind=capacity_calendar_pb2.DAY_CHANGE_KIND_SICK, first_day=day, last_day=day, queue_id=plan.queues[0].queue_id, note="flu"
    )
    change.agent_count = 1
    days = capacity_calendar_pb2.ChangeCapacityDaysRequest(plan_id="once", day_change=change, validate_only=True)
    days.etag = stub.ChangeCapacityDays(days, timeout=WAIT).calendar_change.etag
    days.validate_only, days.request_id = False, ids[2]
    made = stub.ChangeCapacityDays(days, timeout=WAIT)
    again = stub.ChangeCapacityDays(days, timeout=WAIT)
    assert (made.change_id, again.change_id) == (1, 1)
    seen = capacity_calendar_pb2.GetCapacityCalendarRequest(plan_id="once", first_day=day, last_day=day)
    calendar = stub.GetCapacityCalendar(seen, timeout=WAIT)
    assert len(calendar.day_changes) == 1
    back = capacity_calendar_pb2.TakeBackCapacityRequest(plan_id="once", change_id=1, etag=calendar.etag, request_id=ids[3])
    stub.TakeBackCapacity(back, timeout=WAIT)
    stub.TakeBackCapacity(back, timeout=WAIT)
    back.ClearField("request_id")
    assert refusal(refused(stub.TakeBackCapacity, back))[1] == "NOT_FOUND"
