"""Place, release and list legal holds, which forbid the erasure of accounts and of persons.

Example:
    python scripts/holds.py place --data var/demo --hold-id case-7 --account UCI-000007 --reason "dispute in court"
    python scripts/holds.py list --data var/demo
    python scripts/holds.py release --data var/demo --hold-id case-7 --reason "settled"
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer

from collections_opt.api.v1 import retention_service_pb2 as pb
from collections_opt.cli.common.product import Product
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import table, terminal
from collections_opt.client.client import Client
from collections_opt.client.listings import pages
from collections_opt.client.plain import plain
from collections_opt.client.rankings import new_request_id
from collections_opt.core.errors import Reason, refuse


class Act(StrEnum):
    """What is done."""

    PLACE = "place"
    RELEASE = "release"
    LIST = "list"


def main(
    product: Product,
    act: Annotated[Act, typer.Argument(help="place a hold, release one, or list them.")],
    hold_id: Annotated[str, typer.Option(help="Id of the hold, such as a case's number.")] = "",
    account: Annotated[list[str] | None, typer.Option(help="Id of an account; repeat for more.")] = None,
    customer: Annotated[
        list[str] | None, typer.Option(help="Id of a person: all of their accounts, those to come too; repeat for more.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; recorded for good, so never with names in it.")] = "",
    request_id: Annotated[str, typer.Option(help="UUID4 of the request, to ask again after a failure; default a new one.")] = "",
    check: Annotated[bool, typer.Option("--check", "--dry-run", help="Check only; nothing is recorded.")] = False,
    released: Annotated[bool, typer.Option("--released", help="List those that were released too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Place, release or list holds.

    Example: python scripts/holds.py place --data var/demo --hold-id case-7 --account UCI-000007 --reason "dispute in court"
    """
    if act is not Act.LIST and not (hold_id and reason):
        raise refuse(Reason.INVALID_ARGUMENT, "hold_id", "or the reason is missing.", "Give --hold-id and --reason.")
    asked = request_id or new_request_id()
    with product.connect() as client:
        if act is Act.PLACE:
            placed = pb.PlaceHoldRequest(
                request_id=asked,
                hold_id=hold_id,
                account_ids=account or (),
                customer_ids=customer or (),
                reason=reason,
                validate_only=check,
            )
            found = [client.retention.PlaceHold(placed).hold]
        elif act is Act.RELEASE:
            let_go = pb.ReleaseHoldRequest(request_id=asked, hold_id=hold_id, reason=reason, validate_only=check)
            found = [client.retention.ReleaseHold(let_go).hold]
        else:
            found = _listed(client, released)
    if as_json:
        shown = [plain(hold) for hold in found]
        typer.echo(json.dumps(shown if act is Act.LIST else shown[0], indent=1))
        return
    if act is Act.LIST:
        header = ("hold", "state", "accounts", "persons", "by", "when", "why")
        terminal().print(table("Legal holds", header, [_line(hold) for hold in found], text_columns=2))
        return
    (hold,) = found
    if check:
        terminal().print(f"Hold {hold_id} may be {'placed' if act is Act.PLACE else 'released'}.", highlight=False, markup=False)
        return
    whom = f"{hold.account_count} account(s) and {hold.person_count} person(s)"
    told = "is released" if hold.released else f"is in force for {whom}"
    terminal().print(f"Hold {hold.hold_id} {told}.", highlight=False, markup=False)


def _listed(client: Client, released: bool) -> list[pb.Hold]:
    request = pb.ListHoldsRequest
    return list(
        pages(
            lambda token: client.retention.ListHolds(request(include_released=released, page_token=token)),
            lambda page: page.holds,
        )
    )


def _line(hold: pb.Hold) -> list[str]:
    state = "released" if hold.released else "in force"
    day = f"{hold.record_time.ToDatetime():%Y-%m-%d}"
    return [hold.hold_id, state, str(hold.account_count), str(hold.person_count), hold.actor.name, day, hold.reason]


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
