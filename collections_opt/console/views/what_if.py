"""What if: agents, hours, closing and opening a queue, with the money first; stored for some days, or as the next version."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

from collections_opt.api.v1 import capacity_calendar_pb2 as calendar_pb
from collections_opt.api.v1 import capacity_evaluation_pb2 as evaluation_pb
from collections_opt.api.v1 import ranking_pb2
from collections_opt.api.v1.ranking_service_pb2 import CreateRankingRequest
from collections_opt.client.capacity import capacity_curves, evaluate_capacity, summarise_evaluation
from collections_opt.client.capacity_plans import plan_named, save_plan
from collections_opt.client.rankings import make_ranking, new_request_id, summarise
from collections_opt.console.pages import Content, Page, Part
from collections_opt.console.views.call import Call
from collections_opt.console.views.desk_form import DeskForm, next_version, read_form
from collections_opt.console.views.today import first_lines, plan_of
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.limits import MAX_TEXT_CHARACTERS
from collections_opt.reports.stated_report import expected_sentence
from collections_opt.reports.what_if.report import headline, moves_sentence, prediction_sentence, price_table, queue_change_table
from collections_opt.wire.capacity_changes import write_day_change, write_queue_change
from collections_opt.wire.common import read_date, write_date
from collections_opt.wire.plans import read_plan, write_plan

SHOWN_ACCOUNTS = 20
SHOWN_DAYS = timedelta(days=13)
_DONE = ("store", "save", "back", "rank")
"""After these the form begins anew: asked again, it would count twice."""

CURVE = (0.5, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5)
"""Shares of a queue's minutes at which its curve is solved."""


@dataclass(frozen=True)
class Asked:
    """A call about a ranking and the plan that it filled, on the day of its accounts."""

    call: Call
    ranking: ranking_pb2.Ranking
    plan: CapacityPlan
    day: date

    def form(self) -> DeskForm:
        """Return what was sent.

        Raises:
            CollectionsError: as ``read_form``.
        """
        return read_form(self.call.form, self.plan, self.day)


def what_if(call: Call) -> Page:
    """Return the form of the desk, below what was asked of it."""
    ranking = call.ranking()
    asked = Asked(call, ranking, read_plan(plan_of(call, ranking)), read_date(ranking.inputs.as_of_date, "as_of_date"))
    first = Part("what_if/ranking.html", lambda: {**first_lines(call, ranking), "asks": bool(call.form)})
    answer = _ANSWERS.get(call.form.get("what", ""))
    parts = [first] if answer is None else [first, *answer(asked)]
    return Page("/what-if", "What if", [*parts, Part("what_if/form.html", lambda: _form(asked))])


def _form(asked: Asked) -> Content:
    request = calendar_pb.GetCapacityCalendarRequest(
        plan_id=asked.plan.plan_id, first_day=write_date(asked.day), last_day=write_date(asked.day + SHOWN_DAYS)
    )
    what = asked.call.form.get("what", "")
    standing = asked.call.client.capacity.GetCapacityCalendar(request)
    return {
        "ranking": asked.ranking,
        "named": "" if what == "rank" else asked.ranking.ranking_id,
        "plan": asked.plan,
        "day": asked.day,
        "given": {} if what in _DONE else asked.call.form,
        "standing": standing.day_changes,
        "last_shown": asked.day + SHOWN_DAYS,
    }


def _evaluated(asked: Asked) -> list[Part]:
    def load() -> Content:
        form = asked.form()
        if not form.changes:
            raise refuse(Reason.INVALID_ARGUMENT, "form", "changes nothing.", "Change a figure, then ask again.")
        request = evaluation_pb.EvaluateCapacityRequest(
            basis=evaluation_pb.CapacityBasis(ranking_id=asked.ranking.ranking_id),
            changes=evaluation_pb.CapacityChanges(queues=[write_queue_change(change) for change in form.changes]),
            max_moved_accounts=SHOWN_ACCOUNTS,
        )
        found = summarise_evaluation(evaluate_capacity(asked.call.client, request))
        return {
            "told": form.told,
            "found": found,
            "code": found.currency_code,
            "ranking": asked.ranking,
            "headline": headline(found),
            "prediction": prediction_sentence(found),
            "moves": moves_sentence(found),
            "queues": queue_change_table(found),
            "prices": price_table(found),
        }

    return [Part("what_if/found.html", load)]


