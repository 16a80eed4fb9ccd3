"""Budgets, waits and persons: nothing over a cap, nothing on a missing fact, every lifting date exact to the day.

The judge of the million accounts reads the shipped table's TOML itself and shares no code with the rules.
"""

import tomllib
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from importlib import resources

import numpy as np
import pytest

from collections_opt.application.settings import bundled_rules, dump, load
from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.schema import CALENDAR
from collections_opt.core.rules import facts
from collections_opt.core.rules.eligibility import evaluate, next_eligible_date
from collections_opt.core.rules.known_persons import bound_by_persons, judge
from collections_opt.core.rules.persons_facts import PersonsFacts
from collections_opt.core.rules.tables import Rule, RuleKind, RuleScope, RuleStatus, RuleTable
from tests.support.factories import EVER, admitted, plan, queue, raw_portfolio, text

MADE = "calls_last_7_days_count"
CAP = Rule("cap", 1, RuleKind.BUDGET, MADE, EVER, threshold=7, jurisdictions=("US",), channels=("CALL",), next_eligible_days=7)
WAIT = Rule("wait", 1, RuleKind.WAIT, "days_since_conversation", EVER, threshold=7, known_by=MADE)


def blocks(rules, attempts=1.0, strict=True, **columns):
    portfolio = admitted(**columns).portfolio
    found = evaluate(portfolio, plan(queue("q", attempts=attempts)), RuleTable("t", tuple(rules), strict))
    named = [found.reason(row, 0) for row in range(portfolio.account_count)]
    return ["" if reason is None else reason.rule_id for reason in named]


@pytest.mark.parametrize("attempts", [1.0, 3.0])
@pytest.mark.parametrize("made", range(9))
def test_a_queue_takes_an_account_while_made_and_planned_stay_within_the_cap(made, attempts):
    found = blocks([CAP], attempts, account_id=text(["a"]), state=text(["US-TX"]), calls_last_7_days_count=np.array([made]))
    assert (found == ["cap"]) == (made + attempts > 7)


def test_a_count_that_is_not_known_blocks_where_a_rule_reads_it_and_nowhere_else():
    assert blocks([CAP], account_id=text(["a", "b", "c"]), state=text(["US-TX", "GB", ""])) == ["cap", "", "cap"]


@pytest.mark.parametrize(("state", "bound"), [("US-NY-NYC", True), ("US-NY", True), ("US", True), ("", True), ("US-NJ", False)])
def test_a_place_known_less_exactly_than_the_rules_is_bound(state, bound):
    rule = replace(CAP, jurisdictions=("US-NY-NYC",))
    columns = {"account_id": text(["a"]), "state": text([state]), MADE: np.array([9])}
    assert (blocks([rule], **columns) == ["cap"]) == bound
    assert (blocks([rule], strict=False, **columns) == ["cap"]) == (state in {"US-NY-NYC", ""})


def test_counts_of_a_person_add_up_over_debts_and_one_that_is_missing_is_missing_for_all():
    rule = replace(CAP, scope=RuleScope.PERSON)
    columns = {"account_id": text(["a", "b", "c"]), "customer_id": text(["p", "p", "q"]), "state": text(["US-TX"] * 3)}
    assert blocks([rule], **columns, calls_last_7_days_count=np.array([4, 3, 4])) == ["cap", "cap", ""]
    assert blocks([CAP], **columns, calls_last_7_days_count=np.array([4, 3, 4])) == ["", "", ""]
    raw = raw_portfolio(**columns, calls_last_7_days_count=np.array([0, 0, 0]))
    portfolio = admit(replace(raw, present={MADE: np.array([True, False, True])})).portfolio
    found = evaluate(portfolio, plan(queue("q")), RuleTable("t", (rule,), True))
    assert (found.blocked_by[:, 0] != 0).tolist() == [True, True, False]


