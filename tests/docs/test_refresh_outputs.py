"""The outputs in the docs come from the scripts they name, and from nowhere else."""

import re
import shlex

import pytest

from harness.docs import refresh_outputs
from tests.support.scripts.processes import ROOT, SCRIPTS

PAGES = sorted((ROOT / "docs").glob("*.md"))


def test_a_marked_output_is_replaced_and_the_rest_is_left_alone(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(refresh_outputs, "printed", lambda *arguments: asked.append(arguments) or "new\n")
    page = 'a\n<!-- output: scripts/rank.py --plan "x y" -->\n```text\nold\n```\nb\n```text\nkept\n```\n'
    assert refresh_outputs.refreshed(page, tmp_path) == page.replace("old", "new")
    assert asked == [("rank.py", "--plan", "x y", "--data", tmp_path)]
    refresh_outputs.refreshed(page.replace("rank.py", "strategy_effect.py"), tmp_path)
    assert asked[1:] == [("strategy_effect.py", "--plan", "x y")]


def test_a_script_that_fails_refreshes_nothing(tmp_path):
    with pytest.raises(RuntimeError, match="address"):
        refresh_outputs.printed("explain.py", "--account", "x", "--data", tmp_path, "--insecure-loopback")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_marked_output_names_a_script_and_is_filled(page):
    text = page.read_text("utf-8")
    marks = list(refresh_outputs.MARK.finditer(text))
    assert len(marks) == len(re.findall(r"<!-- output:", text))
    for mark in marks:
        assert mark["name"] in SCRIPTS
        assert shlex.split(mark["arguments"])
        assert len(mark[0].splitlines()) > 5
