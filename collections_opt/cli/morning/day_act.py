"""The demo's second act: the morning's list lives through a simulated day, beside the same list frozen."""

from __future__ import annotations

import tempfile
import uuid
from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console

from collections_opt.application.evaluation.simulated_day import HAPPENINGS, SHARES, DayReport, SimulatedDay, Worked
from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.workspace import open_workspace
from collections_opt.cli.common.bundled import BUNDLED_PLAN, BUNDLED_PORTFOLIO, read_bundled
from collections_opt.cli.common.terminal import progress_bar, table
from collections_opt.core.actors import Actor
from collections_opt.core.codes.currencies import currency
from collections_opt.core.problem.assignment import SolveProgress, ignore_progress
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.reports.day_report import DeskFigures, day_picture, desk_table

OPENS_HOUR, HOURS, SOLVED_AFTER = 9, 10, (3, 6)
"""The desk works from 9 to 19, and what remains is solved anew at noon and at three."""

_LIVE, _FROZEN = "the list as it lives", "the list of the morning, frozen"
_BY = Actor("demo")


def second_act(console: Console, models: Path, seed: int, picture: Path) -> None:
    """Live the day in a ledger of its own, under its own clock, print what changed, and write the picture."""
    raw = read_bundled().raw
    opens = datetime.combine(raw.as_of_date, time(OPENS_HOUR), ZoneInfo(raw.time_zone)).astimezone(UTC)
    at = [opens]
    with tempfile.TemporaryDirectory() as folder, progress_bar("living the day") as report:
        workspace = open_workspace(Path(folder), models, lambda: at[0])
        try:
            workspace.books.import_portfolio(BUNDLED_PORTFOLIO, raw)
            asked = str(uuid.UUID(int=seed, version=4))
            order = Ordering.EXPECTED_VALUE
            morning = workspace.rank(
                RankingCommand(asked, BUNDLED_PORTFOLIO, BUNDLED_PLAN, None, order, None), ignore_progress
            ).ranking_id
            day = SimulatedDay(workspace, morning, lambda now: at.__setitem__(0, now), opens, HOURS, seed)
            lived = day.live(SOLVED_AFTER, _BY, lambda done: report(SolveProgress("hours", done)))
        finally:
            workspace.close()
    _show(console, lived, raw.currency_code, picture)


def _show(console: Console, lived: DayReport, currency_code: str, picture: Path) -> None:
    desks = [_figures(_LIVE, lived.live), _figures(_FROZEN, lived.frozen)]
    shares = ", ".join(f"{share:.0%} {name}" for share, name in zip(SHARES[1:], HAPPENINGS[1:], strict=True))
    console.print(f"The day after the morning, simulated: of themselves {shares} (assumed shares); {lived.events:,} events told.")
    console.print(table("Two desks with the same minutes, in the same world", *desk_table(desks, currency_code)))
    gone = ", ".join(f"{count} {why}" for why, count in sorted(lived.removed.items()) if why != HAPPENINGS[0]) or "nobody"
    console.print(
        f"Left the list before their turn: {gone}. Worked though the morning had no minute for them: {lived.arrived}, "
        f"since what remained was solved anew at {' and '.join(f'{OPENS_HOUR + hour}:00' for hour in SOLVED_AFTER)}."
    )
    unit, half = currency(currency_code), lived.half_width_minor
    low, high = (unit.exact(round(lived.difference_minor + sign * half)) for sign in (-1, 1))
    console.print(
        f"The living list brought {unit.exact(round(lived.difference_minor))} {currency_code} more, 95 % interval over accounts "
        f"{low} to {high}; in money of the ranking's own estimates and contact rates, so ASSUMED where these are.",
        highlight=False,
    )
    picture.write_text(day_picture(desks, OPENS_HOUR, SOLVED_AFTER, currency_code), encoding="utf-8")
    console.print(f"Picture: {picture}", highlight=False, soft_wrap=True)


def _figures(name: str, worked: Worked) -> DeskFigures:
    return DeskFigures(name, worked.contacts, worked.in_vain, worked.by_hour.tolist())
