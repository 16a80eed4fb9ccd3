"""The life of a model version: who may do what, in which order, and what a promotion or rollback leaves behind."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_opt.core.errors import CollectionsError, Reason
from collections_opt.core.models.lifecycle import (
    ApprovalMode,
    ApprovalTerms,
    KindStanding,
    ModelAction,
    ModelEvent,
    ModelKind,
    ModelState,
    check_event,
    standing_of,
)

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
TERMS = ApprovalTerms(NOW + timedelta(days=30), ("uci-*",))
PEOPLE = {ModelAction.SUBMIT: "sue", ModelAction.VALIDATE: "val", ModelAction.APPROVE: "ada"}


class Life:
    """Events of one kind, each checked as the ledger checks it."""

    def __init__(self):
        self.events = []

    @property
    def standing(self) -> KindStanding:
        return standing_of(ModelKind.OUTCOME, self.events)

    def act(self, version, action, **changes):
        terms = TERMS if action is ModelAction.APPROVE else None
        base = ModelEvent(ModelKind.OUTCOME, version, f"d-{version}", action, PEOPLE.get(action, "op"), NOW, terms=terms)
        event = replace(base, **changes)
        check_event(self.standing, event)
        self.events.append(replace(event, seq=len(self.events) + 1))
        return self

    def approve(self, version):
        for action in PEOPLE:
            self.act(version, action)
        return self


def refused(reason, life, *args, **changes):
    with pytest.raises(CollectionsError) as caught:
        life.act(*args, **changes)
    assert caught.value.reason is reason
    return caught.value


def test_a_version_goes_from_draft_to_champion_and_back_to_the_one_before():
    life = Life().approve("a").approve("b").approve("c")
    for version in "abc":
        life.act(version, ModelAction.PROMOTE)
    assert (life.standing.champion, life.standing.past) == ("c", ("a", "b"))
    assert life.standing.of("a").state is ModelState.APPROVED
    life.act("b", ModelAction.ROLLBACK)
    assert (life.standing.champion, life.standing.of("c").state) == ("b", ModelState.APPROVED)
    refused(Reason.MODEL_STATE_CONFLICT, life, "c", ModelAction.ROLLBACK)  # a rollback does not go forward again
    life.act("a", ModelAction.ROLLBACK)
    assert (life.standing.champion, life.standing.previous()) == ("a", "")


def test_submitter_validator_and_approver_differ():
    life = Life().act("a", ModelAction.SUBMIT)
    error = refused(Reason.PERMISSION_DENIED, life, "a", ModelAction.VALIDATE, actor="sue")
    assert error.violations[0].field == "actor"
    life.act("a", ModelAction.VALIDATE)
    for actor in ("sue", "val"):
        refused(Reason.PERMISSION_DENIED, life, "a", ModelAction.APPROVE, actor=actor)
    life.act("a", ModelAction.APPROVE)


def test_a_self_approved_version_says_so():
    life = Life()
    for action in (*PEOPLE, ModelAction.PROMOTE):
        life.act("a", action, actor="me", mode=ApprovalMode.SELF_APPROVED)
    assert life.standing.of("a").mode is ApprovalMode.SELF_APPROVED
    assert not life.standing.acted


def test_other_bytes_an_expired_approval_and_a_wrong_state_are_refused():
    life = Life().approve("a")
    refused(Reason.MODEL_STATE_CONFLICT, life, "a", ModelAction.PROMOTE, digest="other")
    refused(Reason.MODEL_STATE_CONFLICT, life, "a", ModelAction.PROMOTE, at=TERMS.expires_at)
    refused(Reason.MODEL_STATE_CONFLICT, life, "b", ModelAction.PROMOTE)
    refused(Reason.MODEL_STATE_CONFLICT, life, "a", ModelAction.SUBMIT)
    refused(Reason.INVALID_ARGUMENT, life, "a", ModelAction.APPROVE, terms=replace(TERMS, expires_at=NOW))
    refused(Reason.INVALID_ARGUMENT, life, "a", ModelAction.APPROVE, terms=None)


def test_approving_again_keeps_the_role_and_changes_the_terms():
    life = Life().approve("a").act("a", ModelAction.PROMOTE)
    later = replace(TERMS, expires_at=NOW + timedelta(days=60))
    life.act("a", ModelAction.APPROVE, terms=later)
    assert life.standing.of("a").state is ModelState.CHAMPION
    assert life.standing.of("a").terms == later


def test_a_retired_champion_leaves_no_champion_until_a_person_decides():
    life = Life().approve("a").approve("b").act("a", ModelAction.PROMOTE).act("b", ModelAction.PROMOTE)
    life.act("b", ModelAction.RETIRE)
    assert (life.standing.champion, life.standing.previous()) == ("", "a")
    refused(Reason.MODEL_STATE_CONFLICT, life, "b", ModelAction.PROMOTE)
    assert life.act("a", ModelAction.ROLLBACK).standing.champion == "a"


def test_a_challenger_comes_and_goes():
    life = Life().approve("a").act("a", ModelAction.CHALLENGE)
    assert life.standing.of("a").state is ModelState.CHALLENGER
    assert life.act("a", ModelAction.WITHDRAW).standing.of("a").state is ModelState.APPROVED


def test_portfolios_are_allowed_by_pattern():
    assert TERMS.allow("uci-2005-08")
    assert not TERMS.allow("other")
    assert not TERMS.allow("")
    assert ApprovalTerms(NOW).allow("")


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(ModelAction)), max_size=40))
def test_whatever_is_tried_nothing_unapproved_serves(tries):
    life = Life()
    for version, action in tries:
        try:
            life.act(version, action)
        except CollectionsError:
            continue
    standing = life.standing
    for version, model in standing.models.items():
        if model.state.may_serve:
            done = [e.action for e in life.events if e.version == version]
            assert {ModelAction.SUBMIT, ModelAction.VALIDATE, ModelAction.APPROVE} <= set(done)
            assert len({model.submitter, model.validator, model.approver}) == 3
    champions = [v for v, model in standing.models.items() if model.state is ModelState.CHAMPION]
    assert champions == ([standing.champion] if standing.champion else [])
