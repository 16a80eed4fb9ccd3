"""A simulated lender's recoveries become a version that people can list and inspect; too little is refused."""

import json

import pytest

from tests.support.scripts.processes import call

MONTHS = (0, 1, 2)


@pytest.fixture(scope="module")
def lender(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lender") / "data"
    months = [part for month in MONTHS for part in ("--month", month)]
    made = call("simulate_lender.py", "--data", folder, "--accounts", 60_000, "--seed", 5, *months)
    assert made.returncode == 0, made.stderr
    return folder


def periods(folder, *months):
    named = [
        ("--portfolio", f"simulated-month-{month}", "--recoveries", folder / f"simulated-month-{month}-recoveries.csv")
        for month in months
    ]
    return ["--data", folder, "--created-at", "2026-11-24", *(part for pair in named for part in pair)]


def test_three_months_become_a_version_that_is_listed_and_shown(lender):
    shown = call("train_recovery.py", *periods(lender, *MONTHS), "--version", "back-1", "--json")
    assert shown.returncode == 0, shown.stderr
    report = json.loads(shown.stdout)
    low, high = report["metric_intervals"]["money_level"]
    assert low < report["metrics"]["money_level"] < high
    reach = ("--data", lender, "--kind", "recovery")
    listed = call("models.py", "list", *reach)
    assert listed.returncode == 0, listed.stderr
    assert "back-1" in listed.stdout
    assert "money_level" in listed.stdout
    told = call("models.py", "show", *reach, "--version", "back-1")
    assert f"{low:.4f} to {high:.4f}" in told.stdout
    assert "Recovery model back-1" in told.stdout
    assert "SIMULATED" in told.stdout


def test_what_is_wrong_is_refused_with_exit_code_2(lender):
    few = call("train_recovery.py", *periods(lender, 0, 1), "--version", "few-1")
    assert few.returncode == 2
    assert "at least 3" in " ".join(few.stderr.split())
