"""Say why an account was worked in a recorded ranking, why not elsewhere, or why not at all.

Example:
    python scripts/explain.py --data var/demo --account UCI-000007
    python scripts/explain.py --data var/demo --account UCI-000007 --at 2005-09-15 --proof proof.json
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from collections_opt.api.v1 import ranking_service_pb2 as pb
from collections_opt.api.v1 import value_parameters_pb2 as value_pb
from collections_opt.cli.common.product import IN_FORCE, Product, RankingOption, named_ranking
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import table, terminal
from collections_opt.client.approved import choice_phrase
from collections_opt.client.plain import plain
from collections_opt.core.codes.currencies import Currency, currency
from collections_opt.core.desk.day_windows import shown_minutes
from collections_opt.wire.common import read_date, read_enum, write_date


def main(
    product: Product,
    account: Annotated[str, typer.Option(help="Id of the account.")],
    ranking: RankingOption = IN_FORCE,
    at: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Explain what was in force on this day.")] = None,
    proof: Annotated[Path | None, typer.Option(help="Write the proof to this file, for verify_evidence.py.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Explain one account in a recorded ranking, queue by queue.

    Example: python scripts/explain.py --data var/demo --account UCI-000007
    """
    with product.connect() as client:
        request = pb.ExplainAssignmentRequest(account_id=account, with_proof=proof is not None)
        if at:
            request.as_of_date.CopyFrom(write_date(at.date().isoformat()))
        else:
            request.ranking_id = named_ranking(client, ranking).ranking_id
        why = client.rankings.ExplainAssignment(request)
    if proof:
        proof.write_bytes(why.proof)
    if as_json:
        typer.echo(json.dumps(plain(why), indent=1))
        return
    console = terminal()
    console.print(why.sentence)
    console.print(f"Decided by {why.ranking_id}{_others(why)}.", highlight=False)
    if not why.queues:
        return
    console.print(f"Without contact: cure {why.p_cure:.1%}, default {why.p_default:.1%}, stay {why.p_stay:.1%}.")
    if why.loss_source:
        source = read_enum(value_pb.LossSource.DESCRIPTOR, why.loss_source, "loss_source").lower().replace("_", " ")
        console.print(f"Loss given default: {why.loss_given_default:.1%} (from the {source}).", highlight=False)
    if why.HasField("value_choice"):
        console.print(f"Values: {choice_phrase(why.value_choice)}.", highlight=False)
    for reason in why.reason_codes:
        console.print(f"  {reason.sentence} ({reason.code})", highlight=False)
    header = ["queue", "verdict", "increment", "minutes", "a minute costs", "surplus", "needs more", "costs at most"]
    lines = [_line(queue, currency(why.currency_code)) for queue in why.queues]
    console.print(table(f"{why.account_id} in every queue ({why.currency_code})", header, lines, text_columns=2))
    for queue in why.queues:
        console.print(f"{queue.queue_id}: {_detail(queue, currency(why.currency_code))}", highlight=False)


def _others(why: pb.ExplainAssignmentResponse) -> str:
    count = len(why.other_ranking_ids)
    return f"; {count} other ranking(s) of that day were recorded: {', '.join(why.other_ranking_ids)}" if count else ""


def _line(queue: pb.QueueExplanation, unit: Currency) -> list[str]:
    verdict = read_enum(pb.Verdict.DESCRIPTOR, queue.verdict, "verdict").lower().replace("_", " ")
    here = queue.verdict == pb.VERDICT_WORKED_HERE
    blocked = queue.verdict == pb.VERDICT_BLOCKED
    most = queue.highest_price_per_minute_minor_units
    return [
        queue.queue_id,
        verdict,
        unit.exact(queue.increment_minor_units),
        f"{queue.handling_minutes:.1f}",
        unit.exact(queue.price_per_minute_minor_units),
        unit.exact(queue.surplus_minor_units),
        "-" if blocked or here else unit.exact(max(queue.least_increment_minor_units - queue.increment_minor_units, 0)),
        unit.exact(most) if queue.HasField("highest_price_per_minute_minor_units") else "-",
    ]


def _detail(queue: pb.QueueExplanation, unit: Currency) -> str:
    """Return which rule forbids it, or how the increment comes about."""
    rule = queue.blocking_rule
    if rule.rule_id:
        lifts = rule.next_eligible_date
        until = f" It may lift on {read_date(lifts, 'next_eligible_date')}." if lifts.year else ""
        return f"{rule.rule_id}: {rule.description}{until}"
    parts = (queue.from_cure_minor_units, queue.from_default_minor_units, queue.cost_minor_units, queue.cash_minor_units)
    cures, defaults, cost, cash = map(unit.exact, parts)
    told = f"{cures} from more cures, {defaults} from fewer defaults, less {cost} for contact; {cash} is cash within the horizon."
    offered = queue.offered_attempt_count
    told += f" It is offered {offered} attempt(s): {queue.limiting_rule_id} leaves no more." if offered else ""
    window = queue.call_window
    if not queue.HasField("call_window"):
        return told
    return f"{told} It may be contacted from {shown_minutes(window.start_minute, window.end_minute)} by the desk's clocks."


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
