"""What each order is worth in true money, in worlds of many forms.

In simulated worlds the effect of every contact is known, so the true incremental money of a list can be counted: it is worked
in its order until each queue's time is really used up, at time for a fifth of the accounts. Outcomes without contact and values
are learned from one lender of a world, effects from the log of a second, and a third decides; every seed draws three other
lenders. ORACLE knows every account's true chances, payoffs and minutes, latent types included, under the same rules. REACHABLE
is what recorded columns can tell: trees on the truth of a large log in which every account is tried under every queue, without
the noise of outcomes. AS SHIPPED has the plan's assumed effects and the shipped values, ASSUMED the same effects with measured
values, LEARNED the effects of a log of which a share was randomised. BALANCE and BALANCE_BUCKET are routed to queues by
ASSUMED's increments. Rivals learn from the randomised rows of the whole log. Where contact does nothing, money is shown as a
share of what ASSUMED's list costs. Intervals are 95 % over seeds.
"""

from __future__ import annotations

import sys
from pathlib import Path

from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.value.effects import PlannedEffects
from collections_opt.datasets.simulated_lender.worlds import WORLDS, world
from harness.benchmarks.support.cases import ROOT, Result
from harness.benchmarks.support.keeping import KEPT, held_case, kept_case
from harness.benchmarks.support.reporting import Report, Table
from harness.benchmarks.support.running import Options, main
from harness.worlds.lab import Arena
from harness.worlds.learning import learned
from harness.worlds.reachable import Reachable, learn_reachable
from harness.worlds.rivals import RIVALS, learn_rival
from harness.worlds.trial import (
    Grounds,
    Money,
    contact_log,
    decide_in,
    learn_grounds,
    money_of_oracle,
    money_of_order,
    money_of_ranking,
    part_of,
    ranked,
    shipped_values,
)
from harness.worlds.verdicts import PARTS, SHARES, Figures, Spread, learned_arm, percent, points, promises, ratio

SEEDS = (508, 509, 510, 511, 512, 513)
"""Never looked at while a method was made: to judge a changed method, take others. Spent before: 502 to 507."""

BOOK, LARGE = 120_000, 10 / 3
"""Accounts of each lender unless ``--book`` says otherwise, and so many times more of the one whose truth REACHABLE learns."""

REACHABLE_SEED, ENOUGH = 77, (0.05, 0.20)
BASELINES = ("AS_SHIPPED", "ASSUMED", "BALANCE", "BALANCE_BUCKET")


def reachable(measure, of: str, book: int, path: str) -> None:
    """Learn what a world's columns can tell, and keep the trees."""
    with measure.stage("learn"):
        learn_reachable(world(of), REACHABLE_SEED, book).save(Path(path))
    measure.figures["accounts"] = book


def orders(measure, of: str, seed: int, book: int, path: str) -> None:
    """Count the money of every arm that learns no effects: orders, the plan's effects, and what can be had."""
    made, figures = world(of), measure.figures
    grounds, place = _begun(measure, of, seed, book)
    with measure.stage("orders"):
        figures["accounts"] = place.portfolio.account_count
        figures["true ORACLE"] = money_of_oracle(place)
        _record(measure, "AS_SHIPPED", money_of_ranking(place, ranked(place, grounds, PlannedEffects, shipped_values(made))))
        assumed = ranked(place, grounds, PlannedEffects)
        _record(measure, "ASSUMED", money_of_ranking(place, assumed))
        for ordering in (Ordering.BALANCE, Ordering.BALANCE_BUCKET):
            figures[f"true {ordering.value}"] = money_of_order(place, assumed, ordering)
        effects_of = Reachable.load(Path(path)).effects_of
        _record(measure, "REACHABLE", money_of_ranking(place, ranked(place, grounds, effects_of)))


def rivals(measure, of: str, seed: int, book: int) -> None:
    """Count the money of the rivals."""
    grounds, place = _begun(measure, of, seed, book)
    for share in ENOUGH:
        log = contact_log(world(of), 10 * seed + 2, book, share, grounds)
        for rival in RIVALS:
            with measure.stage(f"{rival} {share:.0%}"):
                found = learn_rival(rival, log, world(of).plan(0.02 * book))
                effects_of = PlannedEffects if found is None else found.effects_of
                _record(measure, f"{rival} {share:.0%}", money_of_ranking(place, ranked(place, grounds, effects_of)))


