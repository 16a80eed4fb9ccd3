"""The sweep as an operator runs it: says first, removes then, refuses a grace that is too short."""

import json
import os
from pathlib import Path

from tests.support.books.evidence_worlds import book, opened
from tests.support.scripts.processes import call


def test_old_orphans_are_shown_then_removed(tmp_path):
    workspace = opened(tmp_path)
    workspace.books.import_portfolio("p1", book(20))
    store = workspace.ledger.objects
    old, young = store.put(b"old"), store.put(b"young")
    kept = sum(1 for _ in store.files()) - 1
    os.utime(Path(tmp_path / "objects" / old[:2] / old), (0, 0))
    workspace.close()
    dry = call("sweep_objects.py", "--data", tmp_path, "--dry-run", "--json")
    assert dry.returncode == 0, dry.stderr
    found = json.loads(dry.stdout)
    assert (found["orphans"], found["removed_count"], found["kept_count"]) == ([old], 0, kept)
    done = call("sweep_objects.py", "--data", tmp_path)
    assert f"1 orphans of 3 bytes, removed 1; {kept} files kept." in done.stdout
    assert (store.exists(old), store.exists(young)) == (False, True)
    refused = call("sweep_objects.py", "--data", tmp_path, "--grace-hours", "0")
    assert refused.returncode == 2
    assert "too short" in refused.stderr
    nothing = call("sweep_objects.py", "--data", tmp_path / "misspelt")
    assert nothing.returncode == 2
    assert "there is no folder" in nothing.stderr
    assert not (tmp_path / "misspelt").exists()
