"""Whether experiments keep their promises: intervals, power, cost, and nobody left alone leased.

Runs of people who enter over 60 days, two fifths of them at once; few pay, amounts have a heavy tail, a tenth is left alone. Each
fixed interval is held against the truth at the end, each anytime-valid one at every day's look from the first on at which both
arms may be read. Effects of the size that the plan promises to find are planted. Costs are solved anew for each draw. Days of
rankings are leased whole, with two accounts of a person, shuffled rows, moves and new people, judged person by person with the
library's HMAC.
"""

from __future__ import annotations

import sys

import numpy as np

from harness.benchmarks.support.cases import Result, run_case
from harness.benchmarks.support.reporting import Report, Table
from harness.benchmarks.support.running import Options, main
from harness.experiments.costs import cost_runs
from harness.experiments.leases import PLANTS, judged_days, planted_days
from harness.experiments.trials import (
    PEOPLE,
    SHARE,
    covered,
    decided_early,
    drawn,
    found_at_the_promised_size,
    true_effect,
)

BATCH = 200
LIFT = 0.3


def intervals(measure, count: int, seed: int) -> None:
    """Count how often intervals hold the truth, and how often the declared rule ends an experiment without an effect."""
    generator = np.random.default_rng(seed)
    with measure.stage("runs"):
        truth = true_effect(generator, LIFT)
        held, ended = [], []
        for _ in range(count // BATCH):
            held.append(covered(drawn(generator, BATCH, LIFT), truth))
            ended.append(decided_early(drawn(generator, BATCH)))
    measure.figures.update({name: float(np.mean([each[name] for each in held])) for name in held[0]})
    measure.figures.update({"ended early without an effect": float(np.mean(ended)), "runs": count})


def power(measure, count: int, seed: int) -> None:
    """Plant effects of the size that is promised to be found."""
    generator = np.random.default_rng(seed)
    with measure.stage("runs"):
        parts = [found_at_the_promised_size(generator, BATCH) for _ in range(count // BATCH)]
    promised, found, wrongly = (float(np.mean(each)) for each in zip(*parts, strict=True))
    measure.figures.update({"promised cents": promised, "found": found, "found though nothing is there": wrongly, "runs": count})


def cost(measure, accounts: int, draws: int, share: float) -> None:
    """Solve draws anew, and hold their cost against the prediction."""
    with measure.stage("solve"):
        made = cost_runs(accounts, 8, draws, share)
    measure.figures.update(
        {
            "predicted": made.least / 100,
            "low": made.low / 100,
            "high": made.high / 100,
            "at most": made.most / 100,
            "solved, mean": float(made.solved.mean()) / 100,
            "within the interval": made.within,
        }
    )


def leases(measure, people: int, wanted: int, fault: str = "") -> None:
    """Lease whole worklists of days; nobody left alone may be among them."""
    with measure.stage("days"):
        made = planted_days(fault, people, wanted) if fault else judged_days(people, wanted)
    measure.figures.update({"leases": made.leases, "to people left alone": made.wrong, "changed arms": made.moved})


def bench(options: Options) -> Report:
    """Run the cases."""
    runs, draws, wanted, people = (200, 5, 20_000, 5_000) if options.small else (2_000, 200, 1_000_000, 100_000)
    covers = run_case("intervals", intervals, 1, count=runs, seed=1)
    promised = run_case("power", power, 1, count=4 * runs, seed=2)
    accounts = 20_000
    costs = [
        run_case(f"cost of {share:.0%}", cost, 1, accounts=accounts, draws=draws, share=share) for share in (0.02, 0.05, 0.1)
    ]
    leased = run_case("leases", leases, 1, people=people, wanted=wanted)
    plants = [run_case(fault, leases, 1, people=5_000, wanted=20_000, fault=fault) for fault in PLANTS]
    return Report(
        [_coverage(covers), _power(promised), _costs(costs), _leases([leased, *plants])],
        [covers, promised, *costs, leased, *plants],
        _remarks(covers, promised, costs, leased),
    )


def _coverage(made: Result) -> Table:
    names = [name for name in made.figures if name != "runs"]
    lines = tuple((name, f"{made.figures[name]:.1%}") for name in names)
    title = f"Intervals over {made.figures['runs']:,.0f} runs of {PEOPLE:,} people, {SHARE:.0%} left alone"
    return Table(title, ("interval", "holds the truth, or ends"), lines)


def _power(made: Result) -> Table:
    figures = made.figures
    line = (
        f"{figures['promised cents'] / 100:,.2f}",
        f"{figures['found']:.1%}",
        f"{figures['found though nothing is there']:.1%}",
    )
    header = ("promised to be found with 80 %, USD per person", "found", "found though nothing is there")
    return Table(f"Power over {figures['runs']:,.0f} runs", header, (line,))


def _costs(made: list[Result]) -> Table:
    names = ("predicted", "low", "high", "solved, mean", "at most", "within the interval")
    lines = tuple(
        (each.name, *(f"{each.figures[n]:,.0f}" for n in names[:-1]), f"{each.figures[names[-1]]:.1%}") for each in made
    )
    note = "USD; predicted: where freed minutes earn their price with others; at most: where they earn nothing."
    return Table("Cost of leaving people alone, solved anew for each draw", ("case", *names), lines, note)


def _leases(made: list[Result]) -> Table:
    names = ("leases", "to people left alone", "changed arms")
    lines = tuple(
        (each.name if at == 0 else f"planted: {each.name}", *(f"{each.figures[n]:,.0f}" for n in names))
        for at, each in enumerate(made)
    )
    return Table("Worklists leased whole", ("case", *names), lines)


def _remarks(covers: Result, promised: Result, costs: list[Result], leased: Result) -> list[str]:
    fixed, anytime = (covers.figures[name] for name in ("fixed, at the end", "anytime-valid, at every look"))
    found, worst = promised.figures["found"], min(each.figures["within the interval"] for each in costs)

    def met(holds: bool) -> str:
        return "met" if holds else "not met"

    return [
        f"Target: fixed intervals cover 93 to 97 %: {fixed:.1%}, {met(0.93 <= fixed <= 0.97)}.",
        f"Target: anytime-valid intervals cover at least 95 % under daily looks: {anytime:.1%}, {met(anytime >= 0.95)}.",
        f"Target: 80 % of effects of the promised size are found: {found:.1%}, {met(found >= 0.77)} within the runs' error.",
        f"Target: the cost is as predicted within its 95 % interval: in {worst:.1%} of draws at worst, {met(worst >= 0.93)}.",
        f"Target: 0 contacts to people left alone in 1,000,000 leases: {leased.figures['to people left alone']:,.0f} in "
        f"{leased.figures['leases']:,.0f}, {met(leased.figures['to people left alone'] == 0)}.",
    ]


if __name__ == "__main__":
    main(sys.modules[__name__])
