"""Scores of accounts as messages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from collections_opt.api.v1 import day_window_pb2, value_parameters_pb2
from collections_opt.api.v1 import scoring_service_pb2 as pb
from collections_opt.application.answers.account_scores import ScoredAccounts
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.names import normal_account_id
from collections_opt.core.rules.call_hours import NOT_KNOWN
from collections_opt.core.rules.eligibility import Eligibility, lifts_on
from collections_opt.core.value.losses import LossSource
from collections_opt.core.value.outcomes import CURE, DEFAULT, STAY
from collections_opt.scoring.outcome.scorer import Reason
from collections_opt.wire.common import write_date, write_enum
from collections_opt.wire.day_windows import write_window

LOSS_SOURCE = value_parameters_pb2.LossSource.DESCRIPTOR


def rows_of(portfolio: Portfolio, account_ids: Sequence[str]) -> NDArray[np.int64]:
    """Return the row of each id, int64 (k,): a portfolio is sorted by id, a caller expects the order sent."""
    normal = np.array([normal_account_id(account_id).encode() for account_id in account_ids])
    return np.searchsorted(portfolio.column("account_id"), normal).astype(np.int64)


def write_scores(scored: ScoredAccounts, account_ids: Sequence[str], response: pb.ScoreAccountsResponse) -> None:
    """Add a score per id to a response, in the order of the ids: messages made elsewhere would be copied into it."""
    writer = _Writer(scored)
    rows = rows_of(scored.valued.portfolio, account_ids).tolist()
    for account_id, row in zip(account_ids, rows, strict=True):
        writer.account(account_id, row, response)


class _Writer:
    """Writes one account after another; what numpy can do for all of them is done once."""

    def __init__(self, scored: ScoredAccounts) -> None:
        self._scored = scored
        valued = scored.valued
        self._queue_ids = [queue.queue_id for queue in scored.plan.queues]
        self._probability = valued.outcomes.probability.tolist()
        self._without_contact = valued.recovery_without_contact_minor().tolist()
        self._loss = valued.worth.loss_given_default.tolist()
        sources = {
            int(one): write_enum(LOSS_SOURCE, LossSource(one).name) for one in np.unique(valued.worth.loss_source).tolist()
        }
        self._loss_source = [sources[one] for one in valued.worth.loss_source.tolist()]
        self._increment = valued.problem.value.tolist()
        self._minutes = (valued.problem.seconds / 60.0).tolist()
        self._blocked = valued.eligibility.blocked_by.tolist()
        attempts = valued.eligibility.attempts
        self._offered = np.zeros_like(valued.eligibility.blocked_by).tolist() if attempts is None else attempts.tolist()
        self._from, self._until = _windows(valued.eligibility)
        self._windows: dict[tuple[int, int], day_window_pb2.DayWindow | None] = {}
        self._rules: dict[tuple[int, date | None], pb.BlockingRule] = {}
        self._reasons = scored.reasons.rows()

    def account(self, account_id: str, row: int, response: pb.ScoreAccountsResponse) -> None:
        probability, without = self._probability[row], self._without_contact[row]
        score = response.accounts.add(
            account_id=account_id,
            p_cure=probability[CURE],
            p_default=probability[DEFAULT],
            p_stay=probability[STAY],
            expected_recovery_without_contact_minor_units=without,
            loss_given_default=self._loss[row],
            loss_source=self._loss_source[row],
        )
        increment, minutes, blocked, offered = self._increment[row], self._minutes[row], self._blocked[row], self._offered[row]
        for queue, queue_id in enumerate(self._queue_ids):
            if blocked[queue]:
                score.queues.add(queue_id=queue_id, blocking_rule=self._rule(row, queue, blocked[queue]))
            else:
                score.queues.add(
                    queue_id=queue_id,
                    eligible=True,
                    expected_recovery_minor_units=without + increment[queue],
                    increment_minor_units=increment[queue],
                    handling_minutes=minutes[queue],
                    offered_attempt_count=offered[queue],
                    call_window=self._window(self._from[row][queue], self._until[row][queue]),
                )
        for reason in self._reasons[row]:
            score.reason_codes.add(code=reason.code, sentence=reason.sentence, contribution=reason.contribution)

    def _rule(self, row: int, queue: int, code: int) -> pb.BlockingRule:
        valued = self._scored.valued
        until = lifts_on(valued.eligibility, valued.portfolio, row, queue)
        if (code, until) not in self._rules:
            reason = valued.eligibility.legend[code - 1]
            rule = write_blocking_rule(reason.rule_id, reason.description, until, reason.version, reason.source)
            self._rules[code, until] = rule
        return self._rules[code, until]

    def _window(self, start: int, end: int) -> day_window_pb2.DayWindow | None:
        if (start, end) not in self._windows:
            self._windows[start, end] = None if start < 0 else write_window(start, end)
        return self._windows[start, end]


def _windows(eligibility: Eligibility) -> tuple[list[list[int]], list[list[int]]]:
    """Return the first minute of every cell's call window and the one after its last, negative where there is none."""
    hours = eligibility.hours
    if hours is None:
        nowhere = np.full(eligibility.blocked_by.shape, NOT_KNOWN).tolist()
        return nowhere, nowhere
    return hours.start[hours.group].tolist(), hours.end[hours.group].tolist()


def write_call_window(eligibility: Eligibility, row: int, queue: int) -> day_window_pb2.DayWindow | None:
    """Return when an account may be contacted by a queue; None where that is not known."""
    window = eligibility.call_window(row, queue)
    return None if window is None else write_window(*window)


def write_blocking_rule(
    rule_id: str, description: str, next_date: date | None, version: int = 0, source: str = ""
) -> pb.BlockingRule:
    """Return a rule that forbids contact."""
    until = write_date(next_date) if next_date else None
    return pb.BlockingRule(rule_id=rule_id, version=version, description=description, source=source, next_eligible_date=until)


def write_reasons(reasons: Sequence[Reason]) -> list[pb.ReasonCode]:
    """Return the reasons of a score, strongest first."""
    return [pb.ReasonCode(code=r.code, sentence=r.sentence, contribution=r.contribution) for r in reasons]
