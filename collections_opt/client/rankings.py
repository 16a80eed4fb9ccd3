"""Make a ranking and wait for it; read its header and its worklists."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date

from collections_opt.api.v1 import model_service_pb2, ranking_pb2, ranking_service_pb2
from collections_opt.api.v1.capacity_plan_pb2 import EvidenceGrade as EvidenceGradeMessage
from collections_opt.client.client import Client
from collections_opt.client.listings import pages
from collections_opt.core.desk.queues import EvidenceGrade
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.limits import MAX_PAGE_SIZE
from collections_opt.core.problem.assignment import ProgressCallback, SolveProgress, ignore_progress
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.ranking import Disposition
from collections_opt.core.ranking.ranking_summary import QueueFigures, RankingSummary
from collections_opt.core.value.stated_money import FACTOR_SCALE, StatedMoney
from collections_opt.wire.common import read_date, read_enum, write_date
from collections_opt.wire.status import from_status

MAX_WATCHES = 200
"""Times a watch is opened again before its last error is told."""


def new_request_id() -> str:
    """Return an id for one request, to send again with it until an answer came: a random UUID in lower case."""
    return str(uuid.uuid4())


def make_ranking(
    client: Client, request: ranking_service_pb2.CreateRankingRequest, progress: ProgressCallback = ignore_progress
) -> ranking_pb2.Ranking:
    """Start a ranking, or find the one the request made, and wait until it is recorded.

    A watch that runs out, and a server that restarts meanwhile, are met by sending the request again: it is idempotent.

    Raises:
        CollectionsError: what is wrong with the request; why the ranking failed or was abandoned; OUTCOME_UNKNOWN when the
            server is gone.
    """
    ranking = client.rankings.CreateRanking(request).ranking
    for _ in range(MAX_WATCHES):
        if ranking.state != ranking_pb2.RANKING_STATE_RUNNING:
            return _ended(ranking)
        try:
            ranking = watch(client, ranking.ranking_id, progress)
        except CollectionsError as error:
            if error.reason not in (Reason.OUTCOME_UNKNOWN, Reason.NOT_FOUND):
                raise
            ranking = client.rankings.CreateRanking(request).ranking
    raise CollectionsError(Reason.OUTCOME_UNKNOWN, f"{ranking.ranking_id} is still running; ask for it later.")


def watch(client: Client, ranking_id: str, progress: ProgressCallback = ignore_progress) -> ranking_pb2.Ranking:
    """Report progress until the ranking has ended or the deadline passes; return how it was seen last."""
    latest = ranking_pb2.Ranking(ranking_id=ranking_id, state=ranking_pb2.RANKING_STATE_RUNNING)
    for answer in client.rankings.WatchRanking(ranking_service_pb2.WatchRankingRequest(ranking_id=ranking_id)):
        latest = answer.ranking
        if latest.HasField("progress"):
            told = latest.progress
            progress(SolveProgress(told.stage, told.fraction, told.gap if told.HasField("gap") else None))
    return latest


def _ended(ranking: ranking_pb2.Ranking) -> ranking_pb2.Ranking:
    if ranking.state in (ranking_pb2.RANKING_STATE_FAILED, ranking_pb2.RANKING_STATE_ABANDONED):
        raise from_status(ranking.error)
    return ranking


def get_ranking(client: Client, ranking_id: str) -> ranking_pb2.Ranking:
    """Return a recorded ranking.

    Raises:
        CollectionsError: NOT_FOUND; RANKING_NOT_COMPLETE while it runs; why it failed or was abandoned.
    """
    ranking = client.rankings.GetRanking(ranking_service_pb2.GetRankingRequest(ranking_id=ranking_id)).ranking
    if ranking.state == ranking_pb2.RANKING_STATE_RUNNING:
        raise refuse(Reason.RANKING_NOT_COMPLETE, "ranking_id", f"{ranking_id} is still running.", "Ask again when it has ended.")
    return _ended(ranking)


def ranking_in_force(client: Client, plan_id: str = "", day: date | None = None, portfolio_id: str = "") -> ranking_pb2.Ranking:
    """Return the ranking that a desk works on a day: the newest made to be worked.

    Args:
        client: the connection.
        plan_id: capacity plan of the desk; "" for the only one.
        day: as-of date; None for the newest day that has such a ranking.
        portfolio_id: the portfolio; "" for the only one of that day.

    Raises:
        CollectionsError: NOT_FOUND when there is none; INVALID_ARGUMENT when several desks or portfolios have one.
    """
    request = ranking_service_pb2.GetRankingInForceRequest(
        capacity_plan_id=plan_id, as_of_date=write_date(day) if day else None, portfolio_id=portfolio_id
    )
    return client.rankings.GetRankingInForce(request).ranking


def calibration_sentence(client: Client, ranking: ranking_pb2.Ranking) -> str:
    """Return how well a ranking's model is calibrated, the worst outcome first: the first sentence of its card.

    "" where no model scored; where this server does not know the model, that.
    """
    kind, _, version = ranking.inputs.model_version.partition("/")
    if not version:
        return ""
    try:
        card = client.models.GetModel(model_service_pb2.GetModelRequest(kind=kind, version=version)).model.card
    except CollectionsError as error:
        if error.reason is not Reason.NOT_FOUND:
            raise
        return f"{ranking.inputs.model_version} is not in the registry of this server."
    paragraphs = [line.strip() for line in card.splitlines() if line.strip() and not line.startswith("#")]
    return f"{ranking.inputs.model_version}: {paragraphs[0]}" if paragraphs else ""


def headline(ranking: ranking_pb2.Ranking) -> str:
    """Return what a recorded ranking is of, for people: portfolio, day, desk with its version, order and purpose."""
    inputs = ranking.inputs
    order = read_enum(ranking_pb2.Ordering.DESCRIPTOR, inputs.ordering, "ordering").lower().replace("_", " ")
    purpose = "for analysis" if inputs.purpose == ranking_pb2.RANKING_PURPOSE_ANALYSIS else "to be worked"
    desk = f"{inputs.capacity_plan_id} version {inputs.capacity_plan_version}"
    day = read_date(inputs.as_of_date, "as_of_date")
    return f"{ranking.ranking_id}: {inputs.portfolio_id} on {day}, {desk}, by {order}, {purpose}"


def summarise(ranking: ranking_pb2.Ranking) -> RankingSummary:
    """Return a recorded ranking's header figures."""
    quality, counts = ranking.quality, ranking.counts
    queues = (
        QueueFigures(queue.queue_id, queue.capacity_minutes, queue.used_minutes, queue.price_per_minute_minor_units)
        for queue in ranking.queues
    )
    grades = [
        (EvidenceGrade(read_enum(EvidenceGradeMessage.DESCRIPTOR, held.grade, "grade")), held.money_share)
        for held in ranking.evidence
        if held.money_share > 0
    ]
    return RankingSummary(
        ranking_id=ranking.ranking_id,
        ordering=Ordering(read_enum(ranking_pb2.Ordering.DESCRIPTOR, ranking.inputs.ordering, "ordering")),
        currency_code=ranking.inputs.currency_code,
        counts={d: getattr(counts, f"{d.name.lower()}_count") for d in Disposition},
        objective_minor=quality.objective_minor_units,
        bound_minor=quality.bound_minor_units,
        gap=quality.gap,
        termination=read_enum(ranking_pb2.Termination.DESCRIPTOR, quality.termination, "termination"),
        queues=tuple(queues),
        money_by_grade=tuple(sorted(grades, key=lambda grade: -grade[1])),
        effects_version=ranking.inputs.effects_version,
        recovery_version=ranking.inputs.recovery_version,
        one_contact_per_person=ranking.persons.one_contact_per_person,
        person_count=ranking.persons.person_count,
        warnings=tuple(ranking.health.warnings),
        stated=_stated(ranking.stated_money) if ranking.HasField("stated_money") else None,
    )


