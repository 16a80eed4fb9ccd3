"""Erase accounts, or what was told of persons, for good; exit code 2 when something must be kept.

Example:
    python scripts/erase.py accounts --data var/demo --account UCI-000007 --reason "request 12" --dry-run
    python scripts/erase.py persons --data var/demo --customer C-17 --reason "request 13" --dry-run
    python scripts/erase.py lapsed --data var/demo --before 2026-01-31 --reason "retention" --dry-run
"""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from collections_opt.api.v1 import retention_service_pb2 as pb
from collections_opt.cli.common.product import Product
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import terminal
from collections_opt.client.client import Client
from collections_opt.client.plain import plain
from collections_opt.client.rankings import new_request_id
from collections_opt.core.errors import Reason, refuse
from collections_opt.wire.common import write_date


class Act(StrEnum):
    """What is erased."""

    ACCOUNTS = "accounts"
    PERSONS = "persons"
    LAPSED = "lapsed"


def main(
    product: Product,
    act: Annotated[Act, typer.Argument(help="accounts; persons: what was told of them alone; lapsed: accounts past retention.")],
    reason: Annotated[str, typer.Option(help="Why; recorded for good, so never with names in it.")],
    account: Annotated[list[str] | None, typer.Option(help="Id of an account; repeat for more.")] = None,
    customer: Annotated[list[str] | None, typer.Option(help="Id of a person; repeat for more.")] = None,
    before: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day before which retention ended.")] = None,
    request_id: Annotated[str, typer.Option(help="UUID4 of the request, to ask again after a failure; default a new one.")] = "",
    dry_run: Annotated[bool, typer.Option("--check", "--dry-run", help="Check only; nothing is erased.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of sentences.")] = False,
) -> None:
    """Erase accounts or persons, within retention and holds.

    Example: python scripts/erase.py accounts --data var/demo --account UCI-000007 --reason "request 12" --dry-run
    """
    if act is Act.LAPSED and before is None:
        raise refuse(Reason.INVALID_ARGUMENT, "before", "is missing.", "Say before which day retention must have ended.")
    with product.connect() as client:
        named = (account if act is Act.ACCOUNTS else customer) or []
        found = _erased(client, act, named, before, (request_id or new_request_id(), reason, dry_run))
    if as_json:
        typer.echo(json.dumps({"act": act.value, **plain(found), "log_position": _position(found)}, indent=1))
        return
    may = "may be" if dry_run else "were"
    if act is Act.PERSONS:
        told = f"What was told of {found.erased_count} person(s) alone {'may be' if dry_run else 'was'} erased."
    else:
        held = f"; {found.held_count} more are under legal hold" if act is Act.LAPSED else ""
        told = f"{found.erased_count} account(s) {may} erased ({found.erasure_id}){held}."
    terminal().print(told, highlight=False)


def _erased(client: Client, act: Act, named: list[str], before: datetime | None, asked: tuple[str, str, bool]) -> pb.Erasure:
    request_id, reason, dry_run = asked
    if act is Act.ACCOUNTS:
        accounts = pb.EraseAccountsRequest(request_id=request_id, account_ids=named, reason=reason, validate_only=dry_run)
        return client.retention.EraseAccounts(accounts).erasure
    if act is Act.PERSONS:
        persons = pb.ErasePersonsRequest(request_id=request_id, customer_ids=named, reason=reason, validate_only=dry_run)
        return client.retention.ErasePersons(persons).erasure
    day = None if before is None else write_date(before.date())
    lapsed = pb.EraseLapsedAccountsRequest(request_id=request_id, before_date=day, reason=reason, validate_only=dry_run)
    return client.retention.EraseLapsedAccounts(lapsed).erasure


def _position(found: pb.Erasure) -> int | None:
    return found.log_position if found.HasField("log_position") else None


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
