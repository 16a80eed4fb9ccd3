"""Whether a capacity plan could be worked: every number within its meaning, every id, code and text fit to be kept."""

from __future__ import annotations

from collections_opt.core.accounts.fact_ages import bound_violations
from collections_opt.core.codes.iana_zones import ZONES
from collections_opt.core.codes.iso_4217 import EXPONENTS
from collections_opt.core.codes.places import place_violations
from collections_opt.core.codes.zones import zones_near
from collections_opt.core.desk.plan_texts import text_violations
from collections_opt.core.desk.queues import CapacityPlan, Queue
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason
from collections_opt.core.limits import MAX_QUEUES, MAX_WINDOWS
from collections_opt.core.names import id_violation


def check_plan(plan: CapacityPlan) -> None:
    """Refuse a plan that could not be worked.

    Raises:
        CollectionsError: INVALID_ARGUMENT with every field at fault.
    """
    found: list[FieldViolation] = []
    if not 1 <= len(plan.queues) <= MAX_QUEUES:
        found.append(FieldViolation("queues", f"{len(plan.queues)} queues.", f"Send 1 to {MAX_QUEUES}."))
    wrong_id = id_violation("plan_id", plan.plan_id)
    if wrong_id:
        found.append(wrong_id)
    if plan.currency_code not in EXPONENTS:
        found.append(
            FieldViolation("currency_code", f"{plan.currency_code!r} is not a currency of ISO 4217.", "Use one like USD.")
        )
    ids = [queue.queue_id for queue in plan.queues[:MAX_QUEUES]]
    for index, queue in enumerate(plan.queues[:MAX_QUEUES]):
        if ids.index(queue.queue_id) != index:
            found.append(FieldViolation(f"queues[{index}].queue_id", f"{queue.queue_id!r} is repeated.", "Use unique ids."))
        found.extend(_queue_violations(queue, f"queues[{index}]"))
        found.extend(_window_violations(queue, f"queues[{index}]"))
        found.extend(place_violations(f"queues[{index}].states", queue.states, plan.currency_code))
    found.extend(bound_violations("facts_at_most_days", plan.facts_at_most_days))
    if len(plan.queues) <= MAX_QUEUES:
        found.extend(text_violations(plan))
    if found:
        raise CollectionsError(Reason.INVALID_ARGUMENT, f"The capacity plan has {len(found)} field(s) at fault.", tuple(found))


def _window_violations(queue: Queue, path: str) -> list[FieldViolation]:
    """Return what is wrong with when a queue works: windows are parts of one day, in order and apart, in a zone that exists."""
    found, before = [], 0
    if len(queue.windows) > MAX_WINDOWS:
        return [FieldViolation(f"{path}.windows", f"{len(queue.windows)} windows.", f"Send at most {MAX_WINDOWS}.")]
    for index, window in enumerate(queue.windows):
        problem = window.problem
        if not problem and window.minutes[0] < before:
            problem = "it begins before the one before it has ended."
        if problem:
            found.append(
                FieldViolation(f"{path}.windows[{index}]", problem, "Send parts of one day in order, such as 08:00 to 12:00.")
            )
        else:
            before = window.minutes[1]
    if queue.time_zone and queue.time_zone not in ZONES:
        close = zones_near(queue.time_zone)
        remedy = f"Use a name like {close[0] if close else 'America/New_York'}."
        found.append(FieldViolation(f"{path}.time_zone", f"{queue.time_zone[:40]!r} is not an IANA time zone.", remedy))
    elif queue.time_zone and not queue.windows:
        found.append(FieldViolation(f"{path}.time_zone", "a zone without windows.", "Send windows, or leave it empty."))
    return found


def _queue_violations(queue: Queue, path: str) -> list[FieldViolation]:
    effect = queue.effect
    bounds: tuple[tuple[str, float, float, float], ...] = (
        ("agents", queue.agents, 0, 100_000),
        ("paid_minutes", queue.paid_minutes, 0, 1_440),
        ("shrinkage", queue.shrinkage, 0, 1),
        ("occupancy", queue.occupancy, 0, 1),
        ("committed_minutes", queue.committed_minutes, 0, 1e9),
        ("attempts", queue.attempts, 0, 100),
        ("dial_minutes", queue.dial_minutes, 0, 600),
        ("talk_minutes", queue.talk_minutes, 0, 600),
        ("wrap_minutes", queue.wrap_minutes, 0, 600),
        ("variable_cost_per_minute_minor", queue.variable_cost_per_minute_minor, 0, 1e9),
        ("loaded_cost_per_minute_minor", queue.loaded_cost_per_minute_minor, 0, 1e9),
        ("channel_fee_minor", queue.channel_fee_minor, 0, 1e9),
        ("effect.right_party_contact_rate", effect.right_party_contact_rate, 0, 1),
        ("effect.theta_cure", effect.theta_cure, -5, 5),
        ("effect.theta_default", effect.theta_default, -5, 5),
        ("effect.repeat_decay", effect.repeat_decay, 0, 1),
    )
    found = [
        FieldViolation(f"{path}.{name}", f"{value:g} is outside {low:g} to {high:g}.", "Correct the value or its unit.")
        for name, value, low, high in bounds
        if not low <= value <= high  # NaN fails too
    ]
    longest = queue.attempts * queue.dial_minutes + queue.talk_minutes + queue.wrap_minutes
    if not 0 < longest * 60 <= 65_000:
        found.append(
            FieldViolation(f"{path}.talk_minutes", "handling time is zero or beyond 18 hours.", "Give times in minutes.")
        )
    return found
