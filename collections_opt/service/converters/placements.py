"""Placed accounts as messages."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from collections_opt.api.v1 import placement_pb2 as pb
from collections_opt.api.v1 import ranking_pb2, scoring_service_pb2
from collections_opt.application.answers.placement import PlacedAccounts
from collections_opt.application.answers.placement_sentence import placement_sentence
from collections_opt.core.problem.assignment import PRICE_SCALE, UNASSIGNED
from collections_opt.core.problem.person_choice import NEVER
from collections_opt.core.ranking.ranking import Disposition
from collections_opt.core.rules.eligibility import lifts_on
from collections_opt.core.value.outcomes import CURE, DEFAULT, STAY
from collections_opt.service.converters.recorded_rankings import write_inputs
from collections_opt.service.converters.scores import rows_of, write_blocking_rule, write_call_window
from collections_opt.wire.common import write_enum


def write_placements(placed: PlacedAccounts, account_ids: Sequence[str]) -> pb.PlaceAccountsResponse:
    """Return a placement per id, in the order of the ids."""
    record = placed.opened.record
    writer = _Writer(placed)
    rows = rows_of(placed.valued.portfolio, account_ids).tolist()
    return pb.PlaceAccountsResponse(
        accounts=[writer.account(account_id, row) for account_id, row in zip(account_ids, rows, strict=True)],
        ranking_id=record.ranking_id,
        record_digest=record.record_digest,
        inputs=write_inputs(placed.opened.facts),
        queues=_write_queues(placed),
    )


def _write_queues(placed: PlacedAccounts) -> list[pb.PlacementQueue]:
    problem, queue = placed.valued.problem, placed.placements.queue
    new = np.flatnonzero((queue != UNASSIGNED) & (placed.recorded.queue != queue))
    counts = np.bincount(queue[new], minlength=problem.queue_count)
    seconds = np.bincount(queue[new], problem.seconds[new, queue[new]], minlength=problem.queue_count)
    return [
        pb.PlacementQueue(
            queue_id=each.queue_id,
            price_per_minute_minor_units=float(placed.opened.prices[index]) * 60.0 / PRICE_SCALE,
            capacity_minutes=float(problem.capacity_seconds[index]) / 60.0,
            used_minutes=float(placed.used_seconds[index]) / 60.0,
            worked_count=int(placed.worked_count[index]),
            placed_count=int(counts[index]),
            placed_minutes=float(seconds[index]) / 60.0,
        )
        for index, each in enumerate(placed.opened.plan.queues)
    ]


class _Writer:
    """Writes one account after another; what numpy can do for all of them is done once."""

    def __init__(self, placed: PlacedAccounts) -> None:
        self._placed = placed
        self._queue_ids = [queue.queue_id for queue in placed.opened.plan.queues]
        self._has_room = placed.has_room.tolist()
        self._value = placed.valued.problem.value.tolist()
        self._minutes = (placed.valued.problem.seconds / 60.0).tolist()
        margin = placed.placements.margin
        self._surplus = np.where(margin == NEVER, 0.0, margin / PRICE_SCALE).tolist()
        self._needed = placed.needed_increment_minor.tolist()
        self._least = placed.changes.least_increment_minor.tolist()
        self._highest = (placed.changes.highest_price * 60.0 / PRICE_SCALE).tolist()

    def account(self, account_id: str, row: int) -> pb.PlacedAccount:
        placed = self._placed
        placements, recorded = placed.placements, placed.recorded
        queue, best, cell = int(placements.queue[row]), int(placements.best_queue[row]), int(placements.cell[row])
        probability = placed.valued.outcomes.probability[row]
        held = int(recorded.disposition[row])
        return pb.PlacedAccount(
            account_id=account_id,
            disposition=_disposition(int(placements.disposition[row])),
            queue_id=self._id(queue),
            position=int(placed.position[row]),
            basis=pb.PLACEMENT_BASIS_RECORDED if placed.unchanged[row] else pb.PLACEMENT_BASIS_PRICES,
            queue_full=queue != UNASSIGNED and not self._has_room[row],
            sentence=placement_sentence(placed, row),
            worked_account_id=placed.worked_account_id[row].decode(),
            best_queue_id=self._id(best),
            increment_minor_units=self._value[row][cell] if cell != UNASSIGNED else 0,
            handling_minutes=self._minutes[row][cell] if cell != UNASSIGNED else 0.0,
            surplus_minor_units=self._surplus[row][cell] if cell != UNASSIGNED else 0.0,
            needed_increment_minor_units=self._needed[row],
            options=[self._option(row, index) for index in range(len(self._queue_ids))],
            recorded=pb.RecordedPlace(
                disposition=_disposition(held),
                queue_id=self._id(int(recorded.queue[row])),
                priority=int(recorded.priority[row]),
            )
            if held
            else None,
            p_cure=float(probability[CURE]),
            p_default=float(probability[DEFAULT]),
            p_stay=float(probability[STAY]),
            expected_recovery_without_contact_minor_units=int(placed.recovery_without_contact_minor[row]),
        )

    def _option(self, row: int, index: int) -> pb.PlacementOption:
        code = int(self._placed.valued.eligibility.blocked_by[row, index])
        if code:
            return pb.PlacementOption(queue_id=self._queue_ids[index], blocking_rule=self._rule(row, index))
        highest = self._highest[row][index]
        return pb.PlacementOption(
            queue_id=self._queue_ids[index],
            increment_minor_units=self._value[row][index],
            handling_minutes=self._minutes[row][index],
            surplus_minor_units=self._surplus[row][index],
            least_increment_minor_units=self._least[row][index],
            highest_price_per_minute_minor_units=highest if highest >= 0 else None,
            offered_attempt_count=self._placed.offered_attempts(row, index),
            call_window=write_call_window(self._placed.valued.eligibility, row, index),
        )

    def _rule(self, row: int, index: int) -> scoring_service_pb2.BlockingRule | None:
        valued = self._placed.valued
        reason = valued.eligibility.reason(row, index)
        if reason is None:
            return None
        until = lifts_on(valued.eligibility, valued.portfolio, row, index)
        return write_blocking_rule(reason.rule_id, reason.description, until, reason.version, reason.source)

    def _id(self, queue: int) -> str:
        return "" if queue == UNASSIGNED else self._queue_ids[queue]


def _disposition(value: int) -> ranking_pb2.Disposition.ValueType:
    found: ranking_pb2.Disposition.ValueType = write_enum(ranking_pb2.Disposition.DESCRIPTOR, Disposition(value).name)
    return found
