"""The registry from the terminal: a version from draft to champion by four people, refusals with exit code 2, JSON."""

import json
from dataclasses import replace

import pyarrow as pa
import pyarrow.csv
import pytest

from collections_opt.application.models.registry_policy import read_policy, write_policy
from collections_opt.application.training.outcome import bundled_data
from collections_opt.application.workspace import open_workspace
from collections_opt.core.models.lifecycle import ModelAction
from collections_opt.datasets.files.training_files import OUTCOMES
from tests.support.books.bundled_portfolio import import_bundled, rank_bundled
from tests.support.models.folders import NOW, SHIPPED_VERSION, act, add_scorecard, add_version, approve, folder_with_people
from tests.support.scripts.processes import call

COMMANDS = ("list", "show", "submit", "validate", "approve", "promote", "rollback", "retire", "adopt", "compare")

NAMES = {code: name for name, code in OUTCOMES.items()}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command):
    shown = call("models.py", command, "--help")
    assert shown.returncode == 0
    assert f"Example: python scripts/models.py {command}" in " ".join(shown.stdout.split()).replace("│ ", "")


def test_a_version_is_governed_from_the_terminal(tmp_path):
    models = folder_with_people(tmp_path)
    (tmp_path / "data").mkdir()
    add_version(models, "next")
    reach = ("--data", tmp_path / "data", "--models", models)

    def done(*arguments, code=0):
        shown = call("models.py", *arguments, *reach)
        assert shown.returncode == code, shown.stderr
        return shown.stdout if code == 0 else shown.stderr

    opened = open_workspace(tmp_path / "data", models, lambda: NOW)
    for action in (ModelAction.SUBMIT, ModelAction.VALIDATE):
        act(opened, "next", action, note="read the report")
    opened.close()
    assert "PERMISSION_DENIED" in done("approve", "--version", "next", "--actor", "sue", code=2)
    done("approve", "--version", "next", "--actor", "ada", "--portfolio", "uci-*", "--days", 90)
    assert "next is now CHAMPION" in done("promote", "--version", "next", "--actor", "op")
    listed = {m["version"]: m["state"] for m in json.loads(done("list", "--json"))}
    assert listed == {"next": "MODEL_STATE_CHAMPION", SHIPPED_VERSION: "MODEL_STATE_APPROVED"}
    shown = done("show", "--version", "next")
    assert "read the report" in shown
    assert "PROMOTE" in shown


def test_a_trial_adopts_in_one_go_and_every_record_says_self_approved(tmp_path):
    models = folder_with_people(tmp_path)
    (tmp_path / "data").mkdir()
    add_version(models, "next")
    reach = ("--data", tmp_path / "data", "--models", models)

    def done(*arguments, code=0):
        shown = call("models.py", *arguments, *reach)
        assert shown.returncode == code, shown.stderr
        return shown.stdout if code == 0 else " ".join(shown.stderr.split())

    assert "--self-approved" in done("adopt", "--version", "next", "--actor", "ann", code=2)
    # People govern: one who may submit gets no further, and nothing is recorded.
    assert "is governed by the people" in done("adopt", "--version", "next", "--self-approved", "--actor", "sue", code=2)
    write_policy(models, replace(read_policy(models), self_approving=True))
    told = done("adopt", "--version", "next", "--self-approved", "--actor", "ann")
    assert "next is now CHAMPION" in told
    assert "SELF_APPROVED" in told
    shown = json.loads(done("show", "--version", "next", "--json"))
    assert {event["mode"] for event in shown["events"]} == {"APPROVAL_MODE_SELF_APPROVED"}
    actions = [event["action"].removeprefix("MODEL_ACTION_") for event in shown["events"]]
    assert actions == ["SUBMIT", "VALIDATE", "APPROVE", "PROMOTE"]
    assert "ann (SELF_APPROVED)" in " ".join(done("list").split())
    ranked = call("rank.py", *reach)
    assert ranked.returncode == 0, ranked.stderr
    assert "WARNING: outcome/next is self-approved: no second person looked." in " ".join(ranked.stdout.split())


def test_challengers_are_compared_on_the_same_accounts_and_by_log_loss_once_outcomes_are_known(tmp_path):
    models = folder_with_people(tmp_path)
    add_version(models, "twin")
    add_scorecard(models, "card")
    opened = open_workspace(tmp_path / "data", models, lambda: NOW)
    for version in ("twin", "card"):
        approve(opened, version)
        act(opened, version, ModelAction.CHALLENGE)
    import_bundled(opened)
    rank_bundled(opened)
    opened.close()
    later = bundled_data().later
    known = slice(0, 900)
    ids = [one.decode() for one in later.portfolio.column("account_id")[known].tolist()]
    outcomes = [NAMES[code] for code in later.outcome[known].tolist()]
    pyarrow.csv.write_csv(pa.table({"account_id": ids, "outcome": outcomes}), tmp_path / "outcomes.csv")
    reach = ("compare", "--data", tmp_path / "data", "--models", models)
    told = call("models.py", *reach, "--outcomes", tmp_path / "outcomes.csv", "--json")
    assert told.returncode == 0, told.stderr
    answer = json.loads(told.stdout)
    assert answer["accounts_judged"] == 900
    champion, card, twin = answer["models"]
    assert (champion["role"], champion["model_version"]) == ("champion", f"outcome/{SHIPPED_VERSION}")
    assert (card["model_version"], twin["model_version"]) == ("outcome/card", "outcome/twin")
    assert twin["agreement"] == 1
    assert 0 < card["rank_correlation_cure"] < 1
    assert champion["log_loss"] == pytest.approx(twin["log_loss"])
    assert champion["log_loss"] < card["log_loss"]
    shown = call("models.py", *reach)
    assert "outcome/twin" in shown.stdout
    assert "log loss" not in shown.stdout
    assert "Lists that challengers would have made" in shown.stdout
    assert int(twin["same_count"]) == int(twin["worked_count"]) > int(card["same_count"])
    (tmp_path / "outcomes.csv").write_text("account_id,outcome\nnobody,CURE\n")
    refused = call("models.py", *reach, "--outcomes", tmp_path / "outcomes.csv")
    assert refused.returncode == 2
    assert "not in the ranking" in refused.stderr
