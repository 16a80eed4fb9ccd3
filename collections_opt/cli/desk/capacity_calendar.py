"""The commands of a plan over time: days that differ, the calendar, versions, differences, what is taken back, files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from collections_opt.api.v1 import capacity_calendar_pb2 as calendar_pb
from collections_opt.api.v1 import capacity_plan_pb2
from collections_opt.cli.common.bundled import BUNDLED_PLAN
from collections_opt.cli.common.product import Product
from collections_opt.cli.common.terminal import table, terminal
from collections_opt.cli.desk.change_notation import NOTATION, read_change
from collections_opt.client.capacity_plans import all_plan_versions, plan_named
from collections_opt.client.client import Client
from collections_opt.client.plain import plain
from collections_opt.core.desk.day_changes import DayChange, DayKind
from collections_opt.core.desk.plan_differences import plan_differences
from collections_opt.core.errors import Reason, refuse
from collections_opt.datasets.plan_files import plan_file_text
from collections_opt.wire.capacity_changes import write_day_change
from collections_opt.wire.common import read_date, write_date
from collections_opt.wire.plans import read_plan

PlanOption = Annotated[str, typer.Option(help="Id of the capacity plan.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
QueueOption = Annotated[str, typer.Option(help="Id of the queue.")]
EtagOption = Annotated[str, typer.Option(help="Etag of the days as you saw them; default: those shown now.")]
DryOption = Annotated[bool, typer.Option("--check", "--dry-run", help="Show the days before and after, and store nothing.")]
DAY = ["%Y-%m-%d"]


def day(
    product: Product,
    on: Annotated[datetime, typer.Option(formats=DAY, help="First day that differs.")],
    queue: QueueOption = "",
    until: Annotated[datetime | None, typer.Option(formats=DAY, help="Last day that differs; default the first.")] = None,
    sick: Annotated[float, typer.Option(help="So many agents are sick.")] = 0.0,
    holiday: Annotated[float, typer.Option(help="So many agents are on holiday.")] = 0.0,
    overtime: Annotated[float, typer.Option(help="So many agents stay longer, each by --minutes.")] = 0.0,
    minutes: Annotated[float, typer.Option(help="Paid minutes that each stays longer.")] = 0.0,
    move: Annotated[float, typer.Option(help="So many agents work the queue of --to.")] = 0.0,
    to: Annotated[str, typer.Option(help="Queue that moved agents work.")] = "",
    closed: Annotated[bool, typer.Option("--closed", help="Nobody works the queue.")] = False,
    change: Annotated[str, typer.Option(help=f"Any other change of one queue. {NOTATION}")] = "",
    note: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    plan: PlanOption = BUNDLED_PLAN,
    etag: EtagOption = "",
    dry_run: DryOption = False,
    as_json: JsonOption = False,
) -> None:
    """Change a day or some days of a queue, from what is in force on each; the change ends by itself.

    Example: python scripts/capacity.py day --queue late-calls --on 2005-08-05 --sick 2 --dry-run
    """
    counts = {DayKind.SICK: sick, DayKind.HOLIDAY: holiday, DayKind.OVERTIME: overtime, DayKind.MOVED: move}
    named = [kind for kind, count in counts.items() if count]
    named += [DayKind.CLOSED] * closed + [DayKind.OTHER] * bool(change)
    if len(named) != 1:
        shown = f"{len(named)} kinds of change."
        raise refuse(
            Reason.INVALID_ARGUMENT, "--sick", shown, "Give one of --sick, --holiday, --overtime, --move, --closed, --change."
        )
    other = read_change(change) if change else None
    made = DayChange(
        kind=named[0],
        first_day=on.date(),
        last_day=(until or on).date(),
        queue_id=queue or (other.queue_id if other else ""),
        agents=counts.get(named[0], 0.0),
        minutes=minutes,
        to_queue_id=to,
        change=other,
        note=note,
    )
    request = calendar_pb.ChangeCapacityDaysRequest(
        plan_id=plan, day_change=write_day_change(made), etag=etag, validate_only=True
    )
    with product.connect() as client:
        answer = client.capacity.ChangeCapacityDays(request)
        if not dry_run:
            request.etag, request.validate_only = etag or answer.calendar_change.etag, False
            answer = client.capacity.ChangeCapacityDays(request)
    if as_json:
        typer.echo(json.dumps(plain(answer), indent=1))
        return
    done = "nothing was stored" if dry_run else f"stored as change {answer.change_id}"
    _show_change(f"{plan}, {made.first_day} to {made.last_day}: {done}", answer.calendar_change)


def revert(
    product: Product,
    version: Annotated[int, typer.Option(min=0, help="Version to take back; rankings made with it keep it.")] = 0,
    change_id: Annotated[int, typer.Option(min=0, help="Change of days to take back.")] = 0,
    plan: PlanOption = BUNDLED_PLAN,
    etag: EtagOption = "",
    dry_run: DryOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take back a version or a change of days; what was in force before is in force again.

    Example: python scripts/capacity.py revert --change-id 3 --dry-run
    """
    if bool(version) == bool(change_id):
        raise refuse(Reason.INVALID_ARGUMENT, "--version", "and --change-id: give one of them.", "List them: versions, calendar.")
    request = calendar_pb.TakeBackCapacityRequest(plan_id=plan, etag=etag, validate_only=True)
    if version:
        request.version = version
    else:
        request.change_id = change_id
    with product.connect() as client:
        answer = client.capacity.TakeBackCapacity(request)
        if not dry_run:
            request.etag, request.validate_only = etag or answer.calendar_change.etag, False
            answer = client.capacity.TakeBackCapacity(request)
    if as_json:
        typer.echo(json.dumps(plain(answer), indent=1))
        return
    named = f"version {version}" if version else f"change {change_id}"
    done = "could be taken back; nothing was stored" if dry_run else "was taken back"
    _show_change(f"{plan}: {named} {done}", answer.calendar_change)


