"""What a person chose: media refused, consent to automated contact, a language; the person's, and read strictly."""

from dataclasses import replace

import numpy as np
import pytest

from collections_opt.application.settings import bundled_rules
from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.schema import CALENDAR
from collections_opt.core.codes.languages import languages_near, read_language
from collections_opt.core.desk.plan_checks import check_plan
from collections_opt.core.errors import CollectionsError
from collections_opt.core.rules.checks import check_rule_table
from collections_opt.core.rules.eligibility import NOT_SPOKEN, evaluate
from collections_opt.core.rules.known_persons import bound_by_persons
from collections_opt.core.rules.persons_facts import PersonsFacts
from collections_opt.core.rules.tables import Rule, RuleKind, RuleScope, RuleTable
from tests.support.factories import EVER, admitted, plan, queue, raw_portfolio, text

COUNTS = ("calls_last_7_days_count", "attempts_last_7_days_count", *(name for name, _ in CALENDAR))
MEDIA = {"CALL": "no_calls", "TEXT": "no_texts", "EMAIL": "no_emails", "LETTER": "no_letters", "VISIT": "no_visits"}
DESK = plan(*(queue(channel.lower(), channel=channel, attempts=1.0) for channel in MEDIA))
MACHINES = plan(
    queue("people", attempts=1.0),
    queue("robot", attempts=1.0, automated=True),
    queue("typed", attempts=1.0, channel="TEXT"),
    queue("sent", attempts=1.0, channel="TEXT", automated=True),
)
RULES = bundled_rules()


def of(state="TW", **columns):
    count = len(columns["account_id"])
    counts = {name: np.zeros(count, dtype=np.int64) for name in COUNTS}
    return admitted(**{"state": text([state] * count), **counts, **columns}).portfolio


def blocked(portfolio, desk, table=RULES):
    found = evaluate(portfolio, desk, table)
    return [
        [reason.rule_id if (reason := found.reason(row, index)) else "" for index in range(len(desk.queues))]
        for row in range(portfolio.account_count)
    ]


@pytest.mark.parametrize("channel", MEDIA)
def test_a_medium_that_was_refused_on_one_debt_is_closed_on_all_and_the_others_stay_open(channel):
    name = MEDIA[channel]
    people = {"account_id": text(["a", "b", "c"]), "customer_id": text(["p", "p", "q"])}
    found = blocked(of(**people, **{name: np.array([True, False, False])}), DESK)
    shut = [name.replace("_", "-") if each == channel else "" for each in MEDIA]
    assert found == [shut, shut, [""] * len(MEDIA)]


@pytest.mark.parametrize(("state", "asked"), [("US-TX", True), ("US", True), ("", True), ("TW", False)])
def test_machines_need_consent_where_the_law_asks_it_and_people_do_not(state, asked):
    names = ("consent_automated_calls", "consent_automated_texts")
    columns = {"account_id": text(["a", "b", "c"]), **{name: np.array([False, True, False]) for name in names}}
    raw = raw_portfolio(**columns)
    assert blocked(of(state, **columns), MACHINES)[0][1::2] == (
        ["us-automated-calls", "us-automated-texts"] if asked else ["", ""]
    )
    assert blocked(of(state, **columns), MACHINES)[1] == [""] * 4
    unsent = of(state, account_id=text(["a"]))
    assert blocked(unsent, MACHINES)[0] == (["", "us-automated-calls", "", "us-automated-texts"] if asked else [""] * 4)
    hidden = admit(replace(raw, present={name: np.array([True, False, True]) for name in names})).portfolio
    table = RuleTable("t", tuple(rule for rule in RULES.rules if rule.kind is RuleKind.CONSENT), True)
    assert blocked(hidden, MACHINES, table)[1][1::2] == ["us-automated-calls", "us-automated-texts"]  # no state: it may be there


