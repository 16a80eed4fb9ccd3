"""Two mornings of one book: every account has one change, and the cause is what an independent reading of the rows finds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_opt.core.evaluation.mornings import AGEING, Cause, Change, Morning, compare_mornings
from tests.support.entries import entries_of
from tests.support.factories import admitted, text


def morning(ids, queues, days=40, balance=90_000, names=("early", "late"), **entries):
    count = len(ids)
    columns = {"days_past_due": np.full(count, days), "balance_minor": np.full(count, balance)}
    columns = {name: np.asarray(value, dtype=np.int64) for name, value in columns.items()}
    portfolio = admitted(account_id=text(ids), **columns).portfolio
    made = replace(entries_of(queues), account_id=portfolio.column("account_id"))
    return Morning(portfolio, replace(made, **{name: np.array(value, dtype=np.int64) for name, value in entries.items()}), names)


def by_id(changes):
    return {
        account.decode(): (Change(change), Cause(cause))
        for account, change, cause in zip(changes.account_id, changes.change, changes.cause, strict=True)
    }


def test_who_came_left_and_moved():
    before, after = morning(["a", "b", "c", "d"], [0, -1, 0, 1]), morning(["b", "c", "d", "e"], [1, -1, 0, -1])
    assert by_id(compare_mornings(before, after)) == {
        "a": (Change.GONE, Cause.NONE),
        "b": (Change.ENTERED, Cause.CAPACITY),
        "c": (Change.LEFT, Cause.CAPACITY),
        "d": (Change.MOVED, Cause.CAPACITY),
        "e": (Change.NEW, Cause.NONE),
    }


def test_queues_are_known_by_name_and_not_by_place():
    before, after = morning(["a", "b"], [0, 1]), morning(["a", "b"], [1, 0], names=("late", "early"))
    assert [change for change, _ in by_id(compare_mornings(before, after)).values()] == [Change.SAME, Change.SAME]
    added = compare_mornings(before, morning(["a", "b"], [0, 1], names=("early", "night")))
    assert (added.queue_ids, list(added.queue_after)) == (("early", "late", "night"), [0, 2])


@pytest.mark.parametrize(
    ("changed", "cause"),
    [
        ({"balance": 80_000}, Cause.FACTS),
        ({"days": 41}, Cause.AGED),
        ({"balance": 80_000, "days": 41}, Cause.FACTS),
        ({"p_cure_nano": [1, 0]}, Cause.MODEL),
        ({"recovery_without_contact_minor": [7, 0]}, Cause.VALUES),
        ({"p_cure_nano": [1, 0], "recovery_without_contact_minor": [7, 0]}, Cause.MODEL),
        ({}, Cause.CAPACITY),
    ],
)
def test_the_cause_is_the_first_thing_that_differs(changed, cause):
    before, after = morning(["a", "b"], [0, -1]), morning(["a", "b"], [1, -1], **changed)
    assert by_id(compare_mornings(before, after)) == {"a": (Change.MOVED, cause), "b": (Change.SAME, Cause.NONE)}


def test_a_rule_that_blocks_in_one_morning_only_is_the_cause():
    before, after = morning(["a", "b"], [0, 0]), morning(["a", "b"], [-1, 0])
    after.entries.disposition[0] = 2
    assert by_id(compare_mornings(before, after))["a"] == (Change.LEFT, Cause.RULES)


ACCOUNTS = st.dictionaries(st.sampled_from("abcdefgh"), st.tuples(st.integers(-1, 1), st.integers(0, 2), st.integers(0, 2)))


@given(ACCOUNTS, ACCOUNTS)
def test_counts_and_causes_are_those_of_reading_account_by_account(first, second):
    made = []
    for book in (first, second):
        ids = sorted(book)
        if not ids:
            return
        made.append(morning(ids, [book[i][0] for i in ids], [40 + book[i][1] for i in ids], [90_000 + book[i][2] for i in ids]))
    found = compare_mornings(*made)
    assert sum(found.counts().values()) == len({*first, *second}) == len(found.account_id)
    expected = {}
    for name in {*first, *second}:
        was, now = first.get(name), second.get(name)
        if was is None or now is None:
            expected[name] = (Change.NEW if was is None else Change.GONE, Cause.NONE)
        elif was[0] == now[0]:
            expected[name] = (Change.SAME, Cause.NONE)
        else:
            change = Change.ENTERED if was[0] < 0 else Change.LEFT if now[0] < 0 else Change.MOVED
            expected[name] = (change, Cause.FACTS if was[2] != now[2] else Cause.AGED if was[1] != now[1] else Cause.CAPACITY)
    assert by_id(found) == expected
    shared = [name for name in first if name in second]
    told = dict(found.differing)
    assert told.get("balance_minor", 0) == sum(first[name][2] != second[name][2] for name in shared)
    worked = [sum(10 for queue, *_ in book.values() if queue >= 0) for book in (first, second)]
    assert sum(found.increments_minor().values()) == worked[1] - worked[0]


def test_what_ages_by_itself_is_in_the_schema():
    from collections_opt.core.accounts.schema import ACCOUNT_SCHEMA  # noqa: PLC0415

    assert set(ACCOUNT_SCHEMA) >= AGEING
