from __future__ import annotations

import grpc
import pytest
from google.rpc import error_details_pb2

from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse
from collections_opt.wire.status import CODES, PUSHBACK_KEY, from_status, internal, to_call_status, to_status


def details(status):
    kinds = (
        error_details_pb2.ErrorInfo,
        error_details_pb2.BadRequest,
        error_details_pb2.RetryInfo,
        error_details_pb2.ResourceInfo,
    )
    found = {}
    for packed in status.details:
        kind = next(k for k in kinds if packed.Is(k.DESCRIPTOR))
        assert kind.__name__ not in found, "each detail at most once"
        found[kind.__name__] = kind.FromString(packed.value)
    return found


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_a_code_and_exactly_one_error_info(reason):
    status = to_status(CollectionsError(reason, "Say what to do."))
    assert status.code == CODES[reason].value[0] != grpc.StatusCode.OK.value[0]
    info = details(status)["ErrorInfo"]
    assert (info.reason, info.domain) == (reason.value, "collections-opt")


def test_field_paths_and_remedies_reach_the_caller():
    found = details(to_status(refuse(Reason.INVALID_ARGUMENT, "accounts[3].product", "is empty.", "Send one.")))
    violation = found["BadRequest"].field_violations[0]
    assert violation.field == "accounts[3].product"
    assert violation.description == "is empty. Remedy: Send one."


def test_only_retryable_reasons_say_when_to_retry():
    for reason in Reason:
        sent = to_call_status(CollectionsError(reason, "m"))
        retryable = reason in (Reason.OVERLOADED, Reason.OUTCOME_UNKNOWN, Reason.STORAGE_UNAVAILABLE)
        assert ("RetryInfo" in details(to_status(CollectionsError(reason, "m")))) == retryable
        assert (PUSHBACK_KEY in dict(sent.trailing_metadata)) == retryable


def test_a_thousand_violations_stay_under_the_metadata_limit_and_are_counted():
    many = tuple(FieldViolation(f"accounts[{i}].balance_minor_units", "x" * 40, "y" * 40) for i in range(1_000))
    sent = to_call_status(CollectionsError(Reason.INVALID_ARGUMENT, "m" * 10_000, many))
    shown = len(details(to_status(CollectionsError(Reason.INVALID_ARGUMENT, "m", many)))["BadRequest"].field_violations)
    assert 0 < shown < 1_000
    assert f"{1_000 - shown} more" in sent.details
    assert len(sent.details) + sum(len(k) + len(v) for k, v in sent.trailing_metadata) < 8_000


def test_internal_says_the_incident_only():
    error = internal("abc")
    assert "abc" in error.message
    assert error.violations == ()


def test_a_fault_that_quotes_a_whole_value_still_reaches_the_caller():
    status = to_status(refuse(Reason.NOT_FOUND, "portfolio_id", "x" * 10_000, "y" * 10_000))
    bad = error_details_pb2.BadRequest.FromString(status.details[1].value)
    assert [violation.field for violation in bad.field_violations] == ["portfolio_id"]
    assert len(bad.field_violations[0].description) < 1_000


def test_what_was_not_found_is_named_and_comes_back():
    asked = refuse(Reason.NOT_FOUND, "request.portfolio_id", "does not exist.", "List what exists.", "book-9")
    status = to_status(asked)
    found = details(status)["ResourceInfo"]
    assert (found.resource_type, found.resource_name) == ("collections-opt/portfolio", "book-9")
    assert from_status(status).resource == "book-9"
    assert "ResourceInfo" not in details(to_status(refuse(Reason.INVALID_ARGUMENT, "a", "is wrong.")))
