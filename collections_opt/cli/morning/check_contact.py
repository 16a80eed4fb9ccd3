"""Ask whether a person may be contacted now, with every reason, budget and the next lawful time; exit code 1 where not.

Example:
    python scripts/check_contact.py --address 127.0.0.1:50051 --insecure-loopback --account A-17 --channel TEXT --automated
"""

from __future__ import annotations

import json
from typing import Annotated

import typer

from collections_opt.api.v1 import worklist_service_pb2 as pb
from collections_opt.api.v1.capacity_plan_pb2 import Channel
from collections_opt.cli.common.product import Product
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import table, terminal
from collections_opt.client.day import ContactMeans, check_contact
from collections_opt.client.plain import plain
from collections_opt.wire.common import enum_text, read_choice, read_enum

MAY = (pb.CONTACT_VERDICT_ALLOWED, pb.CONTACT_VERDICT_WARNING)
"""Verdicts under which the contact may be made."""

NOT_NOW = 1
"""Exit code where it may not."""


def main(
    product: Product,
    account: Annotated[str, typer.Option(help="Id of the account.")] = "",
    customer: Annotated[
        str, typer.Option(help="Id of the person, in place of the account: all of their accounts are judged.")
    ] = "",
    channel: Annotated[str, typer.Option(help="CALL, TEXT, EMAIL, LETTER or VISIT.")] = "CALL",
    automated: Annotated[bool, typer.Option("--automated", help="A machine makes the contact.")] = False,
    skill: Annotated[
        list[str] | None, typer.Option(help="Block flag whose accounts you may take, as vulnerable; repeatable.")
    ] = None,
    desk: Annotated[str, typer.Option(help="Capacity plan of the desk; default the only one.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Ask the gate of today's ranking; what it answers is noted in the trail of reads.

    Example: python scripts/check_contact.py --account A-17 --channel CALL
    """
    medium = Channel.Name(read_choice(Channel.DESCRIPTOR, channel, "channel"))
    with product.connect() as client:
        found = check_contact(client, account, customer, ContactMeans(medium, automated, skill or ()), desk)
    if as_json:
        typer.echo(json.dumps(plain(found), indent=1))
    else:
        _print(found, account or customer)
    if found.verdict not in MAY:
        raise typer.Exit(NOT_NOW)


def _print(found: pb.CheckContactResponse, subject: str) -> None:
    shown = terminal()
    verdict = read_enum(pb.ContactVerdict.DESCRIPTOR, found.verdict, "verdict")
    shown.print(f"{verdict}: {subject}, judged at {_time(found.contact_time)}", highlight=False, markup=False)
    if found.reasons:
        lines = [
            [
                one.account_id,
                read_enum(pb.ContactVerdict.DESCRIPTOR, one.verdict, "verdict"),
                enum_text(pb.ContactReasonKind.DESCRIPTOR, one.kind),
                _rule(one),
                one.description,
            ]
            for one in found.reasons
        ]
        shown.print(table("Reasons", ("account", "verdict", "kind", "rule", "says"), lines, text_columns=5))
    if found.budgets:
        left = [[one.account_id, one.rule_id, str(one.allowed_count), str(one.left_count)] for one in found.budgets]
        shown.print(table("Contacts left", ("account", "rule", "allowed", "left"), left, text_columns=2))
    if found.verdict not in MAY:
        opens = _time(found.next_allowed_time) if found.HasField("next_allowed_time") else "not known"
        shown.print(f"Next allowed: {opens}", highlight=False)
    contacts = found.contact_facts_days_old if found.HasField("contact_facts_days_old") else None
    flags = found.flag_facts_days_old if found.HasField("flag_facts_days_old") else None
    known = f"contacts {_age(contacts)}, flags {_age(flags)}, events through {found.through_event_sequence}"
    told = f"Facts: {known}. Rules {found.rules_version}; note {found.note_sequence}."
    shown.print(told, highlight=False)


def _age(days: int | None) -> str:
    return "of no known age" if days is None else f"{days} day(s) old"


def _rule(reason: pb.ContactReason) -> str:
    return f"{reason.rule_id} v{reason.rule_version}" if reason.rule_id else ""


def _time(message: object) -> str:
    return f"{message.ToDatetime():%Y-%m-%d %H:%M} UTC"  # type: ignore[attr-defined]


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
