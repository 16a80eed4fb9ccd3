"""Every field of every method, broken in every way its kind knows, is refused with a documented reason at its own path.

The cases come from the descriptors: a method without a good request, or a field that the good request does not reach, fails here.
"""

from __future__ import annotations

import re
from contextlib import closing
from functools import cache

import grpc
import pytest
from google.protobuf.message_factory import GetMessageClass

from collections_opt.api.v1 import (
    capacity_service_pb2,
    monitor_service_pb2,
    parameters_service_pb2,
    ranking_service_pb2,
    rule_service_pb2,
    scoring_service_pb2,
)
from collections_opt.application.resources.approved import SavedContent
from collections_opt.application.resources.value_sets import ValueSet
from collections_opt.application.settings import bundled_parameters
from collections_opt.application.workspace import open_workspace
from collections_opt.client.policy import CONTRACT
from collections_opt.core.actors import Actor
from collections_opt.core.models.lifecycle import ModelAction
from tests.support.models.folders import NOW, SHIPPED_VERSION, act, add_version, approve, folder_with_people
from tests.support.serving.calls import PLAN, calling, columns, import_requests
from tests.support.serving.calls import fields_of as told_fields
from tests.support.serving.edge import refusal
from tests.support.serving.matured_books import save_matured
from tests.support.serving.requests.approved import VALUE_SET
from tests.support.serving.requests.breakages import breakages, fields_of, reached
from tests.support.serving.requests.capacity import save_desk
from tests.support.serving.requests.experiments import save_experiments
from tests.support.serving.requests.good import SPARE, Known, good_requests
from tests.support.serving.requests.invalid import ANSWERED, REASONS, TOLD_AT
from tests.support.serving.requests.retention import save_holds
from tests.support.serving.requests.rules import RULES, save_rules
from tests.support.serving.requests.worklists import lease_all

METHODS = {m.name: m for file in CONTRACT for service in file.services_by_name.values() for m in service.methods}
WAIT = 30.0
STATES = ("draft", "submitted", "validated", "approved", "once-champion")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request):
    """Return a database URL, empty for the folder's own: what one database keeps the other may refuse, such as NUL."""
    if request.param == "sqlite":
        yield ""
        return
    with request.getfixturevalue("postgres_databases").taken() as url:
        yield url


@pytest.fixture(scope="module")
def client(tmp_path_factory, database):
    """Serve a workspace with a model version in every state of its life."""
    folder = tmp_path_factory.mktemp("swept")
    models = folder_with_people(folder)
    for version in STATES:
        add_version(models, version)
    workspace = open_workspace(folder / "data", models, lambda: NOW, database)
    live(workspace)
    with closing(workspace), calling(workspace) as stubs:
        yield stubs


def live(workspace):
    """Bring each version to the state of its name; the shipped one is champion again after another."""
    act(workspace, "submitted", ModelAction.SUBMIT)
    act(workspace, "validated", ModelAction.SUBMIT)
    act(workspace, "validated", ModelAction.VALIDATE)
    approve(workspace, "approved")
    approve(workspace, "once-champion")
    act(workspace, "once-champion", ModelAction.PROMOTE)
    act(workspace, SHIPPED_VERSION, ModelAction.PROMOTE)
    values = ValueSet(bundled_parameters(), ("swept-*",))
    workspace.values.resources.save(SavedContent(VALUE_SET, NOW.date(), values), Actor("sue"))
    save_rules(workspace)
    save_experiments(workspace)
    save_desk(workspace)
    save_matured(workspace)
    save_holds(workspace)


@pytest.fixture(scope="module")
def good(client, ranking):
    """Return a good request per method, naming what the server holds."""
    queue = ranking.queues[0].queue_id
    page = ranking_service_pb2.ListWorklistRequest(ranking_id=ranking.ranking_id, queue_id=queue)
    first = client.rankings.ListWorklist(page, timeout=WAIT).entries[0].account_id
    latest = client.plans.GetCapacityPlan(capacity_service_pb2.GetCapacityPlanRequest(plan_id=PLAN), timeout=WAIT)
    saved = client.parameters.GetValueSet(parameters_service_pb2.GetValueSetRequest(set_id=VALUE_SET), timeout=WAIT)
    kept = client.rules.GetRuleTable(rule_service_pb2.GetRuleTableRequest(rule_table_id=RULES), timeout=WAIT)
    etags = latest.capacity_plan.etag, saved.value_set.state.etag, kept.rule_table.state.etag
    leases = lease_all(client.worklists, ranking.ranking_id, queue, WAIT)
    client.portfolios.ImportPortfolio(import_requests(SPARE, columns(5)), timeout=WAIT)
    listed = client.monitors.ListMaturities(monitor_service_pb2.ListMaturitiesRequest(), timeout=WAIT)
    return good_requests(Known(ranking.ranking_id, queue, first, *etags, leases, listed.maturities[0].ranking_id))


