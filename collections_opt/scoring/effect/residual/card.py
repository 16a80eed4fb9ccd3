"""The card of effects learned by residuals: how far the desk's habits mislead, whether learning added anything, what is known."""

from __future__ import annotations

from collections_opt.core.value.effects import MoneyScale
from collections_opt.scoring.effect.model import EffectEstimate
from collections_opt.scoring.effect.residual.level import NORMAL_95, Weight
from collections_opt.scoring.effect.residual.model import LearnedOutcome, LearnedQueue, ResidualModel

LEVEL_COLUMNS = (
    "outcome",
    "penalty, all rows",
    "penalty, randomised rows",
    "weight of the plan",
    "of all rows",
    "of randomised rows",
    "level k (95 %)",
    "z of all rows",
)
QUEUE_COLUMNS = (
    "queue",
    "evidence",
    "why",
    "contacted",
    "not contacted",
    "randomised",
    "overlap",
    "change of p_cure",
    "change of p_default",
)


def level_cells(outcome: LearnedOutcome) -> list[str]:
    """Return an outcome's line of the levels, in the order of ``LEVEL_COLUMNS``."""
    level = outcome.level
    low, high = level.interval
    measured = level.standard_error > 0
    return [
        outcome.name,
        *(_penalty(value) for value in (outcome.penalty, outcome.drawn_penalty)),
        *(_weight(weight) for weight in level.weights),
        f"{level.estimate:.2f} ({low:.2f} to {high:.2f})" if measured else "not measured",
        f"{level.encompassing_z:+.1f}" if measured and outcome.penalty is not None else "-",
    ]


def _penalty(value: float | None) -> str:
    return "infinite: nothing learned" if value is None else f"{value:g}"


def _weight(weight: Weight) -> str:
    measured = f" (measured {weight.estimate:.2f}, error {weight.standard_error:.2f})" if weight.standard_error > 0 else ""
    return f"{weight.served:.2f}{measured}"


def queue_cells(queue: LearnedQueue) -> list[str]:
    """Return a queue's line, in the order of ``QUEUE_COLUMNS``."""
    return [
        queue.queue_id,
        queue.evidence.value,
        queue.reason,
        f"{queue.contacted_count:,}",
        f"{queue.uncontacted_count:,}",
        f"{queue.randomised_count:,}",
        f"{queue.overlap:.0%}",
        average_shown(queue.cure),
        average_shown(queue.default),
    ]


def average_shown(estimate: EffectEstimate | None) -> str:
    """Return an average change with its 95 % interval."""
    return f"{estimate.value:+.4f} ({estimate.low:+.4f} to {estimate.high:+.4f})" if estimate else "-"


def money_sentence(model: ResidualModel) -> str:
    """Return how much of the promised money was found on people drawn at random."""
    if model.money is None:
        return "Money scales: not measured."
    told = ", ".join(f"{name} {_scale(scale)}" for name, scale in model.money.named.items())
    return f"Money scales k: {told}: what drawn people leave of the money that effects promise; they correct what rankings state."


def _scale(scale: MoneyScale) -> str:
    half = NORMAL_95 * scale.standard_error
    return f"{scale.estimate:.2f} (95 %: {scale.estimate - half:.2f} to {scale.estimate + half:.2f})"


def _own_lines(model: ResidualModel) -> list[str]:
    told = "; ".join(f"{one.field}: {one.meaning}" for one in model.own)
    return [f"Own columns it learned from, without which it does not serve: {told}", ""] if told else []


def residual_card(model: ResidualModel, source: str) -> str:
    """Return the model card."""
    lines = [
        f"# Effect model {model.version}",
        "",
        f"Learned by residuals from {source}, {model.randomised_count:,} of them randomised. Changes of probabilities by being",
        f"worked, on {', '.join(model.basis.names[1:])}.",
        "",
        *(f"**{warning}**" for warning in model.warnings),
        *([""] if model.warnings else []),
        *_table(LEVEL_COLUMNS, [level_cells(outcome) for outcome in model.outcomes]),
        "",
        *_table(QUEUE_COLUMNS, [queue_cells(queue) for queue in model.queues]),
        "",
        money_sentence(model),
        "",
        *_own_lines(model),
        "- The shape of effects comes from all rows, and once more from the randomised rows alone. Each is shrunk to the plan:",
        "  its penalty is the largest whose cross-fitted loss is as good as the least.",
        "- The weights come from the randomised rows alone, shrunk by their errors to 1 for the plan (of both outcomes nearly",
        "  alike) and 0 for what was learned, which is served where its weight is one error above 0: few rows serve the plan.",
        "- The level k is the scale of what is served on the randomised rows: not above 0 by two errors it is unproven.",
        "- z says whether what all rows say adds to the plan on the randomised rows: above 2 it does, below -2 it harms.",
        "- Overlap is the share of the desk's rows whose chance of contact lies between 5 and 95 %.",
        "- Average changes are doubly robust, on each queue's randomised rows, clustered by person.",
        "- ASSUMED queues have the capacity plan's effect at its weight. OBSERVATIONAL effects are not proven.",
        "",
    ]
    return "\n".join(lines)


def _table(header: tuple[str, ...], lines: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}", *(f"| {' | '.join(cells)} |" for cells in lines)]
