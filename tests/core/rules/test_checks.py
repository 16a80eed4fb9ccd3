"""A rule table is kept only when every rule of it has its source and its days and says what it means; several bind together."""

from dataclasses import replace
from datetime import date, time, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_opt.application.settings import bundled_rules
from collections_opt.core.accounts.admission import admit
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.limits import MAX_RULES
from collections_opt.core.rules.checks import CHANNELS, check_rule_table, rule_violations
from collections_opt.core.rules.eligibility import QUEUE_REASONS, evaluate
from collections_opt.core.rules.tables import LawfulHours, RuleKind, RuleScope, RuleStatus, RuleTable, Weekday
from collections_opt.core.rules.together import bound_together, taken_as_in_force
from tests.support.factories import CITY_CAP as CAP
from tests.support.factories import EVER, plan, queue, raw_portfolio, text

HOURS = LawfulHours(time(8), time(21))
OF_HOURS = {"kind": RuleKind.HOURS, "column": "time_zone", "threshold": 0, "hours": (HOURS,)}


def faults(*rules, **terms):
    return [found.field for found in rule_violations(RuleTable("t", rules, **{"strict_places": True, **terms}))]


def test_the_shipped_rules_and_a_citys_cap_are_in_order():
    assert list(rule_violations(bundled_rules())) == []
    assert faults(replace(CAP, **OF_HOURS)) == []
    assert faults(replace(CAP, jurisdictions=("US-NY-NYC", "GB", "CA", "US-PR"))) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"rule_id": "no id"}, "rules[0].rule_id"),
        ({"rule_id": "queue.product"}, "rules[queue.product].rule_id"),
        ({"version": 0}, "version"),
        ({"source": " "}, "source"),
        ({"source": ""}, "source"),
        ({"description": ""}, "description"),
        ({"description": "a\nb"}, "description"),
        ({"status": RuleStatus.UNSTATED}, "status"),
        ({"column": "calls"}, "column"),
        ({"column": "balance_minor"}, "column"),
        ({"kind": RuleKind.FLAG}, "column"),
        ({"threshold": -1}, "threshold"),
        ({"threshold": 10_001}, "threshold"),
        ({"kind": RuleKind.FLAG, "column": "cease"}, "threshold"),
        ({"next_eligible_days": -1}, "next_eligible_days"),
        ({"kind": RuleKind.WAIT, "column": "days_since_conversation"}, "next_eligible_days"),
        ({"effective_to": EVER - timedelta(days=1)}, "effective_to"),
        ({"jurisdictions": ("Illinois",)}, "jurisdictions[0]"),
        ({"jurisdictions": ("US-IL", "us-il")}, "jurisdictions[1]"),
        ({"jurisdictions": ("US-IL", "US-IL")}, "jurisdictions[1]"),
        ({"jurisdictions": ("",)}, "jurisdictions[0]"),
        ({"channels": ("PHONE",)}, "channels[0]"),
        ({"specialism": "balance_minor"}, "specialism"),
        ({"known_by": "calls"}, "known_by"),
        ({"known_by": "calls_last_7_days_count"}, "known_by"),
        ({"hours": (HOURS,)}, "hours"),
        ({**OF_HOURS, "hours": ()}, "hours"),
        ({**OF_HOURS, "hours": (HOURS, HOURS)}, "hours[1]"),
        ({**OF_HOURS, "hours": (LawfulHours(time(8), time(9), (Weekday.MON,) * 2),)}, "hours[0].days[1]"),
        ({**OF_HOURS, "hours": (LawfulHours(time(9), time(8)),)}, "hours[0]"),
        ({**OF_HOURS, "closed_on": ("12-25", "12-25")}, "closed_on[1]"),
        ({**OF_HOURS, "closed_on": ("Christmas",)}, "closed_on[0]"),
        ({**OF_HOURS, "column": "state"}, "column"),
        ({"kind": RuleKind.COUNT_ABOVE}, "kind"),
        ({"kind": RuleKind.WAIT_DAYS, "column": "days_since_conversation", "threshold": 7}, "kind"),
        ({"kind": RuleKind.NOT_PAST_DUE, "column": "days_past_due", "threshold": 0, "scope": RuleScope.PERSON}, "scope"),
    ],
)
def test_every_field_at_fault_is_named_by_its_rule(change, field):
    found = faults(replace(CAP, **change))
    assert (field if field.startswith("rules") else f"rules[springfield-cap].{field}") in found


def test_all_faults_are_told_at_once_with_what_to_do():
    wrong = replace(CAP, source="", threshold=-1, column="calls")
    with pytest.raises(CollectionsError) as caught:
        check_rule_table(RuleTable("t", (replace(CAP, rule_id="fine"), wrong), strict_places=False))
    assert caught.value.reason is Reason.INVALID_ARGUMENT
    told = {found.field: found.remedy for found in caught.value.violations}
    path = "rules[springfield-cap]"
    assert {"strict_places", f"{path}.source", f"{path}.threshold", f"{path}.column"} == set(told)
    assert all(told.values())


