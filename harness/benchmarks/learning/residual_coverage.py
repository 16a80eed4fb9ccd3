"""Whether intervals of effects learned by residuals hold the truth.

In worlds of several kinds, logs of other lenders are drawn again and again; effects are learned from each and served to the
accounts of one more lender, whose truth is known. Held against that truth are the total change of p_cure and of p_default of all
cells that may be worked, their money, the same of the accounts that the ranking chose, and the money as the ranking states it.
Money is that of the model's own values, so that nothing but the effects can be wrong. Logs that teach nothing keep the plan's
effects, which have no interval; they are counted.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict

import numpy as np

from collections_opt.core.value.effects import WeightedCells
from collections_opt.datasets.simulated_lender.worlds import world
from collections_opt.scoring.effect.residual.learning import learn_residuals
from harness.benchmarks.support.keeping import held_case, kept_case
from harness.benchmarks.support.reporting import Report, Table
from harness.benchmarks.support.running import Options, main
from harness.worlds.trial import Grounds, contact_log, decide_in, learn_grounds, ranked

WORLDS = ("segments", "types", "payday", "confounded")
"""Worlds in which columns tell whom contact helps, one of them with a desk that knows more than the columns."""

GROUNDS_SEED, DECIDING_SEED, FIRST_LOG_SEED = 1, 2, 9_000
RANDOMISED = 0.2
NORMAL_95 = 1.959963984540054
PART = 5
"""Logs in one kept case, so that a run that is cut off loses few and has all worlds alike."""

CLAIMS = ("cures of all", "defaults of all", "money of all", "cures of the chosen", "money of the chosen", "money as stated")


def claims(measure, kind: str, first: int, count: int, book: int, deciding: int) -> None:
    """Draw logs of a world, and hold the intervals of what they teach against the truth."""
    place_of = world(kind)
    with measure.stage("learn outcomes"):
        grounds = learn_grounds(place_of, GROUNDS_SEED, 60_000)
        place = decide_in(place_of, DECIDING_SEED, deciding, grounds.parameters)
    found: dict[str, list[float]] = defaultdict(list)
    with measure.stage("learn effects"):
        for seed in range(first, first + count):
            contacts = contact_log(place_of, seed, book, RANDOMISED, grounds)
            model = learn_residuals(contacts, place_of.plan(0.02 * book), "bench", 1).model
            _claim(model, place, grounds, found)
    measure.figures["claims"] = json.dumps({what: [float(f"{one:.6g}") for one in values] for what, values in found.items()})


def _claim(model, place, grounds: Grounds, found: dict[str, list[float]]) -> None:
    known = np.array([model.queue(queue.queue_id) is not None for queue in place.request.plan.queues])
    found["plan stood"].append(float(not known.any()))
    if not known.any():
        return
    effects, made = model.effects_of(place.portfolio, place.request.plan), ranked(place, grounds, model.effects_of)
    everybody = np.nonzero((made.eligibility.blocked_by == 0) & known)
    listed = np.flatnonzero(made.entries.queue >= 0)
    chosen = (listed, made.entries.queue[listed].astype(np.int64))
    chosen = tuple(part[known[chosen[1]]] for part in chosen)
    for whom, cells in (("all", everybody), ("the chosen", chosen)):
        for what, estimate, error, true in _totals(effects, made, place, *cells):
            found[f"{what} of {whom}"] += [estimate, error, true]
    stated, true = made.stated, found["money of the chosen"][-1]
    half = stated.learned_high_minor - stated.learned_minor
    found["money as stated"] += [float(stated.learned_minor), half / NORMAL_95, true]


def _totals(effects, made, place, rows, queue):
    """Yield what is summed, its estimate, its standard error and the truth."""
    chances, worth = made.outcomes.probability, made.worth
    served = np.zeros((rows.size, 2))
    for index in np.unique(queue).tolist():
        change, mine = effects.block(slice(0, chances.shape[0]), index, chances).change, queue == index
        served[mine] = np.column_stack([change.cure, change.default])[rows[mine]]
    true = (place.truth.contacted[rows, queue] - place.truth.alone[rows])[:, :2]
    one, none = np.ones(rows.size), np.zeros(rows.size)
    money = ((worth.cure - worth.stay)[rows], -(worth.stay - worth.default)[rows])
    for what, weights in (("cures", (one, none)), ("defaults", (none, one)), ("money", money)):
        weight = np.column_stack(weights)
        error = effects.total_error(WeightedCells(rows, queue, chances[rows], *weights)).standard_error
        yield what, float((weight * served).sum()), error, float((weight * true).sum())


def bench(options: Options) -> Report:
    """Run the cases."""
    count, book, deciding = (10, 40_000, 20_000) if options.small else (50, 40_000, 20_000)
    book = options.book or book
    results, lines, within = [], [], dict.fromkeys(CLAIMS, (0, 0))
    names = WORLDS[:1] if options.small else WORLDS
    claimed: dict[str, list[dict[str, list[float]]]] = {name: [] for name in names}
    for first in range(FIRST_LOG_SEED, FIRST_LOG_SEED + count, PART):
        for name in names:
            held = {"kind": name, "first": first, "count": PART, "book": book, "deciding": deciding}
            case = ("residual_coverage", f"{name}-{first}-{book}", claims)
            part = held_case(*case, **held) if options.kept else kept_case(*case, options.resume, **held)
            if part is not None:
                results.append(part)
                claimed[name].append(json.loads(part.figures["claims"]))
    for name in names:
        for claim in CLAIMS:
            figures = np.array([x for part in claimed[name] for x in part.get(claim, [])]).reshape(-1, 3)
            inside = int((np.abs(figures[:, 0] - figures[:, 2]) <= NORMAL_95 * figures[:, 1]).sum())
            within[claim] = (within[claim][0] + inside, within[claim][1] + len(figures))
            lines.append((f"{name}, {claim}", *_shown(figures, inside)))
        stood = int(sum(sum(part["plan stood"]) for part in claimed[name]))
        lines.append((f"{name}, logs in which the plan stood", "", str(stood), "", ""))
    header = ("what is summed", "covers", "logs", "estimate / true", "error / true")
    share = {claim: inside / max(number, 1) for claim, (inside, number) in within.items()}
    whole = tuple((claim, f"{share[claim]:.1%}", f"{number:,}", "", "") for claim, (_, number) in within.items())
    tables = [Table("All worlds", header, whole), Table("By world", header, tuple(lines))]
    met = {claim: "met" if 0.93 <= value <= 0.97 else "not met" for claim, value in share.items()}
    told = ", ".join(f"{name} {PART * len(parts)}" for name, parts in claimed.items())
    targets = [f"Logs drawn, of {count} for each world: {told}."]
    targets += [f"Target: intervals of {claim} cover 93 to 97 %: {share[claim]:.1%}, {met[claim]}." for claim in CLAIMS]
    return Report(tables, results, targets)


def _shown(figures, inside: int) -> tuple[str, str, str, str]:
    if not len(figures):
        return "-", "0", "-", "-"
    true = figures[:, 2].mean()
    ratio, error = figures[:, 0].mean() / true, figures[:, 1].mean() / abs(true)
    return f"{inside / len(figures):.1%}", f"{len(figures):,}", f"{ratio:.2f}", f"{error:.2f}"


if __name__ == "__main__":
    main(sys.modules[__name__])
