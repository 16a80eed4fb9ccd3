"""Judge contact effects on rows that a holdout drew and that nothing was learned from: Qini, AUUC, and the effect by segment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from collections_opt.core.accounts.portfolio import Portfolio
from collections_opt.core.desk.queues import CapacityPlan
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.evaluation.contact_log import ContactLog, LogSource
from collections_opt.core.evaluation.uplift import UpliftCurve, uplift_curve
from collections_opt.core.limits import MIN_CELL_COUNT
from collections_opt.core.value.effects import ContactEffects, EffectsOf
from collections_opt.core.value.outcomes import CURE, DEFAULT
from collections_opt.core.value.valuation import contacted_probability
from collections_opt.scoring.effect import doubly_robust
from collections_opt.scoring.effect.model import EffectEstimate
from collections_opt.scoring.effect.rows import EffectPeriod, located, persons_of_rows

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class RandomisedRows:
    """Rows of a period that a holdout drew, aligned; queues are the plan's.

    Attributes:
        place: int64 (n,) row of the portfolio.
        log: the rows of the log.
        without: float64 (n, 3) probabilities without contact.
        under: float64 (n, 3) probabilities under contact by the row's queue.
        psi: float64 (n,) unbiased score of each row's change of p_cure.
    """

    place: NDArray[np.int64]
    log: ContactLog
    without: Floats
    under: Floats
    psi: Floats


def randomised_rows(period: EffectPeriod, plan: CapacityPlan, effects: ContactEffects) -> RandomisedRows:
    """Return the randomised rows of a period with what effects on its whole portfolio say of them.

    Raises:
        CollectionsError: NOT_FOUND when the log names a queue that the plan does not have.
    """
    usable, place = located(period.portfolio, period.log)
    drawn = period.log.randomised[usable]
    place, taken = place[drawn], period.log.take(usable[drawn])
    index = np.array([plan.queue_index(queue_id) for queue_id in taken.queue_ids], dtype=np.int16)
    log = replace(taken, queue_ids=tuple(queue.queue_id for queue in plan.queues), queue=index[taken.queue])
    all_accounts = period.outcomes.probability
    without = all_accounts[place]
    under = without.copy()
    everyone = slice(0, period.portfolio.account_count)
    for number in range(len(plan.queues)):
        mine = log.queue == number
        under[mine] = contacted_probability(all_accounts, effects.block(everyone, number, all_accounts))[place[mine]]
    happened = (log.outcome == CURE).astype(np.float64)
    psi = doubly_robust.scores(log.contacted, log.propensity, happened, without[:, CURE], under[:, CURE])
    return RandomisedRows(place, log, without, under, psi)


def contact_orders(rows: RandomisedRows) -> dict[str, Floats]:
    """Return the keys of the orders of contact whose uplift is compared, float64 (n,) each, highest first."""
    without = rows.without
    return {
        "predicted effect": rows.under[:, CURE] - without[:, CURE],
        "p_cure": without[:, CURE],
        "p_default": without[:, DEFAULT],
    }


@dataclass(frozen=True)
class EffectCell:
    """The change of p_cure by contact in one segment.

    Attributes:
        name: of the segment.
        contacted_count: randomised rows that were contacted.
        held_out_count: randomised rows that were not.
        predicted: mean of what the effects say.
        observed: doubly robust, clustered by person; None in small cells.
    """

    name: str
    contacted_count: int
    held_out_count: int
    predicted: float
    observed: EffectEstimate | None


@dataclass(frozen=True)
class EffectEvaluation:
    """How good contact effects are on rows they were not learned from.

    Attributes:
        effects: version.
        rests_on: where the rows come from, a sentence or two.
        simulated: whether any row is of a simulated lender.
        row_count: randomised rows judged on.
        account_count: accounts among them.
        curves: of cures added, by the order of contact.
        cells: all rows, by queue, then by segment.
    """

    effects: str
    rests_on: str
    simulated: bool
    row_count: int
    account_count: int
    curves: Mapping[str, UpliftCurve]
    cells: tuple[EffectCell, ...]


def evaluate_effects(
    periods: Sequence[EffectPeriod],
    plan: CapacityPlan,
    effects_of: EffectsOf,
    segments_of: Callable[[Portfolio], Mapping[str, Mask]],
    sources: Sequence[LogSource],
    seed: int,
) -> EffectEvaluation:
    """Return Qini, AUUC and the effect by segment on the randomised rows of periods.

    Args:
        periods: portfolios with scores without contact and logs; nothing may have been learned from these logs.
        plan: whose queues the logs name.
        effects_of: what is judged.
        segments_of: where the accounts of each segment of a portfolio are.
        sources: of the logs, one per period.
        seed: of the bootstrap.

    Raises:
        CollectionsError: INVALID_ARGUMENT without randomised rows.
    """
    served = [effects_of(period.portfolio, plan) for period in periods]
    parts = [randomised_rows(period, plan, effects) for period, effects in zip(periods, served, strict=True)]
    person = np.concatenate([persons_of_rows(p.portfolio, part.place) for p, part in zip(periods, parts, strict=True)])
    if not person.size:
        remedy = "Judge effects on a log with recorded chances (propensity, queue_propensity)."
        raise refuse(Reason.INVALID_ARGUMENT, "log", "holds no randomised row of these portfolios.", remedy)
    psi = np.concatenate([part.psi for part in parts])
    contacted = np.concatenate([part.log.contacted for part in parts])
    orders = [contact_orders(part) for part in parts]
    keys = {name: np.concatenate([order[name] for order in orders]) for name in orders[0]}
    members = _members(periods, parts, plan, segments_of)
    cells = [_cell(name, rows, psi, contacted, person, keys["predicted effect"]) for name, rows in members.items()]
    return EffectEvaluation(
        effects=", ".join(sorted({effects.version for effects in served})),
        rests_on=_rests_on(periods, sources),
        simulated=any(source.simulated for source in sources),
        row_count=int(psi.size),
        account_count=int(np.unique(np.concatenate([part.log.account_id for part in parts])).size),
        curves={name: uplift_curve(key, psi, person, seed) for name, key in keys.items()},
        cells=tuple(cells),
    )


def _members(
    periods: Sequence[EffectPeriod],
    parts: Sequence[RandomisedRows],
    plan: CapacityPlan,
    segments_of: Callable[[Portfolio], Mapping[str, Mask]],
) -> dict[str, Mask]:
    queue = np.concatenate([part.log.queue for part in parts])
    found = {"all": np.ones(queue.size, dtype=bool)}
    found |= {f"queue {one.queue_id}": queue == index for index, one in enumerate(plan.queues) if (queue == index).any()}
    return found | dict(segments_of(_joined([p.portfolio.take(part.place) for p, part in zip(periods, parts, strict=True)])))


def _joined(portfolios: Sequence[Portfolio]) -> Portfolio:
    """Return the accounts of all months one below the other, without histories: segments are to be the same in every month."""
    first = portfolios[0]
    flat = [name for name, cells in first.columns.items() if cells.ndim == 1]
    return replace(
        first,
        columns={name: np.concatenate([one.column(name) for one in portfolios]) for name in flat},
        present={name: np.concatenate([one.is_present(name) for one in portfolios]) for name in flat},
    )


def _cell(name: str, rows: Mask, psi: Floats, contacted: Mask, person: NDArray[np.bytes_], predicted: Floats) -> EffectCell:
    counts = (int((rows & contacted).sum()), int((rows & ~contacted).sum()))
    enough = min(counts) >= MIN_CELL_COUNT
    observed = doubly_robust.average(psi[rows], person[rows]) if enough else None
    return EffectCell(name, *counts, float(predicted[rows].mean()) if enough else float("nan"), observed)


def _rests_on(periods: Sequence[EffectPeriod], sources: Sequence[LogSource]) -> str:
    told = [
        f"{source.name} ({source.row_count:,} rows after {period.portfolio.as_of_date}, SHA-256 {source.digest})"
        for period, source in zip(periods, sources, strict=True)
    ]
    return "; ".join(told)