def test_flags_of_a_person_bind_every_debt_and_specialists_may_still_work_them():
    rule = Rule("deceased", 1, RuleKind.FLAG, "deceased", EVER, specialism="deceased", scope=RuleScope.PERSON)
    portfolio = admitted(
        account_id=text(["a", "b", "c"]), customer_id=text(["p", "p", ""]), deceased=np.array([True, False, False])
    ).portfolio
    desk = plan(queue("calls"), queue("estates", specialisms=("deceased",), specialist_only=True))
    found = evaluate(portfolio, desk, RuleTable("t", (rule,), True))
    assert (found.blocked_by == 0).tolist() == [[False, True], [False, True], [True, False]]


def test_every_lifting_date_is_exact_over_leap_days_and_month_ends():
    day = date(2027, 12, 20)
    for _ in range(90):  # over the leap day of 2028
        for since in range(1, 8):
            raw = raw_portfolio(account_id=text(["a"]), days_since_conversation=np.array([since]))
            portfolio = admit(replace(raw, as_of_date=day)).portfolio
            found = evaluate(portfolio, plan(queue("q")), RuleTable("t", (WAIT,), True))
            lifts = next_eligible_date(found.reason(0, 0), portfolio, 0)
            conversation = day - timedelta(days=since - 1)
            assert lifts == conversation + timedelta(days=7)
        day += timedelta(days=1)


@pytest.mark.parametrize(("since", "blocked"), [(1, True), (7, True), (8, False), (9, False)])
def test_the_day_before_is_blocked_and_the_day_itself_is_free(since, blocked):
    assert (blocks([WAIT], account_id=text(["a"]), days_since_conversation=np.array([since])) == ["wait"]) == blocked


def test_a_blank_day_means_no_conversation_only_where_contacts_are_recorded():
    assert blocks([WAIT], account_id=text(["a"])) == ["wait"]
    assert blocks([WAIT], account_id=text(["a"]), calls_last_7_days_count=np.array([0])) == [""]
    assert blocks([replace(WAIT, known_by="")], account_id=text(["a"]), calls_last_7_days_count=np.array([0])) == ["wait"]


def test_a_rule_that_is_only_proposed_blocks_nothing():
    columns = {"account_id": text(["a"]), "state": text(["US-TX"]), MADE: np.array([9])}
    assert blocks([CAP], **columns) == ["cap"]
    assert blocks([replace(CAP, status=RuleStatus.PROPOSED)], **columns) == [""]


def test_nothing_past_due_is_not_worked():
    rule = Rule("none", 1, RuleKind.NOT_PAST_DUE, "days_past_due", EVER)
    columns = {"account_id": text(["a", "b", "c"]), "days_past_due": np.array([0, 0, 5]), "arrears_minor": np.array([0, 5, 0])}
    assert blocks([rule], **columns) == ["none", "", ""]


def test_tables_of_earlier_versions_are_written_as_they_were():
    old = RuleTable("t", (Rule("r", 1, RuleKind.COUNT_ABOVE, MADE, EVER, threshold=7),))
    assert "scope" not in dump(old)
    assert "strict_places" not in dump(old)
    assert load(dump(bundled_rules()), RuleTable) == bundled_rules()


COUNT, FEWER = 1_000_000, 100_000
"""Of a million none may be wrong; that a fault is noticed shows on fewer."""
STATES = [
    "US-MA",
    "US-WA",
    "US-NY-NYC",
    "US-NY",
    "US-TX",
    "US-DC",
    "US-WV",
    "US",
    "",
    "GB",
    "IN",
    "TW",
    "RU",
    "AU",
    "IE",
    "TH",
    "GR",
]


