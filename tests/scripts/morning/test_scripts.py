"""Every script runs as a person would run it: the main job, in process and against a server, machine output, refusals."""

import json
import re
import subprocess
import sys

import pytest

from tests.support.scripts.processes import ROOT, SCRIPTS, call, server


@pytest.fixture(scope="module")
def lost(tmp_path_factory):
    """Return a script that uses what it does not load."""
    script = tmp_path_factory.mktemp("scripts") / "lost.py"
    script.write_text("import collections_opt\n\ncollections_opt.core.names\n")
    return script


@pytest.fixture(scope="module")
def helps(lost):
    """Return exit code and words of every script, and of the lost one, asked for help."""
    command = [sys.executable, "-m", "tests.support.scripts.helps", *SCRIPTS, str(lost)]
    return json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=560).stdout)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_starts_from_nothing_and_its_help_has_an_example(helps, name):
    """The other tests fork scripts from a process that has loaded what they need."""
    code, said = helps[name]
    assert code == 0, said
    assert f"Example: python scripts/{name}" in " ".join(said.split()).replace("│ ", "")


def test_a_script_that_forgets_what_it_uses_is_noticed(helps, lost):
    code, said = helps[str(lost)]
    assert code == 1
    assert "AttributeError" in said


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Return a folder that the demo filled, and what it printed."""
    data = tmp_path_factory.mktemp("demo")
    shown = call("demo.py", "--data", data, "--picture", data / "demo.svg")
    assert shown.returncode == 0, shown.stderr
    return data, shown.stdout


@pytest.fixture(scope="module")
def address(demo):
    with server(demo[0]) as flags:
        yield flags


def ranking_of(printed):
    return re.search(r"Ranking +(rk-\w+)", printed)[1]


def test_the_demo_prints_what_was_decided_how_well_and_what_happened(demo):
    data, printed = demo
    for said in (
        "4,209 rows in, 0 quarantined",
        "optimality gap",
        "Top of early-calls",
        "an agent-hour more",
        "Orders at the same capacity and eligibility",
        "rank corr.",
        "What the accounts worked did next",
        "Balance alone",
        str(data / "ledger.db"),
        str(data / "comparison.html"),
    ):
        assert said in printed
    assert (data / "ledger.db").is_file()
    assert printed.count("  .venv/bin/python scripts/") == 3
    picture = (data / "demo.svg").read_text()
    assert "early-calls" in picture
    assert "url(http" not in picture


def test_comparing_again_finds_the_demos_rankings_and_the_same_figures(demo, address, tmp_path):
    """The model is trained to the same bytes (tested beside the training), so the demo's second run is this."""
    before = json.loads(call("overview.py", *address, "--json").stdout)["rankings"]
    assert ranking_of(demo[1]) in {ranking["ranking_id"] for ranking in before}
    pages, known = [], []
    for name in ("one.html", "two.html"):
        shown = call("compare_orderings.py", *address, "--html", tmp_path / name)
        assert shown.returncode == 0, shown.stderr
        pages.append((tmp_path / name).read_bytes())
        known.append(
            [ranking["ranking_id"] for ranking in json.loads(call("overview.py", *address, "--json").stdout)["rankings"]]
        )
    assert pages[0] == pages[1]
    assert shown.stdout.strip() in demo[1]
    assert known[0] == known[1]
    # The demo makes its first order to be worked; compared later it is an analysis, and a ranking of its own.
    assert len(set(known[0]) - {ranking["ranking_id"] for ranking in before}) == 1


def test_the_commands_the_demo_names_work_against_a_server(demo, address, tmp_path):
    commands = re.findall(r"scripts/(\w+\.py) (.*)--address \S+ --insecure-loopback (.*)", demo[1])
    assert [name for name, *_ in commands] == ["explain.py", "capacity.py", "verify.py"]
    for name, subject, rest in commands:
        arguments = rest.replace(str(demo[0]), str(tmp_path)).split()
        shown = call(name, *subject.split(), *address, *arguments)
        assert shown.returncode == 0, shown.stderr
    assert (tmp_path / "what-if.html").read_text().startswith("<!doctype html>")


