"""Versions on disk: the same model again keeps its manifest, another under its name is refused."""

from dataclasses import replace

import pytest

from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.scoring.versions.artifacts import Manifest, write_version
from collections_opt.scoring.versions.text_artifacts import CARD_FILE

MANIFEST = Manifest(
    kind="effect",
    version="calls-1",
    created_at="2026-01-01T00:00:00+00:00",
    feature_set_version="1",
    feature_names=("a", "b"),
    metrics={"auc": 0.75, "rows": 100.0},
    training={"seed": 1, "losses": {"identity": 0.660627604}},
    calibration_version="",
    files={},
    engine="effects",
)


def write_text(root, manifest, text, card):
    return write_version(root, manifest, {f"{manifest.kind}.json": text, CARD_FILE: card})


@pytest.fixture
def folder(tmp_path):
    return write_text(tmp_path, MANIFEST, "{}", "card")


def test_figures_that_another_processor_rounds_otherwise_are_the_same_version(tmp_path, folder):
    before = (folder / "manifest.json").read_bytes()
    elsewhere = replace(MANIFEST, training={"seed": 1, "losses": {"identity": 0.660627628}})
    (folder / "CARD.md").unlink()  # a lost file is written again
    assert write_text(tmp_path, elsewhere, "{}", "card") == folder
    assert (folder / "manifest.json").read_bytes() == before
    assert (folder / "CARD.md").read_text() == "card"


@pytest.mark.parametrize(
    "change",
    [
        {"metrics": {"auc": 0.7501, "rows": 100.0}},
        {"metrics": {"auc": 0.75}},
        {"training": {"seed": 2, "losses": {"identity": 0.660627604}}},
        {"feature_names": ("a", "c")},
        {"feature_names": ("a",)},
        {"created_at": "2026-01-02T00:00:00+00:00"},
    ],
)
def test_anything_else_is_another_version(tmp_path, folder, change):
    with pytest.raises(CollectionsError) as caught:
        write_text(tmp_path, replace(MANIFEST, **change), "{}", "card")
    assert caught.value.reason is Reason.ALREADY_EXISTS
    with pytest.raises(CollectionsError, match="other bytes"):
        write_text(tmp_path, MANIFEST, "[]", "card")
    assert (folder / "effect.json").read_text() == "{}"


def test_a_zero_may_have_either_sign(tmp_path):
    folder = write_text(tmp_path, MANIFEST, '{"points": [-0.0, 1.0]}', "card")
    manifest = (folder / "manifest.json").read_bytes()
    write_text(tmp_path, MANIFEST, '{"points": [0.0, 1.0]}', "card")
    assert (folder / "effect.json").read_text() == '{"points": [-0.0, 1.0]}'
    assert (folder / "manifest.json").read_bytes() == manifest
    with pytest.raises(CollectionsError, match="other bytes"):
        write_text(tmp_path, MANIFEST, '{"points": [0.0, 1.000001]}', "card")
