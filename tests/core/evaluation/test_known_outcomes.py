"""Outcomes are aligned by account id, whole or not at all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_opt.core.errors import CollectionsError
from collections_opt.core.evaluation.known_outcomes import KnownOutcomes


def known(ids, cash=None):
    count = len(ids)
    cash = np.arange(count) if cash is None else np.array(cash)
    return KnownOutcomes(np.array(ids, dtype="S"), cash, np.zeros(count, dtype=bool), np.ones(count, dtype=bool))


@given(st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=20, unique=True), st.data())
def test_any_accounts_get_their_own_outcome_in_their_order(ids, data):
    wanted = data.draw(st.permutations(ids))[: data.draw(st.integers(1, len(ids)))]
    found = known(ids).aligned(np.array(wanted, dtype="S"))
    assert found.cash_minor.tolist() == [ids.index(one) for one in wanted]


@pytest.mark.parametrize(("ids", "told"), [(["a", "a", "b"], "twice: a"), (["a"], "1 account(s) have no outcome: b")])
def test_repeated_and_missing_outcomes_are_refused_by_name(ids, told):
    with pytest.raises(CollectionsError, match="account_id") as caught:
        known(ids).aligned(np.array(["a", "b"], dtype="S"))
    assert told in str(caught.value)


def test_no_outcomes_at_all_name_the_accounts_that_lack_one():
    with pytest.raises(CollectionsError) as caught:
        known([]).aligned(np.array(["a", "b", "c", "d"], dtype="S"))
    assert "4 account(s) have no outcome: a, b, c, ..." in str(caught.value)
