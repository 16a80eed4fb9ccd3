"""A block of accounts lives month after month: turning late, contacts, promises, payments, cures, rolls and charge-off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.value.outcomes import CURE, DEFAULT, STAY
from collections_opt.datasets.simulated_lender.accounts import BLOCK_ACCOUNTS, Accounts, Floats, Ints, born, stream
from collections_opt.datasets.simulated_lender.behaviour import Behaviour, reply
from collections_opt.datasets.simulated_lender.desk import decide
from collections_opt.datasets.simulated_lender.form import Form
from collections_opt.datasets.simulated_lender.parameters import LenderParameters
from collections_opt.datasets.simulated_lender.state import CHARGED_OFF, Draws, Mask, State, draw


@dataclass(frozen=True)
class MonthBlock:
    """One month of a block: who was late, what they would do under every action, what the desk did, and what came of it.

    ``rows`` picks the late accounts out of the block; every other array is aligned with ``rows``.
    """

    month: int
    rows: Ints
    accounts: Accounts
    state: State
    behaviour: Behaviour
    draws: Draws
    queue: NDArray[np.int16]
    contacted: Mask
    right_party: Mask
    propensity: Floats
    queue_propensity: Floats
    outcome: Ints
    rolled: Mask
    cash: Floats
    recovery: Floats


def live(
    parameters: LenderParameters, form: Form, seed: int, block: int, account_count: int, last_month: int
) -> Iterator[MonthBlock]:
    """Yield the months 0 .. ``last_month`` of a block; months before 0 only make history."""
    life = Life(parameters, form, seed, block, account_count)
    for _ in range(last_month + 1):
        yield life.late()
        life.settle()


class Life:
    """A block that lives month after month, as its own desk decides or as somebody else does.

    Each month is first seen with ``late``, then settled; its random numbers are the same whoever decides.

    Args:
        parameters: the world.
        form: how its people behave.
        seed: of the lender.
        block: which block.
        account_count: accounts of the whole book.
    """

    def __init__(self, parameters: LenderParameters, form: Form, seed: int, block: int, account_count: int) -> None:
        self._world = (parameters, form)
        self._seed, self._block, self._step = seed, block, 0
        self._accounts = born(parameters, seed, block, form.traits)
        self._state = _opening(parameters, self._accounts, self._accounts.number < account_count)
        self._seen: MonthBlock | None = None
        self._draws: Draws
        self._begin()
        for _ in range(parameters.history_months):
            self.settle()

    def late(self) -> MonthBlock:
        """Return the month as the lender's own desk would have it: who is late, and what came of its decisions."""
        if self._seen is None:
            parameters, form = self._world
            month = self._step - parameters.history_months
            self._seen = _work(parameters, form, self._accounts, self._state, self._draws, month)
        return self._seen

    def settle(self, queue: NDArray[np.int16] | None = None, contacted: Mask | None = None) -> MonthBlock:
        """Let the month come about and go on to the next one; return what came of it.

        Args:
            queue: int16 (m,) queue of each late account, ``NO_QUEUE`` for none; None for the desk's own decisions.
            contacted: bool (m,) whom that queue contacted; with ``queue``.
        """
        parameters, form = self._world
        done = self.late()
        if queue is not None and contacted is not None:
            done = _decided(parameters, done, queue, contacted)
        self._state = _advance(parameters, form, self._accounts, self._state, self._draws, done)
        self._step += 1
        self._begin()
        return done

    def _begin(self) -> None:
        parameters, form = self._world
        self._seen = None
        self._draws = draw(stream(self._seed, self._block, self._step), len(parameters.queues))
        self._state = replace(self._state, shock=form.next_shock(parameters, self._state.shock, self._draws.normal[0]))


