"""Where rules let accounts be placed beside what a recorded ranking already plans for their persons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.rankings.opened_ranking import OpenedRanking
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.rules.eligibility import Eligibility
from collections_opt.core.rules.known_persons import judge
from collections_opt.core.rules.others import PlannedContacts
from collections_opt.core.rules.persons_facts import PersonsFacts
from collections_opt.core.rules.tables import RuleTable

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class KnownOfRanking:
    """What a ranking knows of persons, and what it plans for each of its accounts, in the order of its portfolio."""

    facts: PersonsFacts
    planned: PlannedContacts


def judged_beside_ranking(
    accounts: Portfolio, known: KnownOfRanking, then: OpenedRanking, rules: RuleTable, same: Mask
) -> tuple[Eligibility, Mask]:
    """Return where accounts may be worked, and of which the ranking's decision stands, bool (m,).

    It stands where rules let the queues work an account, and as often, as the ranking's own let them. Where the plan allows
    several contacts of a person, what the ranking plans for a person counts as made before anything else is placed.

    Args:
        accounts: of the call, m.
        known: of the ranking.
        then: what the ranking was made with.
        rules: in force on the accounts' day.
        same: bool (m,) accounts that the ranking holds with the same inputs.

    Raises:
        CollectionsError: as ``evaluate``.
    """
    if not then.plan.several_contacts_per_person:
        now = judge(accounts, known.facts, then.plan, rules)
        return now, same & _alike(judge(accounts, known.facts, then.plan, then.rules), now)
    beside = known.facts.beside(accounts, known.planned, same)
    before, now = (judge(accounts, known.facts, then.plan, table, beside) for table in (then.rules, rules))
    stands = same & _alike(before, now)
    if (stands == same).all():
        return now, stands
    return judge(accounts, known.facts, then.plan, rules, known.facts.beside(accounts, known.planned, stands)), stands


def _alike(before: Eligibility, now: Eligibility) -> Mask:
    same = (before.blocked_by == 0) == (now.blocked_by == 0)
    if before.attempts is not None and now.attempts is not None:
        same &= before.attempts == now.attempts
    return np.asarray(same.all(axis=1), dtype=bool)
