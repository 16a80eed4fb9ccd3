"""Entries of a recorded ranking as they follow from its inputs and the recorded answer, without any solver or model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.rankings.opened_ranking import OpenedRanking
from collections_opt.core.problem.assignment import Assignment
from collections_opt.core.ranking.ordering import Ordering, RawOrder, raw_order_key
from collections_opt.core.ranking.ranking import Entries, make_entries
from collections_opt.core.value.valued_accounts import ValuedAccounts
from collections_opt.solvers import solve_in_order


def recomputed_entries(opened: OpenedRanking, valued: ValuedAccounts) -> tuple[Entries, NDArray[np.uint8], Assignment]:
    """Return entries and rule codes as they follow from values and the recorded answer; a raw order is sorted anew."""
    raw, answer, exploration = None, opened.assignment(), opened.exploration(valued)
    if opened.ordering is not Ordering.EXPECTED_VALUE:
        seed = opened.facts.inputs.seed
        key = raw_order_key(opened.ordering, valued.portfolio, valued.outcomes, valued.worth, seed)
        raw = solve_in_order(RawOrder(opened.ordering, key, seed), valued.offered, exploration)
        answer = replace(raw.assignment, solver=answer.solver)
    return make_entries(valued, answer, raw, exploration), _rule_codes(valued), answer


def _rule_codes(valued: ValuedAccounts) -> NDArray[np.uint8]:
    """Return the strictest rule of accounts that no queue may work, uint8 (n,), 0 for the others."""
    return np.asarray(valued.eligibility.blocked_by.min(axis=1, initial=np.iinfo(np.uint8).max), dtype=np.uint8)
