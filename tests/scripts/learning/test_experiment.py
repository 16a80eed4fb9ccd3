"""Experiments from the terminal: planned from a ranking, created by one person, started by another, listed, read and stopped."""

import json

import pytest

from tests.support.scripts.processes import ROOT, call

COMMANDS = ("plan", "create", "start", "read", "stop", "list", "split-plan")
CREATE = ("--share", "0.1", "--from", "2026-12-01", "--days", "60", "--horizon", "30", "--people", "9000")
PLAN = ("--share", "0.1", "--days", "60", "--horizon", "30", "--standard-deviation", "300.00")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command):
    shown = call("experiment.py", command, "--help")
    assert shown.returncode == 0
    assert f"Example: python scripts/experiment.py {command}" in " ".join(shown.stdout.split()).replace("│ ", "")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("experiment")
    made = call("rank.py", "--data", folder, "--json")
    assert made.returncode == 0, made.stderr
    return folder


def done(data, *arguments, code=0):
    shown = call("experiment.py", *arguments, "--data", data)
    assert shown.returncode == code, shown.stderr
    return " ".join((shown.stdout if code == 0 else shown.stderr).split())


def test_from_a_plan_to_a_stop(data, tmp_path):
    planned = json.loads(done(data, "plan", *PLAN, "--find", "20.00", "--json"))
    assert planned["worked_person_count"] == 0  # nobody of the bundled accounts is known to be not vulnerable
    assert planned["protected_person_count"] > 0
    assert "never in it" in done(data, "plan", *PLAN)
    assert "nothing was saved" in done(data, "create", "--id", "h26", *CREATE, "--check", "--actor", "ann")
    assert "DRAFT" in done(data, "create", "--id", "h26", *CREATE, "--may-end-early", "--actor", "ann")
    one = ("--id", "h26", "--version", "1")
    assert "PERMISSION_DENIED" in done(data, "start", *one, "--actor", "ann", code=2)
    assert "STARTED" in done(data, "start", *one, "--actor", "ben")
    assert "RESOURCE_STATE_CONFLICT" in done(data, "read", "--id", "h26", code=2)
    stop = ("--id", "h26", "--from", "2026-12-20", "--reason", "enough")
    assert "It goes on until somebody else approves" in done(data, "stop", *stop, "--actor", "ann")
    assert "STOPPED" in done(data, "stop", "--id", "h26", "--version", "2", "--actor", "ben")
    listed = json.loads(done(data, "list", "--json"))
    assert [(each["experiment_id"], each["standing"]) for each in listed] == [("h26", "EXPERIMENT_STATE_STOPPED")]
    assert "share" in done(data, "create", "--id", "x", *CREATE[2:], "--share", "0.7", "--actor", "ann", code=2)


def test_two_plans_share_a_desk_from_a_split_to_a_reading(data):
    split = ("--plan", "credit-card-desk", "--challenger", "desk-b", "--share", "0.25", "--from", "2005-09-01")
    assert "not stored" in done(data, "split-plan", *split, "--check")
    shown = done(data, "split-plan", *split, "--until", "2005-10-30")
    assert "credit-card-desk: stored as version 2, from 2005-09-01" in shown
    assert "desk-b: stored as version 1, from 2005-09-01" in shown
    assert "credit-card-desk: stored as version 3, from 2005-10-31" in shown
    assert "is a part of" in done(data, "split-plan", *split, code=2)
    plans = ("--two-plans", "--plan", "credit-card-desk", "--challenger", "desk-b")
    when = ("--from", "2005-09-01", "--days", "60", "--horizon", "30", "--people", "4000", "--portfolio", "uci-2005-09*")
    assert "25" in done(data, "create", "--id", "s", *plans, "--share", "0.25", *when, "--actor", "ann")
    assert "worked by desk-b" in done(data, "start", "--id", "s", "--version", "1", "--actor", "ben")
    done(data, "create", "--id", "t", *plans, "--share", "0.4", *when, "--actor", "ann")
    assert "meet" in done(data, "start", "--id", "t", "--version", "1", "--actor", "ben", code=2)  # somebody could be in both
    assert "not with both" in done(data, "plan", *PLAN, "--two-plans", "--random-queue", code=2)
    planned = json.loads(done(data, "plan", *PLAN, "--two-plans", "--portfolio", "uci-2005-08", "--json"))
    assert planned["worked_person_count"] == planned["entering_person_count"] > 4_000
    assert "nobody is left out" in done(data, "plan", *PLAN, "--two-plans", "--portfolio", "uci-2005-08")


def test_the_script_says_what_the_command_says():
    script = (ROOT / "scripts/experiment.py").read_text("utf-8")
    assert "from collections_opt.cli.learning.experiment import command" in script
