"""The README cannot rot: its commands and its Python run, its files exist; and pages lead where they say."""

import contextlib
import io
import re
import shlex
import subprocess
from datetime import date

import pandas as pd
import pytest

from collections_opt.api.v1.scoring_service_pb2 import ScoreAccountsRequest
from collections_opt.application.settings import bundled_rules
from collections_opt.client import Connection, connect
from collections_opt.core.rules.tables import RuleKind
from collections_opt.wire.common import write_date
from tests.support.readme import ADDRESS, README
from tests.support.scripts.processes import ROOT, SCRIPTS, call, server

CONSOLE = [line for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]
COMMANDS = [line for line in CONSOLE if line.startswith(".venv/bin/python scripts/")]
EXIT_CODES = {"import_portfolio.py": 3}
"""The example book has rows at fault on purpose; everything else succeeds."""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tmp_path_factory.mktemp("readme")


@pytest.fixture(scope="module")
def address(data):
    with server(data) as flags:
        ranked = call("rank.py", *flags)
        assert ranked.returncode == 0, ranked.stderr
        yield flags[1]


def test_every_command_of_a_script_succeeds_as_written(data, address):
    assert len(COMMANDS) >= 7
    for command in COMMANDS:
        here = command.replace(ADDRESS, address).replace("var/demo", str(data))
        script, *arguments = shlex.split(here.removeprefix(".venv/bin/python scripts/"))
        if "--address" not in arguments:
            arguments += ["--address", address, "--insecure-loopback"]
        shown = call(script, *arguments)
        assert shown.returncode == EXIT_CODES.get(script, 0), f"{command}\n{shown.stderr}"


def test_every_make_target_named_exists():
    named = set(re.findall(r"make ([a-z-]+)", " ".join(CONSOLE) + " ".join(re.findall(r"`(make [a-z-]+)", README))))
    assert {"demo", "test", "serve", "help", "check"} <= named
    for target in sorted(named):
        planned = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
        assert planned.returncode == 0, planned.stderr


RANKS, SCORES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
"""All its Python: a third block needs a test of its own."""


def test_the_python_that_ranks_runs_as_written(address):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(RANKS.replace(ADDRESS, address), "README.md", "exec"), {})
    lines = printed.getvalue().splitlines()
    assert lines[0].startswith("early-calls")
    assert lines[-1] == "True"


def test_the_python_that_scores_a_table_runs_as_written(address):
    table = {
        "account_id": ["a-1", "a-2", "a-3"],
        "product": ["CREDIT_CARD"] * 3,
        "balance_minor_units": [900_000, 50_000, 400_000],
        "arrears_minor_units": [90_000, 5_000, 40_000],
        "days_past_due": [45, 35, 70],
    }
    day, plan = write_date(date(2026, 11, 24)), "credit-card-desk"
    terms = ScoreAccountsRequest(as_of_date=day, time_zone="Asia/Taipei", currency_code="TWD", capacity_plan_id=plan)
    with connect(Connection(address, insecure_loopback=True)) as client:
        names = {"client": client, "frame": pd.DataFrame(table), "terms": terms}
        exec(compile(SCORES, "README.md", "exec"), names)
    scored, best = names["scored"], names["best"]
    assert scored.accounts["account_id"].tolist() == table["account_id"]
    worth = scored.queues["increment_minor_units"]
    assert worth.shape == (3, len(scored.queue_ids))
    assert [worth[row, queue] for row, queue in enumerate(best)] == worth.max(axis=1).tolist()


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs/how-to").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_and_path_exists(page):
    text = page.read_text("utf-8")
    linked = [path for path in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) if "://" not in path]
    assert [path for path in linked if not (page.parent / path).exists()] == []
    named = re.findall(r"`((?:scripts|collections_opt|proto|examples|docs)/[\w./-]+)`", text)
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_script_is_in_the_table_and_no_other():
    commands = (ROOT / "docs/commands.md").read_text("utf-8")
    listed = re.findall(r"^\| `scripts/(\w+\.py)` \|", commands, re.MULTILINE)
    assert sorted(listed) == SCRIPTS


def test_the_readme_reads_in_five_minutes():
    words = len(re.sub(r"```.*?```", "", README, flags=re.DOTALL).split())
    assert words <= 1_500, f"{words} words outside of code"


def test_the_readme_counts_the_places_that_the_shipped_rules_name():
    rules = bundled_rules().rules
    places = {place for rule in rules for place in rule.jurisdictions}
    hours = {place for rule in rules if rule.kind is RuleKind.HOURS for place in rule.jurisdictions}
    told = re.search(r"(\d+) places have rules of their own, (\d+) of them hours", README)
    assert told.groups() == (str(len(places)), str(len(hours)))
