"""What each order is worth in true money.

On simulated worlds the effect of every contact is known, so an order's true incremental money can be counted: its worklists are
worked in order until each queue's time is really used up, at time for a fifth of the accounts. The oracle knows every account's
true chances, effects, payoffs and minutes, latent traits included, and is solved under the same rules. Models are trained on one
world and decide in three others. EXPERIMENT learns effects from the training world's randomised holdout, OBSERVATIONAL from its
confounded log alone, ASSUMED keeps the plan's. Then the contacts are judged as a lender could judge them, by Qini on the holdout,
and the stated 95 % intervals of average effects and of policy values are held against repeated worlds.
"""

from __future__ import annotations

import sys

import numpy as np

from collections_opt.application.settings import bundled_rules
from collections_opt.core.effects import PlannedEffects
from collections_opt.core.errors import CollectionsError
from collections_opt.core.outcomes import CURE, DEFAULT
from collections_opt.core.uplift import uplift_curve
from collections_opt.datasets.simulated_lender import desk_plan
from collections_opt.scoring import doubly_robust
from collections_opt.scoring.effect_experiment import Experiment, learn_experiment, planned_prior
from collections_opt.scoring.effect_model import EffectModel, QueueEffectModel
from collections_opt.scoring.effect_observational import learn_observational
from collections_opt.scoring.effect_segments import DEFAULT_SEGMENTS, declare_segments
from tests.benchmarks.support.cases import Result, run_case
from tests.benchmarks.support.reporting import Report, Table
from tests.benchmarks.support.running import Options, main
from tests.worlds.coverage import Claims, Setting, claim
from tests.worlds.lab import Trained, arena, confounded_only, money_by_order, train_world

TRAINING_SEED, SEEDS = 1, (101, 102, 103)
MONTHS = (0, 6)
UNSEEN_MONTH = 5


def observational(trained: Trained, segments, plan) -> tuple[list[QueueEffectModel], dict[str, str]]:
    """Return what the confounded log alone teaches, and for every queue its grade or why it was refused."""
    models, grades = [], {}
    for index, queue in enumerate(plan.queues):
        try:
            learned = learn_observational(confounded_only(trained.contacts), plan, index, segments, planned_prior(plan), 1)
        except CollectionsError as error:
            grades[queue.queue_id] = "refused: " + error.violations[0].description
            continue
        models.append(learned)
        grades[queue.queue_id] = f"{learned.evidence}, {learned.cure.value:+.4f} to p_cure"
    return models, grades


def qini(experiment: Experiment) -> dict[str, float]:
    """Return Qini coefficients of the cure by orders of the holdout's rows, predictions cross-fitted."""
    rows, made = experiment.rows, experiment.predictions
    psi = doubly_robust.scores(
        rows.log.contacted,
        rows.log.propensity,
        (rows.log.outcome == CURE).astype(np.float64),
        made.without[:, CURE],
        made.under[:, CURE],
    )
    orders = {
        "predicted effect": (made.under - made.without)[:, CURE],
        "p_cure": made.without[:, CURE],
        "p_default": made.without[:, DEFAULT],
    }
    figures = {}
    for name, order in orders.items():
        curve = uplift_curve(order, psi, rows.log.account_id, 1)
        figures |= {f"qini {name}": curve.qini.value, f"qini low {name}": curve.qini.low, f"qini high {name}": curve.qini.high}
        figures[f"auuc {name}"] = curve.auuc.value
    return figures


def worlds(measure, book: int, unseen: int) -> None:
    """Train, decide in unseen worlds, and count true money as a share of the oracle's."""
    with measure.stage("train"):
        trained = train_world(TRAINING_SEED, book, MONTHS)
        plan = desk_plan(0.02 * book)
        segments = declare_segments(DEFAULT_SEGMENTS, trained.contacts.features)
    with measure.stage("learn effects"):
        experiment = learn_experiment(trained.contacts, plan, segments)
    with measure.stage("learn from the confounded log"):
        chosen, grades = observational(trained, segments, plan)
    effects = {
        "EXPERIMENT": EffectModel("experiment", segments, experiment.queues).effects_of,
        "OBSERVATIONAL": EffectModel("observational", segments, tuple(chosen)).effects_of,
        "ASSUMED": PlannedEffects,
    }
    figures = measure.figures
    figures |= {"account_months": trained.account_months, "distinct_accounts": trained.distinct_accounts}
    figures["randomised_rows"] = experiment.rows.log.row_count
    figures |= {f"grade {queue}": grade for queue, grade in grades.items()}
    for queue in experiment.queues:
        figures[f"learned {queue.queue_id}"] = f"{queue.evidence}" + (
            f", {queue.cure.value:+.4f} ({queue.cure.low:+.4f} to {queue.cure.high:+.4f})" if queue.cure else f": {queue.reason}"
        )
    figures |= qini(experiment)
    for seed in SEEDS:
        with measure.stage(f"decide in world {seed}"):
            place = arena(seed, unseen, UNSEEN_MONTH, bundled_rules(), trained.parameters)
            money = money_by_order(trained, place, effects)
        figures[f"accounts {seed}"] = place.portfolio.account_count
        figures |= {f"share {seed} {name}": value / money["ORACLE"] for name, value in money.items()}
        figures[f"oracle {seed}"] = money["ORACLE"] / 100