@cache
def drawn(count, seed):
    rng = np.random.default_rng(seed)
    raw = raw_portfolio(
        account_id=np.char.mod("A%07d", np.arange(count)).astype("S"),
        customer_id=np.char.mod("P%06d", rng.integers(0, count * 4 // 5, count)).astype("S"),
        state=np.array(STATES, dtype="S")[rng.integers(0, len(STATES), count)],
        calls_last_7_days_count=rng.integers(0, 40, count),
        attempts_last_7_days_count=rng.integers(0, 8, count),
        days_since_conversation=rng.integers(1, 15, count),
        deceased=rng.random(count) < 0.02,
        **{name: rng.integers(0, 12 if "month" in name else 3, count) for name, _ in CALENDAR},
    )
    present = {
        name: rng.random(count) < 0.95
        for name in (
            "calls_last_7_days_count",
            "attempts_last_7_days_count",
            "days_since_conversation",
            *(n for n, _ in CALENDAR),
        )
    }
    return admit(replace(raw, present=present)).portfolio


def _reaches(code, state):
    return not state or state == code or state.startswith(f"{code}-") or code.startswith(f"{state}-")


def over_by_rule(portfolio, attempts):
    """Yield of each cap and wait of the shipped file where a queue on the phone would break it, or a fact it needs is missing."""
    text_of_table = resources.files("collections_opt.datasets").joinpath("bundled/settings/rules.toml").read_text()
    states, place = np.unique(portfolio.column("state"), return_inverse=True)
    _, person = np.unique(portfolio.column("customer_id"), return_inverse=True)
    for rule in tomllib.loads(text_of_table)["rules"]:
        if rule["kind"] not in {"BUDGET", "WAIT"} or "CALL" not in rule.get("channels", ["CALL"]):
            continue
        binds = np.array([any(_reaches(code, state.decode()) for code in rule["jurisdictions"]) for state in states.tolist()])
        bound = binds[place]
        value, known = portfolio.column(rule["column"]), portfolio.is_present(rule["column"])
        if rule["kind"] == "WAIT":
            bad = np.where(
                known, value <= rule["threshold"], ~portfolio.is_present(rule["known_by"]) if "known_by" in rule else True
            )
        else:
            made = np.where(known, value, 10_000)
            if rule.get("scope") == "PERSON":
                made = np.bincount(person, weights=made)[person]
            bad = made + attempts > rule["threshold"]
        yield rule["rule_id"], bound & bad
    yield "deceased", np.bincount(person, weights=portfolio.column("deceased"))[person] > 0


def judged(portfolio, free, attempts):
    """Return how many accounts a queue may work against a rule; ``attempts`` are those offered, to all alike or to each."""
    return {rule_id: int((free & over).sum()) for rule_id, over in over_by_rule(portfolio, attempts)}


def test_of_a_million_accounts_none_is_free_over_a_cap_or_on_a_missing_fact():
    portfolio = drawn(COUNT, 0)
    desk = plan(*(queue(f"q{attempts}", attempts=float(attempts)) for attempts in (1, 3)))
    found = evaluate(portfolio, desk, bundled_rules())
    for index, attempts in enumerate((1, 3)):
        free = found.blocked_by[:, index] == 0
        assert free.sum() > 50_000
        assert set(judged(portfolio, free, attempts).values()) == {0}


@pytest.mark.parametrize("planted", ["planned attempts forgotten", "missing permits", "day eight", "own debts only"])
def test_the_judge_notices_planted_faults(planted):
    portfolio, table = drawn(FEWER, 1), bundled_rules()
    attempts, rules = 3, list(table.rules)
    attempts_seen = 1.0 if planted == "planned attempts forgotten" else 3.0
    if planted == "missing permits":
        rules = [
            replace(r, kind=RuleKind.COUNT_ABOVE, threshold=r.threshold - 2) if r.kind is RuleKind.BUDGET else r for r in rules
        ]
    if planted == "day eight":
        rules = [replace(r, threshold=r.threshold - 1) if r.kind is RuleKind.WAIT else r for r in rules]
    if planted == "own debts only":
        rules = [replace(r, scope=RuleScope.ACCOUNT) for r in rules]
    found = evaluate(portfolio, plan(queue("q", attempts=attempts_seen)), replace(table, rules=tuple(rules)))
    assert sum(judged(portfolio, found.blocked_by[:, 0] == 0, attempts).values()) > 0


SHRINKING = queue("q", attempts=3.0, attempts_may_shrink=True)


def offers(portfolio, table):
    found = evaluate(portfolio, plan(SHRINKING), table)
    free, offered = found.blocked_by[:, 0] == 0, found.attempts[:, 0]
    return free, np.where(offered == 0, 3, offered)


def test_of_a_million_accounts_none_is_offered_more_than_a_cap_leaves_and_none_less():
    portfolio, table = drawn(COUNT, 0), bundled_rules()
    free, offered = offers(portfolio, table)
    assert set(judged(portfolio, free, offered).values()) == {0}
    assert np.bincount(offered[free])[1:].min() > 5_000
    # One attempt more is over some cap wherever fewer than three are offered; where none is offered, one is.
    fewer, blocked = free & (offered < 3), evaluate(portfolio, plan(queue("one", attempts=1.0)), table).blocked_by[:, 0] != 0
    over = np.any([broken for _, broken in over_by_rule(portfolio, offered + 1)], axis=0)
    assert over[fewer].all()
    assert np.array_equal(blocked, ~free)
    # Offered or not, what is free with all three attempts is what is free without shrinking.
    assert np.array_equal(
        free & (offered == 3), evaluate(portfolio, plan(queue("all", attempts=3.0)), table).blocked_by[:, 0] == 0
    )


@pytest.mark.parametrize("planted", ["one more than is left", "missing permits", "own debts only"])
def test_the_judge_notices_planted_faults_of_offers(planted, monkeypatch):
    portfolio, table = drawn(FEWER, 1), bundled_rules()
    left = facts.budget_left
    if planted == "one more than is left":
        monkeypatch.setattr("collections_opt.core.rules.eligibility.budget_left", lambda *of: left(*of) + 1)
    if planted == "missing permits":
        monkeypatch.setattr(facts, "_over_budget", lambda rule, accounts, *_: accounts.column(rule.column) + 1 > rule.threshold)
    if planted == "own debts only":
        monkeypatch.setattr(
            "collections_opt.core.rules.eligibility.budget_left", lambda rule, accounts, _: left(rule, accounts, None)
        )
    free, offered = offers(portfolio, table)
    assert sum(judged(portfolio, free, offered).values()) > 0


@pytest.mark.parametrize(
    ("made", "planned", "offered"), [(4, 3.0, 0), (5, 3.0, 2), (6, 3.0, 1), (5, 2.5, 2), (6, 1.5, 1), (7, 3.0, None)]
)
def test_what_a_cap_leaves_is_offered(made, planned, offered):
    portfolio = admitted(account_id=text(["a"]), state=text(["US-TX"]), calls_last_7_days_count=np.array([made])).portfolio
    found = evaluate(portfolio, plan(replace(SHRINKING, attempts=planned)), RuleTable("t", (CAP,), True))
    assert (found.reason(0, 0) is not None) == (offered is None)
    assert found.attempts[0, 0] == (offered or 0)


def test_the_tightest_of_several_caps_says_what_is_offered_and_facts_of_other_accounts_lower_it():
    weekly = replace(CAP, rule_id="weekly", jurisdictions=(), scope=RuleScope.PERSON, threshold=6)
    table, desk = RuleTable("t", (CAP, weekly), True), plan(SHRINKING, queue("all"))
    columns = {"account_id": text(["a"]), "customer_id": text(["p"]), "state": text(["US-TX"]), MADE: np.array([4])}
    call = admitted(**columns).portfolio
    known = admitted(**{**columns, "account_id": text(["b"]), MADE: np.array([1])}).portfolio
    alone = evaluate(call, desk, table)
    assert alone.attempts.tolist() == [[2, 0]]
    bound = bound_by_persons(alone, PersonsFacts.of(known).bind(call, table), desk, table)
    assert bound.attempts.tolist() == [[1, 0]]
    assert (bound.blocked_by != 0).tolist() == [[False, True]]
    assert evaluate(call, plan(queue("all")), table).attempts is None


def test_what_is_known_of_a_persons_other_accounts_binds_those_that_a_call_brings():
    deceased = Rule("deceased", 1, RuleKind.FLAG, "deceased", EVER, scope=RuleScope.PERSON)
    weekly = replace(CAP, rule_id="weekly", jurisdictions=(), scope=RuleScope.PERSON)
    debt = replace(CAP, rule_id="debt", jurisdictions=())
    table = RuleTable("t", (deceased, weekly, debt), True)
    known = admitted(
        account_id=text(["card", "loan", "old"]),
        customer_id=text(["p", "q", "r"]),
        deceased=np.array([True, False, True]),
        calls_last_7_days_count=np.array([0, 4, 0]),
    ).portfolio
    call = admitted(
        account_id=text(["n1", "n2", "n3", "n4", "old"]),
        customer_id=text(["p", "q", "q", "", "r"]),
        deceased=np.zeros(5, dtype=bool),
        calls_last_7_days_count=np.array([0, 1, 2, 0, 0]),
    ).portfolio
    desk = plan(queue("q"))
    alone = evaluate(call, desk, table)
    assert not alone.blocked_by.any()
    both = bound_by_persons(alone, PersonsFacts.of(known).bind(call, table), desk, table)
    named = [reason.rule_id if (reason := both.reason(row, 0)) else "" for row in range(5)]
    # 4 + 1 + 2 made and one planned are more than seven; what the call says of "old" is newer than what was known.
    assert named == ["deceased", "weekly", "weekly", "", ""]


@pytest.mark.parametrize(("made", "offered"), [([0, 0], 2), ([1, 1], 2), ([2, 2], 1), ([2, 3], None)])
def test_where_several_accounts_of_a_person_may_be_worked_the_cap_is_shared_among_them(made, offered):
    weekly = replace(
        CAP, rule_id="weekly", jurisdictions=(), scope=RuleScope.PERSON, threshold=6 if offered != 2 or sum(made) else 5
    )
    table, desk = RuleTable("t", (weekly,), True), plan(SHRINKING, queue("two", attempts=2.0))
    portfolio = admitted(
        account_id=text(["a", "b"]), customer_id=text(["p", "p"]), calls_last_7_days_count=np.array(made)
    ).portfolio
    several = evaluate(portfolio, replace(desk, several_contacts_per_person=True), table)
    assert (several.blocked_by[:, 0] == 0).tolist() == [offered is not None] * 2
    assert several.attempts[:, 0].tolist() == [offered or 0] * 2
    assert (several.blocked_by[:, 1] == 0).tolist() == [sum(made) + 2 * 2 <= weekly.threshold] * 2
    once = evaluate(portfolio, desk, table)
    left = weekly.threshold - sum(made)
    assert once.attempts[:, 0].tolist() == [left if 1 <= left < 3 else 0] * 2


def test_the_share_counts_accounts_that_a_call_does_not_bring_and_a_debts_own_cap_is_not_shared():
    weekly, own = replace(CAP, jurisdictions=(), scope=RuleScope.PERSON, threshold=6), replace(CAP, jurisdictions=(), threshold=6)
    desk = replace(plan(queue("q", attempts=3.0)), several_contacts_per_person=True)
    columns = {"customer_id": text(["p"]), MADE: np.array([0])}
    call, other = admitted(account_id=text(["n"]), **columns).portfolio, admitted(account_id=text(["o"]), **columns).portfolio
    third = admitted(
        account_id=text(["o", "t"]), customer_id=text(["p", "p"]), calls_last_7_days_count=np.zeros(2, int)
    ).portfolio
    for known, free in ((other, True), (third, False)):
        found = judge(call, PersonsFacts.of(known), desk, RuleTable("t", (weekly,), True))
        assert (found.reason(0, 0) is None) == free
        assert judge(call, PersonsFacts.of(known), desk, RuleTable("t", (own,), True)).reason(0, 0) is None
        once = replace(desk, several_contacts_per_person=False)
        assert judge(call, PersonsFacts.of(known), once, RuleTable("t", (weekly,), True)).reason(0, 0) is None
