"""Models: which versions there are, which one decides, who approved it, how well calibrated it is, challengers, experiments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from collections_opt.api.v1.experiment_service_pb2 import ListExperimentsRequest
from collections_opt.api.v1.model_service_pb2 import GetModelRequest, Model
from collections_opt.api.v1.monitor_service_pb2 import (
    MONITOR_DIMENSION_ALL,
    MONITORED_OUTCOME_CURE,
    MONITORED_OUTCOME_DEFAULT,
    MonitorCell,
)
from collections_opt.client.listings import all_models, pages
from collections_opt.client.outcomes import get_monitors, list_maturities
from collections_opt.client.rankings import ranking_in_force
from collections_opt.console.pages import Content, Page, Part
from collections_opt.console.views.call import Call
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.models.lifecycle import ModelKind

KINDS = tuple(kind.value for kind in ModelKind)
MAX_SHOWN_MATURITIES = 20
MAX_SHOWN_MONITORS = 12


@dataclass(frozen=True)
class Calibration:
    """How well one outcome's probabilities are calibrated, out of time.

    Attributes:
        name: the outcome.
        slope: of the recalibration line; 1 is right.
        interval: its 95 % interval; None where none was kept.
        error: expected calibration error.
        perfect: what sampling alone gives a perfect model; None where it was not kept.
    """

    name: str
    slope: float
    interval: tuple[float, float] | None
    error: float
    perfect: float | None

    @property
    def outside(self) -> bool:
        """Whether the interval of the slope leaves 1 out."""
        return self.interval is not None and not self.interval[0] <= 1.0 <= self.interval[1]

    @property
    def excess(self) -> float:
        """Calibration error beyond what sampling alone gives; the worst class has the most."""
        return self.error - (self.perfect or 0.0)


def models(call: Call) -> Page:
    """Return the versions of every kind; of one, its card."""
    kind, version = call.said("kind"), call.said("version")
    if kind:
        return Page("/models", "Models", [Part("models/card.html", lambda: _card(call, kind, version))])
    parts = [
        Part("models/decides.html", lambda: _decides(call)),
        Part("models/monitors.html", lambda: _monitors(call)),
        Part("models/versions.html", lambda: _versions(call)),
        Part("models/challengers.html", lambda: _challengers(call)),
        Part("models/outcomes.html", lambda: _outcomes(call)),
        Part("models/experiments.html", lambda: _experiments(call)),
    ]
    return Page("/models", "Models", parts)


def _versions(call: Call) -> Content:
    found = {kind: list(all_models(call.client, kind)) for kind in KINDS}
    champion = _champion(found["outcome"])
    return {
        "kinds": {kind: versions for kind, versions in found.items() if versions},
        "classes": calibrations(champion) if champion else [],
    }


def _champion(models: Iterable[Model]) -> Model | None:
    return next((one for one in models if one.role == 1), None)


def _decides(call: Call) -> Content:
    champion = _champion(all_models(call.client, "outcome"))
    classes = calibrations(champion) if champion else []
    return {
        "champion": champion,
        "first": _first_sentence(call, champion),
        "outside": [one for one in classes if one.outside],
    }


def calibrations(model: Model) -> Sequence[Calibration]:
    """Return how well each outcome is calibrated, the worst first."""
    metrics, intervals = model.metrics, model.metric_intervals
    names = [name.removesuffix("_slope") for name in metrics if name.endswith("_slope")]
    found = [
        Calibration(
            name,
            metrics[f"{name}_slope"],
            (intervals[f"{name}_slope"].low, intervals[f"{name}_slope"].high) if f"{name}_slope" in intervals else None,
            metrics.get(f"{name}_ece", 0.0),
            metrics.get(f"{name}_ece_if_perfect", None),
        )
        for name in names
    ]
    return sorted(found, key=lambda one: (not one.outside, -one.excess))


def _first_sentence(call: Call, champion: Model | None) -> str:
    if champion is None:
        return ""
    card = call.client.models.GetModel(GetModelRequest(kind=champion.kind, version=champion.version)).model.card
    return next((line.strip() for line in card.splitlines() if line.strip() and not line.startswith("#")), "")


def _card(call: Call, kind: str, version: str) -> Content:
    return {"model": call.client.models.GetModel(GetModelRequest(kind=kind, version=version)).model}


def _challengers(call: Call) -> Content:
    try:
        ranking = ranking_in_force(call.client, call.said("desk"))
    except CollectionsError as error:
        if error.reason not in (Reason.NOT_FOUND, Reason.INVALID_ARGUMENT):
            raise
        return {"ranking": None, "shadow": []}
    return {"ranking": ranking, "shadow": ranking.model_use.shadow}


def _monitors(call: Call) -> Content:
    """Return what was predicted against what happened, newest first, and each alarm with who must act."""
    newest = list(get_monitors(call.client))[-MAX_SHOWN_MONITORS:][::-1]
    lines = [
        (one, cell)
        for outcome in (MONITORED_OUTCOME_DEFAULT, MONITORED_OUTCOME_CURE)
        for one in newest
        for cell in one.cells
        if _whole(cell) and cell.outcome == outcome
    ]
    alarms = [(one, cell) for one in newest for cell in one.cells if cell.alarm]
    named = {one.model_version for one, _ in alarms}
    models = {f"{each.kind}/{each.version}": each for kind in KINDS for each in all_models(call.client, kind)} if named else {}
    return {"lines": lines, "alarms": alarms, "models": models, "most": MAX_SHOWN_MONITORS}


def _whole(cell: MonitorCell) -> bool:
    return bool(cell.dimension == MONITOR_DIMENSION_ALL)


def _outcomes(call: Call) -> Content:
    newest = list(list_maturities(call.client))[-MAX_SHOWN_MATURITIES:][::-1]
    return {"maturities": newest, "most": MAX_SHOWN_MATURITIES}


def _experiments(call: Call) -> Content:
    request = ListExperimentsRequest
    listed = pages(
        lambda token: call.client.experiments.ListExperiments(request(page_token=token)), lambda page: page.experiments
    )
    return {"experiments": list(listed)}
