"""Which ranking a desk works on a day: made for it, of its portfolio; never an analyst's, and never simply the newest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from collections_opt.application.rankings.command import OwedRanking
from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.application.resources.experiments import Experiments
from collections_opt.application.settings import load
from collections_opt.core.errors import CollectionsError, FieldViolation, Reason, refuse
from collections_opt.core.ranking.purpose import RankingPurpose, purpose_of
from collections_opt.core.scopes import EVERYTHING, seeing
from collections_opt.ledger.ledger import Ledger
from collections_opt.ledger.records import RankingRecord

_PAGE = 50


def ranking_in_force(ledger: Ledger, plan_id: str = "", day: date | None = None, portfolio_id: str = "") -> RankingRecord:
    """Return the newest ranking made to be worked, of a desk, a day and a portfolio.

    One that was made for what remains of the day is of the portfolio that its day began with.


    Args:
        ledger: the records.
        plan_id: capacity plan of the desk; "" for the only one.
        day: as-of date; None for the newest day that has such a ranking.
        portfolio_id: the portfolio; "" for the only one of that day.

    Raises:
        CollectionsError: NOT_FOUND when there is none; INVALID_ARGUMENT naming them, when several desks or portfolios have one.
    """
    found: dict[tuple[str, str], RankingRecord] = {}
    in_force_day: date | None = None
    for record in _newest_days_first(ledger, day):
        inputs = RankingFacts.from_record(record.record).inputs
        if in_force_day and inputs.as_of_date != in_force_day:
            break
        of_day = portfolio_of_day(record)
        named = plan_id in ("", inputs.plan_id) and portfolio_id in ("", record.portfolio_id, of_day)
        if named and inputs.made_for is RankingPurpose.WORK:
            in_force_day = inputs.as_of_date
            found.setdefault((inputs.plan_id, of_day), record)
    if not found:
        raise _none(plan_id, day, portfolio_id)
    for place, field, remedy in (
        (0, "capacity_plan_id", "Name the desk; to a command, as --ranking in-force:DESK."),
        (1, "portfolio_id", "Name the portfolio."),
    ):
        several = sorted({key[place] for key in found})
        if len(several) > 1:
            told = f"{len(several)} have a ranking in force on {in_force_day}: {', '.join(several)[:300]}."
            raise refuse(Reason.INVALID_ARGUMENT, field, told, remedy)
    return next(iter(found.values()))


def require_one_plan(ledger: Ledger, experiments: Experiments, day: date, portfolio_id: str, plan_id: str) -> None:
    """Refuse work by which whoever an experiment draws for one of two plans would be worked by both, or by a third.

    Raises:
        CollectionsError: RESOURCE_STATE_CONFLICT naming the other plan.
    """
    experiments.require_own_work(day, portfolio_id, plan_id)
    others = experiments.not_beside(day, portfolio_id, plan_id)
    owed = {each.plan_id for each in owed_to_work(ledger) if each.portfolio_id == portfolio_id} if others else set()
    for other, name in others.items():
        try:
            with seeing(EVERYTHING):  # whoever asks, nobody is worked twice
                ranking_in_force(ledger, other, day, portfolio_id)
        except CollectionsError as error:
            if error.reason is not Reason.NOT_FOUND:
                raise
            if other not in owed:
                continue
        told = f"{other} works {portfolio_id!r} on {day} already, and {name} does not share its people that day."
        remedy = f"Work it by one of {plan_id} and {other} alone, or let an experiment share it between them."
        raise refuse(Reason.RESOURCE_STATE_CONFLICT, "plan_id", told, remedy)


def owed_to_work(ledger: Ledger) -> Iterator[OwedRanking]:
    """Yield the rankings to be worked that are asked for and not made yet."""
    for requested in ledger.requests.unfinished():
        owed = load(requested.command, OwedRanking)
        if purpose_of(owed.purpose, owed.ordering) is RankingPurpose.WORK:
            yield owed


def require_workable(record: RankingRecord) -> None:
    """Refuse to give anybody accounts of a ranking that was not made to be worked.

    Raises:
        CollectionsError: RANKING_NOT_IN_FORCE.
    """
    if RankingFacts.from_record(record.record).inputs.made_for is not RankingPurpose.WORK:
        told = f"{record.ranking_id} was made for analysis."
        raise refuse(Reason.RANKING_NOT_IN_FORCE, "ranking_id", told, "Take the ranking in force, or make one to be worked.")


def require_not_for_analysis(record: RankingRecord) -> None:
    """Refuse to list accounts of a ranking that somebody asked for analysis; one that was given no purpose may be listed.

    Raises:
        CollectionsError: RANKING_NOT_IN_FORCE.
    """
    if RankingFacts.from_record(record.record).inputs.purpose is RankingPurpose.ANALYSIS:
        require_workable(record)


def portfolio_of_day(record: RankingRecord) -> str:
    """Return the portfolio that a ranking's day began with: one of what remained of a day is of that day's."""
    derived = RankingFacts.from_record(record.record).derived_from
    return derived.base_portfolio_id if derived is not None and derived.remains_of else record.portfolio_id


def _newest_days_first(ledger: Ledger, day: date | None) -> Iterator[RankingRecord]:
    after: tuple[str, int] | None = None
    while page := ledger.rankings.by_day(day, after, _PAGE):
        yield from page
        after = RankingFacts.from_record(page[-1].record).inputs.as_of_date.isoformat(), page[-1].seq


def _none(plan_id: str, day: date | None, portfolio_id: str) -> CollectionsError:
    asked = {"capacity_plan_id": plan_id, "as_of_date": f"{day or ''}", "portfolio_id": portfolio_id}
    named = {field: value for field, value in asked.items() if value} or {"ranking_id": ""}
    told = "no ranking made to be worked is recorded" + (f" with {' and '.join(named.values())}." if any(named.values()) else ".")
    remedy = "Make one by expected value, or declare its order to be worked."
    found = tuple(FieldViolation(field, told, remedy) for field in named)
    return CollectionsError(Reason.NOT_FOUND, str(found[0]), found, next(iter(named.values())) or "in-force")