def _begun(measure, of: str, seed: int, book: int) -> tuple[Grounds, Arena]:
    with measure.stage("outcomes and values"):
        grounds = learn_grounds(world(of), 10 * seed + 1, book)
        return grounds, decide_in(world(of), 10 * seed + 3, book, grounds.parameters)


def learning(measure, of: str, seed: int, book: int) -> None:
    """Learn effects from two lenders of a world, decide for a third, and count the money."""
    made, figures = world(of), measure.figures
    grounds, place = _begun(measure, of, seed, book)
    for share in SHARES:
        log = contact_log(made, 10 * seed + 2, book, share, grounds)
        figures[f"rows {share:.0%}"], figures[f"randomised {share:.0%}"] = log.log.row_count, int(log.log.randomised.sum())
        with measure.stage(f"learn {share:.0%}"):
            for part, size in PARTS:
                effects_of = learned(part_of(log, size, seed), made.plan(0.02 * book), seed)
                _record(measure, learned_arm(share, part), money_of_ranking(place, ranked(place, grounds, effects_of)))


def _record(measure, arm: str, money: Money) -> None:
    told = {"true": money.true, "stated": money.expected, "low": money.low, "high": money.high, "worked": money.worked}
    measure.figures.update({f"{name} {arm}": figure for name, figure in told.items()})


def bench(options: Options) -> Report:
    """Run every world over every seed, one seed after the other, so that a run that is cut off has all worlds alike."""
    names, seeds, book = list(WORLDS), SEEDS, options.book or BOOK
    if options.small:
        names, seeds, book = ["types", "nothing"], SEEDS[:2], 12_000
    large = round(LARGE * book)
    folder = KEPT / ("policy_value_small" if options.small else "policy_value")

    def run(name: str, case, **arguments) -> Result | None:
        if options.kept:
            return held_case(folder.name, name, case, **arguments)
        return kept_case(folder.name, name, case, options.resume, **arguments)

    results, done = [], []
    for seed in seeds:
        for name in names:
            path = str(folder.relative_to(ROOT) / f"reachable-{name}.npz")
            about = {"of": name, "seed": seed, "book": book}
            found = [
                run(f"reachable-{name}", reachable, of=name, book=large, path=path),
                run(f"orders-{name}-{seed}", orders, **about, path=path),
                run(f"learning-{name}-{seed}", learning, **about),
            ]
            if all(found):
                results += [one for one in found if one not in results]
                done.append((seed, name))
    for seed, name in () if options.small else done:
        found = run(f"rivals-{name}-{seed}", rivals, of=name, seed=seed, book=book)
        results += [found] if found else []
    if not done:
        raise SystemExit("Nothing is kept: run the bench without --kept.")
    return report(results)


def report(results: list[Result]) -> Report:
    """Return the page of the results."""
    figures = figures_of(results)
    tables = [_orders(figures, results), _reached(figures), _sizes(figures), _stated(figures), _ranges(figures)]
    if any("T_LEARNER 5%" in arms for arms in figures.true.values()):
        tables.insert(2, _rivals(figures))
    return Report(tables, results, [promise.sentence() for promise in promises(figures)])


def figures_of(results: list[Result]) -> Figures:
    """Return the figures of all trials by world and arm, seed by seed."""
    found: dict[str, dict[str, dict[str, list[float]]]] = {kind: {} for kind in ("true", "stated", "low", "high")}
    for result in results:
        name, _, seed = result.name.partition("-")[2].rpartition("-")
        if seed.isdigit():
            for key, value in result.figures.items():
                kind, _, arm = key.partition(" ")
                if kind in found:
                    found[kind].setdefault(name, {}).setdefault(arm, []).append(value)
    learnable = {name: WORLDS[name].learnable for name in found["true"]}
    return Figures(found["true"], found["stated"], found["low"], found["high"], learnable)