def _curve(asked: Asked) -> list[Part]:
    def load() -> Content:
        queue_id = asked.call.form.get("curve_queue", "")
        request = evaluation_pb.GetCapacityCurvesRequest(
            basis=evaluation_pb.CapacityBasis(ranking_id=asked.ranking.ranking_id), factors=CURVE, queue_ids=[queue_id]
        )
        found = capacity_curves(asked.call.client, request)
        return {"curve": found.queues[0] if found.queues else found.whole, "code": asked.ranking.inputs.currency_code}

    return [Part("what_if/curve.html", load)]


def _stored_days(asked: Asked) -> list[Part]:
    def load() -> Content:
        form = asked.form()
        if not form.days:
            raise refuse(
                Reason.INVALID_ARGUMENT, "form", "says of nobody that they are away.", "Fill in the people of these days."
            )
        answers = []
        for change in form.days:  # each is checked on the days as those before it left them, and stored as it was seen
            request = calendar_pb.ChangeCapacityDaysRequest(
                plan_id=asked.plan.plan_id, day_change=write_day_change(change), validate_only=True
            )
            request.etag = asked.call.client.capacity.ChangeCapacityDays(request).calendar_change.etag
            request.validate_only = False
            answers.append(asked.call.client.capacity.ChangeCapacityDays(request))
        lines = [line for answer in answers for line in answer.calendar_change.differences]
        return {"told": form.told, "numbers": [answer.change_id for answer in answers], "lines": lines, "version": None}

    return [Part("what_if/stored.html", load)]


def _saved_version(asked: Asked) -> list[Part]:
    def load() -> Content:
        note = asked.call.form.get("note", "").strip()
        if len(note) > MAX_TEXT_CHARACTERS:
            raise refuse(Reason.INVALID_ARGUMENT, "note", f"has {len(note)} characters.", f"Use at most {MAX_TEXT_CHARACTERS}.")
        latest = plan_named(asked.call.client, asked.plan.plan_id)
        held = read_plan(latest)
        form = read_form(asked.call.form, held, asked.day)
        starts = asked.call.day("effective_from") or asked.day
        stored = save_plan(asked.call.client, write_plan(next_version(form, starts, note)), follows=latest.version)
        return {"told": form.told, "numbers": [], "lines": [], "version": stored}

    return [Part("what_if/stored.html", load)]


def _taken_back(asked: Asked) -> list[Part]:
    def load() -> Content:
        change_id = int(asked.call.form.get("change", "") or 0)
        request = calendar_pb.TakeBackCapacityRequest(plan_id=asked.plan.plan_id, change_id=change_id, validate_only=True)
        request.etag = asked.call.client.capacity.TakeBackCapacity(request).calendar_change.etag
        request.validate_only = False
        answer = asked.call.client.capacity.TakeBackCapacity(request)
        told = [f"change {change_id} was taken back"]
        return {"told": told, "numbers": [], "lines": answer.calendar_change.differences, "version": None}

    return [Part("what_if/stored.html", load)]


def _ranked(asked: Asked) -> list[Part]:
    """Rank again under the plan as it is stored for the day; the ranking before stays, and is where moves are counted from."""

    def load() -> Content:
        inputs = asked.ranking.inputs
        request = CreateRankingRequest(
            request_id=asked.call.form.get("request", "") or new_request_id(),
            portfolio_id=inputs.portfolio_id,
            capacity_plan_id=inputs.capacity_plan_id,
            ordering=ranking_pb2.ORDERING_EXPECTED_VALUE,
            previous_ranking_id=asked.ranking.ranking_id,
            accept_suspect_scores=bool(asked.ranking.health.suspect_scores_accepted),
        )
        made = make_ranking(asked.call.client, request)
        return {"made": made, "expect": expected_sentence(summarise(made)), "before": asked.ranking}

    return [Part("what_if/ranked.html", load)]


_ANSWERS: Mapping[str, Callable[[Asked], Sequence[Part]]] = MappingProxyType(
    {
        "see": _evaluated,
        "curve": _curve,
        "store": _stored_days,
        "save": _saved_version,
        "back": _taken_back,
        "rank": _ranked,
    }
)
"""What may be asked of the form, by its button."""
