"""Two plans that share the work, held against the truth: is anybody worked by both, and do the intervals hold the effect?

In each run the salt of an experiment draws people, each plan works the first of its own people by its own order, with minutes in
proportion, and everybody is compared, worked or not. The truth is what the challenger's order brings over the other's with all
people and all minutes. Faults are planted that the coverage must show.

Example:
    python -m harness.experiments.two_plans --seed 301
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collections_opt.application.settings import bundled_parameters, bundled_rules
from collections_opt.core.accounts.admission import admit
from collections_opt.core.experiments.arms import held_out, person_keys
from collections_opt.core.experiments.design import ArmKind, Scope
from collections_opt.core.experiments.reading import ArmMoments, contrast
from collections_opt.core.experiments.recorded import RunningExperiments
from collections_opt.core.problem.assignment import UNASSIGNED
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.core.ranking.pipeline import RankingRequest, rank
from collections_opt.solvers import SOLVERS, solve_in_order
from harness.experiments.leases import book, score
from tests.support.experiments.trials import design
from tests.support.factories import plan, queue

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

PEOPLE, SHARE, WORKED = 12_000, 0.4, 0.2
"""People of a run, the challenger's share of them, and the share of people whom either plan's minutes reach."""

AS_READ = "everybody compared, at equal prediction"
PLANTS = (
    "planted: worked people alone compared",
    "planted: each arm predicted by its own plan's model",
    "planted: everybody worked by both plans",
)


@dataclass(frozen=True)
class Lived:
    """People of a world: float64 (n,) each: what they pay alone and when contacted, and what is predicted without contact;
    ``by_money`` and ``by_gain`` order them for the plan as it is and for the challenger's."""

    alone: Floats
    contacted: Floats
    prediction: Floats
    by_money: Floats
    by_gain: Floats


def lived(generator: np.random.Generator, people: int) -> Lived:
    """Draw people: few pay, amounts have a heavy tail, and contact moves those in the middle most."""
    ability = generator.normal(0.0, 1.0, people)
    amount = np.exp(generator.normal(9.5, 0.6, people) + 0.3 * ability)
    lift = 2.5 * np.exp(-(ability**2))
    luck = generator.random(people)
    chance = [1.0 / (1.0 + np.exp(0.8 - ability - each)) for each in (0.0, lift)]
    expected = np.exp(9.5 + 0.18 + 0.3 * ability)
    blur = np.exp(generator.normal(0.0, 0.3, (2, people)))
    balance = np.exp(generator.normal(9.5, 0.8, people) + 0.3 * ability)
    alone, contacted = (np.where(luck < each, amount, 0.0) for each in chance)
    return Lived(alone, contacted, expected * chance[0] * blur[0], balance, expected * (chance[1] - chance[0]) * blur[1])


def first_of(key: Floats, mine: Mask, share: float) -> Mask:
    """Return the first by a key among some people, bool (n,): a share of them, as minutes in proportion reach."""
    order = np.argsort(np.where(mine, -key, np.inf), kind="stable")
    worked = np.zeros(key.size, dtype=bool)
    worked[order[: int(share * mine.sum())]] = True
    return worked


def true_difference(generator: np.random.Generator, people: int = 2_000_000) -> float:
    """Return what the challenger brings over the plan as it is per person in cents, with all people and all minutes."""
    world, everyone = lived(generator, people), np.ones(people, dtype=bool)
    paid = [
        np.where(first_of(key, everyone, WORKED), world.contacted, world.alone).mean() for key in (world.by_gain, world.by_money)
    ]
    return float(paid[0] - paid[1])


def intervals(world: Lived, challenger: Mask, planted: str = "") -> tuple[float, float, float, float]:
    """Return the fixed and the anytime-valid interval of a run, with a fault in its place or none."""
    mine = first_of(world.by_gain, challenger, WORKED), first_of(world.by_money, ~challenger, WORKED)
    worked = mine[0] | mine[1]
    prediction, compared = world.prediction, np.ones(challenger.size, dtype=bool)
    if planted == PLANTS[0]:
        compared = worked
    elif planted == PLANTS[1]:
        prediction = prediction * np.where(challenger, 1.5, 1.0)
    elif planted == PLANTS[2]:
        everyone = np.ones(challenger.size, dtype=bool)
        worked = first_of(world.by_gain, everyone, WORKED) | first_of(world.by_money, everyone, WORKED)
    cash = np.where(worked, world.contacted, world.alone)
    middle = prediction[compared].mean()
    arms = (challenger & compared, ~challenger & compared)
    found = contrast(*(ArmMoments.of(prediction[arm] - middle, cash[arm]) for arm in arms))
    fixed, anytime = found.fixed(), found.anytime(challenger.size)
    return float(fixed[0]), float(fixed[1]), float(anytime[0]), float(anytime[1])


