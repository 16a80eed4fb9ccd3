"""A stranger brings a file of their own: plan, mapping, import with quarantine, ranking, comparison with outcomes."""

import csv
import io
import json

import pytest

from tests.scripts.processes import ROOT, call, server

EXAMPLES = ROOT / "examples"
BOOK = ("--file", EXAMPLES / "book.csv", "--mapping", EXAMPLES / "book.toml")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with server(tmp_path_factory.mktemp("own")) as flags:
        yield flags


@pytest.fixture(scope="module")
def imported(address):
    saved = call("save_plan.py", *address, "--file", EXAMPLES / "plan.toml", "--json")
    assert saved.returncode == 0, saved.stderr
    assert json.loads(saved.stdout)["version"] == 1
    shown = call("import_portfolio.py", *address, *BOOK, "--json")
    assert shown.returncode == 3, shown.stderr
    return json.loads(shown.stdout)


def test_rows_in_are_accepted_or_told_with_field_value_rule_and_remedy(imported):
    header, found = imported["portfolio"], imported["quarantined_accounts"]
    rows = len((EXAMPLES / "book.csv").read_text().splitlines()) - 1
    assert header["row_count"] == rows == header["accepted_count"] + header["quarantined_count"]
    told = {(q["row"], q["field"], q["rule"]) for q in found}
    assert (17, "balance_minor", "REQUIRED") in told
    assert (42, "days_past_due", "OUT_OF_RANGE") in told
    assert len({row for row, _, _ in told}) == header["quarantined_count"]
    assert all(q["remedy"] for q in found)
    assert next(q["value"] for q in found if q["rule"] == "OUT_OF_RANGE") == "-30"
    assert next(q["value"] for q in found if q["rule"] == "REQUIRED") == ""


def test_findings_are_shown_to_people_and_a_check_stores_nothing(address, imported):
    shown = call("import_portfolio.py", *address, *BOOK, "--portfolio", "again")
    assert shown.returncode == 3
    assert "DUPLICATE_CONFLICT" in shown.stdout
    checked = call("import_portfolio.py", *address, *BOOK, "--portfolio", "checked", "--check")
    assert checked.returncode == 3
    assert "Checked as checked" in checked.stdout
    assert call("rank.py", *address, "--portfolio", "checked", "--plan", "example-desk", "--check").returncode == 2


def test_the_next_version_of_a_plan_follows_the_last_and_a_check_stores_none(address, imported, tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text((EXAMPLES / "plan.toml").read_text().replace("agents = 0.5", "agents = 0.6"))
    for flags, version in ((("--check",), 0), ((), 2), (("--check",), 0)):
        shown = call("save_plan.py", *address, "--file", plan, "--json", *flags)
        assert shown.returncode == 0, shown.stderr
        assert json.loads(shown.stdout)["version"] == version


def test_it_is_ranked_and_compared_with_outcomes_that_stay_on_this_side(address, imported, tmp_path):
    ranked = call("rank.py", *address, "--portfolio", "book", "--plan", "example-desk", "--json")
    assert ranked.returncode == 0, ranked.stderr
    counts = json.loads(ranked.stdout)["counts"]
    assert sum(counts.values()) == imported["portfolio"]["accepted_count"]
    common = (*address, "--portfolio", "book", "--plan", "example-desk", "--outcomes", EXAMPLES / "outcomes.csv")
    page, table = tmp_path / "page.html", tmp_path / "table.csv"
    shown = call("compare_orderings.py", *common, "--html", page, "--csv", table, "--json")
    assert shown.returncode == 0, shown.stderr
    rows = json.loads(shown.stdout)
    assert rows[0]["ordering"] == "EXPECTED_VALUE"
    assert [row["ordering"] for row in csv.DictReader(io.StringIO(table.read_text()))] == [row["ordering"] for row in rows]
    assert "cash_difference_low" in rows[1]
    assert page.read_text().count("<svg") == 4
    two = call("compare_orderings.py", *common[:-2], "--ordering", "BALANCE", "--ordering", "RANDOM", "--json")
    assert [row["ordering"] for row in json.loads(two.stdout)] == ["BALANCE", "RANDOM"]


def test_limits_and_a_reserve_are_kept_and_shown(address, imported):
    common = (
        "rank.py",
        *address,
        "--portfolio",
        "book",
        "--plan",
        "example-desk",
        "--constraints",
        EXAMPLES / "constraints.toml",
    )
    made = json.loads(call(*common, "--json").stdout)
    assert [limit["name"] for limit in made["limits"]] == ["loans are worked too", "few texts"]
    assert made["inputs"]["constraints"]["exploration_share"] == 0.05
    shown = call(*common, "--previous", made["ranking_id"])
    assert shown.returncode == 0, shown.stderr
    assert "one account looser is worth" in shown.stdout
    assert "Drawn at random" in shown.stdout


def test_an_outcome_missing_for_an_account_is_told_by_its_id(address, imported, tmp_path):
    lines = (EXAMPLES / "outcomes.csv").read_text().splitlines(keepends=True)
    (tmp_path / "some.csv").write_text("".join(lines[:-1]))
    common = (*address, "--portfolio", "book", "--plan", "example-desk", "--outcomes", tmp_path / "some.csv")
    shown = call("compare_orderings.py", *common)
    assert shown.returncode == 2
    assert lines[-1].split(",")[0] in shown.stderr
