"""Every script runs as a person would run it: help with an example, the main job, machine output, refusals with an exit code."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOR_PEOPLE = sorted(p.name for p in (ROOT / "scripts").glob("*.py") if p.stem not in ("scripts_support", "generate_proto"))


def call(name, *arguments):
    command = [sys.executable, str(ROOT / "scripts" / name), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300, check=False)


@pytest.mark.parametrize("name", FOR_PEOPLE)
def test_help_has_an_example(name):
    shown = call(name, "--help")
    assert shown.returncode == 0
    assert "Example: python" in " ".join(shown.stdout.split()).replace("│ ", "")


def test_the_demo_runs_twice_to_the_same_page_and_its_ranking_can_be_explained(tmp_path):
    data = tmp_path / "demo"
    first = call("demo.py", "--data", data)
    assert first.returncode == 0, first.stderr
    page = (data / "comparison.html").read_bytes()
    second = call("demo.py", "--data", data)
    assert second.returncode == 0, second.stderr
    assert (data / "comparison.html").read_bytes() == page
    assert "chain verified" in second.stdout
    joined = "".join(line.strip() for line in second.stdout.splitlines() if "explain.py" in line)
    ranking, account = joined.split("--ranking ")[1].split()[0], joined.split("--account ")[1].split()[0]
    shown = call("explain.py", "--data", data, "--models", data / "models", "--ranking", ranking, "--account", account, "--json")
    assert shown.returncode == 0, shown.stderr
    answer = json.loads(shown.stdout)
    assert (answer["account_id"], answer["disposition"]) == (account, "ASSIGNED")
    missing = call("explain.py", "--data", data, "--models", data / "models", "--ranking", ranking, "--account", "nobody")
    assert missing.returncode == 2
    assert "NOT_FOUND" in missing.stderr


def test_the_comparison_is_written_for_machines(tmp_path):
    shown = call("compare_orderings.py", "--data", tmp_path / "d", "--csv", tmp_path / "c.csv", "--json")
    assert shown.returncode == 0, shown.stderr
    rows = json.loads(shown.stdout)
    assert rows[0]["ordering"] == "EXPECTED_VALUE"
    assert (tmp_path / "c.csv").read_text().count("\n") == len(rows) + 1


def test_a_ranking_is_made_once_per_request_and_its_worklist_is_paged(tmp_path):
    data, request_id = tmp_path / "d", "0b9f3a52-6f0e-4b7e-8e57-0d4f1f6a7c11"
    made = [call("rank.py", "--data", data, "--request-id", request_id, "--json") for _ in range(2)]
    assert [m.returncode for m in made] == [0, 0], made[0].stderr
    assert made[0].stdout == made[1].stdout
    header = json.loads(made[0].stdout)
    pages = []
    for after in (0, 3):
        shown = call(
            "worklist.py",
            "--data",
            data,
            "--ranking",
            header["ranking_id"],
            "--queue",
            "late-calls",
            "--after",
            after,
            "--size",
            3,
            "--json",
        )
        assert shown.returncode == 0, shown.stderr
        pages += json.loads(shown.stdout)
    assert [row["priority"] for row in pages] == [1, 2, 3, 4, 5, 6]
    density = [row["increment_minor_units"] / row["handling_minutes"] for row in pages]
    assert density == sorted(density, reverse=True)
    wrong = call("worklist.py", "--data", data, "--ranking", header["ranking_id"], "--queue", "nobody")
    assert wrong.returncode == 2
    assert "late-calls" in " ".join(wrong.stderr.split())
    refused = call("rank.py", "--data", data, "--request-id", request_id, "--ordering", "BALANCE")
    assert refused.returncode == 2
    assert "REQUEST_ID_REUSED" in refused.stderr
