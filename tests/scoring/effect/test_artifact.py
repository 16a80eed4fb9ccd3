"""Effects learned by residuals on disk: what is written is what is read, and what does not fit together is not served."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from collections_opt.core.accounts.features import FEATURE_NAMES, FEATURE_SET_VERSION
from collections_opt.core.desk.queues import EvidenceGrade
from collections_opt.core.errors import CollectionsError
from collections_opt.scoring.effect.artifacts import (
    EFFECT_ENGINE,
    EFFECT_KIND,
    effect_card,
    effect_text,
    engine_of,
    load_effect,
    parse_effect,
    write_effect,
)
from collections_opt.scoring.effect.residual.basis import column_names
from collections_opt.scoring.versions.artifacts import Manifest
from tests.support.models.residuals import residual_model

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC).isoformat()


def write(folder, model, engine=None):
    engine = engine or engine_of(model)
    manifest = Manifest(EFFECT_KIND, model.version, FEATURE_SET_VERSION, FEATURE_NAMES, "", {}, {}, {}, NOW, engine)
    return write_effect(folder, manifest, model, effect_card(model, "a test"))


def test_what_is_written_is_what_is_read(tmp_path):
    model = residual_model()
    folder = write(tmp_path, model)
    kept = load_effect(tmp_path, "residual-1")
    assert kept.model == model
    assert "| 0.90 (measured 0.90, error 0.20) | 0.00 | 1.00 (0.80 to 1.20) | +2.5 |" in kept.card
    assert "| default | infinite: nothing learned |" in kept.card
    assert "| early-calls | EXPERIMENT | randomised | 2,000 | 3,000 | 900 | 97% |" in kept.card
    path = folder / "effect.json"
    path.write_text(path.read_text().replace("0.05", "0.06", 1))
    with pytest.raises(CollectionsError, match=r"effect\.json"):
        load_effect(tmp_path, "residual-1")


def test_a_manifest_of_another_method_is_refused(tmp_path):
    write(tmp_path, residual_model(), EFFECT_ENGINE)
    with pytest.raises(CollectionsError, match="is no model of log-odds-shift"):
        load_effect(tmp_path, "residual-1")


def broken():
    model = residual_model()
    cure = model.outcomes[0]
    first = model.queues[0]
    basis = model.basis
    return {
        "other columns": replace(model, basis=replace(basis, names=("odd", *basis.names[1:]))),
        "columns than this": replace(model, basis=replace(basis, products=())),
        "scaling": replace(model, basis=replace(basis, scale=(0.0, *basis.scale[1:]))),
        "scaling that": replace(model, basis=replace(basis, centre=basis.centre[1:])),
        "keeps nothing": replace(model, outcomes=(replace(cure, kept=0.0), model.outcomes[1])),
        "other outcomes": replace(model, outcomes=model.outcomes[::-1]),
        "coefficients that do not fit": replace(
            model, outcomes=(replace(cure, coefficients=cure.coefficients[:1]), model.outcomes[1])
        ),
        "queue's coefficients twice": replace(model, queues=(first, replace(first, queue_id="other"))),
        "covariance that does not fit": replace(model, covariance=model.covariance[:-1]),
        "not finite": replace(
            model, outcomes=(replace(cure, level=replace(cure.level, estimate=float("inf"))), model.outcomes[1])
        ),
    }


@pytest.mark.parametrize("said", list(broken()))
def test_what_does_not_fit_together_is_not_served(said):
    with pytest.raises(CollectionsError, match=said):
        parse_effect(effect_text(broken()[said]))


def test_a_protected_column_is_refused():
    model = residual_model()
    names = (*model.basis.names[:-1], "age")
    with pytest.raises(CollectionsError, match="protected"):
        parse_effect(effect_text(replace(model, basis=replace(model.basis, names=names))))
    with pytest.raises(CollectionsError, match="not an effect model"):
        parse_effect('{"basis": 1}')


def test_a_model_that_learned_nothing_needs_no_covariance():
    model = residual_model(evidence=EvidenceGrade.ASSUMED)
    bare = replace(model, covariance=(), folds=())
    assert parse_effect(effect_text(bare)) == bare
    assert bare.queue("early-calls") is None
    assert column_names(())[0] == "intercept"