def _orders(figures: Figures, results: list[Result]) -> Table:
    arms = (*BASELINES, *(learned_arm(share, "whole") for share in SHARES), "REACHABLE")
    lines = [(name, *(percent(figures.share(name, arm)) for arm in arms)) for name in figures.worlds()]
    learnings = [result.figures for result in results if "rows 5%" in result.figures]
    rows, drawn = ([one[name] for one in learnings] for name in ("rows 5%", "randomised 5%"))
    late = [result.figures["accounts"] for result in results if "true ORACLE" in result.figures]
    count = {name: _count(figures, name) for name in figures.worlds()}
    note = (
        f"Full-size lenders have {BOOK:,} accounts each; the command says where these had fewer. "
        f"{_seeds(count)} Late accounts that decide: {min(late):,} to {max(late):,}; "
        f"rows of the whole log: {min(rows):,} to {max(rows):,}, of them randomised at 5 %: {min(drawn):,} to {max(drawn):,}."
    )
    return Table("True money, % of the oracle's, worst world first", ("world", *arms), tuple(lines), note)


def _seeds(count: dict[str, int]) -> str:
    """Say how many seeds each world rests on, one of which has no interval, and which worlds were not run."""
    told = f"Of {len(SEEDS)} seeds: {', '.join(f'{name} {number}' for name, number in count.items())}."
    if len(set(count.values())) == 1:
        told = f"{next(iter(count.values()))} of {len(SEEDS)} seeds for each world."
    missing = [name for name in WORLDS if name not in count]
    return f"{told} Not run: {', '.join(missing)}." if missing else told


def _reached(figures: Figures) -> Table:
    arms = ("AS_SHIPPED", "ASSUMED", *(learned_arm(share, "whole") for share in SHARES))
    worlds = [name for name in figures.worlds() if figures.winnable(name)]
    lines = [(name, *(percent(figures.of_reachable(name, arm)) for arm in arms)) for name in worlds]
    return Table("True money, % of what the columns can reach", ("world", *arms), tuple(lines))


def _rivals(figures: Figures) -> Table:
    arms = [f"{rival} {share:.0%}" for share in ENOUGH for rival in RIVALS]
    worlds = [
        name for name in figures.worlds() if all(len(figures.true[name].get(arm, ())) == _count(figures, name) for arm in arms)
    ]
    lines = [(name, *(percent(figures.share(name, arm)) for arm in arms)) for name in worlds]
    return Table("Rivals on the randomised rows, % of the oracle's", ("world", *arms), tuple(lines))


def _count(figures: Figures, name: str) -> int:
    """Return how many seeds a world rests on."""
    return len(figures.true[name]["ORACLE"])


def _sizes(figures: Figures) -> Table:
    arms = [(share, part) for share in SHARES for part, _ in PARTS]

    def cell(name: str, share: float, part: str) -> str:
        arm = learned_arm(share, part)
        worst: Spread = min((figures.beside(name, arm, other) for other in ("ASSUMED", "BALANCE")), key=lambda value: value.mean)
        return points(worst)

    lines = [(name, *(cell(name, share, part) for share, part in arms)) for name in figures.worlds()]
    header = ("world", *(f"{share:.0%}, {part}" for share, part in arms))
    return Table("Learned less the better of ASSUMED and BALANCE, points of the oracle's money", header, tuple(lines))


def _stated(figures: Figures) -> Table:
    arms = ("AS_SHIPPED", "ASSUMED", *(learned_arm(share, "whole") for share in SHARES))
    lines = []
    for name in figures.worlds():
        if figures.winnable(name):
            found = [figures.stated_over_true(name, arm) for arm in arms]
            lines.append((name, *(ratio(value) for value in found)))
    note = "What a list says that it adds (the stated money of its ranking) over what it truly adds."
    return Table("Stated over true money", ("world", *arms), tuple(lines), note)


def _ranges(figures: Figures) -> Table:
    arms = ("AS_SHIPPED", "ASSUMED", *(learned_arm(share, "whole") for share in SHARES))

    def cell(name: str, arm: str) -> str:
        held, seeds = figures.held(name, arm)
        return f"{held} of {seeds}"

    lines = [(name, *(cell(name, arm) for arm in arms)) for name in figures.worlds()]
    note = (
        "Seeds whose stated range holds the true money: the 95 % interval where effects were observed, otherwise from contact "
        "that does nothing to effects twice as strong as assumed."
    )
    return Table("True money within the stated range", ("world", *arms), tuple(lines), note)


if __name__ == "__main__":
    main(sys.modules[__name__])
