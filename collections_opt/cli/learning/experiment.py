"""Plan, create, start, read and stop experiments: a draw leaves people alone, or picks their queue or plan, to know its worth.

Example:
    python scripts/experiment.py plan --share 0.05 --days 60 --horizon 30 --standard-deviation 300.00
    python scripts/experiment.py create --id holdout-26 --share 0.05 --from 2026-12-01 --days 60 --horizon 30 --people 9000
    python scripts/experiment.py start --id holdout-26 --version 1 --actor ben
    python scripts/experiment.py read --id holdout-26 --html holdout.html
    python scripts/experiment.py split-plan --plan desk --challenger desk-b --share 0.2 --from 2026-12-01
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from collections_opt.api.v1 import experiment_pb2
from collections_opt.api.v1 import experiment_service_pb2 as pb
from collections_opt.cli.common.experiment_answers import read_findings
from collections_opt.cli.common.product import IN_FORCE, Product, RankingOption, named_ranking
from collections_opt.cli.common.running import run_commands
from collections_opt.cli.common.terminal import table, terminal
from collections_opt.cli.learning.experiment_tables import DRAWN, show_experiments, show_plan
from collections_opt.cli.learning.split_plan import split_plan
from collections_opt.client.listings import all_experiments
from collections_opt.client.plain import plain
from collections_opt.client.rankings import new_request_id
from collections_opt.core.codes.currencies import Currency, currency
from collections_opt.core.errors import Reason, refuse
from collections_opt.reports.csv_text import csv_text
from collections_opt.reports.experiment.page import experiment_html
from collections_opt.reports.experiment.report import days_table, facts, findings_note, findings_rows, findings_table, pairs_table
from collections_opt.wire.common import write_date

IdOption = Annotated[str, typer.Option("--id", help="Id of the experiment.")]
ShareOption = Annotated[float, typer.Option(help="Chance with which a person is drawn, such as 0.05; at most 0.5.")]
DaysOption = Annotated[int, typer.Option(help="Days that it lasts.")]
HorizonOption = Annotated[int, typer.Option(help="Days after a person enters within which outcomes count.")]
QueuesOption = Annotated[
    bool, typer.Option("--random-queue", help="Drawn people are worked in a queue drawn at random, in place of left alone.")
]
PlansOption = Annotated[
    bool, typer.Option("--two-plans", help="Drawn people are worked by a challenger's plan, all others by the plan as it is.")
]
PortfolioOption = Annotated[
    list[str] | None, typer.Option(help="Portfolio it is about, or the beginning of ids with '*'; repeat; none: every one.")
]
ProductsOption = Annotated[list[str] | None, typer.Option("--product", help="Product it is about; repeat; none: every one.")]
BucketOption = Annotated[list[int] | None, typer.Option(help="Bucket it is about, 0 to 6; repeat; none: every one.")]
NoteOption = Annotated[str, typer.Option(help="Why, for the record.")]
CheckOption = Annotated[bool, typer.Option("--check", help="Check everything and record nothing.")]
SelfOption = Annotated[bool, typer.Option("--self-approved", help="No second person looks, and every record says so.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def plan(
    product: Product,
    share: ShareOption,
    days: DaysOption,
    horizon: HorizonOption,
    standard_deviation: Annotated[
        Decimal, typer.Option(help="Standard deviation of cash per person within the horizon; 0: measured on past payments.")
    ] = Decimal(0),
    correlation: Annotated[float, typer.Option(help="Correlation of cash with the recovery predicted without contact.")] = 0.0,
    find: Annotated[Decimal | None, typer.Option(help="Effect per person that it should find, in money.")] = None,
    random_queue: QueuesOption = False,
    two_plans: PlansOption = False,
    ranking: RankingOption = IN_FORCE,
    portfolio: PortfolioOption = None,
    products: ProductsOption = None,
    bucket: BucketOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what an experiment would show and cost, before anybody is left alone.

    Example: python scripts/experiment.py plan --share 0.05 --days 60 --horizon 30 --standard-deviation 300.00 --find 20.00
    """
    with product.connect() as client:
        made = named_ranking(client, ranking)
        unit = currency(made.inputs.currency_code)
        request = pb.PlanExperimentRequest(
            ranking_id=made.ranking_id,
            scope=_scope(portfolio, products, bucket),
            share=share,
            duration_days=days,
            horizon_days=horizon,
            standard_deviation_minor_units=_minor(unit, standard_deviation),
            correlation=correlation,
            wanted_effect_minor_units=_minor(unit, find) if find is not None else 0.0,
            arm=_arm(random_queue, two_plans),
        )
        answer = client.experiments.PlanExperiment(request)
    if as_json:
        typer.echo(json.dumps(plain(answer), indent=1))
        return
    show_plan(answer, unit, f"{share:.1%} of people {DRAWN[request.arm]}", find, two_plans)