def test_consent_that_is_missing_on_one_debt_is_missing_for_the_person():
    columns = {
        "account_id": text(["a", "b"]),
        "customer_id": text(["p", "p"]),
        "consent_automated_calls": np.array([True, False]),
    }
    assert [row[1] for row in blocked(of("US-TX", **columns), MACHINES)] == ["us-automated-calls"] * 2
    known = of("US-TX", **columns)
    call = of("US-TX", account_id=text(["n"]), customer_id=text(["p"]), consent_automated_calls=np.array([True]))
    alone = evaluate(call, MACHINES, RULES)
    assert alone.reason(0, 1) is None
    both = bound_by_persons(alone, PersonsFacts.of(known).bind(call, RULES), MACHINES, RULES)
    assert both.reason(0, 1).rule_id == "us-automated-calls"
    unsent = bound_by_persons(
        alone, PersonsFacts.of(of("US-TX", account_id=text(["b"]), customer_id=text(["p"]))).bind(call, RULES), MACHINES, RULES
    )
    assert unsent.reason(0, 1).rule_id == "us-automated-calls"


def test_a_refusal_on_an_account_that_a_call_does_not_bring_binds_those_that_it_brings():
    known = of(account_id=text(["b"]), customer_id=text(["p"]), no_texts=np.array([True]))
    call = of(account_id=text(["n"]), customer_id=text(["p"]))
    both = bound_by_persons(evaluate(call, DESK, RULES), PersonsFacts.of(known).bind(call, RULES), DESK, RULES)
    assert both.reason(0, 1).rule_id == "no-texts"


def test_a_team_works_those_whose_language_it_speaks_and_those_who_chose_none():
    desk = plan(queue("any", attempts=1.0), queue("two", attempts=1.0, languages=("en", "es")))
    columns = {"account_id": text(["a", "b", "c", "d"]), "customer_id": text(["p", "p", "q", "r"])}
    spoken = of(**columns, language=text(["fr", "", "es", ""]))
    assert blocked(spoken, desk) == [["", "queue.language"], ["", "queue.language"], ["", ""], ["", ""]]
    assert NOT_SPOKEN not in evaluate(spoken, DESK, RULES).legend
    call = of(account_id=text(["n"]), customer_id=text(["p"]))
    both = bound_by_persons(evaluate(call, desk, RULES), PersonsFacts.of(spoken).bind(call, RULES), desk, RULES)
    assert (both.reason(0, 0), both.reason(0, 1)) == (None, NOT_SPOKEN)


@pytest.mark.parametrize(
    ("written", "code"), [("es", "es"), ("ES", "es"), ("spa", "es"), ("Spanish", "es"), ("es-MX", "es"), ("zh_Hant", "zh")]
)
def test_languages_are_read_as_lenders_write_them(written, code):
    assert read_language(written).code == code


def test_a_language_that_nobody_knows_is_refused_with_those_near():
    assert not read_language("Spanisch").known
    assert languages_near("Spanisch")[0] == "es"
    admission = admitted(account_id=text(["a", "b"]), language=text(["Espagnol", "english"]))
    assert (admission.quarantine.field, admission.quarantine.rule) == (("language",), ("UNKNOWN_CODE",))
    assert admission.portfolio.column("language").tolist() == [b"en"]
    with pytest.raises(CollectionsError, match="languages") as found:
        check_plan(plan(queue("q", languages=("Spanish",))))
    assert "Use es" in str(found.value.violations[0])


def test_a_consent_may_be_a_persons_and_has_no_threshold():
    rule = next(rule for rule in RULES.rules if rule.kind is RuleKind.CONSENT)
    check_rule_table(RuleTable("t", (rule,), True))
    for wrong in ({"threshold": 3}, {"column": "language"}, {"column": "calls_last_7_days_count"}):
        with pytest.raises(CollectionsError, match=next(iter(wrong))):
            check_rule_table(RuleTable("t", (replace(rule, **wrong),), True))


def test_portfolios_without_choices_are_held_as_before_and_the_planted_account_scope_is_noticed():
    columns = {"account_id": text(["a", "b"]), "customer_id": text(["p", "p"]), "no_calls": np.array([True, False])}
    assert not {"no_calls", "language", "consent_automated_calls"} & set(of(account_id=text(["a"])).columns)
    own = Rule("no-calls", 1, RuleKind.FLAG, "no_calls", EVER, scope=RuleScope.ACCOUNT)
    person = replace(own, scope=RuleScope.PERSON)
    assert blocked(of(**columns), DESK, RuleTable("t", (own,), True))[1][0] == ""
    assert blocked(of(**columns), DESK, RuleTable("t", (person,), True))[1][0] == "no-calls"
