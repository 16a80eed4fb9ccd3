"""The training script: repeatable over an existing version, readable by machines, and refusing to overwrite."""

import json
import shutil
from pathlib import Path

import pytest

from tests.support.scripts.processes import ROOT, call


def script(*arguments):
    return call("train_models.py", *arguments)


@pytest.fixture
def models(tmp_path):
    return Path(shutil.copytree(ROOT / "models", tmp_path / "models"))


def test_help_shows_an_example():
    help_text = script("--help")
    assert help_text.returncode == 0
    assert "Example: python scripts/train_models.py" in help_text.stdout


def test_training_an_existing_version_again_changes_nothing_and_reports_json(models):
    result = script("--models-dir", str(models), "--json")
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    shipped = json.loads((ROOT / "models/outcome/credit-card-4/manifest.json").read_text())
    # The last digit of an AUC turns on which of two accounts with nearly one probability stands first, and that on the machine.
    assert report["metrics"] == pytest.approx(shipped["metrics"], abs=2e-6)
    assert (models / "outcome/credit-card-4/manifest.json").read_bytes() == (
        ROOT / "models/outcome/credit-card-4/manifest.json"
    ).read_bytes()


def test_another_model_under_the_same_name_is_refused_with_the_remedy(models):
    result = script("--models-dir", str(models), "--seed", "2")
    assert result.returncode == 2
    assert "exists with other bytes" in result.stderr
    assert "Name a new one" in result.stderr
