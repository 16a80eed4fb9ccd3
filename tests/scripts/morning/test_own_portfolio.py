"""A stranger brings a file of their own: plan, mapping, import with quarantine, ranking, comparison with outcomes."""

import csv
import io
import json

import pytest

from tests.support.scripts.processes import ROOT, call, server

EXAMPLES = ROOT / "examples"
VALUES = ("--parameters", EXAMPLES / "parameters.toml")
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
    assert (17, "balance_minor_units", "REQUIRED") in told
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
    assert call("rank.py", *address, "--portfolio", "checked", "--plan", "example-desk", *VALUES, "--check").returncode == 2


def test_the_next_version_of_a_plan_follows_the_last_and_a_check_stores_none(address, imported, tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text((EXAMPLES / "plan.toml").read_text().replace("agents = 0.5", "agents = 0.6"))
    for follows, flags, version in ((1, ("--check",), 0), (1, (), 2), (2, ("--check",), 0)):
        shown = call("save_plan.py", *address, "--file", plan, "--follows", follows, "--json", *flags)
        assert shown.returncode == 0, shown.stderr
        assert json.loads(shown.stdout)["version"] == version


def test_it_is_ranked_and_compared_with_outcomes_that_stay_on_this_side(address, imported, tmp_path):
    ranked = call("rank.py", *address, "--portfolio", "book", "--plan", "example-desk", *VALUES, "--json")
    assert ranked.returncode == 0, ranked.stderr
    counts = json.loads(ranked.stdout)["counts"]
    assert sum(counts.values()) == imported["portfolio"]["accepted_count"]
    common = (*address, "--portfolio", "book", "--plan", "example-desk", *VALUES, "--outcomes", EXAMPLES / "outcomes.csv")
    page, table = tmp_path / "page.html", tmp_path / "table.csv"
    shown = call("compare_orderings.py", *common, "--html", page, "--csv", table, "--json")
    assert shown.returncode == 0, shown.stderr
    rows = json.loads(shown.stdout)
    assert rows[0]["ordering"] == "EXPECTED_VALUE"
    assert [row["ordering"] for row in csv.DictReader(io.StringIO(table.read_text()))] == [row["ordering"] for row in rows]
    assert "cash_difference_minor_units_low" in rows[1]
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
        *VALUES,
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
    common = (*address, "--portfolio", "book", "--plan", "example-desk", *VALUES, "--outcomes", tmp_path / "some.csv")
    shown = call("compare_orderings.py", *common)
    assert shown.returncode == 2
    assert lines[-1].split(",")[0] in shown.stderr


def test_findings_go_back_as_a_table_and_json_is_never_cut(address, imported, tmp_path):
    lines = (EXAMPLES / "book.csv").read_text().splitlines()
    lines[5] = lines[5].replace(",N,N,N,", ",maybe,N,N,")
    lines[7] += ",one cell too many"
    (tmp_path / "book.csv").write_text("\n".join(lines) + "\n")
    back = tmp_path / "quarantined.csv"
    own = ("--file", tmp_path / "book.csv", "--mapping", EXAMPLES / "book.toml", "--portfolio", "ugly")
    checked = call("import_portfolio.py", *address, *own, "--check", "--json", "--show", "1", "--quarantine-out", back)
    assert checked.returncode == 3, checked.stderr
    assert json.loads(checked.stdout)["contradictions"] == []
    found = json.loads(checked.stdout)["quarantined_accounts"]
    assert len(found) == len(imported["quarantined_accounts"]) + 2
    rows = list(csv.DictReader(io.StringIO(back.read_text())))
    assert [(row["line"], row["rule"]) for row in rows] == [(str(one["line"]), one["rule"]) for one in found]
    told = {(row["line"], row["column"], row["cell"], row["rule"]) for row in rows}
    assert ("6", "Bankrupt", "maybe", "UNLISTED_CODE") in told
    assert {rule for line, _, _, rule in told if line == "8"} == {"RAGGED_ROW"}
    assert any(rule == "OUT_OF_RANGE" and cell.startswith("20") for _, _, cell, rule in told), (
        "the lender's own date, not our days"
    )
    shown = call("import_portfolio.py", *address, *own, "--check")
    assert f"({len(found)} of {len(found)} findings shown)" in shown.stdout
    sent = json.loads(call("import_portfolio.py", *address, *own, "--json", "--show", "1").stdout)
    assert sent["quarantined_accounts"] == found
    renamed = tmp_path / "renamed.csv"
    renamed.write_text("\n".join(lines).replace("Bankrupt", "BK"))
    own = ("--file", renamed, "--mapping", EXAMPLES / "book.toml", "--check")
    assert call("import_portfolio.py", *address, *own).returncode == 2
    assert "Missing for every account: bankruptcy" in call("import_portfolio.py", *address, *own, "--allow-missing").stdout


def test_odd_ids_are_shown_escaped_and_neutralised(address, imported, tmp_path):
    odd = ["[/red]boom", "=1+1", "@SUM(1)", "a\x1b[31mred", "abc\u202edef"]
    lines = (EXAMPLES / "book.csv").read_text().splitlines()
    good = [n for n, line in enumerate(lines) if n and ",N,N,N," in line][: len(odd)]
    text = [lines[0], *(odd[i] + lines[n][lines[n].index(",") :] for i, n in enumerate(good))]
    (tmp_path / "odd.csv").write_text("\n".join(text) + "\n")
    own = ("--file", tmp_path / "odd.csv", "--mapping", EXAMPLES / "book.toml")
    assert call("import_portfolio.py", *address, *own).returncode == 0
    ranked = call("rank.py", *address, "--portfolio", "odd", "--plan", "example-desk", *VALUES, "--json")
    assert ranked.returncode == 0, ranked.stderr
    ranking = ("--ranking", json.loads(ranked.stdout)["ranking_id"])
    for queue in ("calls",):
        shown = call("worklist.py", *address, *ranking, "--queue", queue)
        assert shown.returncode == 0, shown.stderr
        assert "\x1b" not in shown.stdout
        assert "\u202e" not in shown.stdout
        cells = [
            row["account_id"]
            for row in csv.DictReader(io.StringIO(call("worklist.py", *address, *ranking, "--queue", queue, "--csv").stdout))
        ]
        assert not any(cell.startswith(("=", "@", "+", "-")) for cell in cells)
    for one in (odd[0], odd[3]):
        shown = call("explain.py", *address, *ranking, "--account", one)
        assert shown.returncode == 0, shown.stderr
        assert "\x1b" not in shown.stdout
        assert "\u202e" not in shown.stdout


def test_a_person_who_is_bankrupt_on_one_account_only_is_warned_of_with_how_it_is_read(address, tmp_path):
    head, *lines = (EXAMPLES / "book.csv").read_text().splitlines()[:4]
    lines[1] = lines[1].replace(",N,N,N,", ",Y,N,N,")
    (tmp_path / "people.csv").write_text("\n".join([f"{head},Person", *(f"{line},P-1" for line in lines)]) + "\n")
    mapping = (EXAMPLES / "book.toml").read_text().replace("[columns]", '[columns]\ncustomer_id = { source = "Person" }')
    (tmp_path / "people.toml").write_text(mapping)
    own = ("--file", tmp_path / "people.csv", "--mapping", tmp_path / "people.toml", "--portfolio", "people", "--check")
    shown = call("import_portfolio.py", *address, *own)
    told = " ".join(shown.stdout.split())
    assert "WARNING: bankruptcy differs between accounts of one person, for 1 persons (such as A-1000)" in told
    assert "read as set on all accounts of the person." in told
    (one,) = json.loads(call("import_portfolio.py", *address, *own, "--json").stdout)["contradictions"]
    assert (one["field"], one["person_count"], one["account_count"]) == ("bankruptcy", 1, 3)
