"""Effects learned by residuals as text, and what a text must hold to be served."""

from __future__ import annotations

import json
from itertools import chain

import numpy as np
from pydantic import TypeAdapter, ValidationError

from collections_opt.core.accounts.protected import check_no_protected
from collections_opt.core.errors import CollectionsError, Reason, refuse
from collections_opt.scoring.effect.residual.basis import column_names
from collections_opt.scoring.effect.residual.model import NAMES, ResidualModel, Rows

RESIDUAL_ENGINE = "linear-residuals"
MODEL_FILE = "effect.json"


def residual_text(model: ResidualModel) -> str:
    """Return a model as JSON, sorted, without spaces: most of it is a covariance."""
    held = TypeAdapter(ResidualModel).dump_python(model, mode="json")
    for name, older in (("money", None), ("weighs_every_queue", False)):  # models made without them keep their bytes
        if held[name] == older:
            held.pop(name)
    if not model.own:
        held["basis"].pop("own")
    return json.dumps(held, separators=(",", ":"), sort_keys=True) + "\n"


def parse_residual(text: str) -> ResidualModel:
    """Return the model of its JSON.

    Raises:
        CollectionsError: MODEL_UNAVAILABLE when it is not one, or its columns are not those that this code builds;
            INVALID_ARGUMENT when a column is protected.
    """
    try:
        model = TypeAdapter(ResidualModel).validate_json(text, strict=True)
    except ValidationError as error:
        raise _broken(f"is not an effect model: {error.errors()[0]['msg']}.") from error
    check_no_protected(model.basis.names, "basis")
    _check_basis(model)
    _check_coefficients(model)
    for name, rows in _numbers(model):
        if not np.isfinite(np.array([*chain.from_iterable(rows)], dtype=np.float64)).all():
            raise _broken(f"{name} holds a number that is not finite.")
    return model


def _check_basis(model: ResidualModel) -> None:
    basis = model.basis
    if basis.names != column_names(basis.products, basis.own):
        raise _broken("has other columns than this code builds.")
    if {len(basis.centre), len(basis.scale)} != {len(basis.names)} or min(basis.scale) <= 0:
        raise _broken("has a scaling that does not fit its columns.")


def _check_coefficients(model: ResidualModel) -> None:
    if tuple(outcome.name for outcome in model.outcomes) != NAMES:
        raise _broken(f"holds other outcomes than {', '.join(NAMES)}.")
    if min(outcome.kept for outcome in model.outcomes) <= 0:
        raise _broken("keeps nothing of an effect.")
    places = [queue.place for queue in model.queues if queue.place is not None]
    if sorted(places) != list(range(len(places))):
        raise _broken("names a queue's coefficients twice, or none.")
    shape = (1 + len(places), len(model.basis.names))
    every = [outcome.coefficients for outcome in model.outcomes]
    every += [rows for fold in model.folds for pair in (fold.choosing, fold.summing) for rows in pair]
    if any(_shape(rows) != shape for rows in every):
        raise _broken("has coefficients that do not fit its columns.")
    served = any(model.queue(queue.queue_id) for queue in model.queues)
    size = len(NAMES) * (1 + shape[0] * shape[1]) if served else len(model.covariance)
    if [len(line) for line in model.covariance] != [*range(1, size + 1)]:
        raise _broken("has a covariance that does not fit its coefficients.")


def _shape(rows: Rows) -> tuple[int, int]:
    widths = {len(line) for line in rows}
    return len(rows), widths.pop() if len(widths) == 1 else -1


def _numbers(model: ResidualModel) -> list[tuple[str, Rows]]:
    found = [("basis", (model.basis.centre, model.basis.scale)), ("covariance", model.covariance)]
    for outcome in model.outcomes:
        level = outcome.level
        figures = (level.estimate, level.standard_error, level.unweighted, level.encompassing_z)
        weights = tuple((one.served, one.estimate, one.standard_error) for one in level.weights)
        scalars = (outcome.penalty or 0.0, outcome.drawn_penalty or 0.0, outcome.kept)
        found.append((outcome.name, (*outcome.coefficients, figures, scalars, *weights)))
    found += [("folds", rows) for fold in model.folds for pair in (fold.choosing, fold.summing) for rows in pair]
    if model.money is not None:
        found.append(("money", ((model.money.cure, model.money.default), *model.money.covariance)))
    for queue in model.queues:
        planned = queue.planned
        theta = (planned.right_party_contact_rate, planned.theta_cure, planned.theta_default, planned.repeat_decay)
        found.append((queue.queue_id, (theta,)))
    return found


def _broken(problem: str) -> CollectionsError:
    return refuse(Reason.MODEL_UNAVAILABLE, MODEL_FILE, problem, "Restore the version.")