def calendar(
    product: Product,
    on: Annotated[datetime, typer.Option(formats=DAY, help="First day.")],
    until: Annotated[datetime | None, typer.Option(formats=DAY, help="Last day; default a week from the first.")] = None,
    plan: PlanOption = BUNDLED_PLAN,
    as_json: JsonOption = False,
) -> None:
    """Show which version is in force on which day, which days differ and why, and the hours of each queue.

    Example: python scripts/capacity.py calendar --on 2005-08-01 --until 2005-08-14
    """
    last = until or on + timedelta(days=6)
    request = calendar_pb.GetCapacityCalendarRequest(
        plan_id=plan, first_day=write_date(on.date()), last_day=write_date(last.date())
    )
    with product.connect() as client:
        found = client.capacity.GetCapacityCalendar(request)
    if as_json:
        typer.echo(json.dumps(plain(found), indent=1))
        return
    console = terminal()
    console.print(table(f"{plan}, {on.date()} to {last.date()}", *_days_table(found.days), text_columns=3))
    if found.day_changes:
        header = ["change", "days", "kind", "queue", "agents", "stored by", "note"]
        lines = [
            [
                str(each.change_id),
                _span(each.first_day, each.last_day),
                calendar_pb.DayChangeKind.Name(each.kind).removeprefix("DAY_CHANGE_KIND_"),
                each.queue_id + (f" to {each.to_queue_id}" if each.to_queue_id else ""),
                f"{each.agent_count:g}" if each.agent_count else "-",
                each.saved_by.name or "-",
                each.note or "-",
            ]
            for each in found.day_changes
        ]
        console.print(table("Days that differ", header, lines, text_columns=4))
    console.print(f"etag {found.etag}", style="dim", highlight=False)


def versions(product: Product, plan: PlanOption = BUNDLED_PLAN, as_json: JsonOption = False) -> None:
    """List the versions of a plan, newest first: from when to when each is in force, and who stored it.

    Example: python scripts/capacity.py versions --data var/demo
    """
    with product.connect() as client:
        found = list(all_plan_versions(client, plan))
    if as_json:
        typer.echo(json.dumps([plain(each) for each in found], indent=1))
        return
    header = ["version", "from", "until", "state", "stored by", "stored"]
    lines = [
        [
            str(each.version),
            shown_day(each.effective_from),
            shown_day(each.effective_until) if each.HasField("effective_until") else "-",
            _state(each),
            each.saved_by.name or "-",
            f"{each.create_time.ToDatetime():%Y-%m-%d %H:%M}",
        ]
        for each in found
    ]
    terminal().print(table(f"Versions of {plan}", header, lines, text_columns=6))


