"""What became of whom an order works: sums by hand, intervals against drawing anew, and nothing said of what nobody saw."""

from __future__ import annotations

import numpy as np
import pytest

from collections_opt.core.evaluation.comparison import RealisedOutcomes, _realised
from collections_opt.core.evaluation.worked_outcomes import worked_outcomes
from collections_opt.core.outcomes.matured import MaturedOutcomes
from collections_opt.core.outcomes.terms import Outcome


def outcomes(outcome, cash):
    count = len(outcome)
    zeros = {name: np.zeros(count, dtype) for name, dtype in (("source", np.uint8), ("day", np.int32), ("horizon", np.int32))}
    return MaturedOutcomes(
        account_id=np.array([f"a{i:05d}".encode() for i in range(count)]),
        outcome=np.array(outcome, dtype=np.uint8),
        event=np.zeros(count, np.int64),
        contradicted=np.zeros(count, np.uint8),
        cash_minor=np.array(cash, dtype=np.int64),
        contacts=np.zeros(count, np.int32),
        reached=np.zeros(count, np.uint8),
        **zeros,
    )


def test_shares_are_of_the_seen_and_money_of_what_is_told():
    kinds = [Outcome.CURED, Outcome.DEFAULTED, Outcome.STAYED, Outcome.SOLD, Outcome.CURED]
    found = worked_outcomes(np.array([1, 1, 1, 1, 0], bool), None, outcomes(kinds, [100, -1, 20, 5, 75]))
    assert (found.worked_count, found.seen_count, found.cash_known_count) == (4, 3, 3)
    assert found.cured.value == found.defaulted.value == pytest.approx(1 / 3)
    assert found.cash.value == 125
    assert found.cash_share.value == pytest.approx(125 / 200)
    assert found.cash_difference is None


def test_what_nobody_tells_is_not_said():
    found = worked_outcomes(np.ones(3, bool), None, outcomes([Outcome.NOT_SEEN] * 3, [-1] * 3))
    assert (found.cured, found.defaulted, found.cash, found.cash_share) == (None, None, None, None)
    nobody = worked_outcomes(np.zeros(3, bool), None, outcomes([Outcome.CURED] * 3, [5] * 3))
    assert (nobody.worked_count, nobody.cured, nobody.cash) == (0, None, None)


def test_money_is_as_wide_as_drawing_the_accounts_anew():
    rng = np.random.default_rng(3)
    cash = rng.gamma(0.3, 50_000, 4_000).astype(np.int64)
    kinds = rng.choice([Outcome.CURED, Outcome.DEFAULTED, Outcome.STAYED], 4_000)
    mine, theirs = rng.random((2, 4_000)) < 0.3
    found = worked_outcomes(mine, theirs, outcomes(kinds, cash))
    drawn = _realised(mine, theirs, RealisedOutcomes(cash, kinds == Outcome.CURED, kinds == Outcome.DEFAULTED), 1, 2_000)
    for ours, name in ((found.cash, "cash"), (found.cash_share, "cash_share"), (found.cash_difference, "cash_difference")):
        assert ours.value == pytest.approx(drawn[name].value)
        assert ours.high - ours.low == pytest.approx(drawn[name].high - drawn[name].low, rel=0.1)
    same = worked_outcomes(mine, mine, outcomes(kinds, cash)).cash_difference
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