def send(channel, method, requests, timeout=WAIT, raw=False):
    """Send messages (or bytes) to a method and return all answers."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    kind = "_".join("stream" if streams else "unary" for streams in (method.client_streaming, method.server_streaming))
    call = getattr(channel, kind)(
        path,
        request_serializer=None if raw else lambda message: message.SerializeToString(),
        response_deserializer=GetMessageClass(method.output_type).FromString,
    )
    answer = call(iter(requests) if method.client_streaming else requests[0], timeout=timeout)
    return list(answer) if method.server_streaming else [answer]


def outcome(channel, method, requests):
    """Return "answered", or reason and fields of the refusal."""
    try:
        send(channel, method, requests)
    except grpc.RpcError as error:
        code, reason, _ = refusal(error)
        assert code is not grpc.StatusCode.INTERNAL, (method.name, requests)
        return reason, told_fields(error)
    return "answered", set()


def broken_calls(calls):
    """Yield every breakage of every message of good calls, with the call that sends it among its good neighbours."""
    for call in calls:
        for place, message in enumerate(call):
            for broken in breakages(message):
                yield broken, [*call[:place], broken.message, *call[place + 1 :]]


@cache
def any_of(patterns):
    """Return what matches where any of the patterns does: most broken fields are matched by none."""
    return re.compile("|".join(f"(?:{each})" for each in patterns))


def looked_up(table, name):
    """Return the entry whose pattern matches a broken field."""
    if any_of(tuple(table)).fullmatch(name) is None:
        return None
    return next((told for key, told in table.items() if re.fullmatch(key, name)), None)


def complaint(reason, fields, broken, name):
    """Return what is wrong with how a broken field was answered, empty if nothing."""
    if looked_up(ANSWERED, name):
        return "" if reason == "answered" else f"{name}: {reason} for what is no fault"
    if reason not in REASONS:
        return f"{name}: {reason}"
    path = looked_up(TOLD_AT, name)
    at_path = (lambda field: re.fullmatch(path, field, re.DOTALL)) if path else broken.holds
    return "" if any(map(at_path, fields)) else f"{name}: {reason} told at {sorted(fields)}"


@pytest.mark.parametrize("name", METHODS)
def test_the_good_request_reaches_every_field_and_is_answered(client, good, name):
    assert name in good, "add a good request of this method to tests/support/serving/requests/good.py"
    method = METHODS[name]
    missing = set(fields_of(method.input_type)) - {path for call in good[name] for message in call for path in reached(message)}
    assert not missing, f"set these in tests/support/serving/requests/good.py, so that they are broken here: {sorted(missing)}"
    for call in good[name]:
        assert outcome(client.channel, method, call) == ("answered", set())


@pytest.mark.parametrize("name", METHODS)
def test_every_broken_field_is_refused_at_its_path(client, good, name):
    wrong = []
    for broken, sent in broken_calls(good[name]):
        reason, fields = outcome(client.channel, METHODS[name], sent)
        wrong.append(complaint(reason, fields, broken, f"{name} {broken.path}: {broken.how}"))
    wrong = [line for line in wrong if line]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", METHODS)
def test_bytes_that_are_no_message_are_refused(client, name):
    method = METHODS[name]
    with pytest.raises(grpc.RpcError) as caught:
        send(client.channel, method, [b"\xff\xff\xff"], raw=True)
    assert refusal(caught.value)[:2] == (grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_MESSAGE")
    assert told_fields(caught.value) == {method.input_type.full_name}


@pytest.mark.parametrize("name", METHODS)
def test_a_call_without_deadline_is_refused(client, good, name):
    with pytest.raises(grpc.RpcError) as caught:
        send(client.channel, METHODS[name], good[name][0], timeout=None)
    assert refusal(caught.value)[:2] == (grpc.StatusCode.INVALID_ARGUMENT, "DEADLINE_REQUIRED")
    assert told_fields(caught.value) == {"deadline"}


def test_every_exception_of_the_table_is_about_a_case(good):
    names = [f"{name} {broken.path}: {broken.how}" for name, calls in good.items() for broken, _ in broken_calls(calls)]
    assert len(names) > 800
    stale = [key for key in (*ANSWERED, *TOLD_AT) if not any(map(re.compile(key).fullmatch, names))]
    assert not stale


@pytest.mark.parametrize(
    ("reason", "fields"),
    [("answered", set()), ("INTERNAL", {"page_size"}), ("INVALID_ARGUMENT", {"page_token"}), ("INVALID_ARGUMENT", set())],
)
def test_the_sweep_catches_planted_answers(reason, fields):
    broken = next(b for b in breakages(ranking_service_pb2.ListRankingsRequest()) if (b.path, b.how) == ("page_size", "-1"))
    assert complaint(reason, fields, broken, "ListRankings page_size: -1")
    assert not complaint("INVALID_ARGUMENT", {"page_size"}, broken, "ListRankings page_size: -1")


def test_a_field_that_no_good_request_sets_is_missed():
    request = scoring_service_pb2.ScoreAccountsRequest()
    missing = set(fields_of(request.DESCRIPTOR)) - set(reached(request))
    assert {"accounts[].account_id", "as_of_date.year", "value_parameters.cost_basis"} <= missing
