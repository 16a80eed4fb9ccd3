"""The golden rankings keep verifying under today's code: a few of them here, all of them in ``make replay``."""

import numpy as np
import pytest

from collections_opt.application.evidence import replay
from collections_opt.application.evidence.findings import Strength
from collections_opt.application.evidence.replay import ReplayOutcome
from collections_opt.application.evidence.standalone import verify_evidence
from collections_opt.core.ranking import pipeline, ranking
from harness.golden import explaining
from harness.golden.recording import ARCHIVE, COUNT, FOLDER, cases
from harness.golden.replaying import in_another_process, replay_all, unpacked


@pytest.fixture(scope="module")
def golden(tmp_path_factory):
    workspace = unpacked(tmp_path_factory.mktemp("golden"))
    yield workspace
    workspace.close()


def test_all_are_there_in_order_and_every_one_is_accepted_by_its_archive(golden):
    assert len(list(cases())) == COUNT
    assert golden.evidence.verification.verify_log().broken == ()
    records = golden.ledger.rankings.before(None, 1_000)
    assert len(records) == COUNT
    for record in records[::5]:
        assert verify_evidence.check_archive(golden.evidence.archive(record), golden.evidence.proofs.vkey)


@pytest.mark.parametrize("path", [path for path in sorted(FOLDER.glob("*.zip")) if path != ARCHIVE], ids=lambda path: path.stem)
def test_what_earlier_versions_recorded_keeps_verifying(tmp_path, path):
    workspace = unpacked(tmp_path, path)
    assert workspace.evidence.verification.verify_log().broken == ()
    records = workspace.ledger.rankings.before(None, 1_000)
    assert len(records) == COUNT
    for record in records[::7]:
        assert workspace.evidence.verification.verify_ranking(record.ranking_id).reached is Strength.CERTIFICATE
        assert workspace.evidence.replays.replay(record.ranking_id).outcome is not ReplayOutcome.MISMATCH
        assert verify_evidence.check_archive(workspace.evidence.archive(record), workspace.evidence.proofs.vkey)
    workspace.close()


def test_some_of_them_certified_and_bit_identical(golden):
    figures = replay_all(golden, every=7, row_seeds=(1,))
    assert figures.certified == figures.count == 8
    assert figures.environment or (figures.broken, figures.identical) == ((), 8)


def test_another_hash_seed_changes_nothing():
    figures = in_another_process("99", every=17)
    assert figures.certified == figures.count == 3
    assert figures.environment or (list(figures.broken), figures.identical) == ([], 3)


def test_answers_are_accepted_and_altered_bytes_are_not(tmp_path):
    workspace = explaining.made(tmp_path, 80)
    accepted, seconds = explaining.ask(workspace, 80)
    assert accepted == len(seconds) == 80  # 55 decided, 25 refused at the door
    record, proofs = workspace.ledger.rankings.before(None, 1)[0], workspace.evidence.proofs
    archive = workspace.evidence.archive(record)
    assert explaining.accepted_alterations(verify_evidence.check_archive, archive, proofs.vkey, 50) == []
    # The planted bug: a verifier that trusts what it is given.
    assert len(explaining.accepted_alterations(lambda content, key: content, archive, proofs.vkey, 5)) == 5
    workspace.close()


def by_hash(queue, key):
    """The planted bug: ties broken by hash(), where 64 neighbours count as a tie: no hash keeps them all in order."""
    rank = np.argsort(np.argsort(-key, kind="stable"))
    order = np.lexsort((np.array([hash(str(row)) for row in range(queue.size)]), rank // 64, queue))
    priority = np.zeros(queue.size, dtype=np.int32)
    for number in np.unique(queue[queue >= 0]):
        rows = [row for row in order if queue[row] == number]
        priority[rows] = np.arange(1, len(rows) + 1)
    return priority


def in_row_order(portfolio, *rest):
    """The planted bug: money summed in floats in the order of the rows, so that the last one pays for the rounding."""
    entries = honest(portfolio, *rest)
    drift = np.cumsum(entries.surplus_minor * 0.1) - 0.1 * np.cumsum(entries.surplus_minor)
    return type(entries)(**{**entries.columns(), "surplus_minor": entries.surplus_minor + np.sign(drift).astype(np.int64)})


honest = pipeline.make_entries


@pytest.mark.parametrize(
    ("module", "name", "bug"), [(ranking, "priority_in_queue", by_hash), (pipeline, "make_entries", in_row_order)]
)
def test_planted_bugs_are_caught(golden, monkeypatch, module, name, bug):
    monkeypatch.setattr(module, name, bug)
    monkeypatch.setattr(replay, "same_environment", lambda _: "")  # a newer library must not excuse the bug
    found = replay_all(golden, every=9, row_seeds=())
    assert found.identical < found.count
    assert any("of account" in line for line in found.broken)