def _opening(parameters: LenderParameters, accounts: Accounts, exists: Mask) -> State:
    months, size = parameters.history_months, BLOCK_ACCOUNTS
    balance = accounts.opening_balance
    return State(
        missed=np.where(exists, 0, CHARGED_OFF),
        balance=balance,
        shock=np.zeros(size),
        contacted=np.zeros((2, size), dtype=bool),
        reached=np.zeros(size, dtype=bool),
        conversation_days=np.zeros(size, dtype=np.int64),
        open_promise=np.zeros(size, dtype=bool),
        status_history=np.zeros((months, size), dtype=np.int64),
        balance_history=np.tile(balance, (months, 1)),
        payment_history=np.tile(instalments(parameters, accounts, balance), (months, 1)),
    )


def instalments(parameters: LenderParameters, accounts: Accounts, balance: Floats) -> Floats:
    """Return the monthly instalment, float64 (m,) minor units."""
    share = np.array([p.instalment_share for p in parameters.products])[accounts.product]
    return np.maximum(np.round(share * balance), 2_500.0)


def _regular_payment(parameters: LenderParameters, accounts: Accounts, balance: Floats, draws: Draws) -> Floats:
    """Return what a current account pays: willing people pay more than the instalment, on cards much more."""
    is_card = np.array([p.is_card for p in parameters.products])[accounts.product]
    more = 1.0 / (1.0 + np.exp(-(-2.2 + 1.6 * accounts.willingness + 0.5 * draws.normal[2])))
    instalment = instalments(parameters, accounts, balance)
    ahead = instalment * (1.0 + np.maximum(0.3 * accounts.willingness + 0.2 * draws.normal[2], 0.0))
    paid = np.where(is_card, np.maximum(instalment, more * balance), ahead)
    return np.asarray(np.minimum(np.round(paid), balance), dtype=np.float64)


def arrears(parameters: LenderParameters, accounts: Accounts, state: State) -> Floats:
    """Return arrears: the payments missed, at most the balance, float64 minor units."""
    return np.minimum(np.maximum(state.missed, 0) * instalments(parameters, accounts, state.balance), state.balance)


def _work(parameters: LenderParameters, form: Form, accounts: Accounts, state: State, draws: Draws, month: int) -> MonthBlock:
    rows = np.flatnonzero(state.missed > 0)
    late = accounts.take(rows)
    now = state.take(rows)
    mine = draws.take(rows)
    behaviour = form.behave(parameters, late, now, month)
    decision = decide(parameters, late, now, behaviour, mine, form.hardness(parameters, late, now, behaviour, mine))
    none = np.zeros(rows.size)
    seen = MonthBlock(
        month,
        rows,
        late,
        now,
        behaviour,
        mine,
        decision.queue,
        decision.contacted,
        none.astype(bool),
        decision.propensity,
        decision.queue_propensity,
        none.astype(np.int64),
        none.astype(bool),
        none,
        none,
    )
    return _settled(parameters, seen)


def _decided(parameters: LenderParameters, seen: MonthBlock, queue: NDArray[np.int16], contacted: Mask) -> MonthBlock:
    """Return a month in which somebody else decided, by chances that the world does not know."""
    unknown = np.full(seen.rows.size, np.nan)
    decided = replace(seen, queue=queue, contacted=contacted, propensity=unknown, queue_propensity=unknown)
    return _settled(parameters, decided)


def _settled(parameters: LenderParameters, decided: MonthBlock) -> MonthBlock:
    """Return a month with what came of its decisions."""
    late, now, mine, behaviour = decided.accounts, decided.state, decided.draws, decided.behaviour
    outcome, reached = reply(behaviour, decided.queue, decided.contacted, mine.uniform[4], mine.uniform[5])
    rolled = (outcome == STAY) & (mine.uniform[6] < behaviour.roll_share)
    cash = _cash(parameters, late, now, outcome, rolled, arrears(parameters, late, now), mine)
    recovery = np.where(outcome == DEFAULT, _recovery(parameters, late, behaviour, now.balance, mine), 0.0)
    return replace(decided, right_party=reached, outcome=outcome, rolled=rolled, cash=cash, recovery=recovery)


