"""Say what one more agent is worth in each queue, today and over the week, and which agents had better work another queue.

Example:
    python scripts/next_agent.py --data var/demo --move 2
"""

from __future__ import annotations

import json
from typing import Annotated

import typer

from collections_opt.api.v1 import capacity_evaluation_pb2 as pb
from collections_opt.cli.common.product import IN_FORCE, Product, RankingOption, named_ranking
from collections_opt.cli.common.running import run
from collections_opt.cli.common.terminal import table, terminal
from collections_opt.client.plain import plain
from collections_opt.client.rankings import headline
from collections_opt.core.codes.currencies import currency


def main(
    product: Product,
    ranking: RankingOption = IN_FORCE,
    move: Annotated[int, typer.Option(min=0, max=20, help="Agents to move between queues; 0 looks for no move.")] = 1,
    days: Annotated[int, typer.Option(min=1, max=31, help="Days of the week, from the ranking's day on.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Print what one more agent adds, between what bounds, and the best moves; nothing is recorded.

    The week's figure has today's accounts worked once each over the minutes that the calendar has for these days: the least
    that the week brings. Where as many accounts come as are worked, it is the days' number times today's.

    Example: python scripts/next_agent.py --data var/demo --move 2
    """
    with product.connect() as client:
        made = named_ranking(client, ranking)
        request = pb.GetNextAgentRequest(moved_agent_count=move, day_count=days)
        request.basis.ranking_id = made.ranking_id
        found = client.capacity.GetNextAgent(request)
    if as_json:
        typer.echo(json.dumps(plain(found), indent=1))
        return
    unit, console = currency(found.currency_code), terminal()
    lines = [
        [
            today.queue_id,
            f"{today.minutes:,.0f}",
            unit.exact(today.gain_minor_units),
            f"{unit.exact(today.low_minor_units)} to {unit.exact(today.high_minor_units)}",
            unit.exact(week.gain_minor_units),
            f"{unit.exact(week.low_minor_units)} to {unit.exact(week.high_minor_units)}",
            unit.exact(today.gain_minor_units * found.day_count),
        ]
        for today, week in zip(found.today, found.week, strict=True)
    ]
    title = f"One more agent ({found.currency_code}); {headline(made)}"
    header = ["queue", "minutes", "today", "between", f"{found.day_count} days", "between", "if as many come"]
    console.print(table(title, header, lines))
    moves = [
        [each.from_queue_id, each.to_queue_id, unit.exact(each.gain_minor_units), unit.exact(each.high_minor_units)]
        for each in found.moves
    ]
    if moves:
        console.print(table("One agent after another", ["from", "to", "adds", "at most"], moves, text_columns=2))
    elif move:
        console.print("No move of one agent was found to add money.")


def command() -> None:
    """Run the command with the arguments of the process."""
    run(main)
