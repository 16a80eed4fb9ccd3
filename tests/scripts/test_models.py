"""The registry from the terminal: a version from draft to champion by four people, refusals with exit code 2, JSON."""

import json

import pytest

from collections_opt.application.workspace import open_workspace
from collections_opt.core.model_lifecycle import ModelAction
from tests.application.model_folders import NOW, SHIPPED_VERSION, act, add_version, folder_with_people
from tests.scripts.test_scripts import call

COMMANDS = ("list", "show", "submit", "validate", "approve", "promote", "rollback", "retire")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command):
    shown = call("models.py", command, "--help")
    assert shown.returncode == 0
    assert f"Example: python scripts/models.py {command}" in " ".join(shown.stdout.split()).replace("│ ", "")


def test_a_version_is_governed_from_the_terminal(tmp_path):
    models = folder_with_people(tmp_path)
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
