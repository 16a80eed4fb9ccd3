"""A simulated day of a large desk: the list as it lives, with two re-solves, beside the same list frozen in the morning.

Both have the same minutes in the same world, in which people pay, promise and dispute of themselves (assumed shares). The money
is the ranking's own estimate, with a 95 % interval over accounts.
"""

from __future__ import annotations

import sys
import tempfile
import uuid
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from collections_opt.application.evaluation.simulated_day import SimulatedDay
from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.settings import bundled_parameters, bundled_plan
from collections_opt.application.workspace import open_workspace
from collections_opt.core.actors import Actor
from collections_opt.core.problem.assignment import ignore_progress
from collections_opt.core.ranking.ordering import Ordering
from harness.benchmarks.support.cases import run_case
from harness.benchmarks.support.measuring import Measure
from harness.benchmarks.support.portfolios import resampled_portfolio
from harness.benchmarks.support.reporting import Report, Table, number
from harness.benchmarks.support.running import Options, main
from harness.faults.private_postgres import PrivatePostgres, why_not

MODELS = Path(__file__).parents[3] / "models"
OPENS, HOURS, SOLVED_AFTER, SEED = 9, 10, (3, 6), 1
_NEVER = ("in vain", "against a rule", "beyond one a person")
_FIGURES = (
    "events in the log",
    "contacts",
    "in vain, living",
    "in vain, frozen",
    "against a rule, living",
    "beyond one a person, living",
    "money, living",
    "money, frozen",
    "difference",
    "low",
    "high",
)


def lived(measure: Measure, accounts: int, agents: float, url: str) -> None:
    """Live a day on one database."""
    with tempfile.TemporaryDirectory() as name:
        raw = resampled_portfolio(Path(name), accounts, SEED)
        at = [datetime.combine(raw.as_of_date, time(OPENS), ZoneInfo(raw.time_zone)).astimezone(UTC)]
        with closing(open_workspace(Path(name) / "data", MODELS, lambda: at[0], url)) as workspace:
            plan = bundled_plan()
            scale = agents / sum(queue.agents for queue in plan.queues)
            queues = tuple(replace(queue, agents=queue.agents * scale) for queue in plan.queues)
            workspace.books.save_plan(replace(plan, plan_id="large-desk", queues=queues), None)
            with measure.stage("morning"):
                workspace.books.import_portfolio("book", raw)
                command = RankingCommand(
                    str(uuid.UUID(int=SEED, version=4)), "book", "large-desk", 1, Ordering.EXPECTED_VALUE, bundled_parameters()
                )
                ranking_id = workspace.rank(command, ignore_progress).ranking_id
            day = SimulatedDay(workspace, ranking_id, lambda now: at.__setitem__(0, now), at[0], HOURS, SEED)
            with measure.stage("day"):
                report = day.live(SOLVED_AFTER, Actor("bench"))
            recorded = workspace.day.events.log.last_sequence()
    money = [desk.gain_minor.sum() for desk in (report.live, report.frozen)]
    vain = [sum(desk.in_vain.values()) for desk in (report.live, report.frozen)]
    ends = [report.difference_minor + sign * report.half_width_minor for sign in (-1, 1)]
    forbidden = (report.against_rules, report.twice)
    figures = (recorded, report.live.contacts, *vain, *forbidden, *money, report.difference_minor, *ends)
    measure.figures |= {name: float(value) for name, value in zip(_FIGURES, figures, strict=True)}


def bench(options: Options) -> Report:
    """Live a day of 100,000 accounts and 500 agents on both databases."""
    accounts, agents = (4_000, 20.0) if options.small else (100_000, 500.0)
    sizes: dict[str, Any] = {"accounts": accounts, "agents": agents, "timeout_seconds": 3_600.0}
    results, reason = [run_case("SQLite", lived, 1, url="", **sizes)], why_not()
    if not reason:
        with PrivatePostgres() as server:
            results.append(run_case("PostgreSQL", lived, 1, url=server.new_database(), **sizes))
    lines = [(name, *(number(result.figures[name]) for result in results)) for name in _FIGURES]
    lines += [
        (f"seconds of the {at.name}", *(number(one.stages[k].seconds) for one in results))
        for k, at in enumerate(results[0].stages)
    ]
    vain, against, twice = (max(result.figures[f"{name}, living"] for result in results) for name in _NEVER)
    remark = (
        f"Goal: the living desk contacts nobody who paid, promised or disputes: {vain:.0f}; nobody against a rule: "
        f"{against:.0f}; nobody twice: {twice:.0f}."
    )
    title = f"{accounts:,} accounts, {agents:,.0f} agents, two re-solves (money in minor units)"
    table = Table(title, ("figure", *(result.name for result in results)), tuple(lines))
    return Report([table], results, [remark, *([f"PostgreSQL was not measured: {reason}."] if reason else [])])


if __name__ == "__main__":
    main(sys.modules[__name__])
