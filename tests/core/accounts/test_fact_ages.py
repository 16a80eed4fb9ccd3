"""Facts older than a plan's bound are unknown and permit nothing; the judge reads ages by itself."""

from dataclasses import replace

import numpy as np
import pytest

from collections_opt.application.settings import bundled_rules, dump
from collections_opt.core.accounts.admission import admit
from collections_opt.core.desk.plan_checks import check_plan
from collections_opt.core.errors import CollectionsError
from collections_opt.core.rules.eligibility import TOO_OLD, evaluate, next_eligible_date
from collections_opt.core.rules.known_persons import bound_by_persons
from collections_opt.core.rules.persons_facts import PersonsFacts
from collections_opt.core.rules.tables import Rule, RuleKind, RuleScope, RuleTable
from tests.support.factories import AS_OF, EVER, admitted, plan, queue, raw_portfolio, text

CAP = Rule("cap", 1, RuleKind.BUDGET, "calls_last_7_days_count", EVER, threshold=7)
WAIT = Rule("wait", 1, RuleKind.WAIT, "days_since_conversation", EVER, threshold=7, known_by="calls_last_7_days_count")
GONE = Rule("gone", 1, RuleKind.FLAG, "deceased", EVER, specialism="deceased", scope=RuleScope.PERSON)
TABLE = RuleTable("t", (CAP, WAIT, GONE), True)
DESK = plan(queue("calls", attempts=1.0), queue("estates", attempts=1.0, specialisms=("deceased",)))
FACTS = {"calls_last_7_days_count": np.zeros(3, dtype=np.int64), "days_since_conversation": np.full(3, 30)}


def bounded(**days):
    return replace(DESK, facts_at_most_days=days)


def three(ages=None, flag_ages=None, present=(True, True, True)):
    columns = {"account_id": text(["a", "b", "c"]), "customer_id": text(["p", "p", "q"]), **FACTS}
    if ages is not None:
        columns["contact_facts_days_old"] = np.array(ages)
    if flag_ages is not None:
        columns["flag_facts_days_old"] = np.array(flag_ages)
    masks = {name: np.array(present) for name in ("contact_facts_days_old", "flag_facts_days_old") if name in columns}
    return admit(replace(raw_portfolio(**columns), present=masks)).portfolio


def free(portfolio, desk, table=TABLE):
    return (evaluate(portfolio, desk, table).blocked_by == 0).tolist()


def test_what_is_older_than_its_bound_does_not_permit_and_says_so():
    portfolio = three(ages=[0, 2, 3])
    assert free(portfolio, DESK) == [[True, True]] * 3
    assert free(portfolio, bounded(contacts=2)) == [[True, True], [True, True], [False, False]]
    found = evaluate(portfolio, bounded(contacts=2), TABLE)
    assert found.reason(2, 0) is TOO_OLD
    assert next_eligible_date(TOO_OLD, portfolio, 2) is None
    assert TOO_OLD not in evaluate(portfolio, DESK, TABLE).legend


def test_a_column_is_a_closer_word_than_its_group():
    portfolio = three(ages=[1, 1, 1])
    assert free(portfolio, bounded(contacts=0, calls_last_7_days_count=1), RuleTable("t", (CAP,), True)) == [[True, True]] * 3
    assert free(portfolio, bounded(contacts=5, days_since_conversation=0), RuleTable("t", (WAIT,), True)) == [[False, False]] * 3


def test_an_age_that_is_not_known_is_no_age_and_a_portfolio_without_ages_is_of_its_day():
    assert free(three(ages=[0, 0, 0], present=(True, True, False)), bounded(contacts=9))[2] == [False, False]
    assert free(three(), bounded(contacts=0, flags=0)) == [[True, True]] * 3


def test_old_flags_of_one_debt_are_unknown_for_the_person_but_not_to_those_who_may_work_them_set():
    assert free(three(flag_ages=[9, 0, 0]), bounded(flags=3)) == [[False, True], [False, True], [True, True]]


def test_where_no_rule_reads_a_fact_its_age_does_not_matter():
    rule = replace(CAP, jurisdictions=("GB",))
    assert free(three(ages=[9, 9, 9]), bounded(contacts=0), RuleTable("t", (rule,), True)) == [[False, False]] * 3  # may be there
    columns = {"account_id": text(["a"]), "state": text(["US-TX"]), "contact_facts_days_old": np.array([9])}
    assert free(admitted(**columns).portfolio, bounded(contacts=0), RuleTable("t", (rule,), True)) == [[True, True]]


