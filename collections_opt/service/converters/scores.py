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


def write_scores(scored: ScoredAccounts, account_ids: Sequence[str]) -> list[pb.ScoredAccount]:
    """Return a score per id, in the order of the ids."""
    rows = rows_of(scored.ranking.portfolio, account_ids).tolist()
    return [_write_score(scored, account_id, row) for account_id, row in zip(account_ids, rows, strict=True)]


def _write_score(scored: ScoredAccounts, account_id: str, row: int) -> pb.ScoredAccount:
    ranking = scored.ranking
    probability = ranking.outcomes.probability[row]
    baseline = int(ranking.entries.recovery_without_contact_minor[row])
    return pb.ScoredAccount(
        account_id=account_id,
        p_cure=float(probability[CURE]),
        p_default=float(probability[DEFAULT]),
        p_stay=float(probability[STAY]),
        probability_reconciled=bool(ranking.outcomes.reconciled[row]),
        expected_recovery_without_contact_minor_units=baseline,
        queues=[_write_queue(scored, row, queue, baseline) for queue in range(len(scored.plan.queues))],
        reason_codes=write_reasons(scored.reasons[row]),
        loss_given_default=float(ranking.worth.loss_given_default[row]),
        loss_source=write_enum(LOSS_SOURCE, LossSource(int(ranking.worth.loss_source[row])).name),
    )


def _write_queue(scored: ScoredAccounts, row: int, queue: int, baseline: int) -> pb.QueueScore:
    ranking = scored.ranking
    queue_id = scored.plan.queues[queue].queue_id
    reason = ranking.eligibility.reason(row, queue)
    if reason is not None:
        until = lifts_on(ranking.eligibility, ranking.portfolio, row, queue)
        rule = write_blocking_rule(reason.rule_id, reason.description, until, reason.version, reason.source)
        return pb.QueueScore(queue_id=queue_id, blocking_rule=rule)
    increment = int(ranking.problem.value[row, queue])
    offered = ranking.eligibility.offered(slice(row, row + 1), queue)
    return pb.QueueScore(
        queue_id=queue_id,
        eligible=True,
        expected_recovery_minor_units=baseline + increment,
        increment_minor_units=increment,
        handling_minutes=float(ranking.problem.seconds[row, queue]) / 60.0,
        offered_attempt_count=0 if offered is None else int(offered[0]),
        call_window=write_call_window(ranking.eligibility, row, queue),
    )


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