def test_the_overview_names_what_the_demo_made(demo, address):
    shown = call("overview.py", *address)
    assert shown.returncode == 0, shown.stderr
    for said in ("uci-2005-08", "credit-card-desk", ranking_of(demo[1]), "outcome/demo-1"):
        assert said in shown.stdout
    found = json.loads(call("overview.py", *address, "--size", 1, "--json").stdout)
    assert [len(found[name]) for name in ("portfolios", "capacity_plans", "rankings", "models")] == [
        1,
        1,
        1,
        2,
    ]  # the model and its scorecard


def test_a_server_and_the_same_api_in_process_say_the_same(demo, address):
    data, printed = demo
    ranking = ranking_of(printed)
    for name, arguments in (
        ("worklist.py", ("--ranking", ranking, "--queue", "late-calls", "--after", 3, "--size", 3, "--csv")),
        ("explain.py", ("--ranking", ranking, "--account", "UCI-028406", "--json")),
        ("explain.py", ("--account", "UCI-028406", "--json")),
    ):
        remote, local = call(name, *address, *arguments), call(name, "--data", data, *arguments)
        assert (remote.returncode, local.returncode) == (0, 0), remote.stderr + local.stderr
        assert remote.stdout == local.stdout
    assert json.loads(local.stdout)["disposition"] == "DISPOSITION_ASSIGNED"


def test_a_ranking_is_made_once_per_request_and_its_worklist_is_paged(address):
    request = ("--request-id", "0b9f3a52-6f0e-4b7e-8e57-0d4f1f6a7c11")
    made = [call("rank.py", *address, *request, "--json") for _ in range(2)]
    assert [m.returncode for m in made] == [0, 0], made[0].stderr
    assert made[0].stdout == made[1].stdout
    ranking = json.loads(made[0].stdout)["ranking_id"]
    shown = call("worklist.py", *address, "--ranking", ranking, "--queue", "late-calls", "--size", 0, "--json")
    rows = json.loads(shown.stdout)
    assert [row["priority"] for row in rows] == list(range(1, len(rows) + 1))
    assert {row["call_window"] for row in rows} == {"09:00 to 21:00"}
    density = [row["increment_minor_units"] / row["handling_minutes"] for row in rows]
    assert density == sorted(density, reverse=True)
    refused = call("rank.py", *address, *request, "--ordering", "BALANCE")
    assert (refused.returncode, "REQUEST_ID_REUSED" in refused.stderr) == (2, True)


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("explain.py", ("--ranking", "rk-none", "--account", "x"), "NOT_FOUND"),
        ("worklist.py", ("--ranking", "{ranking}", "--queue", "nobody"), "late-calls"),
        ("rank.py", ("--portfolio", "nobody"), "NOT_FOUND"),
        ("rank.py", ("--solver", "magic"), "Use one of default, exact, greedy, pricing"),
        ("compare_orderings.py", ("--outcomes", "nowhere.csv"), "nowhere.csv"),
        ("import_portfolio.py", ("--file", "examples/book.csv"), "--mapping"),
        ("save_plan.py", ("--file", "examples/book.toml"), "INVALID_ARGUMENT"),
    ],
)
def test_refusals_say_what_to_do_and_exit_with_2(demo, address, name, arguments, told):
    shown = call(name, *address, *(str(a).format(ranking=ranking_of(demo[1])) for a in arguments))
    assert shown.returncode == 2, shown.stdout
    assert told in " ".join(shown.stderr.split())


def test_flags_of_a_connection_without_address_are_refused(tmp_path):
    shown = call("rank.py", "--data", tmp_path, "--insecure-loopback")
    assert shown.returncode == 2
    assert "--address" in shown.stderr


def test_a_server_that_is_not_there_is_told_with_its_address():
    shown = call("explain.py", "--address", "127.0.0.1:1", "--insecure-loopback", "--ranking", "rk", "--account", "x")
    assert shown.returncode == 2
    assert "127.0.0.1:1" in shown.stderr
