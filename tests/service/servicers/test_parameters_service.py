"""Value parameters over the API: saved, approved by somebody else, found by portfolio, product and day."""

import uuid
from dataclasses import replace
from datetime import date

import pytest

from collections_opt.api.v1 import model_use_pb2, value_set_pb2
from collections_opt.api.v1 import parameters_service_pb2 as pb
from collections_opt.client.approved import all_value_set_versions, all_value_sets, save_value_set, value_set
from collections_opt.client.client import connect
from collections_opt.client.connection import Connection
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.service.server.build import ServerOptions, build_server
from collections_opt.service.server.services import all_services
from collections_opt.wire.common import write_date
from collections_opt.wire.parameters import write_parameters
from tests.support.books.value_set_books import JANUARY, MARCH, SHIPPED, values
from tests.support.serving.servers import MODELS, MOMENT, open_workspace


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    workspace = open_workspace(tmp_path_factory.mktemp("values"), MODELS, lambda: MOMENT)
    built = build_server(all_services(workspace), ServerOptions(insecure_loopback=True))
    built.start()
    yield built.port
    built.stop(0)
    workspace.close()


@pytest.fixture
def clients(port):
    """Return the clients of two people."""
    who = [Connection(f"127.0.0.1:{port}", insecure_loopback=True, actor=name) for name in ("ann", "ben")]
    with connect(who[0]) as ann, connect(who[1]) as ben:
        yield ann, ben


def message(set_id, content, day=JANUARY):
    return value_set_pb2.ValueSet(
        set_id=set_id,
        effective_from=write_date(day),
        value_parameters=write_parameters(content.parameters),
        portfolio_patterns=content.portfolios,
    )


def approve(client, set_id, version, **more):
    request = pb.ApproveValueSetRequest(request_id=str(uuid.uuid4()), set_id=set_id, version=version, **more)
    return client.parameters.ApproveValueSet(request).value_set


def in_force(client, portfolio, day, *products):
    request = pb.GetValuesInForceRequest(portfolio_id=portfolio, as_of_date=write_date(day), products=products)
    answer = client.parameters.GetValuesInForce(request)
    return answer, {choice.product: f"{choice.set_id}/{choice.version}" for choice in answer.choices}


def refused(reason, call, *args, **more):
    with pytest.raises(CollectionsError) as caught:
        call(*args, **more)
    assert caught.value.reason is reason, caught.value
    return caught.value


def test_a_set_is_saved_by_one_person_and_in_force_once_another_approved_it(clients):
    ann, ben = clients
    content = values("LOAN", loss=0.83, portfolios=("loans-*",))
    saved = save_value_set(ann, message("loans", content), note="yearly review")
    assert (saved.state.version, saved.state.saved_by.name, saved.state.note) == (1, "ann", "yearly review")
    assert not saved.state.HasField("approval")
    refused(Reason.VALUES_MISSING, in_force, ann, "loans-1", MARCH, "LOAN")
    alone = refused(Reason.PERMISSION_DENIED, approve, ann, "loans", 1)
    assert alone.violations[0].field == "actor"
    approved = approve(ben, "loans", 1, note="read")
    assert approved.state.approval.mode == model_use_pb2.APPROVAL_MODE_CLAIMED
    answer, named = in_force(ann, "loans-1", MARCH, "LOAN")
    assert named == {"LOAN": "loans/1"}
    assert answer.value_parameters == write_parameters(content.parameters)
    assert answer.choices[0].digest == saved.state.digest
    refused(Reason.VALUES_MISSING, in_force, ann, "cards-1", MARCH, "LOAN")
    later = save_value_set(ann, message("loans", values("LOAN", loss=0.86, portfolios=("loans-*",)), MARCH), 1)
    approve(ben, "loans", 2)
    assert in_force(ann, "loans-1", date(2026, 2, 28), "LOAN")[1] == {"LOAN": "loans/1"}
    assert in_force(ann, "loans-1", MARCH, "LOAN", "CREDIT_CARD")[1] == {"LOAN": "loans/2", "CREDIT_CARD": "shipped-values/1"}
    assert [each.state.version for each in all_value_set_versions(ann, "loans")] == [2, 1]
    assert value_set(ann, "loans", 1) == approved
    assert later.state.etag == value_set(ann, "loans").state.etag
    refused(Reason.ETAG_MISMATCH, save_value_set, ann, message("loans", content), 1)
    refused(Reason.ALREADY_EXISTS, save_value_set, ann, message("loans", content))
    assert {"loans", "shipped-values"} <= {each.set_id for each in all_value_sets(ann)}


def test_what_is_wrong_is_told_where_it_stands_in_the_request(clients):
    ann, _ = clients
    late = {"LOAN": replace(SHIPPED.products["CREDIT_CARD"], stay_value=(0.7, 0.7, 0.95, 0.5, 0.4, 0.3, 0.3))}
    wrong = replace(values("LOAN"), parameters=replace(SHIPPED, products=late))
    error = refused(Reason.INVALID_ARGUMENT, save_value_set, ann, message("wrong", wrong))
    assert error.violations[0].field == "value_set.value_parameters.products['LOAN'].stay_values[2]"
    assert "product LOAN, bucket 2" in error.message
    flat = pb.CreateValueSetRequest(request_id=str(uuid.uuid4()), value_set=message("flat", values("LOAN")))
    flat.value_set.value_parameters.ClearField("products")
    assert "value_set.value_parameters.products" in {
        each.field for each in refused(Reason.INVALID_ARGUMENT, ann.parameters.CreateValueSet, flat).violations
    }
    refused(Reason.NOT_FOUND, value_set, ann, "wrong")
    refused(Reason.NOT_FOUND, lambda: list(all_value_set_versions(ann, "wrong")))


def test_a_call_sent_again_saves_once_and_a_check_saves_nothing(clients):
    ann, ben = clients
    key = str(uuid.uuid4())
    checked = save_value_set(ann, message("once", values("AUTO")), validate_only=True)
    assert (checked.state.version, checked.state.etag) == (0, "")
    refused(Reason.NOT_FOUND, value_set, ann, "once")
    request = pb.CreateValueSetRequest(request_id=key, value_set=message("once", values("AUTO")))
    assert ann.parameters.CreateValueSet(request) == ann.parameters.CreateValueSet(request)
    request.note = "other"
    refused(Reason.REQUEST_ID_REUSED, ann.parameters.CreateValueSet, request)
    approve(ben, "once", 1, validate_only=True)
    assert not value_set(ann, "once").state.HasField("approval")
    alone = approve(ann, "once", 1, self_approved=True)
    assert alone.state.approval.mode == model_use_pb2.APPROVAL_MODE_SELF_APPROVED


def test_two_sets_that_give_one_product_are_refused_by_name(clients):
    ann, ben = clients
    for name in ("boats-a", "boats-b"):
        save_value_set(ann, message(name, values("BOAT")))
        approve(ben, name, 1)
    error = refused(Reason.RESOURCE_STATE_CONFLICT, in_force, ann, "any", MARCH, "BOAT")
    assert error.violations[0].field == "products"
    assert "boats-a/1 and boats-b/1" in error.message
    assert in_force(ann, "any", MARCH, "CREDIT_CARD")[1] == {"CREDIT_CARD": "shipped-values/1"}
