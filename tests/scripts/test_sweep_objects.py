"""The sweep as an operator runs it: says first, removes then, refuses a grace that is too short."""

import json
import os
from pathlib import Path

from collections_opt.ledger.objects.remote import open_objects
from tests.support.scripts.processes import call


def test_old_orphans_are_shown_then_removed(tmp_path):
    store = open_objects(str(tmp_path / "objects"))
    old, young = store.put(b"old"), store.put(b"young")
    os.utime(Path(tmp_path / "objects" / old[:2] / old), (0, 0))
    dry = call("sweep_objects.py", "--data", tmp_path, "--dry-run", "--json")
    assert dry.returncode == 0, dry.stderr
    found = json.loads(dry.stdout)
    assert (found["orphans"], found["removed_count"], found["kept_count"]) == ([old], 0, 1)
    done = call("sweep_objects.py", "--data", tmp_path)
    assert "1 orphans of 3 bytes, removed 1; 1 files kept." in done.stdout
    assert (store.exists(old), store.exists(young)) == (False, True)
    refused = call("sweep_objects.py", "--data", tmp_path, "--grace-hours", "0")
    assert refused.returncode == 2
    assert "too short" in refused.stderr
