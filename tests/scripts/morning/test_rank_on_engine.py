"""``rank --engine spark`` as people run it: a file in, the same ranking out as in one process; refusals say what to do."""

from __future__ import annotations

import importlib.util
import json
import shutil

import pytest

from collections_opt.cli.common.engine import EngineName, engine_of
from collections_opt.core.errors import CollectionsError
from tests.support.engines.spark import MASTER, required
from tests.support.scripts.processes import ROOT, call

EXAMPLES = ROOT / "examples"
BOOK = ("--portfolio", EXAMPLES / "book.csv", "--mapping", EXAMPLES / "book.toml")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    saved = call("save_plan.py", "--data", folder, "--file", EXAMPLES / "plan.toml", "--json")
    assert saved.returncode == 0, saved.stderr
    return folder, ("--data", folder, *BOOK, "--plan", json.loads(saved.stdout)["plan_id"])


def test_a_file_is_ranked_on_spark_as_in_one_process(data):
    required()
    folder, book = data
    given = ("--parameters", EXAMPLES / "parameters.toml", "--solver", "pricing", "--json")
    there = call("rank.py", *book, *given, "--engine", "spark", "--master", MASTER)
    assert there.returncode == 0, there.stderr
    assert "rows are quarantined and not ranked" in there.stderr
    assert "in this process" not in there.stderr
    here = call("rank.py", *book, *given)
    assert here.returncode == 0, here.stderr
    one, other = json.loads(there.stdout), json.loads(here.stdout)
    assert one["record"]["entries_digest"] == other["record"]["entries_digest"]
    assert one["ranking_id"] != other["ranking_id"]
    verified = call("verify.py", "ranking", "--data", folder, "--ranking", one["ranking_id"])
    assert verified.returncode == 0, verified.stdout
    assert list((folder / "engine").iterdir()) == []


def test_the_engine_of_a_server_is_not_chosen_by_its_caller(data):
    refused = call("rank.py", "--address", "localhost:1", "--insecure-loopback", "--engine", "spark")
    assert refused.returncode == 2
    assert "the server's own" in refused.stderr or "not installed" in refused.stderr


@pytest.mark.parametrize(
    ("module", "name", "remedy"), [(importlib.util, "find_spec", "pip install"), (shutil, "which", "Java 17")]
)
def test_what_an_engine_lacks_is_said_with_the_remedy(monkeypatch, module, name, remedy):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: True)
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/java")
    monkeypatch.setattr(module, name, lambda _: None)
    with pytest.raises(CollectionsError) as refused, engine_of(EngineName.SPARK, "local[1]", "unused"):
        pass
    assert remedy in refused.value.violations[0].remedy


def test_without_an_engine_nothing_is_opened(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with engine_of(EngineName.HERE, "local[1]", "unused") as engine:
        assert engine is None
