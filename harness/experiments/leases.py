"""Days of rankings whose worklists are leased whole: is anybody leased who was to be left alone? Judged by the library's HMAC."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from collections_opt.application.settings import bundled_parameters, bundled_rules
from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.portfolio import Portfolio, RawPortfolio
from collections_opt.core.experiments import arms as arms_module
from collections_opt.core.experiments.arms import PROTECTED
from collections_opt.core.experiments.design import ExperimentDesign
from collections_opt.core.experiments.recorded import RunningExperiments
from collections_opt.core.problem.assignment import UNASSIGNED
from collections_opt.core.ranking.pipeline import RankingRequest, rank
from collections_opt.core.value import valued_accounts
from collections_opt.core.value.outcomes import OutcomeProbabilities
from collections_opt.solvers import SOLVERS
from tests.support.experiments.trials import DAY, design
from tests.support.factories import plan, queue


@dataclass
class Judged:
    """What was leased: leases, those of people left alone, people left alone, and people who changed their arm."""

    leases: int = 0
    wrong: int = 0
    left_alone: int = 0
    moved: int = 0


def book(generator: np.random.Generator, people: int, day: int) -> RawPortfolio:
    """Return a day's book: every third person has two accounts, rows are shuffled, some moved since yesterday, some come anew."""
    person = np.arange(day * (people // 50), people + day * (people // 50))
    owner = np.concatenate([person, person[person % 3 == 0]])
    account = np.concatenate([person * 2, person[person % 3 == 0] * 2 + 1])
    order = generator.permutation(owner.size)
    owner, account = owner[order], account[order]
    count = owner.size
    nameless = owner % 7 == 1  # these have no customer id: each account is its own person
    names = np.char.add("c-", owner.astype("U12")).astype(object)
    columns = {
        "account_id": np.char.add("a-", account.astype("U12")).astype(object),
        "customer_id": names,
        "product": np.full(count, "CREDIT_CARD", dtype=object),
        "state": generator.choice(np.array(["US-TX", "US-IL", "US-NY"], dtype=object), count),
        "balance_minor": generator.integers(50_000, 900_000, count),
        "arrears_minor": np.full(count, 40_000),
        "days_past_due": 30 + (owner + day) % 100,
        "calls_last_7_days_count": np.zeros(count, dtype=np.int64),
        "attempts_last_7_days_count": np.zeros(count, dtype=np.int64),
        "contacts_in_window_count": np.zeros(count, dtype=np.int64),
        **{name: (owner % 97) == at for at, name in enumerate(PROTECTED)},
    }
    present = {"customer_id": ~nameless}
    return RawPortfolio(DAY + timedelta(days=day), "America/New_York", "USD", columns, present)


def score(portfolio: Portfolio) -> OutcomeProbabilities:
    """Return probabilities that follow from the balance alone."""
    cure = 0.1 + 0.5 * portfolio.column("balance_minor") / 900_000
    default = 0.5 * (1.0 - cure)
    return OutcomeProbabilities(np.column_stack([cure, default, 1.0 - cure - default]), "harness", "none")


def judged_days(people: int, wanted: int, share: float = 0.05, most_days: int = 60) -> Judged:
    """Rank day after day and lease every worklist whole, until so many leases were given."""
    made: ExperimentDesign = design(share, days=most_days)
    desk = plan(queue("calls", agents=people / 12), queue("letters", agents=people / 30, talk_minutes=1.0))
    request = RankingRequest(desk, bundled_rules(), bundled_parameters(), experiments=RunningExperiments("book", (made,)))
    generator = np.random.default_rng(17)
    judged, known = Judged(), {}
    for day in range(most_days):
        portfolio = admit(book(generator, people, day)).portfolio
        ranking = rank(portfolio, request, score, SOLVERS["greedy"])
        _judge(ranking, made, judged, known)
        if judged.leases >= wanted:
            break
    return judged


def _judge(ranking, made: ExperimentDesign, judged: Judged, known: dict[bytes, bool]) -> None:
    portfolio, entries = ranking.portfolio, ranking.entries
    customers, accounts = portfolio.column("customer_id").tolist(), portfolio.column("account_id").tolist()
    names = [
        b"customer/" + customer if customer else b"account/" + own for customer, own in zip(customers, accounts, strict=True)
    ]
    key, limit = bytes.fromhex(made.salt), (made.share_nano << 64) // 10**9
    alone = np.array([int.from_bytes(hmac.digest(key, name, "sha256")[:8], "big") < limit for name in names])
    shielded = np.zeros(alone.size, dtype=bool)
    for name in PROTECTED:
        shielded |= portfolio.column(name)
    barred = {name for name, out in zip(names, shielded.tolist(), strict=True) if out}
    alone &= np.array([name not in barred for name in names])
    leased = entries.queue != UNASSIGNED
    judged.leases += int(leased.sum())
    judged.wrong += int((leased & alone).sum())
    judged.left_alone += int(alone.sum())
    for name, arm in zip(names, entries.arm.tolist(), strict=True):
        judged.moved += arm > 0 and known.setdefault(name, arm) != arm


@contextmanager
def planted(module: object, name: str, fault: Callable):
    """Put a fault in the place of a function for the time of a block."""
    real = getattr(module, name)
    setattr(module, name, fault)
    try:
        yield
    finally:
        setattr(module, name, real)


def _by_account(portfolio: Portfolio):
    return np.strings.add(np.bytes_(b"account/"), portfolio.column("account_id"))


def _by_row(_salt: str, share_nano: int, person):
    return np.random.default_rng(len(person)).random(len(person)) < share_nano / 1e9


PLANTS = {
    "people left alone stay in the problem": (valued_accounts, "offered", lambda problem, _arms: problem),
    "arms by account instead of person": (arms_module, "person_keys", _by_account),
    "arms by a generator over rows": (arms_module, "held_out", _by_row),
}
"""Faults that the count must show: contacts to people left alone, or people who change their arm."""


def planted_days(fault: str, people: int, wanted: int) -> Judged:
    """Return what is judged with a fault in its place."""
    with planted(*PLANTS[fault]):
        return judged_days(people, wanted)
