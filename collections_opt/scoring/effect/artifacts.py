"""Effect models on disk and as text, as ``text_artifacts``: shifts of log-odds by segments, or changes learned by residuals."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pydantic import TypeAdapter

from collections_opt.core.accounts.features import FEATURE_NAMES, FEATURE_SET_VERSION
from collections_opt.core.accounts.own_features import OwnFeature, indicator_names
from collections_opt.core.accounts.protected import check_no_protected
from collections_opt.core.desk.queues import EvidenceGrade
from collections_opt.core.errors import Reason, refuse
from collections_opt.core.models.lifecycle import ModelKind
from collections_opt.scoring.effect.model import EffectModel, QueueEffectModel
from collections_opt.scoring.effect.residual.card import residual_card
from collections_opt.scoring.effect.residual.model import ResidualModel
from collections_opt.scoring.effect.residual.text import MODEL_FILE, RESIDUAL_ENGINE, parse_residual, residual_text
from collections_opt.scoring.versions.text_artifacts import TextFormat, read_model

EFFECT_KIND = ModelKind.EFFECT
EFFECT_ENGINE = "log-odds-shift"

AnyEffectModel = EffectModel | ResidualModel
"""What ``effects_of`` serves from."""


def engine_of(model: AnyEffectModel) -> str:
    """Return the engine that a manifest names for a model."""
    return RESIDUAL_ENGINE if isinstance(model, ResidualModel) else EFFECT_ENGINE


def effect_text(model: AnyEffectModel) -> str:
    """Return an effect model as sorted JSON.

    Raises:
        CollectionsError: INVALID_ARGUMENT for protected segments.
    """
    if isinstance(model, ResidualModel):
        return residual_text(model)
    check_no_protected(model.segments.names, "segments")
    return json.dumps(TypeAdapter(EffectModel).dump_python(model, mode="json"), indent=1, sort_keys=True) + "\n"


def parse_effect(text: str) -> AnyEffectModel:
    """Return the effect model of its JSON; a kept text names no engine, and only one kind has a basis.

    Raises:
        CollectionsError: MODEL_UNAVAILABLE when it is not one; INVALID_ARGUMENT when a segment or column is protected.
    """
    return parse_residual(text) if _has_basis(text) else _parse_segments(text)


def _has_basis(text: str) -> bool:
    try:
        held = json.loads(text)
    except ValueError:
        return False
    return isinstance(held, dict) and "basis" in held


def _parse_segments(text: str) -> EffectModel:
    model = read_model(EffectModel, text, MODEL_FILE, "an effect model")
    check_no_protected(model.segments.names, "segments")
    columns = 1 + len(model.segments.names)
    for queue in model.queues:
        sizes = {len(part) for part in (queue.rate, queue.theta_cure, queue.theta_default)}
        if queue.evidence is not EvidenceGrade.ASSUMED and (sizes != {columns} or len(queue.covariance) != 2 * columns):
            raise refuse(Reason.MODEL_UNAVAILABLE, MODEL_FILE, f"{queue.queue_id} has other segments.", "Restore the version.")
    return model


def effect_feature_names(own: Sequence[OwnFeature] = ()) -> tuple[str, ...]:
    """Return the names of what effects read, own columns that they learned from last."""
    return (*FEATURE_NAMES, *indicator_names(own))


EFFECTS = TextFormat(
    kind=ModelKind.EFFECT,
    feature_set_version=FEATURE_SET_VERSION,
    feature_names=effect_feature_names,
    engine_of=engine_of,
    text_of=effect_text,
    parse=parse_effect,
)
write_effect, load_effect = EFFECTS.write, EFFECTS.load


def effect_card(model: AnyEffectModel, source: str) -> str:
    """Return the model card: what each queue's effect rests on, with intervals."""
    if isinstance(model, ResidualModel):
        return residual_card(model, source)
    lines = [
        f"# Effect model {model.version}",
        "",
        f"Learned from {source}. Shifts of log-odds given a right-party contact, on {', '.join(model.segments.names)}.",
        "",
        "| queue | evidence | contacted | held out | change of p_cure (95 %) | change of p_default (95 %) | why |",
        "|---|---|---:|---:|---|---|---|",
    ]
    lines += [_card_line(queue) for queue in model.queues]
    lines += [
        "",
        "ASSUMED queues keep the capacity plan's effect. OBSERVATIONAL effects may be biased by what no column records.",
        "Average changes are cross-fitted and doubly robust; intervals are clustered by account.",
        "",
    ]
    return "\n".join(lines)


def _card_line(queue: QueueEffectModel) -> str:
    def shown(name: str) -> str:
        estimate = queue.cure if name == "cure" else queue.default
        return f"{estimate.value:+.4f} ({estimate.low:+.4f} to {estimate.high:+.4f})" if estimate else "-"

    return (
        f"| {queue.queue_id} | {queue.evidence} | {queue.contacted_count:,} | {queue.held_out_count:,} | {shown('cure')} | "
        f"{shown('default')} | {queue.reason} |"
    )
