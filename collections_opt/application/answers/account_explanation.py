"""Why an account was worked or not, from a ranking's recorded inputs, scores and prices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from collections_opt.application.models.outcome_scorers import OutcomeScorer
from collections_opt.application.models.serving import ModelServing
from collections_opt.application.rankings.opened_ranking import OpenedRanking, RecordedSide
from collections_opt.application.rankings.recorded_rankings import RecordedRankings
from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.application.resources.value_sets import ValueChoice
from collections_opt.core.accounts.persons import grouped
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.problem.assignment import UNASSIGNED, Assignment, SolverIdentity, Termination
from collections_opt.core.ranking.explanation import (
    QueueExplanation,
    drawn_queue,
    explain,
    minutes_ahead,
    of_other_plan,
    summary_sentence,
    worked_beside,
)
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.ranking import Disposition, Entries, Ranking, make_entries
from collections_opt.core.rules.eligibility import RuleTable
from collections_opt.core.rules.known_persons import judge
from collections_opt.core.rules.persons_facts import PersonsFacts
from collections_opt.core.value.basis import value_accounts
from collections_opt.core.value.losses import LossSource
from collections_opt.core.value.valued_accounts import ValuedAccounts
from collections_opt.scoring.outcome.scorer import Reason as ScoreReason

_MOST_ACCOUNTS = 200
"""Accounts of one person that are weighed against each other."""


@dataclass(frozen=True)
class AccountLoss:
    """The loss given default that an account was valued with, and where it came from."""

    given_default: float
    source: LossSource


@dataclass(frozen=True)
class AccountExplanation:
    """Why an account was worked or not, in one sentence and per queue.

    ``worked_account_id`` is the account about which the same person is contacted instead, "" if there is none.
    ``value_choice`` says which version gave its product its values; None where the call that asked for the ranking carried them.
    """

    account_id: str
    disposition: Disposition
    sentence: str
    queues: tuple[QueueExplanation, ...]
    reasons: tuple[ScoreReason, ...]
    probability: tuple[float, float, float]
    loss: AccountLoss
    worked_account_id: str = ""
    value_choice: ValueChoice | None = None


class AccountExplanations:
    """Explains accounts of recorded rankings."""

    def __init__(self, recorded: RecordedRankings, models: ModelServing) -> None:
        self._recorded = recorded
        self._models = models

    def explain(self, ranking_id: str, account_id: str) -> AccountExplanation:
        """Return why an account was worked or not, from recorded inputs, scores and prices.

        Raises:
            CollectionsError: NOT_FOUND when the ranking has no such account.
        """
        opened = self._recorded.open(ranking_id)
        return self.explain_opened(opened, account_id)

    def explain_opened(self, opened: OpenedRanking, account_id: str) -> AccountExplanation:
        """Return the same of a ranking that is open.

        Raises:
            CollectionsError: NOT_FOUND when the ranking has no such account.
        """
        ranking_id, facts, parameters = opened.record.ranking_id, opened.facts, opened.parameters
        entries, plan, rules = opened.entries, opened.plan, opened.rules
        row = _row_of(entries.account_id, account_id, ranking_id)
        rows = _of_same_person(entries, row)
        mine, at = opened.rows.accounts(entries.account_id[rows]), int(np.searchsorted(rows, row))
        if not np.array_equal(mine.column("account_id"), entries.account_id[rows]):
            raise _missing(account_id, ranking_id)
        outcomes, effects = opened.outcomes(rows), opened.learned.effects_of(mine, plan)
        known = _known_of_person(opened, row, mine)
        eligibility = judge(mine, known, plan, rules)
        valued = value_accounts(mine, outcomes, opened.basis.knowing(effects), eligibility)
        ranking = _of_person(valued, opened.prices, entries.queue[rows], opened.side_of(mine))
        ahead = minutes_ahead(entries, ranking.problem.value[at], ranking.problem.seconds[at])
        limits = _limits(mine, known, plan, rules, at)
        queues = tuple(
            replace(queue, limiting_rule_id=limits(index, queue.offered_attempts)) if queue.offered_attempts else queue
            for index, queue in enumerate(explain(ranking, at, plan, effects, parameters, ahead, drawn_queue(entries, row)))
        )
        beside = worked_beside(ranking, at)
        other = "" if beside is None else entries.account_id[rows[beside]].decode()
        told = row if beside is None else int(rows[beside])
        disposition, explored = Disposition(int(entries.disposition[row])), bool(entries.explored[told])
        loss = AccountLoss(float(valued.worth.loss_given_default[at]), LossSource(int(valued.worth.loss_source[at])))
        sentence = summary_sentence(disposition, queues, mine.currency_code, explored, other)
        if disposition is Disposition.OTHER_PLAN:
            sentence = of_other_plan(facts.inputs.running.other_plan_id)
        p_cure, p_default, p_stay = outcomes.probability[at].tolist()
        return AccountExplanation(
            account_id=account_id,
            disposition=disposition,
            sentence=sentence,
            queues=queues,
            reasons=self._reasons(facts, mine.take(slice(at, at + 1))),
            probability=(p_cure, p_default, p_stay),
            loss=loss,
            worked_account_id=other,
            value_choice=_choice_of(facts, mine.column("product")[at].decode()),
        )

    def _reasons(self, facts: RankingFacts, one: Portfolio) -> tuple[ScoreReason, ...]:
        """Return why the recorded model scored an account as it did; a model that is gone is said to be gone."""
        try:
            scorer: OutcomeScorer = self._models.recorded(*facts.scored_with)
        except CollectionsError as error:
            return (ScoreReason("MODEL_NOT_READABLE", f"The model that scored it cannot be read: {error.message}", 0.0),)
        return scorer.reasons(one).rows()[0]


def _row_of(account_ids: np.ndarray, account_id: str, ranking_id: str) -> int:
    """Return the row of an account among sorted ids.

    Raises:
        CollectionsError: NOT_FOUND when it is not there, or was erased.
    """
    wanted = account_id.encode()
    row = int(np.searchsorted(account_ids, wanted))
    if row >= account_ids.size or account_ids[row] != wanted:
        raise _missing(account_id, ranking_id)
    return row


def _missing(account_id: str, ranking_id: str) -> CollectionsError:
    remedy = "Check the id or the quarantine."
    return refuse(Reason.NOT_FOUND, "account_id", f"{account_id!r} is not in {ranking_id}.", remedy, account_id)


def _choice_of(facts: RankingFacts, product: str) -> ValueChoice | None:
    return next((choice for choice in facts.sources.value_choices if choice.product == product), None)


def _of_same_person(entries: Entries, row: int) -> np.ndarray:
    """Return the rows of an account's person, ascending; of very many those worked and those that leave most."""
    if entries.person is None:
        return np.array([row])
    rows = np.flatnonzero(entries.person == entries.person[row])
    if rows.size <= _MOST_ACCOUNTS:
        return rows
    least = np.lexsort((-entries.surplus_minor[rows], entries.queue[rows] == UNASSIGNED))
    return np.union1d(rows[least[:_MOST_ACCOUNTS]], [row])


