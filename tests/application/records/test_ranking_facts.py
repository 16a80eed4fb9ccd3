"""Records are read and written in one place: whatever version wrote one, it is written again byte for byte."""

import json
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collections_opt.application.evidence.standalone import verify_evidence
from collections_opt.application.rankings.command import RankingCommand
from collections_opt.application.records.ranking_facts import RankingFacts, objects_of
from collections_opt.application.records.record_parts import RecordPart, flat, read_part, stored_objects, write_part
from collections_opt.application.records.scoring_facts import Health, ServedModel, ShadowScores
from collections_opt.application.settings import bundled_parameters, bundled_plan
from collections_opt.application.workspace import open_workspace
from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.models.lifecycle import ModelKind
from collections_opt.core.names import OMITTED_AT_DEFAULT
from collections_opt.core.problem.assignment import ignore_progress
from collections_opt.core.problem.constraints import RankingConstraints
from collections_opt.core.ranking.ordering import Ordering
from collections_opt.ledger.log.chain import canonical_json
from harness.golden.recording import COUNT, FOLDER
from harness.golden.replaying import unpacked
from tests.support.books.bundled_portfolio import BUNDLED_PORTFOLIO_ID, import_bundled
from tests.support.models.folders import NOW, folder_with_people

LATER = ("losses_by_source", "persons", "stated_money", "score_counts scores_compared_with", "rule_tables values_from", "scoring")
"""Keys that came after the first version; those that came together stand together."""


@pytest.fixture(scope="module")
def golden(tmp_path_factory):
    """The records of every version, by the archive that holds them."""
    found = {}
    for path in sorted(FOLDER.glob("*.zip")):
        workspace = unpacked(tmp_path_factory.mktemp(path.stem), path)
        found[path.stem] = [record.record for record in workspace.ledger.rankings.before(None, 1_000)]
        workspace.close()
    return found


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """Records of today: by expected value with a reserve, and in a raw order."""
    folder = tmp_path_factory.mktemp("fresh")
    workspace = open_workspace(folder / "data", folder_with_people(folder), lambda: NOW)
    import_bundled(workspace)
    asked = (Ordering.EXPECTED_VALUE, RankingConstraints(exploration_share=0.02)), (Ordering.BALANCE, RankingConstraints())
    made = []
    for number, (ordering, constraints) in enumerate(asked):
        request_id, plan_id = f"00000000-0000-4000-8000-{number:012d}", bundled_plan().plan_id
        basis = (None, ordering, bundled_parameters())
        command = RankingCommand(request_id, BUNDLED_PORTFOLIO_ID, plan_id, *basis, constraints=constraints)
        made.append(workspace.rank(command, ignore_progress).record)
    workspace.close()
    return made


def is_the_same(record):
    facts = RankingFacts.from_record(record)
    assert canonical_json(facts.to_record()) == canonical_json(record)
    assert RankingFacts.from_record(json.loads(canonical_json(facts.to_record()))) == facts
    return facts


def test_every_golden_record_is_written_again_byte_for_byte(golden):
    assert {name: len(records) for name, records in golden.items()} == dict.fromkeys(golden, COUNT)
    for records in golden.values():
        for record in records:
            facts = is_the_same(record)
            assert set(facts.unknown) == {"ledger"}  # the ledger's own key, and no other


def test_records_of_today_are_too_and_leave_nothing_unsaid(fresh):
    for record in fresh:
        facts = is_the_same(record)
        parts = (facts, facts.inputs, facts.answer, facts.kept, facts.scored, facts.sources, facts.beside.contact, facts.health)
        assert [part.unsaid for part in parts] == [frozenset()] * len(parts)
        assert set(facts.unknown) == {"ledger"}


@settings(max_examples=60, deadline=None)
@given(without=st.sets(st.sampled_from(LATER)), key=st.text(min_size=1), value=st.integers() | st.text() | st.booleans())
def test_what_a_version_did_not_say_stays_unsaid_and_what_a_later_one_says_stays(fresh, without, key, value):
    keys = {each for named in without for each in named.split()}
    record = {name: held for name, held in fresh[0].items() if name not in keys}
    is_the_same(record if key in fresh[0] else {**record, key: value})


