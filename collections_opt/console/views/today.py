"""Today: which queues, how full, what a minute is worth, how good the plan is, what is wrong, and how the day stands."""

from __future__ import annotations

from collections_opt.api.v1.capacity_plan_pb2 import CapacityPlan
from collections_opt.api.v1.ranking_pb2 import Ranking
from collections_opt.api.v1.worklist_service_pb2 import WatchQueueRequest
from collections_opt.client.capacity_plans import plan_named
from collections_opt.client.listings import all_plans
from collections_opt.client.rankings import calibration_sentence, summarise
from collections_opt.console.pages import Content, Page, Part
from collections_opt.console.shown import refusal_words
from collections_opt.console.views.call import Call
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.reports.ranking_report import count_sentence, evidence_sentence, gap_sentence, persons_sentence
from collections_opt.reports.stated_report import expected_sentence


def today(call: Call) -> Page:
    """Return the page."""
    try:
        ranking = call.ranking()
    except CollectionsError as error:
        if error.reason not in (Reason.NOT_FOUND, Reason.INVALID_ARGUMENT):
            raise
        refusal = error
        return Page("/today", "Today", [Part("today/choose.html", lambda: _choice(call, refusal))])
    parts = [
        Part("today/decided.html", lambda: _decided(call, ranking)),
        Part("today/live.html", lambda: _standing(call, ranking)),
    ]
    return Page("/today", "Today", parts)


def first_lines(call: Call, ranking: Ranking) -> Content:
    """Return what stands first on every page about a ranking: what its money rests on, and who is worst calibrated."""
    summary = summarise(ranking)
    return {
        "ranking": ranking,
        "inputs": ranking.inputs,
        "summary": summary,
        "code": summary.currency_code,
        "expect": expected_sentence(summary),
        "rests_on": evidence_sentence(summary),
        "calibration": calibration_sentence(call.client, ranking),
    }


def plan_of(call: Call, ranking: Ranking) -> CapacityPlan:
    """Return the plan version that a ranking filled."""
    return plan_named(call.client, ranking.inputs.capacity_plan_id, version=ranking.inputs.capacity_plan_version)


def _decided(call: Call, ranking: Ranking) -> Content:
    first = first_lines(call, ranking)
    summary = first["summary"]
    names = {queue.queue_id: queue for queue in plan_of(call, ranking).queues}
    return {
        **first,
        "quality": gap_sentence(summary),
        "counts": count_sentence(summary),
        "persons": persons_sentence(summary),
        "queues": [(queue, names.get(queue.queue_id)) for queue in summary.queues],
        "stated": summary.stated,
        "wrong": _wrong(ranking),
    }


def _wrong(ranking: Ranking) -> list[str]:
    """Return what is wrong, in words: warnings, what the ranking had to do without, and answers that cannot be made anew."""
    inputs = ranking.inputs
    without = [inputs.effects_problem, inputs.contact_problem, inputs.recovery_problem]
    degraded = [f"{step.model_version or 'A model'} could not serve: {step.problem}" for step in ranking.model_use.degraded]
    clocked = [] if ranking.quality.replayable else ["A clock ended the solve: the ranking holds, but cannot be made anew."]
    return list(dict.fromkeys([*ranking.health.warnings, *degraded, *filter(None, without), *clocked]))


def _standing(call: Call, ranking: Ranking) -> Content:
    request = WatchQueueRequest(ranking_id=ranking.ranking_id, max_answer_count=1)
    nothing: Content = {"queues": [], "code": "", "why_not": "", "received": 0, "payers": 0}
    try:
        answer = next(iter(call.client.worklists.WatchQueue(request)), None)
    except CollectionsError as error:
        if error.reason not in (Reason.RANKING_NOT_IN_FORCE, Reason.PERMISSION_DENIED):
            raise
        return {**nothing, "why_not": refusal_words(error)}
    if answer is None:
        return nothing
    return {
        "queues": answer.queues,
        "code": answer.currency_code,
        "why_not": "",
        "received": sum(queue.received_minor_units for queue in answer.queues),
        "payers": sum(queue.paid_account_count for queue in answer.queues),
    }


def _choice(call: Call, error: CollectionsError) -> Content:
    return {"refusal": error, "desks": [plan.plan_id for plan in all_plans(call.client)]}
