"""Rules as data: who is blocked, by which rule, until when."""

from datetime import timedelta

import numpy as np
import pytest

from collections_opt.core.accounts.schema import BLOCK_FLAGS
from collections_opt.core.errors import CollectionsError
from collections_opt.core.rules.eligibility import Rule, RuleKind, RuleTable, evaluate, next_eligible_date
from tests.support.factories import AS_OF, EVER, admitted, flag_rules, plan, queue, text


def blocks_of(rule, desk=None, **columns):
    """Return the blocking rule ids (n, q) of one rule, "" where eligible."""
    portfolio = admitted(**columns).portfolio
    found = evaluate(portfolio, plan(*(desk or [queue("q")])), RuleTable("t", (rule,)))
    shape = found.blocked_by.shape
    return [[(r.rule_id if (r := found.reason(i, q)) else "") for q in range(shape[1])] for i in range(shape[0])]


@pytest.mark.parametrize("flag", BLOCK_FLAGS)
def test_every_flag_blocks_and_its_specialists_may_work_it(flag):
    columns = {"account_id": text(["a", "b"]), flag: np.array([True, False])}
    portfolio = admitted(**columns).portfolio
    desk = plan(queue("all"), queue("special", specialisms=(flag,)), queue("only", specialisms=(flag,), specialist_only=True))
    found = evaluate(portfolio, desk, flag_rules())
    np.testing.assert_array_equal(found.allowed(slice(None)), [[False, True, True], [True, True, False]])
    assert found.reason(0, 0).rule_id == f"flag.{flag}"
    assert found.reason(1, 2).rule_id == "queue.specialist"


def test_count_cap_blocks_the_contact_that_would_exceed_it():
    rule = Rule("cap", 1, RuleKind.COUNT_ABOVE, "calls_last_7_days_count", EVER, threshold=7)
    assert blocks_of(rule, account_id=text(["a", "b"]), calls_last_7_days_count=np.array([6, 7])) == [[""], ["cap"]]


def test_conversation_day_is_day_one():
    rule = Rule("wait", 1, RuleKind.WAIT_DAYS, "days_since_conversation", EVER, threshold=7)
    assert blocks_of(rule, account_id=text(["a", "b"]), days_since_conversation=np.array([7, 8])) == [["wait"], [""]]


def test_a_missing_count_does_not_block():
    rule = Rule("wait", 1, RuleKind.WAIT_DAYS, "days_since_conversation", EVER, threshold=7)
    assert blocks_of(rule, account_id=text(["a"])) == [[""]]


def test_channel_and_jurisdiction_limit_a_rule_and_unknown_states_are_read_strictly():
    rule = Rule(
        "ma",
        1,
        RuleKind.COUNT_ABOVE,
        "attempts_last_7_days_count",
        EVER,
        threshold=2,
        jurisdictions=("US-MA",),
        channels=("CALL",),
    )
    desk = [queue("call"), queue("letter", channel="LETTER")]
    columns = {
        "account_id": text(["a", "b", "c"]),
        "state": text(["US-MA", "US-CA", ""]),
        "attempts_last_7_days_count": np.full(3, 2),
    }
    assert blocks_of(rule, desk, **columns) == [["ma", ""], ["", ""], ["ma", ""]]


def test_country_covers_its_states_but_not_names_that_begin_alike():
    rule = Rule("us", 1, RuleKind.FLAG, "cease", EVER, jurisdictions=("US",))
    columns = {"account_id": text(["a", "b"]), "state": text(["US-MA", "UZ"]), "cease": np.array([True, True])}
    assert blocks_of(rule, **columns) == [["us"], [""]]


def test_rules_are_dated():
    tomorrow, yesterday = AS_OF + timedelta(days=1), AS_OF - timedelta(days=1)
    columns = {"account_id": text(["a"]), "cease": np.array([True])}
    assert blocks_of(Rule("r", 1, RuleKind.FLAG, "cease", tomorrow), **columns) == [[""]]
    assert blocks_of(Rule("r", 1, RuleKind.FLAG, "cease", EVER, effective_to=yesterday), **columns) == [[""]]
    assert blocks_of(Rule("r", 1, RuleKind.FLAG, "cease", AS_OF, effective_to=AS_OF), **columns) == [["r"]]


def test_the_strictest_rule_is_the_one_recorded():
    short = Rule("a-short", 1, RuleKind.FLAG, "cease", EVER, next_eligible_days=1)
    long = Rule("b-long", 1, RuleKind.FLAG, "cease", EVER, next_eligible_days=7)
    forever = Rule("c-forever", 1, RuleKind.FLAG, "cease", EVER)
    portfolio = admitted(account_id=text(["a"]), cease=np.array([True])).portfolio
    for rules, expected in (((short, long), "b-long"), ((short, forever, long), "c-forever")):
        found = evaluate(portfolio, plan(queue("q")), RuleTable("t", rules))
        assert found.reason(0, 0).rule_id == expected
    reason = evaluate(portfolio, plan(queue("q")), RuleTable("t", (long,))).reason(0, 0)
    assert next_eligible_date(reason, portfolio, 0) == AS_OF + timedelta(days=7)


def test_queue_limits_name_product_bucket_and_state():
    desk = [queue("p", products=("AUTO",)), queue("b", buckets=(0,)), queue("s", states=("US-CA",))]
    portfolio = admitted(account_id=text(["a"]), state=text(["US-NY"])).portfolio
    found = evaluate(portfolio, plan(*desk), RuleTable("t", ()))
    assert [found.reason(0, q).rule_id for q in range(3)] == ["queue.product", "queue.bucket", "queue.state"]


def test_an_unknown_state_is_not_licensed():
    portfolio = admitted(account_id=text(["a"])).portfolio
    found = evaluate(portfolio, plan(queue("s", states=("US-CA",))), RuleTable("t", ()))
    assert found.reason(0, 0).rule_id == "queue.state"


def test_a_rule_on_a_column_it_cannot_read_is_refused():
    with pytest.raises(CollectionsError, match="cannot be read"):
        blocks_of(Rule("r", 1, RuleKind.FLAG, "balance_minor", EVER), account_id=text(["a"]))
