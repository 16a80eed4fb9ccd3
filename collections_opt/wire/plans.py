"""Capacity plans between message and core."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from collections_opt.api.v1 import capacity_plan_pb2 as pb
from collections_opt.api.v1.day_window_pb2 import DayWindow
from collections_opt.core.actors import UNKNOWN, Actor
from collections_opt.core.desk.queues import CapacityPlan, ContactEffect, EvidenceGrade, Queue
from collections_opt.core.limits import MAX_WINDOWS
from collections_opt.wire.actors import write_recorded_actor
from collections_opt.wire.common import read_date, read_enum, write_date, write_enum, write_time
from collections_opt.wire.day_windows import read_window

_HEADS = ("plan_id", "effective_from", "currency_code", "queues", "labels", "several_contacts_per_person", "facts_at_most_days")
HEADS: Mapping[str, str] = MappingProxyType({name: f"capacity_plan.{name}" for name in _HEADS})
"""Where the core's plan fields are in a request."""

RENAMES: Mapping[str, str] = MappingProxyType(
    {"agents": "agent_count", "attempts": "attempt_count", "name": "display_name", "evidence": "evidence_grade"}
)
"""Core fields of a queue whose name differs in the contract."""


def read_plan(message: pb.CapacityPlan) -> CapacityPlan:
    """Return a plan without version; what a caller sets in OUTPUT_ONLY fields is ignored.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a missing date or enum.
    """
    return CapacityPlan(
        plan_id=message.plan_id,
        version=0,
        effective_from=read_date(message.effective_from, "capacity_plan.effective_from"),
        currency_code=message.currency_code,
        queues=tuple(read_queue(queue, f"capacity_plan.queues[{i}]") for i, queue in enumerate(message.queues)),
        labels=dict(message.labels),
        several_contacts_per_person=message.several_contacts_per_person,
        facts_at_most_days=dict(message.facts_at_most_days),
    )


def read_queue(message: pb.Queue, path: str) -> Queue:
    """Return a queue; ``path`` is where it is in the request.

    Raises:
        CollectionsError: INVALID_ARGUMENT for a missing enum.
    """
    effect = message.effect
    return Queue(
        queue_id=message.queue_id,
        name=message.display_name,
        channel=read_enum(pb.Channel.DESCRIPTOR, message.channel, f"{path}.channel"),
        agents=message.agent_count,
        paid_minutes=message.paid_minutes,
        shrinkage=message.shrinkage,
        occupancy=message.occupancy if message.HasField("occupancy") else 1.0,
        committed_minutes=message.committed_minutes,
        attempts=message.attempt_count if message.HasField("attempt_count") else 1.0,
        dial_minutes=message.dial_minutes,
        talk_minutes=message.talk_minutes,
        wrap_minutes=message.wrap_minutes,
        variable_cost_per_minute_minor=message.variable_cost_per_minute_minor_units,
        loaded_cost_per_minute_minor=message.loaded_cost_per_minute_minor_units,
        channel_fee_minor=message.channel_fee_minor_units,
        effect=ContactEffect(
            right_party_contact_rate=effect.right_party_contact_rate,
            theta_cure=effect.theta_cure,
            theta_default=effect.theta_default,
            repeat_decay=effect.repeat_decay if effect.HasField("repeat_decay") else 1.0,
            evidence=EvidenceGrade(
                read_enum(pb.EvidenceGrade.DESCRIPTOR, effect.evidence_grade, f"{path}.effect.evidence_grade")
            ),
        ),
        skills=tuple(message.skills),
        specialisms=tuple(message.specialisms),
        specialist_only=message.specialist_only,
        products=tuple(message.products),
        buckets=tuple(message.buckets),
        states=tuple(message.states),
        attempts_may_shrink=message.attempts_may_shrink,
        windows=tuple(read_window(window, f"{path}.windows[{i}]") for i, window in enumerate(message.windows[: MAX_WINDOWS + 1])),
        time_zone=message.time_zone,
        automated=message.automated,
        languages=tuple(message.languages),
    )


def write_plan(plan: CapacityPlan, etag: str = "", created_at: str = "", actor: Actor = UNKNOWN) -> pb.CapacityPlan:
    """Return a plan as a message; ``etag``, ``created_at`` (ISO 8601) and ``actor`` are those of a stored version."""
    return pb.CapacityPlan(
        plan_id=plan.plan_id,
        version=plan.version,
        effective_from=write_date(plan.effective_from),
        currency_code=plan.currency_code,
        queues=[write_queue(queue) for queue in plan.queues],
        labels=plan.labels,
        several_contacts_per_person=plan.several_contacts_per_person,
        facts_at_most_days=plan.facts_at_most_days,
        etag=etag,
        create_time=write_time(created_at) if created_at else None,
        saved_by=write_recorded_actor(actor),
    )


def write_queue(queue: Queue) -> pb.Queue:
    """Return a queue as a message."""
    effect = queue.effect
    return pb.Queue(
        queue_id=queue.queue_id,
        display_name=queue.name,
        channel=write_enum(pb.Channel.DESCRIPTOR, queue.channel),
        agent_count=queue.agents,
        paid_minutes=queue.paid_minutes,
        shrinkage=queue.shrinkage,
        occupancy=queue.occupancy,
        committed_minutes=queue.committed_minutes,
        attempt_count=queue.attempts,
        dial_minutes=queue.dial_minutes,
        talk_minutes=queue.talk_minutes,
        wrap_minutes=queue.wrap_minutes,
        variable_cost_per_minute_minor_units=queue.variable_cost_per_minute_minor,
        loaded_cost_per_minute_minor_units=queue.loaded_cost_per_minute_minor,
        channel_fee_minor_units=queue.channel_fee_minor,
        effect=pb.ContactEffect(
            right_party_contact_rate=effect.right_party_contact_rate,
            theta_cure=effect.theta_cure,
            theta_default=effect.theta_default,
            repeat_decay=effect.repeat_decay,
            evidence_grade=write_enum(pb.EvidenceGrade.DESCRIPTOR, effect.evidence),
        ),
        skills=queue.skills,
        specialisms=queue.specialisms,
        specialist_only=queue.specialist_only,
        products=queue.products,
        buckets=queue.buckets,
        states=queue.states,
        attempts_may_shrink=queue.attempts_may_shrink,
        windows=[DayWindow(start_minute=first, end_minute=after) for first, after in (w.minutes for w in queue.windows)],
        time_zone=queue.time_zone,
        automated=queue.automated,
        languages=queue.languages,
        capacity_minutes=queue.capacity_minutes,
    )
