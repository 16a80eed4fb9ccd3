"""Checkpoints written by several at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest

from collections_opt.ledger.log import places as module
from collections_opt.ledger.log.checkpoints import Checkpoints
from collections_opt.ledger.log.merkle import MerkleTree
from collections_opt.ledger.log.signed_notes import Signer

WRITERS = 3


@pytest.mark.parametrize("shared", [False, True], ids=["real", "the planted bug: a name that writers share"])
def test_a_size_published_by_several_at_once_is_published(tmp_path, monkeypatch, shared):
    together, sync = threading.Barrier(WRITERS), module.os.fsync

    def sync_together(handle):
        sync(handle)
        together.wait(20.0)  # every writer has written and none has renamed

    monkeypatch.setattr(module, "os", SimpleNamespace(fsync=sync_together))
    if shared:
        monkeypatch.setattr(module, "uuid", SimpleNamespace(uuid4=lambda: SimpleNamespace(hex="the same")))
    tree = MerkleTree(np.zeros((2, 32), dtype=np.uint8))
    checkpoints = Checkpoints(tmp_path / "checkpoints", "log", Signer("log", bytes(32)))

    def publish(_):
        try:
            checkpoints.publish(tree)
        except OSError as error:
            together.abort()
            return error
        except threading.BrokenBarrierError:
            return None
        return None

    with ThreadPoolExecutor(WRITERS) as pool:
        errors = [error for error in pool.map(publish, range(WRITERS)) if error]
    assert bool(errors) == shared
    if not shared:
        assert list(checkpoints.published()) == [("0000000002.txt", checkpoints.note(tree))]
        assert [path.suffix for path in (tmp_path / "checkpoints").iterdir()] == [".txt"]