def diff(
    product: Product,
    before: Annotated[str, typer.Option(help="Version, or a day like 2026-11-27: the plan as it is on it.")],
    after: Annotated[str, typer.Option(help="Version or day to compare with it.")],
    plan: PlanOption = BUNDLED_PLAN,
    as_json: JsonOption = False,
) -> None:
    """Compare two versions of a plan, or the plan on two days, figure by figure.

    Example: python scripts/capacity.py diff --before 2005-08-01 --after 2005-08-05
    """
    with product.connect() as client:
        first, second = (read_plan(_named(client, plan, each)) for each in (before, after))
    found = plan_differences(first, second)
    if as_json:
        typer.echo(json.dumps([vars(each) for each in found], indent=1))
        return
    lines = [[each.queue_id or "(plan)", each.field, each.before or "-", each.after or "-"] for each in found]
    terminal().print(table(f"{plan}: {before} → {after}", ["queue", "figure", "before", "after"], lines, text_columns=2))
    if not found:
        typer.echo("Nothing differs.")


def export(
    product: Product,
    plan: PlanOption = BUNDLED_PLAN,
    at: Annotated[str, typer.Option(help="Version or day; default the latest version that stands.")] = "0",
    out: Annotated[Path | None, typer.Option(help="File to write; default: print it.")] = None,
) -> None:
    """Write a plan as the TOML file that save_plan.py reads, to change it and store it as the next version.

    Example: python scripts/capacity.py export --data var/demo --out var/plan.toml
    """
    with product.connect() as client:
        found = _named(client, plan, at)
    text = plan_file_text(replace(read_plan(found), version=found.version))
    if out is None:
        typer.echo(text, nl=False)
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    typer.echo(f"Written: {out}")


def shown_day(message: object) -> str:
    """Return a date's message as people write it."""
    return f"{read_date(message, 'day')}"


def in_force(plan: capacity_plan_pb2.CapacityPlan) -> str:
    """Return from when to when a stored version is in force, in words."""
    until = (
        f" until {shown_day(plan.effective_until)}, when another version takes over" if plan.HasField("effective_until") else ""
    )
    return f"in force from {shown_day(plan.effective_from)}{until}"


def _named(client: Client, plan_id: str, named: str) -> capacity_plan_pb2.CapacityPlan:
    if named.isdigit():
        return plan_named(client, plan_id, version=int(named))
    try:
        return plan_named(client, plan_id, day=date.fromisoformat(named))
    except ValueError as error:
        raise refuse(
            Reason.INVALID_ARGUMENT, "--at", f"{named[:40]!r} is no version and no day.", "Write 3 or 2026-11-27."
        ) from error


def _state(plan: capacity_plan_pb2.CapacityPlan) -> str:
    if plan.taken_back:
        return "taken back"
    if plan.HasField("settled_for"):
        changes = ", ".join(map(str, plan.day_change_ids))
        return f"the day itself: version {plan.standing_version} with change {changes}"
    return "stands"


def _span(first: object, last: object) -> str:
    days = shown_day(first), shown_day(last)
    return days[0] if days[0] == days[1] else f"{days[0]} to {days[1]}"


def _days_table(days: Sequence[calendar_pb.CapacityDays]) -> tuple[list[str], list[list[str]]]:
    queues = list(dict.fromkeys(queue.queue_id for each in days for queue in each.queues))
    lines = []
    for each in days:
        held = {queue.queue_id: queue for queue in each.queues}
        hours = [f"{held[name].capacity_minutes / 60:,.1f}" if name in held else "-" for name in queues]
        changes = ", ".join(map(str, each.day_change_ids)) or "-"
        lines.append([_span(each.first_day, each.last_day), str(each.standing_version or "-"), changes, *hours])
    return ["days", "version", "changes", *(f"{name}, hours" for name in queues)], lines


def _show_change(title: str, change: calendar_pb.CalendarChange) -> None:
    header = ["days", "queue", "figure", "before", "after"]
    lines = [
        [_span(each.first_day, each.last_day), each.queue_id or "(plan)", each.field, each.before or "-", each.after or "-"]
        for each in change.differences
    ]
    console = terminal()
    console.print(table(title, header, lines, text_columns=3))
    if not lines:
        console.print("Nothing differs on these days.")
    console.print(f"etag of the days before {change.etag}", style="dim", highlight=False)
