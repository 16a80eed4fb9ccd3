"""A lender's own columns in the records: stored as they came, verified, replayed to the bit, and erased with their account."""

from dataclasses import replace

import numpy as np
import pytest

from collections_opt.application.evidence.findings import Strength
from collections_opt.application.evidence.replay import ReplayOutcome
from collections_opt.application.evidence.standalone import verify_evidence
from collections_opt.application.records.erasures import ErasureRequest
from collections_opt.core.accounts.admission import admit
from collections_opt.core.accounts.own_columns import OwnColumn, OwnKind
from tests.support.books.evidence_worlds import book, opened, ranked

OWN = (
    OwnColumn("bureau_score", OwnKind.NUMBER, "Score of the bureau.", "points", None, 1, may_be_missing=True),
    OwnColumn("employer", OwnKind.CATEGORY, "Employer.", may_be_missing=True),
)


def with_own(raw):
    """Return a book with own columns, one category of which says whose it is."""
    rng = np.random.default_rng(5)
    employer = np.array([f"Works of Nobody Else {i}" if i < 3 else "Mill" for i in range(raw.row_count)], dtype=object)
    score = np.where(rng.random(raw.row_count) < 0.2, np.nan, rng.normal(600, 50, raw.row_count))
    columns = {**raw.columns, "own.bureau_score": np.nan_to_num(score), "own.employer": employer}
    return replace(raw, columns=columns, present={"own.bureau_score": ~np.isnan(score)}, own=OWN)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    workspace = opened(folder)
    raw = with_own(book(40, bad=0))
    workspace.books.import_portfolio("p1", raw)
    yield workspace, ranked(workspace), raw, folder
    workspace.close()


def test_a_portfolio_is_read_from_its_record_as_it_came(world):
    workspace, made, raw, _ = world
    sent = admit(raw).portfolio
    stored = workspace.recorded.portfolio("p1")
    assert stored.digest == sent.digest == made.record["input_digest"]
    assert stored.own.declared == sent.own.declared
    for name, column in sent.own.values.items():
        np.testing.assert_array_equal(stored.own.values[name], column)


def test_a_ranking_of_it_is_verified_replayed_and_proven(world):
    workspace, made, _, _ = world
    verdict = workspace.evidence.verification.verify_ranking(made.ranking_id)
    assert verdict.reached is Strength.CERTIFICATE, verdict.broken
    replayed = workspace.evidence.replays.replay(made.ranking_id)
    assert replayed.outcome is ReplayOutcome.BIT_IDENTICAL, replayed.detail
    proof = workspace.evidence.prove(made, "AC-00007")
    assert "AC-00007" in verify_evidence.check_proof(proof.content, workspace.evidence.proofs.vkey)[-1]


def test_a_category_that_names_a_person_stands_nowhere_in_the_clear(world):
    workspace, _, raw, folder = world
    content = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"Nobody Else" not in content
    whose = raw.columns["account_id"][0]
    workspace.evidence.erasures.erase([whose], ErasureRequest("asked for"))
    left = workspace.recorded.portfolio("p1").own.vocabulary["employer"]
    assert left == ("Mill", "Works of Nobody Else 1", "Works of Nobody Else 2")
