"""``outcomes`` and ``monitor`` as people run them: a file told, a ranking matured, its page."""

import json
import zipfile
from contextlib import closing
from datetime import UTC, datetime

import pytest

from tests.support.day.day_worlds import Clock, open_world
from tests.support.scripts.processes import call
from tests.support.serving.matured_books import BOOK, rank_book


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a data folder with a ranked book of September."""
    path = tmp_path_factory.mktemp("told")
    with closing(open_world(path, Clock(datetime(2026, 9, 1, 12, tzinfo=UTC)))) as workspace:
        rank_book(workspace, count=60)
    rows = [f"a{row:03d},{'CURED' if row % 3 else 'DEFAULTED'},2026-09-{10 + row % 9}" for row in range(50)]
    (path / "outcomes.csv").write_text("\n".join(["account_id,outcome,outcome_date", *rows]) + "\n", "utf-8")
    return path


def python(name, *arguments, expect=0):
    done = call(f"{name}.py", *arguments)
    assert done.returncode == expect, done.stderr
    return done


def test_outcomes_are_told_matured_listed_and_shown(folder):
    file = ["--portfolio", BOOK, "--file", str(folder / "outcomes.csv")]
    assert "nothing was recorded" in python("outcomes", "record", "--data", str(folder), *file, "--check").stdout
    assert "50 rows are recorded" in python("outcomes", "record", "--data", str(folder), *file).stdout
    refused = python("outcomes", "mature", "--data", str(folder), expect=2)
    assert "--horizon-days" in refused.stderr
    terms = ["--horizon-days", "30", "--default-days-past-due", "90"]
    done = json.loads(python("outcomes", "mature", "--data", str(folder), *terms, "--json").stdout)
    assert {one["outcome"]: int(one["account_count"]) for one in done[0]["counts"]}["HORIZON_OUTCOME_CURED"] == 33
    assert "No ranking is due" in python("outcomes", "mature", "--data", str(folder), *terms).stdout
    assert "not seen at their horizon" in python("outcomes", "list", "--data", str(folder)).stdout.replace("\n", " ")
    shown = python("outcomes", "show", "--data", str(folder), "--ranking", done[0]["ranking_id"]).stdout.splitlines()
    assert len(shown) == 61
    assert shown[1] == "a000,DEFAULTED,FILE,9,30,0,False,"
    page = folder / "page.html"
    told = python("monitor", "--data", str(folder), "--html", str(page)).stdout
    assert "1 matured ranking(s)" in told
    assert "part by part" in told
    text = page.read_text("utf-8")
    assert "<svg" in text
    assert done[0]["ranking_id"] in text
    assert json.loads(python("monitor", "--data", str(folder), "--json").stdout)[0]["unseen_count"] == "10"
    archive = folder / "pack.zip"
    packed = json.loads(python("model_pack", "--data", str(folder), "--out", str(archive), "--json").stdout)
    assert any(one["trigger"] == "not judged lately" or "second person" in one["why"] for one in packed["triggers"])
    with zipfile.ZipFile(archive) as held:
        names = set(held.namelist())
        inventory = json.loads(held.read("inventory.json"))
    assert {"README.txt", "events.json", "monitors.json", "monitors.html", "triggers.json"} <= names
    champion = next(one for one in inventory if one.get("role") == "MODEL_ROLE_CHAMPION" and one["kind"] == "outcome")
    assert champion["stands_on"]["served_beside"].startswith("plan/matured-desk/1")
    assert f"cards/outcome-{champion['version']}.md" in names