def test_what_is_known_of_other_accounts_ages_with_the_days_since_it_was_known():
    weekly = replace(CAP, rule_id="weekly", scope=RuleScope.PERSON)
    table = RuleTable("t", (weekly,), True)
    known = three(ages=[1, 1, 1])
    raw = raw_portfolio(account_id=text(["n"]), customer_id=text(["q"]), calls_last_7_days_count=np.array([0]))
    for later, allowed in ((0, True), (1, True), (2, False)):
        call = admit(replace(raw, as_of_date=AS_OF.replace(day=AS_OF.day + later))).portfolio
        desk = bounded(contacts=2)
        both = bound_by_persons(evaluate(call, desk, table), PersonsFacts.of(known).bind(call, table, True), desk, table)
        assert (both.reason(0, 0) is None) == allowed
        assert allowed or both.reason(0, 0) is TOO_OLD


def test_a_portfolio_without_ages_is_held_and_digested_as_before():
    without, aged = three(), three(ages=[0, 0, 0])
    assert "contact_facts_days_old" not in without.columns
    assert without.digest != aged.digest
    assert not without.is_present("contact_facts_days_old").any()
    assert aged.take(slice(0, 1)).column("contact_facts_days_old").tolist() == [0]
    assert "facts_at_most_days" not in dump(DESK)


@pytest.mark.parametrize("wrong", [{"contact": 3}, {"balance_minor": 3}, {"contacts": -1}, {"flags": 10**6}])
def test_a_bound_of_no_fact_or_of_no_days_is_refused(wrong):
    with pytest.raises(CollectionsError, match="facts_at_most_days") as found:
        check_plan(replace(DESK, facts_at_most_days=wrong))
    assert next(iter(wrong)) in str(found.value.violations[0])


def aged(count=20_000, seed=2):
    rng = np.random.default_rng(seed)
    raw = raw_portfolio(
        account_id=np.char.mod("A%05d", np.arange(count)).astype("S"),
        customer_id=np.char.mod("P%05d", rng.integers(0, count, count)).astype("S"),
        state=np.array(["US-TX", "US-WA", "TW", ""], dtype="S")[rng.integers(0, 4, count)],
        calls_last_7_days_count=rng.integers(0, 3, count),
        attempts_last_7_days_count=rng.integers(0, 2, count),
        days_since_conversation=rng.integers(8, 30, count),
        contact_facts_days_old=rng.integers(0, 6, count),
        flag_facts_days_old=rng.integers(0, 12, count),
    )
    masks = {name: rng.random(count) < 0.9 for name in ("contact_facts_days_old", "flag_facts_days_old")}
    return admit(replace(raw, present=masks)).portfolio


def worked_on_old_facts(portfolio, allowed):
    """Return how many free accounts rest on contacts of over 2 or flags of over 7 days; some caps read all debts of a person."""
    contacts = ~portfolio.present["contact_facts_days_old"] | (portfolio.columns["contact_facts_days_old"] > 2)
    flags = ~portfolio.present["flag_facts_days_old"] | (portfolio.columns["flag_facts_days_old"] > 7)
    _, person = np.unique(portfolio.column("customer_id"), return_inverse=True)
    of_person = [np.bincount(person, weights=old)[person] > 0 for old in (contacts, flags)]
    state = portfolio.column("state")
    ruled = np.isin(state, np.array([b"US-TX", b"US-WA", b""]))  # Taiwan has no rule that reads contacts but the policy's
    return int((allowed & (of_person[1] | (ruled & contacts) | ((state == b"US-WA") & of_person[0]))).sum())


def test_of_many_accounts_none_is_worked_on_facts_that_are_too_old():
    portfolio, desk = aged(), bounded(contacts=2, flags=7)
    allowed = evaluate(portfolio, desk, bundled_rules()).blocked_by[:, 0] == 0
    assert allowed.sum() > 1_000
    assert worked_on_old_facts(portfolio, allowed) == 0


@pytest.mark.parametrize("planted", ["blank ages permit", "own debts only", "a day too many"])
def test_the_judge_notices_planted_faults(planted, monkeypatch):
    portfolio, desk = aged(), bounded(contacts=2, flags=7)
    if planted == "blank ages permit":
        present = {**portfolio.present, "contact_facts_days_old": np.ones(portfolio.account_count, dtype=bool)}
        seen = replace(portfolio, present=present)
    else:
        seen = portfolio
    table = bundled_rules()
    if planted == "own debts only":
        table = replace(table, rules=tuple(replace(rule, scope=RuleScope.ACCOUNT) for rule in table.rules))
    if planted == "a day too many":
        desk = bounded(contacts=3, flags=8)
    assert worked_on_old_facts(portfolio, evaluate(seen, desk, table).blocked_by[:, 0] == 0) > 0
