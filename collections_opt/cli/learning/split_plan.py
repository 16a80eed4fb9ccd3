"""Split a stored plan's minutes between two plans, so that an experiment can share people between them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Annotated

import typer

from collections_opt.api.v1 import capacity_plan_pb2
from collections_opt.cli.common.product import Product
from collections_opt.cli.common.terminal import table, terminal
from collections_opt.client.capacity_plans import all_plan_versions, plan_named, save_plan
from collections_opt.client.client import Client
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.desk.split import split_plan as split
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.core.experiments.design import SHARE_SCALE
from collections_opt.wire.common import read_date
from collections_opt.wire.plans import read_plan, write_plan

SPLIT_OF = "split-of"
"""Label of a plan that holds a part of another's minutes: it is not split again."""


def split_plan(
    product: Product,
    plan: Annotated[str, typer.Option(help="Plan whose minutes are split.")],
    challenger: Annotated[str, typer.Option(help="Id of the challenger's plan; stored as its first or next version.")],
    share: Annotated[float, typer.Option(help="Share of the minutes, and of the people, that the challenger gets; at most 0.5.")],
    starts: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First as-of date of the experiment.")],
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day: the plan has all its minutes again after it.")
    ] = None,
    rest: Annotated[
        str, typer.Option(help="Id of the plan that gets the rest; default the plan itself, as its next version.")
    ] = "",
    check: Annotated[bool, typer.Option("--check", help="Show the minutes and store nothing.")] = False,
) -> None:
    """Store two plans that share a plan's minutes: whole minutes of each queue, which add up; all else of the plan stays.

    Example: python scripts/experiment.py split-plan --plan desk --challenger desk-b --share 0.2 --from 2026-12-01
    """
    if not 0 < share <= 0.5:
        raise refuse(Reason.INVALID_ARGUMENT, "share", f"is {share}.", "Send a share above 0, at most 0.5, such as 0.2.")
    first, last = starts.date(), until.date() if until else None
    if last is not None and last < first:
        raise refuse(Reason.INVALID_ARGUMENT, "until", f"{last} is before {first}.", "Send the last day of the experiment.")
    with product.connect() as client:
        whole, version = _whole(client, plan, first)
        ours, theirs = (
            replace(part, effective_from=first, labels={**whole.labels, SPLIT_OF: f"{plan}/{version}"})
            for part in split(whole, round(share * SHARE_SCALE), rest or plan, challenger)
        )
        stored = [_saved(client, part, check) for part in (ours, theirs)]
        if last is not None and ours.plan_id == plan:
            stored.append(_saved(client, replace(whole, effective_from=last + timedelta(days=1)), check))
    lines = [
        [queue.queue_id, f"{queue.capacity_minutes:,.1f}", f"{mine.capacity_minutes:,.0f}", f"{other.capacity_minutes:,.0f}"]
        for queue, mine, other in zip(whole.queues, ours.queues, theirs.queues, strict=True)
    ]
    title = f"Minutes of {plan} version {version}, {share:.2%} of them the challenger's"
    terminal().print(table(title, ["queue", "minutes", ours.plan_id, theirs.plan_id], lines))
    for each in stored:
        told = "in order, not stored" if check else f"stored as version {each.version}"
        typer.echo(f"{each.plan_id}: {told}, from {read_date(each.effective_from, 'effective_from')}")


def _whole(client: Client, plan_id: str, day: date) -> tuple[CapacityPlan, int]:
    """Return the standing version of a plan that is in force on a day, without changes of days, and its number."""
    standing = [
        each
        for each in all_plan_versions(client, plan_id)
        if not each.taken_back and not each.HasField("settled_for") and read_date(each.effective_from, "effective_from") <= day
    ]
    if not standing:
        told = f"{plan_id!r} has no version in force on {day}."
        raise refuse(Reason.CAPACITY_PLAN_NOT_EFFECTIVE, "plan", told, "Name a plan that is in force by then.")
    found = max(standing, key=lambda each: (read_date(each.effective_from, "effective_from"), each.version))
    whole = read_plan(found)
    if SPLIT_OF in whole.labels:
        told = f"version {found.version} of {plan_id} is a part of {whole.labels[SPLIT_OF]} already."
        raise refuse(Reason.RESOURCE_STATE_CONFLICT, "plan", told, "Store a version with all its minutes first.")
    return whole, found.version


def _saved(client: Client, plan: CapacityPlan, check: bool) -> capacity_plan_pb2.CapacityPlan:
    try:
        follows = plan_named(client, plan.plan_id).version
    except CollectionsError as error:
        if error.reason is not Reason.NOT_FOUND:
            raise
        follows = 0
    return save_plan(client, write_plan(plan), follows, check)
