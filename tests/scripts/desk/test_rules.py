"""scripts/rules.py as a person runs it: a file, a second person, what binds on a day, and the way back to a file."""

import json

import pytest

from collections_opt.datasets.rule_files import read_rule_file
from tests.support.scripts.processes import ROOT, call

EXAMPLE = ROOT / "examples" / "city_rules.toml"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tmp_path_factory.mktemp("rules")


def rules(data, *arguments, code=0):
    done = call("rules.py", *arguments, "--data", data)
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else " ".join(done.stderr.split())


def test_a_file_and_a_second_person_make_a_citys_rules_bind(data, tmp_path):
    table = ("--table", "springfield-rules")
    assert "a second person approves it next" in rules(data, "save", "--file", EXAMPLE, "--actor", "ann")
    assert "does not approve it" in rules(data, "approve", *table, "--version", "1", "--actor", "ann", code=2)
    assert "is approved by ben" in rules(data, "approve", *table, "--version", "1", "--actor", "ben")
    listed = rules(data, "list")
    assert "release (BOOTSTRAP)" in listed
    assert "springfield-2027" in listed
    for day, binds in (("2026-12-31", False), ("2027-01-01", True)):
        found = json.loads(rules(data, "in-force", "--day", day, "--json"))
        assert ("springfield-rules" in [each["rule_table_id"] for each in found["rule_tables"]]) == binds
    changed = tmp_path / "changed.toml"
    rules(data, "export", *table, "--out", changed)
    assert read_rule_file(changed).table == read_rule_file(EXAMPLE).table
    assert "nothing was saved" in rules(data, "save", "--file", changed, "--validate-only", "--actor", "ann")
    changed.write_text(changed.read_text("utf-8").replace('source = "Springfield City Code 12.4', 'source = " " #'), "utf-8")
    told = rules(data, "save", "--file", changed, "--actor", "ann", code=2)
    assert "rules[springfield-two-in-seven].source" in told
    assert "no rule without a citation" in told


def test_a_what_if_tells_money_minutes_and_accounts_of_the_latest_ranking(data, tmp_path):
    made = call("rank.py", "--data", data)
    assert made.returncode == 0, made.stderr
    assert rules(data, "what-if", "--file", EXAMPLE).startswith("Nothing changes: ")
    table = tmp_path / "taiwan.toml"
    table.write_text(EXAMPLE.read_text("utf-8").replace("US-IL-SPI", "TW").replace("springfield", "taiwan"), "utf-8")
    shown = " ".join(rules(data, "what-if", "--file", table, "--moved", "3").split())
    for text in ("If these rules were in force: costs", "hours in place of", "leave", "taiwan-two-in-seven/1", "early-calls"):
        assert text in shown
    html, rows = tmp_path / "rules.html", tmp_path / "rules.csv"
    found = json.loads(rules(data, "what-if", "--file", table, "--html", html, "--csv", rows, "--json"))
    assert "If these rules were in force: costs" in html.read_text("utf-8")
    assert "taiwan-two-in-seven" in rows.read_text("utf-8")
    assert found["comparison"]["change_minor_units"] < 0
    assert found["barred_after_count"] > found["barred_before_count"]