def coverage(measure, count: int, book: int) -> None:
    """Draw worlds again and again, and count how often stated intervals hold the truth."""
    with measure.stage("train"):
        trained = train_world(TRAINING_SEED, 5 * book, (0, 4))
        segments = declare_segments(DEFAULT_SEGMENTS, trained.contacts.features)
        prior = learn_experiment(trained.contacts, desk_plan(1_000), segments).prior
    setting = Setting(trained.booster, segments, prior, bundled_rules(), trained.parameters, book)
    claims = Claims()
    with measure.stage("repeat worlds"):
        for seed in range(1_000, 1_000 + count):
            claim(setting, seed, claims)
    shares = claims.coverage()
    measure.figures["worlds"] = count
    for name, (share, number) in shares.items():
        measure.figures |= {f"coverage {name}": share, f"intervals {name}": number}
    together = sum(number for _, number in shares.values())
    measure.figures["intervals"] = together
    measure.figures["coverage"] = sum(share * number for share, number in shares.values()) / together


def bench(options: Options) -> Report:
    """Run both cases."""
    sizes = {"book": 60_000, "unseen": 20_000} if options.small else {"book": 1_050_000, "unseen": 300_000}
    repeats = {"count": 10, "book": 60_000} if options.small else {"count": 200, "book": 120_000}
    money = run_case("worlds", worlds, 1, **sizes)
    covered = run_case("coverage", coverage, 1, **repeats)
    return Report([_money(money), _learned(money), _qini(money), _coverage(covered)], [money, covered], _remarks(money, covered))


def _orders(money: Result) -> list[str]:
    prefix = f"share {SEEDS[0]} "
    names = [name.removeprefix(prefix) for name in money.figures if name.startswith(prefix)]
    return sorted(names, key=lambda name: -np.mean([money.figures[f"share {seed} {name}"] for seed in SEEDS]))


def _money(money: Result) -> Table:
    lines = []
    for name in _orders(money):
        shares = [money.figures[f"share {seed} {name}"] for seed in SEEDS]
        lines.append((name, *(f"{share:.1%}" for share in shares), f"{np.mean(shares):.1%}"))
    figures = money.figures
    accounts = ", ".join(f"{figures[f'accounts {seed}']:,}" for seed in SEEDS)
    oracle = ", ".join(f"{figures[f'oracle {seed}']:,.0f}" for seed in SEEDS)
    note = (
        f"Trained on {figures['account_months']:,} account-months of {figures['distinct_accounts']:,} accounts, "
        f"{figures['randomised_rows']:,} of them randomised. Late accounts of the unseen worlds: {accounts}; the oracle's money: "
        f"{oracle} dollars. Raw orders are routed to queues by learned effects, the most favourable routing for them."
    )
    header = ("order", *(f"world {seed}" for seed in SEEDS), "mean")
    return Table("True incremental money as a share of the oracle's", header, tuple(lines), note)


def _learned(money: Result) -> Table:
    queues = [name.removeprefix("learned ") for name in money.figures if name.startswith("learned ")]
    lines = tuple((queue, money.figures[f"learned {queue}"], money.figures[f"grade {queue}"]) for queue in queues)
    return Table("Change of p_cure by a contact, as learned", ("queue", "from the holdout (95 %)", "confounded log alone"), lines)


def _qini(money: Result) -> Table:
    names = [name.removeprefix("auuc ") for name in money.figures if name.startswith("auuc ")]
    lines = []
    for name in names:
        value, low, high = (money.figures[f"qini {end}{name}"] for end in ("", "low ", "high "))
        lines.append((name, f"{value:.4f} ({low:.4f} to {high:.4f})", f"{money.figures[f'auuc {name}']:.4f}"))
    note = (
        "On the training world's holdout, cross-fitted: cures added per account when the first of an order are contacted first."
    )
    return Table("Who is helped: Qini and AUUC of cures", ("order", "Qini (95 %)", "AUUC"), tuple(lines), note)


def _coverage(covered: Result) -> Table:
    names = [name.removeprefix("coverage ") for name in covered.figures if name.startswith("coverage ")]
    lines = [(name, f"{covered.figures[f'coverage {name}']:.1%}", f"{covered.figures[f'intervals {name}']:,}") for name in names]
    lines.append(("all", f"{covered.figures['coverage']:.1%}", f"{covered.figures['intervals']:,}"))
    return Table("Coverage of stated 95 % intervals over repeated worlds", ("interval", "covers", "intervals"), tuple(lines))


def _remarks(money: Result, covered: Result) -> list[str]:
    def share(name: str) -> list[float]:
        return [money.figures[f"share {seed} EXPECTED_VALUE {name}"] for seed in SEEDS]

    learned, chosen, assumed = share("EXPERIMENT"), share("OBSERVATIONAL"), share("ASSUMED")
    met = "met" if min(learned) >= 0.9 else "not met"
    floor = "met" if all(o >= a for o, a in zip(chosen, assumed, strict=True)) else "not met"
    level = "met" if 0.93 <= covered.figures["coverage"] <= 0.97 else "not met"
    return [
        f"Target: learned effects with expected value reach 90 % of the oracle in every unseen world: {min(learned):.1%}, {met}.",
        f"Target: the confounded log alone does not end below the assumed prior: {np.mean(chosen):.1%} beside "
        f"{np.mean(assumed):.1%} in the mean, {floor} in every world.",
        f"Target: stated 95 % intervals cover 93 to 97 % over {covered.figures['worlds']} worlds: "
        f"{covered.figures['coverage']:.1%}, {level}.",
    ]


if __name__ == "__main__":
    main(sys.modules[__name__])