def create(
    product: Product,
    experiment_id: IdOption,
    share: ShareOption,
    starts: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First as-of date of rankings in it.")],
    days: DaysOption,
    horizon: HorizonOption,
    people: Annotated[int, typer.Option(help="People expected to enter, as plan says.")],
    may_end_early: Annotated[
        bool, typer.Option("--may-end-early", help="It may end once the anytime-valid interval of cash excludes zero.")
    ] = False,
    salt: Annotated[str, typer.Option(help="32 or more hexadecimal digits; default: drawn by the server.")] = "",
    random_queue: QueuesOption = False,
    two_plans: PlansOption = False,
    plan_id: Annotated[str, typer.Option("--plan", help="With --two-plans: the plan as it is.")] = "",
    challenger: Annotated[str, typer.Option(help="With --two-plans: the challenger's plan.")] = "",
    portfolio: PortfolioOption = None,
    products: ProductsOption = None,
    bucket: BucketOption = None,
    note: NoteOption = "",
    check: CheckOption = False,
    as_json: JsonOption = False,
) -> None:
    """Save an experiment; nobody is drawn before a second person starts it.

    Example: python scripts/experiment.py create --id h26 --share 0.05 --from 2026-12-01 --days 60 --horizon 30 --people 9000
    """
    rules = experiment_pb2.EXPERIMENT_STOP_RULE_CASH_DECIDED, experiment_pb2.EXPERIMENT_STOP_RULE_LAST_DAY
    message = experiment_pb2.Experiment(
        experiment_id=experiment_id,
        scope=_scope(portfolio, products, bucket),
        share=share,
        start_date=write_date(starts.date()),
        end_date=write_date(starts.date() + timedelta(days=max(days, 1) - 1)),
        horizon_days=horizon,
        planned_person_count=people,
        stop_rule=rules[0] if may_end_early else rules[1],
        salt=salt,
        arm=_arm(random_queue, two_plans),
        plan_id=plan_id,
        challenger_plan_id=challenger,
    )
    with product.connect() as client:
        known = next((each for each in all_experiments(client) if each.experiment_id == experiment_id), None)
        request = pb.CreateExperimentRequest(
            request_id=new_request_id(),
            experiment=message,
            note=note,
            etag=known.state.etag if known else "",
            validate_only=check,
        )
        saved = client.experiments.CreateExperiment(request).experiment
    show_experiments([saved], as_json)
    if not as_json:
        typer.echo("It is in order; nothing was saved." if check else "Saved. Nobody is drawn before somebody else starts it:")
        if not check:
            typer.echo(f"  python scripts/experiment.py start --id {experiment_id} --version {saved.state.version} --actor NAME")


def start(
    product: Product,
    experiment_id: IdOption,
    version: Annotated[int, typer.Option(help="Version to start.")],
    self_approved: SelfOption = False,
    note: NoteOption = "",
    check: CheckOption = False,
    as_json: JsonOption = False,
) -> None:
    """Let an experiment start on its first day; who created it does not start it.

    Example: python scripts/experiment.py start --id holdout-26 --version 1 --actor ben
    """
    request = pb.StartExperimentRequest(
        request_id=new_request_id(),
        experiment_id=experiment_id,
        version=version,
        self_approved=self_approved,
        note=note,
        validate_only=check,
    )
    with product.connect() as client:
        show_experiments([client.experiments.StartExperiment(request).experiment], as_json)


