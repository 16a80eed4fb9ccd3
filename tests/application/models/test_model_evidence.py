"""The models behind a ranking in its evidence: manifests, card and approvals are the record's, whoever signs the archive."""

import json

import pytest

from collections_opt.application.evidence.standalone import verify_evidence
from collections_opt.application.models.evidence import model_files
from collections_opt.application.records.ranking_facts import RankingFacts
from collections_opt.core.errors import CollectionsError
from collections_opt.core.models.lifecycle import ModelAction
from tests.support.books.evidence_worlds import NOW, book, opened, ranked
from tests.support.models.archives import files_of, signed_again
from tests.support.models.folders import act, add_version, approve, folder_with_people
from tests.support.models.served import approve as approve_effect
from tests.support.models.served import effect_model
from tests.support.models.served import write_effects as write


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    models = folder_with_people(folder)
    add_version(models, "next")
    workspace = opened(folder / "data", models=models, now=lambda: NOW)
    workspace.books.import_portfolio("p1", book(40))
    approve(workspace, "next")
    act(workspace, "next", ModelAction.PROMOTE)
    write(models, effect_model())
    approve_effect(workspace, models, "calls-1")
    yield workspace, ranked(workspace)
    workspace.close()


def test_the_archive_holds_manifests_card_and_who_approved(world):
    workspace, made = world
    archive = workspace.evidence.archive(made)
    files = files_of(archive)
    acts = json.loads(files["approvals.json"])["acts"]
    outcome = [(a["action"], a["actor"]) for a in acts if a["kind"] == "outcome"]
    assert outcome == [("SUBMIT", "sue"), ("VALIDATE", "val"), ("APPROVE", "ada"), ("PROMOTE", "op")]
    assert {a["version"] for a in acts if a["kind"] == "effect"} == {"calls-1"}
    assert json.loads(files["outcome_manifest.json"])["version"] == "next"
    assert json.loads(files["effect_manifest.json"])["version"] == "calls-1"
    report = " ".join(verify_evidence.check_archive(archive, workspace.evidence.proofs.vkey))
    assert "The outcome model is outcome/next, with the manifest recorded." in report
    assert "The effect model is effect/calls-1, with the manifest recorded." in report
    assert "It was approved by ada (as claimed: nobody authenticated who approved) until " in report


def approvals(change):
    return {"approvals.json": lambda raw: json.dumps({"acts": [change(a) for a in json.loads(raw)["acts"]]}).encode()}


FORGERIES = {
    "another approver": (
        approvals(lambda a: {**a, "actor": "eve"} if a["action"] == "APPROVE" else a),
        "approval that the record",
    ),
    "no approval": ({"approvals.json": lambda _: b'{"acts":[]}'}, "approval that the record"),
    "longer terms": (
        approvals(lambda a: {**a, "terms": {**a["terms"], "expires_at": "2099-01-01"}} if a["terms"] else a),
        "approval that the record",
    ),
    "another version": (approvals(lambda a: {**a, "version": "other"}), "of another version"),
    "another manifest": ({"outcome_manifest.json": lambda raw: raw.replace(b"next", b"best")}, "manifest differs"),
    "another effect manifest": ({"effect_manifest.json": lambda raw: raw + b" "}, "manifest differs"),
    "another effect model": ({"effect_model.json": lambda raw: raw + b" "}, "effect_model.json differs"),
    "another card": ({"model_card.md": lambda raw: raw + b" "}, "model_card.md differs"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_what_differs_from_the_record_is_refused_even_when_the_lender_signs_it(world, forgery):
    workspace, made = world
    changes, sentence = FORGERIES[forgery]
    files = files_of(workspace.evidence.archive(made))
    vkey = workspace.evidence.proofs.vkey
    verify_evidence.check_archive(signed_again(workspace, made.ranking_id, files), vkey)
    forged = {name: changes[name](content) if name in changes else content for name, content in files.items()}
    with pytest.raises(verify_evidence.Refused, match=sentence):
        verify_evidence.check_archive(signed_again(workspace, made.ranking_id, forged), vkey)


def test_approvals_without_their_manifest_are_refused(world):
    workspace, made = world
    files = files_of(workspace.evidence.archive(made))
    del files["outcome_manifest.json"]
    with pytest.raises(verify_evidence.Refused, match="without manifest"):
        verify_evidence.check_archive(signed_again(workspace, made.ranking_id, files), workspace.evidence.proofs.vkey)


def test_another_manifest_in_the_registry_is_not_exported(world):
    workspace, made = world
    with pytest.raises(CollectionsError, match="another manifest"):
        model_files(workspace.ledger, RankingFacts.from_record({**made.record, "model_digest": "0"}))


def test_a_ranking_without_registered_model_has_no_approvals(world):
    workspace, made = world
    unregistered = {"model_version": "policy/1", "model_digest": "x", "effects_version": "plan/desk/1"}
    files = model_files(workspace.ledger, RankingFacts.from_record({**made.record, **unregistered}))
    assert files == {"approvals.json": b'{"acts":[]}'}