def test_a_record_that_lacks_what_every_version_wrote_is_refused_by_name(fresh):
    record = {name: held for name, held in fresh[0].items() if name != "plan_digest"}
    with pytest.raises(CollectionsError, match="lacks plan_digest") as caught:
        RankingFacts.from_record(record)
    assert caught.value.reason is Reason.INTEGRITY_FAILURE


@pytest.mark.parametrize("kind", [Health, ServedModel, ShadowScores])
def test_parts_come_back_as_they_were(kind):
    nothing = {"unsaid": st.just(frozenset()), "unknown": st.just({})}

    @settings(max_examples=40, deadline=None)
    @given(part=st.builds(kind, **nothing))
    def back(part):
        assert read_part(kind, json.loads(json.dumps(write_part(part)))) == part

    back()


def test_a_record_declares_the_objects_that_it_names(fresh, golden):
    keys = {
        "leaves.refused_object",
        "entries_object",
        "plan_object",
        "rules_object",
        "model_card_object",
    }
    for record in (fresh[0], golden["rankings-0.1.0"][0]):
        found = {each.key: (each.digest, each.file) for each in RankingFacts.from_record(record).objects()}
        assert set(found) == keys
        assert found["entries_object"] == (record["entries_object"], "")  # archives show accounts otherwise
        assert found["plan_object"] == (record["plan_object"], "plan.json")
    learned = {**fresh[0], "effects_object": "e", "contact_object": "c", "recovery_object": "r"}
    files = {each.digest: each.file for each in RankingFacts.from_record(learned).objects()}
    assert (files["e"], files["c"], files["r"]) == ("effect_model.json", "contact_model.json", "recovery_model.json")


def test_the_stand_alone_verifier_checks_every_file_that_a_record_declares(fresh):
    class Everything(dict):
        def get(self, key, default=None):
            return key

    declared = {each.key: each.file for each in stored_objects(RankingFacts, Everything()) if each.file}
    kinds = [verify_evidence.MODELS.get(kind.value, kind.value) for kind in ModelKind]
    served = {f"{kind}_version": "a/1" for kind in kinds}  # records name some kinds only where they serve
    assert verify_evidence.files_of({**fresh[0], **served, **declared}) == declared


def test_models_that_stand_on_each_other_are_found_by_kind(fresh):
    names = {"effects_version": "contact/a over effect/b over plan/p/1", "effects_digest": "d"}
    facts = RankingFacts.from_record({**fresh[0], **names})
    assert facts.served(ModelKind.EFFECT) == ("b", "d")
    assert facts.served(ModelKind.RECOVERY) == ("", "")
    version, digest = facts.served(ModelKind.OUTCOME)
    assert (f"outcome/{version}", digest) == (fresh[0]["model_version"], fresh[0]["model_digest"])


def test_a_damaged_record_still_says_which_objects_it_counts_on(fresh):
    whole = objects_of(fresh[0])
    damaged = {**fresh[0], "times": "none", "answer": 7}
    del damaged["rows"]
    assert objects_of(damaged) == whole
    shadow = {"model_version": "outcome/b", "problem": "", "scores_object": "s"}
    assert objects_of({"leaves": [], "shadow": [shadow, {}]}) == [("shadow.scores_object", "s")]


@dataclass(frozen=True)
class Inner(RecordPart):
    version: str = ""


@dataclass(frozen=True)
class Outer(RecordPart):
    always: Inner = field(default_factory=Inner, metadata=flat("a_"))
    later: Inner = field(default_factory=Inner, metadata={**flat("b_"), **OMITTED_AT_DEFAULT})


def test_a_part_that_came_later_leaves_no_key_where_it_says_nothing():
    assert write_part(Outer()) == {"a_version": ""}
    assert write_part(read_part(Outer, {"a_version": ""})) == {"a_version": ""}
    said = write_part(Outer(later=Inner("1")))
    assert said == {"a_version": "", "b_version": "1"}
    assert read_part(Outer, said).later.version == "1"