def stop(
    product: Product,
    experiment_id: IdOption,
    day: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First as-of date without it; to save a stop.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    version: Annotated[int, typer.Option(help="Stop that another person saved, to approve it.")] = 0,
    self_approved: SelfOption = False,
    check: CheckOption = False,
    as_json: JsonOption = False,
) -> None:
    """Save a stop, or approve one that somebody else saved; earlier days stay as they were.

    Example: python scripts/experiment.py stop --id holdout-26 --from 2027-01-15 --reason "decided" --actor ann
    """
    request = pb.StopExperimentRequest(
        request_id=new_request_id(),
        experiment_id=experiment_id,
        stop_date=write_date(day.date()) if day else None,
        reason=reason,
        version=version,
        self_approved=self_approved,
        validate_only=check,
    )
    with product.connect() as client:
        stopped = client.experiments.StopExperiment(request).experiment
    show_experiments([stopped], as_json)
    if not as_json and not check and not version and not self_approved:
        typer.echo("Saved. It goes on until somebody else approves the stop:")
        typer.echo(f"  python scripts/experiment.py stop --id {experiment_id} --version {stopped.state.version} --actor NAME")


def list_command(product: Product, as_json: JsonOption = False) -> None:
    """List what stands of every experiment.

    Example: python scripts/experiment.py list --data var/demo
    """
    with product.connect() as client:
        show_experiments(list(all_experiments(client)), as_json)


def read(
    product: Product,
    experiment_id: IdOption,
    html: Annotated[Path | None, typer.Option(help="Write a page with the picture.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write a row per queue and outcome.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what contact was worth, or the choice of a queue or plan, as far as people have matured.

    Example: python scripts/experiment.py read --id holdout-26 --html holdout.html
    """
    with product.connect() as client:
        answer = client.experiments.ReadExperiment(pb.ReadExperimentRequest(experiment_id=experiment_id))
    found = read_findings(answer)
    if html:
        html.write_text(experiment_html(found), "utf-8")
    if csv:
        lines = findings_rows(found)
        names = list(dict.fromkeys(name for line in lines for name in line))
        csv.write_text(csv_text(names, lines), "utf-8")
    if as_json:
        typer.echo(json.dumps(plain(answer), indent=1))
        return
    console = terminal()
    console.print(found.headline, markup=False)
    console.print(table(f"Experiment {experiment_id}", *findings_table(found), text_columns=2))
    if found.reading.pairs:
        console.print(table("Queue against queue", *pairs_table(found), text_columns=3))
    if found.split_days:
        console.print(table("Days of the two plans", *days_table(found), text_columns=4))
    console.print(table("What it rests on", ["", ""], [list(fact) for fact in facts(found)], text_columns=2))
    console.print(findings_note(found), markup=False)


def _scope(portfolio: list[str] | None, products: list[str] | None, bucket: list[int] | None) -> experiment_pb2.ExperimentScope:
    return experiment_pb2.ExperimentScope(portfolio_patterns=portfolio or [], products=products or [], buckets=bucket or [])


def _arm(random_queue: bool, two_plans: bool) -> experiment_pb2.ExperimentArm.ValueType:
    if random_queue and two_plans:
        told = "goes with --random-queue or --two-plans, not with both."
        raise refuse(Reason.INVALID_ARGUMENT, "arm", told, "Ask one question at a time.")
    if two_plans:
        return experiment_pb2.EXPERIMENT_ARM_TWO_PLANS
    return experiment_pb2.EXPERIMENT_ARM_RANDOM_QUEUE if random_queue else experiment_pb2.EXPERIMENT_ARM_HOLDOUT


def _minor(unit: Currency, money: Decimal) -> float:
    if not money.is_finite():
        raise refuse(Reason.INVALID_ARGUMENT, "money", f"{money} is no amount.", "Send an amount such as 20.00.")
    return float(money * 10**unit.exponent)


def command() -> None:
    """Run the command with the arguments of the process."""
    run_commands(
        "Plan, create, start, read and stop experiments. Example: python scripts/experiment.py list --data var/demo",
        plan,
        create,
        start,
        read,
        stop,
        list_command,
        split_plan,
    )