def _stated(found: ranking_pb2.StatedMoney) -> StatedMoney:
    return StatedMoney(
        expected_minor=found.expected_minor_units,
        chosen_by_minor=found.chosen_by_minor_units,
        learned_minor=found.learned_minor_units,
        learned_low_minor=found.learned_low_minor_units,
        learned_high_minor=found.learned_high_minor_units,
        assumed_minor=found.assumed_minor_units,
        cost_minor=found.cost_minor_units,
        shrinkage_nano=round(found.shrinkage * FACTOR_SCALE),
        if_half_minor=found.if_assumed_half_minor_units,
        if_double_minor=found.if_assumed_double_minor_units,
        break_even_nano=round(found.break_even_factor * FACTOR_SCALE) if found.HasField("break_even_factor") else -1,
    )


def worklist(
    client: Client, ranking_id: str, queue_id: str, size: int = MAX_PAGE_SIZE, allow_analysis: bool = False
) -> Iterator[ranking_service_pb2.WorklistEntry]:
    """Yield a queue's accounts in the order to work them, read a page of ``size`` at a time.

    Raises:
        CollectionsError: RANKING_NOT_IN_FORCE for a ranking that was asked for analysis, unless that is allowed.
    """
    request = ranking_service_pb2.ListWorklistRequest
    return pages(
        lambda token: client.rankings.ListWorklist(
            request(ranking_id=ranking_id, queue_id=queue_id, page_size=size, page_token=token, allow_analysis=allow_analysis)
        ),
        lambda page: page.entries,
    )