def test_one_rule_may_stand_twice_only_on_days_that_do_not_overlap():
    first = replace(CAP, effective_to=date(2026, 8, 31))
    assert faults(first, replace(CAP, version=2, effective_from=date(2026, 9, 1))) == []
    assert faults(first, replace(CAP, version=2, effective_from=date(2026, 8, 31))) == ["rules[springfield-cap].rule_id"]
    assert faults() == faults(*(replace(CAP, rule_id=f"r{i}") for i in range(MAX_RULES + 1))) == ["rules"]


def test_tables_that_share_a_rule_or_are_too_many_do_not_bind_together():
    shipped, city = bundled_rules(), RuleTable("city", (CAP,), strict_places=True)
    assert bound_together({"shipped/1": shipped}) is shipped
    both = bound_together({"shipped/1": shipped, "city/1": city})
    assert (both.version, both.strict_places, len(both.rules)) == ("city/1, shipped/1", True, len(shipped.rules) + 1)
    with pytest.raises(CollectionsError, match=r"springfield-cap.*city/1 and other/3"):
        bound_together({"city/1": city, "other/3": city, "shipped/1": shipped})
    many = {f"t{k}": RuleTable("t", tuple(replace(CAP, rule_id=f"{k}-{i}") for i in range(150)), True) for k in range(2)}
    with pytest.raises(CollectionsError, match="more than 240"):
        bound_together(many)
    with pytest.raises(CollectionsError, match="no table is in force"):
        bound_together({})
    named = bound_together({f"{'x' * 60}{k}": RuleTable("t", (replace(CAP, rule_id=str(k)),), True) for k in range(9)})
    assert named.version.startswith("9 tables, ")
    # A code of a byte has room for all of them and the queue's own limits.
    assert MAX_RULES + len(QUEUE_REASONS) <= np.iinfo(np.uint8).max


def test_a_rule_of_tomorrow_or_one_proposed_is_taken_as_in_force_and_one_that_ended_is_not():
    today = date(2026, 11, 26)
    coming = replace(CAP, effective_from=today + timedelta(days=40), status=RuleStatus.PROPOSED)
    assert not coming.in_force(today)
    assert taken_as_in_force(coming, today).in_force(today)
    assert taken_as_in_force(CAP, today) == CAP
    assert not taken_as_in_force(replace(CAP, effective_to=EVER), today).in_force(today)


PLACES = ["", "US", "US-IL", "US-IL-SPI", "US-MA", "GB"]
rules = st.builds(
    lambda number, threshold, place, channel, days: replace(
        CAP, rule_id=f"r{number}", threshold=threshold, jurisdictions=place, channels=channel, next_eligible_days=days
    ),
    st.integers(0, 99),
    st.integers(0, 4),
    st.sampled_from([(), *((place,) for place in PLACES[1:])]),
    st.sampled_from([(), *((channel,) for channel in CHANNELS)]),
    st.integers(0, 9),
)
tables = st.lists(rules, min_size=1, max_size=4, unique_by=lambda rule: rule.rule_id)


@given(tables, tables, st.lists(st.tuples(st.sampled_from(PLACES), st.integers(-1, 4)), min_size=1, max_size=6))
def test_an_account_is_blocked_where_any_table_blocks_it_and_by_the_strictest_rule_of_all(first, second, rows):
    second = [replace(rule, rule_id=f"s{rule.rule_id}") for rule in second]
    made = np.array([count for _, count in rows])
    raw = raw_portfolio(
        account_id=text([str(row) for row in range(len(rows))]),
        state=text([place for place, _ in rows]),
        attempts_last_7_days_count=np.maximum(made, 0),
    )
    portfolio = admit(replace(raw, present={"attempts_last_7_days_count": made >= 0})).portfolio
    desk = plan(queue("calls", attempts=1), queue("letters", channel="LETTER", attempts=2))
    apart = [evaluate(portfolio, desk, RuleTable("t", tuple(each), True)) for each in (first, second)]
    both = evaluate(
        portfolio, desk, bound_together({"a": RuleTable("t", tuple(first), True), "b": RuleTable("t", tuple(second), True)})
    )
    np.testing.assert_array_equal(both.blocked_by != 0, (apart[0].blocked_by != 0) | (apart[1].blocked_by != 0))
    for row, column in np.argwhere(both.blocked_by != 0):
        reasons = [reason for each in apart if (reason := each.reason(row, column))]
        days = [reason.next_eligible_days for reason in reasons]
        assert both.reason(row, column) in reasons
        assert both.reason(row, column).next_eligible_days == (0 if 0 in days else max(days))
