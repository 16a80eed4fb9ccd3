"""Logs of three months become a contact version that people can approve; too few and disordered ones are refused."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collections_opt.application.workspace import open_workspace
from collections_opt.datasets.files.contact_log_files import log_table
from collections_opt.datasets.simulated_lender import SimulatedLender, desk_plan
from collections_opt.scoring.contact.artifacts import load_contact
from tests.support.scripts.processes import call

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("desk")
    models = Path(shutil.copytree(ROOT / "models", folder / "models"))
    workspace = open_workspace(folder, models, lambda: NOW)
    workspace.books.save_plan(desk_plan(500), None)
    for month in SimulatedLender(21, 60_000).history([0, 1, 2]):
        workspace.books.import_portfolio(f"month-{month.month}", month.snapshot.raw)
        log_table(month.log).to_csv(folder / f"{month.month}.csv", index=False)
    workspace.close()
    return folder


def periods(folder, *months):
    named = [("--portfolio", f"month-{month}", "--log", folder / f"{month}.csv") for month in months]
    return [
        "--data",
        folder,
        "--plan",
        "simulated-desk",
        "--created-at",
        "2026-11-24",
        *(part for pair in named for part in pair),
    ]


def test_three_months_become_a_version(desk):
    shown = call("train_contact.py", *periods(desk, 0, 1, 2), "--version", "reach-1", "--json")
    assert shown.returncode == 0, shown.stderr
    report = json.loads(shown.stdout)
    assert report["fitted_count"] > report["judged_count"] * 0.5
    assert report["metrics"]["call_log_loss"] < report["metrics"]["call_log_loss_of_plan"]
    artifact = load_contact(desk / "models", "reach-1")
    assert artifact.manifest.metrics == report["metrics"]
    assert artifact.manifest.training["level_shifts"]["CALL"]["count"] > 0
    assert "CALL: " in artifact.card
    assert "| CALL |" in artifact.card
    listed = call("models.py", "list", "--data", desk, "--kind", "contact")
    assert listed.returncode == 0, listed.stderr
    assert "reach-1" in listed.stdout
    table = call("train_contact.py", *periods(desk, 0, 1, 2), "--version", "reach-1")
    assert table.returncode == 0, table.stderr
    assert "CALL" in table.stdout


def test_what_is_wrong_is_refused_with_exit_code_2(desk):
    for months, said in (((0, 1), "at least 3"), ((1, 0, 2), "order of time")):
        refused = call("train_contact.py", *periods(desk, *months), "--version", "reach-2")
        assert refused.returncode == 2
        assert said in " ".join(refused.stderr.split())
    uneven = call("train_contact.py", *periods(desk, 0, 1, 2), "--log", desk / "0.csv", "--version", "reach-2")
    assert uneven.returncode == 2