def _known_of_person(opened: OpenedRanking, row: int, mine: Portfolio) -> PersonsFacts:
    """Return all accounts of the person of whom some are given; an account without a customer id is its own person."""
    customer, person = bytes(mine.column("customer_id")[0]), opened.entries.person
    if not customer:
        return PersonsFacts.of(mine.take(slice(0, 0)))
    if person is None:
        return PersonsFacts.of(opened.rows.of_customer(customer))
    return PersonsFacts.of(opened.rows.accounts(opened.entries.account_id[person == person[row]]))


def _limits(mine: Portfolio, known: PersonsFacts, plan: CapacityPlan, rules: RuleTable, row: int) -> Callable[[int, int], str]:
    """Return what tells, of an account, which rule leaves a queue no more than some attempts: it forbids one more."""

    def limiting(queue: int, offered: int) -> str:
        one_more = replace(plan.queues[queue], attempts=offered + 1.0, attempts_may_shrink=False)
        part = replace(plan, queues=(one_more,))
        reason = judge(mine, known, part, rules).reason(row, 0)
        return reason.rule_id if reason else ""

    return limiting


def _of_person(valued: ValuedAccounts, prices: np.ndarray, queue: np.ndarray, side: RecordedSide) -> Ranking:
    """Return a ranking of one person's accounts under recorded prices."""
    persons = grouped(np.zeros(len(queue), dtype=np.int32))
    bound = valued.bound_by(side.rows, persons)
    answer = Assignment(queue, prices, side.prices, 0, 0, Termination.HEURISTIC, SolverIdentity("recorded", "1"))
    return Ranking(
        portfolio=bound.portfolio,
        ordering=Ordering.EXPECTED_VALUE,
        outcomes=bound.outcomes,
        eligibility=bound.eligibility,
        worth=bound.worth,
        problem=bound.problem,
        assignment=answer,
        entries=make_entries(bound, answer),
    )