def coverage(seed: int, runs: int, people: int = PEOPLE) -> tuple[float, dict[str, tuple[float, float, float]]]:
    """Return the true difference, and by way of reading: the shares of runs whose fixed and anytime-valid intervals hold it, and
    of those whose fixed interval lies on the right side of zero."""
    generator = np.random.default_rng(seed)
    truth, persons = true_difference(generator), np.array([f"customer/{i}" for i in range(people)], dtype=np.bytes_)
    found: dict[str, list[tuple[bool, bool, bool]]] = {name: [] for name in (AS_READ, *PLANTS)}
    for _ in range(runs):
        world, salt = lived(generator, people), generator.bytes(16).hex()
        challenger = held_out(salt, round(SHARE * 1e9), persons)
        for name, held in found.items():
            low, high, lowest, highest = intervals(world, challenger, name)
            held.append((low <= truth <= high, lowest <= truth <= highest, low > 0))
    return truth, {name: tuple(float(each) for each in np.mean(held, axis=0)) for name, held in found.items()}  # type: ignore[misc]


@dataclass
class Shared:
    """What two plans leased: leases, people leased by both on any days, people of neither, and people who changed plans."""

    leases: int = 0
    by_both: int = 0
    by_neither: int = 0
    moved: int = 0


def shared_days(people: int, wanted: int, share: float = 0.3, most_days: int = 60) -> Shared:
    """Rank day after day by two plans, by expected value and by balance, and lease every worklist whole."""
    made = design(
        share, days=most_days, arm=ArmKind.TWO_PLANS, scope=Scope(("book",)), plan_id="as-it-is", challenger_plan_id="challenger"
    )
    generator, shared = np.random.default_rng(19), Shared()
    leased: dict[str, set[bytes]] = {"as-it-is": set(), "challenger": set()}
    known: dict[bytes, bool] = {}
    orders = {"as-it-is": Ordering.BALANCE, "challenger": Ordering.EXPECTED_VALUE}
    for day in range(most_days):
        portfolio = admit(book(generator, people, day)).portfolio
        keys = person_keys(portfolio)
        held = []
        for name, ordering in orders.items():
            desk = plan(queue("calls", agents=people / 24), queue("letters", agents=people / 60, talk_minutes=1.0))
            running = RunningExperiments("book", (made,), name)
            request = RankingRequest(desk, bundled_rules(), bundled_parameters(), ordering, experiments=running)
            entries = rank(portfolio, request, score, SOLVERS["greedy"], solve_in_order=solve_in_order).entries
            worked = entries.queue != UNASSIGNED
            shared.leases += int(worked.sum())
            leased[name] |= set(keys[worked].tolist())
            held.append(~entries.kept_out)
        shared.by_neither += int((~(held[0] ^ held[1])).sum())
        for key, challenger in zip(keys.tolist(), held[1].tolist(), strict=True):
            shared.moved += known.setdefault(key, challenger) != challenger
        if shared.leases >= wanted:
            break
    shared.by_both = len(leased["as-it-is"] & leased["challenger"])
    return shared


def main() -> None:
    """Run the program."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seed", type=int, default=301)
    asked.add_argument("--runs", type=int, default=1_000)
    asked.add_argument("--leases", type=int, default=40_000)
    given = asked.parse_args()
    truth, found = coverage(given.seed, given.runs)
    chance = 1.96 * float(np.sqrt(0.05 * 0.95 / given.runs))
    print(f"seed {given.seed}: {given.runs:,} runs of {PEOPLE:,} people, {SHARE:.0%} of them the challenger's")
    print(f"true difference {truth / 100:.2f} USD per person; 95 % is within {chance:.1%} by chance")
    for name, (fixed, anytime, decided) in found.items():
        print(f"{name}: fixed holds it in {fixed:.1%}, anytime-valid in {anytime:.1%}, called better in {decided:.1%}")
    shared = shared_days(6_000, given.leases)
    print(
        f"{shared.leases:,} leases of two plans: {shared.by_both} people leased by both, {shared.by_neither} in both or neither, "
        f"{shared.moved} changed plans"
    )


if __name__ == "__main__":
    main()