def _cash(
    parameters: LenderParameters, late: Accounts, now: State, outcome: Ints, rolled: Mask, owed: Floats, draws: Draws
) -> Floats:
    """A cure pays the arrears (some pay all), a stay that holds its bucket pays an instalment, a roll pays a part or nothing."""
    instalment = instalments(parameters, late, now.balance)
    whole = draws.uniform[7] < 0.05
    part = np.where(draws.uniform[7] < parameters.payment_share, 0.8 * draws.uniform[8] * instalment, 0.0)
    generous = 1.0 + 0.5 * draws.uniform[8] ** 3 * np.exp(0.5 * late.willingness)
    stay = np.where(rolled, part, instalment * generous)
    paid = np.select([outcome == CURE, outcome == DEFAULT], [np.where(whole, now.balance, owed), 0.0], stay)
    return np.minimum(np.round(paid), now.balance)


def _recovery(parameters: LenderParameters, late: Accounts, behaviour: Behaviour, balance: Floats, draws: Draws) -> Floats:
    """Recoveries after charge-off are nothing, a part or everything, discounted to the charge-off; float64 minor units."""
    zero, full = (np.array(parameters.recovery(name))[late.product] for name in ("recovery_zero", "recovery_full"))
    part = np.clip(2.0 * behaviour.partial_recovery * draws.uniform[10], 0.0, 1.0)
    share = np.where(draws.uniform[9] < zero, 0.0, np.where(draws.uniform[9] > 1.0 - full, 1.0, part))
    return np.round(share * balance)


def _advance(parameters: LenderParameters, form: Form, accounts: Accounts, state: State, draws: Draws, done: MonthBlock) -> State:
    """Return the state at the next month end."""
    missed = state.missed.copy()
    outcome, rows = done.outcome, done.rows
    after = np.select([outcome == CURE, outcome == DEFAULT], [0, CHARGED_OFF], done.state.missed + done.rolled)
    missed[rows] = after
    current = state.missed == 0
    turn = np.log(parameters.delinquency_flow / (1 - parameters.delinquency_flow)) + form.turning(accounts, state.shock)
    missed[current & (draws.uniform[11] < 1.0 / (1.0 + np.exp(-turn)))] = 1
    paid = np.where(current & (missed == 0), _regular_payment(parameters, accounts, state.balance, draws), 0.0)
    paid[rows] = done.cash
    balance = _next_balance(parameters, accounts, state, paid, current, draws)
    contacted, reached, promise = (np.zeros(BLOCK_ACCOUNTS, dtype=bool) for _ in range(3))
    contacted[rows], reached[rows] = done.contacted, done.right_party
    promise[rows] = (
        done.right_party
        & (after > 0)
        & (done.draws.uniform[8] < parameters.promise_rate * 0.3)  # most promises have run out by the month end
    )
    days = np.where(state.conversation_days > 0, state.conversation_days + 30, 0)
    days = np.where(reached, 1 + (28 * draws.uniform[8]).astype(np.int64), days)
    return State(
        missed=missed,
        balance=balance,
        shock=state.shock,
        contacted=np.stack([contacted, state.contacted[0]]),
        reached=reached,
        conversation_days=days,
        open_promise=promise,
        status_history=np.vstack([missed[np.newaxis], state.status_history[:-1]]),
        balance_history=np.vstack([balance[np.newaxis], state.balance_history[:-1]]),
        payment_history=np.vstack([paid[np.newaxis], state.payment_history[:-1]]),
    )


def _next_balance(
    parameters: LenderParameters, accounts: Accounts, state: State, paid: Floats, current: Mask, draws: Draws
) -> Floats:
    """Interest, payments and, on cards in good standing, purchases up to the limit."""
    is_card = np.array([p.is_card for p in parameters.products])[accounts.product]
    rate = np.array([p.monthly_rate for p in parameters.products])[accounts.product]
    spent = np.where(is_card & current, 0.05 * accounts.limit * np.exp(0.6 * draws.normal[1] - 0.3), 0.0)
    grown = state.balance * (1.0 + rate) - paid + spent
    ceiling = np.where(is_card & current, np.maximum(accounts.limit, state.balance), np.inf)
    return np.asarray(np.round(np.clip(grown, 5_000.0, ceiling)), dtype=np.float64)
