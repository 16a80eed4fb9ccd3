"""Place new or changed accounts against a recorded ranking's prices, at once and without a solve; nothing is recorded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.answers.placement_arms import hold_back, in_drawn_queues, left_alone, worked_elsewhere
from collections_opt.application.answers.placement_rules import KnownOfRanking, judged_beside_ranking
from collections_opt.application.models.outcome_scorers import RecordedModel
from collections_opt.application.rankings.opened_ranking import OpenedRanking
from collections_opt.application.rankings.quarantine import refused_rows
from collections_opt.application.rankings.recorded_rankings import RecordedRankings
from collections_opt.application.resources.rule_tables import RuleTables
from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.portfolio import Portfolio, RawPortfolio
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse
from collections_opt.core.problem.assignment import INELIGIBLE, PRICE_SCALE, UNASSIGNED, AssignmentProblem
from collections_opt.core.problem.person_choice import OUTSIDE, Beside, Standing
from collections_opt.core.ranking.counterfactuals import Counterfactuals, counterfactuals
from collections_opt.core.ranking.placement import Placements, keep_recorded, place, same_inputs
from collections_opt.core.ranking.ranking import Disposition
from collections_opt.core.ranking.worked_persons import WorkedPersons, worked_persons
from collections_opt.core.ranking.worklist_order import RecordedDecisions, WorklistOrder
from collections_opt.core.rules.others import PlannedContacts
from collections_opt.core.rules.persons_facts import PersonsFacts
from collections_opt.core.value.basis import value_accounts
from collections_opt.core.value.outcomes import OutcomeProbabilities, quantised
from collections_opt.core.value.valued_accounts import ValuedAccounts
from collections_opt.core.wanted import require_wanted


@dataclass(frozen=True)
class PlacedAccounts:
    """Accounts placed at recorded prices; rows are the accounts sorted by id.

    Attributes:
        opened: the ranking with everything that decided it; the rules are those in force on the accounts' day.
        valued: the accounts with probabilities, eligibility and increments.
        recovery_without_contact_minor: int64 (m,) V(0), rounded.
        placements: where each goes.
        changes: what would put each account into each queue.
        position: int32 (m,) place it would take in its queue, 0 without one.
        recorded: what the ranking decided for those it holds.
        has_room: bool (m,), True where the queue has the minutes without dropping anybody: they are free, or its own.
        needed_increment_minor: int64 (m,) how much more increment makes the nearest queue worth its price; 0 if one is.
        unchanged: bool (m,), True where the ranking holds the account with the same inputs, and rules let it be worked where they
            did, so that its decision stands.
        worked_account_id: bytes (m,) the account of the same person that is preferred where this one is not placed, or that the
            ranking works and this one would replace; b"" for none.
        used_seconds: int64 (q,) time the recorded worklists take.
        worked_count: int64 (q,) accounts they hold.
    """

    opened: OpenedRanking
    valued: ValuedAccounts
    recovery_without_contact_minor: NDArray[np.int64]
    placements: Placements
    changes: Counterfactuals
    position: NDArray[np.int32]
    recorded: RecordedDecisions
    has_room: NDArray[np.bool_]
    needed_increment_minor: NDArray[np.int64]
    unchanged: NDArray[np.bool_]
    worked_account_id: NDArray[np.bytes_]
    used_seconds: NDArray[np.int64]
    worked_count: NDArray[np.int64]

    def offered_attempts(self, row: int, queue: int) -> int:
        """Return the attempts that budgets leave a queue, where they are fewer than it makes; 0 where all are offered."""
        offered = self.valued.eligibility.offered(slice(row, row + 1), queue)
        return 0 if offered is None else int(offered[0])


class Placer:
    """Scores and places accounts; the last ranking asked for stays in memory until somebody is erased.

    Args:
        recorded: recorded rankings.
        recorded_model: loads what scored them; raises MODEL_UNAVAILABLE.
        rule_tables: what binds on the day of the accounts.
        erasure_count: how many erasures there were; what was read before the last one is never served again.
    """

    def __init__(
        self,
        recorded: RecordedRankings,
        recorded_model: RecordedModel,
        rule_tables: RuleTables,
        erasure_count: Callable[[], int],
    ) -> None:
        self._recorded = recorded
        self._recorded_model = recorded_model
        self._rule_tables = rule_tables
        self._erasure_count = erasure_count
        self._lock = threading.Lock()
        self._last: tuple[tuple[str, int], WorklistOrder, WorkedPersons, KnownOfRanking] | None = None

    def place(self, ranking_id: str, raw: RawPortfolio) -> PlacedAccounts:
        """Place accounts where the ranking's prices put them, each person by himself.

        The rules are those in force on the accounts' day: a rule that was approved after the ranking binds what is placed. An
        account that the ranking holds with the same inputs, and that rules let be worked where they did, keeps its recorded
        decision: at these prices that is tied with whatever else it could be. Prices decide for the others. Where the ranking
        contacted each person once, one account of a person is placed at most: the one worth most, be it of this call or worked by
        the ranking.

        Raises:
            CollectionsError: as ``RecordedRankings.open_with_prices``; MODEL_UNAVAILABLE; INVALID_ARGUMENT naming every row that
                the door refuses, an as-of date before the ranking's, or own columns of the ranking's model that are lacking;
                CURRENCY_MISMATCH.
        """
        admission = admit(raw)
        if admission.quarantine.row.size:
            raise refused_rows(admission.quarantine)
        return self.place_admitted(ranking_id, admission.portfolio)

    def place_admitted(self, ranking_id: str, portfolio: Portfolio) -> PlacedAccounts:
        """Place accounts that passed the door, as ``place``.

        Raises:
            CollectionsError: as there.
        """
        opened, order, worked, known = self._ranking(ranking_id)
        _check_fit(portfolio, opened)
        rules = self._rule_tables.in_force(portfolio.as_of_date).rules
        require_wanted()
        outcomes = self._scored(opened, portfolio)
        require_wanted()
        account_id = portfolio.column("account_id")
        rows = order.rows(account_id)
        allowed, unchanged = judged_beside_ranking(portfolio, known, opened, rules, self._unchanged(opened, portfolio, rows))
        valued = value_accounts(portfolio, outcomes, opened.basis.under(rules=rules), allowed)
        require_wanted()
        recorded = order.decisions(rows)
        side = opened.side_of_new(portfolio)  # a placed account is a change asked for
        problem = in_drawn_queues(opened, portfolio, rows, valued.bound_by(side.rows, opened.persons_of(portfolio)).problem)
        beside = worked.beside(portfolio, rows)
        standing = Standing(unchanged, recorded.queue, beside)
        by_price = place(problem, opened.prices, side.prices, standing)
        kept_as_recorded = keep_recorded(by_price, unchanged, recorded.disposition, recorded.queue)
        kept_out = left_alone(opened, portfolio, rows), worked_elsewhere(opened, portfolio, rows)
        placements = hold_back(kept_as_recorded, *kept_out)
        changes = counterfactuals(problem, placements.margin, opened.prices, standing)
        cell = (np.arange(rows.size), np.maximum(placements.queue, 0))
        kept = unchanged & (recorded.queue == placements.queue)
        return PlacedAccounts(
            opened=opened,
            valued=valued,
            recovery_without_contact_minor=valued.recovery_without_contact_minor(),
            placements=placements,
            changes=changes,
            position=order.positions(account_id, placements.queue, problem.value[cell], problem.seconds[cell]),
            recorded=recorded,
            has_room=_has_room(problem, placements, order.used_seconds, kept),
            needed_increment_minor=_needed_increment(problem, placements, changes),
            unchanged=unchanged & (placements.disposition == recorded.disposition),
            worked_account_id=_worked_account(account_id, placements, recorded.queue, beside),
            used_seconds=order.used_seconds,
            worked_count=order.worked_count,
        )

    def _scored(self, opened: OpenedRanking, portfolio: Portfolio) -> OutcomeProbabilities:
        scorer = self._recorded_model(*opened.facts.scored_with)
        lacks = scorer.lacks(portfolio)
        if lacks:
            _check_own(lacks, scorer.lacks(opened.portfolio))
        return quantised(scorer.score(portfolio))

    def _ranking(self, ranking_id: str) -> tuple[OpenedRanking, WorklistOrder, WorkedPersons, KnownOfRanking]:
        key = (ranking_id, self._erasure_count())
        opened = self._recorded.open_with_prices(ranking_id)
        with self._lock:
            if self._last and self._last[0] == key:
                return opened, *self._last[1:]
        order = WorklistOrder(opened.entries, len(opened.plan.queues))
        worked = _worked(opened)
        planned = PlannedContacts.of(opened.entries.queue, opened.entries.attempts, opened.plan)
        known = KnownOfRanking(PersonsFacts.of(opened.portfolio), planned)
        with self._lock:
            self._last = (key, order, worked, known)
        return opened, order, worked, known

    @staticmethod
    def _unchanged(opened: OpenedRanking, portfolio: Portfolio, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        known = np.flatnonzero(rows >= 0)
        result = np.zeros(rows.size, dtype=bool)
        if known.size:
            mine, then = portfolio.take(known), opened.portfolio
            result[known] = same_inputs(mine, then.take(np.searchsorted(then.column("account_id"), mine.column("account_id"))))
        return result


def _worked(opened: OpenedRanking) -> WorkedPersons:
    """Return who is contacted about which account; nobody where the ranking did not count persons."""
    entries = opened.entries
    if not opened.facts.answer.persons.one_contact:
        return worked_persons(entries, np.zeros(entries.queue.size, dtype="S1"), np.zeros(0, np.int64))
    rows = np.flatnonzero(entries.queue != UNASSIGNED)
    side = opened.side_of(opened.portfolio.take(rows))
    queue, seconds = entries.queue[rows].astype(np.int64), entries.seconds[rows].astype(np.int64)
    margin = entries.increment_minor[rows] * PRICE_SCALE - opened.prices[queue] * seconds
    if side.rows is not None and side.prices.size:
        margin -= np.tensordot(side.prices, side.rows.table, axes=1)[side.rows.group, queue]
    return worked_persons(entries, opened.portfolio.column("customer_id"), margin)


def _worked_account(
    account_id: NDArray[np.bytes_], placements: Placements, recorded_queue: NDArray[np.int16], beside: Beside
) -> NDArray[np.bytes_]:
    rival = placements.rivals.row
    inside = np.maximum(rival, 0)
    beaten = placements.disposition == Disposition.ANOTHER_ACCOUNT_WORKED
    told = (rival >= 0) & (beaten | (recorded_queue[inside] != UNASSIGNED)) & (beaten | (placements.queue != UNASSIGNED))
    return np.where(told, account_id[inside], np.where(rival == OUTSIDE, beside.account_id, b""))


def _check_fit(portfolio: Portfolio, opened: OpenedRanking) -> None:
    ranked_on = opened.facts.inputs.as_of_date
    if portfolio.as_of_date < ranked_on:
        raise refuse(
            Reason.INVALID_ARGUMENT,
            "as_of_date",
            f"{portfolio.as_of_date} is before the ranking's {ranked_on}.",
            "Send what is known since then.",
        )
    if portfolio.currency_code != opened.plan.currency_code:
        raise refuse(
            Reason.CURRENCY_MISMATCH,
            "currency_code",
            f"the ranking is in {opened.plan.currency_code}, the accounts in {portfolio.currency_code}.",
            "Send money in the ranking's currency.",
        )


def _check_own(lacks: Mapping[str, str], then: Mapping[str, str]) -> None:
    """Refuse a call without own columns that the model reads and the ranking had: its scores would compare with no others."""
    told = [FieldViolation("own_columns", f"{name} {why}.", "Declare it, and send its values.") for name, why in lacks.items()]
    found = tuple(one for one, name in zip(told, lacks, strict=True) if name not in then)
    if found:
        raise CollectionsError(Reason.INVALID_ARGUMENT, f"The ranking's model reads {len(found)} more own column(s).", found)


def _has_room(
    problem: AssignmentProblem, placements: Placements, used_seconds: NDArray[np.int64], kept: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    free = np.maximum(problem.capacity_seconds - used_seconds, 0)
    cell = np.maximum(placements.queue, 0)
    fits = problem.seconds[np.arange(cell.size), cell] <= free[cell]
    return np.asarray((placements.queue != UNASSIGNED) & (fits | kept), dtype=bool)


def _needed_increment(problem: AssignmentProblem, placements: Placements, changes: Counterfactuals) -> NDArray[np.int64]:
    huge = np.iinfo(np.int64).max
    short = np.where(problem.value == INELIGIBLE, huge, changes.least_increment_minor - problem.value).min(axis=1, initial=huge)
    settled = (placements.queue != UNASSIGNED) | (placements.best_queue == UNASSIGNED)
    return np.where(settled, 0, np.maximum(short, 0))
