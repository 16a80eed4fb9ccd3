"""A newcomer with a file that nobody has described: draft, two corrections, import, ranking."""

import json

from tests.support.books.drafting_files import samples
from tests.support.scripts.processes import ROOT, call

ODD = ("--accept-clipped-values",)
"""Limits and balances of the made-up file are drawn apart, so a few accounts are worth odd amounts."""


def test_a_newcomer_has_a_ranking_after_two_corrections(tmp_path):
    unknown = next(one for one in samples() if one.name == "arrears_report.txt").write(tmp_path)
    drafted, data = tmp_path / "draft.toml", ("--data", tmp_path / "data", "--models", ROOT / "models")
    shown = call("draft_mapping.py", "--file", unknown, "--out", drafted)
    assert shown.returncode == 0, shown.stderr
    assert "MISSING, to be given" in shown.stdout
    assert call("draft_mapping.py", "--file", unknown, "--out", drafted).returncode == 2, "corrections are not overwritten"
    corrected = drafted.read_text().replace("# as_of_date = 2026-01-31", "as_of_date = 2026-11-24")
    drafted.write_text(corrected.replace('# time_zone = ""', 'time_zone = "Europe/London"'))
    imported = call("import_portfolio.py", *data, "--file", unknown, "--mapping", drafted, "--portfolio", "new", "--json")
    assert imported.returncode in (0, 3), imported.stderr
    assert json.loads(imported.stdout)["portfolio"]["accepted_count"] > 200
    plan = tmp_path / "plan.toml"
    plan.write_text((ROOT / "examples/plan.toml").read_text().replace('"USD"', '"GBP"'))
    assert call("save_plan.py", *data, "--file", plan).returncode == 0
    values = tmp_path / "values.toml"
    values.write_text((ROOT / "examples/parameters.toml").read_text().replace('"USD"', '"GBP"'))
    ranked = call("rank.py", *data, "--portfolio", "new", "--plan", "example-desk", "--parameters", values, *ODD, "--json")
    assert ranked.returncode == 0, ranked.stderr
    assert sum(json.loads(ranked.stdout)["counts"].values()) == json.loads(imported.stdout)["portfolio"]["accepted_count"]
