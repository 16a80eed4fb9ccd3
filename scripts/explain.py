"""Say why an account was worked in a recorded ranking, why not elsewhere, or why not at all.

Example:
    python scripts/explain.py --data var/demo --ranking rk-... --account UCI-000007
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from scripts_support import DataOption, ModelsOption, opened, run, table

from collections_opt.application.rankings import AccountExplanation
from collections_opt.application.settings import dump
from collections_opt.reports.money import money_exact


def main(
    ranking: Annotated[str, typer.Option(help="Id of the ranking.")],
    account: Annotated[str, typer.Option(help="Id of the account.")],
    data: DataOption = Path("var/demo"),
    models: ModelsOption = Path("var/demo/models"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Explain one account in a recorded ranking, queue by queue.

    Example: python scripts/explain.py --data var/demo --ranking rk-... --account UCI-000007
    """
    with opened(data, models) as workspace:
        why = workspace.rankings.explain(ranking, account)
    if as_json:
        typer.echo(json.dumps(plain(why), indent=1))
        return
    console = Console()
    console.print(why.sentence)
    cure, default, stay = why.probability
    console.print(f"Without contact: cure {cure:.1%}, default {default:.1%}, stay {stay:.1%}.")
    for reason in why.reasons:
        console.print(f"  {reason.sentence} ({reason.code})", highlight=False)
    lines = [
        [
            q.queue_id,
            q.verdict,
            q.rule_id or "-",
            *map(money_exact, (q.increment_minor, q.surplus_minor, q.needed_increment_minor)),
        ]
        for q in why.queues
    ]
    header = ["queue", "verdict", "rule", "increment", "surplus", "needs more"]
    console.print(table(f"{why.account_id} in every queue", header, lines, text_columns=3))


def plain(why: AccountExplanation) -> dict[str, object]:
    """Return an explanation for machines."""
    cure, default, stay = why.probability
    queues = [
        {
            name: str(value) if name in ("verdict", "next_eligible_date") else value
            for name, value in vars(q).items()
            if name != "detail"
        }
        for q in why.queues
    ]
    return {
        "account_id": why.account_id,
        "disposition": why.disposition.name,
        "sentence": why.sentence,
        "p_cure": cure,
        "p_default": default,
        "p_stay": stay,
        "reasons": [json.loads(dump(reason)) for reason in why.reasons],
        "queues": queues,
    }


if __name__ == "__main__":
    run(main)
