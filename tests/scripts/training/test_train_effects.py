"""A log with a holdout becomes an effect version; a log that lies or lacks something is refused with its row."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from collections_opt.application.workspace import open_workspace
from collections_opt.core.errors import CollectionsError
from collections_opt.datasets.files.contact_log_files import log_table, read_contact_log
from collections_opt.datasets.simulated_lender import SimulatedLender, desk_plan
from collections_opt.scoring.effect.artifacts import load_effect
from tests.support.scripts.processes import call

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("desk")
    models = Path(shutil.copytree(ROOT / "models", folder / "models"))
    month = SimulatedLender(21, 60_000).month(0)
    workspace = open_workspace(folder, models, lambda: NOW)
    workspace.books.import_portfolio("book", month.snapshot.raw)
    workspace.books.save_plan(desk_plan(500), None)
    workspace.close()
    log_table(month.log).to_csv(folder / "contacts.csv", index=False)
    return folder, month.log


def test_a_holdout_becomes_a_version_that_people_can_approve(desk):
    folder, _ = desk
    shown = call(
        "train_effects.py",
        "--data",
        folder,
        "--portfolio",
        "book",
        "--log",
        folder / "contacts.csv",
        "--plan",
        "simulated-desk",
        "--version",
        "calls-1",
        "--created-at",
        "2026-11-24",
        "--json",
    )
    assert shown.returncode == 0, shown.stderr
    report = json.loads(shown.stdout)
    assert report["method"] == "residual"
    assert report["levels"]["cure"]["low"] < report["levels"]["cure"]["estimate"] < report["levels"]["cure"]["high"]
    assert report["queues"]["hardship"]["evidence"] == "ASSUMED"
    assert set(report["metrics"]) >= {"cure_qini", "cure_level", "cure_level_low", "default_encompassing_z"}
    assert report["row_count"] + report["dropped_count"] == desk[1].row_count
    artifact = load_effect(folder / "models", "calls-1")
    assert artifact.manifest.training["outcome_models"][0].startswith("outcome/credit-card-")
    listed = call("models.py", "list", "--data", folder, "--kind", "effect")
    assert listed.returncode == 0, listed.stderr
    assert "calls-1" in listed.stdout


def test_segments_are_learned_where_asked_for_or_declared(desk):
    folder, _ = desk
    base = ("--data", folder, "--portfolio", "book", "--log", folder / "contacts.csv", "--plan", "simulated-desk")
    shown = call("train_effects.py", *base, "--version", "segments-1", "--method", "segments", "--json")
    assert shown.returncode == 0, shown.stderr
    report = json.loads(shown.stdout)
    assert (report["method"], report["not_by_residuals"], report["levels"]) == ("segments", "", {})
    assert "held_out_count" in report["queues"]["early-calls"]
    assert load_effect(folder / "models", "segments-1").manifest.training["method"] == "segments"
    both = call("train_effects.py", *base, "--version", "both-1", "--method", "residual", "--segment", "utilisation")
    assert both.returncode == 2
    assert "no use for a segment" in " ".join(both.stderr.split())


def test_a_threshold_that_assigned_a_queue_is_taken_and_recorded(desk):
    folder, log = desk
    balance = SimulatedLender(21, 60_000).month(0).snapshot.raw.columns["balance_minor"]
    above = balance >= 300_000
    names = pd.Series(np.where(above, "senior-negotiators", ""))
    table = log_table(log).assign(queue_id=names, contacted=above.astype(int), propensity=np.nan, queue_propensity=np.nan)
    table["right_party"] = above & (np.arange(above.size) % 2 == 0)
    table.assign(right_party=table["right_party"].astype(int)).to_csv(folder / "threshold.csv", index=False)
    base = ("--data", folder, "--portfolio", "book", "--log", folder / "threshold.csv", "--plan", "simulated-desk")
    declared = ("--threshold", "senior-negotiators=balance_minor:300000:200000", "--version", "threshold-1", "--json")
    shown = call("train_effects.py", *base, *declared)
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)["not_by_residuals"] == "a threshold was declared"
    queue = json.loads(shown.stdout)["queues"]["senior-negotiators"]
    assert queue["evidence"] == "OBSERVATIONAL"
    assert queue["reason"].startswith("regression discontinuity at balance_minor = 300,000")
    recorded = load_effect(folder / "models", "threshold-1").manifest.training["thresholds"]
    assert recorded == [{"queue_id": "senior-negotiators", "column": "balance_minor", "value": 3e5, "width": 2e5}]
    odd = call("train_effects.py", *base, "--threshold", "senior-negotiators=product:1:1", "--version", "threshold-2")
    assert odd.returncode == 2
    assert "no column with a number" in " ".join(odd.stderr.split())


def test_what_is_wrong_is_refused_with_exit_code_2(desk):
    folder, _ = desk
    base = ("--data", folder, "--portfolio", "book", "--version", "calls-2", "--plan", "simulated-desk")
    lost = call("train_effects.py", *base, "--log", folder / "nowhere.csv")
    assert lost.returncode == 2
    assert "nowhere.csv" in " ".join(lost.stderr.split())
    protected = call("train_effects.py", *base, "--log", folder / "contacts.csv", "--segment", "age")
    assert protected.returncode == 2
    assert "protected" in " ".join(protected.stderr.split())
    two = call("train_effects.py", *base, "--log", folder / "contacts.csv", "--log", folder / "contacts.csv")
    assert two.returncode == 2


def test_a_log_survives_its_file(desk, tmp_path):
    _, log = desk
    for name in ("log.csv", "log.parquet"):
        path = tmp_path / name
        table = log_table(log)
        table.to_parquet(path) if name.endswith("parquet") else table.to_csv(path, index=False)
        again = read_contact_log(path, log.queue_ids)
        for column in log.columns:
            same = np.array_equal(getattr(again, column), getattr(log, column), equal_nan=column.endswith("propensity"))
            assert same, column


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("queue_id", "nobody", "queue_id[1]"),
        ("contacted", "perhaps", "contacted[1]"),
        ("outcome", "won", "outcome[1]"),
        ("cash_minor", "1.5", "cash_minor[1]"),
        ("cash_minor", "-5", "cash_minor[1]"),
        ("propensity", "half", "propensity[1]"),
        ("propensity", "1.5", "propensity[1]"),
    ],
)
def test_a_wrong_cell_is_named(tmp_path, column, value, said):
    row = ["a", "q", "1", "0", "0.5", "1", "stay", "0"]
    names = ["account_id", "queue_id", "contacted", "right_party", "propensity", "queue_propensity", "outcome", "cash_minor"]
    table = pd.DataFrame([row, ["b", *row[1:]]], columns=names)
    table.loc[1, column] = value
    path = tmp_path / "log.csv"
    table.to_csv(path, index=False)
    with pytest.raises(CollectionsError) as refused:
        read_contact_log(path, ("q",))
    assert refused.value.violations[0].field == said
    table.drop(columns="outcome").to_csv(path, index=False)
    with pytest.raises(CollectionsError, match="lacks 1 column"):
        read_contact_log(path, ("q",))
