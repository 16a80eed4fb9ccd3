"""A version goes out as an MLflow folder and comes back with the same bytes; a changed one does not."""

import json
from pathlib import Path

import pytest

from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.scoring.outcome.artifacts import load_artifact
from collections_opt.scoring.versions.mlflow_format import export_mlflow, import_mlflow
from tests.support.scripts.processes import call

MODELS = Path(__file__).parents[3] / "models"
VERSION = "credit-card-4-scorecard"


@pytest.fixture
def exported(tmp_path):
    return export_mlflow(MODELS, "outcome", VERSION, tmp_path / "out")


def test_a_version_comes_back_with_its_digest(exported, tmp_path):
    assert import_mlflow(exported, tmp_path / "models") == ("outcome", VERSION)
    assert load_artifact(tmp_path / "models", VERSION).digest == load_artifact(MODELS, VERSION).digest
    model = json.loads((exported / "MLmodel").read_text())
    assert len(json.loads(model["signature"]["inputs"])) == 25
    with pytest.raises(CollectionsError) as caught:
        import_mlflow(exported, tmp_path / "models")
    assert caught.value.reason is Reason.ALREADY_EXISTS
    with pytest.raises(CollectionsError, match="is there"):
        export_mlflow(MODELS, "outcome", VERSION, exported)


@pytest.mark.parametrize("name", ["scorecard.json", "manifest.json", "CARD.md"])
def test_a_changed_file_is_refused_and_leaves_nothing(exported, tmp_path, name):
    path = exported / "artifact" / name
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(CollectionsError) as caught:
        import_mlflow(exported, tmp_path / "models")
    assert caught.value.reason is Reason.MODEL_UNAVAILABLE
    assert not (tmp_path / "models/outcome" / VERSION).exists()


@pytest.mark.parametrize("change", [{"kind": "../x"}, {"version": "../../etc"}, {"manifest_sha256": "0"}])
def test_an_mlmodel_that_lies_is_refused(exported, tmp_path, change):
    model = json.loads((exported / "MLmodel").read_text())
    model["flavors"]["collections_opt"].update(change)
    (exported / "MLmodel").write_text(json.dumps(model))
    with pytest.raises(CollectionsError):
        import_mlflow(exported, tmp_path / "models")


def test_other_folders_are_refused(tmp_path):
    with pytest.raises(CollectionsError) as caught:
        import_mlflow(tmp_path, tmp_path / "models")
    assert caught.value.reason is Reason.INVALID_ARGUMENT


def test_the_script_exports_and_imports(tmp_path):
    out = call("models.py", "export-mlflow", "--version", VERSION, "--models", MODELS, "--out", tmp_path / "out")
    assert out.returncode == 0, out.stderr
    back = call("models.py", "import-mlflow", "--source", tmp_path / "out", "--models", tmp_path / "models")
    assert "is a draft" in back.stdout
