from __future__ import annotations

from dataclasses import replace
from datetime import date, time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.api.v1 import account_pb2, capacity_plan_pb2, value_parameters_pb2
from collections_opt.application.settings import bundled_parameters, bundled_plan
from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.schema import ACCOUNT_SCHEMA, BLOCK_FLAGS
from collections_opt.core.desk.day_windows import DayWindow
from collections_opt.core.desk.plan_checks import check_plan
from collections_opt.core.desk.queues import CapacityPlan, ContactEffect, EvidenceGrade, Queue
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason
from collections_opt.core.value.payoffs import CostBasis, ValueParameters, check_parameters
from collections_opt.service.converters.accounts import accounts_to_raw
from collections_opt.service.servicers.lists.paging import read_page
from collections_opt.wire import parameters as parameter_messages
from collections_opt.wire import plans as plan_messages
from collections_opt.wire.common import read_date, read_enum, told_as, write_date
from tests.support.serving.calls import card_account as account

NUMBER = st.floats(-1e9, 1e9)
MONEY = st.integers(0, 2**40)
WORDS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=3).map(tuple)
EFFECTS = st.builds(ContactEffect, NUMBER, NUMBER, NUMBER, NUMBER, st.sampled_from(EvidenceGrade))
MINUTES = st.integers(0, 1_439).map(lambda minute: time(minute // 60, minute % 60))
WINDOWS = st.builds(DayWindow, MINUTES, MINUTES)
QUEUES = st.builds(
    Queue,
    queue_id=st.text(max_size=5),
    name=st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    agents=NUMBER,
    paid_minutes=NUMBER,
    effect=EFFECTS,
    channel=st.sampled_from(["CALL", "TEXT", "EMAIL", "LETTER", "VISIT"]),
    **dict.fromkeys(
        ("shrinkage", "occupancy", "committed_minutes", "attempts", "dial_minutes", "talk_minutes", "wrap_minutes"), NUMBER
    ),
    **dict.fromkeys(("variable_cost_per_minute_minor", "loaded_cost_per_minute_minor", "channel_fee_minor"), MONEY),
    **dict.fromkeys(("skills", "specialisms", "products", "states", "languages"), WORDS),
    specialist_only=st.booleans(),
    attempts_may_shrink=st.booleans(),
    windows=st.lists(WINDOWS, max_size=3).map(tuple),
    time_zone=st.sampled_from(["", "America/New_York"]),
    automated=st.booleans(),
    buckets=st.lists(st.integers(0, 6), max_size=3).map(tuple),
)
PLANS = st.builds(
    CapacityPlan,
    plan_id=st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    version=st.just(0),
    effective_from=st.dates(),
    currency_code=st.just("USD"),
    queues=st.lists(QUEUES, max_size=3).map(tuple),
    labels=st.dictionaries(st.text("ab", max_size=3), st.text("cd", max_size=3), max_size=2),
    facts_at_most_days=st.dictionaries(st.text("ab", max_size=3), st.integers(0, 99), max_size=2),
)


@settings(max_examples=80, deadline=None)
@given(plan=PLANS)
def test_any_plan_comes_back(plan):
    message = capacity_plan_pb2.CapacityPlan.FromString(plan_messages.write_plan(plan).SerializeToString())
    assert plan_messages.read_plan(message) == plan


def test_the_bundled_parameters_and_any_others_come_back():
    for parameters in (bundled_parameters(), replace(ValueParameters(), cost_basis=CostBasis.LOADED, version="", in_order=True)):
        message = parameter_messages.write_parameters(parameters)
        assert parameter_messages.read_parameters(type(message).FromString(message.SerializeToString())) == parameters


def test_unset_figures_of_a_queue_take_the_cores_defaults():
    message = plan_messages.write_plan(bundled_plan())
    for name in ("occupancy", "attempt_count"):
        message.queues[0].ClearField(name)
    message.queues[0].effect.ClearField("repeat_decay")
    queue = plan_messages.read_plan(message).queues[0]
    assert (queue.occupancy, queue.attempts, queue.effect.repeat_decay) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("value", [0, 99])
def test_unspecified_and_unknown_enums_are_refused_by_path(value):
    message = plan_messages.write_plan(bundled_plan())
    message.queues[1].channel = value
    with pytest.raises(CollectionsError) as caught:
        plan_messages.read_plan(message)
    assert caught.value.violations[0].field == "capacity_plan.queues[1].channel"
    assert "CALL" in caught.value.violations[0].remedy


def test_every_plan_error_is_told_in_the_fields_of_the_contract():
    bad = replace(bundled_plan().queues[0], agents=-1, attempts=-1, channel_fee_minor=-5, queue_id="")
    plan = replace(bundled_plan(), queues=(bad,), currency_code="x")
    with pytest.raises(CollectionsError) as caught, told_as(plan_messages.HEADS, plan_messages.RENAMES):
        check_plan(plan)
    found = {violation.field for violation in caught.value.violations}
    assert {
        "capacity_plan.currency_code",
        "capacity_plan.queues[0].queue_id",
        "capacity_plan.queues[0].agent_count",
        "capacity_plan.queues[0].attempt_count",
        "capacity_plan.queues[0].channel_fee_minor_units",
    } <= found
    for path in found:
        _assert_path_exists(capacity_plan_pb2.CapacityPlan.DESCRIPTOR, path.removeprefix("capacity_plan."))


def test_every_parameter_error_is_told_in_the_fields_of_the_contract():
    bad = ValueParameters(
        discount_rate=-1, horizon_days=0, stay_value=(2.0,), loss_given_default={"X": 2.0}, credit_conversion_factor={}
    )
    with pytest.raises(CollectionsError) as caught, told_as(parameter_messages.HEADS):
        check_parameters(bad)
    for violation in caught.value.violations:
        prefix, _, path = violation.field.partition(".")
        assert prefix == "value_parameters"
        assert path.split("[")[0].split(".")[0] in value_parameters_pb2.ValueParameters.DESCRIPTOR.fields_by_name


def _assert_path_exists(descriptor, path):
    for part in path.split("."):
        field = descriptor.fields_by_name[part.split("[")[0]]
        descriptor = field.message_type


def test_a_single_violations_message_is_told_anew():
    with pytest.raises(CollectionsError) as caught, told_as({"accounts": "accounts"}):
        raise CollectionsError(
            Reason.INVALID_ARGUMENT, "accounts[0].balance_minor: bad", (FieldViolation("accounts[0].balance_minor", "bad"),)
        )
    assert caught.value.message == "accounts[0].balance_minor_units: bad"


def test_rows_become_columns_and_missing_differs_from_zero():
    months = [account_pb2.MonthlyFigures(months_past_due=2, payment_minor_units=5), account_pb2.MonthlyFigures()]
    raw = accounts_to_raw(
        [
            account("b", loss_given_default=0.0, months=months, block_flags=account_pb2.BlockFlags(cease=True)),
            account("a", state="US-MA"),
        ],
        date(2026, 1, 2),
        "UTC",
        "USD",
    )
    assert set(raw.columns) == {name for name, column in ACCOUNT_SCHEMA.items() if not column.held_if_sent}
    assert raw.columns["account_id"].tolist() == ["b", "a"]
    assert raw.present["loss_given_default"].tolist() == [True, False]
    assert raw.present["state"].tolist() == [False, True]
    assert raw.columns["status_history"].tolist() == [[2, 0], [0, 0]]
    assert raw.present["status_history"].tolist() == [[True, False], [False, False]]
    assert raw.present["payment_history_minor"].tolist() == [[True, False], [False, False]]
    assert raw.columns["cease"].tolist() == [True, False]
    assert all(raw.present[name].tolist() == [True, False] for name in BLOCK_FLAGS)
    admission = admit(raw)
    assert admission.quarantine.row_count == 0
    assert admission.portfolio.column("account_id").tolist() == [b"a", b"b"]


@pytest.mark.parametrize("name", ["product", "balance_minor_units", "arrears_minor_units", "days_past_due", "account_id"])
def test_a_required_field_left_out_is_quarantined_and_not_read_as_zero(name):
    row = account("a")
    row.ClearField(name)
    admission = admit(accounts_to_raw([row], date(2026, 1, 2), "UTC", "USD"))
    assert admission.portfolio.account_count == 0
    assert "REQUIRED" in admission.quarantine.rule


@pytest.mark.parametrize("count", [0, 1_001])
def test_the_number_of_rows_is_bounded(count):
    with pytest.raises(CollectionsError) as caught:
        accounts_to_raw([account("a")] * count, date(2026, 1, 2), "UTC", "USD")
    assert caught.value.reason is Reason.LIMIT_EXCEEDED


def test_too_many_months_name_the_account():
    rows = [account("a"), account("b", months=[account_pb2.MonthlyFigures()] * 25)]
    with pytest.raises(CollectionsError, match=r"accounts\[1\]\.months"):
        accounts_to_raw(rows, date(2026, 1, 2), "UTC", "USD")


@given(day=st.dates())
def test_dates_come_back(day):
    assert read_date(write_date(day), "as_of_date") == day


def test_impossible_dates_and_enums_are_refused():
    with pytest.raises(CollectionsError, match="as_of_date"):
        read_date(write_date(date(2026, 2, 28)).__class__(year=2026, month=2, day=30), "as_of_date")
    assert read_enum(capacity_plan_pb2.Channel.DESCRIPTOR, 2, "channel") == "TEXT"


@given(place=st.one_of(st.integers(0, 2**40), st.text(st.characters(exclude_categories=["Cs"]))))
def test_a_page_token_leads_back_to_its_place_and_to_no_other_list(place):
    start = type(place)()
    token = read_page("plans", 10, "", start).next_token(place)
    assert read_page("plans", 10, token, start).after == place
    with pytest.raises(CollectionsError) as caught:
        read_page("portfolios", 10, token, start)
    assert caught.value.reason is Reason.PAGE_TOKEN_INVALID


@given(token=st.text(min_size=1))
def test_invented_page_tokens_are_refused(token):
    with pytest.raises(CollectionsError) as caught:
        read_page("plans", 10, token, 0)
    assert caught.value.reason is Reason.PAGE_TOKEN_INVALID


def test_page_sizes_are_cut_to_the_limit():
    assert [read_page("x", size, "", 0).size for size in (0, 7, 5_000)] == [100, 7, 1_000]
    with pytest.raises(CollectionsError):
        read_page("x", -1, "", 0)
    assert np.array_equal(read_page("x", 2, "", 0).cut([1, 2, 3])[0], [1, 2])
