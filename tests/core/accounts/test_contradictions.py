"""What accounts of one person state differently is counted, and read strictly."""

from dataclasses import replace

import numpy as np

from collections_opt.application.settings import bundled_rules
from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.contradictions import (
    ALL_BIND,
    NOT_GIVEN,
    PERSON_FLAGS,
    SET_FOR_ALL,
    Contradiction,
    contradictions,
)
from collections_opt.core.accounts.schema import BLOCK_FLAGS
from collections_opt.core.rules.eligibility import evaluate
from collections_opt.core.rules.tables import RuleKind, RuleScope
from tests.support.factories import admitted, plan, queue, raw_portfolio, text

PEOPLE = {"account_id": text(["a", "b", "c", "d", "e"]), "customer_id": text(["p", "p", "p", "q", ""])}


def test_differing_facts_are_counted_by_person_with_an_account_to_look_at():
    portfolio = admitted(
        **PEOPLE,
        deceased=np.array([False, True, False, True, False]),
        dispute=np.array([False, True, False, True, False]),
        consent_automated_calls=np.array([True, True, False, True, True]),
        language=text(["en", "", "es", "fr", "de"]),
    ).portfolio
    assert contradictions(portfolio) == (
        Contradiction("deceased", 1, 3, "a", SET_FOR_ALL),
        Contradiction("consent_automated_calls", 1, 3, "a", NOT_GIVEN),
        Contradiction("language", 1, 2, "a", ALL_BIND),
    )


def test_a_blank_states_nothing_and_nobody_contradicts_himself():
    raw = raw_portfolio(**PEOPLE, deceased=np.array([False, True, False, True, False]))
    stated = admit(replace(raw, present={"deceased": np.array([False, True, False, True, True])})).portfolio
    assert contradictions(stated) == ()
    alone = admitted(account_id=text(["a", "b"]), customer_id=text(["", ""]), deceased=np.array([True, False])).portfolio
    assert contradictions(alone) == ()


def test_counts_agree_with_a_count_person_by_person():
    rng = np.random.default_rng(4)
    names = [f"P{number}" if number else "" for number in rng.integers(0, 150, 400)]
    flags, known = rng.random(400) < 0.3, rng.random(400) < 0.8
    raw = raw_portfolio(account_id=text([f"A{k:03d}" for k in range(400)]), customer_id=text(names), bankruptcy=flags)
    portfolio = admit(replace(raw, present={"bankruptcy": known})).portfolio
    said: dict[str, list[bool]] = {}
    for name, flag, stated in zip(names, flags.tolist(), known.tolist(), strict=True):
        if name and stated:
            said.setdefault(name, []).append(flag)
    differing = [told for told in said.values() if len(set(told)) == 2]
    found = contradictions(portfolio)
    assert [(one.person_count, one.account_count) for one in found] == [(len(differing), sum(map(len, differing)))]


def test_the_reading_that_is_told_is_the_one_of_the_rules():
    flags = {rule.column for rule in bundled_rules().rules if rule.kind is RuleKind.FLAG and rule.scope is RuleScope.PERSON}
    assert set(PERSON_FLAGS) == flags & set(BLOCK_FLAGS)
    desk = plan(queue("people", attempts=1.0), queue("robot", attempts=1.0, automated=True))
    counts = {name: np.zeros(5, dtype=np.int64) for name in ("calls_last_7_days_count", "attempts_last_7_days_count")}
    base = {**PEOPLE, **counts, "state": text(["US-TX"] * 5)}
    gone = admitted(**base, deceased=np.array([False, True, False, False, False])).portfolio
    assert (evaluate(gone, desk, bundled_rules()).blocked_by[:, 0] != 0).tolist() == [True, True, True, False, False]
    agreed = admitted(**base, consent_automated_calls=np.array([True, True, False, True, True])).portfolio
    assert (evaluate(agreed, desk, bundled_rules()).blocked_by[:, 1] != 0).tolist() == [True, True, True, False, False]
