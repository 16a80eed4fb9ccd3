"""Scores of accounts as packed columns; ``converters/scores`` writes the same as messages."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collections_opt.api.v1 import columns_pb2
from collections_opt.api.v1 import scoring_service_pb2 as pb
from collections_opt.application.answers.account_scores import ScoredAccounts
from collections_opt.core.accounts.cells import encoded_text
from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.arrays import Array
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.limits import MAX_CHUNK_BYTES
from collections_opt.core.rules.eligibility import Eligibility
from collections_opt.core.rules.lifting import lift_days
from collections_opt.core.value.losses import LossSource
from collections_opt.core.value.outcomes import CURE, DEFAULT, STAY
from collections_opt.scoring.outcome.scorer import NO_REASON, ReasonTable
from collections_opt.service.converters.scores import write_blocking_rule
from collections_opt.wire.columns import Columns, encode_chunk

Rows = NDArray[np.int64] | slice
Masks = dict[str, NDArray[np.bool_]]

_LOSS_SOURCES = np.array(["", *(f"LOSS_SOURCE_{source.name}" for source in LossSource)], dtype=object)
"""Names of the contract by the core's numbers."""


def write_columns(scored: ScoredAccounts, sent_ids: Array, chunk: columns_pb2.ColumnChunk, response: pb.ScoredColumns) -> None:
    """Write the scores of n accounts in q queues, in the order sent.

    Args:
        scored: scores of the portfolio that the chunk's accounts were admitted to.
        sent_ids: text (n,) ids of the chunk, objects or bytes.
        chunk: the accounts as sent, whose ids are answered as they came.
        response: what is written.

    Raises:
        CollectionsError: LIMIT_EXCEEDED where the answer does not fit one message of the wire.
    """
    rows = _rows_sent(scored.valued.portfolio, sent_ids)
    ids = next(column for column in chunk.columns if column.name == "account_id")
    response.accounts.columns.add(name="account_id").text.CopyFrom(ids.text)
    without = scored.valued.recovery_without_contact_minor()[rows]
    response.accounts.MergeFrom(encode_chunk(_accounts(scored, rows, without)))
    response.queue_ids.extend([queue.queue_id for queue in scored.plan.queues])
    _write_queues(scored, rows, without, response)
    _write_reasons(scored.reasons, rows, response)
    if response.ByteSize() > MAX_CHUNK_BYTES * 15 // 16:
        cells = f"{sent_ids.size} accounts in {len(scored.plan.queues)} queues take {response.ByteSize():,} bytes to answer."
        raise refuse(Reason.LIMIT_EXCEEDED, "chunk.row_count", cells, "Send fewer accounts a call.")


def _rows_sent(portfolio: Portfolio, sent_ids: Array) -> Rows:
    """Return the row of each id, int64 (n,): a portfolio is sorted by id, a caller expects the order sent."""
    normal = sent_ids if sent_ids.dtype.kind == "S" else encoded_text(sent_ids)[0]
    held = portfolio.column("account_id")
    return slice(None) if np.array_equal(held, normal) else np.searchsorted(held, normal).astype(np.int64)


def _accounts(scored: ScoredAccounts, rows: Rows, without: NDArray[np.int64]) -> Columns:
    valued = scored.valued
    probability, worth = valued.outcomes.probability[rows], valued.worth
    values = {
        "p_cure": probability[:, CURE],
        "p_default": probability[:, DEFAULT],
        "p_stay": probability[:, STAY],
        "expected_recovery_without_contact_minor_units": without,
        "loss_given_default": worth.loss_given_default[rows],
        "loss_source": _LOSS_SOURCES[worth.loss_source[rows]],
    }
    return Columns(probability.shape[0], values)


def _write_queues(scored: ScoredAccounts, rows: Rows, without: NDArray[np.int64], response: pb.ScoredColumns) -> None:
    valued, eligibility = scored.valued, scored.valued.eligibility
    blocked = eligibility.blocked_by[rows]
    eligible = blocked == 0
    increment = np.where(eligible, valued.problem.value[rows], 0)
    values = {
        "eligible": eligible,
        "increment_minor_units": increment,
        "expected_recovery_minor_units": np.where(eligible, without[:, np.newaxis] + increment, 0),
        "handling_minutes": np.where(eligible, valued.problem.seconds[rows] / 60.0, 0.0),
    }
    present: Masks = {}
    _add_blocks(scored, rows, blocked, values, present, response)
    if eligibility.attempts is not None:
        values["offered_attempts"] = eligibility.attempts[rows]
    _add_windows(eligibility, rows, eligible, values, present)
    flat = {name: cells.reshape(-1) for name, cells in values.items()}
    told = Columns(eligible.size, flat, {name: mask.reshape(-1) for name, mask in present.items()})
    response.queues.CopyFrom(encode_chunk(told))


def _add_blocks(
    scored: ScoredAccounts,
    rows: Rows,
    blocked: NDArray[np.uint8],
    values: dict[str, Array],
    present: Masks,
    response: pb.ScoredColumns,
) -> None:
    """Add which rule blocks each cell and when that lifts, where any cell is blocked."""
    valued, legend = scored.valued, scored.valued.eligibility.legend
    counts = np.bincount(blocked.reshape(-1), minlength=len(legend) + 1)
    counts[0] = 0
    if not counts.any():
        return
    used = np.flatnonzero(counts)
    for reason in (legend[code - 1] for code in used.tolist()):
        rule = write_blocking_rule(reason.rule_id, reason.description, None, reason.version, reason.source)
        response.blocking_rules.append(rule)
    place = np.zeros(counts.size, dtype=np.int64)
    place[used] = np.arange(used.size)
    values["blocking_rule"], present["blocking_rule"] = place[blocked], blocked != 0
    days = lift_days(valued.eligibility, valued.portfolio)[rows]
    known = ~np.isnat(days)
    if known.any():
        told, at = np.unique(days[known], return_inverse=True)
        texts = np.full(days.shape, "", dtype=object)
        texts[known] = np.datetime_as_string(told).astype(object)[at]
        values["next_eligible_date"], present["next_eligible_date"] = texts, known


def _add_windows(
    eligibility: Eligibility, rows: Rows, eligible: NDArray[np.bool_], values: dict[str, Array], present: Masks
) -> None:
    """Add when each cell may be contacted, where that is known of any."""
    hours = eligibility.hours
    if hours is None:
        return
    group = hours.group[rows]
    start, end = hours.start[group], hours.end[group]
    known = eligible & (start >= 0)
    if known.any():
        for name, minute in (("call_from_minute", start), ("call_until_minute", end)):
            values[name], present[name] = np.where(known, minute, 0), known


def _write_reasons(reasons: ReasonTable, rows: Rows, response: pb.ScoredColumns) -> None:
    """Write the reasons' places and pushes, and once the words that they use."""
    place, given = reasons.place[rows], reasons.place[rows] != NO_REASON
    if not place.size:
        return
    used = np.flatnonzero(np.bincount(place[given], minlength=len(reasons.words)))
    for code, sentence in (reasons.words[at] for at in used.tolist()):
        response.reasons.add(code=code, sentence=sentence)
    told = np.zeros(len(reasons.words) + 1, dtype=np.int64)  # no reason takes the last
    told[used] = np.arange(used.size)
    values = {"reason": told[place].reshape(-1), "contribution": reasons.contribution[rows].reshape(-1)}
    response.reason_count = place.shape[1]
    response.reason_codes.CopyFrom(encode_chunk(Columns(place.size, values, {"reason": given.reshape(-1)})))
