"""The fair-treatment script over a ranking of the bundled accounts, by the groups of the bundled accounts and by a file."""

import csv
import json

from tests.support.scripts.processes import call


def test_groups_are_read_beside_the_decision(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    assert call("rank.py", "--data", data, "--json").returncode == 0
    shown = call("fair_treatment.py", "--data", data, "--bundled-groups", "--json")
    assert shown.returncode == 0, shown.stderr
    rows = json.loads(shown.stdout)
    assert {row["attribute"] for row in rows} == {"SEX", "EDUCATION", "MARRIAGE", "AGE"}
    by_sex = [row for row in rows if row["attribute"] == "SEX"]
    assert sum(row["account_count"] for row in by_sex) == 4_209
    assert all(0 < row["worked_share"]["value"] < 1 for row in by_sex)
    table = call("fair_treatment.py", "--data", data, "--bundled-groups")
    assert table.returncode == 0, table.stderr
    assert "equal benefit" in " ".join(table.stdout.split())
    path = tmp_path / "groups.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["account_id", "region"], *([f"UCI-{i:06d}", "north"] for i in range(1, 4_000))])
    own = call("fair_treatment.py", "--data", data, "--groups", path, "--json")
    assert own.returncode == 0, own.stderr
    assert {row["group"] for row in json.loads(own.stdout)} == {"north", "(not in the group file)"}
    path.write_text("account_id,region\nUCI-000001,n\nUCI-000001,s\n")
    twice = call("fair_treatment.py", "--data", data, "--groups", path)
    assert twice.returncode == 2
    assert "there twice" in " ".join(twice.stderr.split())
    assert call("fair_treatment.py", "--data", data).returncode == 2
    lost = call("fair_treatment.py", "--data", data, "--bundled-groups", "--hardship-queue", "nobody")
    assert lost.returncode == 2
    assert "hardship" in lost.stderr
