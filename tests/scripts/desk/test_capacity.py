"""scripts/capacity.py as a person runs it: show, what-if with its page, set under an etag, a dry run, refusals."""

import csv
import json

import pytest

from collections_opt.cli.desk import change_notation
from collections_opt.core.desk.capacity_changes import QueueChange
from collections_opt.core.desk.list_changes import ListChange, ListOperation
from collections_opt.core.errors import CollectionsError
from collections_opt.wire.capacity_changes import read_queue_change
from tests.support.scripts.processes import call, server


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Return a folder with the bundled portfolio ranked."""
    folder = tmp_path_factory.mktemp("capacity")
    made = call("rank.py", "--data", folder)
    assert made.returncode == 0, made.stderr
    return folder


@pytest.fixture(scope="module")
def address(data):
    with server(data) as flags:
        yield flags


def capacity(*arguments):
    return call("capacity.py", *arguments)


def test_a_what_if_shows_prediction_beside_re_solve_and_writes_page_and_csv(address, tmp_path):
    page, rows = tmp_path / "w.html", tmp_path / "w.csv"
    change = ("--change", "late-calls:minutes=+10%", "--change", "text-reminders:closed")
    shown = capacity("what-if", *address, *change, "--html", page, "--csv", rows)
    assert shown.returncode == 0, shown.stderr
    said = " ".join(shown.stdout.split())
    for text in ("The prices before predicted", "the re-solve found", "senior-negotiators", "+10 %", "accounts enter", "saved"):
        assert text in said
    html = page.read_text("utf-8")
    assert html.startswith("<!doctype html>")
    assert html.count("<svg") == 6
    table = list(csv.DictReader(rows.open(encoding="utf-8")))
    assert [row["queue_id"] for row in table][:2] == ["early-calls", "late-calls"]
    assert table[3]["after_worked_count"] == "0"


def test_machines_get_the_evaluation_the_same_in_process_and_from_a_server(data, address):
    arguments = ("what-if", "--change", "early-calls:agents=+1", "--json")
    remote, local = capacity(*arguments, *address), capacity(*arguments, "--data", data)
    assert (remote.returncode, local.returncode) == (0, 0), remote.stderr + local.stderr
    assert remote.stdout == local.stdout
    found = json.loads(local.stdout)
    assert 0 < found["change_minor_units"] <= found["highest_change_minor_units"]
    assert found["predicted_change_minor_units"] >= found["change_minor_units"]


def test_a_dry_run_stores_nothing_and_setting_follows_the_etag(address):
    before = json.loads(capacity("show", *address, "--json").stdout)
    change = ("--change", "early-calls:agents=+1,shrinkage=0.3", "--effective-from", "2005-08-02")
    dry = capacity("set", *address, *change, "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert "nothing was stored" in dry.stdout
    assert "accounts enter" in dry.stdout
    assert json.loads(capacity("show", *address, "--json").stdout) == before
    stored = capacity("set", *address, *change)
    assert stored.returncode == 0, stored.stderr
    after = json.loads(capacity("show", *address, "--json").stdout)
    assert after["version"] == before["version"] + 1
    queue = after["queues"][0]
    assert (queue["agent_count"], queue["shrinkage"]) == (before["queues"][0]["agent_count"] + 1, 0.3)
    assert after["effective_from"] == {"year": 2005, "month": 8, "day": 2}
    stale = capacity("set", *address, *change, "--etag", before["etag"])
    assert (stale.returncode, "ETAG_MISMATCH" in stale.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("what-if", "--change", "late-calls:shrinkage=3"), "changes.queues[0].shrinkage"),
        (("set", "--change", "late-calls:agents=3"), "--effective-from"),
    ],
)
def test_refusals_say_what_to_do_and_exit_with_2(address, arguments, told):
    shown = capacity(*arguments, *address)
    assert shown.returncode == 2, shown.stdout
    assert told in " ".join(shown.stderr.split())


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("a:closed", QueueChange("a", closed=True)),
        ("a:agents=2.5", QueueChange("a", agents=2.5)),
        ("a:agents=+1, shrinkage=0.3", QueueChange("a", added_agents=1, shrinkage=0.3)),
        ("a:agents=-1,committed-minutes=0", QueueChange("a", added_agents=-1, committed_minutes=0)),
        ("a:minutes=-20%,occupancy=0.9,paid-minutes=450", QueueChange("a", None, None, 450, None, 0.9, None, 0.8)),
    ],
)
def test_a_change_is_read_as_people_write_it(text, change):
    assert change_notation.read_change(text) == change
    message = change_notation.write_changes([change]).queues[0]
    assert message.queue_id == "a"
    assert message.HasField("agent_count") == (change.agents is not None)
    assert message.closed == change.closed


@pytest.mark.parametrize("text", ["late", "late:", ":agents=1", "late:agents", "late:agents=x", "late:wages=3", "late:minutes=9"])
def test_a_change_that_cannot_be_read_says_how_one_is_written(text):
    with pytest.raises(CollectionsError, match="QUEUE:FIELD=VALUE"):
        change_notation.read_change(text)
    with pytest.raises(CollectionsError, match="is missing"):
        change_notation.read_changes([])


def test_lists_are_written_with_signs_and_bars():
    change = change_notation.read_change("a:states+=US-TX|US-IL,skills-=card,products=,windows=08:00-12:00,time-zone=UTC")
    assert change.lists == (
        ListChange("states", ListOperation.ADD, ("US-TX", "US-IL")),
        ListChange("skills", ListOperation.REMOVE, ("card",)),
        ListChange("products", ListOperation.SET, ()),
        ListChange("windows", ListOperation.SET, ("08:00-12:00",)),
    )
    assert change.time_zone == "UTC"
    message = change_notation.write_changes([change]).queues[0]
    assert read_queue_change(message, "") == change
    with pytest.raises(CollectionsError, match="QUEUE:FIELD=VALUE"):
        change_notation.read_change("a:agents+=2")


def test_a_day_is_changed_seen_and_taken_back(address):
    sick = ("day", *address, "--queue", "late-calls", "--on", "2005-09-05", "--sick", "2")
    dry = capacity(*sick, "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert "nothing was stored" in " ".join(dry.stdout.split())
    made = json.loads(capacity(*sick, "--note", "flu", "--json").stdout)
    figures = {each["field"]: (float(each["before"]), float(each["after"])) for each in made["calendar_change"]["differences"]}
    assert figures["agents"][1] == figures["agents"][0] - 2
    shown = capacity("calendar", *address, "--on", "2005-09-04", "--until", "2005-09-06")
    assert [text in shown.stdout for text in ("2005-09-05", "SICK", "flu", "late-calls, hours")] == [True] * 4
    stale = capacity(*sick, "--etag", made["calendar_change"]["etag"])
    assert (stale.returncode, "ETAG_MISMATCH" in stale.stderr) == (2, True)
    compared = capacity("diff", *address, "--before", "2005-09-04", "--after", "2005-09-05", "--json")
    assert {each["field"] for each in json.loads(compared.stdout)} == {"agents", "capacity_minutes"}
    back = capacity("revert", *address, "--change-id", made["change_id"])
    assert (back.returncode, "was taken back" in back.stdout) == (0, True), back.stderr
    again = capacity("diff", *address, "--before", "2005-09-04", "--after", "2005-09-05")
    assert "Nothing differs" in again.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("day", "--on", "2005-09-05", "--queue", "late-calls"), "0 kinds of change"),
        (("day", "--on", "2005-09-05", "--queue", "late-calls", "--sick", "99"), "day_change.agent_count"),
        (("revert",), "give one of them"),
        (("diff", "--before", "1", "--after", "friday"), "no version and no day"),
        (("show", "--on", "2001-01-01"), "CAPACITY_PLAN_NOT_EFFECTIVE"),
    ],
)
def test_refusals_of_the_calendar_say_what_to_do(address, arguments, told):
    shown = capacity(*arguments, *address)
    assert shown.returncode == 2, shown.stdout
    assert told in " ".join(shown.stderr.split())


def test_a_plan_is_exported_changed_and_saved_and_an_old_file_over_a_newer_version_is_refused(address, tmp_path):
    file = tmp_path / "plan.toml"
    assert capacity("export", *address, "--out", file).returncode == 0
    first = call("save_plan.py", *address, "--file", file, "--json")
    assert first.returncode == 0, first.stderr
    again = call("save_plan.py", *address, "--file", file)
    assert (again.returncode, "ETAG_MISMATCH" in again.stderr) == (2, True)
    stored = json.loads(first.stdout)["version"]
    versions = json.loads(capacity("versions", *address, "--json").stdout)
    assert versions[0]["version"] == stored
    licensed = capacity(
        "set", *address, "--change", "late-calls:products=CREDIT_CARD", "--effective-from", "2005-10-01", "--json"
    )
    assert json.loads(licensed.stdout)["queues"][1]["products"] == ["CREDIT_CARD"]
    table = capacity("versions", *address).stdout
    assert table.count("stands") >= 3
    unnamed = file.read_text("utf-8").replace(f"version = {json.loads(first.stdout)['version'] - 1}\n", "version = 0\n")
    file.write_text(unnamed, "utf-8")
    nothing = call("save_plan.py", *address, "--file", file)
    assert (nothing.returncode, "ALREADY_EXISTS" in nothing.stderr) == (2, True)


def test_one_more_agent_is_told_today_over_the_week_and_as_moves(address):
    shown = call("next_agent.py", *address, "--move", "1", "--days", "2", "--json")
    assert shown.returncode == 0, shown.stderr
    assert "In force: rk-" in shown.stderr
    found = json.loads(shown.stdout)
    assert len(found["today"]) == len(found["week"]) == 5
    for today, week in zip(found["today"], found["week"], strict=True):
        assert today.get("low_minor_units", 0) <= today.get("gain_minor_units", 0) <= today["high_minor_units"]
        assert week["minutes"] >= today["minutes"]
    table = call("next_agent.py", *address, "--move", "0", "--days", "1")
    assert (table.returncode, "to be worked" in " ".join(table.stdout.split())) == (0, True), table.stderr
